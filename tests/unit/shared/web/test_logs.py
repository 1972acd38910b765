"""No line of the log holds what a caller said, whatever somebody passes to the logger."""

import asyncio
import logging
import threading
import warnings
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web import logs
from tests.unit.shared.web.log_lines import SECRET, Lines, configured


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    with configured(capsys) as written:
        yield written


def failure() -> ValueError:
    try:
        int(SECRET)
    except ValueError as error:
        return error
    raise AssertionError


def test_a_line_has_event_level_logger_service_and_time(lines: Lines) -> None:
    logs.logger("shared.store").info("batch committed", count=3)
    line = lines.one()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "batch committed",
        "level": "info",
        "logger": "shared.store",
        "service": "intake",
        "count": 3,
    }


def test_a_key_that_nobody_allowed_is_dropped_and_counted(lines: Lines) -> None:
    logs.logger("x").warning("refused", narrative=SECRET, complaint_id=SECRET, count=1)
    line = lines.one()
    assert (line["dropped"], line["count"]) == (2, 1)
    assert not {"narrative", "complaint_id"} & line.keys()


@given(st.dictionaries(st.text(), st.integers()))
def test_only_allowed_keys_come_out(line: dict[str, int]) -> None:
    kept = dict(logs.OnlyKnownKeys()(None, "", dict(line)))
    assert kept.keys() <= logs.KEYS
    unknown = len(line.keys() - logs.KEYS)
    assert kept.get("dropped", line.get("dropped", 0)) == (unknown or line.get("dropped", 0))


def test_of_an_exception_type_and_frames_are_told_and_nothing_else(lines: Lines) -> None:
    try:
        try:
            dict[str, int]()[SECRET]
        except KeyError as cause:
            cause.__cause__ = failure()
            raise RuntimeError(SECRET) from cause
    except RuntimeError:
        logs.logger("x").exception("failed")
    line = lines.one()
    assert line["error"] == "RuntimeError"
    assert set(line["caused_by"]) == {"KeyError", "ValueError"}
    assert "test_of_an_exception" in line["frames"][0]


def test_an_exception_is_told_the_same_way_at_any_level(lines: Lines) -> None:
    logs.logger("x").warning("failed", exc_info=failure())
    line = lines.one()
    assert (line["level"], line["error"]) == ("warning", "ValueError")
    assert "dropped" not in line


def test_members_of_a_group_are_named() -> None:
    assert logs.fault(ExceptionGroup(SECRET, [failure()]))["caused_by"] == ["ValueError"]


def test_of_other_libraries_only_the_template_is_told(lines: Lines) -> None:
    logging.getLogger("aiokafka.consumer").error("Failed to read %s: %r", SECRET, failure())
    line = lines.one()
    assert (line["event"], line["logger"], line["level"]) == (
        "Failed to read %s: %r",
        "aiokafka.consumer",
        "error",
    )


def test_of_a_message_in_several_lines_only_the_first_is_told(lines: Lines) -> None:
    logging.getLogger("uvicorn.error").error(f"Traceback (most recent call last):\nValueError: {SECRET}")
    assert lines.one()["event"] == "Traceback (most recent call last):"


def test_a_foreign_exception_is_told_by_type(lines: Lines) -> None:
    logging.getLogger("uvicorn.error").error("Exception in ASGI application\n", exc_info=failure())
    assert lines.one()["error"] == "ValueError"


def test_any_foreign_level_and_message_is_taken(lines: Lines) -> None:
    logging.getLogger("odd").log(37, {"said": SECRET})
    line = lines.one()
    assert (line["level"], line["event"]) == ("warning", "dict")


def test_there_is_no_access_log_even_if_something_turns_it_on(lines: Lines) -> None:
    logging.getLogger("uvicorn.access").critical("%s - %s", "10.0.0.1", SECRET)
    assert lines.all() == []


def test_a_failure_in_the_event_loop_is_told_without_its_message(lines: Lines) -> None:
    async def fail_in_a_callback() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(logs.on_loop_error)
        done = asyncio.Event()

        def callback() -> None:
            done.set()
            raise failure()

        loop.call_soon(callback)
        await done.wait()

    asyncio.run(fail_in_a_callback())
    assert lines.one()["error"] == "ValueError"


def test_a_thread_that_fails_is_told_without_the_message(lines: Lines) -> None:
    def fail() -> None:
        raise failure()

    thread = threading.Thread(target=fail)
    # pytest has a hook of its own around each test.
    threading.excepthook = logs._on_thread_error
    thread.start()
    thread.join()
    assert lines.one()["error"] == "ValueError"


def test_a_warning_is_told_without_its_text(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = logs._on_warning  # pytest and `catch_warnings` have put in their own
        warnings.warn(SECRET, stacklevel=1)
    line = lines.one()
    assert (line["event"], line["error"]) == ("warning", "UserWarning")
