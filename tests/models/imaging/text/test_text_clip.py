"""What stays the same over a clip is searched once, and what passes is found in the frame that has it."""

from random import Random

import numpy as np

from benchmarks.burned_text import FONTS, STYLES, burn, made_up
from benchmarks.text_free import frames_of
from models.imaging.text import Clip, find_text
from models.imaging.text.boxes import painted
from models.imaging.text.strokes import CELL, strokes_of
from tests.models.imaging.samples import characters_covered, characters_shown

SPECKLE = next(image for name, image in made_up(3, 256, 352) if name == "speckle")
MOVING = [np.roll(SPECKLE, shift, axis=0) for shift in range(12)]


def test_of_a_frame_like_the_others_little_is_searched() -> None:
    """Speckle that moves has about as many strokes in every frame; a name in it is searched."""
    clip = Clip([(one, None) for one in MOVING])
    frame = np.roll(SPECKLE, 13, axis=0)
    assert clip.unusual(0, False, clip.passing(0, False, strokes_of(frame))).mean() < 0.1
    burned = burn(frame, 3, size=12, style="white", font="aileron", count=1)
    left, top, right, bottom = burned.lines[0].box
    unusual = clip.unusual(0, False, clip.passing(0, False, strokes_of(burned.image)))
    assert unusual[top // CELL : bottom // CELL + 1, left // CELL : right // CELL + 1].any()


def test_names_in_one_frame_only_are_found() -> None:
    """Of a real echocardiogram, whether the frame is among the samples that the clip is known by or not."""
    frames = frames_of("color3d_jpeg_baseline.dcm")[:48]
    samples = list(range(0, 48, 4))
    shown = found = 0
    for number in range(16):
        index = Random(number).randrange(len(frames))
        burned = burn(
            frames[index], number, size=(10, 12, 16, 24)[number % 4], style=STYLES[number % 8], font=FONTS[number % 4],
            turned=number % 5 == 0, count=1,
        )  # fmt: skip
        clip = Clip([(burned.image if one == index else frames[one], None) for one in samples])
        boxes = find_text(burned.image, usual=clip).boxes + clip.static.boxes
        characters = characters_shown(burned.image, frames[index], burned.labels)
        shown += len(characters)
        found += len(characters & characters_covered(painted(boxes, burned.labels.shape), burned.labels))
    assert shown > 120
    assert found / shown >= 0.97


def test_text_of_half_a_clip_is_found_in_each_frame_that_has_it() -> None:
    """It is in half of the samples, so it neither stays the same nor passes for what is usual there."""
    burned = burn(np.zeros_like(SPECKLE), 4, size=16, style="white", font="aileron", count=1)
    frames = [np.maximum(one, burned.image) if number % 2 else one for number, one in enumerate(MOVING)]
    clip = Clip([(one, None) for one in frames])
    assert clip.static.boxes == ()
    for frame in frames[1:6:2]:
        mask = painted(find_text(frame, usual=clip).boxes, frame.shape)
        assert characters_covered(mask, burned.labels) == set(range(1, burned.labels.max() + 1))
    assert find_text(frames[2], usual=clip).boxes == ()
