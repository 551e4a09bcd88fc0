"""The table of collections: who published them under which terms, and how their files are laid out."""

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.failures import InvalidInput
from schemas.images import Modality

TABLE = Path(__file__).with_name("collections.toml")


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Mask(_Row):
    """Where the masks of an image are."""

    path: str = Field(description="Below the collection, with the names of `path` in braces; may hold * and ?")
    label: str = Field(default="", description="Of all that is not 0")
    labels: dict[str, str] = Field(default={}, description="Of the numbers in the file, instead")
    named: str = Field(
        default="", description="Regular expression whose `label` is the label, in the file's name; + and _ are spaces"
    )
    crops: bool = Field(default=False, description="Whether crops of the image lie among its masks: they are passed by")


class Table(_Row):
    """A CSV file that tells of images; may be compressed by gzip."""

    file: str | tuple[str, ...] = Field(description="Below the collection, one or several; may hold * and ?")
    key: str = Field(description="Column that names the image")
    key_pattern: str = Field(default="", description="Regular expression whose `stem` is the image, in that column")
    match: str = Field(default="stem", description="Name of `path` that the key is equal to")
    columns: dict[str, str] = Field(default={}, description="Field of the sidecar: column")
    values: dict[str, dict[str, str]] = Field(
        default={}, description="Field: what each value means; others are dropped"
    )
    one_hot: dict[str, str] = Field(default={}, description="Column that is 1: the disease it stands for")
    box: tuple[str, str, str, str] | None = Field(default=None, description="Columns of x, y, width and height, px")
    corners: tuple[str, str, str, str] | None = Field(
        default=None, description="Columns of left, top, right, bottom, px"
    )
    box_label: str = Field(default="", description="Label of a box")
    box_label_column: str = Field(default="", description="Column of the label of a box, instead")
    reader: str = Field(
        default="", description="Column of who drew the box: what several drew around one thing is one box"
    )
    optional: bool = Field(default=False, description="Whether the collection is complete without it")

    @property
    def files(self) -> tuple[str, ...]:
        """Patterns of its files."""
        return (self.file,) if isinstance(self.file, str) else self.file


class Texts(_Row):
    """A file that names pictures and says something of each, in the source's own words."""

    file: str = Field(description="Below the collection; may hold * and ?: CSV, TSV, Parquet, JSON, JSON Lines, XML")
    image: str = Field(description="Column of the picture's name, or of the picture itself in Parquet")
    text: str = Field(description="Column of the text; of a conversation its answers are the text")
    misspelt: str = Field(default="", description="Name under which some of the publisher's JSON files have the text")
    suffix: str = Field(default="", description="Of the picture's file, where the column leaves it out")
    header: tuple[str, ...] = Field(default=(), description="Names of the columns, where the file names none")
    columns: dict[str, str] = Field(default={}, description="Field of the sidecar: column")
    splits: dict[str, Literal["train", "validation", "test"]] = Field(
        default={}, description="What stands in the file's path: the split"
    )


class Lists(_Row):
    """A file that names the images of a split, one a line."""

    file: str = Field(description="Below the collection; may hold * and ?")
    split: Literal["train", "validation", "test"]
    match: str = Field(default="stem", description="Name of `path` that a line is equal to")
    column: str = Field(default="", description="Of a CSV file, in place of its lines")
    optional: bool = Field(default=False, description="Whether the collection is complete without it")


class Collection(_Row):
    """One public collection."""

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    title: str
    modality: Modality | None = None
    organ: str | None = None
    licence: str = Field(description="SPDX identifier, or what its terms say in a few words")
    permits: Literal["commercial", "research", "unknown"]
    access: str = Field(description="Address of its page")
    adapter: Literal[
        "files",
        "volumes",
        "dicom",
        "texts",
        "pannuke",
        "patchcamelyon",
        "npz",
        "sat-ds",
        "sa-med2d",
        "lld-mmri",
        "slides",
        "deep-lesion",
        "bhx",
        "voc",
    ] = "files"
    images: tuple[str, ...] = ("**/*",)
    path: str = Field(default=r"(?P<stem>[^/]+)\.[a-zA-Z0-9.]+$", description="Of images, below the collection")
    skip: str = Field(default="", description="Regular expression of paths that are no images")
    disease: dict[str, str] = Field(default={}, description="`class` of the path: what the sidecar says")
    splits: dict[str, Literal["train", "validation", "test"]] = Field(default={}, description="`split` of the path")
    masks: tuple[Mask, ...] = ()
    tables: tuple[Table, ...] = ()
    lists: tuple[Lists, ...] = ()
    texts: Texts | None = None
    outlined: str = Field(default="annotated region", description="Label of outlines that name none")
    sidecar: dict[str, str] = Field(default={}, description="Said of every image")
    modalities: dict[str, Modality] = Field(
        default={}, description="Regular expression of a file's name: what it is of; of others nothing is said"
    )
    labels: dict[str, str] = Field(default={}, description="Of volumes: numbers in the masks, where no dataset.json is")
    tested: str = Field(default="a folder made to its layout", description="What the adapter was run on")

    def modality_of(self, name: str) -> Modality | None:
        """What a file of that name is of, as far as the collection tells."""
        if not self.modalities:
            return self.modality
        return next((said for pattern, said in self.modalities.items() if re.search(pattern, name)), None)

    def said(self, **more: Any) -> dict[str, Any]:
        """What a sidecar says of each of its images, and `more` of one; nothing that is empty."""
        told = {
            "source": self.title, "licence": self.licence, "modality": self.modality, "organ": self.organ,
            **self.sidecar, **more,
        }  # fmt: skip
        return {name: value for name, value in told.items() if value}


class BadTable(InvalidInput):
    """A table of collections that is none; the message names the entry and the field."""


@lru_cache(maxsize=8)
def collections(table: Path = TABLE) -> Mapping[str, Collection]:
    """All that a table declares, by name.

    Raises:
        BadTable: it is no table of collections.
    """
    try:
        rows = tomllib.loads(table.read_text(encoding="utf-8")).get("collections", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadTable(f"{table.name} is no TOML file that can be read: {error}") from None
    found: dict[str, Collection] = {}
    for number, row in enumerate(rows, start=1):
        try:
            one = Collection.model_validate(row)
        except ValidationError as error:
            fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(map(str, fault["loc"]))
            raise BadTable(f"{table.name}, collection {number}: {place}: {fault['msg']}") from None
        found[one.name] = one
    if not found:
        raise BadTable(f"{table.name} declares no collection: expected [[collections]] with name, title, licence, path")
    return found
