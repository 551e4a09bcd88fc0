"""Settings from the environment, read once. Nothing else reads variables that begin with TRISTREAM_."""

import dataclasses
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from agents.places import BadSetting
from agents.settings import HANDED_ON, Settings
from models.describers.settings import Serving
from schemas.experts import ExpertRuntime
from schemas.limits import Limits
from schemas.weaviate import WeaviateServer
from streams.settings import Security, Wires

PREFIX = "TRISTREAM_"
PARTS: dict[tuple[str, ...], tuple[str, type[Any]]] = {
    ("wires",): ("", Wires),
    ("wires", "security"): ("KAFKA_", Security),
    ("limits",): ("LIMIT_", Limits),
    ("serving",): ("SGLANG_", Serving),
    ("weaviate",): ("WEAVIATE_", WeaviateServer),
    ("expert_runtime",): ("EXPERT_", ExpertRuntime),
}
"""What stands between TRISTREAM_ and the name of a field, and the fields, for each part of the tree."""
OTHER_NAMES = {
    # OpenTelemetry's own variable is known to whoever runs a collector; ours, which is read later, wins.
    "OTEL_EXPORTER_OTLP_ENDPOINT": ("wires", "otlp_endpoint"),
    "TRISTREAM_KAFKA": ("wires", "bootstrap"),
}
IRREGULAR = {"TRISTREAM_SGLANG_UNSUPPORTED": "TRISTREAM_UNSUPPORTED"}
"""What becomes of unsupported statements is no matter of the server's."""


class Variables(PydanticBaseSettingsSource):
    """The values of TRISTREAM_* variables, at their places in the tree, as text.

    Args:
        settings_cls: whose tree it is.
        environment: where the variables stand.
        options: further ones, from the command line; they win.
    """

    def __init__(
        self, settings_cls: type[BaseSettings], environment: Mapping[str, str], options: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(settings_cls)
        self._environment, self._options = environment, options or {}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """One field's value, its name, and False: all are read at once below."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """The tree of what is set, of dictionaries."""
        handed = self._environment.get(HANDED_ON)
        found: dict[str, Any] = orjson.loads(handed) if handed else {}
        for given in (self._options,) if handed else (self._environment, self._options):
            for variable, path in (*OTHER_NAMES.items(), *variables().items()):
                if text := given.get(variable):
                    _put(found, path, text)
        if found.get("weaviate") and "url" not in found["weaviate"]:
            del found["weaviate"]  # The rest of a server that nobody named.
        return found


def _put(tree: dict[str, Any], path: tuple[str, ...], text: str) -> None:
    for part in path[:-1]:
        tree[part] = tree.get(part) or {}
        tree = tree[part]
    tree[path[-1]] = text


@cache
def variables() -> dict[str, tuple[str, ...]]:
    """The variable of every field, and the field's place in the tree."""
    found: dict[str, tuple[str, ...]] = {
        PREFIX + name.upper(): (name,) for name in Settings.model_fields if (name,) not in PARTS
    }
    for path, (infix, part) in PARTS.items():
        for field in dataclasses.fields(part):
            if (*path, field.name) not in PARTS:
                variable = PREFIX + infix + field.name.upper()
                found[IRREGULAR.get(variable, variable)] = (*path, field.name)
    return found


def from_environment(environment: Mapping[str, str] = os.environ, options: Mapping[str, str] | None = None) -> Settings:
    """Settings from variables, and from those that stand for options of a command, which win.

    Raises:
        BadSetting: a value that cannot be used; the message names the variable.
    """
    try:
        return Settings.model_validate(Variables(Settings, environment, options)())
    except ValidationError as error:
        raise BadSetting("; ".join(_told(dict(one)) for one in error.errors(include_input=False))) from None


def _told(error: Mapping[str, Any]) -> str:
    place = tuple(part for part in error["loc"] if isinstance(part, str))
    named = [variable for variable, path in variables().items() if path == place]
    message = error["msg"].removeprefix("Value error, ")
    return f"{named[0]}: {message[0].lower()}{message[1:]}" if named else message
