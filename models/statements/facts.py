"""All that is known of an image, as the places and values that a statement may cite. Knows nothing of who writes."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

from models.statements.table import table
from models.statements.tokens import spelled_out, with_other_nouns, words
from schemas.images import ImageMetadata
from schemas.knowledge import EnrichedImage, FoundPassage
from schemas.regions import Grounding, Region, expert_name
from schemas.triplets import Evidence, Triplet, as_text

Scalar = str | float | int | bool
Kind = Literal["metadata", "image", "region", "relation", "passage"]

_KINDS: dict[str, Kind] = {
    "metadata": "metadata", "image": "image", "intensity": "image", "opinions": "image",
    "regions": "region", "experts": "region",
    "relations": "relation", "distributions": "relation", "continuations": "relation", "passages": "passage",
}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What a description of one image may rest on. Pointers are those of its triplet."""

    metadata: ImageMetadata
    grounding: Grounding
    passages: tuple[FoundPassage, ...]
    rows: int
    columns: int

    @classmethod
    def of(cls, image: EnrichedImage) -> "Facts":
        """The facts of an image on its way to the describer."""
        return cls(image.metadata, image.grounding, image.passages, image.view.rows, image.view.columns)

    @cached_property
    def values(self) -> dict[str, Scalar]:
        """Every scalar in the triplet that these facts will be part of, by its JSON Pointer; pixels are left out."""
        document = {
            "metadata": self.metadata.model_dump(mode="json"),
            "image": {"rows": self.rows, "columns": self.columns},
            **self.grounding.model_dump(mode="json"),
            "passages": [passage.model_dump(mode="json") for passage in self.passages],
        }
        found: dict[str, Scalar] = {}
        _collect(document, "", found)
        return found

    @classmethod
    def of_triplet(cls, triplet: Triplet) -> "Facts":
        """The facts that a finished triplet holds."""
        return cls(triplet.metadata, triplet.grounding, triplet.passages, triplet.image.rows, triplet.image.columns)

    @cached_property
    def regions(self) -> dict[str, tuple[int, Region]]:
        """Index and region by region_id; empty where nothing is outlined."""
        outlined = enumerate(self.grounding.regions)
        return {region.region_id: (index, region) for index, region in outlined if region.kind != "whole image"}

    def index(self, region_id: str) -> int:
        """Place of a region in the triplet."""
        return self.regions[region_id][0]

    def region(self, region_id: str) -> Region:
        """A region by its id."""
        return self.regions[region_id][1]

    @cached_property
    def labels(self) -> frozenset[str]:
        """Labels of the regions; of a finding that the source marks, with the organ before it too: 'skin lesion'."""
        organ = self.metadata.organ
        found = {region.label for _, region in self.regions.values()}
        return frozenset(
            found
            | set(_OF_INTEREST if any(_is_found(region) for _, region in self.regions.values()) else ())
            | {
                name
                for _, region in self.regions.values()
                if organ and _is_found(region)
                for name in _of_organ(frozenset((region.label,)), organ)
            }
        )

    @cached_property
    def experts(self) -> frozenset[str]:
        """Names of the experts that ran, without versions."""
        return frozenset(expert_name(run.expert) for run in self.grounding.experts if run.expert != "source")

    @cached_property
    def names(self) -> dict[str, frozenset[str]]:
        """What each region may be called, by region_id; names are lower-case words with one space between."""
        organ = " ".join(words(self.metadata.organ or ""))
        found: dict[str, frozenset[str]] = {}
        for region_id, (_, region) in self.regions.items():
            names = names_of(region.label)
            if _is_found(region):
                names = names | (_of_organ(names, organ) if organ else frozenset()) | _OF_INTEREST
            found[region_id] = names
        return found

    @cached_property
    def _by_own_name(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for region_id, (_, region) in self.regions.items():
            name = " ".join(words(region.label))
            found[name] = (*found.get(name, ()), region_id)
        return found

    def named(self, name: str, *, several: bool = False) -> tuple[str, ...]:
        """The regions that may be called so: those whose own name it is before those that it merely fits.

        Args:
            name: lower-case words with one space between.
            several: it is in the plural: where it is the own name of one only, those that it fits are meant.
        """
        exact = self._by_own_name.get(name, ())
        # "The lungs" are the mark of both, and not the lung fields that an expert finds in it.
        whole = len(exact) == 1 and table().bare(self.region(exact[0]).label) in table().organs
        if exact and (whole or not (several and len(exact) == 1)):
            return exact
        return tuple(one for one, names in self.names.items() if name in names) or exact

    def evidence(self, pointer: str) -> Evidence | None:
        """The value at a pointer, as evidence; None where there is none."""
        value = self.values.get(pointer)
        kind = _KINDS.get(pointer.split("/")[1] if pointer.startswith("/") else "")
        return (
            None if value is None or kind is None else Evidence(kind=kind, pointer=pointer, value=str(as_text(value)))
        )

    def evidence_of(self, pointers: Iterable[str]) -> tuple[Evidence, ...]:
        """The values at or below pointers, each once; of a mask, whose value no reader can use, the region's label."""
        found: dict[str, Evidence] = {}
        for pointer in pointers:
            place = f"{pointer.removesuffix('/mask')}/label" if pointer.endswith("/mask") else pointer
            below = [place] if place in self.values else [one for one in self.values if one.startswith(f"{place}/")]
            found |= {one: item for one in below if (item := self.evidence(one)) is not None}
        return tuple(found.values())


_OF_INTEREST = frozenset({"region of interest", "roi"})
"""What a finding that the source marks is called too."""


def _of_organ(names: frozenset[str], organ: str) -> frozenset[str]:
    """Names with the organ before them: 'skin lesion', 'intracranial haemorrhage'."""
    adjectives = (organ, "intracranial") if organ in ("brain", "head") else (organ,)
    return frozenset(f"{adjective} {name}" for name in names for adjective in adjectives)


def _is_found(region: Region) -> bool:
    """Whether the source marks it as a finding, which then is one of the organ that it names."""
    return region.kind == "source annotation" and table().called(region.label).role == "finding"


@lru_cache(maxsize=512)
def names_of(label: str) -> frozenset[str]:
    """What a region of a label may be called."""
    bare = table().bare(label)
    row = table().called(label)
    unsided = label.removeprefix("left ").removeprefix("right ")
    found = {
        phrase
        for pattern in (bare, *row.say, *row.read)
        for spelled in spelled_out(pattern)
        for phrase in with_other_nouns(spelled)
    }
    return frozenset(" ".join(words(phrase)) for phrase in (*found, label, unsided))


def _collect(node: Any, pointer: str, found: dict[str, Scalar]) -> None:
    if isinstance(node, dict):
        for key, value in node.items():
            _collect(value, f"{pointer}/{key}", found)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            _collect(value, f"{pointer}/{index}", found)
    elif node is not None:
        found[pointer] = node
