"""Folders and buckets as settings name them. Knows nothing of which settings there are."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from streams.buckets import folder_of, open_bucket
from streams.buckets.aws import ProfileUnusable, options


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


def absolute(path: Path) -> Path:
    """A path from the root on, without ~."""
    return path.expanduser().absolute()


def default_cache() -> Path:
    """`tristream` in the XDG cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tristream"


Place = Annotated[str, AfterValidator(place)]
Folder = Annotated[Path, AfterValidator(absolute)]
