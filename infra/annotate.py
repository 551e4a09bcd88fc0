"""annotate: run files through the pipeline until each is accounted for. Talks to the pipeline over Kafka alone."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.settings import Settings
from infra.accounting import Accounts, Summary
from infra.announce import announce
from models.imaging.given.kinds import HEAD, looks_like
from schemas.objects import ObjectReference
from streams.buckets.folder import everything_below, is_folder, objects_among, reference_to
from streams.payloads import Payloads
from streams.reader import read
from streams.topics import DEAD_LETTERS, TRIPLETS


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the results go."""

    triplets: Path
    dead_letters: Path | None = None
    map: Path | None = None


def find_files(paths: Iterable[Path]) -> list[Path]:
    """All files of the paths, folders taken with all below them, each once, in a stable order.

    With what the system does not let be read: that fails by itself, when it is. Without the files that only describe
    others among them (see streams.buckets.companions).
    """
    found: dict[Path, None] = {}
    for path in paths:
        if is_folder(path):
            found.update((file.absolute(), None) for file in sorted(everything_below(path)))
        else:
            found[path.absolute()] = None
    return objects_among(found)


def images_among(files: Sequence[Path], annotations: Path) -> list[Path]:
    """The files without the annotation objects in a folder that the pipeline takes them from."""
    folder = annotations.resolve()
    return [path for path in files if not (path.resolve().is_relative_to(folder) and _marks_others(path))]


def _marks_others(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return looks_like(file.read(HEAD)) is not None
    except OSError:
        return False


def annotate(
    files: Sequence[Path],
    outputs: Outputs,
    settings: Settings,
    *,
    poll: Callable[[], None] = lambda: None,
    progress: Callable[[Accounts], None] = lambda _: None,
) -> tuple[Summary, bool]:
    """Send files through a running pipeline and collect what comes of them.

    Args:
        files: absolute paths that the workers can read too.
        outputs: written even when interrupted, with what there is by then.
        settings: of the pipeline.
        poll: called several times a second; may raise to end the run.
        progress: told after every change.

    Returns:
        The summary, and True if every file is accounted for.

    Raises:
        Unavailable: Kafka does not answer.
    """
    started = time.monotonic()
    references: dict[str, tuple[Path, ObjectReference]] = {}
    for file in files:
        reference = reference_to(file, Path(file.anchor))
        references[settings.identity.object_id(reference)] = (file, reference)
        poll()

    def announce_rest(object_ids: list[str]) -> None:
        announce(settings, (references[object_id][1] for object_id in object_ids))

    accounts = Accounts(references, outputs.triplets, outputs.dead_letters, payloads_of(settings))
    try:
        collect(accounts, settings, poll=poll, progress=progress, when_known=announce_rest)
    finally:
        accounts.close()
        if outputs.map is not None:
            accounts.write_map(outputs.map, ((file, object_id) for object_id, (file, _) in references.items()))
    return accounts.summary(time.monotonic() - started), not accounts.unfinished


def collect(
    accounts: Accounts,
    settings: Settings,
    *,
    poll: Callable[[], None],
    progress: Callable[[Accounts], None],
    when_known: Callable[[list[str]], None] = lambda _: None,
) -> None:
    """Read outcomes until every object of the accounts is finished.

    Args:
        accounts: filled.
        settings: of the pipeline.
        poll: called several times a second; may raise to end the wait.
        progress: told after every message, and when none came.
        when_known: called once, with the unfinished objects, when all outcomes of earlier runs have been read.

    Raises:
        Unavailable: Kafka does not answer.
    """
    known = False
    for record in read(settings.wires, [TRIPLETS, DEAD_LETTERS], follow=True, idle=0.1):
        poll()
        if record is not None and record.message is not None:
            accounts.add(record.message)
        elif record is None and not known:
            when_known(accounts.unfinished)
            known = True
        progress(accounts)
        if accounts.complete:
            return


def payloads_of(settings: Settings) -> Payloads:
    """The payload store of a pipeline."""
    return Payloads(settings.wires.payload_url, settings.wires.inline_limit)
