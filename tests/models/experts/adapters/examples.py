"""The example graphs as experts, with parts of their manifests changed. See models/experts/export/examples.py."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from models.experts.adapters import look
from models.experts.candidates import Candidate
from models.experts.manifest import Manifest
from models.experts.running import Expert, Found, Sight
from models.experts.toml_text import tables
from schemas.images import ImageMetadata

GRAPHS = Path(__file__).parents[1] / "graphs"


FILM = ImageMetadata(source_format="PNG", modality="X-ray")


def of_films(name: str, title: str, **parts: Any) -> dict[str, Any]:
    """The manifest of an expert of films, `parts` in it: those of `input` beside what all have."""
    given = {
        "units": [],
        "channels": 1,
        "polarity": "value",
        "shortest_side": 16,
        "longest_side": 4096,
        "normalisation": {"kind": "full range"},
    }
    return {
        "name": name,
        "version": "1.0.0",
        "title": title,
        "licence": "CC0-1.0",
        "made": "by hand",
        "source": "a test",
        "modalities": ["X-ray"],
        "organs": [],
        "limits": [],
        **parts,
        "input": {**given, **parts.get("input", {})},
    }


def write(folder: Path, table: dict[str, Any], graph: bytes, **changes: dict[str, Any]) -> Path:
    """The expert's files, `changes` in its tables; its manifest."""
    table = {**table, "sha256": hashlib.sha256(graph).hexdigest()}
    for part, values in changes.items():
        table[part] = {**cast(dict[str, Any], table[part]), **values}
    (folder / f"{table['name']}.onnx").write_bytes(graph)
    manifest = folder / f"{table['name']}.toml"
    manifest.write_text(tables(table))
    return manifest


def example(name: str, **changes: dict[str, Any]) -> Expert:
    """An example; `changes` are of its tables: input={"longest_side": 64}."""
    expert = Expert.load(GRAPHS / f"{name}.toml")
    table = expert.manifest.model_dump()
    for part, values in changes.items():
        table[part] = {**table[part], **values}
    return replace(expert, manifest=Manifest.model_validate(table))


def seen(expert: Expert, image: np.ndarray, **told: Any) -> Found:
    return look(expert, Sight(image.astype(np.float32), **told))


def mask_of(candidate: Candidate, image: np.ndarray) -> np.ndarray:
    """Its mask at the image's size."""
    whole = np.zeros(image.shape[:2], bool)
    part = candidate.component
    whole[part.y : part.y + part.crop.shape[0], part.x : part.x + part.crop.shape[1]] = part.crop > 0
    return whole


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


def disc(shape: tuple[int, int], x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2
