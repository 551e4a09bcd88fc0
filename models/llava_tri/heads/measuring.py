"""All heads of a data set, one after the other, and what they came to."""

# pyright: reportMissingImports=false
# torch is installed in .venv-llava only; tests/llava runs this.

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from models.experts.training.settings import Settings
from models.llava_tri.heads.classes import Target, classify
from models.llava_tri.heads.masks import groups_of, segment
from models.llava_tri.heads.pictures import HeadSet, squares
from models.llava_tri.heads.result import Row, Skipped, Worth

Task = Literal["classify", "segment"]
TARGETS: tuple[Target, ...] = ("modality", "organ", "disease")
UNUSED = ("patch", "validation", "held_out")
"""Settings of experts that no head has."""
LIBRARIES = ("numpy", "torch", "torchvision")


@dataclass(frozen=True, slots=True)
class Plan:
    """Which heads are taught.

    `targets` are kinds of labels; `labels` of regions, empty for all; `kind` of region is what is learnt as the truth.
    `most` images to learn from and to test on, each.
    """

    tasks: tuple[Task, ...] = ("classify", "segment")
    targets: tuple[Target, ...] = TARGETS
    labels: tuple[str, ...] = ()
    kind: str = "source annotation"
    most: int = 4000


def measure(
    folder: Path,
    plan: Plan,
    settings: Settings,
    *,
    device: str = "cpu",
    tell: Callable[[Row | Skipped], None] = lambda _: None,
) -> Worth:
    """Teach heads a data set and test them on its test split.

    Args:
        folder: of the set.
        plan: which heads.
        settings: of each head's training.
        device: 'cpu' or 'cuda'.
        tell: told of each head.

    Raises:
        BadRun: the set breaks a promise, or has no test split in Parquet.
    """
    found: list[Row | Skipped] = []

    def took(some: Sequence[Row | Skipped]) -> None:
        for one in some:
            found.append(one)
            tell(one)

    with tempfile.TemporaryDirectory() as cache:
        opened = HeadSet(folder, Path(cache), plan.most)
        if "classify" in plan.tasks:
            read = squares(opened.pictures, settings.side)
            for target in plan.targets:
                took([classify(opened.pictures, read, target, settings, device)])
        if "segment" in plan.tasks:
            groups, skipped = groups_of(opened.pictures, plan.kind, plan.labels)
            for group in groups:
                took(segment(group, plan.kind, settings, device))
            took(skipped)
            if not groups and not skipped:
                what = ", ".join(plan.labels) or "any label"
                took([Skipped(task="segment", of=what, why=f"no region of kind {plan.kind!r} in the set's COCO")])
    return Worth(
        data=folder.resolve().name,
        digest=opened.digest,
        images=opened.all,
        taken=len(opened.pictures),
        settings={name: value for name, value in settings.plain().items() if name not in UNUSED},
        versions={name: version(name) for name in LIBRARIES},
        rows=[one for one in found if isinstance(one, Row)],
        skipped=[one for one in found if isinstance(one, Skipped)],
    )
