"""The release check of the starter corpus: form, labels, coverage, and no passage twice."""

import csv
import itertools
import re
from collections import Counter, defaultdict

from models.imaging.vocabulary import ORGANS
from models.knowledge import STARTER_CORPUS, read_corpus
from models.statements.table import table
from models.vocabulary import TERMS
from models.vocabulary.terms import TABLES
from schemas.images import MODALITIES, Modality
from schemas.knowledge import Condition, Passage

PASSAGES = read_corpus(STARTER_CORPUS)
ALIKE = 0.25
"""Share of the four-word runs of the shorter passage that two passages may have in common."""
LONGEST_FIRST = 32
"""Words of a first sentence."""

FITTING: dict[Condition, set[Modality]] = {
    "frontal view": {"X-ray"}, "lateral view": {"X-ray"}, "craniocaudal view": {"mammography"},
    "mediolateral oblique view": {"mammography"}, "T1-weighted": {"MR"}, "T2-weighted": {"MR"}, "FLAIR": {"MR"},
    "diffusion-weighted": {"MR"}, "contrast agent given": {"CT", "MR"}, "no contrast agent given": {"CT", "MR"},
    "axial plane": {"CT", "MR", "PET"}, "coronal plane": {"CT", "MR", "PET"}, "sagittal plane": {"CT", "MR", "PET"},
    "haematoxylin and eosin": {"histopathology"}, "immunohistochemistry": {"histopathology"},
    "fluorescence": {"microscopy"}, "phase contrast": {"microscopy"}, "stained film": {"microscopy"},
    "narrow-band light": {"endoscopy"},
}  # fmt: skip


def runs(text: str) -> set[tuple[str, ...]]:
    """Each four words that follow each other."""
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[at : at + 4]) for at in range(len(words) - 3)}


def first_sentence(passage: Passage) -> str:
    return passage.text.split(". ")[0]


def test_form() -> None:
    """Two to five sentences of at most 90 words, a slug for an id, a title and a reference that can be looked up."""
    for passage in PASSAGES:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", passage.passage_id), passage.passage_id
        assert 2 <= len(re.findall(r"[.](?=\s|$)", passage.text)) <= 5, passage.passage_id
        assert len(passage.text.split()) <= 90, passage.passage_id
        assert len(passage.reference) > 20, passage.passage_id
        assert passage.kind is not None, passage.passage_id


def test_what_may_be_quoted_can_be() -> None:
    """The first sentence of an explaining passage is short, and it or the title names what the passage is about."""
    on_technique = {passage.passage_id for passage in read_corpus(STARTER_CORPUS / "technique.jsonl")}
    for passage in PASSAGES:
        names = (*passage.diseases, *passage.structures, *passage.regions)
        if passage.passage_id in on_technique:
            continue
        said = f"{passage.title} {first_sentence(passage)}".lower()
        assert len(first_sentence(passage).split()) <= LONGEST_FIRST, passage.passage_id
        assert any(word in said for name in names for word in re.findall(r"\w{3,}", name.lower())), passage.passage_id


def test_labels_are_of_the_vocabulary() -> None:
    """Modalities, organs, diseases, structures, region labels; conditions that its modalities can fulfil."""
    labels = {row.label for row in table().labels}
    for passage in PASSAGES:
        assert set(passage.modalities) <= set(MODALITIES), passage.passage_id
        assert set(passage.organs) <= ORGANS, passage.passage_id
        assert all(name in TERMS and TERMS[name].kind != "structure" for name in passage.diseases), passage.passage_id
        assert all(name in TERMS and TERMS[name].kind == "structure" for name in passage.structures), passage.passage_id
        assert set(passage.regions) <= labels, passage.passage_id
        assert all(set(passage.modalities) & FITTING[one] for one in passage.applies_when), passage.passage_id


def test_every_disease_and_finding_has_two_appearances() -> None:
    """Of each row of findings.csv at least two passages tell how it looks."""
    with TABLES.joinpath("findings.csv").open(encoding="utf-8", newline="") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    told = Counter(name for passage in PASSAGES if passage.kind == "appearance" for name in passage.diseases)
    assert [name for name in names if told[name] < 2] == []
    assert len(PASSAGES) >= 900


def test_no_passage_twice() -> None:
    """No two passages share a quarter of their runs of words."""
    of = [runs(passage.text) for passage in PASSAGES]
    holding: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, each in enumerate(of):
        for run in each:
            holding[run].append(number)
    shared = Counter(pair for numbers in holding.values() for pair in itertools.combinations(sorted(numbers), 2))
    alike = [
        (PASSAGES[one].passage_id, PASSAGES[other].passage_id)
        for (one, other), count in shared.items()
        if count > ALIKE * min(len(of[one]), len(of[other]))
    ]
    assert alike == []
