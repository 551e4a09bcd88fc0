"""The page of a gallery, opened in Chromium as a reader opens it: as a file, without a server or a network."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, expect
from pydicom.data import get_testdata_file

from infra.cli import main
from infra.gallery import write_gallery
from infra.triplet_lines import triplets_of
from schemas.regions import Landmark
from schemas.triplets import Triplet, Verdict

FILES = ("examples_overlay.dcm", "CT_small.dcm", "RG1_J2KR.dcm", "examples_palette.dcm")
"""MR of the abdomen, CT, a film of the chest, an ultrasound image."""
MARKED = {
    "boxes": [
        {"x": 130, "y": 180, "width": 40, "height": 40, "label": "cyst"},
        {"x": 300, "y": 180, "width": 50, "height": 50, "label": "mass"},
    ]
}
"""What a source marks in the MR image."""
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def triplets(tmp_path_factory: pytest.TempPathFactory) -> list[Triplet]:
    """Of real images, as annotate writes them."""
    folder = tmp_path_factory.mktemp("annotated")
    (folder / "in").mkdir()
    for name in FILES:
        shutil.copy(str(get_testdata_file(name, download=False)), folder / "in" / name)
    (folder / "in" / f"{FILES[0]}.json").write_text(json.dumps(MARKED))
    out = folder / "t.jsonl.zst"
    done = CliRunner().invoke(main, ["annotate", str(folder / "in"), "--triplets", str(out), "--jobs", "1"])
    assert done.exit_code == 0, done.output
    found = [triplet for _, triplet in triplets_of(out) if isinstance(triplet, Triplet)]
    assert [triplet.metadata.modality for triplet in found] == ["CT", "X-ray", "MR", "ultrasound"]
    return found


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a gallery of triplets; the page may ask for files of its folder alone, and no script of it may fail."""
    asked: list[str] = []
    errors: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")

    def open_page(triplets: list[Triplet], *, fragment: str = "", **size: int) -> Page:
        written = write_gallery(enumerate(triplets, 1), [], tmp_path / "gallery")
        assert not written.errors
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        if size:
            page.set_viewport_size({"width": size["width"], "height": size["height"]})
        page.goto(written.page.as_uri() + (f"#{fragment}" if fragment else ""))
        page.wait_for_selector(".description" if fragment else "#cards li")
        return page

    yield open_page
    context.close()
    assert not errors
    assert all(url.startswith((tmp_path / "gallery").as_uri()) for url in asked), asked


def of(triplets: list[Triplet], modality: str) -> Triplet:
    return next(triplet for triplet in triplets if triplet.metadata.modality == modality)


def lit(page: Page, selector: str) -> list[str]:
    """What of a selector is lit up."""
    return page.locator(f"{selector}.lit").all_inner_texts()


def lit_regions(page: Page) -> set[str]:
    """Names of the regions that are lit up in the picture."""
    return set(page.locator("svg .region.lit text").all_text_contents())


def test_a_sentence_lights_up_its_regions_and_no_others(opened: Open, triplets: list[Triplet]) -> None:
    """By a click and by the keyboard; a second time puts them out; what it rests on is told in words."""
    triplet = of(triplets, "MR")
    page = opened(triplets, fragment=triplet.triplet_id)
    regions = triplet.description.regions
    about = {
        statement.text: {
            triplet.regions[int(one.pointer.split("/")[2])].region_id
            for one in statement.evidence
            if one.pointer.startswith("/regions/")
        }
        for statement in regions
    }
    assert len(set(map(frozenset, about.values()))) > 1
    for text, named in about.items():
        sentence = page.locator(".description .sentence", has_text=text)
        sentence.click()
        assert lit_regions(page) == named
        assert lit(page, ".description .sentence") == [text]
        assert {name.split("\n")[0] for name in lit(page, "#regions button")} == named
        assert "label" in page.locator("#about").inner_text()
        assert "/regions" not in page.locator("body").inner_text()
        sentence.focus()
        page.keyboard.press("Enter")
        assert lit_regions(page) == set()
        page.keyboard.press("Space")
        assert lit_regions(page) == named


def test_a_region_lights_up_the_sentences_that_tell_of_it(opened: Open, triplets: list[Triplet]) -> None:
    """By a click in the picture, or on its name; where only its measurements tell of it, they unfold."""
    triplet = of(triplets, "MR")
    page = opened(triplets, fragment=triplet.triplet_id)
    expected = [
        statement.text
        for statement in (triplet.description.organ, *triplet.description.regions, *triplet.description.relations)
        if statement and any(one.pointer.startswith("/regions/0/") for one in statement.evidence)
    ]
    assert expected
    name = triplet.regions[0].region_id
    tag = page.locator("svg .region text", has_text=name).first.bounding_box()
    assert tag is not None
    page.mouse.click(tag["x"] + tag["width"] / 2, tag["y"] + tag["height"] / 2)
    assert lit_regions(page) == {name}
    assert sorted(lit(page, ".description .sentence")) == sorted(expected)
    page.keyboard.press("Escape")
    assert lit_regions(page) == set()
    page.locator("#regions button", has_text=name).first.click()
    assert sorted(lit(page, ".description .sentence")) == sorted(expected)

    film = of(triplets, "X-ray")
    described = film.description.model_copy(
        update={"regions": (), "texture": (), "organ": None, "description": "A film."}
    )
    page = opened([film.model_copy(update={"description": described})], fragment=film.triplet_id)
    measured = next(one for one in film.description.measurements)
    named = film.regions[int(measured.evidence[0].pointer.split("/")[2])].region_id
    expect(page.locator("details", has_text="Measurements")).not_to_have_attribute("open", "")
    page.locator("#regions button", has_text=named).first.click()
    assert lit(page, "details .sentence") == [measured.text]
    expect(page.locator("details .sentence.lit")).to_be_visible()


def test_each_told_region_has_its_colour(opened: Open, triplets: list[Triplet]) -> None:
    """In the picture, beside its name, and under its sentences; caption and description stand before all else."""
    triplet = of(triplets, "MR")
    page = opened(triplets, fragment=triplet.triplet_id)
    strokes = page.eval_on_selector_all("svg .region path", "all => all.map(one => getComputedStyle(one).stroke)")
    swatches = page.eval_on_selector_all(
        "#regions .swatch", "all => all.map(one => getComputedStyle(one).backgroundColor)"
    )
    assert len(strokes) == len(triplet.regions) == 12
    assert len(set(strokes)) == len(set(swatches)) == 12
    assert set(strokes) == set(swatches)
    text = page.locator(".read").inner_text()
    assert triplet.description.caption is not None
    assert -1 < text.index(triplet.description.caption.text) < text.index(triplet.description.description)
    assert text.index(triplet.description.description) < text.index("Measurements")
    assert triplet.description.measurements[0].text not in text  # Folded.


def test_masked_boxes_and_their_share_are_shown(opened: Open, triplets: list[Triplet]) -> None:
    """Over the picture, where they lie in it; all marks can be hidden."""
    triplet = of(triplets, "MR")
    cleaning = {
        "scanned": True, "reason": "declared", "policy": "mask", "masked_share": 0.012,
        "boxes": [{"left": 48, "top": 30, "right": 145, "bottom": 60, "score": 0.9}],
    }  # fmt: skip
    metadata = type(triplet.metadata).model_validate(triplet.metadata.model_dump() | {"pixel_cleaning": cleaning})
    page = opened([triplet.model_copy(update={"metadata": metadata})], fragment=triplet.triplet_id)
    assert "1.2 % of the pixels, 1 box of text" in page.locator("figcaption").inner_text()
    picture, box = page.locator("svg image").bounding_box(), page.locator("svg .masked").bounding_box()
    assert picture is not None
    assert box is not None
    assert (box["x"] - picture["x"]) / picture["width"] == pytest.approx(48 / 484, abs=0.01)
    assert box["width"] / picture["width"] == pytest.approx(97 / 484, abs=0.01)
    assert (box["y"] - picture["y"]) / picture["height"] == pytest.approx(0.1, abs=0.01)
    page.locator("#marks").click()
    expect(page.locator("svg .masked")).to_be_hidden()
    expect(page.locator("svg .region").first).to_be_hidden()


def test_filters_leave_what_they_name(opened: Open, triplets: list[Triplet]) -> None:
    """Modality, organ, disease and verdict together, with their numbers; and words of the text."""
    doubted = of(triplets, "CT").description.modality.model_copy(update={"verdict": Verdict(outcome="contradicted")})
    changed = [
        triplet.model_copy(
            update={
                "metadata": triplet.metadata.model_copy(update={"disease": "glioma"}),
                "description": triplet.description.model_copy(update={"modality": doubted}),
            }
        )
        if triplet.metadata.modality == "CT"
        else triplet
        for triplet in triplets
    ]
    page = opened(changed)
    titles = page.locator("#cards .title")
    assert titles.all_inner_texts() == ["CT", "X-ray, chest", "MR, abdomen", "ultrasound"]
    page.locator("select[name=organ]").select_option("chest")
    assert titles.all_inner_texts() == ["X-ray, chest"]
    assert page.locator("select[name=modality] option").all_inner_texts() == ["all", "X-ray (1)"]
    assert page.locator("#count").inner_text() == "1 of 4 triplets"
    page.locator("select[name=organ]").select_option("")
    for name, value in (("disease", "glioma"), ("verdict", "contradicted"), ("modality", "CT")):
        page.locator(f"select[name={name}]").select_option(value)
        assert titles.all_inner_texts() == ["CT"], name
        page.locator(f"select[name={name}]").select_option("")
    page.locator("#search").fill("ABDOMEN cystic")
    assert titles.all_inner_texts() == ["MR, abdomen"]
    page.locator("#search").fill("nothing of it")
    expect(page.locator("#cards .empty")).to_be_visible()


def test_the_keyboard_goes_through_what_the_filters_leave(opened: Open, triplets: list[Triplet]) -> None:
    """Enter opens, arrows go on and back, Escape leads back to the card; so does the browser's own way back."""
    page = opened(triplets)
    page.locator("#cards a").nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#position")).to_have_text("2 of 4")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#position")).to_have_text("3 of 4")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#position")).to_have_text("1 of 4")
    page.keyboard.press("Escape")
    expect(page.locator("#gallery")).to_be_visible()
    assert page.evaluate("document.activeElement.hash") == f"#{triplets[0].triplet_id}"
    page.go_back()
    expect(page.locator("#detail")).to_be_visible()


def test_a_small_screen_needs_no_sideways_scrolling(opened: Open, triplets: list[Triplet]) -> None:
    """And the picture stays in sight while the text is read."""
    page = opened(triplets, width=360, height=640)
    sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(sideways) == 0
    page.locator("#cards a").nth(2).click()
    page.wait_for_selector(".description")
    assert page.evaluate(sideways) == 0
    page.locator(".description .sentence").last.scroll_into_view_if_needed()
    page.locator(".description .sentence").last.click()
    picture = page.locator("figure").bounding_box()
    assert picture is not None
    assert -1 <= picture["y"] < 640 / 2
    assert picture["height"] < 640 * 0.62


def test_text_of_triplets_stays_text(opened: Open, triplets: list[Triplet]) -> None:
    """Whatever stands in any of their texts, nothing of it is run, loaded or read as HTML."""
    hostile = (
        "</script><script>window.taken = 1</script><img src=//x.example onerror='window.taken=1'>\"'&#39;\u2028`${1}"
    )
    plain = of(triplets, "MR").model_dump(mode="json")

    def spoiled(node: Any, *path: str) -> Any:
        if isinstance(node, dict):
            return {key: spoiled(value, *path, key) for key, value in node.items()}
        if isinstance(node, list):
            return [spoiled(value, *path) for value in node]
        return hostile if isinstance(node, str) and path[-1] in SPOILED and "size" not in path else node

    triplet = Triplet.model_validate(spoiled(plain))
    page = opened([triplet])
    assert page.locator("#cards .told").text_content() == hostile
    page.locator("#cards a").click()
    page.wait_for_selector(".description")
    for summary in page.locator("summary").all():
        summary.click()
    for button in page.locator("#regions button, .sentence").all():
        button.click()
    assert page.locator(".caption .sentence").text_content() == hostile
    assert page.evaluate("typeof window.taken") == "undefined"
    assert page.locator("img:visible, script:not([src])").count() == 0


SPOILED = {
    "text", "description", "label", "phrase", "position", "rule", "expert", "word", "organ", "disease", "value",
    "title", "reference", "unit", "preprocess", "grounding", "experts", "knowledge", "describer", "author", "view",
}  # fmt: skip
"""Fields of a triplet that may hold any text."""


def test_a_thousand_triplets_open_at_once(opened: Open, triplets: list[Triplet], tmp_path: Path) -> None:
    """Within 3 s, with at most 15 MB of page; pictures of what is not in sight are not loaded yet."""
    kinds = [of(triplets, name) for name in ("CT", "MR", "ultrasound", "CT")]
    many = [kinds[number % 4].model_copy(update={"triplet_id": f"{number:032x}"}) for number in range(1000)]
    page = opened(many)
    folder = tmp_path / "gallery"
    assert (
        sum((folder / name).stat().st_size for name in ("index.html", "gallery.css", "gallery.js", "cards.js")) < 15e6
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    times: list[float] = []
    for _ in range(3):
        asked.clear()
        page.reload()
        page.wait_for_function("[...document.images].some((one) => one.complete && one.naturalWidth > 0)")
        times.append(page.evaluate("performance.now()") / 1000)
    assert min(times) < 3, times
    assert page.locator("#heading").inner_text() == "1,000 image–ROI–description triplets"
    assert not [url for url in asked if "/pictures/" in url or "/details/" in url]
    assert len([url for url in asked if "/thumbnails/" in url]) < 200
    page.locator("select[name=modality]").select_option("MR")
    assert page.locator("#count").inner_text() == "250 of 1,000 triplets"
    for _ in range(10):
        page.mouse.wheel(0, 20_000)
        page.wait_for_timeout(100)
    expect(page.locator("#cards li")).to_have_count(250)


def test_landmarks_are_crosses_that_tell_their_name(opened: Open, triplets: list[Triplet]) -> None:
    """Where they lie in the picture, each with its label."""
    film = of(triplets, "X-ray")
    point = Landmark(label="carina", expert="points@1", x=film.image.columns / 2, y=film.image.rows / 4)
    page = opened([film.model_copy(update={"landmarks": (point,)})], fragment=film.triplet_id)
    cross = page.locator("svg .point")
    assert cross.locator("title").text_content() == "carina"
    seen, whole = (one.bounding_box() for one in (cross.locator("path"), page.locator(".well svg")))
    assert seen is not None
    assert whole is not None
    assert (seen["x"] + seen["width"] / 2 - whole["x"]) / whole["width"] == pytest.approx(0.5, abs=0.02)
    assert (seen["y"] + seen["height"] / 2 - whole["y"]) / whole["height"] == pytest.approx(0.25, abs=0.02)
