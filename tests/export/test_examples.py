"""The committed example graphs are what their modules make. Runs in the export environment: `make test-export`."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the export environment: make test-export")

import onnxruntime as ort  # noqa: E402

from models.experts.export.examples import EXAMPLES, graph  # noqa: E402

GRAPHS = Path(__file__).parents[1] / "models" / "experts" / "graphs"


def test_nothing_else() -> None:
    """Every committed graph has a module, and is small."""
    assert {path.stem for path in GRAPHS.glob("*.onnx")} == set(EXAMPLES)
    assert all(path.stat().st_size < 50_000 for path in GRAPHS.iterdir())


@pytest.mark.parametrize("name", ["unet"])
def test_same_outputs(name: str) -> None:
    """The committed graph, a fresh export and the torch module give the same to within 1e-5."""
    module, inputs, takes, _, _ = EXAMPLES[name]
    feeds = dict(zip(takes, (one.numpy() for one in inputs), strict=True))
    committed, fresh = (
        ort.InferenceSession(data, providers=["CPUExecutionProvider"]).run(None, feeds)
        for data in ((GRAPHS / f"{name}.onnx").read_bytes(), graph(name))
    )
    with torch.no_grad():
        outputs = module(*inputs)
    for one, other, own in zip(committed, fresh, outputs if isinstance(outputs, tuple) else (outputs,), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
        np.testing.assert_allclose(one, own.numpy(), atol=1e-5)
