"""A U-Net trained on phantoms against the rule-based experts, on phantoms that neither has seen: Dice by modality.

`.venv-export/bin/python -m benchmarks.training [MODALITY...]` trains and measures (CPU minutes a modality), `--measure`
measures again what was trained before, `--curves FILE.svg` draws the validation Dice.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from models.experts.datasets import Dataset, Example
from models.experts.datasets.examples import BinaryImage, decoded
from models.experts.packaged import LIBRARY
from models.experts.phantoms import DRAWN, Phantom, draw
from models.experts.registry import Registry
from schemas.images import Modality
from schemas.regions import Region

CONTRASTS = (3.0, 5.0)
SIDE = 256
IMAGES = 112
EPOCHS = 16
TEST_SEEDS = range(10_000, 10_020)
"""Far from those that are trained on; the rules were made on others again."""
COLOURS = ("#1b6ca8", "#c8553d", "#3a7d44", "#8e5ea2", "#c49a00", "#4d4d4d", "#00848a", "#a6266e", "#7a5230", "#5a7d00")


def phantoms(modality: Modality, count: int) -> Dataset:
    """Phantoms of seeds 0 on, by turns of each contrast, with the mask of their lesions."""
    label = draw(modality, seed=0, side=SIDE).lesions

    def read() -> Iterator[Example]:
        for seed in range(count):
            one = draw(modality, seed=seed, contrast=CONTRASTS[seed % len(CONTRASTS)], side=SIDE)
            masks = {label: one.truth[label]}
            yield Example(f"phantom {seed}", str(seed), one.values, one.unit, masks, False, modality)

    return Dataset("phantoms", (label,), count, read, modality)


def union(regions: Sequence[Region], shape: tuple[int, ...]) -> BinaryImage:
    """All of the regions' masks as one."""
    found = np.zeros(shape[:2], np.uint8)
    for region in regions:
        found |= decoded(region.mask.size, region.mask.counts)
    return found


def dice(found: BinaryImage, truth: BinaryImage) -> float:
    """Of two masks; 1 where both are empty."""
    both = int(found.sum()) + int(truth.sum())
    return 2 * int((found & truth).sum()) / both if both else 1.0


def by_label(registry: Registry, seen: Sequence[Phantom]) -> dict[str, float]:
    """Mean Dice of the union of an expert's regions of one label, for each expert and label that told any."""
    told: list[dict[str, list[Region]]] = []
    for one in seen:
        groups: dict[str, list[Region]] = defaultdict(list)
        for region in registry.ground(one.values, one.metadata, one.unit).regions:
            if region.kind == "candidate":
                groups[f"{region.expert}: {region.label}"].append(region)
        told.append(groups)
    names = {name for groups in told for name in groups}
    return {
        name: float(
            np.mean(
                [
                    dice(union(groups.get(name, []), one.values.shape), one.truth[one.lesions])
                    for groups, one in zip(told, seen, strict=True)
                ]
            )
        )
        for name in sorted(names)
    }


def key(modality: Modality) -> str:
    """Of a modality's files."""
    return modality.replace(" ", "-").lower()


def learn(modality: Modality, folder: Path, epochs: int, count: int) -> None:
    """Train on one modality; the expert lies in a folder of its own, its curve beside it."""
    from models.experts.training.run import train_expert
    from models.experts.training.settings import Settings, Subject

    name = f"unet-{key(modality)}"
    settings = Settings(
        side=SIDE, patch=128, width=8, depth=3, epochs=epochs, patience=epochs, learning_rate=3e-3, validation=0.1,
        held_out=0.03,
    )  # fmt: skip
    subject = Subject(modality=modality, source="drawn with the phantoms", licence="Apache-2.0")
    report = train_expert(
        phantoms(modality, count), folder / name / f"{name}.onnx", settings, subject,
        tell=lambda epoch: print(f"{modality} {epoch}", file=sys.stderr, flush=True),
    )  # fmt: skip
    curve = [round(epoch.validation, 4) for epoch in report.history]
    (folder / name / "curve.json").write_bytes(orjson.dumps(curve))


def measure(modality: Modality, folder: Path, rules: Registry) -> dict[str, Any]:
    """A trained expert against the best rule: the expert and label with the highest mean Dice on the same images.

    Where none was trained, its Dice is None.
    """
    made = folder / f"unet-{key(modality)}"
    trained = Registry.load(made) if (made / "curve.json").exists() else None
    found: dict[str, Any] = {"modality": modality, "contrasts": {}}
    for contrast in CONTRASTS:
        seen = [draw(modality, seed=seed, contrast=contrast, side=SIDE) for seed in TEST_SEEDS]
        best = max(by_label(rules, seen).items(), key=lambda pair: pair[1], default=("none", 0.0))
        network = None if trained is None else max(by_label(trained, seen).values(), default=0.0)
        found["contrasts"][f"{contrast:g}"] = {"rule": best[0], "rule dice": best[1], "network dice": network}
    return found


def table(results: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A line for each modality and contrast."""
    yield "| modality | contrast | best rule | its Dice | Dice of the U-Net |"
    yield "| --- | --- | --- | --- | --- |"
    for one in results:
        for contrast, row in one["contrasts"].items():
            network = row["network dice"]
            told = "not trained" if network is None else f"**{network:.2f}**"
            yield f"| {one['modality']} | {contrast} | {row['rule']} | {row['rule dice']:.2f} | {told} |"


def curves(found: Mapping[Modality, Sequence[float]]) -> str:
    """Validation Dice by epoch, as SVG."""
    width, height, left, top = 480, 280, 40, 10
    box = f'viewBox="0 0 {width + 220} {height + 50}" font-family="sans-serif" font-size="12"'
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {box}>', '<rect width="100%" height="100%" fill="white"/>']
    for tenth in range(0, 11, 2):
        y = top + height * (1 - tenth / 10)
        lines.append(f'<path d="M{left} {y}h{width}" stroke="#ddd"/><text x="12" y="{y + 4}">{tenth / 10:g}</text>')
    for number, ((modality, curve), colour) in enumerate(zip(found.items(), COLOURS, strict=False)):
        step = width / max(len(curve) - 1, 1)
        points = " ".join(f"{left + at * step:.1f},{top + height * (1 - value):.1f}" for at, value in enumerate(curve))
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        lines.append(f'<text x="{left + width + 12}" y="{top + 14 + 18 * number}" fill="{colour}">{modality}</text>')
    longest = max(map(len, found.values()), default=0)
    lines.append(f'<text x="{left}" y="{height + 40}">epoch 1</text>')
    lines.append(f'<text x="{left + width - 50}" y="{height + 40}">epoch {longest}</text></svg>')
    return "\n".join(lines) + "\n"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modalities", nargs="*", metavar="MODALITY", help="default: all there are phantoms of")
    parser.add_argument("--out", type=Path, default=Path("out/training"))
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--library", type=Path, default=LIBRARY, help="folder of the rule-based experts")
    parser.add_argument("--measure", action="store_true", help="train nothing: measure the rules, and what is in --out")
    parser.add_argument("--curves", type=Path)
    arguments = parser.parse_args()
    if unknown := set(arguments.modalities) - set(DRAWN):
        parser.error(f"no phantom of {', '.join(sorted(unknown))}: take of {', '.join(DRAWN)}")
    names: list[str] = arguments.modalities or list(DRAWN)
    chosen: list[Modality] = [modality for modality in DRAWN if names.count(modality)]
    if not arguments.measure:
        for modality in chosen:
            learn(modality, arguments.out, arguments.epochs, arguments.images)
    trained: list[Modality] = [one for one in chosen if (arguments.out / f"unet-{key(one)}" / "curve.json").exists()]
    rules = Registry.load(arguments.library)
    print(f"rules: {rules.version}; {len(TEST_SEEDS)} phantoms of {SIDE} px a contrast\n")
    for line in table([measure(modality, arguments.out, rules) for modality in chosen]):
        print(line, flush=True)
    if arguments.curves is not None:
        found: dict[Modality, Sequence[float]] = {
            modality: orjson.loads((arguments.out / f"unet-{key(modality)}" / "curve.json").read_bytes())
            for modality in trained
        }
        arguments.curves.write_text(curves(found), encoding="utf-8")


if __name__ == "__main__":
    main()
