"""How many planted identities get through: `make deid-check`. Exit status 1 where one does.

Prints which images were refused, with the error's class and how often, and a line of counts.

Pixels are cleaned in each file. Copies of one image differ in their headers alone, so the text detector is asked once
of each picture: all copies of an image go to one process. Of a cine the first eight frames are planted.
"""

import argparse
import hashlib
import io
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.identities import Kind, Planted, images, plant, seen_in, views, words_in
from infra.deidentify import Report, deidentify, files_to_copy
from models.imaging import FramePolicy, burned_in, open_source
from models.imaging.deidentify import Policy, Pseudonyms
from models.imaging.text import Clip
from models.imaging.text import Found as Text
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
_BATCH = 20
_FRAMES = 8


class NamedBySamples(Clip):
    """A clip with a digest of its samples."""

    def __init__(self, samples: Sequence[tuple[Any, Any]]) -> None:
        super().__init__(samples)
        self.digest = b"".join(_digest(*sample) for sample in samples)


def _digest(view: Any, values: Any) -> bytes:
    parts = [part for part in (view, values) if part is not None]
    return hashlib.sha256(b"".join(str(part.shape).encode() + part.tobytes() for part in parts)).digest()


def remembering(find: Callable[..., Text]) -> Callable[..., Text]:
    """The detector, with its answers kept."""
    answers: dict[bytes, Text] = {}

    def found(view: Any, values: Any = None, *, usual: NamedBySamples | None = None) -> Text:
        key = _digest(view, values) + (usual.digest if usual else b"")
        if key not in answers:
            answers[key] = find(view, values, usual=usual)
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
    refused: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """By image and class of the error."""


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
        said, image_of = list[str](), {inbox / file.name: file.image for file in files}
        for outcome in deidentify(
            files_to_copy([inbox], out), out, Pseudonyms(_KEY), policy, tell=lambda _done, _all: None
        ):
            report.add(outcome)
            said.append(repr(outcome.error) + repr(outcome.copy))
            if outcome.error is not None:
                found.refused[image_of[outcome.source], type(outcome.error).__name__] += 1
        report.write()
        described = [_described(file) for file in files]
        for path in (written, *out.rglob("*")):
            seen |= seen_in(str(path.relative_to(folder)).encode())
            if path.is_file():
                data = path.read_bytes()
                seen |= seen_in(data).union(*map(words_in, views(data)))
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


def share_of(place: int, places: int, files: int, seed: int) -> Found:
    """What came of every file whose image is of one of several shares. The policies take turns over all images."""
    burned_in.find_text, burned_in.Clip = remembering(burned_in.find_text), NamedBySamples
    found, sources = Found(), images()
    own = [number for number in range(files) if number % len(sources) % places == place]
    for turn, batch in _batches(own, len(sources)):
        planted = [plant(sources[number % len(sources)], seed + number, frames=_FRAMES) for number in batch]
        check(planted, *POLICIES[turn % len(POLICIES)], found)
        print(f"process {place}: {found.files} of {len(own)} files", file=sys.stderr, flush=True)
    return found


def _batches(numbers: list[int], sources: int) -> Iterator[tuple[int, list[int]]]:
    """Files that are checked together, with how often their images were planted before."""
    for turn in range(numbers[-1] // sources + 1 if numbers else 0):
        of_turn = [number for number in numbers if number // sources == turn]
        for start in range(0, len(of_turn), _BATCH):
            yield turn, of_turn[start : start + _BATCH]


def main() -> None:
    """Plant, clean, search."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    started, places = time.monotonic(), arguments.processes
    with ProcessPoolExecutor(places) as pool:
        tasks = [pool.submit(share_of, place, places, arguments.files, arguments.seed) for place in range(places)]
        shares = [task.result() for task in tasks]
    leaks = [leak for found in shares for leak in found.leaks]
    for leak in leaks[:20]:
        print(leak)
    for (image, error), count in sum((found.refused for found in shares), Counter[tuple[str, str]]()).items():
        print(f"refused: {count} copies of {image}: {error}")
    files, tokens, copied, described = (
        sum(getattr(found, count) for found in shares) for count in ("files", "tokens", "copied", "described")
    )
    print(
        f"{files} files of {len(images())} images, {tokens} tokens, {copied} copied, {described} described, "
        f"{len(leaks)} leaks, {time.monotonic() - started:.0f} s"
    )
    sys.exit(bool(leaks) or files != arguments.files)


if __name__ == "__main__":
    main()
