"""What keeps the local system from running, as one sentence for the person at the terminal.

```
LaunchError                 printed as it is, exit code 1, never a traceback
├── DataDirectoryError      a directory that cannot hold, or does not hold, Hotline's data
├── AccountError            root, but no unprivileged account that could run PostgreSQL here
├── PortInUseError          a port that somebody else listens on
├── NoSpaceError            the disk is (nearly) full
└── ChildError              a child process that ended at once, or did not become ready
```
"""


class LaunchError(Exception):
    """The sentence says what is wrong, where, and what to do about it."""


class DataDirectoryError(LaunchError):
    pass


class AccountError(LaunchError):
    pass


class PortInUseError(LaunchError):
    pass


class NoSpaceError(LaunchError):
    pass


class ChildError(LaunchError):
    pass
