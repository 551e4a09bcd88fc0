"""How a picture looks, as the triplets of others tell it of theirs: by its hash, and by an encoder of one's own."""

from pathlib import Path

import numpy as np

from models.datasets.search import Looks
from models.experts.adapters import look
from models.experts.candidates import unmasked
from models.experts.decodings import Embedder
from models.experts.manifest import read
from models.experts.running import RUN_ERRORS, Expert, Sight
from models.experts.slices import Slice, shown
from models.imaging import FramePolicy, open_source, render
from models.imaging.perceptual import perceptual_hash
from schemas.experts import ExpertRuntime
from schemas.failures import InvalidInput, TristreamError
from schemas.limits import Limits
from schemas.regions import expert_name


class CannotSearch(TristreamError):
    """Nothing can be searched for; the message says what to do."""


def looks_of(path: Path, frame: int, own: Path | None, encoder: str | None, limits: Limits) -> Looks:
    """How a frame of a file looks, by the encoders in a folder of experts too.

    Args:
        path: DICOM, PNG, JPEG, TIFF or NIfTI; what lies beside it is not read.
        frame: of it, from 0.
        own: the folder of experts; None: by its hash alone.
        encoder: which of them; None: all.
        limits: that the file is held to.

    Raises:
        CannotSearch: the file has no such frame, or cannot be read, or an encoder fails on it.
        BrokenExpert: one of them cannot be loaded.
    """
    try:
        source = open_source(path.read_bytes(), FramePolicy(), limits)
        if not 0 <= frame < source.frames_total:
            raise CannotSearch(
                f"the picture has {source.frames_total} frames: give --frame 0 to {source.frames_total - 1}"
            )
        seen = source.read(frame)
    except InvalidInput as error:
        raise CannotSearch(f"the picture cannot be read: {error}") from None
    values = seen.values
    spacing = seen.metadata.spacing and (seen.metadata.spacing.row_mm, seen.metadata.spacing.column_mm)
    vectors: dict[str, tuple[float, ...]] = {}
    for expert in _encoders(own, encoder):
        contract = expert.manifest.input
        image, _ = shown(expert, {0: Slice.of(values, unmasked(values.shape, seen.metadata))})
        negated = seen.inverted and contract.polarity == "displayed"
        try:
            (found,) = look(expert, Sight(image, negated, spacing)).embeddings
        except RUN_ERRORS as error:
            raise CannotSearch(f"{expert.manifest.expert} fails on the picture: {type(error).__name__}") from None
        vectors[found.expert] = found.values
    return Looks(vectors, perceptual_hash(np.asarray(render(values, seen.window, seen.inverted))))


def _encoders(own: Path | None, encoder: str | None) -> list[Expert]:
    paths = sorted(own.glob("*.toml")) if own else []
    if encoder is not None:
        paths = [path for path in paths if path.stem == expert_name(encoder)]
    found = [path for path in paths if isinstance(read(path)[0].decoding, Embedder)]
    if encoder is not None and not found:
        raise CannotSearch(f"{encoder} is no encoder in TRISTREAM_EXPERTS, which a picture is to be compared by")
    return [Expert.load(path, ExpertRuntime(threads=1)) for path in found]
