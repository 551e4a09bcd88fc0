"""What every encoder in ONNX needs: a session on a graph, and its tokenizer. Knows nothing of vectors."""

import onnxruntime as ort
from onnxruntime.capi import (
    onnxruntime_pybind11_state as ort_errors,  # pyright: ignore[reportAttributeAccessIssue]  # an extension, no stubs
)
from tokenizers import Tokenizer

LOAD_ERRORS: tuple[type[Exception], ...] = (
    ort_errors.Fail, ort_errors.InvalidArgument, ort_errors.InvalidGraph, ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented, ort_errors.RuntimeException,
)  # fmt: skip
"""What ONNX Runtime raises for a graph that it cannot run."""


def session_of(graph: bytes, threads: int) -> ort.InferenceSession:
    """A session, which several threads may use at once, of `threads` within one batch. Raises one of LOAD_ERRORS."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return ort.InferenceSession(graph, options, providers=ort.get_available_providers())


def tokenizer_of(data: bytes, length: int) -> Tokenizer:
    """A tokenizer that pads and cuts to `length` tokens."""
    tokenizer = Tokenizer.from_buffer(data)
    # Of a title and its text, the longer gives way, as in the original's truncation.
    tokenizer.enable_truncation(length, strategy="longest_first")
    tokenizer.enable_padding(pad_id=tokenizer.token_to_id("[PAD]") or 0, pad_token="[PAD]")  # noqa: S106 - no password
    return tokenizer
