"""The committed experts are those that their modules make. Runs in the export environment: `make test-export`."""

import hashlib
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the export environment: make test-export")

import onnx  # noqa: E402
import onnxruntime as ort  # noqa: E402

from models.experts.export.__main__ import LIBRARY, card, export, graph, manifest  # noqa: E402
from models.experts.export.definition import Definition  # noqa: E402
from models.experts.export.definitions import DEFINITIONS  # noqa: E402
from models.experts.training.packaged import RECIPES  # noqa: E402

NEAR = 5e-5
NEAR_TORCH = {"fundus-vessels": 5e-4}
"""Where a map is divided by its mean size in the image, which may be 1e-4: sums of another order differ by more."""

Maps = Callable[[np.ndarray], list[np.ndarray]]
each = pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.name)


def operators(graph: onnx.GraphProto) -> Iterator[str]:
    """Of a graph and its branches, one for each node."""
    for node in graph.node:
        yield node.op_type
        for attribute in node.attribute:
            yield from operators(attribute.g)


def exported_anew() -> Iterator[str]:
    """Names of the smallest experts that together use every operator outside of branches.

    Exporting all takes two and a half times as long, a third of which that of one graph with branches takes.
    """
    used = {one.name: list(operators(onnx.load(LIBRARY / f"{one.name}.onnx").graph)) for one in DEFINITIONS}
    seen: set[str] = set()
    for name in sorted(used.keys() - BRANCHED, key=lambda name: (len(used[name]), name)):
        if not seen.issuperset(used[name]):
            yield name
        seen.update(used[name])


BRANCHED = {"histo-nuclei"}
"""Each of its branches is captured by a test of its own."""
ANEW = set(exported_anew())


def images(definition: Definition) -> list[np.ndarray]:
    """Noise, a step, and a disc, at odd sizes, in the range that the expert takes."""
    low, high = {"HU": (-1000.0, 1500.0), "SUVbw": (0.0, 12.0)}.get("".join(definition.units), (0.0, 255.0))
    random = np.random.default_rng(0)
    y, x = np.mgrid[:97, :131]
    disc = np.hypot(y - 40, x - 60) < 25
    found = [random.random((64, 64)), (x > 50).astype(float), 0.2 + 0.5 * disc + 0.1 * random.random(disc.shape)]
    return [
        np.repeat((low + (high - low) * one)[None, None], definition.channels, axis=1).astype(np.float32)
        for one in found
    ]


def opened(model: Path | bytes) -> Maps:
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    return lambda image: session.run(None, {"image": image})


def captured(definition: Definition) -> Maps:
    """The module as the exporter first captures it, for images of any size: a quarter of an export."""
    return by_torch(capture(definition.module.eval(), (torch.rand(1, definition.channels, 96, 128),)))


def capture(module: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> torch.nn.Module:
    sizes = tuple({2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO} for _ in given)
    return torch.export.export(module, given, dynamic_shapes=sizes).module()


def by_torch(module: torch.nn.Module) -> Maps:
    def maps(image: np.ndarray) -> list[np.ndarray]:
        with torch.no_grad():
            found = module(torch.from_numpy(image))
        return [one.numpy() for one in (found if isinstance(found, tuple) else (found,))]

    return maps


@each
def test_same_maps(definition: Definition) -> None:
    """The committed graph, the torch module and a fresh export, or what one begins with, give the same maps."""
    committed, module = opened(LIBRARY / f"{definition.name}.onnx"), by_torch(definition.module)
    anew = definition.name in ANEW
    fresh = opened(graph(definition)) if anew else module if definition.name in BRANCHED else captured(definition)
    near = NEAR_TORCH.get(definition.name, NEAR)
    for image in images(definition):
        for one, other, own in zip(committed(image), fresh(image), module(image), strict=True):
            np.testing.assert_allclose(one, other, atol=NEAR if anew else near)
            np.testing.assert_allclose(one, own, atol=near)
            assert np.isfinite(one).all()


class Branch(torch.nn.Module):
    """A function as a module, which alone can be captured."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.forward = function


@pytest.mark.parametrize("darker", [0.02, 0.5])
def test_nuclei_of_either_stain(darker: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph for nuclei runs one of its two rules, faint or strong, and does in each what that one does."""

    def chosen(strong: torch.Tensor, yes: Callable[..., Any], no: Callable[..., Any], given: tuple[Any, ...]) -> Any:
        return capture(Branch(yes if strong else no), given)(*given)

    monkeypatch.setattr(torch, "cond", chosen)
    (definition,) = (one for one in DEFINITIONS if one.name == "histo-nuclei")
    y, x = np.mgrid[:97, :131]
    image = 255 * (0.9 - darker * (np.hypot(y - 40, x - 60) < 25))
    image = np.repeat(image[None, None], 3, axis=1).astype(np.float32)
    faint, strong = opened(LIBRARY / "histo-nuclei.onnx")(image)
    assert [bool(one.any()) for one in (faint, strong)] == [darker < 0.1, darker > 0.1]
    for one, own in zip((faint, strong), by_torch(definition.module)(image), strict=True):
        np.testing.assert_allclose(one, own, atol=NEAR)


@each
def test_same_files(definition: Definition) -> None:
    """The committed manifest and card are the ones of today's definitions, for the committed graph."""
    data = (LIBRARY / f"{definition.name}.onnx").read_bytes()
    text = (LIBRARY / f"{definition.name}.toml").read_text(encoding="utf-8")
    assert text == manifest(definition, hashlib.sha256(data).hexdigest())
    assert (LIBRARY / f"{definition.name}.md").read_text(encoding="utf-8") == card(definition, len(data))
    assert tomllib.loads(text)["sha256"] == hashlib.sha256(data).hexdigest()


@each
def test_no_traces(definition: Definition) -> None:
    """The committed graph holds no notes of the machine that exported it, and is small."""
    path = LIBRARY / f"{definition.name}.onnx"
    model = onnx.load(path)
    assert not any(node.doc_string or node.metadata_props for node in model.graph.node)
    assert b"site-packages" not in path.read_bytes()
    assert path.stat().st_size < 128 * 1024


def test_nothing_else() -> None:
    """Every committed expert has a definition, or a recipe by which it is trained."""
    assert {path.stem for path in LIBRARY.iterdir()} == {one.name for one in (*DEFINITIONS, *RECIPES)}


def test_same_bytes(tmp_path: Path) -> None:
    """Exporting twice gives the same graph, byte for byte, in the file that is written."""
    (definition,) = (one for one in DEFINITIONS if one.name == "mr-signal")
    export(tmp_path, [definition])
    assert graph(definition) == (tmp_path / "mr-signal.onnx").read_bytes()
