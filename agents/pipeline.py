"""The diagram: which stage takes from which topic, gives to which, and asks whom.

bucket ──▶ objects ──▶ images ──▶ grounded ──▶ enriched ──▶ triplets
      watch    preprocess   ground      retrieve     describe
"""

import atexit
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from models.describers.settings import Serving
from schemas.dead_letters import Stage
from schemas.experts import DEFAULT_EXPERT_RUNTIME, ExpertRuntime
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.objects import ObjectReference
from schemas.stages import StageState
from schemas.weaviate import WeaviateServer
from streams.app import StageApp, bind, build_app, run_beside, sender, speak
from streams.identity import Identity
from streams.payloads import Payloads
from streams.settings import Wires
from streams.stage import StageRunner, tell
from streams.topics import BUCKET_EVENTS, ENRICHED, GROUNDED, IMAGES, OBJECTS, TRIPLETS

# Each builder imports its own agent: a worker loads no library that its stage does not use.


@dataclass(frozen=True, slots=True)
class Work:
    """What the stages do their work with, beyond the wires."""

    identity: Identity
    inbox: str = "inbox"
    """A folder, or s3://bucket/prefix."""
    frames: str = "all"
    burned_in: str = "mask"
    knowledge: Path | None = None
    """An index that `tristream knowledge build` wrote; None: the starter corpus."""
    encoder: Path | None = None
    """Folder of the encoder that the knowledge base was built with; None: it brings its own."""
    weaviate: WeaviateServer | None = None
    """Where the knowledge base is; None: in this process."""
    limits: Limits = DEFAULT_LIMITS
    serving: Serving = field(default_factory=Serving)
    experts: Path | None = None
    """Folder of one's own experts, beside the packaged ones."""
    expert_runtime: ExpertRuntime = DEFAULT_EXPERT_RUNTIME
    neighbours: int = 0
    """Of a frame in space, on each side, that are sent with it."""
    annotations: str | None = None
    """Where DICOM objects lie that mark regions of the images: a folder, or s3://bucket/prefix."""
    series: str = "none"
    """Where neighbours of a slice are sought that is an object of its own: folder, or none."""


def build_stage(stage: Stage, wires: Wires, work: Work) -> StageApp:
    """One stage's app, ready to run. Imports only what that stage needs."""
    if stage == "describe" and work.serving.url is not None:
        # How many are at work is the server's to say: the stage must have as many in hand as it may ever ask for.
        wires = replace(wires, in_flight=max(wires.in_flight, work.serving.concurrency))
    app = build_app(stage, wires)
    builders: dict[Stage, Callable[[StageApp, Wires, Work], None]] = {
        "watch": _watch,
        "preprocess": _preprocess,
        "ground": _ground,
        "retrieve": _retrieve,
        "describe": _describe,
    }
    builders[stage](app, wires, work)
    return app


def _watch(app: StageApp, wires: Wires, work: Work) -> None:
    from agents.watch import Announcer, BucketWatch, watch_folder
    from streams.s3 import Location, is_bucket

    send = sender(app)
    announcer = Announcer(wires=wires, identity=work.identity, send=send)
    if is_bucket(work.inbox):
        watch = BucketWatch(Location.parse(work.inbox), announcer, every=wires.listing)
        runner = StageRunner("watch", BUCKET_EVENTS, OBJECTS, watch.on_event, wires=wires, send=send)

        def state() -> StageState:
            word = runner.state()
            return announcer.state() if word.state == "running" else word

        bind(app, runner, BUCKET_EVENTS.on(wires), watch.list_on, state=state)
    else:
        app.producer_only = True  # It consumes nothing, and a Faust consumer without topics fails.
        run_beside(app, partial(watch_folder, Path(work.inbox), announcer, every=wires.listing))
        run_beside(app, partial(tell, announcer.state, wires, send))
        speak(app, "watch", announcer.state)


def _preprocess(app: StageApp, wires: Wires, work: Work) -> None:
    from agents.given import GivenAnnotations
    from agents.preprocess import Reading, preprocess
    from agents.series import Series
    from models.imaging import BurnedInPolicy, FramePolicy
    from streams.backlog import Backlog
    from streams.dead_letters import Subject
    from streams.flow import LATER, FlowGate
    from streams.isolation import Isolated

    def subject(reference: ObjectReference) -> Subject:
        return Subject(work.identity.object_id(reference))

    gate = FlowGate(wires, Backlog(wires, LATER).read)
    isolated = Isolated(work.limits, modules=("agents.preprocess",))
    atexit.register(isolated.close)
    annotations = (
        GivenAnnotations(work.annotations, isolated=isolated, identity=work.identity, limits=work.limits)
        if work.annotations
        else None
    )
    handler = partial(
        preprocess,
        isolated=isolated,
        identity=work.identity,
        payloads=_payloads(wires),
        reading=Reading(
            FramePolicy.parse(work.frames), BurnedInPolicy.parse(work.burned_in), work.limits, work.neighbours
        ),
        annotations=annotations,
        series=Series(isolated=isolated, limits=work.limits) if work.series == "folder" else None,
    )
    send = sender(app)
    runner = StageRunner("preprocess", OBJECTS, IMAGES, handler, wires=wires, send=send, subject=subject, gate=gate)
    bind(app, runner, OBJECTS.on(wires), gate.watch)


def _ground(app: StageApp, wires: Wires, work: Work) -> None:
    from agents.ground import ground
    from models.experts.registry import Registry
    from models.experts.running import cores

    # A message in work is a thread of its own: only cores beyond those are for threads within an image.
    threads = work.expert_runtime.threads or max(1, cores() // wires.in_flight)
    registry = Registry.load(own=work.experts, runtime=replace(work.expert_runtime, threads=threads))
    registry.warm_up()
    handler = partial(ground, registry=registry, payloads=_payloads(wires))
    bind(app, StageRunner("ground", IMAGES, GROUNDED, handler, wires=wires, send=sender(app)), IMAGES.on(wires))


def _retrieve(app: StageApp, wires: Wires, work: Work) -> None:
    from agents.retrieve import retrieve
    from models.knowledge import open_knowledge

    knowledge = open_knowledge(wires.state, index=work.knowledge, encoder=work.encoder, weaviate=work.weaviate)
    handler = partial(retrieve, knowledge=knowledge)
    bind(app, StageRunner("retrieve", GROUNDED, ENRICHED, handler, wires=wires, send=sender(app)), GROUNDED.on(wires))


def _describe(app: StageApp, wires: Wires, work: Work) -> None:
    from agents.describe import describe

    if work.serving.url is None:
        from models.describers import Composer

        handler = partial(describe, describer=Composer())
    else:
        from models.describers.sglang import SglangDescriber
        from streams.metrics import DescriberMetrics

        describer = SglangDescriber(work.serving, observer=DescriberMetrics())
        handler = partial(describe, describer=describer, payloads=_payloads(wires))
    bind(app, StageRunner("describe", ENRICHED, TRIPLETS, handler, wires=wires, send=sender(app)), ENRICHED.on(wires))


def _payloads(wires: Wires) -> Payloads:
    return Payloads(wires.payload_url, wires.inline_limit)
