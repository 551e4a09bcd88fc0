"""Keeps account of objects: which are finished, by what. Knows outcomes only, and nothing of how they came about."""

import csv
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import orjson

from schemas.dead_letters import DeadLetter
from schemas.triplets import Triplet
from streams.payloads import Payloads


@dataclass(slots=True)
class Account:
    """One object's outcomes so far."""

    frames_taken: int | None = None
    frames_skipped: int = 0
    frames: set[int] = field(default_factory=set)
    triplets: int = 0
    dead_letters: int = 0
    failed_whole: bool = False

    @property
    def finished(self) -> bool:
        """True when every frame taken has an outcome, or the object failed as a whole."""
        return self.failed_whole or (self.frames_taken is not None and len(self.frames) >= self.frames_taken)

    @property
    def outcome(self) -> str:
        """One word for a person."""
        if not self.finished:
            return "unfinished"
        if self.triplets and self.dead_letters:
            return "partial"
        return "triplet" if self.triplets else "dead-letter"


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


class Accounts:
    """Accounts of a closed set of objects; outcomes of others are ignored.

    Outcomes may come twice and in any order. Triplets and dead letters are written as they come, each once.
    """

    def __init__(
        self, object_ids: Iterable[str], triplets: Path, dead_letters: Path | None, payloads: Payloads
    ) -> None:
        self._accounts = {object_id: Account() for object_id in object_ids}
        self._payloads = payloads
        self._images: set[tuple[str, int]] = set()
        self._holders: dict[str, list[str]] = {}
        self._letters: set[tuple[str, int | None]] = set()
        self._triplets = _Export(triplets)
        self._dead_letters = _Export(dead_letters) if dead_letters else None
        self._marked = 0
        self.finished = 0

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
        return len(self._holders)

    @property
    def dead_letters(self) -> int:
        """Distinct dead letters so far."""
        return len(self._letters)

    def add(self, outcome: Triplet | DeadLetter) -> None:
        """Take note of an outcome."""
        account = self._accounts.get(outcome.object_id or "")
        if account is None or outcome.object_id is None:
            return
        was_finished = account.finished
        account.frames_taken = outcome.frames_taken or account.frames_taken
        account.frames_skipped = max(account.frames_skipped, outcome.frames_skipped)
        if isinstance(outcome, Triplet):
            self._add_triplet(outcome, account)
        else:
            self._add_dead_letter(outcome.object_id, outcome, account)
        self.finished += account.finished and not was_finished

    def _add_triplet(self, triplet: Triplet, account: Account) -> None:
        if (triplet.object_id, triplet.frame) not in self._images:
            account.triplets += 1
        self._images.add((triplet.object_id, triplet.frame))
        account.frames.add(triplet.frame)
        holders = self._holders.setdefault(triplet.triplet_id, [])
        if not holders:
            self._marked += any(region.kind == "source annotation" for region in triplet.regions)
            image = self._payloads.fetch_now(triplet.image)
            self._triplets.write(orjson.dumps(triplet.model_copy(update={"image": image}).model_dump(mode="json")))
        if triplet.object_id not in holders:
            holders.append(triplet.object_id)

    def _add_dead_letter(self, object_id: str, letter: DeadLetter, account: Account) -> None:
        if letter.frame is None:
            account.failed_whole = True
        else:
            account.frames.add(letter.frame)
            if letter.image_id is not None:
                self._images.add((object_id, letter.frame))
        if (object_id, letter.frame) in self._letters:
            return
        self._letters.add((object_id, letter.frame))
        account.dead_letters += 1
        if self._dead_letters is not None:
            self._dead_letters.write(orjson.dumps(letter.model_dump(mode="json")))

    def close(self) -> None:
        """Finish the files: each appears whole under its name."""
        shared = {triplet_id: holders for triplet_id, holders in self._holders.items() if len(holders) > 1}
        self._triplets.finish(shared)
        if self._dead_letters is not None:
            self._dead_letters.finish({})

    def summary(self, seconds: float) -> Summary:
        """The run in numbers."""
        return Summary(
            objects=len(self._accounts),
            images=len(self._images),
            triplets=self.triplets,
            dead_letters=self.dead_letters,
            skipped_frames=sum(account.frames_skipped for account in self._accounts.values()),
            marked=self._marked,
            seconds=round(seconds, 3),
        )

    def write_map(self, path: Path, paths: Iterable[tuple[Path, str]]) -> None:
        """path,object_id,outcome for the person whose files they are."""
        with path.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("path", "object_id", "outcome"))
            rows.writerows(
                (os.fsencode(source).decode(errors="backslashreplace"), object_id, self._accounts[object_id].outcome)
                for source, object_id in paths
            )


class _Export:
    """A JSON Lines file that appears under its name only when it is whole."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._part = path, path.with_name(path.name + ".part")
        self._file: BinaryIO = self._part.open("wb")

    def write(self, line: bytes) -> None:
        self._file.write(line + b"\n")

    def finish(self, shared: dict[str, list[str]]) -> None:
        self._file.close()
        if shared:
            named = self._part.with_name(self._part.name + "2")
            with self._part.open("rb") as lines, named.open("wb") as out:
                for line in lines:
                    row = orjson.loads(line)
                    if holders := shared.get(row["triplet_id"]):
                        row["also_in"] = [holder for holder in holders if holder != row["object_id"]]
                        line = orjson.dumps(row) + b"\n"
                    out.write(line)
            named.replace(self._part)
        self._part.replace(self._path)
