"""What an encoder made of the images looked at last, for other prompts of the same. Knows no ONNX Runtime."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

Features = TypeVar("Features")


class LastFeatures(Generic[Features]):
    """Features of the images that an encoder was given last. Safe to share between threads.

    An image is known by a digest of the tensor that is made of it, as `image_id` is one of its pixels: shown in the
    same way again it is the same, and shown in another it is encoded anew.

    Args:
        most: how many are kept; of SAM's encoder each takes 4 MB.
    """

    def __init__(self, most: int = 4) -> None:
        self._most = most
        self._kept: OrderedDict[bytes, Features] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, tensor: npt.NDArray[Any], encode: Callable[[], Features]) -> Features:
        """Those of `tensor`, which `encode` makes where it is none of the last. Raises what `encode` does."""
        digest = hashlib.sha256(f"{tensor.shape} {tensor.dtype}".encode())
        digest.update(np.ascontiguousarray(tensor).data)
        name = digest.digest()
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
        # Not under the lock: images side by side are hardly ever the same, and would wait for each other.
        made = encode()
        with self._lock:
            self._kept[name] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made

    def forget(self) -> None:
        """The next image is encoded anew, whichever it is."""
        with self._lock:
            self._kept.clear()
