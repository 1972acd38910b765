"""Ports on the loopback address.

A port that is free now may be taken a moment later: who gets one has to cope with that.
"""

import contextlib
import socket

HOST = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """So many ports, all different, on which nobody listens at this moment."""
    with contextlib.ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in sockets]


def free_port() -> int:
    return free_ports(1)[0]


def is_free(port: int) -> bool:
    """Whether this account could listen on it now."""
    with socket.socket() as probe:
        # As servers do: connections of an earlier one, in TIME_WAIT, are no hindrance. A listener is.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
