"""All settings: one frozen tree, read from the environment once and passed whole. Nothing else reads TRISTREAM_*."""

import dataclasses
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import AfterValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from models.describers.settings import Serving
from schemas.experts import DEFAULT_EXPERT_RUNTIME, ExpertRuntime
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.weaviate import WeaviateServer
from streams.buckets import folder_of, open_bucket
from streams.buckets.aws import ProfileUnusable, options
from streams.identity import Identity, key_from_file
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
HANDED_ON = "TRISTREAM_SETTINGS"
"""The whole tree in JSON, as one process hands it to those that it starts. Other variables then count for nothing."""

IRREGULAR = {"TRISTREAM_SGLANG_UNSUPPORTED": "TRISTREAM_UNSUPPORTED"}
"""What becomes of unsupported statements is no matter of the server's."""

MOST_NEIGHBOURS = 3
"""Of a slice, on each side: a message with three is as large as seven."""


class BadSetting(ValueError):
    """A variable whose value cannot be used."""


def place(text: str) -> str:
    """A folder made absolute, or a bucket's URL, that can be used.

    Raises:
        BadSetting: it is of neither form, or the AWS profile for it cannot be used.
    """
    try:
        if (folder := folder_of(text)) is not None:
            return os.fspath(folder)
        options(text)
        return open_bucket(text).url
    except (ValueError, ProfileUnusable) as error:
        raise BadSetting(str(error)) from None


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tristream"


Place = Annotated[str, AfterValidator(place)]
Folder = Annotated[Path, AfterValidator(_absolute)]


class Settings(BaseSettings):
    """What a command and its stages run with. Made directly, it has defaults, whatever the environment says.

    Args:
        wires: delivery and flow: TRISTREAM_<FIELD> for each field of streams.settings.Wires, and for its `security`
            TRISTREAM_KAFKA_<FIELD> for each field of streams.settings.Security.
        inbox: folder or s3://bucket/prefix whose objects are annotated (TRISTREAM_INBOX).
        frames: frame policy: all, every:N, or spread:N (TRISTREAM_FRAMES).
        neighbours: frames before and after each in space that are sent with it, 0 to 3 (TRISTREAM_NEIGHBOURS).
        series: where neighbours are sought of a slice that is an object of its own: none, or folder, its own; None: as
            the command has it (TRISTREAM_SERIES).
        burned_in: policy for uncertain text in pixels: mask, dead-letter or pass, also :always (TRISTREAM_BURNED_IN).
        annotations: folder or s3://bucket/prefix of DICOM objects that mark regions of the images; None: there are none
            but those that sidecars name (TRISTREAM_ANNOTATIONS).
        limits: of one object: TRISTREAM_LIMIT_<FIELD> for each field of schemas.limits.Limits.
        serving: a model on SGLang: TRISTREAM_SGLANG_<FIELD> for each field of
            models.describers.settings.Serving; also TRISTREAM_UNSUPPORTED.
        knowledge: index that `tristream knowledge build` wrote; None: the starter corpus (TRISTREAM_KNOWLEDGE).
        encoder: folder of an exported encoder; None: one is fitted to each corpus (TRISTREAM_ENCODER).
        weaviate: the server that holds the knowledge base, in place of an index (TRISTREAM_WEAVIATE_URL, and
            TRISTREAM_WEAVIATE_<FIELD> for each field of schemas.weaviate.WeaviateServer).
        experts: folder of one's own experts, beside the packaged ones (TRISTREAM_EXPERTS).
        expert_runtime: how they are run: TRISTREAM_EXPERT_<FIELD> for each field of schemas.experts.ExpertRuntime.
        cache: where fetched software is kept; `tristream` in the XDG cache folder (TRISTREAM_CACHE).
        key_file: where the identity key lies, made on first use (TRISTREAM_KEY_FILE).
        key: the identity key in hexadecimal, in place of the file (TRISTREAM_KEY).
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    wires: Wires = Field(default_factory=Wires)
    inbox: Place = Field(default="inbox", validate_default=True)
    frames: str = "all"
    neighbours: int = Field(default=0, ge=0, le=MOST_NEIGHBOURS)
    series: Literal["none", "folder"] | None = None
    burned_in: str = "mask"
    annotations: Place | None = None
    limits: Limits = DEFAULT_LIMITS
    serving: Serving = Field(default_factory=Serving)
    knowledge: Folder | None = None
    encoder: Folder | None = None
    weaviate: WeaviateServer | None = None
    experts: Folder | None = None
    expert_runtime: ExpertRuntime = DEFAULT_EXPERT_RUNTIME
    cache: Folder = Field(default_factory=_cache)
    key_file: Path = Path("~/.config/tristream/key")
    key: str | None = Field(default=None, repr=False)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given, and nothing else: `from_environment` has the variables read, once."""
        return (init_settings,)

    def with_wires(self, **changed: Any) -> Self:
        """A copy with other values of `wires`."""
        return self.model_copy(update={"wires": dataclasses.replace(self.wires, **changed)})

    def handed_on(self) -> dict[str, str]:
        """The variable that gives a child process these settings."""
        return {HANDED_ON: self.model_dump_json()}

    @property
    def secret(self) -> bytes:
        """The key itself; only keys derived from it are for use outside of names of objects."""
        try:
            found = bytes.fromhex(self.key) if self.key else key_from_file(self.key_file.expanduser())
        except ValueError:
            found = b""
        if len(found) < 16:
            raise BadSetting("the identity key must be at least 32 hexadecimal digits")
        return found

    @property
    def identity(self) -> Identity:
        """The names of objects under this key."""
        return Identity(self.secret)


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
