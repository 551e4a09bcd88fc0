"""The front end: bytes in, de-identified quantitative frames out. Knows nothing of buckets, topics or experts.

Its modules are imported when they are asked for: decoders belong to isolated processes, and who renders loads none.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.imaging.frames import Frame as Frame
    from models.imaging.frames import Source as Source
    from models.imaging.frames import as_view as as_view
    from models.imaging.frames import from_pixels as from_pixels
    from models.imaging.frames import to_pixels as to_pixels
    from models.imaging.png import decode_png as decode_png
    from models.imaging.png import encode_png as encode_png
    from models.imaging.policy import BurnedInPolicy as BurnedInPolicy
    from models.imaging.policy import FramePolicy as FramePolicy
    from models.imaging.source import open_source as open_source
    from models.imaging.windows import render as render

VERSION = "8"
"""Raised whenever the same bytes would give other pixels, metadata or window: it makes older triplets stale."""

_HOMES = {
    "BurnedInPolicy": "policy",
    "Frame": "frames",
    "FramePolicy": "policy",
    "Source": "frames",
    "as_view": "frames",
    "decode_png": "png",
    "encode_png": "png",
    "from_pixels": "frames",
    "open_source": "source",
    "render": "windows",
    "to_pixels": "frames",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
