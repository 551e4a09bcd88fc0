"""Exports of common families as experts: their own files tell what a manifest must. Knows nothing of who asks.

One module a family; what none of them recognises is refused with a word on what to write.
"""

import hashlib
import re
import shutil
from pathlib import Path

from models.experts.external import external_files
from models.experts.importing import huggingface, monai, nnunet, ultralytics
from models.experts.importing.draft import BY_HAND, CannotImport, Draft, Graph, Told
from models.experts.manifest import Manifest
from models.experts.toml_text import toml

__all__ = ["CannotImport", "Told", "import_expert"]

_FAMILIES = (nnunet, monai, huggingface)


def import_expert(path: Path, out: Path, told: Told) -> Path:
    """Write an export's graph and a manifest made from what lies beside it into `out`. Returns the manifest.

    Args:
        path: a folder of MONAI, nnU-Net v2 or Hugging Face, or an ONNX file of Ultralytics or a folder of it alone.
        out: made where it is not there; files of the expert's name are overwritten.
        told: goes before what the export tells.

    Raises:
        CannotImport: what is missing, or cannot be fed, and what to do.
        BrokenExpert: ONNX Runtime does not load the graph.
    """
    drafted = _drafted(path)
    name = told.name or re.sub(r"[^a-z0-9]+", "-", drafted.name.lower()).strip("-") or "expert"
    modalities = (told.modality,) if told.modality else drafted.modalities
    licence = told.licence or drafted.licence
    if not modalities:
        raise CannotImport("nothing tells which images it takes: give --modality")
    if licence is None:
        raise CannotImport("nothing tells the licence of its weights: give --licence")
    given = drafted.input
    if drafted.lies_as_files_do and told.axes is None:
        raise CannotImport(
            "it takes volumes as their files lie (no Orientationd), and nothing tells how those of its training lay in "
            "the patient: give --axes, x first, as LPS of BraTS's files"
        )
    if told.axes and given.volume:
        given = given.model_copy(update={"volume": given.volume.model_copy(update={"axes": told.axes})})
    data = drafted.graph.read_bytes()
    manifest = Manifest(
        name=name,
        version=drafted.version,
        title=drafted.title,
        licence=licence,
        made=drafted.made,
        source=drafted.source,
        modalities=modalities,
        organs=told.organs,
        unknown_organ=bool(told.organs),
        limits=drafted.limits,
        sha256=hashlib.sha256(data).hexdigest(),
        input=given,
        decoding=drafted.decoding,
        labels=drafted.labels,
    )
    out.mkdir(parents=True, exist_ok=True)
    for below, source in external_files(drafted.graph, data).items():
        (out / below).parent.mkdir(parents=True, exist_ok=True)
        _copy(source, out / below)
    _copy(drafted.graph, out / f"{name}.onnx")
    written = out / f"{name}.toml"
    written.write_text(toml(manifest, "Written by `tristream experts import`: read it before you trust it."), "utf-8")
    return written


def _drafted(path: Path) -> Draft:
    for family in _FAMILIES:
        if path.is_dir() and family.recognises(path):
            return family.draft(path)
    files = [path] if path.suffix == ".onnx" else sorted(path.glob("*.onnx")) if path.is_dir() else []
    if len(files) == 1 and ultralytics.recognises(graph := Graph.read(files[0])):
        return ultralytics.draft(files[0], graph)
    raise CannotImport(
        "it is none of: a MONAI bundle (configs/metadata.json, configs/inference.json, models/model.onnx), a folder of "
        "nnU-Net v2 (dataset.json, plans.json, model.onnx), a folder of Hugging Face (config.json, "
        f"preprocessor_config.json, model.onnx), an ONNX file by Ultralytics. Of any other, {BY_HAND}"
    )


def _copy(source: Path, target: Path) -> None:
    if source.resolve() != target.resolve():
        shutil.copyfile(source, target)
