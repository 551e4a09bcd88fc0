"""Exports every expert: `python -m models.experts.export [FOLDER]` writes NAME.onnx, .toml and .md. Knows no images."""

import hashlib
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import torch

from models.experts.export.definition import LICENCE, MADE, Definition, Output
from models.experts.export.definitions import DEFINITIONS
from models.experts.export.measured import CALIBRATION, PRECISION, RECALL
from models.experts.toml_text import pairs
from models.onnx_files import OPSET, exported

LIBRARY = Path(__file__).parents[1] / "library"


def graph(definition: Definition) -> bytes:
    """The expert's ONNX file: dynamic rows and columns, float32."""
    names = [output.name for output in definition.outputs]
    if definition.foreground is not None:
        names.append(definition.foreground.output)
    rows, columns = torch.export.Dim("rows", min=16), torch.export.Dim("columns", min=16)
    return exported(
        definition.module,
        (torch.rand(1, definition.channels, 96, 128),),
        takes=["image"],
        gives=names,
        axes=({2: rows, 3: columns},),
        name=definition.name,
        version=definition.version,
    )


def manifest(definition: Definition, sha256: str) -> str:
    """The manifest as TOML; `models.experts.manifest.Manifest` reads it."""
    table = {
        "name": definition.name, "version": definition.version, "title": definition.title, "licence": LICENCE,
        "made": MADE, "source": definition.source, "modalities": definition.modalities, "organs": definition.organs,
        "views": definition.views, "limits": definition.limits, "sha256": sha256,
    }  # fmt: skip
    if definition.except_organs:
        table["except_organs"] = definition.except_organs
    if definition.priority:
        table["priority"] = definition.priority
    if definition.inside is not None:
        table["inside"] = dict(zip(("expert", "part"), definition.inside, strict=True))
    contract = {
        "units": definition.units, "channels": definition.channels, "polarity": definition.polarity,
        "shortest_side": definition.shortest_side, "longest_side": definition.longest_side,
    }  # fmt: skip
    if definition.grey_as_colour:
        contract["grey_as_colour"] = True
    if definition.spacing_mm is not None:
        contract |= {"spacing_mm": definition.spacing_mm, "unknown_spacing": True}
    lines = ["# Written by `make experts` from models/experts/export/definitions.py."]
    lines += pairs(table)
    lines += ["", "[input]", *pairs(contract)]
    if definition.foreground is not None:
        lines += ["", "[foreground]", *pairs(asdict(definition.foreground))]
    for output in definition.outputs:
        lines += ["", "[[outputs]]", *_output(definition.name, output)]
    return "\n".join(lines) + "\n"


def _output(expert: str, output: Output) -> list[str]:
    name, table = f"{expert}: {output.name}", asdict(output)
    if output.max_area_fraction == 1:
        del table["max_area_fraction"]
    if output.rim == 0:
        del table["rim"]
    calibration = CALIBRATION.get(f"{expert}: {output.label}")
    for key, stated in (
        ("precision", PRECISION.get(name)), ("recall", RECALL.get(name)), ("calibration", calibration)
    ):  # fmt: skip
        if stated is not None:
            table[key] = stated.model_dump(mode="json")
    return pairs(table)


def _length(mm: float) -> str:
    return f"{mm:g} mm" if mm >= 0.1 else f"{1000 * mm:g} µm"


def _to(output: Output, edge: str) -> str:
    most = "" if output.max_area_fraction == 1 else f" to {100 * output.max_area_fraction:g} %"
    apart = "" if output.rim == 0 else f", {100 * output.rim:g} % of the longest side or more from the edge of {edge}"
    return most + apart


def card(definition: Definition, size: int) -> str:
    """The expert's card, for people."""
    polarity = ", as shown: high is bright" if definition.polarity == "displayed" else ""
    views = f"; {', '.join(definition.views)}, or not told" if definition.views else ""
    apart = f" but {', '.join(definition.except_organs)}" if definition.except_organs else ""
    rgb = "three channels, RGB" + (", of grey images alike" if definition.grey_as_colour else "")
    channels = rgb if definition.channels == 3 else "one channel (colour is taken as luma, Rec. 601)"
    edge = f"the {definition.foreground.output}" if definition.foreground else "the image"
    sizes = "; ".join(
        f"{output.name}: at most {output.max_regions}, from {output.min_area_px} px and "
        f"{100 * output.min_area_fraction:g} % of the image{_to(output, edge)}"
        for output in definition.outputs
    )
    within = definition.inside
    lines = [
        f"# {definition.name} {definition.version}: {definition.title}",
        "",
        "A region is a candidate that a stated rule singled out, never a diagnosis.",
        "",
        f"- **For**: {', '.join(definition.modalities)}; {', '.join(definition.organs) or 'any organ'}{apart}{views}",
        f"- **Takes**: {channels}; {' or '.join(definition.units) or 'any unit'}{polarity}",
        *(
            [f"- **Scale**: resampled to {_length(definition.spacing_mm)} a px where the image tells its spacing"]
            if definition.spacing_mm is not None
            else []
        ),
        (
            f"- **Size**: at least {definition.shortest_side} px a side; above {definition.longest_side} px on the "
            "longest side it works on a reduced copy, and px in its rules are those of that copy"
        ),
        *([f"- **Told**: what lies by {100 * within[1]:g} % or more in regions of {within[0]}"] if within else []),
        f"- **How made**: {MADE}",
        f"- **Source**: {definition.source}",
        f"- **Licence**: {LICENCE}; ONNX opset {OPSET}, {size:,} bytes",
        "",
        "| label | rule | score |",
        "| --- | --- | --- |",
        *(f"| {output.label} | {output.rule} | {output.score} |" for output in definition.outputs),
        "",
        (
            f"Regions are connected components (8 neighbours); the largest are reported, the rest counted: {sizes}. "
            "Where a rule claims contrast, a region is dropped unless it differs so from the ring around it."
        ),
        "",
        "## Limits",
        "",
        *(f"- {limit}" for limit in definition.limits),
    ]
    return "\n".join(lines) + "\n"


def export(folder: Path, definitions: Iterable[Definition] = DEFINITIONS) -> None:
    """Write experts into `folder`, by default all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for definition in definitions:
        data = graph(definition)
        (folder / f"{definition.name}.onnx").write_bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        (folder / f"{definition.name}.toml").write_text(manifest(definition, sha256), encoding="utf-8")
        (folder / f"{definition.name}.md").write_text(card(definition, len(data)), encoding="utf-8")
        sys.stdout.write(f"{definition.name} {definition.version}: {len(data):,} bytes\n")


if __name__ == "__main__":
    export(Path(sys.argv[1]) if len(sys.argv) > 1 else LIBRARY)
