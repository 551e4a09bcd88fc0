"""The parts of a Grafana dashboard that ours are made of, in its JSON model. Knows nothing of what they show."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

WIDTH = 24
"""Columns of Grafana's grid."""
SOURCE = {"type": "prometheus", "uid": "${datasource}"}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL expression, and how its series are called."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Args:
        title: above it.
        about: what it means when it moves; shown behind its info sign.
        queries: drawn in it.
        unit: one of Grafana's unit ids.
        kind: of the picture.
        columns: of its width.
        optional: what has to run for it to show anything; empty: nothing but the pipeline.
    """

    title: str
    about: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: Literal["timeseries", "stat", "bargauge"] = "timeseries"
    columns: int = 12
    optional: str = ""

    def json(self, number: int, x: int, y: int) -> Json:
        """The panel at a place of the grid."""
        about = f"{self.about} Empty unless {self.optional} runs." if self.optional else self.about
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": about,
            "datasource": SOURCE,
            "gridPos": {"x": x, "y": y, "w": self.columns, "h": self.height},
            "fieldConfig": {"defaults": {"unit": self.unit, "min": 0}, "overrides": []},
            "options": _OPTIONS[self.kind],
            "targets": [
                {
                    "refId": chr(ord("A") + place),
                    "datasource": SOURCE,
                    "expr": query.expression,
                    "legendFormat": query.legend or "__auto",
                    "instant": self.kind != "timeseries",
                    "range": self.kind == "timeseries",
                }
                for place, query in enumerate(self.queries)
            ],
        }

    @property
    def height(self) -> int:
        """In rows of the grid."""
        return 4 if self.kind == "stat" else 8


_REDUCED = {"reduceOptions": {"calcs": ["lastNotNull"]}}
_OPTIONS: Mapping[str, Json] = {
    "timeseries": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
    "stat": {**_REDUCED, "colorMode": "none", "graphMode": "none"},
    "bargauge": {**_REDUCED, "displayMode": "basic", "orientation": "horizontal"},
}


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One page.

    Args:
        uid: of its address.
        title: of it.
        about: what it is for.
        panels: left to right, top to bottom.
        variables: name of each, and the query of its values.
    """

    uid: str
    title: str
    about: str
    panels: tuple[Panel, ...]
    variables: tuple[tuple[str, str], ...] = ()

    def json(self) -> Json:
        """The page as Grafana reads it."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.about,
            "tags": ["tristream"],
            "schemaVersion": 39,
            "editable": False,
            "refresh": "10s",
            "time": {"from": "now-1h", "to": "now"},
            "templating": {"list": [_SOURCES, *(_variable(*one) for one in self.variables)]},
            "links": [{"type": "dashboards", "title": "Tristream", "tags": ["tristream"], "keepTime": True}],
            "panels": list(_placed(self.panels)),
        }


_SOURCES: Json = {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus"}


def _variable(name: str, query: str) -> Json:
    return {
        "type": "query",
        "name": name,
        "label": name,
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
    }


def _placed(panels: Iterable[Panel]) -> Iterable[Json]:
    x = y = row = 0
    for number, panel in enumerate(panels, 1):
        if x + panel.columns > WIDTH:
            x, y, row = 0, y + row, 0
        yield panel.json(number, x, y)
        x, row = x + panel.columns, max(row, panel.height)
