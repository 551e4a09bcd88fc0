"""Answers to a benchmark's questions, from whom they may come: asked, given in a file, or by a rule that sees nothing.

Asking is bounded, resumable and deterministic: each answer is kept at once under all that decided it, so a run that was
broken off asks only what is still open, and a second run asks nothing.
"""

import asyncio
import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from models.llava_tri.evaluation.pictures import Shown, View
from models.llava_tri.evaluation.prompts import prompt_of, version
from models.llava_tri.evaluation.questions import Benchmark, Question, WrongLayout
from models.llava_tri.evaluation.scores.boxes import Scale
from schemas.failures import InvalidInput, TristreamError

Tell = Callable[[int, int], None]
"""Is told how many of how many are answered."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came for a question; with an error the text is empty, and wrong."""

    text: str
    error: str | None = None


class Answerer(Protocol):
    """A model that answers. Implementations are deterministic: the same pictures and text, the same answer."""

    @property
    def name(self) -> str:
        """name@revision."""
        ...

    @property
    def settings(self) -> str:
        """All else that decides an answer: tokens at most, seed."""
        ...

    @property
    def at_once(self) -> int:
        """Questions that it takes at once."""
        ...

    async def answer(self, pictures: Sequence[bytes], text: str) -> str:
        """The answer to a question about encoded pictures, of which there may be none.

        Raises:
            InvalidInput: not to this question.
            Unavailable: to none for now.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and memory."""
        ...


class Source(Protocol):
    """Whoever's answers are scored."""

    @property
    def name(self) -> str:
        """name@revision."""
        ...

    @property
    def settings(self) -> str:
        """What decides its answers, for the result."""
        ...

    @property
    def scale(self) -> Scale:
        """In which it writes boxes."""
        ...

    async def answers(self, benchmark: Benchmark, view: View, tell: Tell) -> Mapping[str, Answered] | None:
        """Answers by the id of the question; None where there are none under this view."""
        ...


class Answers:
    """A SQLite file of answers, by model, settings, prompt and pictures. Several runs may share it.

    Args:
        path: of the file, which is made where there is none.
    """

    def __init__(self, path: Path) -> None:
        self._base = sqlite3.connect(path)
        self._base.executescript(
            "pragma journal_mode=wal; pragma synchronous=normal; create table if not exists answers "
            "(key text primary key, model text, settings text, prompt text, pictures text, answer text)"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def find(self, row: tuple[str, str, str, str]) -> str | None:
        """The answer kept for (model, settings, prompt, pictures)."""
        found = self._base.execute("select answer from answers where key = ?", (_key(row),)).fetchone()
        return found and found[0]

    def keep(self, row: tuple[str, str, str, str], answer: str) -> None:
        """Keep an answer; it stands there when this returns."""
        self._base.execute("insert or replace into answers values (?,?,?,?,?,?)", (_key(row), *row, answer))
        self._base.commit()


def _key(row: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(row).encode()).hexdigest()


async def side_by_side(work: Callable[[], Coroutine[Any, Any, None]], number: int) -> None:
    """So many workers on one waiting line, each until it is empty. Raises what the first that fails raises."""
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(number):
                group.create_task(work())
    except* TristreamError as errors:
        # All of one kind and cause: the first is what a person can act on.
        raise errors.exceptions[0] from None


class Asked:
    """A model that is asked, its answers kept.

    Args:
        answerer: the model.
        kept: earlier answers.
        scale: in which it writes boxes.
        plain: questions are put as they stand, and no line tells how to answer.
    """

    def __init__(self, answerer: Answerer, kept: Answers, scale: Scale = "thousandths", *, plain: bool = False) -> None:
        self._plain = plain
        self._answerer, self._kept = answerer, kept
        self.scale: Scale = scale
        self.name = answerer.name
        self._locks: defaultdict[tuple[str, str, str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def settings(self) -> str:
        """Of the model, with the version of the prompts."""
        return f"{self._answerer.settings} prompts={version(self.scale, plain=self._plain)} boxes={self.scale}"

    async def answers(self, benchmark: Benchmark, view: View, tell: Tell) -> Mapping[str, Answered] | None:
        """As Source has it.

        Raises:
            Unavailable: the model is away; what it answered is kept.
            NoPicture: a picture is not there.
        """
        pictures = Shown(benchmark, view)
        if not pictures.possible:
            return None
        found: dict[str, Answered] = {}
        # Of one kind after another: who answers several together waits for the longest answer.
        waiting = iter(sorted(benchmark.questions, key=lambda one: (one.kind, one.topic)))

        async def work() -> None:
            for question in waiting:
                found[question.id] = await self._one(question, pictures)
                tell(len(found), len(benchmark.questions))

        await side_by_side(work, self._answerer.at_once)
        return found

    async def close(self) -> None:
        """Close the model."""
        await self._answerer.close()

    async def _one(self, question: Question, pictures: Shown) -> Answered:
        seen = await asyncio.to_thread(pictures.of, question.images)
        prompt = prompt_of(question, self.scale, plain=self._plain)
        hashes = " ".join(hashlib.sha256(one).hexdigest() for one in seen)
        row = (self._answerer.name, self._answerer.settings, prompt, hashes)
        # Without a picture, questions in the same words are one question: who comes second waits for the first.
        async with self._locks[row]:
            known = self._kept.find(row)
            if known is not None:
                return Answered(known)
            try:
                answer = _written(await self._answerer.answer(seen, prompt))
            except InvalidInput as error:
                return Answered("", type(error).__name__)
            self._kept.keep(row, answer)
            return Answered(answer)


class Blind:
    """A rule that answers by the question alone: its answers are the same whatever picture there is.

    Args:
        name: of the rule.
        rule: answers of a benchmark, by the id of the question.
    """

    settings = "sees no picture"
    scale: Scale = "parts"

    def __init__(self, name: str, rule: Callable[[Benchmark], Mapping[str, str]]) -> None:
        self.name, self._rule = name, rule

    async def answers(self, benchmark: Benchmark, view: View, tell: Tell) -> Mapping[str, Answered] | None:
        """As Source has it."""
        return {key: Answered(text) for key, text in self._rule(benchmark).items()}


class Given:
    """Answers that stand in a file: one JSON object a line with `id` and `answer`, or lmms-eval's samples.

    Under other views than the picture itself there are none, so controls that need them stay open.

    Args:
        path: JSON Lines.
        scale: in which boxes stand there.
    """

    settings = "answers of a file"

    def __init__(self, path: Path, scale: Scale = "thousandths") -> None:
        self.scale: Scale = scale
        self.name = f"{path.stem}@{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
        self._answers: dict[str, Answered] = {}
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            if line.strip():
                key, answer = _read_given(line, path, number)
                if key in self._answers:
                    raise WrongLayout(f"{path.name}, line {number}: a second answer to {key!r}; each is given once")
                self._answers[key] = Answered("", "null in the file") if answer is None else Answered(_written(answer))

    async def answers(self, benchmark: Benchmark, view: View, tell: Tell) -> Mapping[str, Answered] | None:
        """As Source has it. Questions that the file does not answer are missing, and wrong."""
        if view != "image":
            return None
        known = {one.id for one in benchmark.questions}
        if strangers := self._answers.keys() - known:
            raise WrongLayout(
                f"{len(strangers)} answers are to questions that {benchmark.name} {benchmark.split} has not, such as "
                f"{min(strangers)!r}: ids are those of the benchmark"
            )
        return {key: self._answers.get(key, Answered("", "not in the file")) for key in known}


def _read_given(line: bytes, path: Path, number: int) -> tuple[str, str | None]:
    try:
        row: dict[str, Any] = json.loads(line)
        if "filtered_resps" in row:
            answer = row["filtered_resps"]
            while isinstance(answer, list):
                answer = answer[0]  # pyright: ignore[reportUnknownVariableType]
            key, answer = row["doc"]["id"] if "doc" in row else row["doc_id"], answer  # pyright: ignore[reportUnknownVariableType]
        else:
            key, answer = row["id"], row["answer"]
    except (ValueError, KeyError, TypeError, IndexError):
        raise WrongLayout(f"{path.name}, line {number}: an object with 'id' and 'answer' is expected") from None
    if answer is not None and not isinstance(answer, str):
        raise WrongLayout(f"{path.name}, line {number}: the answer to {key!r} is no text; null stands for none")
    return str(key), answer  # pyright: ignore[reportUnknownArgumentType]


def _written(answer: str) -> str:
    """An answer with a question mark for each half of a character, as broken JSON may have it: no file takes one."""
    return answer.encode("utf-8", "replace").decode()
