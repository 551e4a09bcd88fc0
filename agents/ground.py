"""ground: the experts that fit an image say where to look, and the pixels become the rendered view."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pybase64
from numpy.typing import NDArray

from agents import metrics
from models.experts.registry import Registry
from models.imaging import encode_png, from_pixels, render
from schemas.images import MedicalImage, Pixels
from schemas.regions import GroundedImage, Grounding
from streams.payloads import Payloads


async def ground(image: MedicalImage, *, registry: Registry, payloads: Payloads) -> AsyncIterator[GroundedImage]:
    """The image with its regions, measured on quantitative pixels, and with its view in place of them."""
    pixels, *neighbours = await asyncio.gather(*map(payloads.fetch, (image.pixels, *image.neighbours)))
    whole = image.model_copy(update={"pixels": pixels, "neighbours": tuple(neighbours)})
    grounding, view = await asyncio.to_thread(_ground, whole, registry)
    placed = await payloads.place(view, "kept")
    yield GroundedImage.following(image, view=placed, grounding=grounding, grounding_version=registry.version)


def _ground(image: MedicalImage, registry: Registry) -> tuple[Grounding, Pixels]:
    pixels = image.pixels
    values = _values(pixels)
    view = render(values, image.window, image.inverted)
    grounding = registry.ground(
        values,
        image.metadata,
        pixels.unit,
        inverted=image.inverted,
        annotations=image.annotations,
        neighbours=tuple(map(_values, image.neighbours)),
        ran=metrics.expert_ran,
    )
    metrics.grounded(image.metadata.modality, grounding)
    return grounding, Pixels(
        rows=pixels.rows,
        columns=pixels.columns,
        channels=pixels.channels,
        bits=8,
        unit="grey level",
        data=pybase64.b64encode_as_string(encode_png(view)),
    )


def _values(pixels: Pixels) -> NDArray[np.float32]:
    return from_pixels(pixels).astype(np.float32) * np.float32(pixels.slope) + np.float32(pixels.intercept)
