"""An image with a sidecar and a mask, from the folder to the message."""

from pathlib import Path

import numpy as np
import orjson
import pytest

from agents.describe import describe
from agents.ground import ground
from agents.reading import Reading, frames_of, image_of
from infra.annotate import find_files
from models.describers import Composer
from models.experts.registry import Registry
from models.imaging import BurnedInPolicy, FramePolicy, encode_png
from models.imaging.errors import InvalidSidecar
from schemas.images import MedicalImage
from schemas.knowledge import EnrichedImage
from schemas.limits import Limits
from schemas.triplets import Description
from streams.buckets.references import reference_to
from streams.payloads import Payloads

READING = Reading(FramePolicy(), BurnedInPolicy(), Limits())
GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)


def image_in(folder: Path, index: int = 0) -> MedicalImage:
    """The message of the one object in a folder."""
    (path,) = find_files([folder])
    reference = reference_to(path, folder)
    frames_of(reference, READING)
    return image_of(reference, READING, index, "0" * 32)


def test_what_the_source_says_travels_on_the_image(tmp_path: Path) -> None:
    """Metadata and marked regions of the files beside it, which are no objects themselves; a changed sidecar counts."""
    (tmp_path / "scan.png").write_bytes(encode_png(GREY))
    (tmp_path / "scan_mask.png").write_bytes(encode_png((GREY > 20).astype(np.uint8)))
    sidecar = {"modality": "dermoscopy", "mask": "scan_mask.png", "labels": {"1": "Nevus"}}
    (tmp_path / "scan.png.json").write_bytes(orjson.dumps(sidecar))
    image = MedicalImage.model_validate_json(image_in(tmp_path).model_dump_json())
    assert (image.metadata.modality, image.metadata.organ) == ("dermoscopy", "skin")
    assert [one.label for one in image.annotations] == ["melanocytic naevus"]
    (tmp_path / "scan.png.json").write_bytes(orjson.dumps(sidecar | {"modality": "microscopy"}))
    assert image_in(tmp_path).metadata.modality == "microscopy"


async def test_what_the_source_marked_is_described(tmp_path: Path) -> None:
    """From the file to the triplet: an annotated region with its measurement, and a sentence whose evidence says so."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "scan.png").write_bytes(encode_png(GREY))
    boxes = [{"x": 2, "y": 1, "width": 3, "height": 2, "label": "lesion"}]
    (inbox / "scan.png.json").write_bytes(orjson.dumps({"modality": "dermoscopy", "boxes": boxes}))
    payloads = Payloads((tmp_path / "payloads").as_uri(), 10**6)
    (grounded,) = [one async for one in ground(image_in(inbox), registry=Registry.load(), payloads=payloads)]
    region = grounded.grounding.regions[0]
    assert (region.kind, region.label, region.area_px, region.intensity.mean) == ("source annotation", "lesion", 6, 15)
    image = EnrichedImage(**dict(grounded), passages=(), knowledge_snapshot="none@0")
    (triplet,) = [one async for one in describe(image, describer=Composer())]
    assert "lesion" in triplet.description.description
    said = [item for one in triplet.description.regions for item in one.evidence]
    assert ("/regions/0/expert", "source") in {(one.pointer, one.value) for one in said}
    assert "source" in triplet.lineage.experts


async def test_what_one_stage_hands_to_the_next_stays_as_it_is(tmp_path: Path) -> None:
    """Who the frame is, what is known of it and by which versions: byte for byte what was written field by field."""
    (tmp_path / "scan.png").write_bytes(encode_png(GREY))
    image = image_in(tmp_path).model_copy(update={"frames_skipped": 3})
    payloads = Payloads((tmp_path / ".payloads").as_uri(), 10**6)
    (grounded,) = [one async for one in ground(image, registry=Registry.load(), payloads=payloads)]
    enriched = EnrichedImage.following(grounded, passages=(), knowledge_snapshot="none@0")
    by_hand = EnrichedImage(
        image_id=image.image_id, object_id=image.object_id, frame=image.frame, frames_taken=image.frames_taken,
        frames_skipped=3, metadata=image.metadata, view=grounded.view, grounding=grounded.grounding, passages=(),
        knowledge_snapshot="none@0", preprocess_version=image.preprocess_version,
        grounding_version=grounded.grounding_version,
    )  # fmt: skip
    assert enriched.model_dump_json() == by_hand.model_dump_json()


def test_a_mask_that_is_not_there_is_a_refusal(tmp_path: Path) -> None:
    """The message says which field."""
    (tmp_path / "scan.png").write_bytes(encode_png(GREY))
    (tmp_path / "scan.png.json").write_text('{"mask": "none.png"}')
    with pytest.raises(InvalidSidecar, match=", mask names no file"):
        image_in(tmp_path)


async def test_a_describer_sees_large_pixels_that_the_triplet_only_names(tmp_path: Path) -> None:
    """They are fetched for it; the message that goes on keeps the reference."""

    class Looking(Composer):
        seen: str | None = None

        async def describe(self, image: EnrichedImage) -> Description:
            self.seen = image.view.data
            return await super().describe(image)

    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "scan.png").write_bytes(encode_png(GREY))
    payloads = Payloads((tmp_path / "payloads").as_uri(), 1)
    image = image_in(inbox).model_copy(update={"pixels": await payloads.place(image_in(inbox).pixels)})
    (grounded,) = [one async for one in ground(image, registry=Registry.load(), payloads=payloads)]
    enriched = EnrichedImage(**dict(grounded), passages=(), knowledge_snapshot="none@0")
    describer = Looking()
    (triplet,) = [one async for one in describe(enriched, describer=describer, payloads=payloads)]
    assert describer.seen is not None
    assert triplet.image.data is None
    assert triplet.image.reference == enriched.view.reference
