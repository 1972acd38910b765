"""The machine's Java, which runs Kafka's jars."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping

from tests.engines.missing import EnginesMissing

OLDEST = 17


def java(environment: Mapping[str, str] = os.environ) -> str:
    """The program: of JAVA_HOME, else of the PATH.

    Raises:
        EnginesMissing: there is none, or an older one than Kafka runs on.
    """
    home = environment.get("JAVA_HOME")
    program = f"{home}/bin/java" if home else shutil.which("java", path=environment.get("PATH"))
    if program is None:
        raise EnginesMissing(f"no Java on the PATH, and no JAVA_HOME: Kafka needs {OLDEST} or newer")
    try:
        told = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=30, check=False)
    except OSError as fault:
        raise EnginesMissing(f"{program} does not run ({fault.strerror})") from fault
    found = re.search(r'version "(\d+)', told.stderr)
    if found is None or int(found[1]) < OLDEST:
        version = found[1] if found else "of an unknown version"
        raise EnginesMissing(f"{program} is Java {version}: Kafka needs {OLDEST} or newer")
    return program
