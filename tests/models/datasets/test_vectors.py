"""Images that an encoder finds alike: which groups join, block by block, and what a data set makes of it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.datasets import vectors as module
from models.datasets.build import build
from models.datasets.cards import cautions
from models.datasets.lines import Given, Line, Whole
from models.datasets.policy import Alike, Policy
from models.datasets.vectors import Vectors
from schemas.base import Provenance
from schemas.regions import Embedding
from schemas.triplets import Triplet
from tests.models.datasets.conftest import splits_of


@pytest.mark.parametrize("block", [2048, 7, 1])
def test_pairs_are_those_of_every_vector_with_every_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    """Whatever is held against each other at a time; vectors of another encoder, or of nobody, are none."""
    monkeypatch.setattr(module, "BLOCK", block)
    draw = np.random.default_rng(3)
    rows = draw.normal(size=(40, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    groups = {number: f"group {number // 3}" for number in range(1, 41) if number % 9}
    vectors = Vectors(tmp_path)
    assert all(vectors.add(number, "mine@1", row.tolist()) for number, row in enumerate(rows, 1))
    assert vectors.add(99, "mine@2", rows[0].tolist())
    assert not vectors.add(100, "mine@1", rows[0, :4].tolist())
    right = {
        frozenset((groups[a], groups[b]))
        for a in groups for b in groups
        if groups[a] != groups[b] and rows[a - 1] @ rows[b - 1] >= 0.6
    }  # fmt: skip
    assert len(right) > 5
    assert {frozenset(pair) for pair in vectors.alike(0.6, groups | {99: "another"})} == right
    vectors.close()
    assert list(tmp_path.iterdir()) == []


def with_vectors(triplets: list[Triplet], *angles: float | None) -> list[Triplet]:
    """Triplets of patients of their own, each with a vector at an angle, or none."""
    return [
        one.model_copy(
            update={
                "provenance": Provenance(patient=f"{n:032x}", patient_by="sidecar"),
                "embeddings": () if angle is None else (
                    Embedding(expert="mine@1.0.0", values=(float(np.cos(angle)), float(np.sin(angle)))),
                ),
            }
        )
        for n, (one, angle) in enumerate(zip(triplets, angles, strict=False))
    ]  # fmt: skip


def line(one: Triplet) -> Line:
    """As it stands in a file."""
    return Line("file 1, line 1", one.model_dump_json().encode())


@pytest.mark.parametrize("given", [Whole, line])
def test_alike_images_stay_in_one_split(
    tmp_path: Path, triplets: list[Triplet], given: Callable[[Triplet], Given]
) -> None:
    """Of patients who are not one; how many joined for it, and who has no vector, stands in the report and the card."""
    different = list({one.object_id: one for one in triplets if one.regions[0].kind != "whole image"}.values())
    pool = with_vectors(different, 0.0, 0.1, 1.5, 3.0, None, 1.6)
    assert len(pool) == 6
    joined: list[tuple[int, int, int]] = []
    for n, alike in enumerate((None, Alike("mine", 0.98), Alike("mine@1.0.0", 0.98), Alike("mine@2", 0.98))):
        out = tmp_path / f"{n}"
        report = build(lambda: map(given, pool), out, ["parquet"], Policy(alike=alike, near=0))
        joined.append((report.alike_groups, report.without_vector, sum(report.groups.values())))
        assert len(splits_of(out)) == 6
        assert ("for the vectors of their images alone" in (out / "README.md").read_text()) == (alike is not None)
        assert any("no vector" in one for one in cautions(report)) == (alike is not None)
        assert sorted(path.suffix for path in out.glob(".*")) == []
    assert joined == [(0, 0, 6), (2, 1, 4), (2, 1, 4), (0, 6, 6)]


@pytest.mark.parametrize("told", [("", 0.9), ("mine", 0.0), ("mine", 1.0), ("mine", float("nan"))])
def test_a_cosine_is_named_with_its_encoder(told: tuple[str, float]) -> None:
    """No value holds for all encoders, so there is none by default."""
    with pytest.raises(ValueError, match=r"my-encoder=0\.95"):
        Alike(*told)
