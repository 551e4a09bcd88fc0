"""Yes, no and choices over a whole set: no question tells its answer by what it names, however the images come."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import groupby

import pytest

from models.datasets.build import build
from models.datasets.instructions import Mixer, turns_of
from models.datasets.instructions.balance import Balance
from models.datasets.policy import Policy
from models.datasets.splits import Shares
from models.statements.voice import Voice
from schemas.triplets import Triplet
from tests.models.datasets.conftest import lines

SHOWN = (("CT", "abdomen", 60), ("MR", "brain", 60), ("X-ray", "chest", 120), ("fundus photography", "retina", 20),
         ("dermoscopy", "skin", 40))  # fmt: skip
"""Collections one after the other, as folders come. Skin is in no picture absent; an abdomen lies beside a chest."""
KINDS = frozenset({"modality", "organ", "modality-closed", "modality-choice", "organ-closed", "organ-choice"})


@pytest.fixture(scope="module")
def ordered(triplets: list[Triplet]) -> list[Triplet]:
    """Triplets of these."""
    found: list[Triplet] = []
    pattern = next(one for one in triplets if one.regions[0].kind == "source annotation")
    unplaced = pattern.regions[0].model_copy(update={"place": None})
    for modality, organ, n in SHOWN:
        metadata = pattern.metadata.model_copy(
            update={"modality": modality, "organ": organ, "disease": None, "plane": None}
        )
        for _ in range(n):
            number = f"{len(found):032x}"
            told = dict.fromkeys(("image_id", "object_id", "triplet_id"), number)
            told |= {"metadata": metadata, "provenance": None, "regions": (unplaced,), "relations": ()}
            found.append(pattern.model_copy(update=told))
    return found


def counted(triplets: Iterable[Triplet], mixer: Mixer) -> dict[tuple[str, str], Counter[str]]:
    """Answers by kind and by what the question names."""
    found: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for triplet in triplets:
        for turn in mixer.conversation(triplet).turns:
            if turn.named:
                found[turn.kind, turn.named][turn.told] += 1
    return found


def test_of_a_set_what_is_affirmed_is_denied_as_often(ordered: list[Triplet]) -> None:
    """Of each word, and of each choice between two, though the images come collection by collection."""
    shown = Counter((one.metadata.modality, one.metadata.organ or "", "") for one in ordered)
    found = counted(ordered, Mixer(turns=2, kinds=KINDS, shown=shown))
    seen = Counter[str]()
    for (kind, named), answers in found.items():
        seen[kind] += answers.total()
        most = max(answers.values())
        # Three standard deviations of a fair coin.
        assert most <= answers.total() / 2 + 1.5 * answers.total() ** 0.5, (kind, named, answers)
    assert min(seen[kind] for kind in KINDS - {"modality", "organ"}) >= 30
    assert ("organ-closed", "skin") not in found


def test_a_set_of_one_kind_of_image_asks_no_yes(ordered: list[Triplet]) -> None:
    """Where every image is an X-ray of a chest, whether it is one teaches nothing."""
    films = [one for one in ordered if one.metadata.organ == "chest"]
    found = counted(films, Mixer(turns=2, kinds=KINDS, shown={("X-ray", "chest", ""): len(films)}))
    assert not found


def test_of_a_stream_each_word_stays_balanced(ordered: list[Triplet]) -> None:
    """Nobody knows what comes: yes leads by two at most, of each word."""
    for (kind, named), answers in counted(ordered, Mixer(turns=2, kinds=KINDS)).items():
        if kind.endswith("-closed"):
            assert abs(answers["Yes"] - answers["No"]) <= 2, (kind, named, answers)


def test_a_build_knows_what_comes(ordered: list[Triplet], tmp_path_factory: pytest.TempPathFactory) -> None:
    """It has read all triplets before it asks: yes and no are both in the set, and about as often."""
    mixed = [one for _, some in groupby(ordered, lambda one: one.metadata.organ) for one in list(some)[:12]]
    out = tmp_path_factory.mktemp("closed") / "set"
    report = build(lambda: lines(mixed), out, (), Policy(shares=Shares(0, 0.2), turns=2, questions=KINDS, near=0))
    closed = report.closed["modality-closed"]
    assert abs(closed["Yes"] - closed["No"]) <= 2
    assert closed["No"] >= 3


def test_two_words_stand_beside_each_other_equally_often() -> None:
    """A frequent word and a rare one: as many images of either draw the other."""
    many, few = 900, 90
    balance = Balance({("organ", "a"): many, ("organ", "b"): few, ("organ", "c"): few}, _all_of("a", "b", "c"))
    drawn = Counter(
        (right, balance.beside("organ", right, ["a", "b", "c"], Voice(f"{right} {at}")))
        for right, n in (("a", many), ("b", few), ("c", few))
        for at in range(n)
    )
    assert drawn["a", "b"] == pytest.approx(drawn["b", "a"], rel=0.3)
    assert drawn["a", None] > drawn["b", None]


def _all_of(*words: str) -> dict[tuple[str, str], set[str]]:
    return {("organ", word): {*words} - {word} for word in words}


@pytest.mark.parametrize("kind", ["count-closed", "place-closed"])
def test_numbers_and_halves_are_asked_by_yes_and_no(triplets: list[Triplet], kind: str) -> None:
    """Of a source's marks; each answer was judged by the facts, and both come up."""
    marked = [one for one in triplets if one.regions and one.regions[0].kind == "source annotation"]
    answers = Counter(turn.answer for one in marked for turn in turns_of(one) if turn.kind == kind)
    assert answers.keys() == {"Yes", "No"}
