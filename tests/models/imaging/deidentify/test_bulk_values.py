"""Bytes in attributes of binary VRs: as many as others give them, or none; and letters that pose as numbers."""

import struct
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.datadict import DicomDictionary, dictionary_VM  # pyright: ignore[reportPrivateImportUsage]

from benchmarks.identities import views
from models.imaging.deidentify import Policy, Pseudonyms, deidentify
from models.imaging.deidentify.lettered import numbers_read_as_text, reads_as_text
from tests.models.imaging.deidentify.test_deidentify_engine import item, written

KEY = Pseudonyms(b"a key for the tests")
TOKEN = b"QXJVKWHQZPFKQXJVKWHQZPFK"
CT = "1.2.840.10008.5.1.4.1.1.2"
BULK = ("OB", "OW", "OF", "OD", "OL", "OV", "UN")
KINDS = {
    "FL": "<f4", "FD": "<f8", "UL": "<u4", "SL": "<i4", "US": "<u2", "SS": "<i2", "UV": "<u8", "SV": "<i8", "AT": "<u4",
}  # fmt: skip


def cleaned(*elements: tuple[str, str, Any], within: str | None = None) -> Dataset:
    """The item or object of (keyword, VR, value), de-identified."""
    dataset = Dataset()
    dataset.SOPClassUID = CT
    holder = dataset
    if within:
        holder = Dataset()
        setattr(dataset, within, [holder])
    for keyword, vr, value in elements:
        setattr(holder, keyword, None)
        holder[keyword].VR, holder[keyword].value = vr, value
    deidentify(dataset, KEY, Policy())
    assert not any(TOKEN[:12] in view for view in views(written(dataset)))
    return getattr(dataset, within)[0] if within else dataset


RAMP = np.arange(0, 2**16, 2**8, dtype="<u2").tobytes()
SINE = (3000 * np.sin(np.arange(200) / 9)).astype("<i2").tobytes()
FLOATS = np.linspace(-3, 3, 60, dtype="<f4").tobytes()
WAVE = [
    ("NumberOfWaveformChannels", "US", 2), ("NumberOfWaveformSamples", "UL", 100), ("WaveformBitsAllocated", "US", 16),
]  # fmt: skip


@pytest.mark.parametrize(
    ("keyword", "vr", "value", "others"),
    [
        ("LUTData", "OW", RAMP, [("LUTDescriptor", "US", [256, 0, 16])]),
        ("LUTData", "OW", bytes(range(100, 200)), [("LUTDescriptor", "US", [100, 0, 8])]),
        ("RedPaletteColorLookupTableData", "OW", RAMP, [("RedPaletteColorLookupTableDescriptor", "US", [256, 0, 16])]),
        ("WaveformData", "OW", SINE, WAVE),
        ("SpectroscopyData", "OF", FLOATS[:192], [("Rows", "US", 2), ("Columns", "US", 3), ("DataPointRows", "UL", 1),
            ("DataPointColumns", "UL", 4), ("DataRepresentation", "CS", "COMPLEX")]),
        ("VectorGridData", "OF", FLOATS[:144], [("GridDimensions", "UL", [2, 2, 3])]),
        ("PointCoordinatesData", "OF", FLOATS[:48], [("NumberOfSurfacePoints", "UL", 4)]),
        ("SegmentedRedPaletteColorLookupTableData", "OW",
            np.array([0, 2, 10, 20, 1, 3, 90, 2, 1, 0, 0], "<u2").tobytes(),
            [("RedPaletteColorLookupTableDescriptor", "US", [7, 0, 16])]),
    ],
)  # fmt: skip
def test_bulk_is_cut_to_what_others_say_of_it(keyword: str, vr: str, value: bytes, others: list[Any]) -> None:
    """Whole it stays, with text behind it is cut; too short, or with nothing to measure it by, it goes."""
    assert cleaned(*others, (keyword, vr, value))[keyword].value == value
    assert cleaned(*others, (keyword, vr, value + TOKEN))[keyword].value == value
    for bad in (cleaned(*others, (keyword, vr, value[:8])), cleaned((keyword, vr, value))):
        assert keyword not in bad or len(bad[keyword].value) <= 4
    nested = cleaned(*others, (keyword, vr, value + TOKEN), within="SharedFunctionalGroupsSequence")
    assert nested[keyword].value == value


def test_a_table_of_numbers_is_cut_and_masked() -> None:
    """LUT Data of VR US, and bits above those that its entries have."""
    found = cleaned(("LUTDescriptor", "US", [4, 0, 12]), ("LUTData", "US", [1, 2, 3, 4, *TOKEN]))
    assert list(found.LUTData) == [1, 2, 3, 4]
    words = np.arange(12, dtype="<u2")
    high = words | np.frombuffer(TOKEN[:12], np.uint8).astype("<u2") << 12
    found = cleaned(("LUTDescriptor", "US", [12, 0, 12]), ("LUTData", "OW", high.tobytes()))
    assert found.LUTData == words.tobytes()


def test_waveforms_hold_the_bits_of_their_samples_alone() -> None:
    """Of 16 bits a channel stores 12; signs stay."""
    samples = np.frombuffer(SINE, "<i2") // 2
    hidden = (samples & 0xFFF).astype("<u2") | (np.frombuffer((TOKEN * 9)[:200], np.uint8).astype("<u2") & 15) << 12
    channel = item(WaveformBitsStored=12)
    found = cleaned(
        *WAVE, ("WaveformSampleInterpretation", "CS", "SS"), ("ChannelDefinitionSequence", "SQ", [channel, channel]),
        ("WaveformData", "OW", hidden.tobytes()),
    )  # fmt: skip
    assert found.WaveformData == samples.astype("<i2").tobytes()


def test_a_text_as_long_as_a_table_is_none() -> None:
    """Its entries jump from letter to letter; ramps through the same bytes stay."""
    count = len(TOKEN) // 2
    for vr, value in (("OW", TOKEN), ("US", list(struct.unpack(f"<{count}H", TOKEN)))):
        found = cleaned(("LUTDescriptor", "US", [count, 0, 16]), ("LUTData", vr, value))
        assert "LUTData" not in found or len(np.atleast_1d(found["LUTData"].value)) < count
    for step in (1, 3, 40, 257):
        assert not reads_as_text(np.arange(0, 2**15, step, dtype="<u2").tobytes(), 2)
        assert not reads_as_text(np.arange(2**15, 0, -step, dtype="<u2").tobytes(), 2)
    colours = np.random.default_rng(0).integers(0, 256, 768).astype("<u2") * 257
    assert not reads_as_text(colours.tobytes(), 2)


def test_no_binary_attribute_of_the_dictionary_carries_text() -> None:
    """Every attribute of a bulk or numeric VR that has room for it, at the top and in an item."""
    planted = 0
    rows: Any = DicomDictionary
    for tag, (listed, _vm, _name, _retired, keyword) in rows.items():
        vr = listed.split(" or ")[0]
        if not keyword or tag >> 16 < 8 or vr not in (*BULK, *KINDS):
            continue
        value: Any = TOKEN
        if vr in KINDS:
            kind = KINDS[vr]
            numbers = np.frombuffer(TOKEN, kind).tolist()
            most = dictionary_VM(tag)
            value = numbers[: int(most)] if most.isdigit() else numbers
            if len(value) * np.dtype(kind).itemsize < 12:
                continue
        dataset, inner = Dataset(), Dataset()
        dataset.SOPClassUID = CT
        for holder in (dataset, inner):
            holder.add_new(tag, vr, value)
        dataset.SharedFunctionalGroupsSequence = [inner]
        deidentify(dataset, KEY, Policy())
        for top in (0x7FE00008, 0x7FE00009, 0x7FE00010):
            # The caller writes pixels anew.
            dataset.pop(top, None)
        assert TOKEN[:10] not in written(dataset), keyword
        planted += 1
    assert planted > 150


def test_measurements_are_no_text() -> None:
    """Positions, times, small integers and noise pass."""
    chance = np.random.default_rng(2)
    for vr, values in (
        ("FD", chance.normal(0, 300, 3000)),
        ("FL", chance.normal(0, 300, 3000)),
        ("UL", np.arange(2000)),
        ("US", chance.integers(0, 4096, 2000)),
        ("SL", chance.integers(-(10**6), 10**6, 2000)),
    ):
        dataset = Dataset()
        dataset.add_new(0x00200032, vr, values.tolist())
        assert not numbers_read_as_text(dataset[0x00200032]), vr


def test_tags_must_be_of_the_standard() -> None:
    """Four letters make a tag, too."""
    found = cleaned(("FrameIncrementPointer", "AT", [0x00181063, int.from_bytes(b"QXJV", "big")]))
    assert "FrameIncrementPointer" not in found or found.FrameIncrementPointer in (None, 0)
    assert cleaned(("FrameIncrementPointer", "AT", 0x00181063)).FrameIncrementPointer == 0x00181063
