"""Proof from the databases and topics alone: nothing lost, nothing double, no disagreement.

It shares no code with what it checks but the numbers of the contracts: a fault in the store's own reading
must not hide itself.
"""
