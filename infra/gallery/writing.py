"""The folder of a gallery: one page, its list of cards, and two pictures and a file of details for each triplet."""

import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson

from infra.gallery import cards, pictures
from infra.gallery.cards import Card, Detail, Drawn
from infra.gallery.pictures import NoPicture, Outline, Picture
from infra.triplet_lines import BadTriplet
from schemas.dead_letters import DeadLetter
from schemas.failures import TristreamError
from schemas.triplets import Triplet

PAGE = ("index.html", "gallery.css", "gallery.js")
CARDS = "cards.js"


class NotAGallery(TristreamError):
    """A folder to write to holds something else. The message names it: the user gave the name."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is there and holds no gallery: remove it, or take another folder by --out")


class NothingToShow(TristreamError):
    """No line is a triplet that can be shown: most likely it is another file."""

    def __init__(self, first: str) -> None:
        super().__init__(f"nothing can be shown, so no gallery was written: {first}")


@dataclass
class Written:
    """What came of a file of triplets."""

    page: Path
    triplets: int = 0
    again: int = 0
    """Triplets that stood there a second time."""
    errors: list[str] = field(default_factory=list)
    """Lines that are not shown, and why."""


def write_gallery(
    triplets: Iterable[tuple[int, Triplet | BadTriplet]],
    dead_letters: Sequence[DeadLetter],
    folder: Path,
    *,
    tell: Callable[[int], None] = lambda _: None,
) -> Written:
    """Write the folder; it appears under its name only when it is whole, in the place of an earlier gallery.

    Args:
        triplets: by the number of their line. Those without their pixels are shown without a picture.
        dead_letters: listed below them.
        folder: to write.
        tell: is called with how many are written.

    Raises:
        NotAGallery: the folder holds something else.
        NothingToShow: there are lines, and no triplet among them; an earlier gallery stays.
    """
    if not _may_be_written(folder):
        raise NotAGallery(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    part.mkdir()
    try:
        written = Written(folder / PAGE[0])
        _write(triplets, dead_letters, part, written, tell)
        if folder.exists():
            shutil.rmtree(folder)
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return written


def _may_be_written(folder: Path) -> bool:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        return False
    return not folder.exists() or not any(folder.iterdir()) or all((folder / name).is_file() for name in (*PAGE, CARDS))


def _write(
    triplets: Iterable[tuple[int, Triplet | BadTriplet]],
    dead_letters: Sequence[DeadLetter],
    folder: Path,
    written: Written,
    tell: Callable[[int], None],
) -> None:
    for name in ("pictures", "thumbnails", "details"):
        (folder / name).mkdir()
    for name in PAGE:
        (folder / name).write_bytes(files("infra.gallery").joinpath("page", name).read_bytes())
    found: dict[str, Card] = {}
    for line, triplet in triplets:
        if isinstance(triplet, BadTriplet):
            written.errors.append(str(triplet))
        elif triplet.triplet_id in found:
            written.again += 1
        else:
            try:
                found[triplet.triplet_id] = _write_triplet(triplet, folder)
                tell(len(found))
            except NoPicture as error:
                written.errors.append(str(BadTriplet(line, f"cannot be shown: {error}")))
    written.triplets = len(found)
    if written.errors and not found:
        raise NothingToShow(written.errors[0])
    letters = [(letter.stage, letter.error, letter.message) for letter in dead_letters]
    content = {"facets": cards.FACETS, "cards": list(found.values()), "deadLetters": letters}
    _call(folder / CARDS, "gallery.cards", content)


def _write_triplet(triplet: Triplet, folder: Path) -> Card:
    image = pictures.decoded(triplet.image)
    sentences = cards.sentences(triplet)
    text = cards.running_text(triplet.description.description, sentences)
    colours = cards.coloured(triplet, sentences, text)
    outlines = {
        region.region_id: pictures.outline(region, triplet.image.rows, triplet.image.columns)
        for region in triplet.regions
        if region.kind != "whole image"
    }
    picture = thumbnail = None
    if image is not None:
        picture = _save(pictures.shown(*image), folder / "pictures", triplet.triplet_id)
        drawn = [(colour, outlines[name]) for name, colour in colours.items()]
        thumbnail = _save(
            pictures.thumbnail(image[1], pictures.aspect(triplet), drawn), folder / "thumbnails", triplet.triplet_id
        )
    detail = _detail(triplet, picture, sentences, text, _drawn(triplet, colours, outlines))
    _call(folder / "details" / f"{triplet.triplet_id}.js", "gallery.detail", detail)
    return cards.card(triplet, thumbnail)


def _drawn(triplet: Triplet, colours: Mapping[str, str], outlines: Mapping[str, Outline]) -> Sequence[Drawn]:
    """Those that are told first, in the order of their colours."""
    regions = {region.region_id: region for region in triplet.regions if region.kind != "whole image"}
    ordered = dict.fromkeys((*colours, *regions))
    return tuple(
        Drawn(
            id=name,
            label=regions[name].label,
            phrase=regions[name].phrase or f"{regions[name].label}, {regions[name].position}",
            colour=colours.get(name),
            path=outlines[name].path,
            tag=outlines[name].tag,
            facts=cards.region_facts(regions[name]),
        )
        for name in ordered
    )


def _detail(
    triplet: Triplet,
    picture: str | None,
    sentences: Sequence[cards.Sentence],
    text: Sequence[int | str],
    regions: Sequence[Drawn],
) -> Detail:
    cleaning = triplet.metadata.pixel_cleaning
    return Detail(
        id=triplet.triplet_id,
        title=cards.title(triplet),
        facts=cards.facts_of(triplet),
        picture=picture,
        rows=triplet.image.rows,
        columns=triplet.image.columns,
        aspect=pictures.aspect(triplet),
        small=max(triplet.image.rows, triplet.image.columns) <= pictures.SMALL,
        sentences=sentences,
        text=text,
        removed=[f"{one.part}: {one.verdict.outcome}, {one.verdict.reason}" for one in triplet.description.removed],
        regions=regions,
        points=[(one.x, one.y, one.label) for one in triplet.landmarks],
        masked=[(box.left, box.top, box.right - box.left, box.bottom - box.top) for box in cleaning.boxes]
        if cleaning
        else (),
        masking=cards.masking(cleaning) if cleaning else None,
        passages=[
            {"title": passage.title, "text": passage.text, "reference": passage.reference}
            for passage in triplet.passages
        ],
        lineage=cards.lineage_of(triplet),
    )


def _save(picture: Picture, folder: Path, name: str) -> str:
    """Write a picture; the address of it, seen from the page."""
    path = folder / f"{name}.{picture.suffix}"
    path.write_bytes(picture.data)
    return f"{folder.name}/{path.name}"


def _call(path: Path, function: str, content: Any) -> None:
    """A script that hands a page a value: pages that are opened as files may load scripts, and no JSON."""
    path.write_bytes(function.encode() + b"(" + orjson.dumps(content) + b");\n")
