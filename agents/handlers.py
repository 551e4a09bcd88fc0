"""What each stage does with one message, made from the settings: the same on topics and handed on in one process.

Each function imports its own agent: a process loads no library that its stages do not use.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from agents.settings import Settings
from schemas.images import MedicalImage
from schemas.knowledge import EnrichedImage
from schemas.objects import ObjectReference
from schemas.regions import GroundedImage
from schemas.triplets import Triplet
from streams.dead_letters import Handler
from streams.isolation import Isolated
from streams.payloads import Payloads

if TYPE_CHECKING:
    from models.experts.registry import Registry


def preprocessing(settings: Settings, isolated: Isolated, payloads: Payloads) -> Handler[ObjectReference, MedicalImage]:
    """preprocess: an object becomes de-identified quantitative frames."""
    from agents.given import GivenAnnotations
    from agents.preprocess import preprocess
    from agents.reading import Reading
    from agents.series import Series
    from agents.volumes import Volumes
    from models.imaging import BurnedInPolicy, FramePolicy

    identity, limits = settings.identity, settings.limits
    annotations = (
        GivenAnnotations(settings.annotations, isolated=isolated, identity=identity, limits=limits)
        if settings.annotations
        else None
    )
    return partial(
        preprocess,
        isolated=isolated,
        identity=identity,
        payloads=payloads,
        reading=Reading(
            FramePolicy.parse(settings.frames),
            BurnedInPolicy.parse(settings.burned_in),
            limits,
            settings.neighbours,
            settings.volumes == "whole",
            settings.defaults,
        ),
        patients=settings.patients,
        annotations=annotations,
        series=Series(isolated=isolated, limits=limits) if settings.series == "folder" else None,
        volumes=Volumes(payloads) if settings.volumes == "whole" else None,
    )


def missing_to_preprocess() -> str:
    """What is to be installed before images can go on, for a person; empty: all is there."""
    from models.imaging.text.weights import MissingWeights, recogniser

    try:
        recogniser()
    except MissingWeights as error:
        return str(error)
    return ""


def experts(settings: Settings, threads: int) -> "Registry":
    """The experts, with so many threads within an image where the settings name no number."""
    from models.experts.registry import Registry

    threads = settings.expert_runtime.threads or threads
    return Registry.load(own=settings.experts, runtime=replace(settings.expert_runtime, threads=threads))


def grounding(registry: "Registry", payloads: Payloads) -> Handler[MedicalImage, GroundedImage]:
    """ground: the experts that fit an image say where to look."""
    from agents.ground import ground

    return partial(ground, registry=registry, payloads=payloads)


def retrieving(settings: Settings, folder: Path) -> Handler[GroundedImage, EnrichedImage]:
    """retrieve: passages of medical knowledge for what was seen. `folder`: the starter corpus's index is kept there."""
    from agents.retrieve import retrieve
    from models.knowledge import open_knowledge

    knowledge = open_knowledge(
        folder, index=settings.knowledge, encoder=settings.chosen_encoder, weaviate=settings.weaviate
    )
    return partial(retrieve, knowledge=knowledge)


def describing(settings: Settings, payloads: Payloads) -> Handler[EnrichedImage, Triplet]:
    """describe: the description is written, and the triplet is complete."""
    from agents.describe import describe

    if settings.serving.url is None:
        from models.describers import Composer

        return partial(describe, describer=Composer())
    from models.describers.sglang import SglangDescriber
    from streams.metrics import DescriberMetrics

    return partial(
        describe, describer=SglangDescriber(settings.serving, observer=DescriberMetrics()), payloads=payloads
    )
