"""Makes `kafka-jars.lock` anew from `pom.xml`: `python -m tests.engines.locking`. Needs Maven (`mvn`).

Maven says which jars Kafka needs at run time, fetches them and checks them against what Maven Central
publishes beside them; their SHA-256 is written down. To be run when `pom.xml` changed, and at no other time.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.engines.jars import LOCK, Jar

_POM = Path(__file__).with_name("pom.xml")
_LISTED = re.compile(r"([\w.-]+):([\w.-]+):jar:([\w.-]+)")


def resolved(directory: Path) -> list[Jar]:
    """The jars of the pom's run time scope, fetched into `directory`."""
    maven = ("mvn", "--quiet", "--batch-mode", "--strict-checksums", "--file", str(_POM))
    plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
    scope = "-DincludeScope=runtime"
    subprocess.run(
        [*maven, f"{plugin}:copy-dependencies", scope, f"-DoutputDirectory={directory}"], check=True
    )
    listing = directory / "listing"
    subprocess.run(
        [*maven, f"{plugin}:list", scope, f"-DoutputFile={listing}", "-Dmdep.outputScope=false"], check=True
    )
    jars = [
        Jar(group, artifact, version, _sha256(directory / f"{artifact}-{version}.jar"))
        for group, artifact, version in _LISTED.findall(listing.read_text())
    ]
    if len(jars) != len(list(directory.glob("*.jar"))):
        sys.exit("Maven fetched other jars than it listed: the pom needs what a lock line cannot say.")
    return sorted(jars)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        found = resolved(Path(place))
    LOCK.write_text("".join(f"{jar.group} {jar.artifact} {jar.version} {jar.sha256}\n" for jar in found))
    print(f"{LOCK.name}: {len(found)} jars")
