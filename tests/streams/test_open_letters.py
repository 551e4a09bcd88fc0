"""Open dead letters by the file that they are about, as the topic tells them."""

from schemas.dead_letters import DeadLetter
from streams.dead_letters import Subject, dead_letter, subject_key
from streams.open_letters import OpenLetters
from streams.reader import Record
from streams.topics import DEAD_LETTERS

A, B, NEW = "a" * 32, "b" * 32, "c" * 32
FILE, OTHER = "1" * 32, "2" * 32


def record(
    object_id: str, file_id: str | None, frame: int | None = None, *, cleared: bool = False
) -> Record[DeadLetter]:
    letter = dead_letter("preprocess", Subject(object_id, frame=frame, file_id=file_id), "Damaged", "why", None)
    return Record(DEAD_LETTERS, subject_key(letter), None if cleared else letter, 0, 0, 0)


def test_letters_of_earlier_contents_are_known_until_they_are_cleared() -> None:
    """Of the whole and of frames; neither other files' nor those of the content itself."""
    letters = OpenLetters()
    for one in (record(A, FILE), record(A, FILE, 3), record(B, OTHER), record(NEW, FILE)):
        letters.note(one)
    assert letters.older(FILE, NEW) == [A, f"{A}/3"]
    letters.note(record(A, FILE, cleared=True))
    assert letters.older(FILE, NEW) == [f"{A}/3"]
    letters.note(record(A, FILE, 3, cleared=True))
    assert letters.older(FILE, NEW) == []
    assert letters.older(OTHER, NEW) == [B]


def test_what_is_open_is_all_that_is_held() -> None:
    """Letters come again, are cleared twice, or are about no file: nothing is left of them."""
    letters = OpenLetters()
    for _ in range(3):
        letters.note(record(A, FILE))
        letters.note(record(A, FILE))
        letters.note(record(B, None))
        letters.note(record(A, FILE, cleared=True))
        letters.note(record(A, FILE, cleared=True))
    assert (letters._files, letters._of) == ({}, {})  # pyright: ignore[reportPrivateUsage]
