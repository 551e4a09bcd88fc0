"""The describer on SGLang, against a small server of the same wire: what it asks and keeps."""

# pyright: reportPrivateUsage=false

import base64
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from sglang_wire import SERVING, Server, answer, describer, image, mended, replaced, triplet

from models.describers import Composer, choosing, sglang, view
from models.describers.prompts import told
from models.describers.sglang import prompt_of
from schemas.triplets import Statement, Triplet


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between retries."""
    monkeypatch.setattr("models.describers.served.FIRST_PAUSE", 0.0)


async def test_what_is_right_is_kept_under_the_models_name() -> None:
    """With its evidence and its verdict, and one request is enough."""
    right = answer(organ=["A CT image of the left knee."])
    server = Server(right)
    made, counts = await triplet(server, organ="knee", laterality="left")
    organ = made.description.organ
    assert organ is not None
    assert (organ.text, organ.author) == ("A CT image of the left knee.", "test/vlm@1")
    assert organ.verdict is not None
    assert organ.verdict.outcome == "supported"
    assert [item.value for item in organ.evidence] == ["CT", "knee", "left"]
    assert made.description.removed == ()
    assert (made.lineage.describer, made.lineage.prompt) == ("test/vlm@1", prompt_of(SERVING))
    assert len(server.asked) == 1
    assert counts.counted["supported"] == 2
    assert (counts.counted["prompt"], counts.counted["cached"], counts.counted["completion"]) == (100, 80, 10)


async def test_what_is_said_again_counts_once() -> None:
    """In whichever part, and in what comes back mended: else who repeats one true word is right all the time."""
    shown = "The knee is shown."
    again = answer(
        "This is a CT image.", organ=[shown, "A knee is shown"], regions=[shown, "A feathery knee is shown."]
    )
    made, counts = await triplet(Server(again, mended("A knee is shown.")), organ="knee")
    assert made.description.organ is not None
    assert made.description.description.lower().count("the knee is shown.") == 1
    assert (counts.counted["first supported"], counts.counted["first unsupported"]) == (2, 1)
    assert counts.counted["supported"] == 2
    assert made.description.removed == ()


async def test_a_bare_name_is_no_sentence() -> None:
    """It is sent back, counts as unsupported, and the composer's sentence stands in its place."""
    server = Server(answer("CT", organ=["Knee."], regions=["The knee"]), mended("A CT image of the knee.", "knee"))
    made, counts = await triplet(server, organ="knee")
    assert "names something and says nothing" in server.asked[1]["messages"][-1]["content"]
    assert (counts.counted["first supported"], counts.counted["first unsupported"]) == (0, 2)
    assert [one.verdict.outcome for one in made.description.removed] == ["unsupported"]
    assert made.description.modality.text == "A CT image of the knee."


async def test_parts_that_the_model_left_open_are_the_composers_and_say_so() -> None:
    """A template is never presented as the model's finding."""
    made, _ = await triplet(Server(answer()), disease="osteoarthritis")
    d = made.description
    assert d.modality.author == "test/vlm@1"
    assert d.caption is not None
    assert "osteoarthritis" in d.caption.text
    for statement in (d.caption, *d.regions, *d.texture, *d.relations, *d.context, *d.measurements):
        assert statement.author == Composer.name
        assert statement.verdict is not None
        assert statement.verdict.outcome == "supported"


async def test_what_is_refused_is_sent_back_once_with_the_claim_that_failed() -> None:
    """Only that, and the mended sentence stands where it stood; the others are kept as they were."""
    wrong = answer("This is an MR image.", organ=["A feathery knee is shown.", "The left knee is shown."])
    server = Server(wrong, mended("This is a CT image.", ""))
    made, counts = await triplet(server, organ="knee", laterality="left")
    d = made.description
    assert d.organ is not None
    assert [(one.text, one.author) for one in (d.modality, d.organ)] == [
        ("This is a CT image.", "test/vlm@1"), ("The left knee is shown.", "test/vlm@1")
    ]  # fmt: skip
    first, second = (asked["messages"] for asked in server.asked)
    assert second[:2] == first, "what was asked before is in the prefix cache"
    assert second[2]["role"] == "assistant"
    told = second[3]["content"]
    assert "1. “This is an MR image.”\n   - modality: MR: the modality is CT" in told
    assert "2. “A feathery knee is shown.”\n   - nothing given backs the words: feathery" in told
    assert "left knee" not in told
    schema = server.asked[1]["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["sentences"]["minItems"] == schema["properties"]["sentences"]["maxItems"] == 2
    assert counts.counted["correction"] == 1
    outcomes = (
        "first supported",
        "first unsupported",
        "first contradicted",
        "supported",
        "unsupported",
        "contradicted",
    )
    assert [counts.counted[one] for one in outcomes] == [1, 1, 1, 2, 0, 0]


@pytest.mark.parametrize("reply", [("no JSON", "stop"), mended(), mended("One.", "Two.", "Three.")])
async def test_a_correction_that_cannot_be_read_changes_nothing(reply: Any) -> None:
    """Cut off, or of a server without a grammar: what was refused stays refused, what was kept is kept."""
    made, _ = await triplet(Server(answer(texture=["A tumour is seen."]), reply))
    assert made.description.modality.author == "test/vlm@1"
    assert [one.part for one in made.description.removed] == ["texture"]


@pytest.mark.parametrize("policy", ["remove", "mark"])
async def test_what_stays_false_is_removed_or_marked(policy: str) -> None:
    """By policy; what was removed leaves its part and verdict, and none of its words."""
    wrong = answer("An MR image of DOE^JOHN.")
    server = Server(wrong, mended("An MR image of DOE^JOHN."))
    made, counts = await triplet(server, replaced(unsupported=policy))
    modality, removed = made.description.modality, made.description.removed
    if policy == "mark":
        assert (modality.text, modality.author, removed) == ("An MR image of DOE^JOHN.", "test/vlm@1", ())
        assert modality.verdict is not None
        assert modality.verdict.outcome == "contradicted"
        return
    assert modality.author == Composer.name
    (one,) = removed
    assert (one.part, one.author, one.verdict.outcome) == ("modality", "test/vlm@1", "contradicted")
    assert "DOE" not in made.model_dump_json()
    assert counts.counted["contradicted"] == 1


async def test_a_statement_that_was_held_against_nothing_is_not_even_marked() -> None:
    """There is nothing that a reader could look at."""
    lost = answer(regions=["Region r40 is bright."])
    made, _ = await triplet(Server(lost, mended("Region r40 is bright.")), replaced(unsupported="mark"))
    assert [one.part for one in made.description.removed] == ["regions"]


@pytest.mark.parametrize("text", ['{"modality": ["This is', "no JSON", "{}"])
async def test_an_answer_that_cannot_be_read_leaves_the_composers_description(text: str) -> None:
    """Cut off at the most tokens, or of a server without a grammar."""
    made, _ = await triplet(Server((text, "length")))
    d = made.description
    assert {d.modality.author, *(statement.author for statement in d.regions)} == {Composer.name}


async def test_the_request_holds_the_image_and_a_stable_prefix() -> None:
    """System message first and the same for every image; picture as PNG; schema, temperature, seed, most tokens."""
    server = Server(answer())
    writer, _ = describer(server)
    await writer.describe(image())
    await writer.describe(image(disease="osteoarthritis"))
    one, other = server.asked
    assert one["messages"][0] == other["messages"][0]
    assert one["messages"][0]["content"].endswith("}")
    assert one["messages"][1] != other["messages"][1]
    picture, text = one["messages"][1]["content"]
    assert base64.b64decode(picture["image_url"]["url"].removeprefix("data:image/png;base64,")).startswith(b"\x89PNG")
    assert text["text"].endswith("No region is outlined.")
    assert (one["temperature"], one["seed"], one["max_tokens"], one["model"]) == (0, 0, 2048, "test/vlm")
    assert one["response_format"]["json_schema"]["schema"]["title"] == "Answer"
    assert server.keys == {"Bearer hidden"}


@pytest.mark.parametrize("change", [{"shown": "crops"}, {"unsupported": "mark"}, {"max_tokens": 100}, {"seed": 1}])
def test_what_decides_the_description_is_in_the_prompts_version(change: dict[str, Any]) -> None:
    """And what does not, is not."""
    assert prompt_of(replaced(**change)) != prompt_of(SERVING)
    assert prompt_of(replaced(deadline=60, concurrency=2, api_key=None)) == prompt_of(SERVING)


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [(view, "LONGEST", 512), (view, "COLOURS", ((1, 2, 3),)), (told, "RELATIONS", 1), (told, "ASPECTS", ("shape",)),
     (told, "PASSAGE_WORDS", 9), (choosing, "MOST_FINDINGS", 2)],
)  # fmt: skip
def test_what_decides_the_prompt_is_in_its_version(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, value: Any
) -> None:
    """What is told, and how it is drawn."""
    before = prompt_of(SERVING)
    monkeypatch.setattr(module, name, value)
    assert prompt_of(SERVING) != before


async def test_the_event_loop_is_never_held_up() -> None:
    """While a describer draws, writes and reads, others go on: none of that is done in the loop's own thread."""
    threads = set[int]()
    with pytest.MonkeyPatch.context() as patched:
        for module, name in ((sglang, "picture"), (sglang, "told"), (sglang, "judge"), (sglang, "compose")):
            seen = getattr(module, name)

            def noted(*args: Any, seen: Any = seen, **named: Any) -> Any:
                threads.add(threading.get_ident())
                return seen(*args, **named)

            patched.setattr(module, name, noted)
        await triplet(Server(answer("An MR image."), mended("A CT image.")), organ="knee")
    assert threads
    assert threading.get_ident() not in threads


def statements(made: Triplet, author: Callable[[Statement], bool] = bool) -> list[Statement]:
    d = made.description
    return [one for one in (d.modality, *d.regions, *d.texture, *d.relations, *d.context) if author(one)]


async def test_the_description_is_the_text_of_its_statements() -> None:
    """Whoever wrote them."""
    made, _ = await triplet(Server(answer(texture=["The image is a CT scan."])))
    assert made.description.description == " ".join(one.text for one in statements(made))
