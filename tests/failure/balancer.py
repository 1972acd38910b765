"""A load balancer, as far as it decides where calls go: it asks each replica whether it is ready."""

import threading

from tests.conditions import answers
from tests.failure.cluster import Replica

LOOKS_EVERY = 0.2


class Balancer:
    """Knows which replicas of intake were ready when it looked last."""

    def __init__(self, replicas: list[Replica]) -> None:
        self._replicas = replicas
        self.ready = [replica.url for replica in replicas]
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="balancer")

    def __enter__(self) -> "Balancer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(LOOKS_EVERY):
            ready = [replica.url for replica in self._replicas if answers(f"{replica.url}/healthz/ready", 1)]
            self.ready = ready or self.ready
