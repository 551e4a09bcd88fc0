"""Images of several messages through one graph at once, within a bound on waiting. Knows no graph and no image."""

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Run = Callable[[Sequence[str], Array], list[Array]]


@dataclass(slots=True)
class _Batch:
    """Tensors that go together, and what came of them."""

    tensors: list[Array] = field(default_factory=list[Array])
    images: int = 0
    closed: bool = False
    done: threading.Event = field(default_factory=threading.Event)
    outputs: list[Array] = field(default_factory=list[Array])
    error: BaseException | None = None


class Batcher:
    """Collects tensors of one shape from several threads. The first of a batch runs it, once it is full or time is up.

    Args:
        most: images in a batch.
        wait_s: that the first of them waits for others.
    """

    def __init__(self, most: int, wait_s: float) -> None:
        self._most, self._wait_s = most, wait_s
        self._changed = threading.Condition()
        self._open: dict[Hashable, _Batch] = {}

    def run(self, names: tuple[str, ...], tensors: Array, run: Run) -> list[Array]:
        """Outputs, by `names`, for tensors (n, …): each (n, …). An error of a batch is raised to all who are in it."""
        key = (names, tensors.shape[1:], tensors.dtype)
        with self._changed:
            batch = self._open.get(key)
            leads = batch is None or batch.images + len(tensors) > self._most
            if batch is None or leads:
                if batch is not None:
                    self._close(key, batch)
                batch = self._open[key] = _Batch()
            start = batch.images
            batch.tensors.append(tensors)
            batch.images += len(tensors)
            if batch.images >= self._most:
                self._close(key, batch)
            if leads:
                until = time.monotonic() + self._wait_s
                while not batch.closed and (left := until - time.monotonic()) > 0:
                    self._changed.wait(left)
                self._close(key, batch)
        if leads:
            try:
                batch.outputs = run(names, np.concatenate(batch.tensors) if batch.tensors[1:] else tensors)
            except BaseException as error:
                batch.error = error
                raise
            finally:
                batch.done.set()
        else:
            batch.done.wait()
            if batch.error is not None:
                raise batch.error
        return [one[start : start + len(tensors)] for one in batch.outputs]

    def _close(self, key: Hashable, batch: _Batch) -> None:
        batch.closed = True
        if self._open.get(key) is batch:
            del self._open[key]
        self._changed.notify_all()
