"""What really happened behind a stream of complaints, by their index in it."""

from collections import Counter, defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from deploy.simulation.purposes import Purpose


@dataclass(frozen=True, slots=True)
class Truth:
    """`incidents` has the incident of each complaint. `officers` has for each of its subjects the officer
    who is accused or failed to act, None for anybody else. `continues` leads from a complaint to the
    earlier one whose receipt the same caller gives."""

    incidents: tuple[int, ...]
    officers: tuple[tuple[int | None, ...], ...]
    continues: Mapping[int, int]

    def only(self, indexes: Container[int]) -> "Truth":
        """What can be known where only some of the complaints were taken: the others are nobody's and
        alone. The indexes stay."""
        return Truth(
            tuple(
                incident if index in indexes else -1 - index for index, incident in enumerate(self.incidents)
            ),
            tuple(
                officers if index in indexes else (None,) * len(officers)
                for index, officers in enumerate(self.officers)
            ),
            {
                later: earlier
                for later, earlier in self.continues.items()
                if later in indexes and earlier in indexes
            },
        )

    def complaints_by_officer(self) -> Counter[int]:
        """In how many complaints each officer is accused or failed to act."""
        return Counter(
            officer for subjects in self.officers for officer in set(subjects) if officer is not None
        )

    def officers_with(self, incidents: int) -> tuple[int, ...]:
        """Who is accused, or failed to act, in complaints of at least so many incidents, by number."""
        of_officer: defaultdict[int, set[int]] = defaultdict(set)
        for incident, officers in zip(self.incidents, self.officers, strict=True):
            for officer in officers:
                if officer is not None:
                    of_officer[officer].add(incident)
        return tuple(sorted(officer for officer, found in of_officer.items() if len(found) >= incidents))


def write_truth(path: Path, truth: Truth, seed: int, purpose: Purpose) -> None:
    """NDJSON: a first line with seed and purpose, then `{line, incident, officers, continues}` for each
    complaint."""
    with path.open("wb") as file:
        file.write(
            orjson.dumps({"seed": seed, "purpose": purpose, "complaints": len(truth.incidents)}) + b"\n"
        )
        for index, (incident, officers) in enumerate(zip(truth.incidents, truth.officers, strict=True)):
            line: dict[str, object] = {"line": index + 1, "incident": incident, "officers": officers}
            if (earlier := truth.continues.get(index)) is not None:
                line["continues"] = earlier + 1
            file.write(orjson.dumps(line) + b"\n")
