"""Images of several messages through one graph at once."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from models.experts.batching import Batcher
from models.experts.running import Expert
from schemas.experts import ExpertRuntime
from tests.models.experts.adapters.examples import GRAPHS, disc, seen


class _Doubling:
    """Doubles what it is given, and remembers how much that was."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, names: Sequence[str], tensors: np.ndarray) -> list[np.ndarray]:
        self.sizes.append(len(tensors))
        return [2 * tensors]


def test_threads_share_a_run() -> None:
    """As many as fit go together, and each gets its own back."""
    batcher, run, ready = Batcher(4, 10.0), _Doubling(), threading.Barrier(4)

    def one(value: int) -> float:
        ready.wait()
        (output,) = batcher.run(("out",), np.full((1, 2), value, np.float32), run)
        return float(output[0, 1])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(4))) == [0.0, 2.0, 4.0, 6.0]
    assert run.sizes == [4]


def test_waits_no_longer_than_told() -> None:
    """One alone is run when its time is up; what has another shape is another batch."""
    batcher, run = Batcher(8, 0.01), _Doubling()
    with ThreadPoolExecutor(2) as pool:
        shapes = [(1, 2), (3, 5)]
        outputs = list(pool.map(lambda shape: batcher.run(("out",), np.ones(shape, np.float32), run)[0].shape, shapes))
    assert outputs == shapes
    assert sorted(run.sizes) == [1, 3]


def test_an_error_is_everyones() -> None:
    """Where a batch fails each of its images fails, none waits for ever, and the next batch is unharmed."""
    batcher, ready = Batcher(2, 10.0), threading.Barrier(2)

    def failing(names: Sequence[str], tensors: np.ndarray) -> list[np.ndarray]:
        raise ValueError("no")

    def one(_: int) -> str:
        ready.wait()
        try:
            batcher.run(("out",), np.ones((1, 2), np.float32), failing)
        except ValueError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(one, range(2))) == ["no", "no"]
    assert batcher.run(("out",), np.ones((2, 1), np.float32), _Doubling())[0].shape == (2, 1)


def test_same_regions_batched() -> None:
    """Many threads with batching find what one finds without."""
    images = []
    for radius in (20, 30, 40, 45):
        image = np.full((128, 128), -1000.0, np.float32)
        image[disc(image.shape, 60, 60, radius)] = 0.0
        images.append(image)
    plain = Expert.load(GRAPHS / "unet.toml")
    batched = Expert.load(GRAPHS / "unet.toml", ExpertRuntime(batch=4, batch_wait_ms=50))
    assert batched.batcher is not None
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: seen(batched, image).candidates, images))
    for image, found in zip(images, together, strict=True):
        (alone,) = seen(plain, image).candidates
        (one,) = found
        assert one.component.area_px == alone.component.area_px
        assert one.component.score == pytest.approx(alone.component.score, rel=1e-5)


def test_fixed_batch_is_not_batched() -> None:
    """A graph that takes one image is never given two."""
    assert Expert.load(GRAPHS / "yolo.toml", ExpertRuntime(batch=4)).batcher is None


def test_runtime_refuses_what_it_cannot_do() -> None:
    """A misspelt provider and no threads are said at once."""
    with pytest.raises(ValueError, match="tensorrt, cuda, cpu"):
        ExpertRuntime(processors="gpu")
    with pytest.raises(ValueError, match="at least 1"):
        ExpertRuntime(batch=0)
