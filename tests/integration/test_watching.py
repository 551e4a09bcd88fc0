"""Real workers, watched by a real Prometheus and by a real receiver of spans, over the wire."""

import contextlib
import re
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file

from agents.settings import Settings
from infra.grafana.pages import AN_MLLM, PAGES
from infra.kafka.local import free_ports
from infra.prometheus.local import LocalPrometheus, PrometheusFailed
from infra.stack import STAGES, LocalStack
from streams.reader import latest
from streams.settings import Wires
from streams.topics import DEAD_LETTERS, TRIPLETS

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus is not installed"),
]

IMAGES = ("CT_small.dcm", "MR_small.dcm")
ULTRASOUND = ("examples_palette.dcm", "examples_ybr_color.dcm")
WORKERS = ("watch", *STAGES)
COMPARISON = re.compile(r"\s*(?:==|!=|>=|<=|>|<)\s*(?:[\d.]+ \* )?(?:[\d.]+|(?=max))")


@dataclass
class Spans:
    """What a receiver of OTLP over HTTP was sent: spans by id, and the service of each."""

    bodies: list[bytes] = field(default_factory=list)

    @property
    def found(self) -> dict[bytes, tuple[str, object]]:
        spans: dict[bytes, tuple[str, object]] = {}
        for body in self.bodies:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                service = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
                spans |= {span.span_id: (service, span) for scope in resource.scope_spans for span in scope.spans}
        return spans


@contextlib.contextmanager
def receiver() -> Iterator[tuple[str, Spans]]:
    spans = Spans()

    class Receive(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces":
                spans.bodies.append(body)
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Receive) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", spans
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Watched:
    """A stack that has worked, and those who watch it."""

    stack: LocalStack
    prometheus: LocalPrometheus
    spans: Spans
    inbox: Path
    frames: int = 5
    """That triplets came of: those of the good images, and one for each dropped since."""

    def drop_another(self) -> None:
        """Drop one more image of one frame, and return when its triplet is counted."""
        shutil.copy(str(get_testdata_file(IMAGES[0], download=False)), self.inbox / f"DOE_JOHN_{self.frames}.dcm")
        self.frames += 1
        self.until(lambda: up(self.prometheus, "sum(tristream_triplets_total)") == self.frames)

    def until(self, condition: Callable[[], bool], seconds: float = 180.0) -> None:
        for _ in range(round(seconds / 0.2)):
            if condition():
                return
            self.stack.processes.pause(0.2)
        pytest.fail("it did not happen in time")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A stack to which some good images and a bad one were dropped while Prometheus watched."""
    folder = tmp_path_factory.mktemp("watched")
    inbox = folder / "inbox"
    inbox.mkdir()
    with receiver() as (endpoint, spans), pytest.MonkeyPatch.context() as environment:
        environment.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        wires = Wires(partitions=2, metrics_port=free_ports(len(WORKERS) + 1)[0], otlp_endpoint=endpoint)
        settings = Settings(wires=wires, inbox=str(inbox), frames="spread:2", volumes="whole", key="0" * 64)
        with LocalStack(settings, folder / "state", watch=True) as stack:
            prometheus = LocalPrometheus(folder / "prometheus", stack.metrics, interval=1)
            prometheus.start(stack.processes)
            prometheus.wait_ready()
            watched = Watched(stack, prometheus, spans, inbox)
            assert stack.metrics.keys() == {*(f"{stage}-1" for stage in WORKERS), "gather"}
            watched.until(lambda: all(ready(address)[0] == 200 for address in stack.metrics.values()))
            # Two scrapes before anything happens, so that a rate sees it happen.
            watched.until(lambda: up(prometheus, "sum(count_over_time(up[1m]))") >= 2 * len(stack.metrics))
            for name in IMAGES:
                shutil.copy(str(get_testdata_file(name, download=False)), inbox / f"DOE_JOHN_{name}")
            for name in ULTRASOUND:
                cropped(name).save_as(inbox / f"DOE_JOHN_{name}")
            (inbox / "DOE_JOHN_bad.dcm").write_bytes(b"DOE^JOHN" * 100)
            wires = stack.settings.wires
            watched.until(lambda: len(latest(wires, TRIPLETS)) == 5 and len(latest(wires, DEAD_LETTERS)) == 1)
            watched.until(lambda: up(prometheus, "sum(tristream_triplets_total)") == 5)
            yield watched


def cropped(name: str) -> Dataset:
    """A corner of each frame: in whole ones text is sought for seconds."""
    dataset = dcmread(str(get_testdata_file(name, download=False)))
    colour = dataset.SamplesPerPixel == 3
    pixels = dataset.pixel_array
    corner = np.ascontiguousarray(pixels[:, :64, :64] if colour else pixels[:64, :64])
    dataset.set_pixel_data(corner, "RGB" if colour else dataset.PhotometricInterpretation, 8)
    del dataset.SequenceOfUltrasoundRegions
    return dataset


def ready(address: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://{address}/readyz", timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except OSError:
        return 0, b""


def up(prometheus: LocalPrometheus, expression: str) -> float:
    found = prometheus.query(expression)
    return float(found[0]["value"][1]) if found else 0


def without_number(prometheus: LocalPrometheus, asked: list[tuple[str, str, bool]]) -> list[tuple[str, str, bool]]:
    """Those that may not be empty, and whose series, if there are any, are all not a number."""
    return [
        (title, expression, optional)
        for title, expression, optional in asked
        if all(series["value"][1] == "NaN" for series in prometheus.query(expression)) and not optional
    ]


def queries() -> list[tuple[str, str, bool]]:
    """Title, expression, and whether it may be empty, of every query of every panel."""
    return [
        (f"{page.title}: {panel.title}", query.expression, panel.optional == AN_MLLM)
        for page in PAGES
        for panel in page.panels
        for query in panel.queries
    ]


def test_every_panel_shows_something(watched: Watched) -> None:
    """Each query gives at least one series, and a number in it; those of an MLLM, of which none runs, are valid."""
    asked = [
        (f"{title} {stage}", expression.replace("$__rate_interval", "1m").replace("$stage", stage), optional)
        for title, expression, optional in queries()
        for stage in (STAGES if "$stage" in expression else ("",))
    ]
    empty = without_number(watched.prometheus, asked)
    # A quantile or a mean is a number only over a window in which something happened, and two scrapes saw it happen.
    for _ in range(5):
        if empty:
            watched.drop_another()
            empty = without_number(watched.prometheus, empty)
    assert not empty


def test_every_alert_is_on_something(watched: Watched) -> None:
    """Each rule is evaluated without an error, and there are series on both sides of its `unless`, compared or not.

    None of them fires on this pipeline; that each fires when it should is tested by promtool.
    """
    watched.until(lambda: all(rule["health"] == "ok" for rule in watched.prometheus.rules()))
    rules = watched.prometheus.rules()
    assert len(rules) >= 10
    for rule in rules:
        assert rule["state"] != "firing", rule["name"]
        for part in re.split(r"\bunless on ?\(stage\)", rule["query"]):
            watching = COMPARISON.sub("", part) if "2 *" not in part else part.replace(">", "<")
            assert watched.prometheus.query(watching), f"{rule['name']}: {watching}"


def test_a_query_that_is_wrong_is_refused(watched: Watched) -> None:
    """The check above can fail."""
    with pytest.raises(PrometheusFailed, match="parse error"):
        watched.prometheus.query("sum by (")
    assert not watched.prometheus.query("tristream_no_such_metric")


def test_what_was_done_is_what_was_counted(watched: Watched) -> None:
    """Objects, frames, triplets, dead letters and expert turns agree with what came out."""
    images = watched.frames
    expected = {
        "sum(tristream_objects_announced_total)": images,
        'sum(tristream_messages_total{stage="preprocess"})': images,
        "sum(tristream_images_total)": images,
        "sum(tristream_skipped_frames_total)": 28,
        'sum(tristream_images_total{modality="ultrasound"})': 3,
        'sum(tristream_dead_letters_total{stage="preprocess"})': 1,
        "sum(tristream_image_regions_count)": images,
        "tristream_object_to_triplet_seconds_count": images,
        "max by (stage) (tristream_lag_messages)": 0,
    }
    watched.until(lambda: {query: up(watched.prometheus, query) for query in expected} == expected)
    runs = {"expert_runs": "tristream_expert_runs_total", "durations": "tristream_expert_duration_seconds_count"}
    found = {name: up(watched.prometheus, f"sum({metric})") for name, metric in runs.items()}
    assert found["expert_runs"] == found["durations"] > 0


def test_one_object_is_one_trace_through_all_stages(watched: Watched) -> None:
    """Spans come in over HTTP; each stage's is the child of the one before, and none names anybody."""
    watched.until(lambda: len(watched.spans.found) == watched.frames * len(WORKERS))
    spans = watched.spans.found
    for service, span in spans.values():
        assert service == f"tristream-{span.name}"
        if span.name == "watch":
            assert not span.parent_span_id
        else:
            _, parent = spans[span.parent_span_id]
            assert WORKERS.index(parent.name) == WORKERS.index(span.name) - 1
            assert parent.trace_id == span.trace_id
    assert len({span.trace_id for _, span in spans.values()}) == watched.frames
    assert not any(secret in body for body in watched.spans.bodies for secret in (b"DOE", b"JOHN", b".dcm", b"inbox"))


def test_logs_name_the_trace(watched: Watched) -> None:
    """The trace of a dead letter stands beside it in the log, and among the spans."""
    log = (watched.stack.folder / "logs" / "preprocess-1.log").read_bytes()
    lines = [orjson.loads(line) for line in log.splitlines()]
    (trace,) = {line["trace_id"] for line in lines if line["event"] == "dead letter"}
    assert bytes.fromhex(trace) in {span.trace_id for _, span in watched.spans.found.values()}
