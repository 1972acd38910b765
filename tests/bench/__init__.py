"""The measurements behind the speed targets: `make bench`, or `python -m tests.bench S2`.

A speed is a ratio to a peer measured in the same run on the same cores, never a number of its own: the
machine is shared and noisy. Sides alternate (`rounds`), and medians of at least five rounds count.

S1 is in `posting`, S2 in `append`, S3 in `passing`, S4 in `waiting`, S5 in `matching`, S6 in `surging`, S7 in
`rereading`, S8 in `starting`. S3, S4 and S6 need Java 17, for Apache Kafka.
"""
