"""Whatever dies, nothing is lost, nothing happens twice, and the services agree.

`cluster` is the system as it runs in earnest: real Kafka and PostgreSQL, several processes of each service.
`callers` post complaints all the while, `chaos` kills, stops and wipes at moments from a printed seed, and
`checker` proves from the databases and topics what became of every call that was accepted.
"""
