"""What the relay remembers, in memory."""

from collections.abc import Mapping

from shared.streaming.relay_state import Mark


class FakeRelayState:
    """
    Attributes:
        position: what was published, as the database has it.
        marks: the last acknowledged record of each partition.
    """

    def __init__(self) -> None:
        self._epoch = 0
        self.position = 0
        self.marks: dict[int, Mark] = {}

    async def load(self, topic: str, epoch: int) -> tuple[int, dict[int, Mark]] | None:
        if epoch < self._epoch:
            return None
        self._epoch = epoch
        return self.position, dict(self.marks)

    async def advance(self, topic: str, epoch: int, position: int, marks: Mapping[int, Mark]) -> bool:
        if epoch != self._epoch:
            return False
        self.position = position
        self.marks |= marks
        return True
