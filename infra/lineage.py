"""The lineage that this installation would write today. Tells which triplets are stale."""

from agents.settings import Settings
from models.describers import Composer
from models.experts.registry import Registry
from models.imaging import VERSION
from models.knowledge import open_knowledge
from schemas.triplets import Lineage


def current_lineage(settings: Settings) -> Lineage:
    """A lineage of current versions. `experts` and `metadata_digest` depend on the image and are left empty."""
    serving = settings.serving
    describer, prompt = Composer.name, Composer.prompt
    if serving.url is not None:
        from models.describers.sglang import prompt_of

        describer, prompt = serving.name, prompt_of(serving)
    knowledge = open_knowledge(
        settings.wires.state, index=settings.knowledge, encoder=settings.chosen_encoder, weaviate=settings.weaviate
    )
    return Lineage(
        preprocess=VERSION,
        metadata_digest="0" * 32,
        grounding=Registry.load(own=settings.experts).version,
        experts=(),
        knowledge=knowledge().snapshot,
        describer=describer,
        prompt=prompt,
    )
