"""A manifest as the text of its file. Knows nothing of what its fields mean."""

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from models.experts.manifest import Manifest

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml(manifest: Manifest, note: str = "Written by `tristream experts`.") -> str:
    """The manifest as its file holds it; what is left at its default is left out. `note`: its first line."""
    return f"# {note}\n{tables(manifest.model_dump(mode='json', exclude_defaults=True))}"


def tables(plain: Mapping[str, Any]) -> str:
    """Values first, then tables, then arrays of tables."""
    lists = {name: one for name, one in plain.items() if isinstance(one, list) and one and isinstance(one[0], dict)}
    maps = {name: one for name, one in plain.items() if isinstance(one, dict)}
    lines = pairs({name: one for name, one in plain.items() if name not in lists and name not in maps})
    for name, table in maps.items():
        lines += ["", f"[{name}]", *pairs(table)]
    for name, table in ((name, table) for name, several in lists.items() for table in several):
        lines += ["", f"[[{name}]]", *pairs(table)]
    return "\n".join(lines) + "\n"


def pairs(table: Mapping[str, Any]) -> list[str]:
    """A line for each field, tables within it inline."""
    return [f"{_key(key)} = {_value(value)}" for key, value in table.items()]


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(pairs(cast(Mapping[str, Any], value)))} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, cast(list[Any], value)))}]"
    # Strings and numbers are the same in TOML as in JSON.
    return json.dumps(value, ensure_ascii=False)
