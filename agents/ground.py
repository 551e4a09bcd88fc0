"""ground: the experts that fit an image say where to look, and the pixels become the rendered view."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from agents import metrics
from models.experts.registry import Registry
from models.experts.volumes import Channel, Given
from models.imaging import as_view, from_pixels, render
from schemas.images import MedicalImage, Pixels
from schemas.regions import GroundedImage, Grounding
from streams.payloads import Payloads


async def ground(image: MedicalImage, *, registry: Registry, payloads: Payloads) -> AsyncIterator[GroundedImage]:
    """The image with its regions, measured on quantitative pixels, and with its view in place of them."""
    pixels, *neighbours = await asyncio.gather(*map(payloads.fetch, (image.pixels, *image.neighbours)))
    whole = image.model_copy(update={"pixels": pixels, "neighbours": tuple(neighbours)})
    volume = _volume(image, payloads, asyncio.get_running_loop()) if image.volume else None
    grounding, view = await asyncio.to_thread(_ground, whole, registry, volume)
    placed = await payloads.place(view, "kept")
    yield GroundedImage.following(image, view=placed, grounding=grounding, grounding_version=registry.version)


def _volume(image: MedicalImage, payloads: Payloads, loop: asyncio.AbstractEventLoop) -> Given:
    """The volume of a message. Its slices are fetched where an expert asks for them, in that expert's thread."""
    told, pixels, lies, spacing = (
        image.metadata.volume, image.pixels, image.metadata.orientation, image.metadata.spacing
    )  # fmt: skip
    assert told is not None
    shape = (told.slices, pixels.rows, pixels.columns)

    def load(channel: int) -> NDArray[np.float32]:
        values = np.empty(shape, np.float32)
        for place, one in enumerate(image.volume[channel * told.slices : (channel + 1) * told.slices]):
            values[place] = _values(asyncio.run_coroutine_threadsafe(payloads.fetch(one), loop).result())
        return values

    names = [one.name for one in told.channels]
    channels = {one.name: Channel(one.digest, partial(load, n)) for n, one in enumerate(told.channels)}
    own = names.index(image.metadata.channel) if image.metadata.channel in names else 0
    return Given(
        told.digest,
        told.place,
        shape,
        (told.spacing_mm, spacing.row_mm if spacing else None, spacing.column_mm if spacing else None),
        (told.towards, lies.down if lies else None, lies.right if lies else None),
        partial(load, own),
        channels,
    )


def _ground(image: MedicalImage, registry: Registry, volume: Given | None) -> tuple[Grounding, Pixels]:
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
        volume=volume,
        ran=metrics.expert_ran,
    )
    metrics.grounded(image.metadata.modality, grounding)
    return grounding, as_view(view)


def _values(pixels: Pixels) -> NDArray[np.float32]:
    return from_pixels(pixels).astype(np.float32) * np.float32(pixels.slope) + np.float32(pixels.intercept)
