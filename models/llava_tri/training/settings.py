"""What a run is told: one TOML file, read into frozen values. Knows nothing of torch.

The three stages are those of LLaVA-Tri (Xie et al., 2024, arXiv 2408.02900): the projector learns captions, then the
model learns what stands where, then it learns the task.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from models.llava_tri.training.weights import Weights
from schemas.failures import InvalidInput

Trained = Literal["projector", "adapters", "lora", "all"]
"""`lora` is adapters and the projector; `adapters` leaves every weight of the base as it is."""
Boxes = Literal["pixels", "resized", "unit", "thousandths"]
Precision = Literal["bf16", "fp32"]
Objective = Literal["answers", "concepts", "rewards"]

DESCRIBING = ("description", "phrase-to-box", "box-to-phrase", "comparison", "relation-closed")
REWARDED = ("description", "caption", "phrase-to-box")
"""Kinds that the facts of a picture can judge: sentences, and boxes."""
KINDS: dict[str, tuple[str, ...]] = {"align": ("caption",), "multigranular": DESCRIBING, "task": ("*",)}
"""Kinds of questions of each stage, where the file names none; `*`: every turn of the conversations."""


_AS_TOLD = ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)
"""A batch of 1.5 or "yes" for true is no slip to be guessed about."""
TRACKERS = ("tensorboard", "wandb")


class BadRun(InvalidInput):
    """The file of a run, or what it names, cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: what is asked, which weights learn, and how.

    `steps` is the number of optimiser steps; 0: as many as `epochs` take. A step sees `batch` × `accumulate` questions
    a process. `warmup` is a share of the steps. `length` is the most tokens of a question with its answer; longer ones
    are cut, so it must hold the picture. `rank` is LoRA's. The projector learns at `projector` times the learning rate:
    where it is new and the rest is not, it has the longer way to go.

    `objective`: answers to questions of some kinds, or for the projector of the tiny preset what facts and masks tell
    of a picture. `together`: questions about one picture stand in one sequence, so many at most, share its tokens, and
    each counts the same, so that a box of 25 tokens does not outweigh 25 answers of one word; LLaVA's alone. 0: each
    alone.

    Objective `rewards`: the model answers each question `answers` times, with at most `answer_tokens`, and learns from
    what each answer is worth by the facts of its picture (GRPO; Shao et al., 2024, arXiv 2402.03300); `divergence` is
    the weight of how far it strays from where the stage began, and `reward` names weights of the parts of a reward
    (weights.Weights).
    """

    name: str
    train: Trained
    learning_rate: float
    kinds: tuple[str, ...] = ()
    batch: int = 8
    accumulate: int = 1
    epochs: float = 1.0
    steps: int = 0
    warmup: float = 0.03
    schedule: str = "cosine"
    weight_decay: float = 0.0
    length: int = 2048
    rank: int = 16
    projector: float = 1.0
    objective: Objective = "answers"
    together: int = 0
    answers: int = 8
    answer_tokens: int = 256
    divergence: float = 0.0
    reward: Mapping[str, Any] = field(default_factory=dict)
    tower: bool = False
    """Whether `all` includes the vision tower."""

    def __post_init__(self) -> None:
        if self.objective not in get_args(Objective):
            told = ", ".join(get_args(Objective))
            raise BadRun(f"stage {self.name!r}: objective = {self.objective!r}: take one of {told}")
        if self.objective == "concepts" and (self.kinds or self.train != "projector"):
            raise BadRun(f"stage {self.name!r}: concepts are learnt by the projector, without questions of any kind")
        if self.objective == "rewards":
            self._check_rewards()
        elif self.objective == "answers" and not self.kinds:
            if self.name not in KINDS:
                raise BadRun(f"stage {self.name!r} names no kinds, and is none of {', '.join(KINDS)}")
            object.__setattr__(self, "kinds", KINDS[self.name])
        if self.train not in get_args(Trained):
            raise BadRun(f"stage {self.name!r} trains {self.train!r}: take one of {', '.join(get_args(Trained))}")
        if min(self.learning_rate, self.projector, self.batch, self.accumulate, self.length, self.rank) <= 0:
            must = "learning_rate, projector, batch, accumulate, length and rank must be above 0"
            raise BadRun(f"stage {self.name!r}: {must}")
        if self.together < 0:
            raise BadRun(f"stage {self.name!r}: together is a number of questions, or 0")
        if self.steps < 0 or self.epochs <= 0 or not 0 <= self.warmup < 1:
            raise BadRun(f"stage {self.name!r}: steps and epochs must be above 0, warmup from 0 to below 1")

    def _check_rewards(self) -> None:
        object.__setattr__(self, "kinds", self.kinds or REWARDED)
        if other := sorted(set(self.kinds) - set(REWARDED)):
            raise BadRun(f"stage {self.name!r}: no facts judge answers of kind {other[0]!r}: {', '.join(REWARDED)}")
        if self.answers < 2 or self.answer_tokens < 1 or self.divergence < 0:
            raise BadRun(f"stage {self.name!r}: an answer is worth more or less than others: answers must be 2 or more")
        try:
            Weights(**self.reward)
        except TypeError:
            named = ", ".join(one.name for one in fields(Weights))
            raise BadRun(f"stage {self.name!r}: reward has the fields {named}") from None


@dataclass(frozen=True, slots=True)
class Run:
    """A whole run.

    `base` is a model's name on the hub, with its commit as `revision`, or a folder. `model_written` lets in triplets
    whose text a model wrote (generation 1 and on). `facts` are files of the triplets that the data was made of, JSON
    Lines: stages of concepts and of rewards learn from them. `checkpoints` is the number of steps between two; `track`
    names "tensorboard" or "wandb", where those are installed.
    """

    base: str
    data: tuple[str, ...]
    stages: tuple[Stage, ...]
    revision: str | None = None
    boxes: Boxes | None = None
    facts: tuple[str, ...] = ()
    precision: Precision = "bf16"
    weights: Literal["float32", "bfloat16"] = "float32"
    gradient_checkpointing: bool = True
    model_written: bool = False
    checkpoints: int = 500
    kept: int = 2
    seed: int = 0
    track: tuple[str, ...] = ()
    title: str = field(default="LLaVA-Tri", metadata={"digest": False})

    def __post_init__(self) -> None:
        for name, allowed in (("boxes", get_args(Boxes)), ("precision", get_args(Precision))):
            value = getattr(self, name)
            if value is not None and value not in allowed:
                raise BadRun(f"{name} = {value!r}: take one of {', '.join(allowed)}")
        if other := sorted(set(self.track) - set(TRACKERS)):
            raise BadRun(f"track = {other[0]!r}: take some of {', '.join(TRACKERS)}")
        if min(self.checkpoints, self.kept) < 1:
            raise BadRun("checkpoints, the steps between two, and kept, how many of them stay, must be at least 1")
        if len({stage.name for stage in self.stages}) != len(self.stages) or not self.stages:
            raise BadRun("a run has one stage or more, each with a name of its own")
        by_facts = [stage for stage in self.stages if stage.objective in ("concepts", "rewards")]
        if by_facts and not self.facts:
            raise BadRun(f"stage {by_facts[0].name!r} learns from facts: name the files of triplets, facts = [...]")

    @property
    def digest(self) -> str:
        """Of everything that decides what is learnt, as 32 hexadecimal digits. Data is named by its own digest."""
        told = {
            name: value
            for name, value in asdict(self).items()
            if name not in ("data", "facts", "title", "track", "kept")
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Tail:
    """How a run follows a stream of triplets.

    A round learns `triplets` of them. Of groups one in `hold_out`, by a hash with `key`, is never learnt; the last
    `window` of their triplets are what each round is tested on. `shuffle` triplets are waited for before any is taken.
    """

    triplets: int = 256
    hold_out: int = 20
    window: int = 64
    shuffle: int = 256
    turns: int = 4
    key: str = "tristream"

    def __post_init__(self) -> None:
        if min(self.triplets, self.window, self.turns) < 1 or self.hold_out < 2 or self.shuffle < 0:
            raise BadRun("[tail]: triplets, window and turns must be at least 1, hold_out 2, shuffle 0")


def read_tail(path: Path, **given: Any) -> tuple[Run, Tail]:
    """The run that follows a stream, and how: as `read_run`, with one [[stage]] and a table [tail].

    Raises:
        BadRun: as `read_run`; or there is no such table, another number of stages, or a data set is named.
    """
    told = _told(path) | {name: value for name, value in given.items() if value is not None}
    tail = told.pop("tail", {})
    if not isinstance(tail, dict):
        raise BadRun("how a stream is followed is told as [tail]")
    if told.pop("data", []) or len(told.get("stage", [])) != 1:
        raise BadRun("a run that follows a stream has one [[stage]], and no data")
    return _run({**told, "data": []}), _made(Tail, tail, "[tail]")


def read_run(path: Path, **given: Any) -> Run:
    """The run that a TOML file describes; `given` goes before what stands in it, and None is not given.

    Raises:
        BadRun: the file is no TOML, has a field that is none, or a value that cannot be used.
    """
    return _run(_told(path) | {name: value for name, value in given.items() if value is not None})


def _told(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise BadRun("the file of the run is not TOML") from None


def _run(told: dict[str, Any]) -> Run:
    stages = told.pop("stage", [])
    if not isinstance(stages, list) or not all(isinstance(one, dict) for one in stages):
        raise BadRun("stages are told as [[stage]]")
    made = tuple(_made(Stage, stage, "[[stage]]") for stage in stages)
    return _made(Run, {**told, "stages": made}, "the run")


def _made(kind: type[Any], told: dict[str, Any], where: str) -> Any:
    names = {one.name for one in fields(kind)}
    if unknown := sorted(set(told) - names):
        raise BadRun(f"{where} has no field {unknown[0]!r}: it has {', '.join(sorted(names))}")
    needed = {one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING}
    if missing := sorted(needed - set(told)):
        raise BadRun(f"{where} must tell {', '.join(missing)}")
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    hints = get_type_hints(kind)
    for name, value in values.items():
        if "Literal" in str(hints[name]):
            continue  # The class tells what can be taken.
        try:
            TypeAdapter(hints[name], config=_AS_TOLD).validate_python(value)
        except ValidationError as error:
            why = error.errors()[0]["msg"].replace("tuple", "list")
            raise BadRun(f"{where}: {name} = {told[name]!r}: {why}") from None
    return kind(**values)
