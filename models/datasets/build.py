"""Triplets in, a data set out: read once to see what there is, decided, and read again to be written."""

import gc
import hashlib
import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from models.datasets.cards import INDEX, UNTOLD, lineage_digest, write_card
from models.datasets.conversations import SPLITS
from models.datasets.first_reading import look
from models.datasets.formats import FORMATS, Example, JsonObject, Writer
from models.datasets.instructions import Mixer
from models.datasets.kept import GROUPS, Kept
from models.datasets.lines import Deleted, Read, authors_of
from models.datasets.policy import Policy
from models.datasets.report import Report
from models.datasets.scan import Scan
from models.datasets.soundness import Flawed, sound_picture
from schemas.base import Provenance
from schemas.failures import InvalidInput

REPORT = "dataset.json"
PROOF = "splits.json"
"""How many images and groups each split has, and that no group stands in two: counted in what was written."""
_SCAN = ".scan"
HITS = "evaluation_hits.jsonl"
"""Which triplets were left out for being near which pictures of evaluation sets."""


class CannotBuild(InvalidInput):
    """Nothing can be built of what was given; the message says what to do."""


def build(
    read: Read,
    out: Path,
    formats: Iterable[str],
    policy: Policy,
    *,
    evaluation: Mapping[str, Iterable[tuple[str, bytes]]] | None = None,
    kept: Kept | None = None,
    source: Callable[[], Mapping[str, Any]] = dict,
    makers: Mapping[str, Callable[[Path], Writer]] = FORMATS,
    progress: Callable[[int], None] = lambda n: None,
) -> Report:
    """Write a data set into a new folder, which is there only when it is whole.

    Args:
        read: the triplets.
        out: the folder; it must not exist, or be empty.
        formats: of FORMATS.
        policy: what is taken and how it is split.
        evaluation: file names and encoded pictures of sets that one will evaluate on, by name: what is near one of
            them is left out, and listed.
        kept: an earlier data set, whose groups and images keep their split.
        source: of the triplets, for the card: files, or topic and offsets; asked when all have been read.
        makers: of the formats, by name.
        progress: told how many triplets were read, over both readings.

    Raises:
        CannotBuild: the folder holds something, or no triplet was taken.
        BadLine: a line is no triplet.
        BadPicture: one of an evaluation set cannot be read.
    """
    if out.exists() and any(out.iterdir()):
        raise CannotBuild("the folder for the data set is not empty: name another one")
    part = out.with_name(out.name + ".part")
    if part.exists() and not (part / _SCAN).exists():
        raise CannotBuild("beside the folder for the data set lies one of its name and '.part', which is none of ours")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        report = _made(read, part, tuple(formats), policy, evaluation or {}, kept or Kept(), source, makers, progress)
    except BaseException:
        shutil.rmtree(part)
        raise
    (part / _SCAN).unlink()
    if out.exists():
        out.rmdir()
    part.rename(out)
    return report


def _made(
    read: Read,
    folder: Path,
    formats: tuple[str, ...],
    policy: Policy,
    evaluation: Mapping[str, Iterable[tuple[str, bytes]]],
    kept: Kept,
    source: Callable[[], Mapping[str, Any]],
    makers: Mapping[str, Callable[[Path], Writer]],
    progress: Callable[[int], None],
) -> Report:
    report = Report(formats=formats, policy=_plain(policy))
    with _few_collections(), Scan(folder / _SCAN) as scan:
        looked = look(read, scan, policy, evaluation, kept.images, folder / HITS, progress)
        report.triplets, report.unpacked, report.joined_groups = looked.triplets, looked.unpacked, looked.joined
        report.alike_groups, report.without_vector = looked.alike, looked.without
        report.evaluation = scan.evaluation()
        policy.thin(scan)
        scan.groups.divide(policy.shares, policy.key, kept.groups)
        _write(read, scan, folder, policy, report, makers, progress)
        report.groups, report.group_levels = scan.groups_written(), scan.levels()
        report.left_out = scan.reasons()
        report.source = dict(source())
        if not sum(report.images.values()):
            told = "; ".join(f"{n} {reason}" for reason, n in report.left_out.items()) or "none were given"
            raise CannotBuild(f"no triplet was taken: {told}")
        _write_groups(folder / GROUPS, scan)
        torn, twice = scan.torn()
    proof = {"images": report.images, "groups": report.groups, "groups_in_two_splits": torn, "images_twice": twice}
    (folder / PROOF).write_text(json.dumps(proof, indent=1) + "\n", encoding="utf-8")
    (folder / REPORT).write_text(json.dumps(asdict(report), indent=1) + "\n", encoding="utf-8")
    write_card(folder, report)
    return report


def _write_groups(path: Path, scan: Scan) -> None:
    groups = JsonObject(path)
    for name, split in scan.groups.splits():
        groups.add(name, split)
    groups.close()


@contextmanager
def _few_collections() -> Generator[None]:
    """A triplet is some thousand objects and no cycle: a look for cycles every 700 takes a tenth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, *before[1:])
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def _plain(policy: Policy) -> dict[str, Any]:
    found = asdict(policy)
    # Whoever knows the key can tell which split a patient of theirs is in.
    found["key"] = hashlib.sha256(policy.key.encode()).hexdigest()[:16]
    found["kinds"] = sorted(policy.kinds)
    found["questions"] = sorted(policy.questions) if policy.questions is not None else None
    return found


def _write(
    read: Read,
    scan: Scan,
    folder: Path,
    policy: Policy,
    report: Report,
    makers: Mapping[str, Callable[[Path], Writer]],
    progress: Callable[[int], None],
) -> None:
    mixer = Mixer(policy.turns, policy.questions, unproven=policy.unproven, shown=scan.shown())
    images: Counter[str] = Counter()
    organs: Counter[str] = Counter()
    diseases: Counter[str] = Counter()
    lineages: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    licences: Counter[str] = Counter()
    authors: Counter[str] = Counter()
    modalities: defaultdict[str, Counter[str]] = defaultdict(Counter)
    with ExitStack() as files:
        index = files.enter_context((folder / INDEX).open("w", encoding="utf-8"))
        writers: list[Writer] = []
        for name in report.formats:
            writers.append(makers[name](folder / name))
            files.callback(writers[-1].close)
        triplets = (item for item in read() if not isinstance(item, Deleted))
        for number, item in enumerate(triplets, start=1):
            progress(report.triplets + number)
            triplet = item.triplet()
            seen = scan.one(triplet.triplet_id)
            if seen is None or seen.reason or seen.at != (item.at or number):
                continue
            split = scan.groups.split_of(seen.group)
            try:
                png = sound_picture(triplet)
            except Flawed as flaw:
                scan.leave_out(triplet.triplet_id, str(flaw))
                continue
            if not scan.write_once(triplet.triplet_id, split):
                continue
            example = Example(split, triplet, png, mixer.conversation(triplet))
            for writer in writers:
                writer.write(example)
            images[split] += 1
            metadata = triplet.metadata
            modalities[metadata.modality][split] += 1
            organs[metadata.organ or UNTOLD] += 1
            diseases[metadata.disease or UNTOLD] += 1
            provenance = triplet.provenance or Provenance()
            sources[provenance.source or UNTOLD] += 1
            licences[provenance.licence or UNTOLD] += 1
            versions = triplet.lineage.model_dump_json(exclude={"metadata_digest"})
            lineages[versions] += 1
            by = ", ".join(sorted(authors_of(triplet)))
            authors[by] += 1
            entry = {
                "triplet_id": seen.triplet_id, "image_id": seen.image_id, "group": seen.group, "split": split,
                "hash": f"{seen.hash:064x}", "modality": metadata.modality, "source": provenance.source or "",
                "licence": provenance.licence or "", "lineage": lineage_digest(versions),
                "authors": by,
            }  # fmt: skip
            index.write(json.dumps(entry) + "\n")
    report.images = {split: images[split] for split in SPLITS}
    report.modalities = {name: dict(counts) for name, counts in sorted(modalities.items())}
    report.organs, report.diseases = dict(organs.most_common()), dict(diseases.most_common())
    report.sources, report.licences = dict(sources.most_common()), dict(licences.most_common())
    report.lineages, report.authors = dict(lineages.most_common()), dict(authors.most_common())
    report.turns = {kind: mixer.taken[kind] for kind in sorted(mixer.taken)}
    for (kind, answer), n in sorted(mixer.closed.items()):
        report.closed.setdefault(kind, {})[answer] = n
