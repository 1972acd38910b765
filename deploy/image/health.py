"""The image's health check: exit code 0 where this container's service is ready, or halted.

It is run by its path every ten seconds, so it imports next to nothing. A process without HTTP
(`serve --only relay,consumer`) has no such answer: give its container another check, on the metrics' port.
"""

import http.client
import json
import os
import sys


def is_ready(port: int, seconds: float = 4.0) -> bool:
    """Whether the service on this `port` says within `seconds` that it is ready, or halted: then it waits for
    `./hotline recover`, which asks it and the others, so the system has to run."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", "/healthz/ready")
        answer = connection.getresponse()
        return answer.status == 200 or set(json.load(answer).get("not_ready", ())) == {"store"}
    except (OSError, http.client.HTTPException, ValueError, AttributeError):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not is_ready(int(os.environ["HOTLINE_PORT"])))
