"""An expert's ONNX files on ONNX Runtime: sessions, processors, threads, and what it is shown. Knows no labels."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from onnxruntime.capi import (
    onnxruntime_pybind11_state as ort_errors,  # pyright: ignore[reportAttributeAccessIssue]  # an extension, no stubs
)

from models.experts import manifest as manifests
from models.experts.batching import Batcher
from models.experts.candidates import Candidate, FloatImage, Proposal
from models.experts.external import Graph
from models.experts.faults import of_graph
from models.experts.features import LastFeatures
from models.experts.inputs import Floats, Prepared, prepare
from models.experts.manifest import BrokenExpert, Manifest
from models.experts.places import Within
from models.experts.volumes import Given, LastVolumes
from schemas.experts import ExpertRuntime
from schemas.regions import Box, Code, Embedding, Landmark, Opinion, VolumeFinding

_FAILURES: tuple[type[Exception], ...] = (
    ort_errors.Fail, ort_errors.InvalidArgument, ort_errors.RuntimeException, ort_errors.NotImplemented,
    ort_errors.EPFail, ort_errors.EngineError,
)  # fmt: skip
_LOAD_ERRORS: tuple[type[Exception], ...] = (*_FAILURES, ort_errors.InvalidGraph, ort_errors.InvalidProtobuf)

_PROVIDERS = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
TYPES: dict[str, npt.DTypeLike] = {
    "tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64, "tensor(uint8)": np.uint8,
}  # fmt: skip
"""Types of an input that an image can be given in."""
OTHER_TYPES: dict[str, npt.DTypeLike] = {**TYPES, "tensor(int64)": np.int64, "tensor(int32)": np.int32}
"""Types of an input that is given beside an image."""

_log = logging.getLogger(__name__)


class UnfitOutput(Exception):
    """An output that is not of the shape that the manifest promises."""


# A graph that keeps to no promise makes NumPy and OpenCV fail wherever its outputs are read.
RUN_ERRORS: tuple[type[Exception], ...] = (UnfitOutput, *_FAILURES, ValueError, IndexError, cv2.error, MemoryError)
"""What an expert that fails on an image raises."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a promptable expert is asked to outline, at the image's size."""

    box: Box
    label: str
    code: Code | None
    proposal: Proposal
    parts: int = 1
    """Of what was found, of which this is one."""
    widened: float = 0.0
    """Part of its width and height by which the box was moved out on each side."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What an expert is shown.

    `image`: (rows, columns) or (rows, columns, 3). `negated`: low values are shown bright, and the expert judges what
    is shown. `spacing`: mm between rows and between columns. `around`: slices beside it, by steps from it. `volume`:
    that it is a slice of.
    """

    image: FloatImage
    negated: bool = False
    spacing: tuple[float, float] | None = None
    prompts: tuple[Prompt, ...] = ()
    around: Mapping[int, FloatImage] = field(default_factory=dict[int, FloatImage])
    volume: Given | None = None

    @property
    def values(self) -> FloatImage:
        """The image as it is judged: high is bright."""
        return -self.image if self.negated else self.image


@dataclass(frozen=True, slots=True)
class Found:
    """What an expert found: candidates, how many smaller ones were left out, and what it outlined to look within.

    `volumes`: what it found in the whole volume. `opinions`: what it thinks of the whole image.
    `landmarks`: points that it names. `embeddings`: at most one.
    """

    candidates: list[Candidate]
    left_out: int = 0
    within: Within | None = None
    volumes: tuple[VolumeFinding, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    landmarks: tuple[Landmark, ...] = ()
    embeddings: tuple[Embedding, ...] = ()


@dataclass(frozen=True)
class Expert:
    """A manifest and its sessions, one a process: ONNX Runtime's sessions may run in several threads at once.

    `batched`: the graph takes several images at once. `decoder`: of a promptable expert. `weights`: digest of the
    external data of its graphs, which the manifest does not hold; empty where they have none.
    """

    manifest: Manifest
    session: ort.InferenceSession
    dtype: npt.DTypeLike = np.float32
    batched: bool = False
    decoder: ort.InferenceSession | None = None
    batcher: Batcher | None = field(default=None, compare=False, repr=False)
    weights: str = ""
    volumes: LastVolumes = field(default_factory=LastVolumes, compare=False, repr=False)
    features: LastFeatures[dict[str, ort.OrtValue]] = field(
        default_factory=LastFeatures[dict[str, ort.OrtValue]], compare=False, repr=False
    )

    @classmethod
    def load(cls, path: Path, runtime: ExpertRuntime | None = None) -> "Expert":
        """The expert whose manifest is at `path`. Raises BrokenExpert."""
        runtime = runtime or ExpertRuntime()
        manifest, files = manifests.read(path)
        wide = manifest.decoding is not None
        sessions = [open_session(name, graph, runtime, wide=wide) for name, graph in files.items()]
        given = [one for one in sessions[0].get_inputs() if one.name == manifest.input.name]
        kind = given[0].type if given else ""
        if kind not in TYPES:
            takes = ", ".join(f"{one.name!r} of {one.type}" for one in sessions[0].get_inputs())
            raise BrokenExpert(
                f"The graph of {path.stem} has no input {manifest.input.name!r} of float, float16, double or "
                f"uint8, but {takes}: name it in [input], or export it for such numbers."
            )
        axes = [one.shape[0] if one.shape else 1 for one in (*given, *sessions[0].get_outputs())]
        batched = manifest.input.layout != "CHW" and not any(isinstance(axis, int) for axis in axes)
        # Tensors of several messages go through a graph at once: what belongs to one of them would have to go along.
        batched &= not manifest.input.others
        batcher = Batcher(runtime.batch, runtime.batch_wait_ms / 1000) if batched and runtime.batch > 1 else None
        weights = "".join(graph.digest for graph in files.values())
        return cls(manifest, sessions[0], TYPES[kind], batched, sessions[1] if sessions[1:] else None, batcher, weights)

    def prepare(self, sight: Sight) -> Prepared:
        """What the graph is given of an image."""
        around = {steps: -one if sight.negated else one for steps, one in sight.around.items()}
        return prepare(sight.values, self.manifest.input, sight.spacing, around)

    def given(self, batch: Floats) -> npt.NDArray[Any]:
        """Tensors (n, channels, rows, columns) in the layout and of the type of the graph's input."""
        layout = self.manifest.input.layout
        given = batch.transpose(0, 2, 3, 1) if layout == "NHWC" else batch[0] if layout == "CHW" else batch
        return np.ascontiguousarray(given, self.dtype)

    def run(self, batch: Floats, names: Sequence[str], others: Mapping[str, Floats] | None = None) -> list[Floats]:
        """Outputs for tensors (n, channels, rows, columns): each (n, …), maps as (n, channels, rows, columns).

        `others`: what goes with them, by the input's name: each (n, …).
        """
        others = others or {}
        if len(batch) > 1 and not self.batched:
            each = [
                self.run(batch[n : n + 1], names, {name: one[n : n + 1] for name, one in others.items()})
                for n in range(len(batch))
            ]
            return [np.concatenate(parts) for parts in zip(*each, strict=True)]
        layout, given = self.manifest.input.layout, self.given(batch)
        outputs = (
            self._session_run(list(names), given, self._beside(others))
            if self.batcher is None
            else self.batcher.run(tuple(names), given, self._session_run)
        )
        maps = (one.transpose(0, 3, 1, 2) if layout == "NHWC" and one.ndim == 4 else one for one in outputs)
        return [np.asarray(one, np.float32) for one in maps]

    def encode(self, batch: Floats) -> dict[str, ort.OrtValue]:
        """All outputs for one image's tensor (1, channels, rows, columns), by name, left where the graph ran.

        Those of the images encoded last are kept: however many prompts there are and whenever they come, each is
        encoded once.
        """
        given, names = self.given(batch), [output.name for output in self.session.get_outputs()]
        return self.features.of(given, lambda: bound(self.session, {self.manifest.input.name: given}, names))

    def _beside(self, others: Mapping[str, Floats]) -> dict[str, npt.NDArray[Any]]:
        """Further inputs of the type and rank that the graph has them in: one of a single axis is of one image."""
        found: dict[str, npt.NDArray[Any]] = {}
        for one in self.session.get_inputs() if others else ():
            if one.name in others:
                values = others[one.name]
                values = values[0] if len(one.shape) == values.ndim - 1 else values
                found[one.name] = np.ascontiguousarray(values, OTHER_TYPES.get(one.type, np.float32))
        return found

    def _session_run(
        self, names: Sequence[str], given: npt.NDArray[Any], others: Mapping[str, npt.NDArray[Any]] | None = None
    ) -> list[npt.NDArray[Any]]:
        fed = {self.manifest.input.name: given, **(others or {})}
        return cast(list[npt.NDArray[Any]], self.session.run(names, fed))


def open_session(name: str, graph: Graph, runtime: ExpertRuntime, *, wide: bool) -> ort.InferenceSession:
    """A session on the first processor that takes the graph. `wide`: it has many channels. Raises BrokenExpert."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = runtime.threads or 1
    options.inter_op_num_threads = 1
    # Threads that wait by spinning take the cores from other sessions and messages.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The layouts beyond EXTENDED are for many channels: with one they take up to three times as long, a U-Net of real
    # size takes a fifth less.
    level = ort.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if wide else level.ORT_ENABLE_EXTENDED
    if external := graph.external:
        data = list(external.values())
        options.add_external_initializers_from_files_in_memory(list(external), data, [len(each) for each in data])
    options.log_severity_level = 4  # its warnings quote graph internals; failures come as exceptions
    wanted = [word for word in runtime.order if _PROVIDERS[word] in ort.get_available_providers()] or ["cpu"]
    engines: dict[str, Any] = (
        {} if runtime.engines is None
        else {"trt_engine_cache_enable": True, "trt_engine_cache_path": str(runtime.engines)}
    )  # fmt: skip
    providers: list[Any] = [(_PROVIDERS[word], engines) if word == "tensorrt" else _PROVIDERS[word] for word in wanted]
    try:
        session = ort.InferenceSession(graph.data, options, providers=providers)
    except _LOAD_ERRORS as error:
        raise BrokenExpert(f"ONNX Runtime cannot load {name}: {of_graph(graph.data, error)}") from error
    _say(wanted[0], session.get_providers()[0])
    return session


def bound(
    session: ort.InferenceSession, given: Mapping[str, npt.NDArray[Any] | ort.OrtValue], names: Sequence[str]
) -> dict[str, ort.OrtValue]:
    """Outputs by name, left on the processor that made them.

    What one graph hands to another, once for each prompt, is so copied neither from a GPU nor back to it.
    """
    device = "cpu" if session.get_providers()[0] == _PROVIDERS["cpu"] else "cuda"
    binding = session.io_binding()
    for name, value in given.items():
        if isinstance(value, ort.OrtValue):
            binding.bind_ortvalue_input(name, value)
        else:
            binding.bind_cpu_input(name, value)
    for name in names:
        binding.bind_output(name, device)
    session.run_with_iobinding(binding)
    return dict(zip(names, binding.get_outputs(), strict=True))


@lru_cache
def _say(wanted: str, provider: str) -> None:
    """Once a process, and for each fall back, where experts run."""
    if provider == _PROVIDERS[wanted]:
        _log.info("experts run on", extra={"processor": wanted})
    else:
        _log.warning("experts do not run where they should", extra={"wanted": wanted, "provider": provider})


def cores() -> int:
    """Cores that this process may use. A container's limit on processor time is not one on cores."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
