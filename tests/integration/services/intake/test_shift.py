"""A shift is a day: what was recorded in it is not seen after it, and who recorded it is soon forgotten."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.local.keys import ensure_keys, keys_file
from services.intake.day_secrets import DaySecrets
from services.intake.domain.claims import RECORDER
from services.intake.domain.releases import ReleasePolicies
from services.intake.recording import Recorder
from services.intake.shift import Shift
from services.intake.wiring import PUBLIC
from shared.errors import NotFound
from shared.sealing.keys import load_keys
from shared.service import Context
from shared.store.postgres import PostgresStore
from shared.vocabulary import load_vocabulary
from shared.web.auth import Caller
from shared.web.metrics import Metrics
from shared.web.pages import Cursors

BODY = json.dumps({"channel": "phone", "narrative": "He took money."}).encode()
ANNA = Caller(subject="anna", roles=frozenset({"call_handler"}))


async def test_the_day_after_nobody_sees_it(database_url: str, tmp_path: Path) -> None:
    ensure_keys(tmp_path / "keys")
    keys = load_keys(keys_file(tmp_path / "keys", "intake"))
    async with PostgresStore(database_url, PUBLIC) as store:
        # What is destroyed goes by the database's day: two days from here it is today there.
        recorded_on = today = await store.day() - timedelta(days=2)
        context = Context("intake", store, keys, Cursors(b"-" * 32), Metrics(), lambda: today)
        secrets = DaySecrets(store, keys.kek, context.today)
        recorder, shift = (
            Recorder(context, load_vocabulary(), secrets, ReleasePolicies("never", "never")),
            Shift(context),
        )
        ids = [(await recorder.record(BODY, "anna", key)).complaint_id for key in ("one", "two")]
        for complaint_id in ids:
            assert (await shift.complaint(ANNA, complaint_id)).recorded_on == recorded_on
        kept = await store.fetch("SELECT key, value FROM claims WHERE kind = $1", RECORDER)
        assert len({row["key"] for row in kept}) == len(ids)
        assert {row["value"] for row in kept} == {recorded_on.isoformat()}
        today += timedelta(days=1)
        for complaint_id in ids:
            with pytest.raises(NotFound):
                await shift.complaint(ANNA, complaint_id)
        await secrets.tidy()
        assert await store.fetch("SELECT key FROM claims WHERE kind = $1", RECORDER) == []
