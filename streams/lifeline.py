"""Ties a process to its parent, so that it dies when the parent is killed. Knows nothing of what the process does.

Run as a script, `lifeline.py PARENT ARGV...`, it ties itself and becomes ARGV. A script rather than a `preexec_fn`,
which may deadlock in a parent that has threads. Imports little: it is on the way of every start.
"""

import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process once `parent` is gone. Linux only; elsewhere nothing is done.

    See prctl(2), PR_SET_PDEATHSIG. The parent is, strictly, the *thread* that started this process. A process's own
    children need the same again: as the `initializer` of a process pool, for example.
    """
    if sys.platform != "linux":
        return
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) was refused")
    if os.getppid() != parent:  # it was gone before the kernel was told to watch it
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    try:
        os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - to become this program is the purpose
    except OSError as error:
        sys.exit(f"{sys.argv[2]} cannot be run: {error.strerror}")
