"""A worker of S2 (see `tests.bench.workers`): writing threads on `eventsourcing`'s PostgreSQL recorder.

The recorder is called directly, without aggregates and mappers, which would only cost; as on our side, the
ids are drawn before the start. Its default is to lock the table for each insert, which makes its
notification ids safe to follow. Its stored functions (`POSTGRES_ENABLE_DB_FUNCTIONS`) save round trips but
take no lock, so that a reader may pass over a gap: they are no peer.
"""

import gc
import json
import sys
import threading
import time
from urllib.parse import unquote, urlsplit
from uuid import uuid4

# It is installed in this project's own environment alone.
from eventsourcing.persistence import StoredEvent  # type: ignore[import-not-found]
from eventsourcing.postgres import (  # type: ignore[import-not-found]
    PostgresApplicationRecorder,
    PostgresDatastore,
)

TOPIC = "hotline.complaint:Recorded"


def main() -> None:
    job = json.loads(sys.stdin.readline())
    url = urlsplit(job["url"])
    datastore = PostgresDatastore(
        dbname=url.path.removeprefix("/"),
        host=url.hostname,
        port=str(url.port),
        user=url.username,
        password=unquote(url.password or ""),
        pool_size=job["threads"],
        max_overflow=0,
    )
    recorder = PostgresApplicationRecorder(datastore)
    recorder.create_table()
    state = job["payload"].encode()
    ids = [uuid4() for _ in range(job["ids"])]
    counts: list[tuple[int, int]] = []
    go = threading.Event()

    def write_until_the_end() -> None:
        go.wait()
        counted = altogether = 0
        while time.monotonic() < end:
            recorder.insert_events([StoredEvent(ids.pop() if ids else uuid4(), 1, TOPIC, state)])
            altogether += 1
            if begin <= time.monotonic() < end:
                counted += 1
        counts.append((counted, altogether))

    threads = [threading.Thread(target=write_until_the_end) for _ in range(job["threads"])]
    for thread in threads:
        thread.start()
    gc.freeze()
    print("ready", flush=True)
    sys.stdin.readline()
    begin = time.monotonic() + job["warm_up"]
    end = begin + job["seconds"]
    go.set()
    for thread in threads:
        thread.join()
    datastore.close()
    print(json.dumps({"done": sum(c for c, _ in counts), "all": sum(a for _, a in counts)}))


if __name__ == "__main__":
    main()
