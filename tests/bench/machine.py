"""What the figures were measured on."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from deploy.local.postgres import SETTINGS, binaries

LIBRARIES = ("asyncpg", "uvloop", "fastapi", "aiokafka", "orjson", "cryptography")
POSTGRES_SETTINGS = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "wal_compression")


def facts() -> dict[str, str]:
    """Name -> value, in the order in which they are shown."""
    told = subprocess.run(
        [str(binaries() / "postgres"), "--version"], capture_output=True, text=True, check=True
    )
    load = os.getloadavg()[0]
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "processor": _first("/proc/cpuinfo", "model name") or platform.machine(),
        "memory": _first("/proc/meminfo", "MemTotal") or "unknown",
        "system": f"{platform.system()} {platform.release()}",
        "load before": f"{load:.2f}",
        "Python": platform.python_version(),
        "PostgreSQL": told.stdout.strip().rpartition(" ")[2],
        "its settings": ", ".join(f"{name} {SETTINGS[name]}" for name in POSTGRES_SETTINGS),
        **{name: version(name) for name in LIBRARIES},
    }


def _first(path: str, name: str) -> str | None:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return None
    values = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in values if key.strip() == name), None)
