"""All heads of a data set, one after the other, and what they came to."""

# pyright: reportMissingImports=false
# torch is installed in .venv-llava only; tests/llava runs this.

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from models.experts.training.settings import Settings
from models.llava_tri.heads.budget import TellEpoch, silent
from models.llava_tri.heads.classes import Target, classify
from models.llava_tri.heads.kept import Kept
from models.llava_tri.heads.masks import groups_of, segment
from models.llava_tri.heads.pictures import HeadSet, squares
from models.llava_tri.heads.result import Row, Skipped, Worth

Task = Literal["classify", "segment"]
TARGETS: tuple[Target, ...] = ("modality", "organ", "disease")
UNUSED = ("patch", "validation", "held_out")
"""Settings of experts that no head has."""
LIBRARIES = ("monai", "numpy", "torch", "torchvision")


@dataclass(frozen=True, slots=True)
class Plan:
    """Which heads are taught.

    `targets` are kinds of labels; `labels` of regions, empty for all; `kind` of region is what is learnt as the truth.
    `most` images to learn from and to test on, each; `steps` of each network, at most.
    """

    tasks: tuple[Task, ...] = ("classify", "segment")
    targets: tuple[Target, ...] = TARGETS
    labels: tuple[str, ...] = ()
    kind: str = "source annotation"
    most: int = 4000
    steps: int = 300


def measure(
    folder: Path,
    plan: Plan,
    settings: Settings,
    *,
    device: str = "cpu",
    kept: Path | None = None,
    tell: Callable[[Row | Skipped], None] = lambda _: None,
    tell_epoch: Callable[[str], TellEpoch] = lambda _: silent,
) -> Worth:
    """Teach heads a data set and test them on its test split.

    Args:
        folder: of the set.
        plan: which heads.
        settings: of each head's training.
        device: 'cpu' or 'cuda'.
        kept: a file of heads that were taught before by the same data and settings, and where these are added.
        tell: told of each head.
        tell_epoch: told which head is taught, and gives what is told of each network and epoch.

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
        told = {name: value for name, value in settings.plain().items() if name not in UNUSED} | {"steps": plan.steps}
        versions = {name: version(name) for name in LIBRARIES}
        before = kept and Kept(
            kept, {"data": opened.digest, "settings": told, "versions": versions, "most": plan.most, "device": device}
        )

        def taught(head: Sequence[str], teach: Callable[[TellEpoch], Sequence[Row | Skipped]]) -> None:
            came = before.find(head) if before else None
            if came is None:
                came = list(teach(tell_epoch(" ".join(head))))
                if before:
                    before.keep(head, came)
            took(came)

        if "classify" in plan.tasks:
            read = lru_cache(1)(lambda: squares(opened.pictures, settings.side))
            for target in plan.targets:
                taught(
                    ("classify", target),
                    lambda say, of=target: [classify(opened.pictures, read(), of, settings, plan.steps, device, say)],
                )
        if "segment" in plan.tasks:
            groups, skipped = groups_of(opened.pictures, plan.kind, plan.labels)
            for group in groups:
                taught(
                    ("segment", plan.kind, group.modality, *group.labels),
                    lambda say, of=group: segment(of, plan.kind, settings, plan.steps, device, say),
                )
            took(skipped)
            if not groups and not skipped:
                what = ", ".join(plan.labels) or "any label"
                took([Skipped(task="segment", of=what, why=f"no such region of kind {plan.kind!r} in the set's COCO")])
    return Worth(
        data=folder.resolve().name,
        digest=opened.digest,
        images=opened.all,
        taken=len(opened.pictures),
        settings=told,
        versions=versions,
        rows=[one for one in found if isinstance(one, Row)],
        skipped=[one for one in found if isinstance(one, Skipped)],
    )
