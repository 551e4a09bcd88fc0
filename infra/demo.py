"""The demonstration: real DICOM dropped into a watched folder, through a real pipeline, to a gallery.

The images are test files that pydicom and pydicom-data ship. Beside one lies what a source would say of it: a sidecar
and a mask.
"""

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pydicom.data import get_testdata_file
from rich.console import Console

from infra.accounting import Accounts
from infra.collect import outcomes
from infra.exports import FileExport, lines_of
from infra.gallery import write_gallery
from infra.progress import AccountsProgress
from infra.stack import LocalStack
from infra.table import triplet_table
from infra.triplet_lines import triplets_of
from infra.variables import from_environment
from schemas.dead_letters import DeadLetter
from schemas.failures import TristreamError
from schemas.triplets import Triplet
from streams.buckets.references import reference_to

IMAGES = {
    "CT_small.dcm": "CT",
    "693_J2KR.dcm": "CT, JPEG 2000 lossless",
    "MR_small_RLE.dcm": "MR, RLE",
    "examples_overlay.dcm": "MR, abdomen",
    "RG1_J2KR.dcm": "CR, chest, JPEG 2000 lossless",
    "RG3_UNCR.dcm": "CR, hand",
    "examples_palette.dcm": "US, palette colour",
    "examples_ybr_color.dcm": "US, 30 frames, JPEG",
    "JPEG2000.dcm": "NM, whole body, JPEG 2000",
    "MR_truncated.dcm": "MR, cut short: becomes a dead letter",
}
MARKED = "693_J2KR.dcm"
SAID: dict[str, Any] = {
    "organ": "brain", "mask": ".marks/693_J2KR.png", "labels": {"1": "fluid collection"},
    "source": "Tristream's demo: outlined by its authors, who are no physicians",
}  # fmt: skip
OUTLINE = (
    (283, 138), (276, 153), (277, 169), (295, 224), (307, 221), (326, 199), (336, 193), (345, 194), (327, 211),
    (321, 227), (303, 248), (314, 258), (327, 261), (340, 248), (343, 236), (349, 235), (346, 242), (347, 340),
    (353, 348), (363, 348), (367, 343), (376, 345), (381, 326), (379, 285), (372, 249), (356, 201), (351, 194),
    (345, 193), (345, 183), (333, 171), (332, 161), (317, 159), (310, 144),
)  # fmt: skip
"""Corners (column, row) of the collection beside the brain, of 512 × 512 px."""
FRAMES = "spread:3"
OUT = Path("out/demo")


def main() -> None:
    """Run it. Exit status 1 if something is not accounted for."""
    console = Console()
    started = time.monotonic()
    inbox = OUT / "inbox"
    for old in (inbox, OUT / "state"):
        shutil.rmtree(old, ignore_errors=True)
    inbox.mkdir(parents=True)
    given = {"frames": FRAMES, "key_file": OUT / "key", "inbox": str(inbox.absolute())}
    settings = from_environment().model_copy(update=given)
    try:
        with (
            AccountsProgress(len(IMAGES)) as progress,
            LocalStack(settings, (OUT / "state").absolute(), watch=True, say=progress.say) as stack,
        ):
            progress.say(f"dropping {len(IMAGES)} files into {inbox}")
            _mark(inbox)
            references = {}
            for name in IMAGES:
                copied = Path(shutil.copy(_find(name), inbox))
                reference = reference_to(copied, inbox.resolve())
                references[settings.identity.object_id(reference)] = reference
            triplets, letters = (
                FileExport(OUT / f"{name}.jsonl", begin="anew") for name in ("triplets", "dead-letters")
            )
            accounts = Accounts(triplets, letters, references)
            for result in outcomes(accounts, stack.settings, poll=stack.poll):
                accounts.add(result)
                progress.update(accounts)
            accounts.finish()
    except TristreamError as error:
        sys.exit(f"make demo: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    found = list(triplets_of(OUT / "triplets.jsonl"))
    triplets = [triplet for _, triplet in found if isinstance(triplet, Triplet)]
    letters = [DeadLetter.model_validate_json(line) for line in lines_of(OUT / "dead-letters.jsonl")]
    written = write_gallery(found, letters, OUT / "gallery")
    console.print(triplet_table(triplets))
    for letter in letters:
        console.print(f"dead letter from {letter.stage}: {letter.error}: {letter.message}", highlight=False)
    console.print(
        f"{len(triplets)} triplets and {len(letters)} dead letter{'' if len(letters) == 1 else 's'} "
        f"from {len(IMAGES)} files in {time.monotonic() - started:.0f} s.\nOpen {written.page}",
        highlight=False,
    )


def _mark(inbox: Path) -> None:
    """The sidecar and its mask, which must be there before the image is: an image is taken as it comes."""
    mask = np.zeros((512, 512), np.uint8)
    cv2.fillPoly(mask, [np.array(OUTLINE, np.int32)], 1)
    path = inbox / SAID["mask"]
    path.parent.mkdir()
    cv2.imwrite(str(path), mask)
    (inbox / f"{MARKED}.json").write_text(json.dumps(SAID), encoding="utf-8")


def _find(name: str) -> Path:
    path = get_testdata_file(name, download=False)
    if path is None:
        raise FileNotFoundError(f"{name} is not among the test files of pydicom and pydicom-data")
    return Path(str(path))


if __name__ == "__main__":
    main()
