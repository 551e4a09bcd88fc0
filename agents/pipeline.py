"""The diagram: which stage takes from which topic, gives to which, and asks whom.

bucket ──▶ objects ──▶ images ──▶ grounded ──▶ enriched ──▶ triplets
      watch    preprocess   ground      retrieve     describe
"""

import atexit
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from agents.settings import Settings
from schemas.dead_letters import Stage
from schemas.objects import ObjectReference
from schemas.stages import StageState
from streams.app import StageApp, bind, build_app, run_beside, sender, speak
from streams.payloads import Payloads
from streams.settings import Wires
from streams.stage import StageRunner
from streams.topics import BUCKET_EVENTS, ENRICHED, GROUNDED, IMAGES, OBJECTS, TRIPLETS

# Each builder imports its own agent: a worker loads no library that its stage does not use.


def build_stage(stage: Stage, settings: Settings) -> StageApp:
    """One stage's app, ready to run. Imports only what that stage needs."""
    if stage == "describe" and settings.serving.url is not None:
        # How many are at work is the server's to say: the stage must have as many in hand as it may ever ask for.
        settings = settings.with_wires(in_flight=max(settings.wires.in_flight, settings.serving.concurrency))
    app = build_app(stage, settings.wires)
    builders: dict[Stage, Callable[[StageApp, Settings], None]] = {
        "watch": _watch,
        "preprocess": _preprocess,
        "ground": _ground,
        "retrieve": _retrieve,
        "describe": _describe,
    }
    builders[stage](app, settings)
    return app


def _watch(app: StageApp, settings: Settings) -> None:
    from agents.watch import Announcer, BucketWatch
    from streams.buckets import open_bucket

    wires, send = settings.wires, sender(app)
    announcer = Announcer(wires=wires, identity=settings.identity, send=send)
    watch = BucketWatch(
        open_bucket(settings.inbox), announcer, listing=wires.listing, most_bytes=settings.limits.file_bytes
    )
    if watch.bucket.notifies:
        runner = StageRunner("watch", BUCKET_EVENTS, OBJECTS, watch.on_event, wires=wires, send=send)

        def state() -> StageState:
            word = runner.state()
            return announcer.state() if word.state == "running" else word

        bind(app, runner, BUCKET_EVENTS.on(wires), watch.watch_on, state=state)
    else:
        app.producer_only = True  # It consumes nothing, and a Faust consumer without topics fails.
        run_beside(app, watch.watch_on)
        speak(app, "watch", announcer.state)


def _preprocess(app: StageApp, settings: Settings) -> None:
    from agents.given import GivenAnnotations
    from agents.preprocess import preprocess
    from agents.reading import Reading
    from agents.series import Series
    from models.imaging import BurnedInPolicy, FramePolicy
    from streams.backlog import Backlog
    from streams.dead_letters import Subject
    from streams.flow import LATER, FlowGate
    from streams.isolation import Isolated

    wires, identity = settings.wires, settings.identity

    def subject(reference: ObjectReference) -> Subject:
        return Subject(identity.object_id(reference))

    gate = FlowGate(wires, Backlog(wires, LATER))
    isolated = Isolated(settings.limits, modules=("agents.preprocess",))
    atexit.register(isolated.close)
    annotations = (
        GivenAnnotations(settings.annotations, isolated=isolated, identity=identity, limits=settings.limits)
        if settings.annotations
        else None
    )
    handler = partial(
        preprocess,
        isolated=isolated,
        identity=identity,
        payloads=_payloads(wires),
        reading=Reading(
            FramePolicy.parse(settings.frames),
            BurnedInPolicy.parse(settings.burned_in),
            settings.limits,
            settings.neighbours,
        ),
        annotations=annotations,
        series=Series(isolated=isolated, limits=settings.limits) if settings.series == "folder" else None,
    )
    send = sender(app)
    runner = StageRunner("preprocess", OBJECTS, IMAGES, handler, wires=wires, send=send, subject=subject, gate=gate)
    bind(app, runner, OBJECTS.on(wires), gate.watch)


def _ground(app: StageApp, settings: Settings) -> None:
    from agents.ground import ground
    from models.experts.registry import Registry
    from models.experts.running import cores

    wires = settings.wires
    # A message in work is a thread of its own: only cores beyond those are for threads within an image.
    threads = settings.expert_runtime.threads or max(1, cores() // wires.in_flight)
    registry = Registry.load(own=settings.experts, runtime=replace(settings.expert_runtime, threads=threads))
    registry.warm_up()
    handler = partial(ground, registry=registry, payloads=_payloads(wires))
    bind(app, StageRunner("ground", IMAGES, GROUNDED, handler, wires=wires, send=sender(app)), IMAGES.on(wires))


def _retrieve(app: StageApp, settings: Settings) -> None:
    from agents.retrieve import retrieve
    from models.knowledge import open_knowledge

    wires = settings.wires
    knowledge = open_knowledge(
        wires.state, index=settings.knowledge, encoder=settings.encoder, weaviate=settings.weaviate
    )
    handler = partial(retrieve, knowledge=knowledge)
    bind(app, StageRunner("retrieve", GROUNDED, ENRICHED, handler, wires=wires, send=sender(app)), GROUNDED.on(wires))


def _describe(app: StageApp, settings: Settings) -> None:
    from agents.describe import describe

    wires = settings.wires
    if settings.serving.url is None:
        from models.describers import Composer

        handler = partial(describe, describer=Composer())
    else:
        from models.describers.sglang import SglangDescriber
        from streams.metrics import DescriberMetrics

        describer = SglangDescriber(settings.serving, observer=DescriberMetrics())
        handler = partial(describe, describer=describer, payloads=_payloads(wires))
    bind(app, StageRunner("describe", ENRICHED, TRIPLETS, handler, wires=wires, send=sender(app)), ENRICHED.on(wires))


def _payloads(wires: Wires) -> Payloads:
    return Payloads(wires.payload_url, wires.inline_limit)
