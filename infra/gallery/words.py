"""What a JSON Pointer into a triplet points at, in words for a reader. A pointer itself is never shown."""

from collections.abc import Sequence
from typing import Any, cast

import orjson

from schemas.expert_runs import ExpertRun
from schemas.knowledge import Passage
from schemas.regions import Continuation, Distribution, Opinion, Region, Relation, Term
from schemas.triplets import Evidence, Triplet

UNITS = {
    "mm": "mm", "mm2": "mm²", "px": "px", "percent": "%", "ms": "ms", "t": "T", "kv": "kV",
}  # fmt: skip
"""Endings of field names that are units."""
WITH_UNIT = {
    "mean", "standard_deviation", "minimum", "maximum", "median", "percentile_10", "percentile_90", "difference",
    "longest_axis", "shortest_axis", "minor_axis", "equivalent_diameter", "perimeter", "value", "side_difference",
}  # fmt: skip
"""Fields whose unit stands beside them, in `unit`."""
SAID = {
    "share_percent": "share of what it lies within",
    "contrast_to_noise": "contrast to noise",
    "as_displayed": "contrast as displayed",
    "predicate": "relation",
    "passage_id": "passage",
}


def told(evidence: Evidence, triplet: Triplet) -> tuple[str, str]:
    """What a statement rests on: the name of a fact, and its value."""
    name, unit = _named(evidence.pointer, triplet)
    text = value(_as_written(evidence.value))
    return name, f"{text} {unit}" if unit else text


def fact(pointer: str, triplet: Triplet) -> str:
    """The name of what a pointer leads to."""
    return _named(pointer, triplet)[0]


def value(found: str | float | bool) -> str:
    """A value as it is read: four digits that count, yes or no."""
    if isinstance(found, bool):
        return "yes" if found else "no"
    return f"{found:.4g}" if isinstance(found, float) else str(found)


def region_ids(pointers: Sequence[str], triplet: Triplet) -> tuple[str, ...]:
    """The regions that facts are about, in the order of the facts, each once."""
    found: dict[str, None] = {}
    for pointer in pointers:
        room, at = _steps(pointer)[:2] if pointer.count("/") > 1 else ("", "")
        one: Any = _item(getattr(triplet, room, ()) if room in _ABOUT else (), at)
        if one is not None:
            found |= dict.fromkeys(_ABOUT[room](one, triplet))
    return tuple(found)


_ABOUT: dict[str, Any] = {
    "regions": lambda region, _: () if region.kind == "whole image" else (region.region_id,),
    "relations": lambda relation, _: (relation.subject, relation.object),
    "continuations": lambda continuation, _: (continuation.region,),
    "distributions": lambda spread, triplet: [
        region.region_id for region in triplet.regions if (region.kind, region.label) == (spread.kind, spread.label)
    ],
}


def _as_written(text: str) -> str | float | bool:
    """The number, true or false that a text is in JSON; any other text as it is."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return found if isinstance(found, bool | int | float) else text


def _named(pointer: str, triplet: Triplet) -> tuple[str, str]:
    """The name of what stands at a pointer, and its unit; of what a triplet does not have, the last word alone."""
    room, *path = _steps(pointer)
    holder: Any = triplet
    of: list[str] = []
    name = room
    for at, step in enumerate((room, *path)):
        if isinstance(holder, tuple):
            holder = _item(cast(Sequence[Any], holder), step)
            of.append(_called(holder))
            continue
        if at == len(path) and step == "word":
            step = ""  # The aspect that the word is of says it.
        name = step
        unit = str(getattr(holder, "unit", None) or "")
        if at < len(path):
            of.append(_OF.get(step, ""))
            holder = getattr(holder, step, None) if step in getattr(type(holder), "model_fields", ()) else None
        elif step in WITH_UNIT:
            return _joined(of, SAID.get(step, step.replace("_", " "))), unit
    stem, _, ending = name.rpartition("_")
    if stem and ending in UNITS:
        return _joined(of, SAID.get(name, stem.replace("_", " "))), UNITS[ending]
    return _joined(of, SAID.get(name, name.replace("_", " "))), ""


_OF = {
    "surroundings": "surroundings",
    "spacing": "pixels",
    "intensity": "values",
    "pixel_cleaning": "text in the pixels",
}
"""Parts whose fields do not tell by their own names what they are of."""


def _joined(of: Sequence[str], name: str) -> str:
    return ": ".join(part for part in (*of, name) if part)


def _called(item: Any) -> str:
    """What an item of a list of a triplet is called."""
    match item:
        case Region():
            return "whole image" if item.kind == "whole image" else item.region_id
        case Relation():
            return f"{item.subject} and {item.object}"
        case Continuation():
            return (
                f"{item.region} towards {item.towards or ('the next slices' if item.onwards else 'the slices before')}"
            )
        case Distribution():
            return f"all of {item.label}"
        case ExpertRun():
            return item.expert.replace("@", " ")
        case Opinion():
            return f"{item.expert.replace('@', ' ')} on {item.label}"
        case Passage():
            return item.title
        case Term():
            return item.aspect
        case _:
            return ""


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _item(items: Sequence[Any], index: str) -> Any:
    return items[int(index)] if index.isdecimal() and len(index) < 10 and int(index) < len(items) else None
