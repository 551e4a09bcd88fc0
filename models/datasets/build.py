"""Triplets in, a data set out: read once to see what there is, decided, and read again to be written."""

import gc
import hashlib
import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pybase64

from models.datasets.cards import INDEX, lineage_digest, write_card
from models.datasets.conversations import SPLITS, Split
from models.datasets.duplicates import hash_of_file, perceptual_hash
from models.datasets.formats import FORMATS, Example, Writer
from models.datasets.instructions import Mixer
from models.datasets.lines import Deleted, Read
from models.datasets.origin import origin_of
from models.datasets.policy import Policy
from models.datasets.scan import SAME, Scan, Seen
from models.datasets.splits import Group, assign, by_split, strictest
from models.imaging import from_pixels
from schemas.base import Provenance
from schemas.failures import InvalidInput
from schemas.images import Pixels
from schemas.triplets import Triplet

GROUPS, REPORT = "groups.json", "dataset.json"
HITS = "evaluation_hits.jsonl"
"""Which triplets were left out for being near which pictures of evaluation sets."""


class CannotBuild(InvalidInput):
    """Nothing can be built of what was given; the message says what to do."""


@dataclass
class Report:
    """What a data set is made of, for its card and for a person."""

    triplets: int = 0
    images: dict[str, int] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    group_levels: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    joined_groups: int = 0
    modalities: dict[str, dict[str, int]] = field(default_factory=dict)
    organs: dict[str, int] = field(default_factory=dict)
    diseases: dict[str, int] = field(default_factory=dict)
    turns: dict[str, int] = field(default_factory=dict)
    closed: dict[str, dict[str, int]] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    licences: dict[str, int] = field(default_factory=dict)
    lineages: dict[str, int] = field(default_factory=dict)
    evaluation: dict[str, int] = field(default_factory=dict)
    formats: tuple[str, ...] = ()
    policy: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)


def build(
    read: Read,
    out: Path,
    formats: Iterable[str],
    policy: Policy,
    *,
    evaluation: Mapping[str, Iterable[tuple[str, bytes]]] | None = None,
    kept: Mapping[str, Split] | None = None,
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
        kept: splits of groups in an earlier data set, which they keep.
        source: of the triplets, for the card: files, or topic and offsets; asked when all have been read.
        makers: of the formats, by name.
        progress: told how many triplets were read, over both readings.

    Raises:
        CannotBuild: the folder holds something, or no triplet was taken.
    """
    if out.exists() and any(out.iterdir()):
        raise CannotBuild("the folder for the data set is not empty: name another one")
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    report = Report(formats=tuple(formats), policy=_plain(policy))
    with _few_collections(), Scan(part / ".scan") as scan:
        _look(read, scan, policy, evaluation or {}, part / HITS, report, progress)
        policy.thin(scan)
        splits = _split(scan, policy, kept or {}, report)
        _write(read, scan, splits, part, policy, report, makers, progress)
        report.left_out = scan.reasons()
        report.source = dict(source())
    if not sum(report.images.values()):
        shutil.rmtree(part)
        told = "; ".join(f"{n} {reason}" for reason, n in report.left_out.items()) or "none were given"
        raise CannotBuild(f"no triplet was taken: {told}")
    (part / ".scan").unlink()
    (part / GROUPS).write_text(json.dumps(splits, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    (part / REPORT).write_text(json.dumps(asdict(report), indent=1) + "\n", encoding="utf-8")
    write_card(part, report)
    if out.exists():
        out.rmdir()
    part.rename(out)
    return report


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


def _look(
    read: Read,
    scan: Scan,
    policy: Policy,
    evaluation: Mapping[str, Iterable[tuple[str, bytes]]],
    hits: Path,
    report: Report,
    progress: Callable[[int], None],
) -> None:
    for name, pictures in evaluation.items():
        report.evaluation[name] = 0
        for file, picture in pictures:
            scan.add_evaluation(name, file, hash_of_file(picture))
            report.evaluation[name] += 1
    together = _Together()
    for given in read():
        if isinstance(given, Deleted):
            if (heir := scan.delete(given.triplet_id)) is not None:
                for _, group in scan.near(heir.hash, policy.near):
                    together.join(heir.group, group)
            continue
        report.triplets += 1
        progress(report.triplets)
        one = given.glance()
        origin = origin_of(one)
        reason = policy.refuses(one)
        value = 0
        if not reason:
            value = perceptual_hash(_shown(one.image))
            if scan.has_image(one.image_id):
                reason = SAME
            elif near := sorted(set(scan.near_evaluation(value, policy.near))):
                reason = f"near an image of {', '.join(sorted({name for name, _ in near}))}"
                _list_hits(hits, one.triplet_id, near)
        if not reason:
            for _, group in scan.near(value, policy.near):
                together.join(origin.group, group)
        scan.add(
            Seen(
                one.triplet_id,
                one.image_id,
                origin.group,
                origin.series,
                one.modality,
                one.disease,
                origin.given,
                value,
                reason,
                origin.level,
            )
        )
    report.joined_groups = together.joined
    scan.regroup(together.name, together.members())


def _list_hits(path: Path, triplet_id: str, near: Iterable[tuple[str, str]]) -> None:
    with path.open("a", encoding="utf-8") as file:
        for name, picture in near:
            file.write(json.dumps({"triplet_id": triplet_id, "set": name, "file": picture}) + "\n")


class _Together:
    """Groups that near duplicates join: a forest in which each tree has one name."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}
        self.joined = 0

    def name(self, group: str) -> str:
        """The name of the tree that a group stands in."""
        while (above := self._above.get(group, group)) != group:
            self._above[group] = self._above.get(above, above)
            group = above
        return group

    def join(self, one: str, other: str) -> None:
        """Make two groups one."""
        first, second = sorted((self.name(one), self.name(other)))
        if first != second:
            self._above[second] = first
            self.joined += 1

    def members(self) -> tuple[str, ...]:
        """Every group that has got another name."""
        return tuple(self._above)


def _split(scan: Scan, policy: Policy, kept: Mapping[str, Split], report: Report) -> dict[str, Split]:
    images: Counter[str] = Counter()
    levels: Counter[str] = Counter()
    strata: defaultdict[str, Counter[str]] = defaultdict(Counter)
    given: defaultdict[str, set[Split]] = defaultdict(set)
    for seen in scan.taken():
        images[seen.group] += 1
        levels[seen.level] += 1
        strata[seen.group][seen.stratum] += 1
        if seen.given is not None:
            given[seen.group].add(seen.given)
    report.group_levels = dict(levels)
    groups = (
        Group(key, strata[key].most_common(1)[0][0], n, strictest(given[key]) if key in given else None)
        for key, n in images.items()
    )
    splits = assign(groups, policy.shares, policy.key, kept)
    report.groups = {**by_split(splits)}
    return splits


def _write(
    read: Read,
    scan: Scan,
    splits: Mapping[str, Split],
    folder: Path,
    policy: Policy,
    report: Report,
    makers: Mapping[str, Callable[[Path], Writer]],
    progress: Callable[[int], None],
) -> None:
    mixer = Mixer(policy.turns, policy.questions)
    images: Counter[str] = Counter()
    organs: Counter[str] = Counter()
    diseases: Counter[str] = Counter()
    lineages: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    licences: Counter[str] = Counter()
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
            if seen is None or seen.reason or not scan.write_once(triplet.triplet_id):
                continue
            split = splits[seen.group]
            example = Example(split, triplet, picture_of(triplet), mixer.conversation(triplet))
            for writer in writers:
                writer.write(example)
            images[split] += 1
            metadata = triplet.metadata
            modalities[metadata.modality][split] += 1
            organs[metadata.organ or "not told"] += 1
            diseases[metadata.disease or "not told"] += 1
            provenance = triplet.provenance or Provenance()
            sources[provenance.source or "not told"] += 1
            licences[provenance.licence or "not told"] += 1
            versions = triplet.lineage.model_dump_json(exclude={"metadata_digest"})
            lineages[versions] += 1
            entry = {
                "triplet_id": seen.triplet_id, "image_id": seen.image_id, "group": seen.group, "split": split,
                "hash": f"{seen.hash:064x}", "modality": metadata.modality, "source": provenance.source or "",
                "licence": provenance.licence or "", "lineage": lineage_digest(versions),
            }  # fmt: skip
            index.write(json.dumps(entry) + "\n")
    report.images = {split: images[split] for split in SPLITS}
    report.modalities = {name: dict(counts) for name, counts in sorted(modalities.items())}
    report.organs, report.diseases = dict(organs.most_common()), dict(diseases.most_common())
    report.sources, report.licences = dict(sources.most_common()), dict(licences.most_common())
    report.lineages = dict(lineages.most_common())
    report.turns = {kind: mixer.taken[kind] for kind in sorted(mixer.taken)}
    for (kind, answer), n in sorted(mixer.closed.items()):
        report.closed.setdefault(kind, {})[answer] = n


def _shown(image: Pixels) -> npt.NDArray[np.uint8]:
    stored = from_pixels(image)
    return (stored if stored.dtype == np.uint8 else stored >> 8).astype(np.uint8, copy=False)


def picture_of(triplet: Triplet) -> bytes:
    """The PNG of a triplet whose picture travels with it."""
    return pybase64.b64decode(triplet.image.data or "", validate=True)
