"""Which data sets a model learned from, as its own lineage.json tells, whose text, and whether all are at hand."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from models.llava_tri.evaluation.questions import WrongLayout

LINEAGE = "lineage.json"
T = TypeVar("T")


def learned_from(model: Path) -> dict[str, str]:
    """Names of the data sets of a model's folder by their digest, those of the models that it began from too.

    Raises:
        WrongLayout: the folder has no lineage.json of `tristream train` or `model export`.
    """
    return _told(model, _sets)


def generation_of_text(model: Path) -> int:
    """Of the text that a model's folder learned from: 0 where no language model wrote any of it.

    Raises:
        WrongLayout: the folder has no lineage.json of `tristream train` or `model export`.
    """
    return _told(model, lambda lineage: int(lineage["text_generation"]))


def _told(model: Path, asked: Callable[[Mapping[str, Any]], T]) -> T:
    try:
        return asked(json.loads((model / LINEAGE).read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        raise WrongLayout(f"{model.name}: no {LINEAGE} as `tristream train` and `model export` write it") from None


def _sets(lineage: Mapping[str, Any]) -> dict[str, str]:
    found = {str(one["digest"]): str(one["name"]) for one in lineage["sets"]}
    before = lineage["base"].get("lineage")
    return found | _sets(before) if before else found


def digest_of(dataset: Path) -> str | None:
    """Of a data set of `tristream dataset build`, as lineages name it; None of any other folder."""
    card = dataset / "croissant.json"
    return hashlib.sha256(card.read_bytes()).hexdigest()[:32] if card.is_file() else None


def missing(model: Path, datasets: Sequence[Path]) -> tuple[str, ...]:
    """Names of data sets that a model learned from and that are not among these folders."""
    given = {digest_of(one) for one in datasets}
    return tuple(name for digest, name in sorted(learned_from(model).items()) if digest not in given)
