"""What an MR image is weighted for, where the standard's attributes prove it. Knows nothing of what tissues look like.

A weighting is one of four words; nothing else of what a protocol is called leaves. Repetition and echo time alone tell
T1 from T2 (models/knowledge/conditions.py), not FLAIR from T2: for that the fluid's signal has to be seen nulled.
"""

import re

from models.imaging.header import Header
from schemas.images import Weighting

# Acquisition Contrast (0008,9209), PS3.3 C.8.13.3.3.1; the other defined terms are none of ours.
_CONTRASTS: dict[str, Weighting] = {
    "T1": "T1-weighted", "T2": "T2-weighted", "FLUID_ATTENUATED": "FLAIR", "DIFFUSION": "diffusion-weighted",
}  # fmt: skip
_FRAME_TYPES = ("MRImageFrameTypeSequence", "MRSpectroscopyFrameTypeSequence")

# Fluid is nulled at about ln 2 times its T1 of 4 s, less as the repetition is shorter: 1.6 to 2.9 s (De Coene et al.,
# AJNR 1992;13:1555). An inversion that nulls fat is shorter (STIR), one for T1 contrast has a short echo.
_NULLS_FLUID_MS = (1500.0, 3000.0)
_LONG_ECHO_MS = 60.0
# Of Image Type and Frame Type: computed of several images (PS3.3 C.8.16.1.4 and what vendors write); maps too.
_DERIVED = frozenset({
    "ADC", "FA", "TRACEW ADC", "EXP", "EADC", "QUANTITY", "SUBTRACTION", "DIVISION", "MULTIPLICATION", "MTT", "TTP",
    "RCBF", "RCBV", "T_TEST", "Z_SCORE", "STD_DEVIATION",
})  # fmt: skip
_MAP = re.compile(r"(?<![A-Z])MAPS?(?![A-Z])")
_WORD = re.compile(r"[A-Z0-9*]+")
_NAMES: dict[str, Weighting] = {
    "FLAIR": "FLAIR", "DWI": "diffusion-weighted", "T1": "T1-weighted", "T1W": "T1-weighted", "T1WI": "T1-weighted",
    "T2": "T2-weighted", "T2W": "T2-weighted", "T2WI": "T2-weighted",
}  # fmt: skip
# With one of these a description tells of another contrast, or of a map computed from several images.
_OTHERWISE = frozenset({
    "ADC", "FA", "MAP", "MAPS", "MAPPING", "STAR", "T2*", "T2STAR", "T1RHO", "RHO", "SWI", "GRE", "PERF", "PERFUSION",
    "STIR", "PD", "PDW", "R1", "R2", "B1", "RELAXOMETRY", "QUANTIFICATION", "QUANTITATIVE", "PARAMETRIC", "FIT",
})  # fmt: skip


def weighting_of(header: Header, frame: int) -> Weighting | None:
    """The weighting of one frame of an MR object; None where nothing proves one.

    First the standard's own word, then a diffusion weight, then an inversion that nulls fluid, and last the words of a
    description, where they name one weighting, and times do not speak against it. A map computed of several images has
    none: Acquisition Contrast of an ADC map is DIFFUSION, too (PS3.3 C.8.13.3.1.4).
    """
    types = [header.macro(name, frame) for name in _FRAME_TYPES]
    kinds = {word.upper() for word in (*header.words("ImageType"), *header.words("FrameType", *types))}
    if kinds & _DERIVED or any(_MAP.search(kind.replace("_", " ")) for kind in kinds):
        return None
    said = header.text("AcquisitionContrast", *types, header.dataset)
    if said is not None:
        return _CONTRASTS.get(said.upper())
    if _above(header.number("DiffusionBValue", header.macro("MRDiffusionSequence", frame), header.dataset), 0):
        return "diffusion-weighted"
    echo = header.number("EchoTime")
    inversion = header.number("InversionTime")
    sequence = {word.upper() for word in header.words("ScanningSequence")}
    inverted = "IR" in sequence
    if inverted and isinstance(inversion, float) and _NULLS_FLUID_MS[0] <= inversion <= _NULLS_FLUID_MS[1]:
        return "FLAIR" if _above(echo, _LONG_ECHO_MS) else None
    if "GR" in sequence:
        return None  # T2*, which loses its asterisk where texts are cleaned.
    return _described(header, inverted=inverted, long_echo=_above(echo, _LONG_ECHO_MS))


def _described(header: Header, *, inverted: bool, long_echo: bool) -> Weighting | None:
    words = {word for name in ("SeriesDescription", "ProtocolName") for word in _found(header.text(name))}
    if words & _OTHERWISE:
        return None
    named: set[Weighting] = {_NAMES[word] for word in words if word in _NAMES}
    if "FLAIR" in named:
        named.discard("T2-weighted")  # A FLAIR is T2-weighted but for the fluid. "T1 FLAIR" names two, and is none.
    if len(named) != 1:
        return None
    (one,) = named
    # The times must bear it out: a copied description is no proof.
    if header.number("EchoTime") is None or (one == "T1-weighted") is long_echo:
        return None
    return one if one != "FLAIR" or inverted else None


def _found(text: str | None) -> set[str]:
    return set(_WORD.findall((text or "").upper().replace("_", " ")))


def _above(value: object, least: float) -> bool:
    return isinstance(value, float) and value > least
