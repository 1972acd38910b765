"""kill -9 of everything in the middle of an import: the import goes on, and nothing is lost or double."""

import random
import subprocess
import threading
from pathlib import Path

import pytest

from tests.conditions import wait_until
from tests.end_to_end.complaints import write_complaints
from tests.end_to_end.system import System, running_system
from tests.end_to_end.test_whole_way import fetch

COUNT = 3000

pytestmark = pytest.mark.long


def recorded(system: System) -> int:
    try:
        return int(
            fetch(system, "intake", "SELECT count(*) FROM events WHERE type = 'complaint.recorded'")[0][0]
        )
    except (OSError, AssertionError, Exception):  # noqa: BLE001  (PostgreSQL is one of those that are killed)
        return 0


def test_an_import_survives_the_death_of_each_process(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    victims = ["intake", "dedup", "referral", "postgres", "broker"]
    chance.shuffle(victims)
    file = write_complaints(tmp_path / "complaints.ndjson.gz", COUNT)
    with running_system() as system:
        told: list[subprocess.CompletedProcess[str]] = []
        thread = threading.Thread(target=lambda: told.append(system.hotline("import", str(file))))
        thread.start()
        for number, victim in enumerate(victims, 1):
            enough = COUNT * number // 8
            wait_until(lambda: recorded(system) >= enough, what=f"{enough} are recorded", seconds=60)
            system.kill(victim)
        thread.join(240)
        assert told, "the import did not end"
        assert told[0].returncode == 0, told[0].stderr
        again = system.hotline("import", str(file))
        assert f"0 accepted, {COUNT} known from before, 0 refused" in again.stderr
        verified = system.hotline("verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
        assert recorded(system) == COUNT
