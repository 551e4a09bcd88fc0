"""annotate: run files through all stages until each is accounted for, in its own processes or in a running pipeline.

What each way shares stands here; infra/jobs.py knows the processes, infra/collect.py the topics.
"""

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import psutil

from agents.settings import Settings
from infra.accounting import Accounts
from infra.exports import CannotWrite, export_to
from infra.jobs import MOST_RUN, Jobs
from infra.results import Result
from schemas.objects import ObjectReference
from streams.buckets.beside import objects_among
from streams.buckets.companions import DEFAULTS
from streams.buckets.references import reference_to
from streams.buckets.selection import EVERYTHING, Reason, Selection, Tally
from streams.buckets.walking import everything_below, hidden_folders, is_folder

PROCESS_BYTES = 2**30
"""Memory that one process and its decoder are reckoned to need: see docs/annotate.md."""
FEW = 20
"""Files of a hidden folder that are looked at: it may hold all that there was before."""
RUNS_EACH = 4
"""Runs of objects for each process, at least: so that all end at about the same time."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the results go.

    Args:
        triplets: a file, or `-`.
        dead_letters: a file; None: they are counted only.
        map: a file; None: it is not written.
        image: whether triplets are written with their pixels.
        resume: whether what earlier runs wrote is gone on with.
    """

    triplets: Path
    dead_letters: Path | None = None
    map: Path | None = None
    image: bool = True
    resume: bool = False


Way = Callable[[Accounts, Iterator[ObjectReference]], Iterator[Result]]
"""How outcomes come of objects: those of all, in any order; objects are taken as there is room."""


def find_files(
    paths: Iterable[Path], selection: Selection = EVERYTHING, passed_by: Tally = lambda _: None
) -> list[Path]:
    """All files of the paths, folders taken with all below them, each once, in a stable order.

    With what the system does not let be read: that fails by itself, when it is. Without the files that only describe
    others among them, and without those of folders that are hidden or known to go along with images (see
    streams.buckets.selection).

    Args:
        paths: files and folders.
        selection: which files are taken, by their paths below the folder that was named; of others, by their names.
        passed_by: told how many files are not among them, for each reason.
    """
    passed: Counter[Reason] = Counter()
    found: dict[Path, str] = {}
    for path in paths:
        top = _plain(path)
        if is_folder(path):
            for file in sorted(everything_below(path, lambda reason: passed.update([reason]))):
                below = file.relative_to(path)
                found.setdefault(top / below, below.as_posix())
        else:
            found.setdefault(top, path.name)
    objects = objects_among(found)
    kept = [file for file in objects if selection.takes(found[file])]
    passed["companion"], passed["left out"] = len(found) - len(objects), len(objects) - len(kept)
    passed_by(passed)
    return kept


def _plain(path: Path) -> Path:
    """The full path, without `..` where that leads to the same place: `a/link/..` need not be `a`."""
    full = path.absolute()
    plain = Path(os.path.normpath(full))
    try:
        return plain if ".." in full.parts and plain.samefile(full) else full
    except OSError:
        return full


def idle_defaults(paths: Iterable[Path], files: Iterable[Path]) -> int:
    """How many `_defaults.json` say nothing of any file: they hold for those beside them, not for those below."""
    beside = {file.parent for file in files}
    tops = {path.absolute() for path in paths}
    above = {one for folder in beside for one in folder.parents if tops & {one, *one.parents}}
    return sum((folder / DEFAULTS).is_file() for folder in above - beside)


def images_among(files: Sequence[Path], annotations: Path) -> list[Path]:
    """The files without the annotation objects in a folder that the chain takes them from."""
    folder = annotations.resolve()
    return [path for path in files if not (path.resolve().is_relative_to(folder) and _marks_others(path))]


def passed_marks(annotations: Path) -> list[Path]:
    """Hidden folders below one that annotations are taken from, in which some lie: they are passed by there."""
    return [folder for folder in hidden_folders(annotations) if any(map(_marks_others, _first_files(folder)))]


def _first_files(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from islice((path for path in folder.iterdir() if path.is_file()), FEW)


def _marks_others(path: Path) -> bool:
    from models.imaging.given.kinds import HEAD, looks_like

    try:
        with path.open("rb") as file:
            return looks_like(file.read(HEAD)) is not None
    except OSError:
        return False


def annotate(
    files: Sequence[Path],
    outputs: Outputs,
    settings: Settings,
    way: Way,
    *,
    limit: int | None = None,
    progress: Callable[[Accounts], None] = lambda _: None,
) -> Accounts:
    """Run files through the chain, and write what comes of them.

    Whatever breaks it off, what is written stays in `.part` files, and `outputs.resume` goes on from there.

    Args:
        files: absolute paths.
        outputs: where results go.
        settings: whose identity names the files.
        way: how outcomes come of objects.
        limit: files that are annotated at most, beyond those that earlier runs have done; None: all.
        progress: told after every change.

    Raises:
        CannotWrite, NotResults: the outputs cannot be begun, or gone on with.
        TristreamError: as `way` does.
    """
    begin, identity = "resume" if outputs.resume else "new", settings.identity
    triplets = export_to(outputs.triplets, begin=begin)
    try:
        letters = export_to(outputs.dead_letters, begin=begin) if outputs.dead_letters is not None else None
    except CannotWrite:
        triplets.close()
        raise
    accounts = Accounts(triplets, letters)
    named: list[tuple[Path, str]] = []

    def left() -> Iterator[ObjectReference]:
        taken = 0
        for file in files:
            reference = reference_to(file, Path(file.anchor), settings.limits.file_bytes)
            object_id = identity.object_id(reference)
            if not accounts.is_annotated(object_id):
                if taken == limit:
                    return
                taken += 1
            named.append((file, object_id))
            accounts.expect(object_id, identity.file_id(reference))
            progress(accounts)
            if not accounts.is_annotated(object_id):
                yield reference

    try:
        if outputs.resume:
            accounts.recall()
        for result in way(accounts, left()):
            accounts.add(result)
            progress(accounts)
        accounts.finish()
    finally:
        accounts.close()
    if outputs.map is not None:
        accounts.write_map(outputs.map, named)
    return accounts


def in_processes(
    settings: Settings,
    jobs: int | None,
    files: int,
    *,
    image: bool = True,
    poll: Callable[[], None] = lambda: None,
    say: Callable[[str], None] = lambda _: None,
) -> Way:
    """The way of objects through chains in processes of this command's own.

    Args:
        settings: of the stages.
        jobs: processes; None: as many as there are cores, and memory for.
        files: objects that may come.
        image: whether triplets are to have their pixels.
        poll: called several times a second; may raise to end the work.
        say: told what is waited for.
    """
    processes = min(jobs or _processes(), max(1, files))
    run = max(1, min(MOST_RUN, files // (processes * RUNS_EACH)))

    def way(accounts: Accounts, references: Iterator[ObjectReference]) -> Iterator[Result]:
        first = next(references, None)
        if first is not None:
            with Jobs(settings, processes, run=run, image=image) as started:
                yield from started.annotate(chain([first], references), poll=poll, say=say)

    return way


def _processes() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, psutil.virtual_memory().available // PROCESS_BYTES))
