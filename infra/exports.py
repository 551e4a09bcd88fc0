"""Files of lines that appear under their name only when they are whole, compressed where the name says so.

Until then their lines stand, uncompressed, in a `.part` file beside them, which a later run can go on with. Knows
nothing of what the lines say.
"""

import contextlib
import fcntl
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO, Literal, NoReturn, Protocol

import cramjam
from isal import igzip

from schemas.failures import TristreamError

STDOUT = Path("-")
COMPRESSED = (".gz", ".zst")
BLOCK = 4 * 1024 * 1024
"""Bytes that are compressed at once."""
_BUFFER = 1024 * 1024
"""Bytes that are read at once, at first."""
SKIPPABLE = b"\x50\x2a\x4d\x18\x04\x00\x00\x00"
"""Begins a frame of four bytes that Zstandard decoders pass by (RFC 8878, 3.1.2): here the length of the next frame."""

Begin = Literal["new", "resume", "anew"]
Change = Callable[[bytes], bytes | None]
"""What a line becomes; None: it is left out."""


class CannotWrite(TristreamError):
    """A file of results cannot be begun, gone on with or ended. The message names it: the user gave the name."""


class Export(Protocol):
    """Takes lines. Is ended whole by `finish`, or broken off by `close`."""

    def write(self, line: bytes) -> None:
        """Write a line."""
        ...

    def finish(self, change: Change | None = None) -> None:
        """Give the file its name, its lines as `change` has them."""
        ...

    def earlier(self) -> Iterator[tuple[bytes, bool]]:
        """Lines of earlier runs, and whether they stand in the file that is written; lines written from now on are not
        among them.

        Raises:
            CannotWrite: they cannot be read.
        """
        ...

    def close(self) -> None:
        """Leave what there is; where that is nothing, leave nothing behind."""
        ...


class Stdout:
    """Lines on standard output, each at once. What is written can be changed no more."""

    def write(self, line: bytes) -> None:
        """As Export has it."""
        sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()

    def finish(self, change: Change | None = None) -> None:
        """As Export has it."""

    def earlier(self) -> Iterator[tuple[bytes, bool]]:
        """As Export has it."""
        return iter(())

    def close(self) -> None:
        """As Export has it."""


class FileExport:
    """A JSON Lines file.

    Args:
        path: of the file; `.gz` and `.zst` are compressed.
        begin: what becomes of a `.part` file that is there: new: nothing, the export is refused; resume: it is gone on
            with; anew: it is emptied.

    Raises:
        CannotWrite: a `.part` file is there against `begin`, or another process writes it.
    """

    def __init__(self, path: Path, *, begin: Begin = "new") -> None:
        self.path = path
        self.part = path.with_name((path.stem if path.suffix in COMPRESSED else path.name) + ".part")
        self._file = self._open(begin)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if begin == "anew":
                self._file.truncate(0)
            self._leave_whole_lines()
        except BlockingIOError:
            self._file.close()
            raise CannotWrite(f"another process writes {self.part}: wait for it, or take another name") from None
        except OSError as error:
            self._fail(error)

    def _open(self, begin: Begin) -> BinaryIO:
        try:
            self.part.parent.mkdir(parents=True, exist_ok=True)
            # O_NOFOLLOW: a link that somebody else put there must not have another file written.
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | (os.O_EXCL if begin == "new" else 0)
            return os.fdopen(os.open(self.part, flags, 0o666), "r+b")
        except FileExistsError:
            raise CannotWrite(
                f"an earlier run broke off and left {self.part}: go on with it by --resume, or remove it"
            ) from None
        except OSError as error:
            raise CannotWrite(f"{self.part} cannot be written: {error.strerror}") from None

    def _leave_whole_lines(self) -> None:
        """A run that was killed may have left a part of one."""
        end = whole = self._file.seek(0, os.SEEK_END)
        while whole:
            start = max(0, whole - BLOCK)
            self._file.seek(start)
            last = self._file.read(whole - start).rfind(b"\n")
            if last >= 0:
                whole = start + last + 1
                break
            whole = start
        if whole < end:
            self._file.truncate(whole)
        self._file.seek(whole)

    def earlier(self) -> Iterator[tuple[bytes, bool]]:
        """As Export has it."""
        self._file.flush()
        left = self._file.tell()
        with self.part.open("rb") as lines:
            while left > 0:
                line = lines.readline()
                left -= len(line)
                yield line.rstrip(b"\n"), True
        if self.path.exists():
            yield from ((line, False) for line in lines_of(self.path))

    def write(self, line: bytes) -> None:
        """As Export has it."""
        try:
            self._file.write(line + b"\n")
            # Each at once: a line can have taken minutes of a model, and who is killed keeps it.
            self._file.flush()
        except OSError as error:
            self._fail(error)

    def finish(self, change: Change | None = None) -> None:
        """As Export has it."""
        try:
            self._file.flush()
            ready = self.part
            if change is not None or self.path.suffix in COMPRESSED:
                ready = self.part.with_name(self.part.name + "2")
                ready.unlink(missing_ok=True)  # A link there, too: what it leads to is not written.
                with self.part.open("rb") as lines, ready.open("xb") as out:
                    for block in _blocks(lines if change is None else _changed(lines, change)):
                        out.write(_packed(block, self.path.suffix))
            with ready.open("rb") as written:
                os.fsync(written.fileno())
            ready.replace(self.path)
            if ready != self.part:
                self.part.unlink()
        except OSError as error:
            self._fail(error)
        finally:
            self._file.close()

    def close(self) -> None:
        """As Export has it."""
        if self._file.closed:
            return
        with contextlib.suppress(OSError):
            self._file.flush()
            if not self._file.seek(0, os.SEEK_END):
                self.part.unlink()
        with contextlib.suppress(OSError):
            self._file.close()

    def _fail(self, error: OSError) -> NoReturn:
        raise CannotWrite(f"{self.path} cannot be written: {error.strerror}") from None


def export_to(path: Path, *, begin: Begin = "new") -> Export:
    """Where lines go: a file, or for `-` standard output. Raises CannotWrite."""
    return Stdout() if path == STDOUT else FileExport(path, begin=begin)


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file that is whole, compressed as its name says.

    Raises:
        CannotWrite: it cannot be read, or is not what its name says.
    """
    try:
        if path.suffix == ".zst":
            with path.open("rb") as file:
                rest = b""
                for block in _zstandard(file):
                    *lines, rest = (rest + block).split(b"\n")
                    yield from lines
            return
        with igzip.IGzipFile(path, "rb") if path.suffix == ".gz" else path.open("rb", buffering=0) as file:
            yield from _lines(file)
    except OSError as error:
        raise CannotWrite(f"{path} cannot be read: {error.strerror or 'it is damaged'}") from None
    except (EOFError, ValueError, cramjam.DecompressionError):
        raise CannotWrite(f"{path} is damaged, or was written by another program: take another name") from None


def _lines(file: RawIOBase | igzip.IGzipFile) -> Iterator[bytes]:
    """The lines of a file, each copied once: Python's own take half a second of a gigabyte more."""
    buffer, held = bytearray(_BUFFER), 0
    while True:
        if held == len(buffer):
            buffer.extend(bytes(len(buffer)))
        with memoryview(buffer) as view:
            if not (more := file.readinto(view[held:])):
                break
            start, looked, held = 0, held, held + more
            while (end := buffer.find(b"\n", looked, held)) >= 0:
                yield bytes(view[start:end])
                start = looked = end + 1
            view[: held - start] = bytes(view[start:held])
            held -= start
    if held:
        yield bytes(buffer[:held])


def _changed(lines: Iterable[bytes], change: Change) -> Iterator[bytes]:
    for line in lines:
        if (changed := change(line.rstrip(b"\n"))) is not None:
            yield changed + b"\n"


def _blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= BLOCK:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def _packed(block: bytes, suffix: str) -> bytes:
    if suffix == ".gz":
        return igzip.compress(block)
    if suffix == ".zst":
        frame = bytes(cramjam.zstd.compress(block))
        return SKIPPABLE + len(frame).to_bytes(4, "little") + frame
    return block


def _zstandard(file: BinaryIO) -> Iterator[bytes]:
    while head := file.read(len(SKIPPABLE) + 4):
        frame = file.read(int.from_bytes(head[len(SKIPPABLE) :], "little"))
        if not head.startswith(SKIPPABLE):
            raise ValueError("no length before a frame")
        yield bytes(cramjam.zstd.decompress(frame))
