"""Which experts there are, which fit an image, what they find in it. Knows nothing of how experts are made."""

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from onnxruntime.capi import (
    onnxruntime_pybind11_state as ort_errors,  # pyright: ignore[reportAttributeAccessIssue]  # an extension, no stubs
)

from models.experts import manifest as manifests
from models.experts.annotated import as_annotated, marked
from models.experts.distributions import distribute
from models.experts.manifest import BrokenExpert, Manifest
from models.experts.places import Within
from models.experts.regions import (
    MEASUREMENT_VERSION,
    BinaryImage,
    Candidate,
    FloatImage,
    Measured,
    components,
    foreground,
    intensity,
    measure,
    named,
    unmasked,
    whole_image,
)
from models.experts.relations import relate
from models.experts.terms import TERMS_DIGEST
from schemas.images import ImageMetadata, SourceAnnotation
from schemas.regions import ExpertRun, Grounding

PACKAGED = Path(__file__).parent / "library"

_RUN_ERRORS: tuple[type[Exception], ...] = (
    ort_errors.Fail, ort_errors.InvalidArgument, ort_errors.RuntimeException, ort_errors.NotImplemented,
    ort_errors.EPFail, ort_errors.EngineError,
)  # fmt: skip
_LOAD_ERRORS: tuple[type[Exception], ...] = (*_RUN_ERRORS, ort_errors.InvalidGraph, ort_errors.InvalidProtobuf)

_CONTRAST = {"any": 0, "brighter": 1, "darker": -1}

_log = logging.getLogger(__name__)


def _providers() -> list[str]:
    return [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in ort.get_available_providers()]


class _UnfitOutput(Exception):
    """A map that is not of the image's size."""


@dataclass(frozen=True)
class Expert:
    """A manifest and its session. ONNX Runtime sessions may run in several threads at once."""

    manifest: Manifest
    session: ort.InferenceSession

    @classmethod
    def load(cls, path: Path, threads: int) -> "Expert":
        """The expert whose manifest is at `path`; raises BrokenExpert."""
        manifest, graph = manifests.read(path)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # The layouts beyond EXTENDED are for many channels: with one they take up to three times as long.
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.log_severity_level = 4  # its warnings quote graph internals; failures come as exceptions
        try:
            session = ort.InferenceSession(graph, options, providers=_providers())
        except _LOAD_ERRORS as error:
            raise BrokenExpert(f"ONNX Runtime cannot load {path.stem}.onnx: run 'make experts'.") from error
        return cls(manifest, session)

    def look(self, image: FloatImage, *, negated: bool) -> tuple[list[Candidate], int, Within | None]:
        """Candidates in `image` (rows, columns) or (rows, columns, 3), and how many smaller ones were left out.

        The third is what the expert outlined to look within, at the image's size. `negated`: low values are shown
        bright, and the expert judges what is shown.
        """
        contract, size = self.manifest.input, (image.shape[0], image.shape[1])
        scale = min(1.0, contract.longest_side / max(size))
        working = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
        reduced = image if working == size else cv2.resize(image, working[::-1], interpolation=cv2.INTER_AREA)
        batch = np.ascontiguousarray(np.atleast_3d(-reduced if negated else reduced).transpose(2, 0, 1)[None])

        names = [output.name for output in self.manifest.outputs]
        within = self.manifest.foreground
        maps = cast(list[FloatImage], self.session.run([*names, within.output] if within else names, {"image": batch}))
        if any(one.shape != (1, 1, *working) for one in maps[: len(names)]):
            raise _UnfitOutput
        mask = None
        if within is not None:
            body = cast(BinaryImage, (maps[-1][0, 0] > 0.5).astype(np.uint8))
            mask = foreground(body, within.min_part_of_largest, within.margin)
            if mask.shape != working:
                mask = cast(BinaryImage, cv2.resize(mask, working[::-1], interpolation=cv2.INTER_NEAREST))

        found: list[Candidate] = []
        left_out = 0
        for output, score in zip(self.manifest.outputs, maps, strict=False):
            inside = cast(BinaryImage, (score[0, 0] >= output.threshold).astype(np.uint8))
            if mask is not None:
                inside &= mask
            smallest = max(output.min_area_px, output.min_area_fraction * size[0] * size[1])
            kept, more = components(score[0, 0], inside, size, smallest, output.max_regions)
            contrast = _CONTRAST[output.contrast] * (-1 if negated else 1)
            found += [Candidate(part, output.label, output.rule, self.manifest.expert, contrast) for part in kept]
            left_out += more
        outlined = None
        if within is not None and mask is not None:
            whole = mask if mask.shape == size else cv2.resize(mask, size[::-1], interpolation=cv2.INTER_NEAREST)
            outlined = Within.of(within.output, cast(BinaryImage, whole))
        return found, left_out, outlined


@dataclass(frozen=True)
class Registry:
    """The experts of one folder, in the order of their names. Safe to share between threads."""

    experts: tuple[Expert, ...]

    @classmethod
    def load(cls, folder: Path = PACKAGED, *, threads: int = 1) -> "Registry":
        """All experts in `folder`; `threads` of ONNX Runtime within one image. Raises BrokenExpert."""
        experts = tuple(Expert.load(path, threads) for path in sorted(folder.glob("*.toml")))
        if not experts:
            raise BrokenExpert("The expert library holds no manifest: run 'make experts'.")
        return cls(experts)

    @property
    def version(self) -> str:
        """Changes with any manifest, any graph, the way regions are measured and the table of words."""
        digest = hashlib.sha256(f"{MEASUREMENT_VERSION} {TERMS_DIGEST}".encode())
        for expert in self.experts:
            digest.update(expert.manifest.model_dump_json().encode())
        return f"experts@{digest.hexdigest()[:12]}"

    def ground(
        self,
        values: npt.NDArray[np.float32],
        metadata: ImageMetadata,
        unit: str,
        *,
        inverted: bool = False,
        annotations: tuple[SourceAnnotation, ...] = (),
        ran: Callable[[ExpertRun, float], None] = lambda run, seconds: None,
    ) -> Grounding:
        """Regions of one image, at least one: the whole image where no expert fits or none finds anything.

        Those that the source itself marked come first.

        `values`: float32 (rows, columns), or (rows, columns, 3) in RGB, in `unit`. `inverted`: low values are shown
        bright (MONOCHROME1). Of colour, intensities are those of its luma (ITU-R BT.601). An expert that fails costs
        its own regions only. Pixels that were masked as text are in no region and in no measurement.
        `ran` is told of each expert's turn, and the seconds that it took.
        """
        if values.ndim == 3:
            luma = cast(FloatImage, cv2.cvtColor(values, cv2.COLOR_RGB2GRAY))
            measured_unit = f"{unit} (luma)"
        else:
            luma, measured_unit = np.ascontiguousarray(values), unit

        visible = unmasked(values.shape, metadata)
        runs: list[ExpertRun] = []
        found: list[Measured] = []
        within: Within | None = None
        for expert in self.experts:
            contract, name = expert.manifest.input, expert.manifest.expert
            if not expert.manifest.fits(metadata, unit, values.shape):
                continue
            image = luma if contract.channels == 1 else values
            started = time.perf_counter()
            try:
                candidates, left_out, outlined = expert.look(
                    image, negated=inverted and contract.polarity == "displayed"
                )
            except (_UnfitOutput, *_RUN_ERRORS) as error:
                # The library's text can quote its input: the class alone is safe to log.
                _log.warning("expert failed", extra={"expert": name, "error": type(error).__name__})
                runs.append(ExpertRun(expert=name, outcome="failed", regions=0))
                ran(runs[-1], time.perf_counter() - started)
                continue
            outlined = outlined and outlined.where(visible)
            within = within or outlined
            regions = measure(candidates, luma, metadata, measured_unit, visible, within=outlined, inverted=inverted)
            found += regions
            outcome = "regions" if regions else "nothing found"
            runs.append(ExpertRun(expert=name, outcome=outcome, regions=len(regions), left_out=left_out))
            ran(runs[-1], time.perf_counter() - started)

        sources: list[Measured] = []
        if annotations:
            candidates, run = marked(annotations, values.shape)
            sources = measure(candidates, luma, metadata, measured_unit, visible, within=within, inverted=inverted)
            sources = [replace(one, region=as_annotated(one.region)) for one in sources]
            masked = run.regions - len(sources)
            runs.insert(0, run.model_copy(update={"regions": len(sources), "left_out": run.left_out + masked}))
        measured = named(sources, found)
        if measured:
            reported = tuple(one.region for one in measured)
        else:
            rule = "experts found nothing" if runs else "no expert fits this modality"
            reported = (whole_image(luma, metadata, measured_unit, rule, visible),)
        return Grounding(
            regions=reported,
            relations=relate(measured, metadata.spacing, inverted, metadata.orientation),
            distributions=distribute(measured, luma, metadata.orientation, measured_unit),
            experts=tuple(runs),
            intensity=intensity(luma, visible, measured_unit),
        )
