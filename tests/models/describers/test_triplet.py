"""A triplet's identity is its image and everything that made it."""

from typing import Any

import pytest
from drawn_images import drawn_image

from models.describers import Composer, make_triplet
from schemas.expert_runs import ExpertRun
from schemas.knowledge import EnrichedImage
from schemas.triplets import Lineage, Triplet, triplet_id


class Writer(Composer):
    """The composer under another name."""

    def __init__(self, name: str = "composer@1", prompt: str | None = None) -> None:
        self.name = name
        self.prompt = prompt


async def made(image: EnrichedImage, writer: Writer | None = None) -> Triplet:
    """The triplet of an image."""
    writer = writer or Writer()
    return make_triplet(image, await writer.describe(image), writer)


@pytest.mark.parametrize(
    "change",
    [
        {"image_id": "f" * 32},
        {"preprocess_version": "preprocess@2"},
        {"grounding_version": "experts@2"},
        {"knowledge_snapshot": "starter@2"},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_identity_changes_with_image_and_versions(change: dict[str, Any]) -> None:
    """Another image, or another version of a stage, is another triplet."""
    image = drawn_image(1)
    assert (await made(image)).triplet_id != (await made(image.model_copy(update=change))).triplet_id


@pytest.mark.parametrize("writer", [Writer("composer@2"), Writer(prompt="prompt@1")], ids=["describer", "prompt"])
async def test_identity_changes_with_the_writer(writer: Writer) -> None:
    """Another describer, or another prompt, is another triplet."""
    image = drawn_image(1)
    assert (await made(image)).triplet_id != (await made(image, writer)).triplet_id


async def test_identity_changes_with_metadata_and_experts() -> None:
    """Metadata that was read anew, or another set of experts, is another triplet."""
    image = drawn_image(1)
    organ = image.metadata.model_copy(update={"organ": "spleen"})
    experts = (ExpertRun(expert="other@1.0.0", outcome="nothing found", regions=0),)
    grounding = image.grounding.model_copy(update={"experts": experts})
    others = [image.model_copy(update={"metadata": organ}), image.model_copy(update={"grounding": grounding})]
    assert len({(await made(one)).triplet_id for one in [image, *others]}) == 3


@pytest.mark.parametrize("field", sorted(Lineage.model_fields.keys() - {"provenance_missing", "generation"}))
async def test_every_field_of_the_lineage_counts(field: str) -> None:
    """No field of the lineage can change behind the identity's back: what made the triplet, not what nobody told."""
    lineage = (await made(drawn_image(1))).lineage
    value = ("x@1",) if field == "experts" else "0" * 32
    assert triplet_id("a" * 32, lineage) != triplet_id("a" * 32, lineage.model_copy(update={field: value}))


async def test_a_models_text_tells_its_generation_and_a_composers_nothing() -> None:
    """So what was composed is to the byte what it was before there were generations, under the same identity."""
    image = drawn_image(1)
    composed, writer = await made(image), Writer("llava-tri@0123456789ab", "prompt@1")
    assert "generation" not in composed.lineage.model_dump(mode="json")
    told: dict[int, Lineage] = {}
    for writer.generation in (1, 2):
        triplet = await made(image, writer)
        told[writer.generation] = triplet.lineage
        assert triplet.triplet_id == triplet_id(image.image_id, told[1]), "the describer's revision tells it"
    assert [one.generation for one in told.values()] == [1, 2]
    assert Lineage.model_validate_json(told[2].model_dump_json()).generation == 2


@pytest.mark.parametrize("change", [{"object_id": "e" * 32}, {"frames_skipped": 4}, {"frames_taken": 9}])
async def test_identity_does_not_hold_the_object(change: dict[str, Any]) -> None:
    """The same image in another object is the same triplet."""
    image = drawn_image(1)
    assert (await made(image)).triplet_id == (await made(image.model_copy(update=change))).triplet_id


async def test_experts_stand_once_and_sorted() -> None:
    """The lineage does not depend on the order in which experts ran."""
    image = drawn_image(1)
    runs = [ExpertRun(expert=name, outcome="nothing found", regions=0) for name in ("b@1", "a@1", "b@1")]
    identities = set[str]()
    for experts in (runs, runs[::-1]):
        grounding = image.grounding.model_copy(update={"experts": tuple(experts)})
        triplet = await made(image.model_copy(update={"grounding": grounding}))
        assert triplet.lineage.experts == ("a@1", "b@1")
        identities.add(triplet.triplet_id)
    assert len(identities) == 1


async def test_nothing_is_lost() -> None:
    """What the stages found is in the triplet as they found it."""
    image = drawn_image(4)
    triplet = await made(image)
    assert (triplet.image, triplet.passages, triplet.metadata) == (image.view, image.passages, image.metadata)
    regions = tuple(region.model_copy(update={"phrase": None}) for region in triplet.regions)
    assert (regions, triplet.relations) == (image.grounding.regions, image.grounding.relations)
    assert Triplet.model_validate_json(triplet.model_dump_json()) == triplet
