"""The dashboards: what is asked of Prometheus, and what it means. `make dashboards` writes them as JSON.

Every query is run against real workers by tests/integration/test_watching.py.
"""

import sys
from pathlib import Path

import orjson

from infra.grafana.panels import Dashboard, Panel, Query

FOLDER = Path(__file__).parent / "dashboards"
AN_MLLM = "an MLLM describes"
VOLUMES = "volumes are sent with their slices"


def _rate(metric: str, by: str, where: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{where}[$__rate_interval]))"


def _quantiles(metric: str, where: str = "", *quantiles: float) -> tuple[Query, ...]:
    of = f"sum by (le) (rate({metric}_bucket{where}[$__rate_interval]))"
    return tuple(Query(f"histogram_quantile({q}, {of})", f"p{q * 100:g}") for q in quantiles or (0.5, 0.99))


OVERVIEW = Dashboard(
    "tristream-overview",
    "Tristream: overview",
    "Does it flow, how fast, and where does it wait?",
    (
        Panel("Triplets per second", "The product. Zero while lag is not: find the first stage whose rate is zero.",
              (Query("sum(rate(tristream_triplets_total[$__rate_interval]))"),), kind="stat", columns=4),
        Panel("Objects per second", "Objects that preprocess has finished, dead letters among them.",
              (Query('sum(rate(tristream_messages_total{stage="preprocess"}[$__rate_interval]))'),),
              kind="stat", columns=4),
        Panel("Dead letters, last hour", "Look at 'tristream dead-letters' for what to do about each.",
              (Query("sum(increase(tristream_dead_letters_total[1h]))"),), kind="stat", columns=4),
        Panel("Drop to triplet, p50", "Half of the triplets come within this time of their object.",
              _quantiles("tristream_object_to_triplet_seconds", "", 0.5), "s", "stat", 4),
        Panel("Drop to triplet, p99", "Grows with the backlog: objects wait their turn.",
              _quantiles("tristream_object_to_triplet_seconds", "", 0.99), "s", "stat", 4),
        Panel("Workers", "Worker processes that answer.", (Query('sum(up{job="tristream"})'),), kind="stat", columns=4),
        Panel("Rate by stage", "Messages finished. The slowest stage sets the pace of all; its lag grows.",
              (Query(_rate("tristream_messages_total", "stage"), "{{stage}}"),), "ops"),
        Panel("Lag by stage", "Messages that wait. Grows at the stage that is behind, and before preprocess.",
              (Query("max by (stage) (tristream_lag_messages)", "{{stage}}"),)),
        Panel("Lag by stage, bytes", "Estimated from the mean size of recent messages.",
              (Query("max by (stage) (tristream_lag_bytes)", "{{stage}}"),), "bytes"),
        Panel("Time to work off the lag", "Lag divided by rate.",
              (Query(f"max by (stage) (tristream_lag_messages) / {_rate('tristream_messages_total', 'stage')}",
                     "{{stage}}"),), "s"),
        Panel("Drop to triplet", "From taking an object to its triplet acknowledged.",
              _quantiles("tristream_object_to_triplet_seconds", "", 0.5, 0.9, 0.99), "s"),
        Panel("Dead letters", "By stage and class of error. A jump after a deployment: the deployment.",
              (Query(_rate("tristream_dead_letters_total", "stage, reason"), "{{stage}}: {{reason}}"),), "ops"),
        Panel("Saturation", "Share of a stage's places that are taken. At 1 it is the bottleneck: add workers.",
              (Query("sum by (stage) (tristream_in_flight_messages)"
                     " / sum by (stage) (tristream_in_flight_limit_messages)", "{{stage}}"),), "percentunit"),
        Panel("Backpressure", "Bytes in later topics against the mark at which preprocess stops taking objects.",
              (Query("max(tristream_later_topics_bytes)", "waiting"),
               Query("max(tristream_high_water_bytes)", "high-water mark")), "bytes"),
        Panel("Not running", "Workers of a stage that are paused or wait for a server; 'tristream status' says why.",
              (Query('sum by (stage, state) (tristream_stage_state{state!="running"})', "{{stage}}: {{state}}"),)),
        Panel("Retries", "Tries that failed because something was away.",
              (Query(_rate("tristream_retries_total", "stage, reason"), "{{stage}}: {{reason}}"),), "ops"),
    ),
)  # fmt: skip

_OF_STAGE = 'and on (instance) tristream_stage_state{stage=~"$stage"}'
_STAGE = '{stage=~"$stage"}'

STAGE = Dashboard(
    "tristream-stage",
    "Tristream: one stage",
    "One stage and each of its workers.",
    (
        Panel("Messages by outcome", "Finished, as done or as dead letters.",
              (Query(_rate("tristream_messages_total", "outcome", _STAGE), "{{outcome}}"),), "ops"),
        Panel("Duration of one message", "From taking it to the acknowledgement of all that came of it.",
              _quantiles("tristream_stage_duration_seconds", _STAGE, 0.5, 0.9, 0.99), "s"),
        Panel("Messages by worker", "Workers of a stage share its partitions; one at zero has none, or is stuck.",
              (Query(_rate("tristream_messages_total", "instance", _STAGE), "{{instance}}"),), "ops"),
        Panel("In work", "By worker, and how many one worker may have.",
              (Query(f"sum by (instance) (tristream_in_flight_messages{_STAGE})", "{{instance}}"),
               Query(f"max(tristream_in_flight_limit_messages{_STAGE})", "limit of a worker"))),
        Panel("Lag", "Messages of its input that are not done.",
              (Query(f"max by (stage) (tristream_lag_messages{_STAGE})", "{{stage}}"),)),
        Panel("Lag, bytes", "Estimated from the mean size of recent messages.",
              (Query(f"max by (stage) (tristream_lag_bytes{_STAGE})", "{{stage}}"),), "bytes"),
        Panel("Sent", "Bytes a second that go on to the next topic.",
              (Query(_rate("tristream_sent_bytes_total", "stage", _STAGE), "{{stage}}"),), "Bps"),
        Panel("State", "What each worker says that it does.",
              (Query(f"sum by (state) (tristream_stage_state{_STAGE})", "{{state}}"),)),
        Panel("Memory", "Resident, without the decoding processes of preprocess. Flat, whatever the backlog.",
              (Query(f"process_resident_memory_bytes {_OF_STAGE}", "{{instance}}"),),
              "bytes"),
        Panel("CPU", "Cores in use, without the decoding processes of preprocess.",
              (Query(f"rate(process_cpu_seconds_total[$__rate_interval]) {_OF_STAGE}", "{{instance}}"),)),
        Panel("Retries", "Tries that failed because something was away.",
              (Query(_rate("tristream_retries_total", "reason", _STAGE), "{{reason}}"),), "ops"),
    ),
    variables=(("stage", 'label_values(tristream_in_flight_limit_messages, stage)'),),
)  # fmt: skip

QUALITY = Dashboard(
    "tristream-quality",
    "Tristream: quality",
    "What the images are, what is found in them, and what is believed of what is written.",
    (
        Panel("Images by modality", "Frames sent on by preprocess. A modality that stops: look at its source.",
              (Query(_rate("tristream_images_total", "modality"), "{{modality}}"),), "ops"),
        Panel("Triplets by modality", "The same at the other end.",
              (Query(_rate("tristream_triplets_total", "modality"), "{{modality}}"),), "ops"),
        Panel("Regions per image", "Mean. A shift: other images, or an expert that has changed.",
              (Query(f"{_rate('tristream_image_regions_sum', 'modality')}"
                     f" / {_rate('tristream_image_regions_count', 'modality')}", "{{modality}}"),)),
        Panel("Images without a region", "Share of images in which no expert found anything, or none fits.",
              (Query(f"""{_rate('tristream_image_regions_bucket', 'modality', '{le="0.0"}')}"""
                     f" / {_rate('tristream_image_regions_count', 'modality')}", "{{modality}}"),), "percentunit"),
        Panel("Expert turns", "By expert and outcome. Failures: the expert or its runtime.",
              (Query(_rate("tristream_expert_runs_total", "expert, outcome"), "{{expert}}: {{outcome}}"),), "ops"),
        Panel("Expert duration, p99", "One turn on one image, measuring included.",
              (Query("histogram_quantile(0.99, sum by (le, expert) "
                     "(rate(tristream_expert_duration_seconds_bucket[$__rate_interval])))", "{{expert}}"),), "s"),
        Panel("Dead letters by reason", "Classes of error: what is wrong with the objects that come in.",
              (Query("sum by (reason) (tristream_dead_letters_total)", "{{reason}}"),), kind="bargauge"),
        Panel("Frames left out", "By the frame policy.",
              (Query("sum(rate(tristream_skipped_frames_total[$__rate_interval]))", "frames"),), "ops"),
        Panel("Records of volumes", "Written by gather. Incomplete ones: slices in dead letters, left out, or late.",
              (Query(_rate("tristream_volume_records_total", "complete"), "complete: {{complete}}"),), "ops",
              optional=VOLUMES),
        Panel("Volumes in work", "Awaited by gather. At 256 volumes the one that waited longest is written as it is.",
              (Query("sum(tristream_volumes_open)", "volumes"),
               Query("sum(tristream_volume_slices_waiting)", "their slices"),
               Query("sum(tristream_gather_lag_messages)", "triplets not read")), optional=VOLUMES),
        Panel("Late slices", "Came after the record of their volume. Many: let gather wait longer.",
              (Query("sum(rate(tristream_volume_slices_late_total[$__rate_interval]))", "slices"),), "ops",
              optional=VOLUMES),
        Panel("Verdicts on statements", "What verification says of each statement of the describer.",
              (Query(_rate("tristream_verdicts_total", "verdict"), "{{verdict}}"),), "ops", optional=AN_MLLM),
        Panel("Describer's retries", "Answers that were asked for again, by reason.",
              (Query(_rate("tristream_describer_retries_total", "reason"), "{{reason}}"),), "ops", optional=AN_MLLM),
        Panel("Describer's tokens", "Read, read from the server's cache, written. Most that is read should be cached.",
              (Query(_rate("tristream_describer_tokens_total", "kind"), "{{kind}}"),), "ops", optional=AN_MLLM),
        Panel("Describer's concurrency", "Requests that its server may have at once. At one: the server is too small.",
              (Query("sum(tristream_describer_concurrency)", "requests"),), optional=AN_MLLM),
    ),
)  # fmt: skip

PAGES = (OVERVIEW, STAGE, QUALITY)


def main() -> None:
    """Write the JSON files, or with --check say whether they are current."""
    stale: list[str] = []
    for page in PAGES:
        file = FOLDER / f"{page.uid}.json"
        text = orjson.dumps(page.json(), option=orjson.OPT_INDENT_2) + b"\n"
        if "--check" not in sys.argv:
            file.write_bytes(text)
        elif not file.exists() or file.read_bytes() != text:
            stale.append(file.name)
    if stale:
        sys.exit(f"out of date: {', '.join(stale)}: run 'make dashboards'")


if __name__ == "__main__":
    main()
