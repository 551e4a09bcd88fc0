"""A finished data set held against its own promises, from what is written and not from what was meant."""

import hashlib
import io
import json
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.datasets.build import GROUPS, REPORT
from models.datasets.cards import INDEX
from models.datasets.conversations import SPLITS
from models.datasets.duplicates import hash_of_file
from models.datasets.scan import Scan, Seen
from schemas.failures import InvalidInput


class NoDataset(InvalidInput):
    """The folder holds no data set of ours."""


@dataclass
class Audit:
    """What was found. `faults` are broken promises, in words; `counts` what was looked at."""

    faults: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def audit(folder: Path, evaluation: Mapping[str, Iterable[bytes]] | None = None) -> Audit:
    """Read a data set again: groups, images and near duplicates over splits, files against their hashes, balance.

    Args:
        folder: as `build` writes it.
        evaluation: pictures of sets that one will evaluate on, by name.

    Raises:
        NoDataset: there is none in the folder.
    """
    try:
        report: dict[str, Any] = json.loads((folder / REPORT).read_bytes())
        splits: dict[str, str] = json.loads((folder / GROUPS).read_bytes())
        card: dict[str, Any] = json.loads((folder / "croissant.json").read_bytes())
        lines = [json.loads(line) for line in (folder / INDEX).read_bytes().splitlines()]
    except FileNotFoundError as error:
        raise NoDataset(f"the folder holds no data set: {Path(error.filename).name} is not there") from None
    except ValueError as error:
        raise NoDataset(f"a file of the data set is damaged: {error}") from None
    found = Audit()
    _files(folder, card, found)
    _groups(lines, splits, report, found)
    _pictures(folder, lines, int(report["policy"]["near"]), evaluation or {}, found)
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


def _groups(lines: list[dict[str, str]], splits: dict[str, str], report: dict[str, Any], found: Audit) -> None:
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
    found.counts |= {"images": len(lines), "groups": len(of_group), "groups in two splits": torn, "images twice": twice}


def _pictures(
    folder: Path, lines: list[dict[str, str]], near: int, evaluation: Mapping[str, Iterable[bytes]], found: Audit
) -> None:
    """Hash every picture that is written anew, so that another picture under a right name is seen."""
    known = {line["triplet_id"]: line for line in lines}
    scan_path = folder.with_name(f".{folder.name}.audit")
    across, evaluated, looked, alike = 0, Counter[str](), set[str](), 0
    try:
        with Scan(scan_path) as scan:
            for name, pictures in evaluation.items():
                for picture in pictures:
                    scan.add_evaluation(name, hash_of_file(picture))
            for triplet_id, split, data in written(folder):
                line = known.get(triplet_id)
                if line is None or line["split"] != split:
                    found.faults.append(f"a picture of {split} is not in the index: {triplet_id}")
                    continue
                if triplet_id in looked:
                    continue
                looked.add(triplet_id)
                value = hash_of_file(data)
                if f"{value:064x}" != line["hash"]:
                    found.faults.append(f"the picture of {triplet_id} is another one than was looked at")
                for other, _ in scan.near(value, near):
                    alike += 1
                    across += known[other]["split"] != split
                evaluated.update(set(scan.near_evaluation(value, near)))
                scan.add(Seen(triplet_id, line["image_id"], line["group"], "", "", "", None, value))
    finally:
        scan_path.unlink(missing_ok=True)
    if across:
        found.faults.append(f"{across} pairs of pictures of two splits are nearly the same")
    found.faults += [f"{n} pictures are nearly those of {name}" for name, n in evaluated.items()]
    if looked and len(looked) < len(known):
        found.faults.append(f"{len(known) - len(looked)} images of the index have no picture")
    found.counts |= {
        "pictures": len(looked), "near pairs within a split": alike - across, "near pairs over splits": across,
        **{f"near {name}": evaluated[name] for name in evaluation},
    }  # fmt: skip


def written(folder: Path) -> Iterator[tuple[str, str, bytes]]:
    """triplet_id, split and PNG of every picture, format by format."""
    for path in sorted(folder.glob("parquet/data/*.parquet")):
        import pyarrow.parquet as pq

        for batch in pq.ParquetFile(path).iter_batches(batch_size=64, columns=["triplet_id", "images"]):
            for row in batch.to_pylist():
                yield row["triplet_id"], path.name.rpartition("-")[0], row["images"][0]["bytes"]
    for path in sorted(folder.glob("webdataset/*.tar")):
        with tarfile.open(path) as shard:
            for member in shard:
                if member.name.endswith(".png"):
                    content = shard.extractfile(member) or io.BytesIO()
                    yield member.name.removesuffix(".png"), path.name.rpartition("-")[0], content.read()
    for pattern in ("*/images/*/*.png", "imagefolder/*/*.png"):
        for path in sorted(folder.glob(pattern)):
            yield path.stem, path.parent.name, path.read_bytes()
