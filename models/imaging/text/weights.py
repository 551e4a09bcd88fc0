"""Where the two models lie: the line finder in this folder, the recogniser in the package that brings it.

The package is not imported, and its other dependencies need not be there: only its file is read.
"""

import hashlib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

from schemas.failures import Unavailable

PACKAGE = "rapidocr"
RECOGNISER = "rapidocr/models/PP-OCRv6_rec_small.onnx"
RECOGNISER_SHA256 = "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"
"""Of the file that the figures of docs/burned-in-text.md were measured with. What masks names must not change with a
lock file."""
FINDER = Path(__file__).parent / "lines.onnx"


class MissingWeights(Unavailable):
    """The recogniser is not installed, or is another one. No image is to blame: all wait until it is mended."""


@lru_cache(maxsize=1)
def recogniser() -> Path:
    """The recogniser's ONNX file.

    Raises:
        MissingWeights: it says how to bring it.
    """
    try:
        path = next((file for file in files(PACKAGE) or () if file.as_posix() == RECOGNISER), None)
    except PackageNotFoundError:
        path = None
    if path is None:
        raise MissingWeights(
            "Text in pixels cannot be read without the weights that the package rapidocr brings. Install them with "
            "'pip install tristream[text]', or by requirements/pipeline.lock."
        )
    found = Path(str(path.locate()))
    if hashlib.sha256(found.read_bytes()).hexdigest() != RECOGNISER_SHA256:
        raise MissingWeights(
            "The recogniser of the installed rapidocr is another one than was measured. Install the version that "
            "pyproject.toml names."
        )
    return found


def session_of(model: Path | bytes) -> Any:
    """An ONNX Runtime session on one thread of the processor, of a file or of its content."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # Pictures differ in size, and the arena would keep the memory of each.
    options.log_severity_level = 4
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
