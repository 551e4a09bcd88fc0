"""A finished data set held against its own promises, from what is written and not from what was meant."""

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.datasets.build import PROOF, REPORT
from models.datasets.cards import ENCODINGS, INDEX, UNTOLD, lineage_digest
from models.datasets.conversations import SPLITS
from models.datasets.evaluation import decoded_of
from models.datasets.instructions.mixing import MOST_AHEAD
from models.datasets.kept import GROUPS
from models.datasets.ledger import Ledger
from models.datasets.licences import Licences
from models.datasets.scan import Scan, Seen
from models.datasets.written import closed_answers, pictures, rows
from models.imaging.perceptual import perceptual_hash
from schemas.failures import InvalidInput

MOST_LISTED = 20
"""Faults of one sort that are told one by one."""


class NoDataset(InvalidInput):
    """The folder holds no data set of ours."""


@dataclass
class Audit:
    """What was found. `faults` are broken promises, in words; `counts` what was looked at."""

    faults: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    listed: list[str] = field(default_factory=list)
    """Each picture that is near one of an evaluation set."""


def audit(folder: Path, evaluation: Mapping[str, Iterable[tuple[str, bytes]]] | None = None) -> Audit:
    """Read a data set again: files against hashes, groups and near duplicates over splits, licences, balance, counts.

    Args:
        folder: as `build` writes it.
        evaluation: file names and pictures of sets that one will evaluate on, by name.

    Raises:
        NoDataset: there is none in the folder.
    """
    ledger_path, scan_path = (folder.with_name(f".{folder.name}.{name}") for name in ("audited", "audit"))
    found = Audit()
    try:
        report: dict[str, Any] = json.loads((folder / REPORT).read_bytes())
        proof: dict[str, Any] = json.loads((folder / PROOF).read_bytes())
        card: dict[str, Any] = json.loads((folder / "croissant.json").read_bytes())
        with Ledger(ledger_path, folder / INDEX, folder / GROUPS) as ledger:
            _files(folder, card, found)
            _groups(ledger, report, proof, found)
            _sources(ledger, report, found)
            _answers(folder, report, found)
            _rows(folder, ledger, found)
            with Scan(scan_path) as scan:
                _pictures(folder, ledger, scan, report, evaluation or {}, found)
    except FileNotFoundError as error:
        raise NoDataset(f"the folder holds no data set: {Path(error.filename).name} is not there") from None
    except ValueError as error:
        raise NoDataset(f"a file of the data set is damaged: {error}") from None
    finally:
        ledger_path.unlink(missing_ok=True)
        scan_path.unlink(missing_ok=True)
    return found


def _some(faults: Iterable[str], found: Audit) -> None:
    """Faults of one sort: the first few, and how many there are."""
    faults = iter(faults)
    found.faults += itertools.islice(faults, MOST_LISTED)
    if more := sum(1 for _ in faults):
        found.faults.append(f"and {more} more of these")


def _files(folder: Path, card: dict[str, Any], found: Audit) -> None:
    for file in card["distribution"]:
        path = folder / file["contentUrl"]
        if not path.is_file():
            found.faults.append(f"{file['name']} is not there")
            continue
        with path.open("rb") as content:
            if hashlib.file_digest(content, "sha256").hexdigest() != file["sha256"]:
                found.faults.append(f"{file['name']} is not what croissant.json says")
    told = {file["contentUrl"] for file in card["distribution"]} | {"croissant.json"}
    there = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix in ENCODINGS)
    _some((f"{name} is there, and croissant.json tells nothing of it" for name in sorted({*there} - told)), found)
    found.counts["files"] = len(card["distribution"])


def _groups(ledger: Ledger, report: dict[str, Any], proof: dict[str, Any], found: Audit) -> None:
    _some((f"image {image_id} is not in the split of its group" for image_id in ledger.misplaced()), found)
    torn, twice = ledger.torn, ledger.twice
    if torn:
        found.faults.append(f"{torn} groups stand in two splits")
    if twice:
        found.faults.append(f"{twice} images are there more than once")
    images, groups = ledger.count("split"), ledger.count("split", "distinct grp")
    if any(images[split] != report["images"].get(split, 0) for split in SPLITS):
        found.faults.append("the card's numbers of images are not those of the index")
    if proof != {
        "images": {split: images[split] for split in SPLITS},
        "groups": {split: groups[split] for split in SPLITS},
        "groups_in_two_splits": torn,
        "images_twice": twice,
    }:
        found.faults.append(f"{PROOF} is not what the index says")
    counted = {"images": ledger.images, "groups": ledger.groups, "groups in two splits": torn, "images twice": twice}
    found.counts |= counted


def _sources(ledger: Ledger, report: dict[str, Any], found: Audit) -> None:
    permitted = Licences(report["policy"]["licences"])
    refused = sum(n for licence, n in ledger.count("licence").items() if not permitted.permit(licence or None))
    if refused:
        found.faults.append(f"{refused} images are under licences that were not to be taken")
    for name in ("source", "licence"):
        counts = Counter({told or UNTOLD: n for told, n in ledger.count(name).items()})
        if counts != Counter(report[f"{name}s"]):
            found.faults.append(f"the card's counts by {name} are not those of the index")
        untold = counts.pop(UNTOLD, 0)
        found.counts[f"{name}s"] = len(counts)
        if untold:
            found.counts[f"images whose {name} is not told"] = untold
    if ledger.count("authors") != Counter(report["authors"]):
        found.faults.append("the card's counts by who wrote the text are not those of the index")
    made_by = ledger.count("lineage")
    if made_by != Counter({lineage_digest(versions): n for versions, n in report["lineages"].items()}):
        found.faults.append("the card's counts by lineage are not those of the index")
    found.counts["lineages"] = len(made_by)


def _answers(folder: Path, report: dict[str, Any], found: Audit) -> None:
    """Yes and no of each kind, as they are written, against the card and each other."""
    if "parquet" not in report["formats"]:
        return
    counts = closed_answers(folder)
    told = Counter({(kind, answer): n for kind, by in report["closed"].items() for answer, n in by.items()})
    if counts != told:
        found.faults.append("the card's counts of yes and no are not those of the conversations")
    for kind in {kind for kind, _ in counts}:
        if abs(counts[kind, "Yes"] - counts[kind, "No"]) > MOST_AHEAD:
            found.faults.append(f"yes and no of {kind} differ by more than {MOST_AHEAD}")
    found.counts["closed answers"] = counts.total()


def _rows(folder: Path, ledger: Ledger, found: Audit) -> None:
    """Rows of conversations that stand in files of their own, which no picture tells of."""

    def misplaced() -> Iterator[str]:
        for name, triplet_id, split in rows(folder):
            entry = ledger.entry(triplet_id)
            if entry is None or entry.split != split:
                yield f"a row of {split} in {name} is not in the index: {triplet_id}"

    _some(misplaced(), found)


def _pictures(
    folder: Path,
    ledger: Ledger,
    scan: Scan,
    report: dict[str, Any],
    evaluation: Mapping[str, Iterable[tuple[str, bytes]]],
    found: Audit,
) -> None:
    """Hash every picture that is written anew, so that another picture under a right name is seen."""
    near = int(report["policy"]["near"])
    across, evaluated, alike = 0, Counter[str](), 0
    for name, files in evaluation.items():
        for file, picture in decoded_of(name, files):
            scan.add_evaluation(name, file, picture)
    for name, triplet_id, split, picture in pictures(folder):
        entry = ledger.entry(triplet_id)
        if entry is None or entry.split != split:
            found.faults.append(f"a picture of {split} in {name} is not in the index: {triplet_id}")
            continue
        if picture is None:
            found.faults.append(f"the picture of {triplet_id} in {name} cannot be read")
            continue
        value = perceptual_hash(picture)
        if f"{value:064x}" != entry.hash:
            found.faults.append(f"the picture of {triplet_id} in {name} is another one than was looked at")
        if not ledger.look(triplet_id, name):
            continue
        for other, _ in scan.near(value, near):
            alike += 1
            known = ledger.entry(other)
            across += known is not None and known.split != split
        hits = scan.near_evaluation(picture)
        evaluated.update({name for name, _ in hits})
        found.listed += [f"{triplet_id} ({split}) is nearly {file} of {name}" for name, file in hits]
        scan.add(Seen(triplet_id, entry.image_id, entry.group, "", "", "", "", None, value))
    if across:
        found.faults.append(f"{across} pairs of pictures of two splits are nearly the same")
    found.faults += [f"{n} pictures are nearly those of {name}" for name, n in evaluated.items()]
    for name in report["formats"]:
        if missing := ledger.missing(name):
            found.faults.append(f"{missing} images of the index have no picture in {name}")
        found.counts[f"pictures in {name}"] = ledger.looked(name)
    found.counts |= {
        "near pairs within a split": alike - across, "near pairs over splits": across,
        **{f"near {name}": evaluated[name] for name in evaluation},
    }  # fmt: skip
