"""What a sidecar calls the volumes of a file of four dimensions, and what that says of their slices."""

from models.imaging.errors import InvalidSidecar
from models.vocabulary import Channel, channel_of, known_channels
from schemas.images import ImageMetadata
from schemas.sidecars import Sidecar


def channels_of(said: Sidecar, volumes: int) -> tuple[Channel, ...]:
    """The channel that each of the file's volumes is; empty where the sidecar names none.

    Raises:
        InvalidSidecar: it names another number of them, one twice, one that is not known, or one of another modality.
    """
    if not said.channels:
        return ()
    if len(said.channels) != volumes:
        raise InvalidSidecar("channels", f"names {len(said.channels)} where the file holds {volumes}")
    found: list[Channel] = []
    for number, text in enumerate(said.channels):
        one = channel_of(text)
        if one is None:
            raise InvalidSidecar(f"channels.{number}", f"is none that is known: {known_channels()}")
        if one in found:
            raise InvalidSidecar(f"channels.{number}", f"names {one.name} a second time")
        found.append(one)
    modalities = {one.modality for one in found} - {None}
    if said.modality is not None and modalities and said.modality not in modalities:
        other = next(one for one in found if one.modality)
        raise InvalidSidecar("channels", f"names {other.name}, which is of {other.modality} and not of {said.modality}")
    return tuple(found)


def as_channel(metadata: ImageMetadata, channel: Channel) -> ImageMetadata:
    """The metadata of a slice of a channel: of CT beside PET each has the modality of its own."""
    modality = channel.modality or metadata.modality
    changes: dict[str, object] = {"channel": channel.name, "modality": modality}
    if modality == "MR":
        changes["weighting"] = metadata.weighting or channel.weighting
        changes["contrast_agent"] = channel.contrast or metadata.contrast_agent
    return metadata.model_copy(update=changes)
