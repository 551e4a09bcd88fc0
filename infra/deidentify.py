"""deidentify: files in, de-identified copies and a report out. Needs no broker. Names nothing by its source's name."""

import csv
import hashlib
import hmac
import os
import secrets
import stat
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TextIO

import orjson

from agents.given import marks_in
from agents.places import BadSetting
from agents.reading import described_by
from agents.settings import Settings
from infra.annotate import find_files
from models.imaging import BurnedInPolicy, Source
from models.imaging.deidentify import Policy, Pseudonyms
from models.imaging.deidentify.files import CleanPixels, Copy, Masked, deidentify_file
from models.imaging.deidentify.pixels import clean_pixels
from models.imaging.given.marking import marked
from schemas.failures import InvalidInput, TristreamError
from schemas.limits import DEFAULT_LIMITS, Limits
from streams.buckets import bucket_of
from streams.buckets.beside import companions_read
from streams.buckets.selection import EVERYTHING, Reason, Selection, Tally, by_reason

CLEAN_PIXELS: Callable[..., Masked | None] = clean_pixels
Pixels = Literal["clean", "keep"]
"""Whether text burned into pixels is looked for and masked, or pixels are copied unseen."""

_MASK = BurnedInPolicy()
_LABEL = b"tristream deidentify 1"


class Occupied(InvalidInput):
    """Another file lies where the copy belongs."""

    def __init__(self) -> None:
        super().__init__(
            "the output folder holds another file of this SOP Instance UID, and nothing is overwritten; "
            "two different files share the UID, or another policy was used before: take an empty folder"
        )


class Unreadable(InvalidInput):
    """The operating system does not give the file's bytes."""

    def __init__(self) -> None:
        super().__init__("the file cannot be read; check its permissions and its disk")


class NoRegularFile(InvalidInput):
    """A pipe, a socket or a device."""

    def __init__(self) -> None:
        super().__init__("the path is a pipe, a socket or a device, and no file; copy what it gives into a file first")


class NotWritable(TristreamError):
    """The output folder takes no files. Ends the run: no later file would fare better."""

    def __init__(self) -> None:
        super().__init__("the output folder cannot be written to; check its permissions and the free space of its disk")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: a copy, or an error."""

    source: Path
    copy: Copy | None
    error: InvalidInput | None = None


@dataclass(slots=True)
class Summary:
    """Counts of a run."""

    files: int = 0
    copied: int = 0
    refused: int = 0
    attributes: int = 0


def pseudonyms_of(settings: Settings) -> Pseudonyms:
    """Pseudonyms under a key of their own, derived from the identity key: neither tells anything of the other."""
    return Pseudonyms(hmac.new(settings.secret, _LABEL, hashlib.sha256).digest())


@dataclass(frozen=True, slots=True)
class Masking:
    """How text burned into pixels is masked: as the pipeline does it.

    Args:
        policy: for what is uncertain, or lies over a region that the source marks.
        annotations: folder, or URL of a bucket, of objects that mark regions of the files; None: only what lies beside
            a file does.
        limits: that each object is held to.
    """

    policy: BurnedInPolicy = _MASK
    annotations: str | None = None
    limits: Limits = DEFAULT_LIMITS

    def cleaner(self) -> Callable[[Path], CleanPixels]:
        """What masks the text of a file.

        Raises:
            Unavailable: the place of the annotations does not answer.
        """
        given = marks_in(self.annotations, self.limits) if self.annotations is not None else {}

        def of(file: Path) -> CleanPixels:
            def marks(source: Source) -> Source:
                source = described_by(_companions(file), source, self.limits)
                names = source.instance.names if source.instance is not None else frozenset[str]()
                found = dict.fromkeys(reference for name in sorted(names) for reference in given.get(name, ()))
                return marked(source, [bucket_of(one).get(one) for one in found], self.limits)

            return partial(CLEAN_PIXELS, policy=self.policy, marks=marks)

        return of


_MASKING = Masking()


def masking_of(settings: Settings) -> Masking:
    """As preprocess masks text under these settings.

    Raises:
        BadSetting: a policy that cannot be read.
    """
    try:
        return Masking(BurnedInPolicy.parse(settings.burned_in), settings.annotations, settings.limits)
    except ValueError as error:
        raise BadSetting(f"TRISTREAM_BURNED_IN: {error}") from None


def files_to_copy(
    paths: Iterable[Path], out: Path, selection: Selection = EVERYTHING, passed_by: Tally = lambda _: None
) -> list[Path]:
    """The files of files and folders as `find_files` finds them, without what lies below `out`."""
    own = out.absolute()
    return [file for file in find_files(paths, selection, passed_by) if own not in file.parents]


def deidentify(
    files: Sequence[Path],
    out: Path,
    pseudonyms: Pseudonyms,
    policy: Policy,
    *,
    tell: Callable[[int, int], None],
    masking: Masking | None = _MASKING,
) -> Iterator[Outcome]:
    """De-identify files into `out`/study/series/instance.dcm, one outcome a file.

    A file that is there already and is the same counts as copied, so that an interrupted run can be repeated.

    Args:
        files: as `files_to_copy` finds them.
        out: made where missing.
        pseudonyms: replacements for UIDs and patients.
        policy: options of the profile.
        tell: called before each file with the number of files done, and of all.
        masking: how text in pixels is masked; None: pixels are copied unseen.

    Raises:
        NotWritable: the output cannot be written.
        Unavailable: the place of the annotations does not answer.
    """
    cleaner = masking.cleaner() if masking is not None else None
    for done, file in enumerate(files):
        tell(done, len(files))
        try:
            clean = cleaner(file) if cleaner is not None else None
            copy = deidentify_file(_read(file), pseudonyms, policy, clean_pixels=clean)
            _place(copy, out)
        except InvalidInput as error:
            yield Outcome(file, None, error)
        else:
            yield Outcome(file, copy)
    tell(len(files), len(files))


def _read(file: Path) -> bytes:
    try:
        # Opening a pipe waits for who writes into it; one opened this way does not, and is no regular file.
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise NoRegularFile
            return opened.read()
    except OSError:
        raise Unreadable from None


def _companions(file: Path) -> dict[str, bytes]:
    try:
        return companions_read(file)
    except (OSError, ValueError):
        raise Unreadable from None


def _place(copy: Copy, out: Path) -> None:
    """Write a copy where its UIDs say: whole or not at all, and never over another file."""
    folder = out / (copy.study or "no-study") / (copy.series or "no-series")
    target, part = folder / f"{copy.instance}.dcm", folder / f".{copy.instance}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            try:
                with part.open("wb") as file:
                    file.write(copy.data)
                    file.flush()
                    os.fsync(file.fileno())
                # link, not rename: a rename would replace what another process has put there meanwhile.
                try:
                    os.link(part, target)
                except FileExistsError:
                    pass
                except OSError:
                    # Some network and memory-card file systems have no links.
                    part.replace(target)
            finally:
                part.unlink(missing_ok=True)
        if target.read_bytes() != copy.data:
            raise Occupied
    except OSError:
        raise NotWritable from None


@contextmanager
def whole(path: Path) -> Generator[TextIO]:
    """A file that appears under its name when it is whole, in place of a link that lies there and never through it."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "w", newline="") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


class Report:
    """What was done to each file, by its new SOP Instance UID, and the errors of those refused. No values, no names.

    Args:
        path: JSON, or CSV by its extension; None: nothing is written.
        map_: CSV that puts file names beside new UIDs: for who may know both; None: not written.
        pixels: what the run was told to do with them.
    """

    def __init__(self, path: Path | None, map_: Path | None, pixels: Pixels = "clean") -> None:
        self.summary = Summary()
        self.passed_by: Counter[Reason] = Counter()
        self._pixels = pixels
        self._path = path
        self._map = map_
        self._copies: list[dict[str, object]] = []
        self._errors: Counter[tuple[str, str]] = Counter()
        self._sources: list[tuple[Path, str]] = []

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        self.summary.files += 1
        if outcome.error is not None:
            self.summary.refused += 1
            self._errors[type(outcome.error).__name__, str(outcome.error)] += 1
            self._sources.append((outcome.source, type(outcome.error).__name__))
        elif outcome.copy is not None:
            self.summary.copied += 1
            self.summary.attributes += len(outcome.copy.actions)
            self._copies.append(
                {"id": outcome.copy.instance, "actions": outcome.copy.actions, "pixels": outcome.copy.masked}
            )
            self._sources.append((outcome.source, outcome.copy.instance))

    @property
    def errors(self) -> list[tuple[str, str, int]]:
        """Class, message and number of files of each error."""
        return [(*error, count) for error, count in self._errors.most_common()]

    def write(self) -> None:
        """Write the files asked for."""
        if self._map is not None:
            with whole(self._map) as file:
                csv.writer(file).writerows([("path", "outcome"), *self._sources])
        if self._path is None:
            return
        if self._path.suffix.lower() == ".csv":
            with whole(self._path) as file:
                writer = csv.writer(file)
                writer.writerow(("id", "tag", "action"))
                for copy in self._copies:
                    actions: object = copy["actions"]
                    assert isinstance(actions, dict)
                    writer.writerows((copy["id"], tag, action) for tag, action in actions.items())
        else:
            refused = [{"error": name, "message": text, "files": count} for name, text, count in self.errors]
            body = {
                "pixels": self._pixels,
                "summary": self.summary,
                "passed_by": by_reason(self.passed_by),
                "copied": self._copies,
                "refused": refused,
            }
            with whole(self._path) as file:
                file.write(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())
