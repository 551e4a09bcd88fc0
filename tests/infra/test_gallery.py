"""The gallery page shows what was done about text in the pixels."""

from pathlib import Path
from typing import Any

import numpy as np
import pybase64
import pytest

from infra.gallery import write_gallery
from models.imaging import encode_png
from tests.models.describers.drawn_images import composed, plain_image


@pytest.mark.parametrize(
    ("cleaning", "told", "drawn"),
    [
        (None, "", 0),
        ({"scanned": False, "reason": "not suspected"}, "not looked for (not suspected)", 0),
        ({"scanned": True, "reason": "ultrasound"}, "none found (ultrasound)", 0),
        (
            {
                "scanned": True,
                "reason": "projection X-ray",
                "masked_share": 0.00071,
                "boxes": [{"left": 3, "top": 4, "right": 20, "bottom": 12, "score": 0.9}],
            },
            "0.071 % of the pixels, 1 box of text (projection X-ray)",
            1,
        ),
        (
            {"scanned": True, "reason": "ultrasound", "masked_share": 0.4, "outside_ultrasound_regions": True},
            "40 % of the pixels, all outside the ultrasound regions (ultrasound)",
            0,
        ),
    ],
)
async def test_a_card_tells_what_was_masked(
    tmp_path: Path, cleaning: dict[str, Any] | None, told: str, drawn: int
) -> None:
    """Share, boxes and why; the boxes are drawn over the picture."""
    metadata = {} if cleaning is None else {"pixel_cleaning": {"policy": "mask", **cleaning}}
    triplet = await composed(plain_image(**metadata))
    png = pybase64.b64encode_as_string(encode_png(np.zeros((triplet.image.rows, triplet.image.columns), np.uint8)))
    triplet = triplet.model_copy(update={"image": triplet.image.model_copy(update={"data": png})})
    write_gallery([triplet], [], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert told in page
    assert page.count('<rect class="masked"') == drawn
    assert ("of the pixels" in page) == bool(cleaning and cleaning.get("masked_share"))
