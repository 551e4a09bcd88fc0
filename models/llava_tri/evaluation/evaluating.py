"""One evaluation from end to end: the model, its five controls, the audit, and what came of them."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from models.llava_tri.evaluation import audit as audits
from models.llava_tri.evaluation.answering import Answered, Blind, Source, Tell
from models.llava_tri.evaluation.controls import learned_from, majority, nearest
from models.llava_tri.evaluation.judging import Judge, judging
from models.llava_tri.evaluation.pictures import View
from models.llava_tri.evaluation.questions import KINDS, Benchmark, Kind, NoPicture, Question
from models.llava_tri.evaluation.result import (
    TEST,
    Against,
    Answer,
    Audit,
    BertScore,
    Figure,
    Found,
    Part,
    Result,
    Run,
    Scores,
    figures_of,
)  # fmt: skip
from models.llava_tri.evaluation.scores.bert import TokenEncoder
from models.llava_tri.evaluation.scores.boxes import Scale
from models.llava_tri.evaluation.scores.intervals import difference
from models.llava_tri.evaluation.scores.normalise import STATED
from models.llava_tri.evaluation.scoring import FEWEST, PRIMARY, Scored, by_chance, groups, score

LEVEL = 0.025
"""One-sided."""
VIEWS: dict[View, tuple[str, str]] = {
    "none": ("no image", "the model, asked without a picture"),
    "grey": ("grey image", "the model, shown a grey picture of the same size"),
    "shuffled": ("shuffled images", "the model, shown another question's picture; seeded, none is its own"),
}
MAJORITY, NEAREST = "majority answer", "nearest question"
CONTROLS = (*(name for name, _ in VIEWS.values()), MAJORITY, NEAREST)

Say = Callable[[str], Tell]
"""Is told what is asked now, and gives what is told how far it is."""


def _silent(_what: str) -> Tell:
    return lambda _done, _all: None


def sampled(benchmark: Benchmark, limit: int | None) -> Benchmark:
    """The benchmark with the questions about `limit` pictures alone.

    They are drawn by a hash of their keys: sets are often in the order of what they show. Of a larger limit come the
    same pictures and more.
    """
    if limit is None:
        return benchmark
    pictures = {one.picture for one in benchmark.questions}
    kept = set(sorted(pictures, key=lambda one: hashlib.sha256(one.encode()).digest())[:limit])
    return replace(benchmark, questions=[one for one in benchmark.questions if one.picture in kept])


async def evaluate(
    benchmark: Benchmark,
    source: Source,
    leakage: audits.Leakage,
    *,
    of: int | None = None,
    judge: Judge | None = None,
    encoder: TokenEncoder | None = None,
    say: Say = _silent,
) -> Result:
    """Have a benchmark answered by a model and by its controls, and score all of them.

    Args:
        benchmark: what is asked.
        source: whose answers are scored.
        leakage: of this benchmark's pictures.
        of: questions of the whole split, where only a part is asked.
        judge: a language model that rules over the answers beside the scores; None: none does.
        encoder: of BERTScore, which is left out without one.
        say: progress.

    Raises:
        Unavailable: the model, or the judge, does not answer; what it answered is kept where its source keeps answers.
        NoPicture: a picture is not there, and the model needs it.
    """
    given = await source.answers(benchmark, "image", say(source.name))
    if given is None:
        raise NoPicture(f"{source.name} has no answers about pictures")
    found: dict[str, tuple[str, Mapping[str, Answered] | None, Scale]] = {
        source.name: ("the model", given, source.scale)
    }
    for view, (name, told) in VIEWS.items():
        found[name] = told, await source.answers(benchmark, view, say(name)), source.scale
    for name, told, rule in (
        (MAJORITY, "the most frequent right answer of the train split to questions of the same sort", majority),
        (NEAREST, "the right answer to the train question with the nearest wording", nearest),
    ):
        blind = Blind(name, rule)
        found[name] = told, await blind.answers(benchmark, "none", say(name)), blind.scale
    leaked = leakage.leaked
    seen = [one for one in benchmark.questions if leaked & set(one.images)]
    unseen = [one for one in benchmark.questions if not leaked & set(one.images)]
    whole, scored = _scores(benchmark, benchmark.questions, source.name, found, encoder)
    judged, rulings = None, dict[str, str]()
    if judge is not None:
        runs = {name: (one, scored[name]) for name, (_, one, _) in found.items() if one is not None}
        judged, rulings = await judging(judge, unseen or seen, runs, say(f"the judge {judge.name}"))
    return Result(
        benchmark=benchmark.name, split=benchmark.split, digest=benchmark.digest, source=dict(benchmark.source),
        n=len(benchmark.questions), images=len({one.picture for one in benchmark.questions}),
        over="patients" if any(one.patient for one in benchmark.questions) else "pictures",
        of=of or len(benchmark.questions), model=source.name, settings=source.settings,
        normalisation=STATED, test=TEST, controls=learned_from(benchmark), all=whole,
        clean=_scores(benchmark, unseen, source.name, found, encoder)[0] if seen and unseen else None,
        leaked=_scores(benchmark, seen, source.name, found, encoder)[0] if seen else None,
        audit=_audit(leakage, benchmark), judge=judged, bert_score=_encoded(benchmark, encoder),
        answers=[_answer(one, given, scored[source.name], leaked, rulings) for one in benchmark.questions],
    )  # fmt: skip


def _scores(
    benchmark: Benchmark,
    questions: Sequence[Question],
    model: str,
    found: Mapping[str, tuple[str, Mapping[str, Answered] | None, Scale]],
    encoder: TokenEncoder | None,
) -> tuple[Scores, dict[str, Scored]]:
    scored: dict[str, Scored] = {}
    runs: list[Run] = []
    # A source that sees no picture has the same answers under every view: they are scored once.
    known: dict[tuple[Scale, tuple[str, ...]], Scored] = {}
    for name, (told, given, scale) in found.items():
        if given is None:
            continue
        said = scale, tuple(given[one.id].text if one.id in given else "" for one in questions)
        if said not in known:
            known[said] = score(benchmark, questions, given, scale, encoder)
        scored[name] = known[said]
        missing = Counter(_missing(given.get(one.id)) for one in questions)
        runs.append(
            Run(
                name=name,
                told=told,
                figures=figures_of(scored[name].figures),
                missing={reason: n for reason, n in missing.items() if reason},
            )
        )
    parts: dict[Kind, Part] = {}
    for kind in KINDS:
        if any(one.kind == kind for one in questions):
            parts[kind] = _part(questions, kind, model, scored)
    images = len({one.picture for one in questions})
    return Scores(n=len(questions), images=images, runs=runs, parts=parts), scored


def _missing(one: Answered | None) -> str:
    if one is None:
        return "no answer"
    return one.error or ("" if one.text.strip() else "an empty answer")


def _part(questions: Sequence[Question], kind: Kind, model: str, scored: Mapping[str, Scored]) -> Part:
    asked = [one for one in questions if one.kind == kind]
    units = [one.unit for one in asked]
    against = _against(asked, PRIMARY[kind], model, scored)
    return Part(
        primary=PRIMARY[kind],
        n=len(asked),
        images=len(set(units)),
        against=against,
        shown=all(one is not None and one.beaten for one in against.values()),
        groups={
            by: {name: figures_of({kind: {PRIMARY[kind]: one}})[kind][PRIMARY[kind]] for name, one in some.items()}
            for by, some in groups(questions, scored[model].values, kind).items()
        },
        topics={
            topic: _against([one for one in asked if one.topic == topic], PRIMARY[kind], model, scored)
            for topic in sorted({one.topic for one in asked} - {""})
            if len({one.unit for one in asked if one.topic == topic}) >= FEWEST
        },
    )


def _against(
    asked: Sequence[Question], primary: str, model: str, scored: Mapping[str, Scored]
) -> dict[str, Against | None]:
    units = [one.unit for one in asked]
    values = {name: [one.values[question.id][primary] for question in asked] for name, one in scored.items()}
    return {
        name: Against.of(difference(values[model], values[name], units), LEVEL) if name in values else None
        for name in CONTROLS
    }


def _encoded(benchmark: Benchmark, encoder: TokenEncoder | None) -> BertScore | None:
    if encoder is None:
        return None
    chance = by_chance(benchmark.questions, encoder)
    return BertScore(encoder=encoder.name, by_chance={kind: Figure.of(one) for kind, one in chance.items()})


def _audit(leakage: audits.Leakage, benchmark: Benchmark) -> Audit:
    return Audit(
        datasets=dict(leakage.datasets),
        pictures=leakage.pictures,
        unread=leakage.unread,
        missing=list(leakage.missing),
        generation=leakage.generation,
        complete=leakage.complete,
        own_train=audits.own_train(benchmark),
        hits=[Found(picture=one.picture, dataset=one.dataset, exact=one.exact) for one in leakage.hits],
        looked_at=audits.LOOKED_AT,
    )


def _answer(
    one: Question,
    given: Mapping[str, Answered],
    scored: Scored,
    leaked: frozenset[str],
    rulings: Mapping[str, str],
) -> Answer:
    answered = given.get(one.id, Answered("", "no answer"))
    return Answer(
        id=one.id, kind=one.kind, images=one.images, patient=one.patient, question=one.text, right=one.answers,
        answer=answered.text, error=answered.error, values=scored.values[one.id], leaked=bool(leaked & set(one.images)),
        ruling=rulings.get(one.id),
    )  # fmt: skip
