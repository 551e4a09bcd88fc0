"""Lines of text are found, read, and masked tightly; what is no text is left."""

import itertools

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from benchmarks import burned_text
from benchmarks.burned_text import FONTS, STYLES, Font, Style, burn, made_up
from benchmarks.text_free import of_packages, view_of
from models.imaging.text import choice, find_text, proof, reader, search
from models.imaging.text.areas import areas_of
from models.imaging.text.boxes import Box, beside, painted
from models.imaging.text.choice import Candidate, Reader, spans
from models.imaging.text.ends import ends_of, turned
from models.imaging.text.proof import Proof, proved
from models.imaging.text.reader import Reading
from models.imaging.text.signs import Middle, may_be_signs
from models.imaging.text.stacks import stacks_in
from models.imaging.text.strokes import Picture
from tests.models.imaging.samples import characters_covered, characters_shown

BACKGROUNDS = [image for _, image in made_up(3, 256, 352)]


def test_text_is_found_in_all_styles_and_sizes() -> None:
    """At least 99 of 100 characters, 8 to 48 px high, upright and turned, over tissue, speckle, white and black."""
    found = visible = 0
    for number, (style, size) in enumerate(itertools.product(STYLES, (8, 12, 16, 24, 32, 48))):
        background, font = BACKGROUNDS[number % len(BACKGROUNDS)], FONTS[number % len(FONTS)]
        burned = burn(background, number, size=size, style=style, font=font, turned=number % 4 == 0)
        characters = characters_shown(burned.image, background, burned.labels)
        mask = painted(find_text(burned.image).boxes, background.shape)
        visible += len(characters)
        found += len(characters & characters_covered(mask, burned.labels))
    assert visible > 600
    assert found / visible >= 0.99


@pytest.mark.parametrize(("name", "view"), list(of_packages()), ids=[name for name, _ in of_packages()])
def test_real_images_without_text_stay_whole(name: str, view: np.ndarray) -> None:
    """Kidneys, bone, vessels, cells, perfusion, test patterns: nothing of them is read."""
    assert find_text(view).boxes == (), name


def test_the_mask_is_tight() -> None:
    """Of a line 16 px high, less than its height beyond its glyphs on any side."""
    burned = burn(BACKGROUNDS[4], 5, size=16, style="white", font="aileron", count=1)
    rows, columns = np.nonzero(burned.labels)
    mask = painted(find_text(burned.image).boxes, burned.labels.shape)
    masked_rows, masked_columns = np.nonzero(mask)
    for ink, hidden in ((rows, masked_rows), (columns, masked_columns)):
        assert ink.min() - 12 <= hidden.min() <= ink.min()
        assert ink.max() <= hidden.max() <= ink.max() + 12


def test_a_marker_of_one_letter_is_masked() -> None:
    """The R of a film, and nothing of the leg beside it."""
    view = view_of("RG3_J2KR.dcm")
    found = find_text(view).boxes
    assert len(found) == 1
    box = found[0]
    assert box.left < 1205 < box.right
    assert box.top < 1450 < box.bottom
    assert (box.right - box.left) * (box.bottom - box.top) < 0.01 * view.size


@pytest.mark.parametrize(("number", "style", "size"), [(15, "grey", 48), (18, "colour", 16), (24, "colour", 48)])
def test_both_initials_are_masked(monkeypatch: pytest.MonkeyPatch, number: int, style: Style, size: int) -> None:
    """Far apart, and where one is told by the other that is read beside it; turned too."""
    monkeypatch.setattr(burned_text, "TEXTS", ("J. D.",))
    background = BACKGROUNDS[number % len(BACKGROUNDS)]
    burned = burn(background, number, size=size, style=style, font="bitmap", turned=number % 4 == 0, count=1)
    mask = painted(find_text(burned.image).boxes, background.shape)
    assert {1, 3} <= characters_covered(mask, burned.labels)


def test_lines_beneath_each_other_on_a_small_screen_are_each_masked() -> None:
    """The settings of an echo of 320 × 240 px: dim letters of 6 px, which the finder takes for one block."""
    boxes = find_text(view_of("examples_ybr_color.dcm")).boxes
    mask = painted(boxes, (240, 320))
    for line in (np.s_[15:21, 303:316], np.s_[24:31, 303:315], np.s_[63:69, 306:314], np.s_[71:78, 304:316],
                 np.s_[82:88, 304:316], np.s_[90:96, 304:316]):  # fmt: skip
        assert mask[line].all(), line
    assert not mask[40:215, 60:280].any(), "the heart"


@pytest.mark.parametrize("dark", [False, True])
def test_a_dim_column_of_short_lines_is_masked(dark: bool) -> None:
    """Letters 7 px high, 2 px between the lines, 100 of 255 from what is behind them; no box where no line is."""
    image = np.zeros((240, 320), np.uint8)
    face = ImageFont.load_default(10)
    canvas = Image.fromarray(image)
    for number, text in enumerate(("Vol 7", "P21", "MI 0.9", "TIS", "Gen", "3.5M")):
        ImageDraw.Draw(canvas).text((270, 60 + 10 * number), text, fill=100, font=face)
    drawn = np.asarray(canvas)
    mask = painted(find_text(255 - drawn if dark else drawn).boxes, drawn.shape)
    assert mask[drawn > 50].mean() >= 0.95
    assert not mask[:, :255].any()


def test_edges_beneath_each_other_are_no_lines() -> None:
    """Of a block that could be several lines at least two must be read."""
    bars = np.zeros((64, 40, 3), np.uint8)
    bars[::9], bars[1::9], bars[2::9] = 120, 120, 120
    assert list(stacks_in(bars, Box(0, 0, 40, 64, 1.0))) == []
    assert find_text(np.pad(bars, ((80, 80), (120, 120), (0, 0)))).boxes == ()


def test_one_place_is_no_neighbour_of_itself() -> None:
    """What two looks at a picture find at one place does not stand beside itself: a vertebra did."""
    sign, again, other = Box(10, 10, 40, 42, 0.9), Box(12, 8, 48, 44, 0.7), Box(50, 10, 78, 42, 0.7)
    assert beside(sign, other)
    assert not beside(sign, again)


def test_pieces_of_large_letters_do_not_hide_their_line() -> None:
    """Lower lines above each other do hide the box that spans them; pieces in one line do not."""
    line = Box(0, 96, 484, 148, 1.0)
    assert not spans(line, [Box(26, 106, 88, 134, 0.9), Box(236, 110, 484, 140, 0.9)])
    assert spans(line, [Box(0, 96, 484, 118, 0.9), Box(0, 124, 484, 148, 0.9)])


@pytest.mark.parametrize("turns", [0, 1, -1])
def test_a_line_goes_on_as_far_as_it_can_be_read(turns: int) -> None:
    """A box around the middle of a line grows to its ends, whichever way the line runs, and no further."""
    burned = burn(BACKGROUNDS[1], 5, size=16, style="white", font="aileron", count=1)
    left, top, right, bottom = burned.lines[0].box
    height = bottom - top - 8
    part = Box(left + 2 * height, top + 4, right - 2 * height, bottom - 4, 1.0)
    picture = np.rot90(burned.image, turns)
    ends = ends_of(picture, turned(part, turns, burned.image.shape), -turns)
    before, after = sorted(turned(end, -turns, picture.shape) for end in ends)
    ink = np.nonzero(burned.labels)[1]
    assert (before.right, after.left) == (part.left, part.right)
    assert ink.min() - height <= before.left <= ink.min() + height // 4
    assert ink.max() - height // 4 <= after.right <= ink.max() + height


def test_a_line_at_an_odd_edge_is_followed_within_the_picture() -> None:
    """The finder tells 2 px at a time: of an odd number of rows, what runs up begins a pixel below the last."""
    burned = burn(np.full((101, 60), 90, np.uint8), 3, size=24, style="white", font="aileron", turned=True, count=1)
    assert ends_of(burned.image, Box(10, 80, 34, 102, 0.9), -1) == []


def test_a_line_does_not_go_on_in_tissue() -> None:
    """Where nothing is written, nothing is added to it."""
    burned = burn(BACKGROUNDS[1], 5, size=16, style="white", font="aileron", count=1)
    left, top, right, bottom = burned.lines[0].box
    assert ends_of(burned.image, Box(left + 2, top + 4, right - 2, bottom - 4, 1.0), 0) == []


@pytest.mark.parametrize(
    ("number", "style", "font"), [(6, "colour", "bitmap"), (16, "grey", "opencv"), (30, "colour", "bitmap")]
)
def test_small_letters_are_found_by_the_second_look_alone(
    monkeypatch: pytest.MonkeyPatch, number: int, style: Style, font: Font
) -> None:
    """Letters of 8 px in a picture that is too large to be magnified as a whole, with the look and without it."""
    backgrounds = [image for _, image in made_up(3, 384, 448)]
    background = backgrounds[number % len(backgrounds)]
    burned = burn(background, number, size=8, style=style, font=font, count=1)
    shown = characters_shown(burned.image, background, burned.labels)
    assert len(shown) >= 4
    assert shown <= characters_covered(painted(find_text(burned.image).boxes, background.shape), burned.labels)

    monkeypatch.setattr(search, "parts_around", lambda *_: ())
    assert not shown & characters_covered(painted(find_text(burned.image).boxes, background.shape), burned.labels)


def proved_where(monkeypatch: pytest.MonkeyPatch, text: tuple[int, ...]) -> list[int]:
    """Lines of 20 px are text by their numbers from the top; those that were asked about come into the list."""
    asked: list[int] = []

    def prove(_: Picture, box: Box) -> Proof:
        asked.append(box.top // 20)
        return Proof(0.9 if box.top // 20 in text else 0.0)

    monkeypatch.setattr(choice, "proved", prove)
    return asked


@pytest.mark.parametrize(("text", "read"), [((), 4), ((2,), 8), ((3, 7), 14), ((4,), 4)])
def test_doubtful_lines_are_read_as_long_as_some_of_them_are_text(
    monkeypatch: pytest.MonkeyPatch, text: tuple[int, ...], read: int
) -> None:
    """Twenty lines, the likeliest first: after four in turn that are none, and one for each that is, no more."""
    asked = proved_where(monkeypatch, text)
    lines = [Candidate(Box(0, 20 * n, 60, 20 * n + 10, 0.75 - 0.01 * n), 1.0, 0) for n in range(20)]
    reads = Reader([np.zeros((400, 100), np.uint8)], [])
    assert reads.read_doubtful(lines[::-1])
    assert asked == list(range(read))
    assert len(reads.kept) + len(reads.refused) + len(reads.unread) == len(lines)


@pytest.mark.parametrize(
    ("lines", "text", "read"),
    [(2, (), 1), (2, (0,), 2), (3, (), 2), (5, (), 2), (5, (3, 4), 2), (5, (0,), 4), (5, (1, 2, 3), 5), (2, (0, 1), 2)],
)
def test_a_stack_is_read_no_further_than_it_may_be_text(
    monkeypatch: pytest.MonkeyPatch, lines: int, text: tuple[int, ...], read: int
) -> None:
    """Edges of tissue beneath each other are given up soon, and one line alone does not count."""
    asked = proved_where(monkeypatch, text)
    reads = Reader([np.zeros((400, 100), np.uint8)], [])
    assert reads.read_stack([Candidate(Box(0, 20 * n, 60, 20 * n + 10, 0.9), 1.0, 0) for n in range(lines)])
    assert asked == list(range(read))
    kept = [number for number in asked if number in text]
    assert len(reads.kept) == (len(kept) if len(kept) > 1 else 0)


def test_much_of_what_is_no_text_is_not_read_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Halfway through the recogniser it shows of many edges and textures of real images that they are no signs."""
    worth: list[bool] = []

    def asked(middle: Middle, box: Box) -> bool:
        worth.append(may_be_signs(middle, box))
        return worth[-1]

    monkeypatch.setattr(reader, "may_be_signs", asked)
    for name, view in of_packages():
        if name in ("J2K_pixelrep_mismatch.dcm", "MR2_J2KR.dcm", "camera.png", "JPEG-LL.dcm", "RG1_J2KR.dcm"):
            find_text(view)
    assert len(worth) > 10
    assert np.mean(worth) < 0.75


def test_a_large_picture_is_masked_where_its_text_is() -> None:
    """It is looked at reduced, here to 0.65, and what is found there is masked in full size."""
    background = np.tile(BACKGROUNDS[0], (12, 9))[:3000, :3300]
    burned = burn(background, 3, size=24, style="white on black box", font="aileron", count=2)
    mask = painted(find_text(burned.image).boxes, background.shape)
    assert characters_shown(burned.image, background, burned.labels) <= characters_covered(mask, burned.labels)
    assert mask.sum() < 2 * sum((line.box[2] - line.box[0]) * (line.box[3] - line.box[1]) for line in burned.lines)


@pytest.mark.parametrize(
    ("first", "pieces"), [(Reading("", ()), 1), (Reading("A", (0.2,)), 1), (Reading("A", (0.5,)), 2)]
)
def test_a_long_line_is_read_on_only_where_its_beginning_is_legible(
    monkeypatch: pytest.MonkeyPatch, first: Reading, pieces: int
) -> None:
    """Of edges nothing is read, and there are many of them."""
    asked: list[Picture] = []

    def read(piece: Picture, _: Box) -> Reading:
        asked.append(piece)
        return first if len(asked) == 1 else Reading("BCD", (0.95,) * 3)

    monkeypatch.setattr(proof, "read", read)
    found = proved(np.zeros((60, 400), np.uint8), Box(20, 20, 380, 40, 0.95))
    assert len(asked) == pieces
    assert (found.score > 0) == (pieces == 2)


def test_a_line_across_two_parts_is_one_line() -> None:
    """What is seen in parts that overlap is laid together: a line that a cut goes through is as long as in one look."""
    burned = burn(BACKGROUNDS[1], 5, size=16, style="white", font="aileron", count=1)
    left, top, right, bottom = burned.lines[0].box
    rows, columns = slice(0, BACKGROUNDS[1].shape[0]), BACKGROUNDS[1].shape[1]
    cut = (left + right) // 64 * 32
    assert left + 32 < cut < right - 32
    whole, _ = search.look(burned.image, [(rows, slice(0, columns))], 1.0)
    parts, _ = search.look(burned.image, [(rows, slice(0, cut + 32)), (rows, slice(cut - 32, columns))], 1.0)

    def of_line(boxes: list[Box]) -> list[Box]:
        return [box for box in boxes if box.score > 0.8 and box.top < bottom and box.bottom > top]

    assert len(of_line(whole)) == len(of_line(parts)) == 1
    assert np.abs(np.subtract(of_line(whole)[0][:4], of_line(parts)[0][:4])).max() <= 4


def test_parts_hold_all_cells_and_little_else() -> None:
    """Each chosen cell lies within a part with a cell around it; two rows of them that cross are no whole picture."""
    cells = np.zeros((40, 40), bool)
    cells[20], cells[:, 7], cells[3, 30] = True, True, True
    shape = (40 * 32, 40 * 32)
    seen = np.zeros(shape, bool)
    parts = areas_of(cells, shape)
    for part in parts:
        seen[part] = True
    chosen = np.pad(np.kron(cells, np.ones((32, 32), bool)), 32)
    for down, across in itertools.product((0, 32, 64), repeat=2):
        assert seen[chosen[down : down + shape[0], across : across + shape[1]]].all()
    assert sum((rows.stop - rows.start) * (columns.stop - columns.start) for rows, columns in parts) < 0.4 * seen.size
    assert areas_of(np.zeros((40, 40), bool), shape) == []


def test_a_frame_around_a_picture_and_text_in_its_corners_are_looked_at_alone() -> None:
    """No one cut through a ring of cells saves anything; its four sides do."""
    cells = np.zeros((32, 32), bool)
    cells[[0, -1]] = cells[:, [0, -1]] = True
    cells[2:4, 2:7] = cells[-4:-2, -9:-2] = True
    seen = np.zeros((1024, 1024), np.uint8)
    for part in areas_of(cells, seen.shape):
        seen[part] += 1
    assert seen[np.kron(cells, np.ones((32, 32), bool))].all()
    assert seen.sum() < 0.45 * seen.size


def test_only_what_has_fine_strokes_is_looked_at_in_full_and_half_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a large film, blurred edges and grain are left to the coarsest look, and letters of 8 px are not."""
    grain = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 1, (800, 800)), (0, 0), 2)
    film = np.clip(110 + 8 * grain / grain.std(), 0, 255).astype(np.uint8)
    burned = burn(film, 5, size=8, style="white", font="dejavu", count=1)
    left, top, right, bottom = burned.lines[0].box
    looked = list[int]()
    original = search.scores_of

    def counting(picture: Picture) -> tuple[np.ndarray, np.ndarray]:
        looked.append(picture.size)
        return original(picture)

    monkeypatch.setattr(search, "scores_of", counting)
    found = painted(find_text(burned.image).boxes, film.shape)
    assert found[top:bottom, left:right].mean() > 0.6
    assert sum(looked) < 0.2 * film.size
    looked.clear()
    monkeypatch.setattr(search, "near_fine_strokes", lambda picture, *, half: np.bool_(True))
    find_text(burned.image)
    assert sum(looked) > 1.2 * film.size


def test_a_grey_film_kept_in_colour_is_masked_alike() -> None:
    """Three like channels are one: no box differs, and of sides that are odd nothing is lost."""
    burned = burn(BACKGROUNDS[1][:251, :351], 5, size=32, style="white", font="aileron", count=2)
    grey = burned.image if burned.image.ndim == 2 else burned.image[..., 0]
    boxes = find_text(grey).boxes
    assert boxes
    assert find_text(np.repeat(grey[..., None], 3, axis=2)).boxes == boxes
