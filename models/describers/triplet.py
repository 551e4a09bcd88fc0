"""The triplet of an image and its description: the same image through the same versions is the same triplet."""

from models.describers.base import Describer
from models.describers.composer import phrase_of
from models.statements import Facts
from schemas.base import Provenance
from schemas.knowledge import EnrichedImage
from schemas.regions import Region
from schemas.triplets import Description, Lineage, Triplet, digest, triplet_id


def make_triplet(image: EnrichedImage, description: Description, describer: Describer) -> Triplet:
    """Put together what the stages found, with the lineage that says what made it."""
    lineage = Lineage(
        preprocess=image.preprocess_version,
        metadata_digest=digest(image.metadata),
        grounding=image.grounding_version,
        experts=tuple(sorted({run.expert for run in image.grounding.experts})),
        knowledge=image.knowledge_snapshot,
        describer=describer.name,
        prompt=describer.prompt,
        generation=describer.generation,
        provenance_missing=(image.provenance or Provenance()).missing,
    )
    return Triplet.following(
        image,
        triplet_id=triplet_id(image.image_id, lineage),
        image=image.view,
        intensity=image.grounding.intensity,
        regions=_phrased(image),
        relations=image.grounding.relations,
        distributions=image.grounding.distributions,
        continuations=image.grounding.continuations,
        volumes=image.grounding.volumes,
        opinions=image.grounding.opinions,
        landmarks=image.grounding.landmarks,
        embeddings=image.grounding.embeddings,
        experts=image.grounding.experts,
        unasked=image.grounding.unasked,
        description=description,
        lineage=lineage,
    )


def _phrased(image: EnrichedImage) -> tuple[Region, ...]:
    """The regions, each with a phrase for it."""
    facts = Facts.of(image)
    phrases = {
        region.region_id: phrase_of(facts, region.region_id, image.image_id) for region in image.grounding.regions
    }
    return tuple(region.model_copy(update={"phrase": phrases[region.region_id]}) for region in image.grounding.regions)
