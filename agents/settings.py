"""All settings: one frozen tree, passed whole. Knows nothing of where their values were read."""

import dataclasses
from pathlib import Path
from typing import Any, Literal, Self

import orjson
from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from agents.places import BadSetting, Folder, Place, default_cache
from models.describers.settings import Serving
from schemas.base import PatientPolicy
from schemas.experts import DEFAULT_EXPERT_RUNTIME, ExpertRuntime
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.weaviate import WeaviateServer
from streams.buckets.selection import Selection
from streams.identity import Identity, key_from_file
from streams.settings import Wires

HANDED_ON = "TRISTREAM_SETTINGS"
"""The whole tree in JSON, as one process hands it to those that it starts. Other variables then count for nothing."""
MOST_NEIGHBOURS = 3
"""Of a slice, on each side: a message with three is as large as seven."""
SAID = ("modality", "organ", "source", "licence")
"""Settings that say something of all images."""


class Settings(BaseSettings):
    """What a command and its stages run with. Made directly, it has defaults, whatever the environment says.

    Args:
        wires: delivery and flow: TRISTREAM_<FIELD> for each field of streams.settings.Wires, and for its `security`
            TRISTREAM_KAFKA_<FIELD> for each field of streams.settings.Security.
        inbox: folder or s3://bucket/prefix whose objects are annotated (TRISTREAM_INBOX).
        include: patterns of the objects that are taken, separated by commas; empty: all (TRISTREAM_INCLUDE).
        exclude: patterns of those that are not (TRISTREAM_EXCLUDE).
        readable: folder or bucket, beside the inbox, whose objects others may have annotated by naming them on the
            `objects` topic, as `annotate --kafka` does; None: none (TRISTREAM_READABLE).
        frames: frame policy: all, every:N, or spread:N (TRISTREAM_FRAMES).
        neighbours: frames before and after each in space that are sent with it, 0 to 3 (TRISTREAM_NEIGHBOURS).
        series: where neighbours are sought of a slice that is an object of its own: none, or folder, its own; None: as
            the command has it (TRISTREAM_SERIES).
        volumes: whether the volume that a frame is a slice of is sent with it: none, or whole, for experts of three
            dimensions (TRISTREAM_VOLUMES).
        burned_in: policies for text in pixels that is uncertain, or over marked regions: mask, dead-letter or pass for
            both, or two of them; also :always (TRISTREAM_BURNED_IN).
        modality, organ, source, licence: of all images, where neither a sidecar nor the folder's `_defaults.json` says
            otherwise (TRISTREAM_MODALITY, …): fields of schemas.sidecars.FolderDefaults.
        patients: what stands for a patient where nothing tells one: folder, file or none (TRISTREAM_PATIENTS).
        annotations: folder or s3://bucket/prefix of DICOM objects that mark regions of the images; None: there are none
            but those that sidecars name (TRISTREAM_ANNOTATIONS).
        limits: of one object: TRISTREAM_LIMIT_<FIELD> for each field of schemas.limits.Limits.
        serving: a model on SGLang: TRISTREAM_SGLANG_<FIELD> for each field of
            models.describers.settings.Serving; also TRISTREAM_UNSUPPORTED.
        knowledge: index that `tristream knowledge build` wrote; None: the starter corpus (TRISTREAM_KNOWLEDGE).
        encoder: folder of an encoder; None: what `make encoder` installed, else one is fitted to each corpus
            (TRISTREAM_ENCODER).
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
    include: str = ""
    exclude: str = ""
    readable: Place | None = None
    frames: str = "all"
    neighbours: int = Field(default=0, ge=0, le=MOST_NEIGHBOURS)
    series: Literal["none", "folder"] | None = None
    volumes: Literal["none", "whole"] = "none"
    burned_in: str = "mask/dead-letter"
    modality: str | None = None
    organ: str | None = None
    source: str | None = None
    licence: str | None = None
    patients: PatientPolicy = "folder"
    annotations: Place | None = None
    limits: Limits = DEFAULT_LIMITS
    serving: Serving = Field(default_factory=Serving)
    knowledge: Folder | None = None
    encoder: Folder | None = None
    weaviate: WeaviateServer | None = None
    experts: Folder | None = None
    expert_runtime: ExpertRuntime = DEFAULT_EXPERT_RUNTIME
    cache: Folder = Field(default_factory=default_cache)
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
        """What is given, and nothing else: infra.variables has the environment read, once."""
        return (init_settings,)

    @property
    def defaults(self) -> bytes | None:
        """What is said of all images, as a `_defaults.json` would; None: nothing."""
        told = {name: getattr(self, name) for name in SAID if getattr(self, name)}
        return orjson.dumps(told) if told else None

    @property
    def installed_encoder(self) -> Path:
        """Where `make encoder` puts the sentence encoder."""
        return self.cache / "encoder"

    @property
    def chosen_encoder(self) -> Path | None:
        """The folder of the encoder to use: the one named, else the installed one, else None: one is fitted."""
        installed = self.installed_encoder
        return self.encoder or (installed if (installed / "encoder.toml").is_file() else None)

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
    def selection(self) -> Selection:
        """Which objects are taken, by `include` and `exclude`."""
        return Selection.parse(self.include, self.exclude)

    @property
    def identity(self) -> Identity:
        """The names of objects under this key."""
        return Identity(self.secret)
