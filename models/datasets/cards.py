"""The card of a data set: a README as Hugging Face reads it, and Croissant (mlcommons.org/croissant/1.0)."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2

from models.datasets.copies import NEAR_COPY
from models.datasets.lines import is_composed
from models.datasets.report import Report

INDEX = "index.jsonl"
"""One line an image: which split and group it is in."""
PAPER = (
    "@article{xie2024medtrinity, title={MedTrinity-25M: A Large-scale Multimodal Dataset with Multigranular "
    "Annotations for Medicine}, author={Xie, Yunfei and others}, journal={arXiv:2408.02900}, year={2024}}"
)
_FIELDS = {
    "triplet_id": "Identity of the triplet",
    "image_id": "Hash of the quantitative pixels",
    "group": "What must not be torn apart",
    "split": "train, validation or test",
    "hash": "Perceptual hash of 256 bits, hexadecimal",
    "modality": "Kind of image",
    "source": "Collection and version, as the source or the user names it; empty where nothing tells",
    "licence": "As the source or the user names it; empty where nothing tells",
    "lineage": "Digest of the versions that made the triplet; the card tells them",
    "authors": "Who wrote the text, name@version: the composer from measurements, or a language model",
}
ENCODINGS = {
    ".parquet": "application/x-parquet",
    ".json": "application/json",
    ".jsonl": "application/jsonlines",
    ".tar": "application/x-tar",
    ".md": "text/markdown",
}
UNTOLD = "not told"
"""Stands in counts for a source or a licence that nothing tells."""
_LICENCES = {
    "apache-2.0", "mit", "cc0-1.0", "cc-by-2.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0",
    "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0",
    "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "odc-by", "pddl",
}  # fmt: skip
"""Those of Hugging Face's list (huggingface.co/docs/hub/repositories-licenses) that collections of ours are under."""
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_ROOM = Path(__file__).parent


def lineage_digest(versions: str) -> str:
    """A lineage by a short name: the versions as JSON, without the digest of the image's metadata."""
    return hashlib.sha256(versions.encode()).hexdigest()[:16]


def cautions(report: Report) -> list[str]:
    """What whoever makes or takes a data set should know of its splits and licences before training on it."""
    found: list[str] = []
    if guessed := report.group_levels.get("patient by folder", 0):
        found.append(
            f"of {guessed} images nothing tells the patient, so files of a folder stay in one split: name patients in "
            "sidecars, or annotate with --patients file where every file is of another one"
        )
    if alone := report.group_levels.get("object", 0):
        found.append(f"of {alone} images no patient, study or series is known: two files of one patient can be parted")
    if report.without_vector:
        found.append(
            f"{report.without_vector} triplets have no vector of the encoder of --alike, or one of another length: "
            "their hashes alone tell what is near them"
        )
    empty = [split for split in ("validation", "test") if report.policy["shares"][split] and not report.images[split]]
    found += [
        f"no image for {split}: {sum(report.groups.values())} groups are too few, or too large" for split in empty
    ]
    if untold := report.licences.get(UNTOLD, 0):
        found.append(
            f"of {untold} images no licence is told: whether they may be trained on, or given away, is unknown"
        )
    if written := sum(n for by, n in report.authors.items() if not is_composed(by.split(", "))):
        found.append(
            f"of {written} images a language model wrote some of the text: a model that learns from it learns from a "
            "model; --composed leaves them out"
        )
    return found


def _licences(report: Report) -> str:
    """Of Hugging Face's names of licences those that the images are under; `other` where one of them has none there."""
    names = sorted({name.lower() for name in report.licences})
    return ", ".join(names) if names and _LICENCES.issuperset(names) else "other"


def write_card(folder: Path, report: Report) -> None:
    """Write README.md and croissant.json beside what they describe."""
    (folder / "README.md").write_text(readme(report), encoding="utf-8")
    (folder / "croissant.json").write_text(json.dumps(croissant(folder, report), indent=1) + "\n", encoding="utf-8")


def readme(report: Report) -> str:
    """Front matter for Hugging Face, and what somebody who trains on it must know."""
    taken = sum(report.images.values())
    page = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_ROOM),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown; what is not in words of ours goes through `cell`
    )
    page.filters["cell"] = _cell
    size = next((name for most, name in _SIZES if taken < most), "n>1M")
    return page.get_template("card.md.jinja").render(
        report=report, taken=taken, size=size, paper=PAPER, counts=_counts, digest=lineage_digest,
        licences=_licences(report), cautions=cautions(report), near_copy=NEAR_COPY,
    )  # fmt: skip


def _cell(text: str) -> str:
    """Words of a source in a table: in one line, and neither a cell's end nor a tag."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.items())


def croissant(folder: Path, report: Report) -> dict[str, Any]:
    """The data set for machines: each file with its hash, and the fields of the index."""
    files = sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in ENCODINGS and path.name != "croissant.json"
    )
    return {
        "@context": json.loads((_ROOM / "croissant_context.json").read_bytes()),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "tristream-triplets",
        "version": "1.0.0",
        "description": f"{sum(report.images.values())} medical images, their regions of interest and descriptions.",
        "citeAs": PAPER,
        "url": "https://arxiv.org/abs/2408.02900",
        "datePublished": datetime.now(UTC).date().isoformat(),
        "license": list(report.licences),
        "isBasedOn": [_origin(report.source), *(_made_by(*item) for item in report.lineages.items())],
        "distribution": [_file(folder, path) for path in files],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "index",
                "name": "index",
                "description": "One record an image.",
                "field": [_field(name, text) for name, text in _FIELDS.items()],
            }
        ],
    }


def _origin(source: Mapping[str, Any]) -> dict[str, Any]:
    """A topic with the offsets that were read, of each partition the first and the last; or files."""
    ranges = [
        {"@type": "sc:PropertyValue", "propertyID": f"offsets of partition {partition}", "value": f"{first}-{last}"}
        for partition, (first, last) in source.get("offsets", {}).items()
    ]
    told = {"@type": "sc:Dataset", "name": source.get("topic", "files of triplets")}
    return told | ({"identifier": ranges} if ranges else {})


def _made_by(versions: str, images: int) -> dict[str, str]:
    """What made some of the triplets."""
    return {
        "@type": "sc:SoftwareApplication",
        "name": "Tristream",
        "identifier": lineage_digest(versions),
        "softwareVersion": versions,
        "description": f"Made {images} of the images' triplets.",
    }


def _file(folder: Path, path: Path) -> dict[str, str]:
    name = path.as_posix()
    with (folder / path).open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "encodingFormat": ENCODINGS[path.suffix],
        "contentSize": f"{(folder / path).stat().st_size} B",
        "sha256": digest,
    }


def _field(name: str, text: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"index/{name}",
        "name": name,
        "description": text,
        "dataType": "sc:Text",
        "source": {"fileObject": {"@id": INDEX}, "extract": {"column": name}},
    }
