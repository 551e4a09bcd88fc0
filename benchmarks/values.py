"""What preprocess says of inputs whose true values are known, beside these: one row a file.

    python -m benchmarks.values FOLDER

FOLDER holds the files named in EXPECTED, as tests/models/imaging/test_true_values.py makes them. Knows nothing of time.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.imaging import FramePolicy, Source, open_source
from schemas.failures import InvalidInput

Fact = str | float | bool | None
Facts = dict[str, Fact]

_HEADER_VALUES: Facts = {"unit": "HU", "low": -1024, "high": 240}

EXPECTED: dict[str, Facts] = {
    "01_comma_decimal/base.dcm": _HEADER_VALUES,
    "01_comma_decimal/comma_intercept.dcm": _HEADER_VALUES,
    "01_comma_decimal/comma_slope_half.dcm": {"unit": "HU", "low": -1024, "high": -392},
    "01_comma_decimal/empty_intercept.dcm": {"unit": "stored value"},
    "01_comma_decimal/pet_ok.dcm": {"unit": "SUVbw", "high": 6.573},
    "02_pet_timezone/pet_plain.dcm": {"unit": "SUVbw", "high": 2.921},
    "02_pet_timezone/pet_tz.dcm": {"unit": "SUVbw", "high": 6.573},
    "03_mosaic/mosaic.dcm": {"frames": 4, "rows": 64, "columns": 64, "plane": "axial", "step, mm": 4},
    "04_tiff_bytecounts_zero/bytecounts_zero.tif": {"mean": 135.62},
    "05_float_sentinel/D_float_padding.dcm": {"low": 0, "high": 1.264, "fine": True},
    "05_float_sentinel/m1e30.nii": {"low": -3, "high": 2.5, "fine": True},
    "06_float_outlier/float_ok.tif": {"low": 0, "high": 1, "fine": True},
    "06_float_outlier/float_outlier.tif": {"low": 0, "high": 1, "fine": True},
    "07_contrast_none/contrast_none.dcm": {"contrast agent": None},
    "09_rle_padding/C2_rle_plus2.dcm": _HEADER_VALUES,
    "09_rle_padding/C6_rle_zeropad4.dcm": _HEADER_VALUES,
    "10_palette_signed/pal_signed.dcm": {"channels": 3},
    "11_wrong_reason/A_ybr422_fulllength.dcm": {"refused": True},
    "11_wrong_reason/says_jpegll_is_native.dcm": {"refused": True},
    "21_localizer/localizer.dcm": {"localizer": True, "unit": "rescaled value", "plane": None},
    "22_presentation_lut_shape/dx_m1_id.dcm": {"low is bright": False},
    "22_presentation_lut_shape/dx_m2_inv.dcm": {"low is bright": True},
    "22_presentation_lut_shape/m2_inverse.dcm": {"low is bright": True},
    "23_sc_modality_cr/rsna_sc_cr.dcm": {"modality": "X-ray", "view": "PA"},
    "24_skull_base/skullbase.dcm": {"organ": "whole body"},
}
"""Of each file, by its path below the folder, the facts that are known. What a file must not say is None."""

_FINE = 2**12
_CLOSE = 1e-3


@dataclass(frozen=True, slots=True)
class Row:
    """One file: what is known, and what preprocess says of the same."""

    path: str
    expected: Facts
    got: Facts

    @property
    def right(self) -> bool:
        """Whether they are the same, numbers to a thousandth."""
        return all(_same(value, self.got.get(name)) for name, value in self.expected.items())


def rows(folder: Path) -> Iterator[Row]:
    """Each expected file that is in the folder."""
    for path, expected in EXPECTED.items():
        if (folder / path).exists():
            got = facts_of((folder / path).read_bytes())
            yield Row(path, expected, {name: got.get(name) for name in expected})


def facts_of(data: bytes) -> Facts:
    """What preprocess says of a file's first frame, and of its frames together."""
    try:
        source = open_source(data, FramePolicy(), burned_in=None)
        frame = source.read(source.taken[0])
    except InvalidInput as error:
        return {"refused": True, "why": str(error)}
    values, metadata = frame.values, frame.metadata
    return {
        "refused": False,
        "unit": frame.unit,
        "low": float(values.min()),
        "high": float(values.max()),
        "mean": float(values.mean(dtype=np.float64)),
        "fine": bool(abs(frame.slope) * _FINE <= np.ptp(values)),
        "frames": source.frames_total,
        "rows": values.shape[0],
        "columns": values.shape[1],
        "channels": values.shape[2] if values.ndim == 3 else 1,
        "step, mm": _step(source),
        "modality": metadata.modality,
        "organ": metadata.organ,
        "plane": metadata.plane,
        "view": metadata.view,
        "contrast agent": metadata.contrast_agent,
        "localizer": metadata.localizer,
        "low is bright": frame.inverted,
    }


def _step(source: Source) -> float | None:
    places = [stack.places for stack in source.stacks() if len(stack.places) > 1]
    return places[0][1] - places[0][0] if places else None


def _same(expected: Fact, got: Fact) -> bool:
    if isinstance(expected, bool | str | None) or not isinstance(got, int | float):
        return expected == got
    return math.isclose(expected, got, rel_tol=_CLOSE, abs_tol=_CLOSE)


def _shown(facts: Facts) -> str:
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in facts.items()
    )


def main() -> int:
    """Print the table; 1 where a row is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    found = list(rows(parser.parse_args().folder))
    print("| file | expected | got | |\n| --- | --- | --- | --- |")
    for row in found:
        print(f"| {row.path} | {_shown(row.expected)} | {_shown(row.got)} | {'right' if row.right else 'WRONG'} |")
    print(f"\n{sum(row.right for row in found)} of {len(found)} right")
    return 0 if found and all(row.right for row in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
