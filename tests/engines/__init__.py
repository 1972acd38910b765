"""The engines that tests run against: brokers and PostgreSQL, the strongest that the machine has.

`choice` says which, and how one is required; fixtures in `tests/conftest.py` hand them to tests. Started when
a test asks for the first time, stopped at the end of the run, and tied to it, so that an interrupted run
leaves nothing behind.
"""

from tests.engines.embedded import EmbeddedBroker
from tests.engines.kafka import KafkaNode, own_kafka
from tests.engines.postgres import Databases, reachable_directory, running_postgres

__all__ = [
    "Databases",
    "EmbeddedBroker",
    "KafkaNode",
    "own_kafka",
    "reachable_directory",
    "running_postgres",
]
