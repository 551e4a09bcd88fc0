"""What can be had without looking: answers by the question alone, learned from the train split.

Where a benchmark has none, they learn from the other pictures' questions of the split that is asked, which flatters the
control: a model has the harder task.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from models.llava_tri.evaluation.questions import Benchmark, Kind, Question
from models.llava_tri.evaluation.scores.answers import YES_NO, shared
from models.llava_tri.evaluation.scores.boxes import Scale, middle_box, write_box
from models.llava_tri.evaluation.scores.normalise import normalised, words_of

MOST_TEXTS = 200
"""Of a train split's texts, among which the most typical one is sought."""
USUAL_WORDS = 200
"""That `yes_and_no` says to an open question."""
_BATCH = 512


def learned_from(benchmark: Benchmark) -> str:
    """Where the controls learn, in words."""
    if benchmark.train:
        return f"{len(benchmark.train)} questions of the train split"
    return "the questions about other pictures of the same split, as there is no train split: this flatters them"


def majority(benchmark: Benchmark) -> dict[str, str]:
    """The most frequent answer to questions of the same sort; of a box the median one, of texts the most typical."""
    sorts: dict[_Sort, list[Question]] = {}
    for one in benchmark.train or benchmark.questions:
        sorts.setdefault(_sort(one), []).append(one)
    counts = Counter(normalised(one.answers[0]) for some in sorts.values() for one in some)
    common: dict[_Sort, str] = {}
    found: dict[str, str] = {}
    for one in benchmark.questions:
        sort = _sort(one)
        if sort not in common:
            common[sort] = _typical(one.kind, sorts.get(sort, []))
        answer = common[sort]
        if one.kind == "closed" and answer not in one.options:
            # Of other options than yes and no: the one that is most often the answer to anything.
            answer = max(one.options, key=lambda option: counts[normalised(option)])
        found[one.id] = answer
    return found


_Sort = tuple[Kind, str]


def _sort(question: Question) -> _Sort:
    """Yes and no are not mixed with other options, nor the labels of one topic with those of another."""
    if question.kind == "closed":
        return question.kind, "yes or no" if question.options == YES_NO else "other options"
    return question.kind, question.topic if question.kind == "class" else ""


def _typical(kind: Kind, some: Sequence[Question]) -> str:
    if not some:
        return ""
    if kind == "box":
        left, top, right, bottom = np.median([one.box for one in some if one.box is not None], axis=0).tolist()
        return write_box((left, top, right, bottom), SCALE, 1, 1)
    if kind == "text":
        texts = sorted({one.answers[0] for one in some})[:: max(1, len(some) // MOST_TEXTS)][:MOST_TEXTS]
        return max(texts, key=lambda text: sum(shared(text, [other]).f1 for other in texts))
    answers = Counter(normalised(one.answers[0]) for one in some)
    # Of equally frequent ones the first in the alphabet, so that it is the same every time.
    return min(answers, key=lambda answer: (-answers[answer], answer))


SCALE: Scale = "parts"
"""In which the controls write boxes."""


def nearest(benchmark: Benchmark) -> dict[str, str]:
    """The answer to the question of the same kind that is nearest by the tf-idf of its words and pairs of words.

    Of several that are equally near, the answer that is most frequent among them; of texts, which are all different,
    the most typical one of all.
    """
    found: dict[str, str] = {}
    for kind in sorted({one.kind for one in benchmark.questions}):
        asked = [one for one in benchmark.questions if one.kind == kind]
        known = [one for one in benchmark.train if one.kind == kind] or asked
        found |= _nearest(asked, known, apart=known is asked)
    return found


def _nearest(asked: Sequence[Question], known: Sequence[Question], *, apart: bool) -> dict[str, str]:
    terms = [_terms(one.text) for one in known]
    seen = Counter(term for some in terms for term in set(some))
    places = {term: number for number, term in enumerate(sorted(seen))}
    weight = np.array([np.log((1 + len(known)) / (1 + seen[term])) + 1 for term in sorted(seen)])
    table = _matrix(terms, places, weight)
    answers = [_answer(one) for one in known]
    units = np.array([one.unit for one in known])
    typical = _typical("text", known) if known[0].kind == "text" else None
    found: dict[str, str] = {}
    for start in range(0, len(asked), _BATCH):
        some = asked[start : start + _BATCH]
        likeness = (_matrix([_terms(one.text) for one in some], places, weight) @ table.T).toarray()
        for question, row in zip(some, likeness, strict=True):
            if apart:
                row = np.where(units == question.unit, -1.0, row)
            best = np.flatnonzero(row >= row.max() - 1e-9)
            if typical is not None and len(best) > 1:
                found[question.id] = typical
                continue
            counts = Counter(answers[place] for place in best)
            found[question.id] = min(counts, key=lambda answer: (-counts[answer], answer)) if row.max() >= 0 else ""
    return found


def _answer(question: Question) -> str:
    if question.box is not None:
        return write_box(question.box, SCALE, 1, 1)
    return question.answers[0] if question.kind == "text" else normalised(question.answers[0])


def _terms(text: str) -> list[str]:
    words = words_of(text)
    return [*words, *(f"{one} {other}" for one, other in pairwise(words))]


def _matrix(texts: Sequence[Sequence[str]], places: dict[str, int], weight: npt.NDArray[np.float64]) -> csr_matrix:
    """Rows of tf-idf, each of length 1."""
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    for number, some in enumerate(texts):
        counts = {places[term]: n for term, n in Counter(some).items() if term in places}
        length = float(np.sqrt(sum((n * weight[place]) ** 2 for place, n in counts.items())))
        for place, n in counts.items():
            rows.append(number)
            columns.append(place)
            values.append(n * weight[place] / length)
    return csr_matrix((values, (rows, columns)), shape=(len(texts), len(places)))


def yes_and_no(benchmark: Benchmark) -> dict[str, str]:
    """Answers that say everything and choose nothing: what a scorer must not be flattered by.

    All options of a closed question or a label; to any other the most frequent words of right answers.
    """
    known = benchmark.train or benchmark.questions
    counts = Counter(word for one in known for word in words_of(one.answers[0]))
    usual = " ".join(sorted(counts, key=lambda word: (-counts[word], word))[:USUAL_WORDS])
    return {one.id: f"{' and '.join(one.options)}." if one.options else usual for one in benchmark.questions}


def centre_box(benchmark: Benchmark) -> dict[str, str]:
    """To where: the middle of the picture, as wide and as high as the median box. To any other question: nothing."""
    boxes = [one.box for one in benchmark.train or benchmark.questions if one.box is not None]
    middle = middle_box(boxes)
    if middle is None:
        return {one.id: "" for one in benchmark.questions}
    box = write_box(middle, SCALE, 1, 1)
    return {one.id: "" if one.box is None else box for one in benchmark.questions}
