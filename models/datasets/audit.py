"""A finished data set held against its own promises, from what is written and not from what was meant."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.datasets.build import GROUPS, PROOF, REPORT
from models.datasets.cards import INDEX, lineage_digest
from models.datasets.conversations import SPLITS
from models.datasets.evaluation import hashes_of
from models.datasets.instructions.mixing import MOST_AHEAD
from models.datasets.licences import Licences
from models.datasets.scan import Scan, Seen
from models.datasets.written import closed_answers, pictures
from schemas.failures import InvalidInput


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
    try:
        report: dict[str, Any] = json.loads((folder / REPORT).read_bytes())
        splits: dict[str, str] = json.loads((folder / GROUPS).read_bytes())
        proof: dict[str, Any] = json.loads((folder / PROOF).read_bytes())
        card: dict[str, Any] = json.loads((folder / "croissant.json").read_bytes())
        lines = [json.loads(line) for line in (folder / INDEX).read_bytes().splitlines()]
    except FileNotFoundError as error:
        raise NoDataset(f"the folder holds no data set: {Path(error.filename).name} is not there") from None
    except ValueError as error:
        raise NoDataset(f"a file of the data set is damaged: {error}") from None
    found = Audit()
    _files(folder, card, found)
    _groups(lines, splits, report, proof, found)
    _sources(lines, report, found)
    _answers(folder, report, found)
    _pictures(folder, lines, report, evaluation or {}, found)
    return found


def _files(folder: Path, card: dict[str, Any], found: Audit) -> None:
    for file in card["distribution"]:
        path = folder / file["contentUrl"]
        if not path.is_file():
            found.faults.append(f"{file['name']} is not there")
            continue
        with path.open("rb") as content:
            if hashlib.file_digest(content, "sha256").hexdigest() != file["sha256"]:
                found.faults.append(f"{file['name']} is not what croissant.json says")
    found.counts["files"] = len(card["distribution"])


def _groups(
    lines: list[dict[str, str]],
    splits: dict[str, str],
    report: dict[str, Any],
    proof: dict[str, Any],
    found: Audit,
) -> None:
    of_group: defaultdict[str, set[str]] = defaultdict(set)
    of_image: Counter[str] = Counter()
    images: Counter[str] = Counter()
    for line in lines:
        of_group[line["group"]].add(line["split"])
        of_image[line["image_id"]] += 1
        images[line["split"]] += 1
        if splits.get(line["group"]) != line["split"]:
            found.faults.append(f"image {line['image_id']} is not in the split of its group")
    torn = sum(len(names) > 1 for names in of_group.values())
    twice = sum(n > 1 for n in of_image.values())
    if torn:
        found.faults.append(f"{torn} groups stand in two splits")
    if twice:
        found.faults.append(f"{twice} images are there more than once")
    if any(images[split] != report["images"].get(split, 0) for split in SPLITS):
        found.faults.append("the card's numbers of images are not those of the index")
    of_split = Counter(split for names in of_group.values() for split in names)
    counted = {"groups_in_two_splits": torn, "images_twice": twice}
    if proof != {
        "images": {split: images[split] for split in SPLITS},
        "groups": {split: of_split[split] for split in SPLITS},
        **counted,
    }:
        found.faults.append(f"{PROOF} is not what the index says")
    found.counts |= {"images": len(lines), "groups": len(of_group), "groups in two splits": torn, "images twice": twice}


def _sources(lines: list[dict[str, str]], report: dict[str, Any], found: Audit) -> None:
    permitted = Licences(report["policy"]["licences"])
    refused = sum(not permitted.permit(line["licence"] or None) for line in lines)
    if refused:
        found.faults.append(f"{refused} images are under licences that were not to be taken")
    for name in ("source", "licence"):
        counts = Counter(line[name] or "not told" for line in lines)
        if counts != Counter(report[f"{name}s"]):
            found.faults.append(f"the card's counts by {name} are not those of the index")
        found.counts[f"{name}s"] = len(counts)
    made_by = Counter(line.get("lineage", "") for line in lines)
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


def _pictures(
    folder: Path,
    lines: list[dict[str, str]],
    report: dict[str, Any],
    evaluation: Mapping[str, Iterable[tuple[str, bytes]]],
    found: Audit,
) -> None:
    """Hash every picture that is written anew, so that another picture under a right name is seen."""
    near = int(report["policy"]["near"])
    known = {line["triplet_id"]: line for line in lines}
    scan_path = folder.with_name(f".{folder.name}.audit")
    across, evaluated, alike = 0, Counter[str](), 0
    looked: defaultdict[str, set[str]] = defaultdict(set)
    try:
        with Scan(scan_path) as scan:
            for name, files in evaluation.items():
                for file, value in hashes_of(name, files):
                    scan.add_evaluation(name, file, value)
            for name, triplet_id, split, value in pictures(folder):
                line = known.get(triplet_id)
                if line is None or line["split"] != split:
                    found.faults.append(f"a picture of {split} in {name} is not in the index: {triplet_id}")
                    continue
                if f"{value:064x}" != line["hash"]:
                    found.faults.append(f"the picture of {triplet_id} in {name} is another one than was looked at")
                first = not any(triplet_id in ids for ids in looked.values())
                looked[name].add(triplet_id)
                if not first:
                    continue
                for other, _ in scan.near(value, near):
                    alike += 1
                    across += known[other]["split"] != split
                hits = set(scan.near_evaluation(value, near))
                evaluated.update({name for name, _ in hits})
                found.listed += [f"{triplet_id} ({split}) is nearly {file} of {name}" for name, file in sorted(hits)]
                scan.add(Seen(triplet_id, line["image_id"], line["group"], "", "", "", None, value))
    finally:
        scan_path.unlink(missing_ok=True)
    if across:
        found.faults.append(f"{across} pairs of pictures of two splits are nearly the same")
    found.faults += [f"{n} pictures are nearly those of {name}" for name, n in evaluated.items()]
    for name in report["formats"]:
        if missing := len(known.keys() - looked[name]):
            found.faults.append(f"{missing} images of the index have no picture in {name}")
        found.counts[f"pictures in {name}"] = len(looked[name])
    found.counts |= {
        "near pairs within a split": alike - across, "near pairs over splits": across,
        **{f"near {name}": evaluated[name] for name in evaluation},
    }  # fmt: skip
