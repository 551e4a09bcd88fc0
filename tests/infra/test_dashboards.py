"""Dashboards, alerts and their page speak of the metrics that there are."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client.metrics import MetricWrapperBase

import agents.metrics
import streams.metrics
from infra.grafana.pages import FOLDER, PAGES
from infra.grafana.panels import Dashboard as Page
from infra.prometheus.local import ALERTS, CONFIGURATION

PAGE = (Path(__file__).parents[2] / "docs/watching.md").read_text()
OPTIONAL = {
    "tristream_gather_lag_messages",
    "tristream_volume_records_total",
    "tristream_volume_slices_late_total",
    "tristream_volume_slices_waiting",
    "tristream_volumes_open",
    "tristream_describer_tokens_total",
    "tristream_describer_retries_total",
    "tristream_describer_concurrency",
    "tristream_verdicts_total",
}


def declared() -> dict[str, tuple[str, ...]]:
    """Names, as they are scraped, and labels."""
    found: dict[str, tuple[str, ...]] = {}
    for module in (streams.metrics, agents.metrics):
        for metric in vars(module).values():
            if isinstance(metric, MetricWrapperBase):
                (family,) = metric.describe()
                found[family.name + ("_total" if family.type == "counter" else "")] = metric._labelnames
    return found


def used(text: str) -> set[str]:
    """Names in some text, those of a histogram's series as the histogram."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"tristream_[a-z_]+", text)}


def test_panels_and_alerts_ask_for_metrics_that_exist() -> None:
    """A metric that is renamed takes its panels along."""
    panels = [panel for page in PAGES for panel in page.panels]
    expressions = " ".join(query.expression for panel in panels for query in panel.queries if not panel.optional)
    assert used(expressions) <= declared().keys()
    assert used(ALERTS.read_text()) <= declared().keys()
    optional = " ".join(query.expression for panel in panels for query in panel.queries if panel.optional)
    assert used(optional) == OPTIONAL


def test_every_metric_is_documented_with_its_labels() -> None:
    """The table of docs/watching.md is what the code declares."""
    rows = re.findall(r"^\| `(tristream_[a-z_]+)` \|(.*?)\|", PAGE, re.MULTILINE)
    table = {
        name: tuple(re.sub(r"\([^)]*\)|[ `]", "", labels).split(",")) if labels.strip() else () for name, labels in rows
    }
    assert table == declared()


def test_every_alert_is_documented() -> None:
    """Whoever is woken by one finds what to do under its name."""
    alerts = re.findall(r"alert: (\w+)", ALERTS.read_text())
    assert sorted(alerts) == sorted(re.findall(r"^\| (Tristream\w+) \|", PAGE, re.MULTILINE))


def test_the_json_is_current_and_fits_the_grid() -> None:
    """Grafana reads files; they are what the pages say. No panel lies over another."""
    for page in PAGES:
        found = orjson.loads((FOLDER / f"{page.uid}.json").read_bytes())
        assert found == page.json()
        taken: set[tuple[int, int]] = set()
        for panel in found["panels"]:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            assert not cells & taken
            assert max(x for x, _ in cells) < 24
            taken |= cells


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed")
def test_alerts_fire_when_they_should() -> None:
    """The rules pass their own tests, and the configuration is valid."""
    for argv in (
        ("test", "rules", ALERTS.with_name("alerts.test.yml")),
        ("check", "config", CONFIGURATION),
        ("check", "config", CONFIGURATION.with_name("compose.yml")),
    ):
        done = subprocess.run(["promtool", *map(str, argv)], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_test_in_which_it_fires() -> None:
    """A rule without a test is a rule that nobody has seen firing."""
    tested = ALERTS.with_name("alerts.test.yml").read_text()
    fires = set(re.findall(r"alertname: (\w+)\n\s+exp_alerts:\n", tested))
    assert fires == set(re.findall(r"alert: (\w+)", ALERTS.read_text()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
def test_grafana_knows_every_field(page: Page) -> None:
    """Read into Grafana's own types, which drop what they do not know, and written again, nothing is missing."""
    register_default_plugins()
    plain = orjson.loads(orjson.dumps(page.json()))
    written = orjson.loads(JSONEncoder().encode(Dashboard.from_json(plain)))
    assert not list(_lost(plain, written))
    assert list(_lost(plain | {"titel": "x"}, written)) == ["/titel"]


def _lost(given: Any, kept: Any, place: str = "") -> Iterator[str]:
    """Where fields of `given` are missing or others in `kept`."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for name, value in given.items():
            yield from _lost(value, kept.get(name, _MISSING), f"{place}/{name}")
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for number, (one, other) in enumerate(zip(given, kept, strict=True)):
            yield from _lost(one, other, f"{place}/{number}")
    elif given != kept:
        yield place


_MISSING = object()
