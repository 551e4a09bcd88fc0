"""What is put before the model: little, ranked, and nothing that the verifier would refuse."""

from pathlib import Path

import pytest
from drawn_images import drawn_image
from pydicom.data import get_testdata_file

from benchmarks.statements import files, phantoms
from models.describers import prompts
from models.describers.prompts.told import PASSAGES, PIECES, REGIONS, pieces, told, told_regions
from models.experts.registry import Registry
from models.statements import Facts, judge
from schemas.knowledge import FoundPassage

# pycocotools 2.0.11 decodes through an __array__ of the old kind.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

NAMES = ("CT_small.dcm", "MR_small.dcm", "RG1_UNCR.dcm", "US1_UNCR.dcm")


@pytest.fixture(scope="module")
def images() -> list[Facts]:
    """Real ones, and a phantom of each modality."""
    registry = Registry.load()
    paths = [Path(str(get_testdata_file(name, download=False))) for name in NAMES]
    return [one.facts for one in (*files(registry, paths), *phantoms(registry, 1))]


def as_sentences(region: str) -> list[str]:
    """'r1: dense area. It is round. The source marks it.' as sentences that name the region."""
    name, _, said = region.partition(": ")
    first, *others = said.rstrip(".").split(". ")
    article = "an" if first[0] in "aeio" else "a"
    found = [f"Region {name} is {article} {first}."]
    for one in others:
        named = f"Region {name}{one[2:]}" if one.startswith("It ") else one.replace(" it", f" region {name}")
        found.append(f"{named}.")
    return found


def test_all_that_is_told_would_be_believed(images: list[Facts]) -> None:
    """A model that repeats it word for word is not refused."""
    heard = 0
    for facts in images:
        found = told(facts)
        sentences = [found.image, *found.relations, *found.absences]
        for text in [*sentences, *(one for region in found.regions for one in as_sentences(region))]:
            verdict = judge(text, facts).verdict
            assert verdict.outcome == "supported", (text, verdict.reason)
            heard += 1
    assert heard > 100


def test_regions_are_few_and_findings_come_first(images: list[Facts]) -> None:
    """Those that are told are those that are drawn."""
    for facts in images:
        found = told(facts)
        drawn = [one.region_id for one in told_regions(facts)]
        assert [one.partition(":")[0] for one in found.regions] == drawn[: len(found.regions)]
        assert len(drawn) <= REGIONS
        assert len(drawn) == len(set(drawn))


def test_units_are_words(images: list[Facts]) -> None:
    """And neither pointers nor numbers without a unit are told."""
    texts = [prompts.of_image(told(facts), "outlines") for facts in images]
    assert any("Hounsfield units" in text for text in texts)
    assert any("square centimetres" in text for text in texts)
    for text in texts:
        assert "/regions/" not in text
        assert not {"mm", "mm²", "cm²", "HU", "px"} & set(text.replace(".", " ").replace(",", " ").split())


def test_what_is_told_is_bounded_whatever_there_is() -> None:
    """Of forty regions, long passages and a label without end, too."""
    for seed in range(60):
        facts = Facts.of(drawn_image(seed))
        long = FoundPassage(
            passage_id="p", title="A mass", text="fat and water " * 5000, reference="-", score=1.0, answers="mass"
        )
        label = facts.grounding.regions[0].model_copy(update={"label": "strange thing " * 500})
        grounding = facts.grounding.model_copy(update={"regions": (label, *facts.grounding.regions[1:])})
        full = Facts(facts.metadata, grounding, (long,) * 9, facts.rows, facts.columns)
        assert pieces(prompts.of_image(told(full), "outlines")) <= 1.2 * PIECES


def test_passages_that_explain_nothing_in_the_image_are_not_told(images: list[Facts]) -> None:
    """Those that explain what it names are, two at most, cut to their first sentences."""
    facts = next(one for one in images if one.regions)

    def passage(n: int, text: str, answers: str | None = "nodule") -> FoundPassage:
        return FoundPassage(
            passage_id=f"p{n}", title=f"Title {n}", text=text, reference="-", score=1.0, answers=answers
        )

    naming = "Of a nodule one thing is known. " + "More is said of it here. " * 40
    others = (passage(8, "Bats fly at night."), passage(9, "Of a nodule much is known.", None))
    passages = (*others, *(passage(n, naming) for n in range(1, 5)))
    found = told(Facts(facts.metadata, facts.grounding, passages, facts.rows, facts.columns)).passages
    assert [title for title, _ in found] == [f"Title {n}" for n in range(1, PASSAGES + 1)]
    assert all(text.startswith("Of a nodule one thing is known. More") for _, text in found)
    assert all(len(text.split()) <= 60 for _, text in found)
