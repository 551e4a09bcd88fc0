"""The diagram: which stage takes from which topic, gives to which, and asks whom.

bucket ──▶ objects ──▶ images ──▶ grounded ──▶ enriched ──▶ triplets
      watch    preprocess   ground      retrieve     describe
"""

import atexit
from collections.abc import Callable

from agents import ISOLATED, handlers
from agents.settings import Settings
from schemas.dead_letters import Stage
from schemas.objects import ObjectReference
from schemas.stages import StageState
from streams.app import StageApp, bind, build_app, run_beside, sender, speak
from streams.dead_letters import Subject
from streams.payloads import Payloads
from streams.settings import Wires
from streams.stage import StageRunner
from streams.topics import BUCKET_EVENTS, ENRICHED, GROUNDED, IMAGES, OBJECTS, TRIPLETS

# What a stage does stands in agents/handlers.py; a worker loads no library that its stage does not use.


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
    from agents.announcer import Announcer
    from agents.watch import BucketWatch
    from streams.buckets import open_bucket
    from streams.open_letters import OpenLetters

    wires, send = settings.wires, sender(app)
    letters = OpenLetters()
    letters.follow(wires)
    announcer = Announcer(wires=wires, identity=settings.identity, send=send, letters=letters)
    watch = BucketWatch(
        open_bucket(settings.inbox),
        announcer,
        listing=wires.listing,
        most_bytes=settings.limits.file_bytes,
        selection=settings.selection,
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
    from agents.preprocess import below
    from streams.backlog import Backlog
    from streams.buckets import open_bucket
    from streams.flow import LATER, FlowGate
    from streams.isolation import Isolated

    wires, identity = settings.wires, settings.identity

    def subject(reference: ObjectReference) -> Subject:
        return Subject(identity.object_id(reference), file_id=identity.file_id(reference))

    gate = FlowGate(wires, Backlog(wires, LATER))
    isolated = Isolated(settings.limits, modules=ISOLATED)
    atexit.register(isolated.close)
    places = [open_bucket(place) for place in (settings.inbox, settings.readable) if place is not None]
    handler = below(places, handlers.preprocessing(settings, isolated, _payloads(wires)))
    send = sender(app)
    runner = StageRunner("preprocess", OBJECTS, IMAGES, handler, wires=wires, send=send, subject=subject, gate=gate)
    missing = handlers.missing_to_preprocess()

    def state() -> StageState:
        word = runner.state()
        return (
            word.model_copy(update={"state": "waiting", "reason": missing})
            if missing and word.state == "running"
            else word
        )

    bind(app, runner, OBJECTS.on(wires), gate.watch, _payloads(wires).delete_on, state=state)


def _ground(app: StageApp, settings: Settings) -> None:
    from models.experts.running import cores

    wires = settings.wires
    # A message in work is a thread of its own: only cores beyond those are for threads within an image.
    registry = handlers.experts(settings, max(1, cores() // wires.in_flight))
    registry.warm_up()
    handler = handlers.grounding(registry, _payloads(wires))
    bind(app, StageRunner("ground", IMAGES, GROUNDED, handler, wires=wires, send=sender(app)), IMAGES.on(wires))


def _retrieve(app: StageApp, settings: Settings) -> None:
    wires, handler = settings.wires, handlers.retrieving(settings, settings.wires.state)
    bind(app, StageRunner("retrieve", GROUNDED, ENRICHED, handler, wires=wires, send=sender(app)), GROUNDED.on(wires))


def _describe(app: StageApp, settings: Settings) -> None:
    wires, handler = settings.wires, handlers.describing(settings, _payloads(settings.wires))
    bind(app, StageRunner("describe", ENRICHED, TRIPLETS, handler, wires=wires, send=sender(app)), ENRICHED.on(wires))


def _payloads(wires: Wires) -> Payloads:
    return Payloads(wires.payload_url, wires.inline_limit)
