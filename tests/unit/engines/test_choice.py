"""A run has the engines that it requires, or fails with one sentence; else it tells what it passed over."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from deploy.local.data_directory import ROOT
from deploy.local.ports import free_port
from tests.engines import choice
from tests.engines.choice import Choice, Given, Kind, choose
from tests.engines.missing import EnginesMissing


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (
            {"HOTLINE_TEST_ENGINES": "docker"},
            "HOTLINE_TEST_ENGINES is 'docker'; it should be one of addresses, containers, jars, embedded.",
        ),
        (
            {"HOTLINE_TEST_ENGINES": "addresses", "HOTLINE_TEST_KAFKA": "127.0.0.1:1"},
            "HOTLINE_TEST_ENGINES requires addresses: HOTLINE_TEST_POSTGRES not set.",
        ),
        (
            {"HOTLINE_TEST_ENGINES": "addresses"},
            "HOTLINE_TEST_ENGINES requires addresses: HOTLINE_TEST_KAFKA and HOTLINE_TEST_POSTGRES not set.",
        ),
    ],
    ids=["unknown", "half given", "not given"],
)
def test_what_is_required_and_missing_is_one_sentence(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(EnginesMissing) as raised:
        choose(environment)
    assert str(raised.value) == sentence


def test_an_address_where_nobody_answers_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Answering:
        def __init__(self, address: str) -> None: ...

        def answers(self, seconds: float) -> bool:
            return True

    monkeypatch.setattr(choice, "Topics", Answering)
    environment = {
        "HOTLINE_TEST_ENGINES": "addresses",
        "HOTLINE_TEST_KAFKA": "127.0.0.1:1",
        "HOTLINE_TEST_POSTGRES": f"postgresql://postgres:secret@127.0.0.1:{free_port()}",
    }
    with pytest.raises(EnginesMissing, match=r"no PostgreSQL answers at HOTLINE_TEST_POSTGRES") as raised:
        choose(environment)
    assert "secret" not in str(raised.value)


def test_a_kafka_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_ANSWER_SECONDS", 0.2)
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(EnginesMissing, match=f"no Kafka answers at {address}"):
        choose(
            {
                "HOTLINE_TEST_ENGINES": "addresses",
                "HOTLINE_TEST_KAFKA": address,
                "HOTLINE_TEST_POSTGRES": "postgresql://postgres@127.0.0.1:1",
            }
        )


def test_without_a_requirement_the_first_that_can_be_had_is_taken_and_the_others_tell_why_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def had(kind: Kind, environment: Mapping[str, str]) -> Given:
        if kind in {Kind.ADDRESSES, Kind.CONTAINERS}:
            raise EnginesMissing(f"no {kind} here")
        return Given()

    monkeypatch.setattr(choice, "_had", had)
    assert choose({}).told() == [
        "engines: jars (Apache Kafka out of its jars, PostgreSQL of the wheel)",
        "  not addresses: no addresses here",
        "  not containers: no containers here",
    ]


def test_a_worker_uses_what_its_run_has_chosen() -> None:
    chosen = Choice(Kind.CONTAINERS, Given("127.0.0.1:9092", "postgresql://postgres@127.0.0.1:5432"))
    shared = chosen.shared()
    assert {type(value) for value in shared.values()} == {str}  # what goes to a worker is of plain types
    worker = Choice.of_another_process(shared)
    assert (worker.kind, worker.engines) == (chosen.kind, chosen.engines)


def test_a_run_that_cannot_have_what_it_requires_fails_at_once() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", __file__],
        env={**os.environ, "HOTLINE_TEST_ENGINES": "docker"},
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert ran.stderr.startswith("ERROR: HOTLINE_TEST_ENGINES is 'docker'; it should be one of")
