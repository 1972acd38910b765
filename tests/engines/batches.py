"""Record batches as they lie on a broker's disk, byte by byte, and a way to send one as it is."""

from collections.abc import Sequence

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

BASE_BYTES, VERSION, CRC, ATTRIBUTES = 8, 16, 17, 21
"""Places in a batch: https://kafka.apache.org/documentation/#recordbatch."""

PLAIN, GZIP, SNAPPY, LZ4, ZSTD = range(5)


def built(values: Sequence[bytes], *, base: int = 0, codec: int = PLAIN, most: int = 1 << 20) -> bytes:
    """A batch of these records at the offset `base`, of at most `most` bytes before it is packed."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=codec, is_transactional=0, producer_id=-1, producer_epoch=-1,
        base_sequence=-1, batch_size=most,
    )  # fmt: skip
    for number, value in enumerate(values):
        assert builder.append(number, 0, None, value, [("content-type", b"text/plain")]), "full"
    return base.to_bytes(BASE_BYTES, "big") + bytes(builder.build())[BASE_BYTES:]


def flipped(batch: bytes, place: int, by: int = 0xFF) -> bytes:
    """One byte of it is another one."""
    place %= len(batch)
    return batch[:place] + bytes([batch[place] ^ by]) + batch[place + 1 :]


def checked(batch: bytes) -> bytes:
    """The batch with the checksum that it ought to have."""
    checksum = int(calc_crc32c(batch[ATTRIBUTES:]))
    return batch[:CRC] + checksum.to_bytes(4, "big") + batch[ATTRIBUTES:]


async def produce(address: str, topic: str, partition: int, batch: bytes) -> None:
    """Send a batch as it is, whatever is wrong with it.

    Raises:
        KafkaError: the broker does not take it.
    """
    client = AIOKafkaClient(bootstrap_servers=address)
    try:
        await client.bootstrap()
        client.add_topic(topic)
        await client.force_metadata_update()
        leader = client.cluster.leader_for_partition(TopicPartition(topic, partition))
        while True:
            request = ProduceRequest(None, -1, 10_000, [(topic, [(partition, batch)])])
            answer = await client.send(leader, request)
            ((_, ((_, code, *_),)),) = answer.topics
            if not for_code(code).retriable:  # of a topic that was made just now the leader is not there yet
                break
    finally:
        await client.close()
    if code:
        raise for_code(code)(topic)
