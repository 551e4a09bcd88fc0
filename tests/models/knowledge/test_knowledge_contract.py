"""What every KnowledgeBase must do. To run another implementation through it, add an opener to `OPENERS`."""

import dataclasses
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from models.knowledge import KnowledgeBase, Only, Query, build, open_embedded
from models.knowledge.weaviate import WeaviateKnowledge
from models.knowledge.weaviate import build as build_in_weaviate
from schemas.knowledge import Citation, FoundPassage, Passage
from schemas.weaviate import WeaviateServer


def passage(
    passage_id: str,
    text: str,
    modalities: Sequence[str] = (),
    organs: Sequence[str] = (),
    diseases: Sequence[str] = (),
    citation: Citation | None = None,
) -> Passage:
    return Passage(
        passage_id=passage_id,
        title=passage_id.replace("-", " "),
        text=text,
        reference="A textbook, chapter 1",
        modalities=tuple(modalities),
        organs=tuple(organs),
        diseases=tuple(diseases),
        citation=citation,
    )


PASSAGES = (
    passage("ct-air", "Air-density regions measure about −1000 HU.", ["CT"]),
    passage("ct-liver", "The liver is slightly denser than the spleen.", ["CT"], ["liver", "abdomen"]),
    passage(
        "ct-kidney",
        "Renal cysts have fluid density.",
        ["CT"],
        ["kidney", "abdomen"],
        citation=Citation(source="a-book", section="Kidney › Cysts", start=10, end=41),
    ),
    passage("mr-liver", "The liver is bright on T1-weighted images after contrast.", ["MR"], ["liver", "abdomen"]),
    passage("mr-fluid", "Fluid is hyperintense on T2-weighted images.", ["MR"]),
    passage("mr-stroke", "Stroke is bright on diffusion-weighted images.", ["MR"], ["brain"], ["stroke"]),
    passage("mr-plaque", "Plaques are bright on images of the brain.", ["MR"], ["brain"], ["multiple sclerosis"]),
    passage("twin-b", "Speckle is granular."),
    passage("window", "A window maps values of air, fluid and liver to the display."),
)

Opener = Callable[[Path, Sequence[Passage]], KnowledgeBase]


def open_in_process(folder: Path, passages: Sequence[Passage]) -> KnowledgeBase:
    corpus = folder / "contract.jsonl"
    corpus.write_bytes(b"\n".join(orjson.dumps(each.model_dump(mode="json")) for each in passages))
    return open_embedded(build(corpus, folder))


@pytest.fixture(scope="module")
def open_in_weaviate(request: pytest.FixtureRequest) -> Iterator[Opener]:
    server: WeaviateServer = request.getfixturevalue("weaviate").server
    opened: list[WeaviateKnowledge] = []

    def open_(folder: Path, passages: Sequence[Passage]) -> KnowledgeBase:
        own = dataclasses.replace(server, alias=f"T{uuid.uuid4().hex[:8]}")
        build_in_weaviate(own, "contract", sorted(passages, key=lambda each: each.passage_id))
        opened.append(WeaviateKnowledge(own))
        return opened[-1]()

    yield open_
    for each in opened:
        each.close()


OPENERS = ["embedded", pytest.param("weaviate", marks=pytest.mark.integration)]


@pytest.fixture(scope="module", params=OPENERS)
def opener(request: pytest.FixtureRequest) -> Opener:
    return open_in_process if request.param == "embedded" else request.getfixturevalue("open_in_weaviate")


@pytest.fixture(scope="module")
def knowledge(opener: Opener, tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    return opener(tmp_path_factory.mktemp("contract"), PASSAGES)


def ids(found: Sequence[FoundPassage]) -> list[str]:
    return [each.passage_id for each in found]


def test_best_passage_comes_first_and_whole(knowledge: KnowledgeBase) -> None:
    """The passage that the text speaks of is first, with all its fields, and scores do not rise."""
    found = knowledge.search(Query("renal cyst of fluid density"))
    assert found[0].model_dump(exclude={"score", "answers"}) == PASSAGES[2].model_dump()
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_modality_keeps_fitting_and_general_passages(knowledge: KnowledgeBase) -> None:
    """A modality leaves out the passages of others and keeps those that fit any."""
    found = ids(knowledge.search(Query("air fluid liver", modality="MR", limit=10)))
    assert {"mr-liver", "mr-fluid", "window"} <= set(found)
    assert not [each for each in found if each.startswith("ct-")]


@pytest.mark.parametrize("modality", [None, "unknown", "other"])
def test_unknown_modality_filters_nothing(knowledge: KnowledgeBase, modality: str | None) -> None:
    """Without a known modality passages of all modalities are searched."""
    found = ids(knowledge.search(Query("air fluid liver", modality=modality, limit=10)))  # type: ignore[arg-type]
    assert {"ct-air", "ct-liver", "mr-liver"} <= set(found)


def test_organ_leaves_out_other_organs(knowledge: KnowledgeBase) -> None:
    """An organ leaves out passages of other organs, in any case of letters, and keeps those that fit any."""
    found = ids(knowledge.search(Query("fluid density of liver", modality="CT", organ="Liver", limit=10)))
    assert "ct-liver" in found
    assert "window" in found
    assert "ct-kidney" not in found


def test_organ_without_passages_falls_back(opener: Opener, tmp_path: Path) -> None:
    """Where no passage fits the organ, the modality alone decides."""
    only_organs = opener(tmp_path, [each for each in PASSAGES if each.organs])
    assert "ct-kidney" in ids(only_organs.search(Query("fluid density", modality="CT", organ="knee")))


def test_disease_narrows_where_it_can(knowledge: KnowledgeBase) -> None:
    """A disease leaves out passages of others, in any case of letters; one without passages leaves out nothing."""
    of_stroke = ids(knowledge.search(Query("bright brain images", "MR", "brain", disease="Stroke", limit=10)))
    of_gout = ids(knowledge.search(Query("bright brain images", "MR", "brain", disease="gout", limit=10)))
    assert "mr-stroke" in of_stroke
    assert "mr-plaque" not in of_stroke
    assert "mr-fluid" in of_gout


LABELLED = (
    passage(
        "lateral", "On the lateral view the spine over the lung darkens towards the diaphragm.", ["X-ray"], ["chest"]
    ).model_copy(update={"structures": ("lung",), "kind": "anatomy", "applies_when": ("lateral view",)}),
    passage("lung", "The normal lung is dark with branching vessels.", ["X-ray"], ["chest"]).model_copy(
        update={"structures": ("lung",), "kind": "anatomy"}
    ),
    passage("mass", "A mass in the lung is a round opacity above 3 cm.", ["X-ray"], ["lung"], ["Mass"]).model_copy(
        update={"kind": "appearance"}
    ),
    passage("mass-of-breast", "A mass of the breast is seen in two views.", ["mammography"], ["breast"], ["mass"]),
    passage("mass-anywhere", "A mass is a lesion that takes up space in the lung or elsewhere.", [], [], ["mass"]),
    passage("grid", "A grid keeps scattered photons from the lung and mass.", ["X-ray"]).model_copy(
        update={"kind": "technique"}
    ),
)


@pytest.fixture(scope="module")
def labelled(opener: Opener, tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    return opener(tmp_path_factory.mktemp("labelled"), LABELLED)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query("mass in the lung", "X-ray", only=Only(("mass",), ("lung", "chest"))), {"mass", "mass-anywhere"}),
        (Query("mass in the lung", "X-ray", only=Only(("MASS",), ("knee",))), {"mass-anywhere"}),
        (Query("mass in the lung", None, only=Only(("mass",), ("lung",))), {"mass-anywhere"}),
        (Query("mass in the lung", "other", only=Only(("mass",), ("lung",))), {"mass-anywhere"}),
        (Query("mass in the lung", "X-ray", only=Only(("mass",), ("lung",), kinds=("technique",))), {"mass-anywhere"}),
        (Query("dark lung", "X-ray", only=Only(("lung",), ("chest",))), {"lung"}),
        (Query("dark lung", "X-ray", only=Only(("lung",), ("chest",), frozenset({"frontal view"}))), {"lung"}),
        (
            Query("dark lung", "X-ray", only=Only(("lung",), ("chest",), frozenset({"lateral view", "axial plane"}))),
            {"lung", "lateral"},
        ),
        (Query("lung", "X-ray", only=Only(kinds=("technique",))), {"grid", "mass-anywhere"}),
        (Query("mass in the lung", "X-ray", only=Only(("gout",), ("lung",))), set[str]()),
    ],
)
def test_only_what_fits_is_found(labelled: KnowledgeBase, query: Query, found: set[str]) -> None:
    """Subject, organ, modality, kind and what is presupposed leave out what does not fit, even all there is."""
    assert set(ids(labelled.search(query))) == found


def test_labels_are_kept(labelled: KnowledgeBase) -> None:
    """A passage comes back with all its labels."""
    only = Only(("lung",), ("chest",), frozenset({"lateral view"}))
    by_id = {one.passage_id: one for one in labelled.search(Query("lateral spine", "X-ray", only=only))}
    assert by_id["lateral"].model_dump(exclude={"score", "answers"}) == LABELLED[0].model_dump()


def test_limit_is_the_most(knowledge: KnowledgeBase) -> None:
    """No more passages come back than were asked for."""
    assert len(knowledge.search(Query("air fluid liver", limit=1))) == 1
    assert len(knowledge.search(Query("air fluid liver", limit=2))) == 2


@pytest.mark.parametrize("text", ["", "   ", "qqqq wwww", "。？！", "the of and"])
def test_text_without_known_words_finds_nothing(knowledge: KnowledgeBase, text: str) -> None:
    """Nothing to search for is no error."""
    assert knowledge.search(Query(text)) == ()


@pytest.mark.parametrize(
    "text",
    ['liver" OR "', "liver*", "title:liver", "NEAR(liver, 2)", "liver AND NOT", "-liver ^liver", "li'ver; DROP liver"],
)
def test_query_syntax_is_plain_text(knowledge: KnowledgeBase, text: str) -> None:
    """Operators and quotes of any search language are read as text."""
    assert {"ct-liver", "mr-liver"} & set(ids(knowledge.search(Query(text))))


def test_equal_scores_are_ordered_by_id(opener: Opener, tmp_path: Path) -> None:
    """Passages of equal text keep the order of their ids, whatever their order in the corpus."""
    twins = [
        Passage(passage_id=name, title="Twin", text="Speckle is granular.", reference="A textbook")
        for name in ("c", "a", "b")
    ]
    knowledge = opener(tmp_path, [*twins, PASSAGES[0]])
    assert ids(knowledge.search(Query("speckle")))[:3] == ["a", "b", "c"]


def test_same_search_same_result(opener: Opener, tmp_path: Path) -> None:
    """Two stores of one corpus, in whatever order of lines, share snapshot and results to the last score."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = opener(tmp_path / "one", PASSAGES), opener(tmp_path / "two", PASSAGES[::-1])
    query = Query("liver fluid window", limit=10)
    assert one.snapshot == two.snapshot
    assert one.search(query) == two.search(query)


def test_snapshot_follows_the_passages(opener: Opener, tmp_path: Path) -> None:
    """A change of one field of one passage changes the snapshot, which reads name@digest."""
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
    before = opener(tmp_path / "before", PASSAGES).snapshot
    changed = PASSAGES[0].model_copy(update={"reference": "A textbook, chapter 2"})
    after = opener(tmp_path / "after", (changed, *PASSAGES[1:])).snapshot
    assert before != after
    name, _, digest = before.partition("@")
    assert name
    assert len(digest) >= 16


def test_threads_search_at_once(knowledge: KnowledgeBase) -> None:
    """Searches from many threads give what each gives alone."""
    queries = [Query(f"{text} {number}") for number in range(50) for text in ("air", "liver", "fluid", "speckle")]
    alone = [knowledge.search(query) for query in queries]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(knowledge.search, queries)) == alone


def test_a_single_passage_can_be_searched(opener: Opener, tmp_path: Path) -> None:
    """A corpus of one passage is a corpus."""
    assert ids(opener(tmp_path, PASSAGES[:1]).search(Query("air density"))) == ["ct-air"]


def test_limit_below_one_is_refused() -> None:
    """A query for no passages is a mistake of the caller."""
    with pytest.raises(ValueError, match="at least 1"):
        Query("liver", limit=0)
