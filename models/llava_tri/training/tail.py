"""Continual LoRA from a stream of triplets, a round at a time, with a held-out window of the stream as its test.

A round takes so many triplets, learns them once, and ends in a checkpoint: adapters, optimiser, where the stream
stands, the window. Whoever is stopped in the middle of a round goes on from the one before it and takes its triplets
again. The base is never changed; what is learnt are adapters. Knows nothing of topics.
"""

# pyright: reportMissingImports=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

import hashlib
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import save_file

from models.llava_tri.training import bases
from models.llava_tri.training.checkpoints import LEARNING, POSITION, OtherRun, learning, restore
from models.llava_tri.training.lineage import first_lineage, tenths, write_lineage
from models.llava_tri.training.settings import BadRun, Run, Tail
from models.llava_tri.training.stages import StageTrainer, arguments, as_dataset, collator_of, in_groups
from models.llava_tri.training.window import Losses, Pictures, Row, Window, held_out, losses_of

OPTIMISER, WINDOW = "optimiser.pt", "window.parquet"
ADAPTERS = "adapters"
"""Folder of a round's result, in PEFT's form with processor and lineage: `tristream model export` merges it."""
ROUND = "round-{:06d}"


class Stream(Protocol):
    """What `models.datasets.streaming.triplet_stream` gives."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Rows."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Where it stands, as JSON holds it."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        ...


@dataclass(frozen=True, slots=True)
class Round:
    """What came of one round; losses are nats a token of an answer of the window, the mean over its questions.

    `gained` is how much lower than the base's the loss is after the round, with its 95 % interval over groups, and the
    one-sided p of a sign-flip test. None, and the losses too, where nothing is held out yet.
    """

    number: int
    triplets: int
    questions: int
    loss: float
    held_out: int
    refused: int
    window: dict[str, int] = field(default_factory=dict[str, int])
    before: float | None = None
    after: float | None = None
    base: float | None = None
    gained: dict[str, float] | None = None
    seconds: float = 0.0


@dataclass
class _Position:
    """All that a checkpoint tells beside weights and the window."""

    told: dict[str, Any]
    stream: dict[str, Any] | None = None
    rounds: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    authors: list[str] = field(default_factory=list[str])
    generation: int = 0


def follow(
    run: Run,
    tail: Tail,
    stream: Stream,
    out: Path,
    *,
    topic: str,
    resume: bool = False,
    rounds: int | None = None,
    tell: Callable[[Round], None] = lambda _: None,
) -> Path:
    """Learn from a stream until it ends, or for so many rounds; returns the folder of the last round's adapters.

    Args:
        run: base and its one stage, which trains adapters alone.
        tail: size of a round, and what is held out.
        stream: of rows.
        out: a folder for checkpoints.
        topic: name of what the stream is of, for the lineage.
        resume: go on from the last round in `out`, if there is one.
        rounds: at most, in this call; None: without end.
        tell: told of each round.

    Raises:
        BadRun: the run cannot be begun, or no triplet to learn from came.
        OtherRun: what stands in `out` is of other settings.
    """
    if out.exists() and any(out.iterdir()) and not resume:
        raise BadRun("the folder of the run is not empty: take another, or --resume")
    (stage,) = run.stages
    if stage.train != "adapters":
        raise BadRun(f'stage {stage.name!r} trains {stage.train!r}: a tail trains "adapters" alone')
    model, processor = bases.load(run.base, run)
    lineage = first_lineage(run, [], getattr(model.config, "_commit_hash", None))
    torch.manual_seed(run.seed)
    model = bases.set_free(model, stage)
    if torch.cuda.is_available():
        model = model.to("cuda")
    free = [weight for weight in model.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(free, stage.learning_rate, weight_decay=stage.weight_decay)
    base = lineage["base"]["digest"] or lineage["base"]["commit"]
    told = json.loads(json.dumps({"run": run.digest, "tail": asdict(tail), "base": base, "topic": topic}))
    position, window, last = _Position(told), Window(tail.window), _last(out)
    if last is not None:
        position = _Position(**json.loads((last / POSITION).read_bytes()))
        if position.told != told:
            raise OtherRun
        restore(model, last)
        optimiser.load_state_dict(torch.load(last / OPTIMISER, weights_only=True))
        window = Window.read(last / WINDOW, tail.window) if (last / WINDOW).exists() else window
        if position.stream is not None:
            stream.load_state_dict(position.stream)
    measured = _measured(model, processor, run)
    arriving = iter(stream)
    while rounds is None or rounds > 0:
        begun = time.monotonic()
        rows, counted = _take(arriving, window, run, tail)
        if not rows:
            break
        position.stream = json.loads(json.dumps(stream.state_dict()))
        number = len(position.rounds) + 1
        before = measured(window)
        questions, loss = _learn(model, processor, rows, replace(run, seed=run.seed + number), optimiser, out)
        after = measured(window)
        with model.disable_adapter():
            untaught = measured(window)
        done = Round(
            number, len(rows), questions, round(loss, 4), counted["held out"], counted["refused"],
            **_told(before, after, untaught, window), seconds=round(time.monotonic() - begun, 1),
        )  # fmt: skip
        position.rounds.append(asdict(done))
        position.authors = sorted({*position.authors, *(name for row in rows for name in row["authors"])})
        position.generation = max([position.generation, *(row["generation"] for row in rows)])
        last = _save(out, number, model, processor, optimiser, window, position, lineage, run.kept)
        tell(done)
        rounds = rounds - 1 if rounds is not None else None
    if last is None:
        raise BadRun("no triplet to learn from came: all were held out, refused, or there was none")
    return last / ADAPTERS


def _take(arriving: Iterator[Row], window: Window, run: Run, tail: Tail) -> tuple[list[Row], Counter[str]]:
    """The rows of a round; what is held out goes to the window, and text that a model wrote nowhere, unless asked."""
    rows: list[Row] = []
    counted: Counter[str] = Counter()
    while len(rows) < tail.triplets and (row := next(arriving, None)) is not None:
        if row["generation"] and not run.model_written:
            counted["refused"] += 1
        elif held_out(row["group"], tail.hold_out, tail.key):
            counted["held out"] += 1
            window.add(row)
        else:
            rows.append(row)
    return rows, counted


def _learn(
    model: Any, processor: Any, rows: list[Row], run: Run, optimiser: torch.optim.Optimizer, out: Path
) -> tuple[int, float]:
    """One pass over the questions of a round; how many there were, and the mean loss of its steps."""
    (stage,) = run.stages
    pictures = Pictures(rows)
    questions = [(0, one) for one in pictures.questions(stage.kinds)]
    if not questions:
        return 0, 0.0
    args = arguments(run, stage, out / "trainer")
    args.save_strategy = "no"
    boxes = run.boxes or bases.family_of(model).boxes
    trainer = StageTrainer(
        model=model,
        args=args,
        train_dataset=as_dataset([pictures], in_groups(questions, stage.together), boxes, processor),
        data_collator=collator_of(model, processor, stage),
        processing_class=processor,
        optimizers=(optimiser, torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1.0)),
    )
    trainer.train()
    # Else each round would wrap the model's forward once more.
    trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
    losses = [one["loss"] for one in trainer.state.log_history if "loss" in one]
    return len(questions), sum(losses) / len(losses)


def _measured(model: Any, processor: Any, run: Run) -> Callable[[Window], Losses | None]:
    (stage,) = run.stages
    boxes = run.boxes or bases.family_of(model).boxes
    resized = bases.resizing(processor, boxes)
    return lambda window: losses_of(model, processor, window, stage.kinds, boxes, resized)


def _told(before: Losses | None, after: Losses | None, base: Losses | None, window: Window) -> dict[str, Any]:
    sizes = {"triplets": len(window.rows), "groups": len({row["group"] for row in window.rows})}
    if before is None or after is None or base is None:
        return {"window": sizes}
    return {
        "window": {**sizes, "questions": len(after.values)},
        "before": round(before.mean, 4),
        "after": round(after.mean, 4),
        "base": round(base.mean, 4),
        "gained": asdict(after.less(base)),
    }


# ── checkpoints ──


def _last(out: Path) -> Path | None:
    return max(out.glob("round-??????"), default=None)


def _save(
    out: Path, number: int, model: Any, processor: Any, optimiser: torch.optim.Optimizer, window: Window,
    position: _Position, lineage: Mapping[str, Any], kept: int,
) -> Path:  # fmt: skip
    """Written beside, then put in place: what is stopped leaves a whole checkpoint."""
    folder = out / ROUND.format(number)
    part = out / "round.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    save_file(learning(model), part / LEARNING)
    torch.save(optimiser.state_dict(), part / OPTIMISER)
    if window.rows:
        window.write(part / WINDOW)
    (part / POSITION).write_text(json.dumps(asdict(position), indent=1) + "\n", encoding="utf-8")
    model.save_pretrained(part / ADAPTERS)
    processor.save_pretrained(part / ADAPTERS)
    write_lineage(part / ADAPTERS, _lineage(lineage, position))
    part.rename(folder)
    for before in sorted(out.glob("round-??????"))[:-kept]:
        shutil.rmtree(before)
    lines = (json.dumps(one) + "\n" for one in position.rounds)
    (out / "rounds.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def _lineage(first: Mapping[str, Any], position: _Position) -> dict[str, Any]:
    """The topic stands in it as a data set that no folder holds: an audit tells that it was not looked through."""
    (stage,) = first["settings"]["stages"]
    losses = [one["loss"] for one in position.rounds]
    read = {"topic": position.told["topic"], "stream": position.stream}
    return {
        **first,
        "text_generation": max(first["text_generation"], position.generation),
        "sets": [
            {
                "name": f"topic {position.told['topic']}",
                "digest": hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()[:32],
                "images": {"train": sum(one["triplets"] for one in position.rounds)},
                "describers": position.authors,
                "read_from": read,
                "sources": {},
                "licences": {"not told": sum(one["triplets"] for one in position.rounds)},
            }
        ],
        "stages": [
            {
                "name": stage["name"],
                "trained": stage["train"],
                "kinds": list(stage["kinds"]),
                "questions": sum(one["questions"] for one in position.rounds),
                "steps": len(losses),
                **tenths("loss", losses),
                "seconds": round(sum(one["seconds"] for one in position.rounds)),
            }
        ],
        "rounds": len(losses),
        "held_out": {"one group in": position.told["tail"]["hold_out"], "key": position.told["tail"]["key"]},
    }
