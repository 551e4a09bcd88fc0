"""How many planted identities get through: `make deid-check`. Prints one line; exit status 1 where one does.

Pixels are cleaned in each file. Copies of one image differ in their headers alone, so the text detector is asked once
of each picture.
"""

import argparse
import hashlib
import io
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.identities import Kind, Planted, images, plant, seen_in
from infra.deidentify import Report, deidentify
from models.imaging import FramePolicy, burned_in, open_source
from models.imaging.deidentify import Policy, Pseudonyms
from models.imaging.text_detector import Found as Text
from models.imaging.text_detector import Known
from schemas.failures import InvalidInput

_KEY = b"a key for planted identities only"
_ALL: tuple[Kind, ...] = ("text", "date", "time", "uid")
# What an option keeps by its own word is no leak.
POLICIES: tuple[tuple[Policy, tuple[Kind, ...]], ...] = (
    (Policy(), _ALL),
    (Policy(dates="shift"), ("text", "date", "uid")),
    (Policy(clean_descriptors=False), _ALL),
    (Policy(dates="keep", keep_uids=True), ("text",)),
)
_BATCH = 40


class NamedByPictures(Known):
    """Known pictures with a digest of them."""

    def __init__(self, pictures: Sequence[tuple[Any, Any]], *, moving: bool = False) -> None:
        super().__init__(pictures, moving=moving)
        self.digest = b"".join(_digest(*picture) for picture in pictures) + bytes([moving])


def _digest(view: Any, values: Any) -> bytes:
    parts = [part for part in (view, values) if part is not None]
    return hashlib.sha256(b"".join(str(part.shape).encode() + part.tobytes() for part in parts)).digest()


def remembering(find: Callable[..., Text]) -> Callable[..., Text]:
    """The detector, with its answers kept."""
    answers: dict[bytes, Text] = {}

    def found(view: Any, values: Any = None, *, known: NamedByPictures | None = None) -> Text:
        key = _digest(view, values) + (known.digest if known else b"")
        if key not in answers:
            answers[key] = find(view, values, known=known)
        return answers[key]

    return found


@dataclass(slots=True)
class Found:
    """Counts of a check, and what leaked where."""

    files: int = 0
    tokens: int = 0
    copied: int = 0
    described: int = 0
    leaks: list[str] = field(default_factory=list)


def check(files: list[Planted], policy: Policy, kinds: tuple[Kind, ...], found: Found) -> None:
    """Send planted files through the command's engine and through `open_source`, and search all that comes out."""
    logs, seen = io.StringIO(), set[str]()
    handler = logging.StreamHandler(logs)
    logging.getLogger().addHandler(handler)
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(logs), redirect_stderr(logs):
        inbox, out, written = Path(folder) / "in", Path(folder) / "out", Path(folder) / "report.json"
        for file in files:
            path = inbox / file.name
            path.parent.mkdir(parents=True)
            path.write_bytes(file.data)
        report = Report(written, None)
        said: list[str] = []
        for outcome in deidentify([inbox], out, Pseudonyms(_KEY), policy, tell=lambda _done, _all: None):
            report.add(outcome)
            said.append(repr(outcome.error) + repr(outcome.copy))
        report.write()
        described = [_described(file) for file in files]
        for path in (written, *out.rglob("*")):
            seen |= seen_in(str(path.relative_to(folder)).encode())
            if path.is_file():
                seen |= seen_in(path.read_bytes())
    logging.getLogger().removeHandler(handler)
    seen |= seen_in("\n".join((*said, *described, logs.getvalue())).encode())
    for file in files:
        tokens = {token for token, kind in file.identity.tokens.items() if kind in kinds}
        found.leaks += [f"seed {file.identity.seed}: {token}" for token in sorted(tokens & seen)]
        found.tokens += len(tokens)
    found.files += len(files)
    found.copied += report.summary.copied
    found.described += sum(text.startswith("{") for text in described)


def _described(file: Planted) -> str:
    """What the pipeline says of a file: metadata of a frame, or the error."""
    try:
        frames = open_source(file.data, FramePolicy("spread", 1)).frames()
        return "".join(frame.metadata.model_dump_json() for frame in frames)
    except InvalidInput as error:
        return f"{error!r} {error} {error.__context__!r} {error.__cause__!r}"


def main() -> None:
    """Plant, clean, search."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    burned_in.find_text, burned_in.Known = remembering(burned_in.find_text), NamedByPictures
    sources, found, started = images(), Found(), time.monotonic()
    for start in range(0, arguments.files, _BATCH):
        numbers = range(start, min(start + _BATCH, arguments.files))
        batch = [plant(sources[number % len(sources)], arguments.seed + number) for number in numbers]
        check(batch, *POLICIES[start // _BATCH % len(POLICIES)], found)
    for leak in found.leaks[:20]:
        print(leak)
    print(
        f"{found.files} files of {len(sources)} images, {found.tokens} tokens, {found.copied} copied, "
        f"{found.described} described, {len(found.leaks)} leaks, {time.monotonic() - started:.0f} s"
    )
    sys.exit(bool(found.leaks))


if __name__ == "__main__":
    main()
