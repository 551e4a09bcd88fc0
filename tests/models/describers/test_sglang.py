"""The describer on SGLang, against a small server of the same wire: what it asks, keeps, and does on failure."""

# pyright: reportPrivateUsage=false

import base64
import threading
from collections import Counter
from collections.abc import Callable
from types import ModuleType
from typing import Any

import httpx
import numpy as np
import orjson
import pytest
from drawn_images import plain_image

from models.describers import Composer, choosing, make_triplet, sglang, view
from models.describers.prompts import told
from models.describers.served import RequestRefused, ServerFailed
from models.describers.settings import Serving
from models.describers.sglang import SglangDescriber, prompt_of
from models.imaging.png import encode_png
from schemas.failures import Unavailable
from schemas.images import Pixels
from schemas.knowledge import EnrichedImage
from schemas.triplets import Statement, Triplet

SERVING = Serving("http://sglang", "test/vlm@1", api_key="hidden", deadline=5, retries=2)


def image(**metadata: Any) -> EnrichedImage:
    """A CT image of 30 × 20 px in which nothing is outlined."""
    grey = np.arange(600, dtype=np.uint8).reshape(20, 30)
    view = Pixels(
        rows=20, columns=30, channels=1, bits=8, unit="grey level", data=base64.b64encode(encode_png(grey)).decode()
    )
    return plain_image(**metadata).model_copy(update={"view": view})


def answer(modality: str = "This is a CT image.", **parts: list[str]) -> dict[str, Any]:
    return {"modality": [modality], "organ": [], "regions": [], "texture": [], "relations": []} | parts


def mended(*sentences: str) -> dict[str, Any]:
    return {"sentences": sentences}


class Counts:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self.bounds: list[int] = []

    def tokens(self, prompt: int, cached: int, completion: int) -> None:
        self.counted.update(prompt=prompt, cached=cached, completion=completion)

    def retried(self, reason: str) -> None:
        self.counted[reason] += 1

    def drafted(self, outcome: str) -> None:
        self.counted[f"first {outcome}"] += 1

    def verdict(self, outcome: str) -> None:
        self.counted[outcome] += 1

    def allowed(self, requests: int) -> None:
        self.bounds.append(requests)


class Server:
    """Answers as SGLang does: each reply in turn, the last one for ever; an int is a status, a dict an answer."""

    def __init__(self, *replies: Any) -> None:
        self.replies, self.asked = list(replies), list[dict[str, Any]]()
        self.keys = set[str]()
        self.model, self.queue, self.healthy = "test/vlm", 0.0, True

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.keys.add(request.headers.get("authorization", ""))
        match request.url.path:
            case "/v1/models":
                return httpx.Response(200, json={"data": [{"id": self.model}]})
            case "/metrics":
                text = f'# HELP x\nsglang:num_queue_reqs{{tp_rank="0"}} {self.queue}\nsglang:token_usage 0.5\n'
                return httpx.Response(200, text=text)
            case "/health":
                return httpx.Response(200 if self.healthy else 503)
            case _:
                self.asked.append(orjson.loads(request.content))
                return self._reply(self.replies.pop(0) if len(self.replies) > 1 else self.replies[0])

    def _reply(self, reply: Any) -> httpx.Response:
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, int):
            return httpx.Response(reply, json={"message": "DOE^JOHN"})
        if isinstance(reply, bytes):
            return httpx.Response(200, content=reply)
        if isinstance(reply, str):
            return httpx.Response(400, json={"message": f"DOE^JOHN {reply}"})
        content, reason = reply if isinstance(reply, tuple) else (orjson.dumps(reply).decode(), "stop")
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 80}}
        return httpx.Response(
            200, json={"choices": [{"message": {"content": content}, "finish_reason": reason}], "usage": usage}
        )


def describer(server: Server, serving: Serving = SERVING) -> tuple[SglangDescriber, Counts]:
    counts = Counts()
    return SglangDescriber(serving, observer=counts, transport=httpx.MockTransport(server)), counts


async def triplet(server: Server, serving: Serving = SERVING, **metadata: Any) -> tuple[Triplet, Counts]:
    writer, counts = describer(server, serving)
    seen = image(**metadata)
    return make_triplet(seen, await writer.describe(seen), writer), counts


def replaced(**changes: Any) -> Serving:
    return Serving(**{name: getattr(SERVING, name) for name in Serving.__dataclass_fields__} | changes)


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


@pytest.mark.parametrize("status", [429, 503])
async def test_a_full_queue_is_tried_again_with_fewer_at_once(status: int) -> None:
    """And nothing is lost."""
    server = Server(answer())
    writer, counts = describer(server)
    writer._server.concurrency._allowed = before = 8
    server.replies = [status, answer()]
    await writer.describe(image())
    assert counts.counted["overloaded"] == 1
    assert counts.bounds == [before // 2, before // 2]


async def test_a_queue_that_the_server_reports_makes_it_fewer() -> None:
    """Before any request is refused."""
    server = Server(answer())
    writer, _ = describer(server)
    writer._server.concurrency._allowed = before = 8
    server.queue = 50.0
    await writer.describe(image())
    assert writer.allowed == before // 2


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (503, "its queue is full"),
        (429, "its queue is full"),
        (401, "TRISTREAM_SGLANG_API_KEY"),
        (404, "no model server at TRISTREAM_SGLANG_URL"),
        (502, "no model server at TRISTREAM_SGLANG_URL"),
        (httpx.ConnectError("refused"), "does not answer: ConnectError"),
        (httpx.ReadError("cut"), "does not answer: ReadError"),
        (httpx.ReadTimeout("slow"), "did not answer within 5 s"),
        (("", "abort"), "its queue is full"),
        (b"<html><body>Sign in</body></html>", "that is ready"),
        (b"", "that is ready"),
        (b"null", "that is ready"),
        (b'{"choices": []}', "that is ready"),
        (b'{"choices": [{"finish_reason": "stop"}]}', "that is ready"),
        (b'{"error": "DOE^JOHN"}', "that is ready"),
    ],
)
async def test_a_server_that_is_away_makes_the_stage_wait(reply: Any, words: str) -> None:
    """Unavailable, with the reason; never an error of the image."""
    with pytest.raises(Unavailable, match=words):
        await triplet(Server(reply))


@pytest.mark.parametrize("page", [b"<html>Sign in</html>", b"", b'{"data": [1]}', b"[]"])
async def test_a_page_in_place_of_the_models_makes_the_stage_wait(page: bytes) -> None:
    """A proxy that answers for a server which is not there; and once that is there, it is asked again."""
    server = Server(answer())
    away = httpx.MockTransport(
        lambda request: httpx.Response(200, content=page) if request.url.path == "/v1/models" else server(request)
    )
    writer = SglangDescriber(SERVING, observer=Counts(), transport=away)
    with pytest.raises(Unavailable, match="that is ready"):
        await writer.describe(image())
    assert server.asked == []


async def test_another_model_than_the_lineage_would_say_is_not_asked() -> None:
    """The stage waits until one of the two is mended."""
    server = Server(answer())
    server.model = "other/vlm"
    with pytest.raises(Unavailable, match="another model"):
        await triplet(server)
    assert server.asked == []


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("The input (9000 tokens) is longer than the model's context length (8192 tokens).", "--context-length"),
        ("Requested token count exceeds the model's maximum context length of 8192 tokens.", "--context-length"),
        ("Input length (9000 tokens) exceeds the maximum allowed length (8186 tokens).", "--context-length"),
        ("max_completion_tokens is too large: 100000.This model supports at most 16384 tokens", "--context-length"),
        (400, "HTTP 400"),
        (422, "HTTP 422"),
    ],
)
async def test_a_refusal_is_the_images_own(reply: Any, words: str) -> None:
    """At once, and in our words: the server's may quote the request."""
    server = Server(reply)
    with pytest.raises(RequestRefused, match=words) as caught:
        await triplet(server)
    assert len(server.asked) == 1
    assert "DOE" not in str(caught.value)


async def test_an_image_on_which_a_healthy_server_fails_is_a_dead_letter() -> None:
    """When it was tried as often as the budget allows; a server that is not well makes the stage wait."""
    server = Server(500)
    with pytest.raises(ServerFailed):
        await triplet(server)
    assert len(server.asked) == SERVING.retries + 1
    server.healthy = False
    with pytest.raises(Unavailable):
        await triplet(server)


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
