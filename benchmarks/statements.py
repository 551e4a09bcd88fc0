"""The room of statements over real grounding: what is written is read back, and what is turned round is caught.

    make statements-check [ARGS="FOLDER…"]

Images: phantoms of every modality, what pydicom carries, and those of the folders named. Three parts:

round trip     every sentence that the composer writes is read back to its claims, and none is refused
sayings        every fact in each of its phrasings is supported; turned round contradicted
text           length, numbers, diversity: self-BLEU-4 with numbers masked (against all others, and six at a time),
               distinct-2 (six at a time)
"""

import argparse
import math
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom.data

from models.describers.composer import compose
from models.describers.diversity import in_sixes, masked, self_bleu
from models.experts.phantoms import DRAWN, draw
from models.experts.registry import Registry
from models.imaging import FramePolicy, from_pixels, open_source, to_pixels
from models.statements import Facts, judge
from models.statements import writing as w
from models.statements.measures import left_out
from models.statements.rows import Row
from models.statements.table import table
from models.statements.tokens import plural, spelled_out, words
from schemas.failures import InvalidInput
from schemas.images import Modality
from schemas.regions import Region
from schemas.triplets import Description, Statement

SCALED = 1.5


@dataclass(frozen=True)
class Image:
    """What is known of one image."""

    name: str
    facts: Facts


def phantoms(registry: Registry, seeds: int, modalities: Sequence[Modality] = DRAWN) -> Iterator[Image]:
    """Drawn images, grounded."""
    for modality in modalities:
        for seed in range(seeds):
            drawn = draw(modality, seed=seed)
            grounding = registry.ground(drawn.values, drawn.metadata, drawn.unit)
            rows, columns = drawn.values.shape[:2]
            yield Image(f"{modality} {seed}", Facts(drawn.metadata, grounding, (), rows, columns))


def files(registry: Registry, paths: Sequence[Path]) -> Iterator[Image]:
    """The first frame of each file that is an image, with its sidecar, grounded."""
    for path in paths:
        sidecar = path.with_name(f"{path.name}.json")
        given = sidecar.read_bytes() if sidecar.exists() else None
        mask = re.search(rb'"mask":\s*"([^"]+)"', given or b"")
        try:
            source = open_source(
                path.read_bytes(),
                FramePolicy(),
                sidecar=given,
                mask=(path.parent / mask[1].decode()).read_bytes() if mask else None,
            )
            frame = source.read(source.taken[0])
        except InvalidInput:
            continue
        pixels = to_pixels(frame)
        values = from_pixels(pixels).astype(np.float32) * np.float32(pixels.slope) + np.float32(pixels.intercept)
        grounding = registry.ground(
            values, frame.metadata, pixels.unit, inverted=frame.inverted, annotations=frame.annotations
        )
        yield Image(path.name, Facts(frame.metadata, grounding, (), pixels.rows, pixels.columns))


def packaged(most: int = 1000) -> list[Path]:
    """The images that pydicom carries."""
    folder = Path(pydicom.data.__file__).parent / "test_files"
    return sorted(path for path in folder.rglob("*.dcm") if path.stat().st_size > 8000)[:most]


# ── sayings ──


@dataclass(frozen=True)
class Saying:
    """A sentence, how it came of a fact, and the verdict that it must get."""

    kind: str
    made: str
    text: str
    wanted: str


def sayings(facts: Facts) -> Iterator[Saying]:
    """Facts of an image in each of their phrasings, and turned round."""
    yield from _of_image(facts)
    for _, region in list(facts.regions.values())[:8]:
        yield from _of_names(facts, region)
        yield from _of_words(facts, region)
        yield from _of_levels(facts, region)
        yield from _of_places(region)
        yield from _of_sizes(facts, region)
    yield from _of_counts(facts)
    yield from _of_relations(facts)


def _both(kind: str, said: str, denied: str) -> Iterator[Saying]:
    yield Saying(kind, "said", said, "supported")
    yield Saying(kind, "denied", denied, "contradicted")


def _of_image(facts: Facts) -> Iterator[Saying]:
    metadata = facts.metadata
    if metadata.modality not in ("other", "unknown"):
        row = table().modality(metadata.modality)
        for noun in (*row.say, *row.slices):
            yield from _both("modality", f"This is {w.article(noun)}.", f"This is not {w.article(noun)}.")
        for other in table().modalities:
            if other.word not in (metadata.modality, "other", "unknown", *row.also):
                yield Saying("modality", "exchanged", f"This is {w.article(other.say[0])}.", "contradicted")
    if metadata.plane is not None:
        for row in table().planes:
            for word in row.say:
                mine = row.word == metadata.plane
                yield Saying(
                    "plane",
                    "said" if mine else "exchanged",
                    f"The image is {word}.",
                    "supported" if mine else "contradicted",
                )
    if metadata.organ in table().organs:
        yield from _both("structure", f"The image shows the {metadata.organ}.", f"This is not the {metadata.organ}.")
    if metadata.disease is not None:
        yield from _both("disease", f"The source says {metadata.disease}.", f"This is not {metadata.disease}.")


def _of_names(facts: Facts, region: Region) -> Iterator[Saying]:
    name = f"Region {region.region_id}"
    for noun in w.nouns(region):
        yield from _both("finding", f"{name} is {w.article(noun)}.", f"{name} is not {w.article(noun)}.")
    mine = facts.names[region.region_id]
    for _, other in facts.regions.values():
        noun = w.nouns(other)[0]
        if " ".join(words(noun)) not in mine:
            yield Saying("finding", "exchanged", f"{name} is {w.article(noun)}.", "contradicted")
            return


def _of_words(facts: Facts, region: Region) -> Iterator[Saying]:
    name = f"Region {region.region_id}"
    for term in region.terms:
        rows = [row for row in table().terms if row.aspect == term.aspect]
        row = next((row for row in rows if row.word == term.word and row.say), None)
        if row is None or term.aspect == "size":
            continue
        for said in (one for pattern in row.say for one in spelled_out(pattern)):
            yield from _both(term.aspect, f"{name} is {said}.", f"{name} is not {said}.")
        for other in rows:
            fits = not other.modalities or facts.metadata.modality in other.modalities
            if (
                other.word != term.word
                and fits
                and other.say
                and not said_no(other.say[0])
                and not _holds(region, other)
            ):
                yield Saying(term.aspect, "mirrored", f"{name} is {other.say[0]}.", "contradicted")


def _holds(region: Region, row: Row) -> bool:
    """Whether a word fits a region beside the one that it has: what is irregular can be elongated too."""
    return row.word == "elongated" and region.shape is not None and row.holds(region.shape.elongation)


def said_no(text: str) -> bool:
    """Whether a phrase is a denial itself."""
    return text.startswith("not ")


def _of_levels(facts: Facts, region: Region) -> Iterator[Saying]:
    contrast, name = region.contrast, f"Region {region.region_id}"
    scale = table().scale(facts.metadata.modality)
    value = getattr(contrast, scale.measure.split("/")[-1], None) if contrast else None
    if value is None or abs(value) < 1:
        return
    mine, other = (scale.more, scale.less) if value > 0 else (scale.less, scale.more)
    for said in mine:
        yield from _both("level", f"{name} is {said} its surroundings.", f"{name} is not {said} its surroundings.")
    for said in other:
        yield Saying("level", "mirrored", f"{name} is {said} the tissue around it.", "contradicted")


def _of_places(region: Region) -> Iterator[Saying]:
    place, name = region.place, f"Region {region.region_id}"
    if place is None:
        return
    shown = any(axis.towards.startswith("image") for axis in place.axes)
    whole = place.within if place.within in w.WITHIN else "body"
    if shown and place.within != "image":
        return
    for axis in place.axes:
        row = next(row for row in table().places if row.axis == axis.towards)
        if 0.36 <= axis.fraction <= 0.64:
            continue
        mine, other = (row.low, row.high) if axis.fraction < 0.5 else (row.high, row.low)
        patient = "patient's " if axis.towards == "patient left" else ""
        if whole == "image" and not shown and axis.towards == "feet":
            whole = "body"
        for said in mine:
            if not said.endswith("ly") and said not in ("apical", "basal"):
                where = f"in the {patient if 'patient' not in said else ''}{said} part of the {whole}"
                yield from _both("place", f"{name} lies {where}.", f"{name} does not lie {where}.")
        where = f"in the {patient if 'patient' not in other[0] else ''}{other[0]} part of the {whole}"
        yield Saying("place", "mirrored", f"{name} lies {where}.", "contradicted")


def _of_sizes(facts: Facts, region: Region) -> Iterator[Saying]:
    name, size = f"Region {region.region_id}", region.size
    told: list[tuple[str, float, float]] = []
    if size is not None and size.unit == "mm" and size.longest_axis >= 1:
        told += [
            ("{name} is {v} mm long.", size.longest_axis, 1.0),
            ("{name} measures about {v} cm in its longest dimension.", size.longest_axis, 0.1),
            ("{name} is roughly {v} millimetres in length.", size.longest_axis, 1.0),
            ("The longest diameter of {name} is {v} mm.", size.longest_axis, 1.0),
        ]
    if region.area_mm2 is not None and region.area_mm2 >= 10:
        told += [
            ("{name} covers {v} mm².", region.area_mm2, 1.0),
            ("{name} has an area of {v} cm².", region.area_mm2, 0.01),
        ]
        told += [("The area of {name} is about {v} square millimetres.", region.area_mm2, 1.0)]
    if region.intensity.unit == "HU" and abs(region.intensity.mean) >= 10:
        told += [
            ("{name} has a mean of {v} HU.", region.intensity.mean, 1.0),
            ("{name} averages {v} Hounsfield units.", region.intensity.mean, 1.0),
        ]
    if region.place is not None and region.place.within == "image" and region.place.share_percent >= 0.1:
        told += [
            ("{name} covers {v}% of the image.", region.place.share_percent, 1.0),
            ("{name} occupies {v} percent of the image.", region.place.share_percent, 1.0),
        ]
    for pattern, value, scale in told:

        def said(number: float, pattern: str = pattern, scale: float = scale) -> str:
            text = pattern.format(name=name if pattern.startswith("{") else name.lower(), v=f"{number * scale:.3g}")
            return text if "e+" not in text else ""

        text = said(value)
        if text:
            yield Saying("size", "said", text, "supported")
            yield Saying("size", "scaled", said(SCALED * value) or said(value / SCALED), "contradicted")


def _of_counts(facts: Facts) -> Iterator[Saying]:
    for label, n in Counter(region.label for _, region in facts.regions.values()).items():
        region = next(region for _, region in facts.regions.values() if region.label == label)
        for noun in w.nouns(region):
            there = facts.named(" ".join(words(noun)))
            if len(there) != n or any(facts.region(one).label != label for one in there) or n < 2 or n > 12:
                continue
            yield Saying("count", "said", f"{w.count(n)} {plural(noun)} are outlined.", "supported")
            yield Saying("count", "said", f"There are at least {n} {plural(noun)}.", "supported")
            # Where smaller ones were left out there may be more of them.
            whole = not left_out(facts, there)
            yield Saying("count", "said", f"There are {n} {plural(noun)}.", "supported" if whole else "unsupported")
            more = math.ceil(SCALED * n)
            yield Saying("count", "scaled", f"{more} {plural(noun)} are outlined.", "contradicted")
            yield Saying("count", "scaled", f"There are {n - 1} {plural(noun)}.", "contradicted")
            yield Saying("count", "denied", f"There are no {plural(noun)}.", "contradicted")


_ONE_WAY = {"larger than", "left of", "above", "patient left of", "anterior to", "superior to"}


def _of_relations(facts: Facts) -> Iterator[Saying]:
    for one in facts.grounding.relations:
        row = next((row for row in table().relations if row.predicate == one.predicate), None)
        if row is None:
            continue
        first, second = f"region {one.subject}", f"region {one.object}"
        for said in row.say:
            yield Saying("relation", "said", f"{first} {said} {second}.", "supported")
            if one.predicate in _ONE_WAY:
                yield Saying("relation", "exchanged", f"{second} {said} {first}.", "contradicted")
        for said in row.turned:
            yield Saying("relation", "said", f"{second} {said} {first}.", "supported")


# ── text ──


def statements_of(description: Description) -> list[Statement]:
    """All of a description."""
    single = (description.caption, description.modality, description.organ)
    several = (
        description.regions,
        description.texture,
        description.relations,
        description.absences,
        description.context,
    )
    return [one for one in single if one is not None] + [
        one for part in (*several, description.measurements) for one in part
    ]


def main() -> None:
    """Print all three parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, help="further images")
    parser.add_argument("--seeds", type=int, default=4, help="phantoms a modality")
    parser.add_argument("--every", type=int, default=1, help="of the folders' files take one in so many")
    options = parser.parse_args()
    registry = Registry.load()
    paths = (
        packaged()
        + [
            path
            for folder in options.folders
            for path in sorted(folder.rglob("*"))
            if path.is_file()
            and path.suffix not in (".json", ".csv", ".md")
            and not any(part.startswith(".") for part in path.parts)
        ][:: options.every]
    )
    images = [*phantoms(registry, options.seeds), *files(registry, paths)]
    verdicts: Counter[str] = Counter()
    made: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    descriptions: list[str] = []
    failed: list[str] = []
    seconds = 0.0
    for image in images:
        start = time.perf_counter()
        description = compose(image.facts, image.name)
        seconds += time.perf_counter() - start
        descriptions.append(description.description)
        for statement in statements_of(description):
            verdicts[judge(statement.text, image.facts).verdict.outcome] += 1
        for saying in sayings(image.facts):
            right = judge(saying.text, image.facts).verdict.outcome == saying.wanted
            made[saying.kind, saying.made][0] += right
            made[saying.kind, saying.made][1] += 1
            if not right:
                failed.append(f"{image.name}: {saying.made}: {saying.text}")
    print(f"{len(images)} images; composer: {dict(verdicts)}; {1000 * seconds / len(images):.0f} ms an image")
    ways = ("said", "denied", "mirrored", "exchanged", "scaled")
    print(f"{'claim':12}" + "".join(f"{way:>16}" for way in ways))
    for kind in dict.fromkeys(kind for kind, _ in made):
        cells = [f"{made[kind, way][0]}/{made[kind, way][1]}" if (kind, way) in made else "" for way in ways]
        print(f"{kind:12}" + "".join(f"{cell:>16}" for cell in cells))
    for line in failed[:40]:
        print("  ", line)
    _print_text(descriptions)


def _print_text(descriptions: list[str]) -> None:
    lengths = sorted(len(text.split()) for text in descriptions)
    numbers = sum(bool(re.fullmatch(r"\(?-?[\d.]+%?[),.;]*", word)) for text in descriptions for word in text.split())
    found = [masked(text) for text in descriptions]
    bleu_of_six, distinct_of_six = in_sixes(found) or (0.0, 0.0)
    print(
        f"words: median {lengths[len(lengths) // 2]}, {sum(n < 40 for n in lengths)} below 40, "
        f"{sum(n > 120 for n in lengths)} above 120; numbers {100 * numbers / sum(lengths):.1f} %; "
        f"self-BLEU-4 {self_bleu(found):.2f}, six at a time "
        f"{bleu_of_six:.2f}; distinct-2 {distinct_of_six:.2f}"
    )


if __name__ == "__main__":
    main()
