"""What a pipeline keeps on a machine is its user's alone. Knows nothing of what that is."""

import os
from pathlib import Path

OWN = 0o700


def write_privately() -> int:
    """Have all that this process and its children write from now on readable by their user alone.

    Returns:
        The mask as it was before.
    """
    return os.umask(0o077)


def private_folder(path: Path) -> Path:
    """The folder, made where it is missing, for its user alone; one of this user's that was open to others is closed.

    Raises:
        OSError: it cannot be made.
    """
    path.mkdir(OWN, parents=True, exist_ok=True)
    found = path.stat()
    if found.st_mode & 0o077 and found.st_uid == os.geteuid():
        path.chmod(OWN)
    return path
