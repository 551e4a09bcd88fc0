"""Keeps account of objects: which are finished, by what. Knows outcomes only, and nothing of how they came about."""

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import orjson

from infra.exports import Export, FileExport
from infra.results import NotResults, Result, recalled


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one frame, or of an object as a whole: then `frame` is None. `error`: class of its dead letter."""

    frame: int | None
    image_id: str | None = None
    triplet_id: str | None = None
    error: str = ""

    @property
    def outcome(self) -> str:
        """One word for a person."""
        return "triplet" if self.triplet_id else "dead-letter" if self.error else "unfinished"


@dataclass(slots=True)
class Account:
    """One object's outcomes so far."""

    frames_taken: int | None = None
    frames_skipped: int = 0
    frames: dict[int | None, Row] = field(default_factory=dict[int | None, Row])

    @property
    def finished(self) -> bool:
        """True when every frame taken has an outcome, or the object failed as a whole."""
        return None in self.frames or (self.frames_taken is not None and len(self.frames) >= self.frames_taken)

    @property
    def annotated(self) -> bool:
        """True when every frame taken has a triplet."""
        return self.finished and not any(row.error for row in self.frames.values())

    def add(self, result: Result) -> bool:
        """Take note of an outcome; whether it is of a frame that had none. A triplet is never undone."""
        self.frames_taken = result.frames_taken or self.frames_taken
        self.frames_skipped = max(self.frames_skipped, result.frames_skipped)
        known = self.frames.get(result.frame)
        if known is None or known.error:
            self.frames[result.frame] = Row(result.frame, result.image_id, result.triplet_id, result.error)
        return known is None

    def rows(self) -> Iterator[Row]:
        """By frame, that of the whole object first; at least one."""
        order = sorted(self.frames, key=lambda frame: -1 if frame is None else frame)
        yield from (self.frames[frame] for frame in order)
        if not self.finished:
            yield Row(None)


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of a run."""

    objects: int
    images: int
    triplets: int
    dead_letters: int
    skipped_frames: int
    marked: int
    """Triplets with a region that their source marks."""
    seconds: float
    """By the clock on the wall."""


class Accounts:
    """Accounts of objects that are expected; outcomes of others are ignored.

    Outcomes may come twice and in any order. Triplets and dead letters are written as they come, each once.

    Args:
        triplets: where they go.
        dead_letters: where they go; None: they are counted only.
        object_ids: those expected; more by `expect`.
    """

    def __init__(self, triplets: Export, dead_letters: Export | None, object_ids: Iterable[str] = ()) -> None:
        self._triplets, self._dead_letters = triplets, dead_letters
        self._accounts = {object_id: Account() for object_id in object_ids}
        self._earlier: dict[str, Account] | None = None
        """Of objects that nobody has expected yet, what earlier runs wrote; None: it was not asked for."""
        self._files: set[str] = set()
        self._holders: dict[str, list[str]] = {}
        """Of each triplet that is written, the objects that it is of; the first is named in it."""
        self._ours: set[str] = set()
        """The triplets of expected objects."""
        self._marked: set[str] = set()
        self._unasked: dict[tuple[str, str], set[str]] = {}
        self._errors: Counter[tuple[str, str]] = Counter()
        self.finished = 0

    def recall(self) -> None:
        """Take note of what earlier runs wrote: what has its triplets need not be done again.

        Dead letters stay only as long as their objects are not expected, or fail again.

        Raises:
            NotResults: one wrote something else.
            CannotWrite: it cannot be read.
        """
        self._earlier = {}
        for line, stands in self._triplets.earlier():
            result = recalled(line)
            if result.triplet_id is None:
                raise NotResults
            if result.triplet_id not in self._holders and not stands:
                self._triplets.write(line)
            holders = self._holders.setdefault(result.triplet_id, [])
            holders += [one for one in (result.object_id, *result.also_in) if one not in holders]
            # Who shares a triplet shares its metadata, and so the number of frames.
            for holder in holders:
                self._earlier.setdefault(holder, Account()).add(result)
            self._note(result, result.triplet_id)
        if self._dead_letters is not None:
            for line, stands in self._dead_letters.earlier():
                if not stands:
                    self._dead_letters.write(line)

    def expect(self, object_id: str, file_id: str | None = None) -> None:
        """Keep account of an object. `file_id`: of its file; dead letters of earlier contents of it are closed."""
        if file_id is not None:
            self._files.add(file_id)
        if object_id in self._accounts:
            return
        account = self._accounts[object_id] = (self._earlier or {}).pop(object_id, None) or Account()
        self._ours |= {row.triplet_id for row in account.frames.values() if row.triplet_id is not None}
        self.finished += account.finished

    def is_annotated(self, object_id: str) -> bool:
        """Whether every frame taken of an object has a triplet, be it expected yet or not."""
        account = self._accounts.get(object_id) or (self._earlier or {}).get(object_id)
        return account is not None and account.annotated

    def __contains__(self, object_id: str | None) -> bool:
        """Whether an object is expected."""
        return object_id in self._accounts

    @property
    def unfinished(self) -> list[str]:
        """Objects without a full set of outcomes, in the order they were given."""
        return [object_id for object_id, account in self._accounts.items() if not account.finished]

    @property
    def complete(self) -> bool:
        """True when every object is finished."""
        return self.finished == len(self._accounts)

    @property
    def triplets(self) -> int:
        """Distinct triplets so far."""
        return len(self._ours)

    @property
    def dead_letters(self) -> int:
        """Distinct dead letters so far."""
        return self._errors.total()

    @property
    def errors(self) -> list[tuple[str, str, int]]:
        """Class, message and number of dead letters of each error, the most frequent first."""
        return [(*error, count) for error, count in self._errors.most_common()]

    @property
    def unasked(self) -> list[tuple[str, str, int]]:
        """Expert, what it lacked, and for how many triplets of expected objects, the most frequent first."""
        counts = Counter({one: len(triplets & self._ours) for one, triplets in self._unasked.items()})
        return [(*one, count) for one, count in counts.most_common() if count]

    def add(self, result: Result) -> None:
        """Take note of an outcome."""
        account = self._accounts.get(result.object_id)
        if account is None:
            return
        was_finished = account.finished
        new = account.add(result)
        if result.triplet_id is not None:
            self._add_triplet(result, result.triplet_id)
        elif new:
            self._errors[result.error, result.message] += 1
            if self._dead_letters is not None:
                self._dead_letters.write(result.line)
        self.finished += account.finished and not was_finished

    def _add_triplet(self, result: Result, triplet_id: str) -> None:
        self._ours.add(triplet_id)
        holders = self._holders.setdefault(triplet_id, [])
        if not holders:
            self._triplets.write(result.line)
            self._note(result, triplet_id)
        if result.object_id not in holders:
            holders.append(result.object_id)

    def _note(self, result: Result, triplet_id: str) -> None:
        if result.marked:
            self._marked.add(triplet_id)
        for one in result.unasked:
            self._unasked.setdefault((one.expert, one.lacks), set()).add(triplet_id)

    def finish(self) -> None:
        """End the files whole: each appears under its name, and a triplet tells all objects that it is of."""
        shared = {triplet_id: holders for triplet_id, holders in self._holders.items() if len(holders) > 1}

        def also_in(line: bytes) -> bytes:
            row = orjson.loads(line)
            holders = shared.get(row["triplet_id"], [row["object_id"]])
            row["also_in"] = [holder for holder in holders if holder != row["object_id"]]
            return orjson.dumps(row)

        self._triplets.finish(also_in if shared else None)
        if self._dead_letters is not None:
            self._dead_letters.finish(_Open(self._accounts, self._files) if self._earlier is not None else None)

    def close(self) -> None:
        """Leave the files as a run that broke off: their lines stand beside their names."""
        self._triplets.close()
        if self._dead_letters is not None:
            self._dead_letters.close()

    def summary(self, seconds: float) -> Summary:
        """The run in numbers."""
        return Summary(
            objects=len(self._accounts),
            images=sum(row.image_id is not None for one in self._accounts.values() for row in one.frames.values()),
            triplets=self.triplets,
            dead_letters=self.dead_letters,
            skipped_frames=sum(account.frames_skipped for account in self._accounts.values()),
            marked=len(self._ours & self._marked),
            seconds=round(seconds, 3),
        )

    def write_map(self, path: Path, paths: Iterable[tuple[Path, str]]) -> None:
        """A CSV by frame for the person whose files they are; it appears when it is whole. Raises CannotWrite."""
        export = FileExport(path, begin="anew")
        head = ("path", "object_id", "outcome", "frame", "image_id", "triplet_id", "error")
        for cells in chain([head], self._rows(paths)):
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerow("" if cell is None else cell for cell in cells)
            export.write(text.getvalue().removesuffix("\n").encode())
        export.finish()

    def _rows(self, paths: Iterable[tuple[Path, str]]) -> Iterator[tuple[object, ...]]:
        for path, object_id in paths:
            name = os.fsencode(path).decode(errors="backslashreplace")
            for row in self._accounts[object_id].rows():
                yield name, object_id, row.outcome, row.frame, row.image_id, row.triplet_id, row.error


class _Open:
    """Which lines of dead letters stay.

    Of expected objects those that stand in their accounts, each once; of others those that are not about an earlier
    content of an expected one's file.
    """

    def __init__(self, accounts: dict[str, Account], files: set[str]) -> None:
        self._accounts, self._files, self._seen = accounts, files, set[tuple[str, int | None]]()

    def __call__(self, line: bytes) -> bytes | None:
        letter = recalled(line)
        account, key = self._accounts.get(letter.object_id), (letter.object_id, letter.frame)
        stays = (
            letter.file_id not in self._files
            if account is None
            else (letter.frame in account.frames and account.frames[letter.frame].error)
        )
        if not stays or key in self._seen:
            return None
        self._seen.add(key)
        return line
