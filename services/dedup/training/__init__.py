"""Training of the matching model: a tool apart, with libraries that no service needs.

`python -m services.dedup.training` prints what it can do. It reads nothing of a deployment and nothing real.
"""
