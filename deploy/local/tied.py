"""Runs a command that dies with the process that started it: `python tied.py PARENT SIGNAL UID:GID ARGV...`.

`deploy.local.process` calls it by its path; it imports the standard library alone and replaces itself
with the command. On Linux the kernel sends SIGNAL when the parent ends, however it ends, also by
kill -9. It is a program of its own rather than a `preexec_fn`, for code between fork and exec may
deadlock where the parent has threads, and because the order matters: changing the uid clears the
parent-death signal, so it is set after that.

Elsewhere than on Linux the command outlives a parent that gets kill -9.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, death_signal, account, *argv = sys.argv[1:]
    uid, gid = (int(number) for number in account.split(":"))
    if (uid, gid) != (os.getuid(), os.getgid()):
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signal.Signals[death_signal].value, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    # A parent that ended before prctl sends no signal any more, and somebody else is the parent now.
    if os.getppid() != int(parent):
        sys.exit(f"{argv[0]}: the process that started it is gone")
    os.execvp(argv[0], argv)  # noqa: S606  (no shell is the point)


if __name__ == "__main__":
    main()
