"""The front end: bytes in, de-identified quantitative frames out. Knows nothing of buckets, topics or experts."""

from models.imaging.burned_in import BurnedInPolicy
from models.imaging.frames import Frame, Source, from_pixels, to_pixels
from models.imaging.png import decode_png, encode_png
from models.imaging.policy import FramePolicy
from models.imaging.source import open_source
from models.imaging.windows import render

VERSION = "7"
"""Raised whenever the same bytes would give other pixels, metadata or window: it makes older triplets stale."""

__all__ = [
    "VERSION",
    "BurnedInPolicy",
    "Frame",
    "FramePolicy",
    "Source",
    "decode_png",
    "encode_png",
    "from_pixels",
    "open_source",
    "render",
    "to_pixels",
]
