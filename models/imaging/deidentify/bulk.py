"""Attributes of bulk binary VRs that stay, each cut to the length that other attributes give it.

Whatever is not listed here, or whose length nothing tells, is removed: bytes can be anything. Knows nothing of pixel
data and of ICC profiles.
"""

from collections.abc import Callable

import numpy as np
from pydicom import Dataset
from pydicom.datadict import keyword_for_tag

from models.imaging.deidentify.lettered import reads_as_text
from models.imaging.errors import LIBRARY_ERRORS

VRS = ("OB", "OD", "OF", "OL", "OV", "OW", "UN")
"""Bulk binary value representations (PS3.5 table 6.2-1), and the one that can be any."""

_COLOURS = ("Red", "Green", "Blue", "Alpha")
_COMPLEX = "COMPLEX"
_SIGNED = ("SB", "SS", "SL", "SV")
_SEGMENTS = {0: 1, 1: 1, 2: 2}
"""Discrete, linear and indirect segments (PS3.3 C.7.9.2): words that follow the length, of a discrete one each."""


def bulk_value(dataset: Dataset, tag: int, *, little: bool) -> bytes | None:
    """What may stay of a value: as many bytes as its attribute has by the data set around it; None: nothing.

    Args:
        dataset: the data set or item that holds the attribute.
        tag: its tag.
        little: byte order of its words.
    """
    keyword = keyword_for_tag(tag)
    rule = _RULES.get(keyword)
    try:
        value = dataset[tag].value
        found = rule(dataset, value, little) if rule is not None and isinstance(value, bytes) else None
    except LIBRARY_ERRORS:
        return None
    # The others are as long as a recording is, and may meet letters by chance.
    table = "Lookup" in keyword or keyword == "LUTData"
    return None if found and table and reads_as_text(found, 2) else found


def lookup_value(dataset: Dataset) -> list[int] | None:
    """LUT Data (0028,3006) written as numbers (VR US): as many as its descriptor says, of as many bits; or None."""
    try:
        count, bits = _described(dataset, "LUTDescriptor")
        found = dataset["LUTData"].value
        numbers = [int(found)] if isinstance(found, int) else [int(one) for one in found]
    except LIBRARY_ERRORS:
        return None
    kept = [number & (1 << bits) - 1 for number in numbers[:count]]
    lettered = reads_as_text(np.array(kept, "<u2").tobytes(), 2)
    return kept if len(kept) == count and not lettered else None


def _number(dataset: Dataset, keyword: str) -> int:
    found = int(dataset[keyword].value)
    if found < 0:
        raise ValueError
    return found


def _described(dataset: Dataset, keyword: str) -> tuple[int, int]:
    """Entries and bits of each, by a descriptor (PS3.3 C.7.6.3.1.5 and C.11.1.1)."""
    count, _, bits = (int(one) for one in dataset[keyword].value)
    if not 8 <= bits <= 16:
        raise ValueError
    return count % 2**16 or 2**16, bits


def _cut(value: bytes, length: int) -> bytes | None:
    """The first bytes, padded to an even number; None where there are too few."""
    return None if len(value) < length or not length else value[:length] + bytes(length % 2)


def _table(descriptor: str) -> Callable[[Dataset, bytes, bool], bytes | None]:
    def rule(dataset: Dataset, value: bytes, little: bool) -> bytes | None:
        count, bits = _described(dataset, descriptor)
        # Entries of 8 bits are two to a word, or one, for all that the standard says.
        if len(value) < 2 * count:
            return _cut(value, count) if bits == 8 else None
        kind = "<u2" if little else ">u2"
        words = np.frombuffer(value[: 2 * count], kind)
        # Palettes of 8 bits have been written with their entries in the upper half too.
        return words.tobytes() if bits == 8 else (words & words.dtype.type((1 << bits) - 1)).astype(kind).tobytes()

    return rule


def _segmented(descriptor: str) -> Callable[[Dataset, bytes, bool], bytes | None]:
    """Segments up to the last entry (PS3.3 C.7.9.2): what is behind them, or none of them, does not stay."""

    def rule(dataset: Dataset, value: bytes, little: bool) -> bytes | None:
        count, bits = _described(dataset, descriptor)
        size = 1 if bits == 8 else 2
        numbers = np.frombuffer(value[: len(value) // size * size], f"{'<' if little else '>'}u{size}").tolist()
        at, entries, starts = 0, 0, dict[int, int]()
        while entries < count:
            kind, length = numbers[at], numbers[at + 1]
            if kind not in _SEGMENTS or not length:
                raise ValueError
            starts[at * size] = entries
            if kind == 2:
                # An indirect one repeats so many that stand before it; its offset is two words of the value.
                low, high = numbers[at + 2], numbers[at + 3]
                step = low | high << 8 * size
                places = sorted(starts)
                first = places.index(step)
                ends = [*(starts[place] for place in places), entries]
                entries += ends[first + length] - ends[first]
                at += 4
            else:
                entries += length
                at += 2 + (length if kind == 0 else 1)
        return _cut(value, at * size) if entries == count and at <= len(numbers) else None

    return rule


def _waveform(dataset: Dataset, value: bytes, little: bool) -> bytes | None:
    """Samples of all channels, with no bit beside those that each stores (PS3.3 C.10.9.1)."""
    channels, samples = _number(dataset, "NumberOfWaveformChannels"), _number(dataset, "NumberOfWaveformSamples")
    bits = _number(dataset, "WaveformBitsAllocated")
    length = channels * samples * bits // 8
    if len(value) < length or not length:
        return None
    kind = f"{'<' if little else '>'}{'i' if str(dataset.get('WaveformSampleInterpretation')) in _SIGNED else 'u'}"
    found = np.frombuffer(value[:length], f"{kind}{bits // 8}").reshape(samples, channels).copy()
    for place, channel in enumerate(dataset.get("ChannelDefinitionSequence") or ()):
        stored = int(channel.get("WaveformBitsStored") or bits)
        if place < channels and 0 < stored < bits:
            found[:, place] = found[:, place] << (bits - stored) >> (bits - stored)
    return _cut(found.tobytes(), length)


def _waveform_sample(dataset: Dataset, value: bytes, _little: bool) -> bytes | None:
    return _cut(value, _number(dataset, "WaveformBitsAllocated") // 8)


def _coordinates(dataset: Dataset, value: bytes, _little: bool) -> bytes | None:
    return _cut(value, 3 * 4 * _number(dataset, "NumberOfSurfacePoints"))


def _vectors(dataset: Dataset, value: bytes, _little: bool) -> bytes | None:
    return _cut(value, 4 * _number(dataset, "NumberOfVectors") * _number(dataset, "VectorDimensionality"))


def _grid(dataset: Dataset, value: bytes, _little: bool) -> bytes | None:
    across, down, deep = (int(one) for one in dataset["GridDimensions"].value)
    return _cut(value, 3 * 4 * across * down * deep)


def _spectra(dataset: Dataset, value: bytes, _little: bool) -> bytes | None:
    words = ("Rows", "Columns", "DataPointRows", "DataPointColumns")
    count = int(np.prod([_number(dataset, word) for word in words], dtype=np.int64))
    frames = int(dataset.get("NumberOfFrames") or 1)
    return _cut(value, 4 * count * frames * (2 if dataset["DataRepresentation"].value == _COMPLEX else 1))


def _offsets(dataset: Dataset, value: bytes, little: bool) -> bytes | None:
    """Of an extended offset table: 64 bits a frame, of which no file has needed the upper 16."""
    found = _cut(value, 8 * int(dataset.get("NumberOfFrames") or 1))
    return found if found and not (np.frombuffer(found, "<u8" if little else ">u8") >> 48).any() else None


_RULES: dict[str, Callable[[Dataset, bytes, bool], bytes | None]] = {
    "LUTData": _table("LUTDescriptor"),
    "BlendingLookupTableData": _table("BlendingLookupTableDescriptor"),
    "WaveformData": _waveform,
    "WaveformPaddingValue": _waveform_sample,
    "PointCoordinatesData": _coordinates,
    "VectorCoordinateData": _vectors,
    "VectorGridData": _grid,
    "SpectroscopyData": _spectra,
    "ExtendedOffsetTable": _offsets,
    "ExtendedOffsetTableLengths": _offsets,
}
for _colour in _COLOURS:
    _DESCRIPTOR = f"{_colour}PaletteColorLookupTableDescriptor"
    _RULES[f"{_colour}PaletteColorLookupTableData"] = _table(_DESCRIPTOR)
    _RULES[f"Segmented{_colour}PaletteColorLookupTableData"] = _segmented(_DESCRIPTOR)
