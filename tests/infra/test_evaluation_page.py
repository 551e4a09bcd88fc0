"""The page of an evaluation, opened in Chromium as a reader opens it: as a file, without a network."""

import asyncio
import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from models.llava_tri.evaluation.answering import Blind
from models.llava_tri.evaluation.audit import Leakage
from models.llava_tri.evaluation.evaluating import evaluate
from models.llava_tri.evaluation.page import page
from models.llava_tri.evaluation.questions import Benchmark, Question

ODD = '<script>document.title = "taken"</script> & <b>bold</b>'


@pytest.fixture(scope="module")
def written() -> str:
    """The page of one who answers all rightly. Made before the browser, which has a loop of its own."""
    asked = benchmark()
    rule = Blind("right@1", lambda one: {q.id: q.answers[0] or "[0, 0, 0.5, 0.5]" for q in one.questions})
    return page(asyncio.run(evaluate(asked, rule, Leakage({}, 0, 12, ()))), asked)


def picture(key: str) -> bytes:
    """A plain one."""
    out = io.BytesIO()
    Image.new("RGB", (300, 200), (int(key) * 7, 90, 120)).save(out, "PNG")
    return out.getvalue()


def benchmark() -> Benchmark:
    """Of every kind of question."""
    asked = [Question(f"c{n}", (str(n),), f"Is it {ODD}?", ("yes",), "closed", ("yes", "no")) for n in range(12)]
    asked += [Question(f"o{n}", (str(n),), "What?", (ODD,), "open", organ="chest") for n in range(12)]
    asked += [Question(f"t{n}", (str(n),), "Describe it.", ("a caption of it",), "text") for n in range(12)]
    asked += [
        Question(f"k{n}", (str(n),), "Which?", ("mr",), "class", ("ct", "mr"), topic="modality") for n in range(12)
    ]
    asked += [Question(f"b{n}", (str(n),), "Where?", ("",), "box", box=(0, 0, 0.5, 0.5)) for n in range(12)]
    return Benchmark("Odd <i>set</i>", "test", asked, picture)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_stands_by_itself(written: str, browser: Browser, tmp_path: Path, scheme: str) -> None:
    """It asks for nothing, runs nothing, and text of a benchmark stays text; narrow screens do not scroll sideways."""
    file = tmp_path / "index.html"
    file.write_text(written, encoding="utf-8")
    requests: list[str] = []
    for width in (1280, 400):
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})  # pyright: ignore[reportArgumentType]
        shown = context.new_page()
        shown.on("request", lambda request: requests.append(request.url))
        shown.goto(file.as_uri())
        expect(shown.locator("#shown")).to_have_text("not shown")
        expect(shown.locator("#audit-mark")).to_have_text("not audited: no figure here may be called clean")
        expect(shown.locator("h1")).to_have_text("right@1 on Odd <i>set</i>, test")
        assert shown.title() == "right@1 on Odd <i>set</i>"
        assert shown.locator("section.card h3").count() == 5
        loaded = "images => images.every(one => one.naturalWidth > 0)"
        assert shown.locator(".examples img").evaluate_all(loaded)
        assert shown.locator(".examples img").count() >= 6
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        expect(shown.locator("figcaption").first).to_contain_text("<script>")
        context.close()
    assert {url.partition(":")[0] for url in requests} <= {"file", "data"}
