"""What is counted beyond a text's own words: those that mean the same, and those of passages on the same disease."""

import csv
from collections import Counter
from pathlib import Path

from models.knowledge import EmbeddedKnowledge, Query
from models.knowledge.bm25 import Bm25
from models.knowledge.text import words
from models.knowledge.wording import MOST_KIN, OWN, asked, counted
from models.vocabulary import TERMS
from schemas.knowledge import Passage


def passage(number: int, text: str, *diseases: str) -> Passage:
    return Passage(passage_id=f"p{number:02}", title="T", text=text, reference="R", diseases=diseases)


def test_own_words_count_double_and_equivalents_once() -> None:
    """A plain word brings the field's, and the field's the plain ones; a phrase only as a whole."""
    counts = Counter(asked("clot in the windpipe"))
    assert (counts["clot"], counts["windpipe"]) == (2, 2)
    assert (counts["thrombus"], counts["trachea"]) == (1, 1)
    assert "belly" in asked("abdomen")
    assert "leucocyte" in asked("white cell")
    assert "leucocyte" not in asked("white matter")
    assert asked("") == []


def test_a_word_asked_twice_counts_twice() -> None:
    """Scores add up over the words of a query as they stand there."""
    index = Bm25.of([["a", "b"], ["a", "c"]])
    assert (index.scores(["a", "a", "c"]) == 2 * index.scores(["a"]) + index.scores(["c"])).all()


def test_kin_lend_each_other_their_words() -> None:
    """Passages on one disease are found by each other's words too; those on another, and on none, are not."""
    found = [
        set(each)
        for each in counted(
            [passage(1, "spleen", "x"), passage(2, "bone", "x"), passage(3, "eye", "y"), passage(4, "ear")]
        )
    ]
    assert {"spleen", "bone"} <= found[0]
    assert {"spleen", "bone"} <= found[1]
    assert found[2].isdisjoint({"spleen", "bone", "ear"})
    assert found[3].isdisjoint({"spleen", "bone", "eye"})


def test_a_passage_is_found_by_every_name_of_its_disease() -> None:
    """The vocabulary's phrases for a disease count as the passage's own words, one that is not said in it too."""
    (one,) = counted([passage(1, "A liver tumour that washes out.", "hepatocellular carcinoma")])
    assert "hcc" in {name.lower() for phrase in TERMS["hepatocellular carcinoma"].phrases for name in phrase}
    assert Counter(one)["hcc"] == OWN


def test_many_on_one_disease_are_no_kin() -> None:
    """Of a disease with many passages each stands for itself."""
    many = [passage(number, f"word{number}", "x") for number in range(MOST_KIN + 1)]
    assert all(f"word{(number + 1) % len(many)}" not in each for number, each in enumerate(counted(many)))


def test_plain_words_are_a_table_without_repeats() -> None:
    """Each phrase stands in a row once, and no word of a row is one that is not counted."""
    path = Path(__file__).parents[3] / "models" / "knowledge" / "plain-words.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["field"], *row["plain"].split("|")) for row in csv.DictReader(file)]
    assert all(len(set(row)) == len(row) for row in rows)
    assert all(words(phrase) for row in rows for phrase in row)


def test_plain_words_find(starter: EmbeddedKnowledge) -> None:
    """What a patient would say finds what a textbook says."""
    found = starter.search(Query("clot in the artery to the lung", "CT", limit=5))
    assert "pulmonary embolism" in {name for each in found for name in each.diseases}
