"""What `deploy.topics` plans for topics as it finds them, without a broker."""

from datetime import UTC, date, datetime

import pytest

from deploy.topics import Change, Found, Shape, TopicsFailed, changes
from shared.streaming.relay import midnight_ms

SHAPE = Shape()
TOPIC = "hotline.complaints.v1"


def found(partitions: int = 12, replication: int = 3, **settings: str) -> Found:
    own = {name.replace("_", "."): value for name, value in settings.items()}
    return Found(partitions, replication, {**SHAPE.settings, **own}, {**SHAPE.settings, **own})


def test_a_topic_that_is_not_there_is_made() -> None:
    (change,) = changes(SHAPE, {}, [TOPIC])
    assert change.is_new
    assert change.told == (f"{TOPIC}: created with 12 partitions and 3 replicas",)


def test_a_topic_that_is_as_it_should_be_is_left_alone() -> None:
    assert changes(SHAPE, {TOPIC: found()}, [TOPIC]) == []


def test_a_topic_of_fewer_partitions_grows() -> None:
    assert changes(Shape(partitions=24), {TOPIC: found()}, [TOPIC]) == [
        Change(TOPIC, (f"{TOPIC}: partitions from 12 to 24",), partitions=24)
    ]


def test_no_topic_shrinks_and_the_others_are_not_touched_either() -> None:
    with pytest.raises(TopicsFailed, match=r"24 partitions.*--partitions 24\. Nothing was changed"):
        changes(SHAPE, {TOPIC: found(partitions=24)}, ["hotline.matches.v1", TOPIC])


def test_another_number_of_replicas_is_said_and_not_passed_over() -> None:
    with pytest.raises(TopicsFailed, match="kafka-reassign-partitions"):
        changes(SHAPE, {TOPIC: found(replication=1)}, [TOPIC])


def test_a_setting_that_differs_is_set_and_those_that_others_set_stay() -> None:
    """Kafka replaces all settings of the topic by what it is sent: who sends one alone loses the rest."""
    (change,) = changes(SHAPE, {TOPIC: found(retention_ms="1000", segment_bytes="123456789")}, [TOPIC])
    assert change.told == (f"{TOPIC}: retention.ms from 1000 to 604800000",)
    assert change.settings == {**SHAPE.settings, "segment.bytes": "123456789"}
    assert change.partitions is None


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"partitions": 7}, "--partitions must be a divisor of 240, not 7."),
        ({"partitions": 0}, "--partitions must be a divisor of 240, not 0."),
        ({"min_insync": 4}, r"--min-insync must be from 1 to --replication \(3\), not 4."),
        ({"retention_days": 0}, "--retention-days must be 1 or more, not 0."),
    ],
)
def test_what_does_not_go_together_is_refused_in_a_sentence(asked: dict[str, int], sentence: str) -> None:
    with pytest.raises(TopicsFailed, match=sentence):
        Shape(**asked)


def test_a_day_begins_a_segment_of_its_own_for_only_whole_segments_expire() -> None:
    day_ms = 24 * 60 * 60 * 1000
    assert int(SHAPE.settings["segment.ms"]) < day_ms  # two records' timestamps are whole days apart


def test_the_midnight_of_a_london_day_may_lie_ahead_of_the_brokers_clock() -> None:
    """In summer London's day begins at 23:00 UTC: the midnight UTC of it is an hour away, which is Kafka's
    default limit, and the broker's clock here is two seconds late."""
    broker = datetime(2026, 6, 30, 22, 59, 58, tzinfo=UTC).timestamp() * 1000
    ahead = midnight_ms(date(2026, 7, 1)) - broker
    assert ahead > 3_600_000
    assert ahead <= int(SHAPE.settings["message.timestamp.after.max.ms"])
