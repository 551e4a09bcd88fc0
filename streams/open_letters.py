"""Which dead letters are open, by the file that they are about: so that its next content takes them up.

Knows nothing of why an input was bad. Holds the ids of open letters alone, not what they say.
"""

import threading
import time

from schemas.dead_letters import DeadLetter
from schemas.failures import Unavailable
from streams.reader import Record, read
from streams.settings import Wires
from streams.topics import DEAD_LETTERS

AGAIN = 10.0
"""Seconds after which a broker that was away is asked again."""


class OpenLetters:
    """Follows the `dead-letters` topic, in a thread that ends with the process."""

    def __init__(self) -> None:
        self._files: dict[str, dict[str, str]] = {}
        """By file_id: the object_id of each key."""
        self._of: dict[str, str] = {}
        """The file_id of each key."""
        self._lock = threading.Lock()

    def follow(self, wires: Wires) -> None:
        """Begin to."""
        threading.Thread(target=self._follow, args=(wires,), daemon=True, name="open letters").start()

    def _follow(self, wires: Wires) -> None:
        while True:
            try:
                for record in read(wires, [DEAD_LETTERS], follow=True, idle=1.0):
                    if record is not None:
                        self.note(record)
            except Unavailable:
                time.sleep(AGAIN)

    def note(self, record: Record[DeadLetter]) -> None:
        """Take note of a letter, or of one that was cleared."""
        with self._lock:
            if (file_id := self._of.pop(record.key, None)) is not None:
                of_file = self._files[file_id]
                del of_file[record.key]
                if not of_file:
                    del self._files[file_id]
            letter = record.message
            if letter is not None and letter.file_id is not None and letter.object_id is not None:
                self._of[record.key] = letter.file_id
                self._files.setdefault(letter.file_id, {})[record.key] = letter.object_id

    def older(self, file_id: str, object_id: str) -> list[str]:
        """Keys of the open letters of a file that are about other contents than this one."""
        with self._lock:
            return [key for key, about in self._files.get(file_id, {}).items() if about != object_id]
