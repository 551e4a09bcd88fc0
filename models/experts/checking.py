"""Whether an expert keeps what its manifest promises: files, graph, sample run. Knows nothing of who asks."""

import hashlib
import statistics
import time
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnxruntime as ort
from pydantic import ValidationError

from models.experts.adapters import look
from models.experts.candidates import FloatImage, Proposal
from models.experts.decodings import (
    Classifier,
    Embedder,
    Promptable,
    Volumetric,
)
from models.experts.external import NoExternalData, read_graph
from models.experts.faults import of_manifest
from models.experts.inputs import Floats, Prepared, prepare
from models.experts.manifest import BrokenExpert, Manifest, parse
from models.experts.phantoms import DRAWN, draw
from models.experts.points import Landmarks
from models.experts.promises import Promise, shapes, wanted
from models.experts.running import RUN_ERRORS, Expert, Found, Prompt, Sight
from models.experts.volumes import Channel, Ends, Given
from schemas.experts import ExpertRuntime
from schemas.images import Modality
from schemas.regions import Box

ROUNDS = 5
"""Runs of which the latency is the median."""
SIDE = 256
"""px of the sample, where the manifest takes that."""
_NO_LICENCE = {"", "unknown", "none", "tbd", "todo"}


def check(path: Path, runtime: ExpertRuntime | None = None) -> Iterator[Promise]:
    """Each promise in turn, until one is broken without which the next cannot be looked at."""
    try:
        manifest = parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        yield Promise("the manifest is TOML", False, str(error))
        return
    except ValidationError as error:
        for at, what in of_manifest(error, Manifest):
            place = ".".join(str(part) for part in at) or "the whole"
            graph = path.with_suffix(".onnx")
            asked = at == ("sha256",) and graph.is_file()
            remedy = f'That of {graph.name} is "{_digest(graph)}"' if asked else ""
            yield Promise("the manifest is valid", False, f"{place}: {what}", remedy)
        return
    yield Promise("the manifest is valid", True, f"{manifest.expert}, {manifest.title}")
    yield Promise("it is named as its file", path.stem == manifest.name, f"{path.stem} and {manifest.name}")
    yield Promise("the licence is told", manifest.licence.strip().lower() not in _NO_LICENCE, repr(manifest.licence))
    whole = True
    for name, promised in ((f"{path.stem}.onnx", manifest.sha256), *manifest.beside.items()):
        digest = _digest(path.with_name(name))
        whole &= digest == promised
        yield Promise(f"sha256 of {name}", digest == promised, digest)
    if not whole:
        return
    try:
        for name in (f"{path.stem}.onnx", *manifest.beside):
            graph = read_graph(path.with_name(name))
            for external, data in graph.external.items():
                digest = hashlib.sha256(data).hexdigest()
                yield Promise(f"external data {external}", True, f"{len(data):,} bytes, sha256 {digest}")
    except NoExternalData as error:
        yield Promise("external data is below its folder", False, str(error))
        return
    try:
        expert = Expert.load(path, runtime)
    except BrokenExpert as error:
        yield Promise("ONNX Runtime loads it", False, str(error))
        return
    yield Promise("ONNX Runtime loads it", True, expert.session.get_providers()[0])
    inputs = list(_input(expert))
    yield from inputs
    given = [one.name for one in expert.session.get_outputs()]
    missing = wanted(manifest) - set(given)
    yield Promise(
        "the outputs are there", not missing, ", ".join(sorted(missing or wanted(manifest) or given)),
        f"The graph gives {', '.join(given)}: name one of these in [decoding]",
    )  # fmt: skip
    if missing or not all(one.kept for one in inputs):
        return
    yield from _on_sample(expert)


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return "no such file beside the manifest"


def _input(expert: Expert) -> Iterator[Promise]:
    contract, inputs = expert.manifest.input, cast(list[Any], expert.session.get_inputs())
    told = {contract.name, *(one.name for one in contract.others)}
    whole = told == {one.name for one in inputs}
    what = f"{contract.name!r} is the only input" if not contract.others else "its inputs are those of the manifest"
    yield Promise(
        what, whole, ", ".join(one.name for one in inputs),
        "The graph's further inputs are told in [[input.others]]: docs/own-experts.md, What goes in",
    )  # fmt: skip
    (given,) = (one for one in inputs if one.name == contract.name)
    axes = "NCDHW" if contract.volume else contract.layout
    shape = dict(zip(axes, given.shape, strict=False))
    whole = len(given.shape) == len(axes)
    yield Promise(f"it is {axes}", whole, f"{given.type} {given.shape}", _axes_to_write(len(given.shape)))
    if not whole:
        return
    many = shape.get("N", 1)
    yield Promise(
        "it takes one image at a time", not isinstance(many, int) or many == 1, f"{given.shape}",
        "Export it with a batch of 1, or with an open first axis (dynamic_axes)",
    )  # fmt: skip
    channels = shape["C"]
    yield Promise(
        f"it has {contract.depth} channels", channels in (contract.depth, None) or isinstance(channels, str),
        str(channels), _channels_to_write(shape),
    )  # fmt: skip
    if contract.volume:
        patch = contract.volume.patch
        sides = [shape[axis] for axis in "DHW"]
        fits = all(not isinstance(one, int) or one == side for one, side in zip(sides, patch, strict=True))
        yield Promise(
            f"it takes windows of {_times(patch)} voxels: patch", fits, _times(sides),
            f"Write patch = {list(sides)} in [input.volume]",
        )  # fmt: skip
        return
    if _last_has_channels(shape):
        return
    size, sides = contract.size, (shape["H"], shape["W"])
    if size.height is not None:
        fits = all(not isinstance(one, int) or one == side for one, side in zip(sides, (size.height, size.width)))  # noqa: B905
        yield Promise(
            f"it takes {size.height} × {size.width} px", fits, f"{sides[0]} × {sides[1]}",
            f"Write height = {sides[0]}, width = {sides[1]} in size",
        )  # fmt: skip
    else:
        dynamic = not any(isinstance(one, int) for one in sides)
        yield Promise(
            "it takes any size, as 'keep' and 'longest side' give", dynamic, f"{sides[0]} × {sides[1]}",
            f'Write size = {{ policy = "stretch", height = {sides[0]}, width = {sides[1]} }}, or "letterbox", "tiles"',
        )  # fmt: skip


def _axes_to_write(axes: int) -> str:
    if axes == 5:
        return 'A graph of three dimensions has kind = "volume" and a table [input.volume]: docs/own-experts.md'
    if axes == 3:
        return 'An input without a batch has layout = "CHW"'
    return 'layout is "NCHW", or "NHWC" as Keras has it; without [input.volume] a graph has two dimensions'


def _channels_to_write(shape: Mapping[str, object]) -> str:
    """By the graph's input as it was read: lengths by their axes."""
    if _last_has_channels(shape):
        return f'Its last axis has {shape["W"]}: write layout = "NHWC" in [input], as Keras and tf2onnx have it'
    if "D" in shape:
        if shape["C"] == 1:
            return "Write channels = 1 in [input]"
        return (
            f'Name its {shape["C"]} channels in their order, as channels = ["FLAIR", "T1", …] in [input]: '
            "docs/own-experts.md, Several channels"
        )
    if shape["C"] in (1, 3):
        return f"Write channels = {shape['C']} in [input]"
    return f"Write slices = {shape['C']} in [input] where these are neighbouring slices; other channels cannot be given"


def _last_has_channels(shape: Mapping[str, object]) -> bool:
    return shape["C"] not in (1, 3) and shape.get("W") in (1, 3) and "D" not in shape


def _times(sides: Iterable[object]) -> str:
    return " × ".join(map(str, sides))


def sample(manifest: Manifest) -> tuple[FloatImage, str]:
    """An image that the expert takes, and what it is: a phantom of its modality where there is one."""
    contract = manifest.input
    side = max(128, min(max(SIDE, contract.shortest_side), contract.longest_side))
    drawn = cast(list[Modality], [modality for modality in manifest.modalities if modality in DRAWN])
    if drawn:
        phantom = draw(drawn[0], side=side)
        values, what = phantom.values, f"a phantom of {drawn[0]}, {side} × {side} px, in {phantom.unit}"
    else:
        values = np.random.default_rng(0).uniform(0, 255, (side, side)).astype(np.float32)
        what = f"noise, {side} × {side} px: there is no phantom of {manifest.modalities[0]}"
    if contract.channels == 1 and values.ndim == 3:
        values = values.mean(axis=2, dtype=np.float32)
    if contract.channels == 3 and values.ndim == 2 and not contract.grey_as_colour:
        values = np.repeat(values[:, :, None], 3, axis=2)
    return np.ascontiguousarray(values, np.float32), what


def _on_sample(expert: Expert) -> Iterator[Promise]:
    manifest = expert.manifest
    if manifest.input.volume is not None:
        yield from _on_volume(expert, manifest.input.volume.patch, manifest.input.depth)
        return
    image, what = sample(manifest)
    box = Box(x=image.shape[1] // 4, y=image.shape[0] // 4, width=image.shape[1] // 2, height=image.shape[0] // 2)
    sight = Sight(image, spacing=(1.0, 1.0), prompts=(Prompt(box, "sample", None, Proposal("source", box)),))
    prepared = prepare(image, manifest.input, sight.spacing)
    names = sorted(wanted(manifest)) or [one.name for one in expert.session.get_outputs()]
    try:
        outputs = dict(zip(names, expert.run(prepared.batch[:1], names, _first(prepared.others)), strict=True))
    except RUN_ERRORS as error:
        yield Promise(f"it runs on {what}", False, f"{type(error).__name__}: {error}")
        return
    yield Promise(f"it runs on {what}", True, ", ".join(f"{name} {outputs[name].shape}" for name in names))
    kept = list(shapes(manifest, outputs, prepared.batch[:1]))
    yield from kept
    if expert.batched and not isinstance(manifest.decoding, Promptable):
        yield _batch_agrees(expert, prepared.batch[:1], outputs)
    if not all(one.kept for one in kept):
        return
    took: list[float] = []
    found = None
    for _ in range(ROUNDS):
        # Each round is of an image that was not seen before.
        expert.features.forget()
        started = time.perf_counter()
        try:
            found = look(expert, sight)
        except RUN_ERRORS as error:
            yield Promise("its outputs can be read", False, type(error).__name__)
            return
        took.append(time.perf_counter() - started)
    yield Promise(
        "its outputs can be read", True,
        f"{_count(manifest, found)}; {1000 * statistics.median(took):.1f} ms an image, {_of_graph(expert, prepared)}",
    )  # fmt: skip


def _count(manifest: Manifest, found: Found | None) -> str:
    if found is None:
        return "nothing"
    if isinstance(manifest.decoding, Classifier):
        return f"{len(found.opinions)} opinions"
    if isinstance(manifest.decoding, Embedder):
        return f"a vector of {len(found.embeddings[0].values)} numbers"
    if isinstance(manifest.decoding, Landmarks):
        return f"{len(found.landmarks)} of {len(manifest.labels)} landmarks"
    return f"{len(found.candidates)} regions"


def _on_volume(expert: Expert, patch: tuple[int, int, int], channels: int) -> Iterator[Promise]:
    """A window of noise through the graph, and a volume of two windows along each axis."""
    decoding = cast(Volumetric, expert.manifest.decoding)
    window = np.random.default_rng(0).uniform(0, 1, (1, channels, *patch)).astype(np.float32)
    try:
        started = time.perf_counter()
        (maps,) = expert.run(window, [decoding.output])
        took = time.perf_counter() - started
    except RUN_ERRORS as error:
        yield Promise(f"it runs on noise of {_times(patch)} voxels", False, f"{type(error).__name__}: {error}")
        return
    yield Promise(f"it runs on noise of {_times(patch)} voxels", True, f"{decoding.output} {maps.shape}, {took:.2f} s")
    outputs = {decoding.output: maps}
    kept = [
        *shapes(expert.manifest, outputs, window),
        Promise(f"{decoding.output} is of the window's size", maps.shape[2:] == patch, str(maps.shape)),
    ]
    yield from kept
    if not all(one.kept for one in kept):
        return
    values = np.random.default_rng(0).uniform(0, 1000, [side + side // 2 for side in patch]).astype(np.float32)
    shape = (values.shape[0], values.shape[1], values.shape[2])
    ends: Ends = ("head", "posterior", "patient left")
    # Channels that differ: what is given in another order gives another answer.
    named = {
        name: Channel(f"{n:032x}", partial(np.roll, values, n, 0)) for n, name in enumerate(expert.manifest.input.named)
    }
    given = Given("0" * 32, 0, shape, (1.0, 1.0, 1.0), ends, lambda: values, named)
    started = time.perf_counter()
    try:
        found = look(expert, Sight(values[0], spacing=(1.0, 1.0), volume=given))
    except RUN_ERRORS as error:
        yield Promise("its outputs can be read", False, f"{type(error).__name__}: {error}")
        return
    took = time.perf_counter() - started
    yield Promise(
        "its outputs can be read", True,
        f"{len(found.volumes)} labels in noise of {_times(shape)} mm, {took:.2f} s (ONNX Runtime {ort.__version__})",
    )  # fmt: skip


def _first(others: Mapping[str, Floats]) -> dict[str, Floats]:
    """What goes with the first tensor."""
    return {name: one[:1] for name, one in others.items()}


def _of_graph(expert: Expert, prepared: Prepared) -> str:
    names = sorted(wanted(expert.manifest)) or [one.name for one in expert.session.get_outputs()]
    took: list[float] = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        expert.run(prepared.batch, names, prepared.others)
        took.append(time.perf_counter() - started)
    return f"{1000 * statistics.median(took):.1f} ms of them in the graph (ONNX Runtime {ort.__version__})"


def _batch_agrees(expert: Expert, batch: Floats, alone: Mapping[str, Floats]) -> Promise:
    """A graph whose first axis is dynamic must give each image of a batch what it gives it alone."""
    names = list(alone)
    other = batch[:, :, ::-1, ::-1]
    together = expert.run(np.concatenate([other, batch]), names)
    # Sums in another order differ in the last digits.
    apart = max(float(np.abs(two[1:] - alone[name]).max(initial=0)) for name, two in zip(names, together, strict=True))
    scale = max(1.0, max(float(np.abs(one).max(initial=0)) for one in alone.values()))
    return Promise(
        "images of a batch do not change each other", apart <= 1e-3 * scale, f"largest difference {apart:.2g}"
    )
