"""The image's health check: exit code 0 where this container's service is ready to serve.

It is run by its path every ten seconds, so it imports next to nothing. A process without HTTP
(`serve --only relay,consumer`) has no such answer: give its container another check, on the metrics' port.
"""

import http.client
import os
import sys


def is_ready(port: int, seconds: float = 4.0) -> bool:
    """Whether the service on this `port` says so within `seconds`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", "/healthz/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not is_ready(int(os.environ["HOTLINE_PORT"])))
