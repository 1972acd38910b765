"""Run by `make install` under the machine's own Python: is it one with which an environment can be made?

Says what is missing, and how to get it, in one sentence. It is read by older Pythons than the rest of the
code, to tell them so: its annotations are therefore in quotes, and it imports nothing new.
"""

import sys

OLDEST = (3, 11)


def missing(version: "tuple[int, ...]", modules: "set[str]") -> str:
    """The sentence for a Python of this version that has these modules; empty where nothing is missing."""
    major, minor = version[:2]
    if (major, minor) < OLDEST:
        return (
            f"Hotline needs Python 3.11 or newer, and this is {major}.{minor}: install a newer one"
            " and name it (make run PYTHON=python3.11)."
        )
    for module in ("ensurepip", "venv"):
        if module not in modules:
            return (
                f"This Python cannot make virtual environments (it has no module {module}):"
                f" on Debian and Ubuntu, `apt install python{major}.{minor}-venv` brings it."
            )
    return ""


def _importable(*names: str) -> "set[str]":
    found = set()
    for name in names:
        try:
            __import__(name)
        except ImportError:
            continue
        found.add(name)
    return found


if __name__ == "__main__":
    # An empty string as the exit status would be printed as an empty line and count as a failure.
    sys.exit(missing(tuple(sys.version_info[:2]), _importable("ensurepip", "venv")) or 0)
