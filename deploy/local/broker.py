"""A Kafka broker in memory, in a process of its own: `python -m deploy.local.broker --partitions 12`.

It is the one inside librdkafka (wheel `confluent-kafka`), reached by ctypes, for its Python binding does
not offer it. It prints one JSON line, `{"broker": "127.0.0.1:PORT", "partitions": 12}`, and runs until its
standard input closes or it gets SIGTERM, so that it dies with whoever started it.

What the reader gets: the topics of the three services, spoken to by aiokafka as any broker is (idempotent
producer, acks=all, groups, committed offsets). Its limits, which the event store makes up for:
- all is in memory and gone with the process; about 5 MB a partition are kept, older records go;
- another port at each start, and no topic ever grows: more partitions mean another start;
- one aiokafka member to a group (a second one makes the group rebalance without end), and a member that
  comes back waits for about the group's session timeout less one second, also where the earlier one left;
- a topic that is asked for and not there is created, with four partitions.

How it fails: one sentence on standard error and exit code 1.
"""

import argparse
import ctypes
import importlib.util
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from deploy.local.errors import LaunchError

TOPICS = ("hotline.complaints.v1", "hotline.matches.v1", "hotline.referrals.v1")

_PRODUCER = 0
_ERROR_SIZE = 512


def _library() -> ctypes.CDLL:
    """librdkafka of the wheel: beside the package (Linux, Windows) or in it (macOS)."""
    spec = importlib.util.find_spec("confluent_kafka")
    for place in (spec.submodule_search_locations if spec else None) or ():
        package = Path(place)
        for path in (
            *sorted((package.parent / "confluent_kafka.libs").glob("librdkafka*")),
            *sorted((package / ".dylibs").glob("librdkafka*")),
        ):
            return _declared(ctypes.CDLL(str(path)))
    raise LaunchError(
        "the embedded broker is not installed: `make install` brings it (wheel confluent-kafka)."
    )


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    """Argument and result types: without them ctypes would cut pointers to 32 bits."""
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    signatures = {
        "rd_kafka_conf_new": (pointer, []),
        "rd_kafka_conf_set": (number, [pointer, text, text, text, ctypes.c_size_t]),
        "rd_kafka_new": (pointer, [number, pointer, text, ctypes.c_size_t]),
        "rd_kafka_destroy": (None, [pointer]),
        "rd_kafka_mock_cluster_new": (pointer, [pointer, number]),
        "rd_kafka_mock_cluster_destroy": (None, [pointer]),
        "rd_kafka_mock_cluster_bootstraps": (text, [pointer]),
        "rd_kafka_mock_topic_create": (number, [pointer, text, number, number]),
        "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [pointer, ctypes.c_int32]),
        "rd_kafka_err2str": (text, [number]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class Broker:
    """The broker, in this process, from construction to `close()`."""

    def __init__(self, *, partitions: int, topics: Sequence[str] = TOPICS) -> None:
        self._library = library = _library()
        reason = ctypes.create_string_buffer(_ERROR_SIZE)
        # The cluster hangs on a client instance, which itself connects to nothing.
        configuration = library.rd_kafka_conf_new()
        # 4 is "warning"; below it librdkafka remarks at each start that the client knows no other broker.
        library.rd_kafka_conf_set(configuration, b"log_level", b"4", None, 0)
        self._client = library.rd_kafka_new(_PRODUCER, configuration, reason, _ERROR_SIZE)
        if not self._client:
            raise LaunchError(f"the embedded broker did not start: {reason.value.decode()}.")
        self._cluster = library.rd_kafka_mock_cluster_new(self._client, 1)
        if not self._cluster:
            raise LaunchError("the embedded broker did not start: it could not listen on 127.0.0.1.")
        # The default of 3 s would be waited for at each start of a consumer.
        library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        for topic in topics:
            code = library.rd_kafka_mock_topic_create(self._cluster, topic.encode(), partitions, 1)
            if code != 0:
                why = library.rd_kafka_err2str(code).decode()
                raise LaunchError(f"the embedded broker could not create the topic {topic}: {why}.")
        self.address: str = library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def close(self) -> None:
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._client)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local.broker", description="A Kafka broker in memory."
    )
    parser.add_argument("--partitions", type=int, default=12, help="of each topic; a divisor of 240")
    partitions = parser.parse_args().partitions
    if not 1 <= partitions <= 240 or 240 % partitions:
        parser.error("--partitions must be a divisor of 240, for each slot lies in one partition")
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    try:
        broker = Broker(partitions=partitions)
    except LaunchError as error:
        sys.exit(str(error))
    try:
        print(json.dumps({"broker": broker.address, "partitions": partitions}), flush=True)
        while os.read(sys.stdin.fileno(), 4096):
            pass
    finally:
        broker.close()


if __name__ == "__main__":
    main()
