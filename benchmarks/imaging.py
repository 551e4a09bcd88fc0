"""Reading DICOM side by side on the same files: this stage, the plain Python loop, and DCMTK's command line.

Knows nothing of the pipeline around the stage.

    python -m benchmarks.imaging [--seconds 0.5] [--repeat 3] [--size 512]

One CT-like slice and one colour frame are written in every transfer syntax, so that rows differ by syntax alone; NEMA's
own files and pydicom's cine are read as they are. `stage` is open_dicom, every frame, to_pixels, without the search
for text, which docs/burned-in-text.md measures; `bare` is the decoder and libpng, at the settings with which it is
fastest, on what they need alone; `own` is what the stage does beside its decoder and its own PNG encoder, and `size`
that of its PNG files over libpng's; `plain` is pydicom's pixel_array with rescale or palette and Pillow's PNG at the
same level, without checks or metadata; `dcmtk` is dcmj2pnm's 8-bit PNG, less the time that it takes to start. One
process, one core. `message` is wall time, the least: from a reference to a file in a folder to the first frame's
message, encoded, in an isolated process as the worker has one, of images in which text is not looked for. Pillow, and
the plugins that pydicom decodes with, are not part of the project: `uv pip install pillow pylibjpeg pylibjpeg-openjpeg
pylibjpeg-rle pyjpegls python-gdcm` in an environment to throw away; what is missing is `nan`.
"""

import argparse
import asyncio
import hashlib
import io
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import ExplicitVRLittleEndian

from agents.preprocess import preprocess
from agents.reading import Reading
from benchmarks.transfer_syntaxes import real, synthetic, written
from models.imaging import BurnedInPolicy, FramePolicy, codecs, dicom, encode_png, frames, header, to_pixels
from models.imaging.burned_in import evidence_of
from schemas.base import Message
from schemas.limits import DEFAULT_LIMITS
from schemas.objects import ObjectReference
from streams.codec import encode
from streams.identity import Identity
from streams.isolation import Isolated
from streams.payloads import Payloads

ALL = FramePolicy()
LIBPNG: dict[str, Any] = {
    "level": 1,
    "strategy": imagecodecs.PNG.STRATEGY.RLE,
    "filter": imagecodecs.PNG.FILTER.UP,
}
"""On CT, MR and radiographs the fastest of its settings, and of OpenCV's."""


def stage(data: bytes) -> int:
    """What preprocess does with a file, without its process pool."""
    found = [to_pixels(frame) for frame in dicom.open_dicom(data, ALL).frames()]
    return sum(pixels.rows * pixels.columns * pixels.channels * pixels.bits // 8 for pixels in found)


def plain(data: bytes) -> int:
    """The loop that people write: pixel_array, rescale or palette, PNG by Pillow."""
    from PIL import Image  # pyright: ignore[reportMissingImports]

    dataset = pydicom.dcmread(io.BytesIO(data))
    array = dataset.pixel_array
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        array = apply_color_lut(array, dataset).astype(np.uint8)
    count = int(dataset.get("NumberOfFrames", 1) or 1)
    size = 0
    for image in array if count > 1 else array[None]:
        values = image
        if image.ndim == 2:
            values = image * float(dataset.get("RescaleSlope", 1)) + float(dataset.get("RescaleIntercept", 0))
            values = (values - values.min()).astype(np.uint16)
        Image.fromarray(values).save(io.BytesIO(), "PNG", compress_level=1)
        size += values.nbytes
    return size


class Stopwatch:
    """Adds up the time spent in functions, by replacing them in the modules that call them.

    What one of them spends in another counts for the other alone.
    """

    def __init__(self, parts: dict[str, list[tuple[Any, str]]]) -> None:
        self.spent = dict.fromkeys(parts, 0.0)
        self._within = 0.0
        self._replaced: list[tuple[Any, str, Any]] = []
        for part, places in parts.items():
            for module, name in places:
                original = getattr(module, name)
                self._replaced.append((module, name, original))
                setattr(module, name, self._timed(part, original))

    def _timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            outer, self._within = self._within, 0.0
            # The processor's own clock takes as long to read as some of these functions.
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                took = time.perf_counter() - start
                self.spent[part] += took - self._within
                self._within = outer + took

        return call

    def restore(self) -> None:
        """Put the functions back."""
        for module, name, original in self._replaced:
            setattr(module, name, original)


PARTS: dict[str, list[tuple[Any, str]]] = {
    "header": [(dicom, "read_header"), (dicom, "pixel_data"), (dicom, "read_metadata")],
    "de-identify": [(header, "permitted"), (dicom, "evidence_of"), (dicom, "refuse_labels")],
    "decode": [(dicom, "decode"), (dicom, "decode_native")],
    "meaning": [(dicom, "quantify")],
    "identity": [(frames, "identify")],
    "encode": [(frames, "encode_png")],
}


def shares(data: bytes, times: int) -> dict[str, float]:
    """Share of the stage's time in each of its parts."""
    watch = Stopwatch(PARTS)
    start = time.perf_counter()
    for _ in range(times):
        stage(data)
    whole = time.perf_counter() - start
    watch.restore()
    return {part: spent / whole for part, spent in watch.spent.items()}


def libpng(stored: frames.Stored) -> bytes:
    """The PNG that a codec library makes."""
    return bytes(imagecodecs.png_encode(stored, **LIBPNG))


def size_of(data: bytes) -> float:
    """Bytes of the stage's PNG files over those of libpng's."""
    kept = [frame.stored for frame in dicom.open_dicom(data, ALL).frames()]
    return sum(len(encode_png(stored)) for stored in kept) / sum(len(libpng(stored)) for stored in kept)


def bare(data: bytes, encoder: Callable[[frames.Stored], bytes]) -> Callable[[], None]:
    """Decoding each frame's codestream and encoding its pixels, with all that they need at hand."""
    calls: list[Callable[[], Any]] = []
    kept: list[frames.Stored] = []

    def record(name: str) -> Callable[..., Any]:
        original = getattr(codecs, name)

        def call(*args: Any) -> Any:
            calls.append(lambda: original(*args))
            return original(*args)

        return call

    originals = {name: getattr(dicom, name) for name in ("decode", "decode_native")}
    for name in originals:
        setattr(dicom, name, record(name))
    kept.extend(frame.stored for frame in dicom.open_dicom(data, ALL).frames())
    for name, original in originals.items():
        setattr(dicom, name, original)

    def run() -> None:
        for call, stored in zip(calls, kept, strict=True):
            call()
            encoder(stored)

    return run


def seconds_of(function: Callable[[], Any], least: float) -> float:
    """CPU seconds of one call: the best of as many as fit."""
    function()
    best, end = float("inf"), time.perf_counter() + least
    while time.perf_counter() < end or best == float("inf"):
        start = time.process_time()
        function()
        best = min(best, time.process_time() - start)
    return best


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def dcmtk(path: Path) -> float | None:
    """CPU seconds of dcmj2pnm over all frames; None where it cannot read the file."""
    if shutil.which("dcmj2pnm") is None:
        return None
    taken: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        command = ["dcmj2pnm", "-q", "-O", "+on", "+Fa", path, Path(folder) / "view"]
        for _ in range(3):
            start = _children()
            if subprocess.run(command, capture_output=True, check=False).returncode:
                return None
            taken.append(_children() - start)
    return statistics.median(taken)


async def messages(copies: list[Path], content: bytes, isolated: Isolated, seconds: float) -> float:
    """Milliseconds from a reference to a file to the first message that comes of it: the best. The copies take turns.

    They must be more than preprocess keeps open.
    """
    if evidence_of(dicom.read_header(content)[0]).reason != "not suspected":
        return float("nan")
    folder = copies[0].parent
    etag, identity = hashlib.sha256(content).hexdigest(), Identity(bytes(16))
    payloads = Payloads(f"file://{folder}-payloads", 2**20)
    reading = Reading(FramePolicy("spread", 1), BurnedInPolicy(), DEFAULT_LIMITS)
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(taken) < 4:
        key = copies[len(taken) % len(copies)].name
        reference = ObjectReference(bucket=f"file://{folder}", key=key, etag=etag, size=len(content))
        start = time.perf_counter()
        async for image in preprocess(
            reference, isolated=isolated, identity=identity, payloads=payloads, reading=reading
        ):
            assert isinstance(image, Message)
            encode(image)
        taken.append(time.perf_counter() - start)
    return min(taken) * 1e3


def measured(data: bytes, seconds: float, repeat: int) -> tuple[float, float, float, float]:
    """Milliseconds of stage, bare, its own decoder and encoder, plain: medians of rounds in which they take turns."""
    run_bare, run_own = bare(data, libpng), bare(data, encode_png)
    rounds: list[tuple[float, float, float, float]] = []
    for _ in range(repeat):
        try:
            theirs = seconds_of(lambda: plain(data), seconds)
        except Exception:  # noqa: BLE001  (whatever pydicom lacks for this syntax)
            theirs = float("nan")
        ours = seconds_of(lambda: stage(data), seconds)
        rounds.append((ours, seconds_of(run_bare, seconds), seconds_of(run_own, seconds), theirs))
    ours, least, coded, theirs = (statistics.median(column) * 1e3 for column in zip(*rounds, strict=True))
    return ours, least, coded, theirs


def main() -> None:
    """Print one row a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.5, help="at least, for each measurement")
    parser.add_argument("--repeat", type=int, default=3, help="rounds, whose medians are printed")
    parser.add_argument("--size", type=int, default=512, help="rows and columns of the synthetic images")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    columns = ("stage", "bare", "stage/", "own", "size", "plain", "stage/", "dcmtk", "message")
    units = ("ms", "ms", "bare", "ms", "", "ms", "plain", "ms", "ms")
    print(f"{'':25}" + "".join(f"{column:>8}" for column in columns) + "   share of the stage")
    print(f"{'':25}" + "".join(f"{unit:>8}" for unit in units) + f"   {' '.join(PARTS)}")
    isolated = Isolated(DEFAULT_LIMITS, modules=("agents.preprocess",))
    with tempfile.TemporaryDirectory() as folder:
        smallest = Path(folder) / "smallest.dcm"
        smallest.write_bytes(written(np.zeros((8, 8), np.uint8), ExplicitVRLittleEndian, None, "MONOCHROME2"))
        starting = dcmtk(smallest) or 0.0
        inbox = Path(folder) / "inbox"
        inbox.mkdir()
        for case in (*synthetic(options.size), *real()):
            copies = [inbox / f"{number}.dcm" for number in range(6)]
            for path in copies:
                path.write_bytes(case.data)
            ours, least, coded, theirs = measured(case.data, options.seconds, options.repeat)
            command = dcmtk(copies[0])
            peer = float("nan") if command is None else (command - starting) * 1e3
            message = asyncio.run(messages(copies, case.data, isolated, options.seconds))
            print(
                f"{case.name:25}{ours:8.2f}{least:8.2f}{ours / least:8.2f}{ours - coded:8.2f}{size_of(case.data):8.2f}"
                f"{theirs:8.2f}"
                f"{ours / theirs:8.2f}{peer:8.1f}{message:8.1f}   "
                + " ".join(f"{share:6.1%}" for share in shares(case.data, 20).values()),
                flush=True,
            )
    isolated.close()
    versions = f"python {sys.version.split()[0]}, imagecodecs {imagecodecs.__version__}"
    print(f"{versions}; DCMTK starts in {starting * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
