"""Which complaints wait, who may do what with one, and how its text changes. All examples are invented."""

from datetime import date
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import releases
from services.intake.domain.complaints import sanitise_body
from services.intake.domain.releases import (
    MOST_DOUBTS,
    Command,
    OwnComplaint,
    Release,
    ReleasePolicy,
    ReleaseRefused,
    decide,
    evolve,
    must_wait,
)
from services.intake.internal_events import HeldComplaint, ReleaseState
from shared.contracts.complaint import ComplaintBody
from shared.contracts.spans import TextSpan
from shared.store.requests import EVENT_LIMIT

WAITING, RETURNED, RELEASED = ReleaseState.WAITING, ReleaseState.RETURNED, ReleaseState.RELEASED
DAY = date(2026, 11, 20)
ALLOWED: dict[tuple[Command, ReleaseState], ReleaseState] = {
    ("mask", WAITING): WAITING,
    ("mask", RETURNED): RETURNED,
    ("release", WAITING): RELEASED,
    ("release", RETURNED): RELEASED,
    ("return", WAITING): RETURNED,
    ("correct", RETURNED): WAITING,
}


def body(narrative: str, **members: Any) -> ComplaintBody:
    sent = {"channel": "phone", "narrative": narrative, **members}
    return ComplaintBody.model_validate_json(orjson.dumps(sent))


def held(sent: ComplaintBody) -> HeldComplaint:
    return releases.held(sent, sanitise_body(sent), "source", "handler", DAY)


@pytest.mark.parametrize(
    ("policy", "with_doubt", "without"),
    [("always", True, True), ("unsure", True, False), ("never", False, False)],
)
def test_the_policy_says_what_waits(policy: ReleasePolicy, *, with_doubt: bool, without: bool) -> None:
    assert (must_wait(policy, ["a doubt"]), must_wait(policy, [])) == (with_doubt, without)


@pytest.mark.parametrize("state", list(ReleaseState))
@pytest.mark.parametrize("command", get_args(Command))
@pytest.mark.parametrize("is_own", [True, False])
def test_each_command_is_for_its_person_and_its_state(
    command: Command, state: ReleaseState, *, is_own: bool
) -> None:
    by = "handler" if is_own else "reviewer"
    release = Release(state, "handler")
    after = ALLOWED.get((command, state))
    if after is None or is_own != (command == "correct"):
        with pytest.raises(ReleaseRefused) as refused:
            decide(command, release, by)
        is_for_another = is_own and command != "correct" and state is not RELEASED
        assert isinstance(refused.value, OwnComplaint) == is_for_another
    else:
        assert evolve(state, decide(command, release, by)) is after


@given(st.lists(st.tuples(st.sampled_from(get_args(Command)), st.booleans()), max_size=12))
def test_whatever_is_tried_a_complaint_is_released_at_most_once_and_by_another(
    tries: list[tuple[Command, bool]],
) -> None:
    state, released_by = WAITING, []
    for command, is_own in tries:
        by = "handler" if is_own else "reviewer"
        try:
            state = evolve(state, decide(command, Release(state, "handler"), by))
        except ReleaseRefused:
            continue
        released_by += [by] * (command == "release")
    assert released_by in ([], ["reviewer"])
    assert (state is RELEASED) == bool(released_by)


def test_doubts_stand_where_their_text_is_in_what_is_kept() -> None:
    narrative = "Ring 07700 900123. My name is Jane Smith. He hit me. Tom Ward saw it."
    waiting = held(body(narrative, subjects=[{"name": "PC David Ward"}], could_be_guessed="yes"))
    kept = waiting.body.narrative
    found = {(doubt.reason, kept[doubt.start : doubt.end]) for doubt in waiting.doubts}
    assert ("could_be_guessed", kept) in found
    assert any(text.startswith("[name-") for reason, text in found if reason != "could_be_guessed")
    assert "07700" not in waiting.model_dump_json()


def test_doubts_stay_at_their_text_when_more_is_masked_before_it() -> None:
    narrative = "A zorbleth came. He hit me. Tom Ward saw it."
    waiting = held(body(narrative, subjects=[{"name": "PC David Ward"}]))
    before = {waiting.body.narrative[doubt.start : doubt.end] for doubt in waiting.doubts}
    after = releases.masked(waiting, [TextSpan(start=2, end=10, kind="identity-number")])
    assert after.body.narrative.startswith("A [identity-number] came.")
    assert {after.body.narrative[doubt.start : doubt.end] for doubt in after.doubts} == before
    assert ("narrative", "identity-number", 1) in [
        (one.field, one.kind, one.count) for one in after.redactions
    ]


def test_a_correction_keeps_the_source_the_day_and_the_count_of_what_was_taken_out() -> None:
    waiting = held(body("My name is Jane Smith. Ring 07700 900123. He hit me."))
    corrected = body(waiting.body.narrative.replace("He hit", "PC Ward hit"))
    after = releases.corrected(waiting, corrected, sanitise_body(corrected))
    assert (after.source_group, after.recorded_by, after.recorded_on) == ("source", "handler", DAY)
    assert after.redactions == waiting.redactions


def test_the_largest_complaint_with_a_doubt_in_each_word_fits_into_an_event() -> None:
    text = " ".join(f"I met Tom{n} Ward{n}." for n in range(1_000))[:20_000]
    subjects = [{"name": "PC David Ward", "description": text[:2_000], "unit": text[:200]} for _ in range(50)]
    sent = body(text, subjects=subjects, keep=[{"start": n * 3, "end": n * 3 + 2} for n in range(500)])
    sanitised = sanitise_body(sent)
    waiting = releases.held(sent, sanitised, "source", "handler", DAY)
    assert len(waiting.doubts) == MOST_DOUBTS
    assert waiting.doubts_left_out == len(sanitised.doubts) - MOST_DOUBTS
    # Base64 of what is sealed is a third longer.
    assert len(waiting.model_dump_json()) * 4 / 3 < EVENT_LIMIT
