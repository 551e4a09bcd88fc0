"""The demonstration: real DICOM dropped into a watched folder, through a real pipeline, to a gallery.

The images are test files that pydicom and pydicom-data ship.
"""

import shutil
import sys
import time
from pathlib import Path

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
        f"{len(triplets)} triplets and {len(letters)} dead letters from {len(IMAGES)} files "
        f"in {time.monotonic() - started:.0f} s.\nOpen {written.page}",
        highlight=False,
    )


def _find(name: str) -> Path:
    path = get_testdata_file(name, download=False)
    if path is None:
        raise FileNotFoundError(f"{name} is not among the test files of pydicom and pydicom-data")
    return Path(str(path))


if __name__ == "__main__":
    main()
