"""Claims about where regions stand in the picture as displayed: at its edges, by the clock, and how far across it."""

from dataclasses import dataclass, field

from models.statements import measures
from models.statements.claims.base import OfRegions
from models.statements.facts import Facts
from models.statements.judgement import Judgement


@dataclass(frozen=True, kw_only=True)
class AtEdge(OfRegions):
    """That a region reaches an edge of the picture; `side`: "left", "right", "upper", "lower", or "" for any."""

    kind = "edge"
    side: str = ""

    def _judge(self, facts: Facts) -> Judgement:
        return self._each(facts, lambda region_id, region: measures.at_edge(facts, region_id, region, self.side))


@dataclass(frozen=True, kw_only=True)
class Clock(OfRegions):
    """Where a region lies round the centre of the picture, by the hand of a clock that points there."""

    kind = "clock"
    hour: float

    def _judge(self, facts: Facts) -> Judgement:
        return self._each(facts, lambda region_id, region: measures.by_clock(facts, region_id, region, self.hour))


@dataclass(frozen=True, kw_only=True)
class Extent(OfRegions):
    """Which part of the picture's width or height a region spans, percent."""

    kind = "extent"
    along: str
    values: tuple[float, ...]
    bound: str = ""
    loose: bool = field(default=False, compare=False)

    def _judge(self, facts: Facts) -> Judgement:
        said = measures.Said(self.values, "%", self.bound, self.loose)
        return self._each(facts, lambda region_id, region: measures.spanned(facts, region_id, region, self.along, said))
