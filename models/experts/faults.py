"""What is wrong with a manifest or a graph that cannot be loaded, and what to do. Knows nothing of who asks."""

import difflib
import re
from collections.abc import Iterator
from functools import lru_cache

from pydantic import BaseModel, ValidationError

_FEW_BYTES = 200
_POINTER = b"version https://git-lfs"


def of_manifest(error: ValidationError, manifest: type[BaseModel]) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Each fault's place in the manifest, and what to write there."""
    faults = error.errors(include_url=False)
    for one in faults:
        place, kind = one["loc"], one["type"]
        within = any(len(other["loc"]) > len(place) and other["loc"][: len(place)] == place for other in faults)
        if kind == "too_short" and within:  # What does not hold what it should is told of already.
            continue
        if kind == "extra_forbidden":
            near = difflib.get_close_matches(str(place[-1]), _fields(manifest), 1)
            meant = f": is {near[0]!r} meant?" if near and near[0] != place[-1] else ", though of another"
            yield place, f"this table has no such field{meant if near else ''}"
        elif kind == "missing":
            yield place, "it is missing"
        elif kind == "union_tag_not_found":
            yield place, 'its kind is missing: kind = "…"'
        elif kind in ("model_type", "model_attributes_type", "dict_type"):
            yield place, 'it is a table, as size = { policy = "keep" }'
        else:
            yield place, one["msg"].removeprefix("Value error, ")


@lru_cache
def _fields(manifest: type[BaseModel]) -> tuple[str, ...]:
    """Of the manifest and all its tables."""
    schema = manifest.model_json_schema()
    tables = [schema, *schema["$defs"].values()]
    return tuple(sorted({name for table in tables for name in table.get("properties", {})}))


def of_graph(data: bytes, error: Exception) -> str:
    """Why ONNX Runtime does not load the file that `data` is of, after what it said itself."""
    told = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", str(error))
    if data.startswith(_POINTER):
        return "it is a pointer of Git LFS and not the file itself: run 'git lfs pull' where it came from"
    if not data:
        return "it is empty: copy or export it again"
    if "protobuf" in told.lower():
        return "it is no ONNX file, or not the whole of one: copy or export it again"
    if opset := re.search(r"support for domain (\S+) is till opset (\d+)", told):
        domain = "" if opset[1] == "ai.onnx" else f" of {opset[1]}"
        return f"its opset{domain} is newer than is known here: export it with opset_version={opset[2]} or below"
    if version := re.search(r"max supported IR version: (\d+)", told):
        return (
            f"its IR version is newer than is known here: in Python, model = onnx.load(…); model.ir_version = "
            f"{version[1]}; onnx.save(model, …)"
        )
    if unknown := re.search(r"(\S+?)(?:\(-?\d+\))? is not a registered function/op|No Op registered for (\w+)", told):
        return f"it needs the operation {unknown[1] or unknown[2]}, which ONNX Runtime does not have: export it without"
    if "External initializer" in told and "file_length" in told:
        return "its external data is shorter than it says: copy it again, or export both anew"
    return re.sub(r"^/\S+ .*?\) ", "", told)[:_FEW_BYTES]
