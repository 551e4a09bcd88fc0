"""The contracts as files: JSON Schema of each message type, one AsyncAPI 3 document, and the topics for the Helm chart,
generated from the types and the table of topics. Beside them the launch of SGLang, as a chart reads no file outside it.

`python -m infra.contracts` writes them; with `--check` it fails when they are not current.
"""

import sys
from pathlib import Path
from typing import Any

import orjson
from pydantic.json_schema import models_json_schema

from models.experts.manifest import Manifest
from schemas.sidecars import FolderDefaults, Sidecar
from streams.codec import Context, headers
from streams.lag import INPUTS
from streams.settings import Wires
from streams.topics import OBJECTS, TOPICS

FOLDER = Path(__file__).parents[1] / "schemas" / "generated"
CHART = Path(__file__).parent / "helm" / "tristream" / "files"
LAUNCH = Path(__file__).parent / "sglang" / "launch.sh"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
VERSION = "1.0.0"

HEADERS = {
    "ce_specversion": "Version of CloudEvents",
    "ce_id": "Of this sending of the message: a message that is sent again has another one",
    "ce_type": "Type of the value, and its version",
    "ce_source": "Stage that sent it",
    "ce_time": "When it was sent: ISO 8601, UTC",
    "ce_takenat": "When its object was announced: ISO 8601, UTC",
    "content-type": "Of the value",
    "traceparent": "W3C trace context, the same along an object's whole way",
}
"""What the headers of a message say."""


def json_schemas() -> dict[str, dict[str, Any]]:
    """One self-contained JSON Schema (2020-12) a message type, and those of the files that people write, by name."""
    return {
        topic.carries.__name__: {"$schema": DIALECT, **topic.carries.model_json_schema(mode="serialization")}
        for topic in TOPICS
    } | {
        "Sidecar": {"$schema": DIALECT, **Sidecar.model_json_schema()},
        "FolderDefaults": {"$schema": DIALECT, **FolderDefaults.model_json_schema()},
        "ExpertManifest": {"$schema": DIALECT, **Manifest.model_json_schema()},
    }


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document of all topics."""
    _, definitions = models_json_schema(
        [(topic.carries, "serialization") for topic in TOPICS], ref_template="#/components/schemas/{model}"
    )
    head = [name for name, _ in headers(OBJECTS.carries(bucket="b", key="k", etag="e", size=0), "watch", Context())]
    told = {name: {"type": "string", "description": HEADERS[name]} for name in head}
    stated = {"type": "object", "properties": told, "required": head}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tristream",
            "version": VERSION,
            "description": "Medical images in, image–ROI–description triplets out. Values are JSON; "
            "CloudEvents attributes and a W3C trace context travel as Kafka headers.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            topic.name: {
                "address": topic.name,
                "description": topic.summary,
                "messages": {topic.carries.__name__: {"$ref": f"#/components/messages/{topic.carries.__name__}"}},
                "bindings": {
                    "kafka": {
                        "topicConfiguration": {
                            "cleanup.policy": [topic.cleanup],
                            "retention.ms": topic.retention_ms,
                            "max.message.bytes": topic.max_message_bytes,
                        },
                        "bindingVersion": "0.5.0",
                    }
                },
            }
            for topic in TOPICS
        },
        "operations": {
            f"receive-{topic.name}": {
                "action": "receive",
                "channel": {"$ref": f"#/channels/{topic.name}"},
                "summary": f"Consume {topic.carries.__name__}",
            }
            for topic in TOPICS
        },
        "components": {
            "messages": {
                topic.carries.__name__: {
                    "name": topic.carries.__name__,
                    "contentType": "application/json",
                    **({} if topic.foreign else {"headers": stated}),
                    "payload": {"$ref": f"#/components/schemas/{topic.carries.__name__}"},
                    "bindings": {
                        "kafka": {
                            "key": {"type": "string", "description": f"The message's {topic.key}"},
                            "bindingVersion": "0.5.0",
                        }
                    },
                }
                for topic in TOPICS
            },
            "schemas": definitions["$defs"],
        },
    }


def files() -> dict[Path, bytes]:
    """Every generated file with its content."""

    def text(value: Any) -> bytes:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"

    found = {FOLDER / f"{name}.schema.json": text(schema) for name, schema in json_schemas().items()}
    topics = [{"name": topic.name, "summary": topic.summary, "config": topic.config(Wires())} for topic in TOPICS]
    return {
        **found,
        FOLDER / "asyncapi.json": text(asyncapi()),
        CHART / "topics.json": text(topics),
        CHART / "inputs.json": text({stage: topic.name for stage, topic in INPUTS.items()}),
        CHART / LAUNCH.name: LAUNCH.read_bytes(),
    }


def stale() -> list[Path]:
    """Generated files that are missing, not current, or of no type any more."""
    wanted = files()
    present = {*FOLDER.glob("*.json"), *CHART.glob("*")}
    return sorted(
        {path for path, content in wanted.items() if path not in present or path.read_bytes() != content}
        | (present - wanted.keys())
    )


def main() -> None:
    """Write, or check with `--check`."""
    if "--check" in sys.argv[1:]:
        if old := stale():
            sys.exit(f"not current: {', '.join(path.name for path in old)}: run 'make schemas'")
        return
    FOLDER.mkdir(exist_ok=True)
    CHART.mkdir(exist_ok=True)
    for path in stale():
        path.unlink(missing_ok=True)
    for path, content in files().items():
        path.write_bytes(content)


if __name__ == "__main__":
    main()
