"""Which data sets a model learned from, as its own lineage.json tells, and whether all of them are at hand."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.llava_tri.evaluation.questions import WrongLayout

LINEAGE = "lineage.json"


def learned_from(model: Path) -> dict[str, str]:
    """Names of the data sets of a model's folder by their digest, those of the models that it began from too.

    Raises:
        WrongLayout: the folder has no lineage.json of `tristream train` or `model export`.
    """
    try:
        lineage: Mapping[str, Any] = json.loads((model / LINEAGE).read_bytes())
        return _sets(lineage)
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
