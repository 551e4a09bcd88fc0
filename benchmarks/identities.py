"""Planted identities: DICOM files whose every text, date and UID is a token of a seed, so that a leak can be searched.

The same seed plants the same tokens. Used by the tests and by `benchmarks.deidentify`.
"""

import random
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pydicom
from pydicom import DataElement, Dataset
from pydicom.datadict import DicomDictionary, keyword_for_tag  # pyright: ignore[reportPrivateImportUsage]
from pydicom.dataelem import RawDataElement
from pydicom.encaps import encapsulate, generate_frames
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.tag import Tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, JPEG2000TransferSyntaxes, RLELossless

from benchmarks.planted_pixels import in_j2k, in_jpeg, in_rle

Kind = Literal["text", "date", "time", "uid"]

_TEXT = ("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT")
_VRS = (*_TEXT, "DA", "DT", "TM", "UI")
_NUMBERS = ("US", "SS", "UL", "SL", "UV", "SV", "FL", "FD")
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_LENGTH = 12
_WORD = re.compile(rb"[%s]{%d,}" % (_LETTERS.encode(), _LENGTH))
# Dates stand alone or before a time: eight digits within the digits of a UID are none.
_OTHERS = tuple(
    re.compile(pattern)
    for pattern in (rb"1\.3\.6\.1\.4\.1\.99999\.\d{18}", rb"(?<!\d)1960\d{4}(?=\d{6}\.|\D|$)", rb"\d{6}\.\d{6}")
)
# What a file needs to be read as the image that it is.
_STRUCTURE = {
    "SpecificCharacterSet", "SOPClassUID", "PhotometricInterpretation", "BurnedInAnnotation", "VOILUTFunction",
    "RescaleType", "ModalityLUTType", "Units", "DoseUnits",
}  # fmt: skip
# Points, indices of tracks, a grid, a noise table, corner indices, spectra, a palette's segments.
_BULK = (
    (0x00660016, "OF"), (0x00660129, "OL"), (0x00640009, "OF"), (0x00660036, "OD"), (0x00660023, "OW"),
    (0x56000020, "OF"), (0x00281221, "OW"), (0x7FE00001, "OV"),
)  # fmt: skip
_TRAILING_PADDING, _PIXELS = 0xFFFCFFFC, 0x7FE00010


@dataclass(slots=True)
class Identity:
    """The tokens of one seed.

    Args:
        seed: decides all of them.
    """

    seed: int
    tokens: dict[str, Kind] = field(default_factory=dict)
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def word(self) -> str:
        """A word that no list of terms holds."""
        return self._new("".join(self.chance.choices(_LETTERS, k=_LENGTH)), "text")

    def value(self, vr: str) -> str:
        """A value of a VR that is, or holds, a token."""
        if vr == "UI":
            return self._new(f"1.3.6.1.4.1.99999.{self.chance.randrange(10**17, 10**18)}", "uid")
        if vr == "DA":
            return self._date()
        if vr == "TM":
            return self._time()
        if vr == "DT":
            return self._date() + self._time() + self.chance.choice(("", "+0130"))
        word = self.word()
        return {
            "PN": f"{word}^{word[::-1].title()}",
            "UR": f"https://{word}.example/{word}",
            "LO": self.chance.choice((word, f"CT CHEST {word}", f"{word} 3D")),
            "LT": f"Seen by {word}.\r\nLiver of {word.lower()}",
            "ST": f"for {word}",
            "UT": f"{word}: knee\r\n{word}",
        }.get(vr, word)

    def _date(self) -> str:
        # All in one year: no dummy, and no shift of one year or more, comes back to it.
        date = f"1960{self.chance.randrange(1, 13):02}{self.chance.randrange(1, 29):02}"
        return self._new(date, "date")

    def _time(self) -> str:
        hour, minute, second = (self.chance.randrange(most) for most in (24, 60, 60))
        return self._new(f"{hour:02}{minute:02}{second:02}.{self.chance.randrange(10**6):06}", "time")

    def _new(self, token: str, kind: Kind) -> str:
        self.tokens[token] = kind
        return token


def seen_in(text: bytes) -> set[str]:
    """Everything in `text` that could be a token of any seed: words forwards and backwards, in any case."""
    others = {match.decode() for pattern in _OTHERS for match in pattern.findall(text.upper())}
    return words_in(text) | others


def words_in(text: bytes) -> set[str]:
    """The words among them."""
    runs = (run.decode() for run in _WORD.findall(text.upper()))
    words = {run[at : at + _LENGTH] for run in runs for at in range(len(run) - _LENGTH + 1)}
    return words | {word[::-1] for word in words}


def views(data: bytes) -> Iterator[bytes]:
    """Bytes as they are, and what can be read in parts of them: every 2nd or 4th, halves, and shifted by bits."""
    octets = np.frombuffer(data, np.uint8)
    yield data
    yield octets[: len(data) // 2 * 2].view("<u2").byteswap().tobytes()
    for step in (2, 4):
        for first in range(step):
            yield octets[first::step].tobytes()
    for first in range(2):
        for half in (octets[first::2] >> 4, octets[first::2] & 15):
            for skipped in range(2):
                pairs = half[skipped:][: (half.size - skipped) // 2 * 2].reshape(-1, 2)
                yield (pairs[:, 0] << 4 | pairs[:, 1]).tobytes()
                yield (pairs[:, 1] << 4 | pairs[:, 0]).tobytes()
    bits = np.unpackbits(octets)
    for shift in range(1, 8):
        yield np.packbits(bits[shift:]).tobytes()


@dataclass(frozen=True, slots=True)
class Planted:
    """A file of a made-up patient."""

    image: str
    """File name of the image that it is a copy of."""
    name: str
    data: bytes = field(repr=False)
    identity: Identity


def images() -> list[Path]:
    """All files of pydicom and pydicom-data that hold a DICOM image."""
    import data_store

    roots = (Path(pydicom.__file__).parent / "data", Path(data_store.__file__).parent / "data")
    return [path for root in roots for path in sorted(root.rglob("*")) if _is_image(path)]


def _is_image(path: Path) -> bool:
    if not path.is_file() or path.suffix in (".py", ".pyc"):
        return False
    try:
        dataset = pydicom.dcmread(path)
        return "PixelData" in dataset and len(dataset.PixelData) > 0 and "SOPClassUID" in dataset
    except (InvalidDicomError, AttributeError, EOFError, NotImplementedError, ValueError):
        return False


def plant(path: Path, seed: int, *, added: int = 40, frames: int | None = None) -> Planted:
    """A copy of an image in which each text, date and UID is a token, and more are added.

    Tokens stand in the attributes that the file has at any depth, in `added` further ones of the dictionary, within
    sequences to a depth of three, in bytes where numbers belong or under another VR, in private ones of known and
    unknown VR, in a public one written as UN, in a curve and an overlay, in bulk data, in a place of the pixel data
    that holds no sample, in the file meta, the preamble, the padding, behind the data set, and in the file's name. Of a
    compressed image that has more `frames`, only so many are kept.
    """
    identity = Identity(seed)
    dataset = pydicom.dcmread(path)
    if frames and dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        _shorten(dataset, frames)
    _plant_in_pixels(dataset, identity)
    _replace(dataset, identity)
    _add(dataset, identity, added, depth=3)
    _add_bytes(dataset, identity)
    _add_private(dataset, identity)
    dataset.add_new(0x00101060, "UN", _even(identity.value("PN")))
    dataset.add_new(0x00091234, "UN", _even(identity.word()))
    dataset.add_new(0x50002500, "LO", identity.word())
    dataset.add_new(0x60004000, "LT", identity.word())
    for tag, vr in _BULK:
        if tag not in dataset:
            dataset.add_new(tag, vr, (identity.word() + identity.word()).encode())
    dataset.add_new(_TRAILING_PADDING, "OB", _even(identity.word()) * 3)
    meta = dataset.file_meta
    for keyword in ("SourceApplicationEntityTitle", "SendingApplicationEntityTitle", "ImplementationVersionName"):
        setattr(meta, keyword, identity.word())
    meta.PrivateInformationCreatorUID = UID(identity.value("UI"))
    meta.PrivateInformation = _even(identity.word())
    dataset.preamble = _even(identity.word()).ljust(128, b"\0")
    file = BytesIO()
    dataset.save_as(file)
    data = file.getvalue()
    if meta.TransferSyntaxUID != DeflatedExplicitVRLittleEndian and identity.chance.random() < 0.5:
        data += identity.chance.choice((b"", b"\0" * 8, b"%PDF-1.7 ")) + _even(identity.value("PN"))
    return Planted(path.name, f"{identity.word()}/{identity.word().title()} {identity.word()}.dcm", data, identity)


def _shorten(dataset: Dataset, frames: int) -> None:
    number = str(dataset.get("NumberOfFrames") or 1)
    if number.isdigit() and int(number) > frames:
        kept = list(islice(generate_frames(dataset.PixelData, number_of_frames=int(number)), frames))
        dataset.PixelData, dataset.NumberOfFrames = encapsulate(kept), frames


def _plant_in_pixels(dataset: Dataset, identity: Identity) -> None:
    """A token in one place of the pixel data that holds no sample; of a compressed image, of its first frame."""
    syntax, word = dataset.file_meta.TransferSyntaxUID, identity.word().encode()
    if not syntax.is_encapsulated:
        dataset.PixelData = dataset.PixelData + word[: _tail_of(dataset)]
        return
    planter = in_rle if syntax == RLELossless else in_j2k if syntax in JPEG2000TransferSyntaxes else in_jpeg
    number = str(dataset.get("NumberOfFrames") or 1)
    try:
        frames = list(generate_frames(dataset.PixelData, number_of_frames=int(number)))
        places = planter(frames[0], word)
    except (ValueError, IndexError, struct.error):
        # Damaged as it is.
        return
    frames[0] = places[identity.chance.choice(sorted(places))]
    dataset.PixelData = encapsulate(frames)


def _tail_of(dataset: Dataset) -> int:
    """Bytes behind the last sample that a reader takes for padding: less than a row and than a column."""
    frames = str(dataset.get("NumberOfFrames") or 1)
    whole = dataset.Rows * dataset.Columns * dataset.SamplesPerPixel * dataset.BitsAllocated // 8
    if not frames.isdigit() or len(dataset.PixelData) != whole * int(frames):
        return 0
    bits = min(dataset.Rows, dataset.Columns) * dataset.SamplesPerPixel * dataset.BitsAllocated
    return max(0, min(_LENGTH, bits // 8 - 1)) // 2 * 2


def _even(text: str) -> bytes:
    return text.encode() + b" " * (len(text) % 2)


def _replace(dataset: Dataset, identity: Identity) -> None:
    for element in _elements(dataset):
        if element.VR == "SQ":
            for item in element.value:
                _replace(item, identity)
        elif element.VR in _VRS and element.keyword not in _STRUCTURE:
            values = [identity.value(element.VR) for _ in range(max(1, element.VM))]
            element.value = values[0] if len(values) == 1 else values
        elif element.VR == "UN" and isinstance(element.value, bytes):
            element.value = _even(identity.word())


def _elements(dataset: Dataset) -> list[DataElement]:
    found: list[DataElement] = []
    for tag in list(dataset.keys()):
        try:
            found.append(dataset[tag])
        except (ValueError, TypeError, NotImplementedError, BytesLengthException):
            del dataset[tag]
    return found


@lru_cache(maxsize=1)
def _plantable() -> tuple[tuple[int, str], ...]:
    rows: Any = DicomDictionary
    return tuple((tag, row[0]) for tag, row in rows.items() if tag >> 16 >= 8 and row[0] in _VRS and row[4])


@lru_cache(maxsize=1)
def _sequences() -> tuple[int, ...]:
    rows: Any = DicomDictionary
    return tuple(tag for tag, row in rows.items() if row[0] == "SQ" and tag >> 16 >= 8 and row[4])


def _add(dataset: Dataset, identity: Identity, count: int, depth: int) -> None:
    for tag, vr in identity.chance.sample(_plantable(), count):
        if tag not in dataset and keyword_for_tag(tag) not in _STRUCTURE:
            dataset.add_new(tag, vr, identity.value(vr))
    for tag in identity.chance.sample(_sequences(), 3) if depth else ():
        if tag not in dataset and tag >> 16 != 0x0004:
            item = Dataset()
            _add(item, identity, count // 4, depth - 1)
            dataset.add_new(tag, "SQ", [item])


@lru_cache(maxsize=1)
def _countable() -> tuple[tuple[int, str], ...]:
    rows: Any = DicomDictionary
    found = ((tag, row[0]) for tag, row in rows.items() if tag >> 16 >= 8 and tag >> 16 < 0x7FE0 and row[4])
    return tuple((tag, vr) for tag, vr in found if vr in (*_NUMBERS, *_VRS))


def _add_bytes(dataset: Dataset, identity: Identity) -> None:
    """Letters where numbers belong, and under VRs that the dictionary does not name."""
    for tag, listed in identity.chance.sample(_countable(), 12):
        if tag not in dataset and keyword_for_tag(tag) not in _STRUCTURE:
            vr = listed if listed in _NUMBERS and identity.chance.random() < 0.7 else identity.chance.choice(_NUMBERS)
            value = identity.word().encode().ljust(16)
            dataset[Tag(tag)] = RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)


def _add_private(dataset: Dataset, identity: Identity) -> None:
    block = dataset.private_block(0x0029, identity.word(), create=True)
    for place, vr in enumerate((*_VRS, "UN"), 1):
        value = _even(identity.word()) if vr == "UN" else identity.value(vr)
        block.add_new(place, vr, value)
    item = Dataset()
    _add(item, identity, 8, depth=1)
    inner: Callable[..., Any] = item.private_block(0x0099, identity.word(), create=True).add_new
    inner(1, "LO", identity.word())
    block.add_new(0x40, "SQ", [item])
