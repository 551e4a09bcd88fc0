"""A frontal film of the chest: what absorbs is added up, part by part, and then exposed.

Places are parts of the side, turned and sheared together; sizes within a lung are parts of its width and height.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from models.experts.phantoms.drawing import BinaryImage, FloatImage
from models.experts.phantoms.films.exposure import expose
from models.experts.phantoms.films.strokes import Random, blurred, coarse, filled, fixed, line, smooth


def chest_film(random: Random, side: int) -> tuple[BinaryImage, BinaryImage]:
    """A frontal film, 8 bits, high is bright, and both lungs, 0 and 1, behind the heart too; (side, side) each."""
    chest = _Chest(random, side)
    chest.trunk()
    chest.air()
    chest.middle()
    chest.vessels()
    chest.bones()
    chest.thin_places()
    chest.below()
    chest.disease()
    chest.devices()
    return expose(random, chest.absorbed, chest.body, chest.lungs)


@dataclass(slots=True)
class _Lung:
    """Where one lies: its inner edge, +1 to larger x or -1, its width, upper and lower end; parts of the side."""

    inner: float
    away: int
    width: float
    top: float
    base: float

    def at(self, across: float, down: float) -> tuple[float, float]:
        return self.inner + self.away * across * self.width, self.top + down * (self.base - self.top)


class _Chest:
    """What absorbs, added up: `absorbed`, float32, 1 about that of soft tissue; `body` and `lungs`, 0 and 1."""

    def __init__(self, random: Random, side: int) -> None:
        self.random, self.side = random, side
        self.absorbed = np.zeros((side, side), np.float32)
        self.rows, self.columns = (grid.astype(np.float32) / side for grid in np.mgrid[0:side, 0:side])
        self.centre, self.width = random.uniform(0.44, 0.56), random.uniform(0.17, 0.36)
        self.top = random.uniform(0, 0.24)
        shaped = min(max(self.width * random.uniform(1.3, 2.7), 0.3), 1.02 - self.top)
        self.height = shaped if random.random() < 0.7 else random.uniform(0.5, 0.95)
        self.bottom, self.middle_width = self.top + self.height, random.uniform(0.035, 0.09)
        self.outer = self.width + self.middle_width + random.uniform(0.03, 0.12)
        self.heart_side = -1 if random.random() < 0.04 else 1
        turn = np.deg2rad(random.normal(0, 4))
        self._turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.array(
            [[1, random.normal(0, 0.03)], [0, 1]]
        )
        self.each = [self._lung(away) for away in (-1, 1)]
        self.outlines = [smooth(self._outline(one)) for one in self.each]
        self.masks = [filled(side, self.placed(one)) for one in self.outlines]
        self.lungs: BinaryImage = self.masks[0] | self.masks[1]
        self.body: BinaryImage = np.zeros((side, side), np.uint8)
        self.air_depth = random.uniform(0.15, 0.8)

    def placed(self, points: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Parts of the side as px, turned and sheared about the middle."""
        return ((np.asarray(points, np.float32) - 0.5) @ self._turned.T + 0.5).astype(np.float32) * self.side

    def _lung(self, away: int) -> _Lung:
        random = self.random
        return _Lung(
            inner=self.centre + away * self.middle_width,
            away=away,
            width=self.width * random.uniform(0.85, 1.1),
            top=self.top + random.uniform(-0.02, 0.03) * self.height,
            base=self.bottom + random.uniform(-0.1, 0.04) * self.height,
        )

    def _outline(self, lung: _Lung) -> npt.NDArray[np.float32]:
        """From the apex down the ribs to the angle of the diaphragm, along its dome, and up the mediastinum."""
        random = self.random
        apex, dome, flare = random.uniform(0.3, 0.5), random.uniform(0.05, 0.28), random.uniform(-0.04, 0.06)
        reach = random.uniform(0.96, 1)
        return np.array(
            [
                lung.at(apex - 0.16, 0.01),
                lung.at(apex + 0.12, 0.015),
                lung.at(random.uniform(0.68, 0.8), random.uniform(0.12, 0.17)),
                lung.at(random.uniform(0.86, 0.95), 0.36),
                lung.at(reach, 0.62),
                lung.at(1 + flare, 0.94 - 0.7 * dome),
                lung.at(0.985 + flare, 1),
                lung.at(random.uniform(0.72, 0.8), 1 - dome * random.uniform(0.5, 0.8)),
                lung.at(random.uniform(0.4, 0.5), 1 - dome * random.uniform(0.9, 1.1)),
                # Readers end a lung behind the heart at the height of its dome.
                lung.at(0.12, 1 - dome * random.uniform(0.7, 1.1)),
                lung.at(random.uniform(-0.03, 0.01), 0.99 - dome * random.uniform(0.6, 1.1)),
                lung.at(random.uniform(-0.03, 0.06), 0.6),
                lung.at(random.uniform(-0.03, 0.08), 0.3),
                lung.at(random.uniform(0.02, 0.12), 0.1),
            ],
            np.float32,
        )

    def trunk(self) -> None:
        """Neck, shoulders and sides, thicker towards the middle and the shoulders; arms beside it."""
        random, x, outer = self.random, self.centre, self.outer
        slope, neck, wide = random.uniform(0.02, 0.12), random.uniform(0.08, 0.16), outer * random.uniform(1.1, 1.5)
        start = self.top - random.uniform(0.02, 0.12)
        right = self._flank(random, start, slope, neck, wide)
        left = self._flank(random, start, slope, neck, wide)
        outline = [(x - across, y) for across, y in right] + [(x + across, y) for across, y in reversed(left)]
        self.body = filled(self.side, self.placed(smooth(np.array(outline, np.float32))))
        if random.random() < 0.15:
            self.body[:] = 1
        body = self._soft_body(random.uniform(0.006, 0.02))
        self.absorbed += body * random.uniform(0.8, 1.2)
        self.absorbed += body * random.uniform(-0.1, 0.4) * np.exp(-(((self.columns - x) / (0.5 * outer)) ** 2))
        shoulders = np.exp(-(((self.rows - start) / 0.12) ** 2)) * (np.abs(self.columns - x) > 0.6 * outer)
        self.absorbed += body * random.uniform(0, 0.5) * shoulders
        for away in (-1, 1):
            if random.random() < 0.4:
                self._arm(x + away * outer * random.uniform(1.15, 1.5), away, start)

    def _flank(
        self, random: Random, start: float, slope: float, neck: float, wide: float
    ) -> Sequence[tuple[float, float]]:
        outer = self.outer
        return [
            (neck, -0.4),
            (neck, start - 0.2 * slope),
            (0.7 * wide, start + 0.7 * slope),
            (wide, start + 1.6 * slope + 0.05),
            (outer * random.uniform(0.98, 1.2), start + 0.35 * self.height + 0.1),
            (outer * random.uniform(0.95, 1.1), self.bottom),
            (outer * random.uniform(0.9, 1.25), 1.5),
        ]

    def _arm(self, x: float, away: int, start: float) -> None:
        random = self.random
        spread = away * random.uniform(0, 0.1)
        outline = [(x - 0.07, start + 0.1), (x + 0.07, start + 0.1), (x + 0.07 + spread, 1.3), (x - 0.07 + spread, 1.3)]
        arm = filled(self.side, self.placed(outline)).astype(np.float32)
        self.absorbed += blurred(arm, 0.015 * self.side) * random.uniform(0.5, 1.1)
        if random.random() < 0.6:
            bone = self.placed([(x, start + 0.1), (x + 0.04 * away, 1.2)])
            self.absorbed += line(self.side, bone, 0.03, 0.008) * random.uniform(0.2, 0.5)

    def air(self) -> None:
        """Less is absorbed in the lungs, least where they are deep; each as it is inflated."""
        random = self.random
        # Towards the ribs a lung is thin, and its outline fainter than what lies within.
        sigma, steep = self.side * random.uniform(0.004, 0.02), random.uniform(0.15, 0.9)
        edge = random.uniform(0.2, 0.6)
        self.aerated = np.zeros_like(self.absorbed)
        for mask in self.masks:
            within = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 3)[1:-1, 1:-1] / (0.5 * self.side * self.width)
            grade = 1 + random.uniform(-0.7, 0.7) * (self.rows - self.top - self.height / 2) / self.height
            one = mask * (edge + (1 - edge) * np.clip(within, 0, 1) ** steep) * grade * random.uniform(0.8, 1.15)
            self.aerated += blurred(one.astype(np.float32), sigma)
        self.absorbed -= self.air_depth * self.aerated

    def middle(self) -> None:
        """Spine, windpipe, heart and aortic knob."""
        random, x, turned = self.random, self.centre, self.heart_side
        across = np.abs(self.columns - x) / (self.middle_width * random.uniform(0.65, 1.5))
        spine = np.exp(-(across ** random.uniform(2, 5))) * self._soft_body(0.01)
        self.absorbed += spine * random.uniform(0, 0.3)
        if random.random() < 0.7:
            wave = np.sin(2 * np.pi * self.rows / random.uniform(0.035, 0.07) + random.uniform(0, 6))
            self.absorbed += spine * random.uniform(0, 0.06) * wave
        windpipe = np.exp(-(((self.columns - x - random.normal(0, 0.01)) / 0.018) ** 2))
        self.absorbed -= random.uniform(0, 0.25) * windpipe * (self.rows < self.top + 0.4 * self.height) * self.body
        heart = filled(self.side, self.placed(smooth(self._heart()))).astype(np.float32)
        depth = self.air_depth
        self.absorbed += blurred(heart, self.side * random.uniform(0.006, 0.025)) * depth * random.uniform(0.35, 1.2)
        knob = ((self.columns - x - turned * (self.middle_width + 0.01)) / 0.04) ** 2
        knob += ((self.rows - self.top - 0.27 * self.height) / 0.06) ** 2
        self.absorbed += np.exp(-(knob**2)) * depth * random.uniform(0.2, 0.8)

    def _heart(self) -> npt.NDArray[np.float32]:
        random, x, turned, middle, height = self.random, self.centre, self.heart_side, self.middle_width, self.height
        reach, y = random.uniform(0.6, 1.25) * self.width, self.bottom - random.uniform(0.12, 0.3) * height
        return np.array(
            [
                (x - turned * middle * random.uniform(0.8, 1.8), y - 0.3 * height),
                (x + turned * (middle + 0.1 * reach), y - 0.34 * height),
                (x + turned * (middle + 0.35 * reach), y - 0.15 * height),
                (x + turned * (middle + 0.75 * reach), y + 0.04 * height),
                (x + turned * (middle + 0.8 * reach), y + 0.14 * height),
                (x + turned * (middle + 0.3 * reach), y + 0.24 * height),
                (x - turned * middle, y + 0.24 * height),
                (x - turned * (middle + random.uniform(0.05, 0.35) * self.width), y + 0.1 * height),
                (x - turned * (middle + random.uniform(0, 0.25) * self.width), y - 0.08 * height),
            ],
            np.float32,
        )

    def vessels(self) -> None:
        """A hilum each side, and what branches from it."""
        random = self.random
        for away in (-1, 1):
            x = self.centre + away * (self.middle_width + random.uniform(0.02, 0.05))
            y = self.top + random.uniform(0.4, 0.52) * self.height
            hilum = self._spot(x, y, random.uniform(0.03, 0.06), random.uniform(0.05, 0.1), 1)
            self.absorbed += hilum * self.air_depth * random.uniform(0.1, 0.6)
            drawn = np.zeros_like(self.absorbed)
            for _ in range(random.integers(8, 24)):
                place, turn = np.array([x, y]), random.uniform(-1.3, 1.3)
                step, thick = random.uniform(0.06, 0.22) * self.width, random.uniform(1, 3) * self.side / 128
                for part in range(5):
                    to = place + step * np.array([away * np.cos(turn), np.sin(turn)])
                    narrowed = max(1, int(thick * (1 - part / 6)))
                    cv2.polylines(drawn, [fixed(self.placed([place, to]))], False, 1.0, narrowed, shift=4)
                    place, turn = to, turn + random.normal(0, 0.2)
            self.absorbed += blurred(drawn, 0.004 * self.side) * self.aerated * random.uniform(0.05, 0.3)

    def bones(self) -> None:
        """Ribs, behind and in front; collar bones; shoulder blades."""
        random = self.random
        ribs = self._ribs(self.each[0], self.outlines[0]) + self._ribs(self.each[1], self.outlines[1])
        self.absorbed += blurred(ribs, 0.004 * self.side) * self._soft_body(0.01) * random.uniform(0.02, 0.22)
        self.absorbed += self._wall() * self.air_depth * random.uniform(0, 0.5)
        along = np.linspace(0, 1, 12)
        for away in (-1, 1):
            x = self.centre + away * (0.03 + 1.02 * self.outer * along)
            y = self.top + (random.uniform(-0.02, 0.1) - along * random.uniform(-0.03, 0.1)) * self.height
            collar = self.placed(np.stack([x, y + 0.015 * np.sin(6 * along)], axis=1))
            self.absorbed += line(self.side, collar, random.uniform(0.018, 0.03), 0.005) * random.uniform(0.05, 0.3)
            if random.random() < 0.6:
                edge = self.centre + away * (self.middle_width + self.width * random.uniform(0.8, 1.1))
                corners = ((0, 0.05), (0.12, 0.1), (0.03, 0.5))
                blade = [(edge + away * across, self.top + down * self.height) for across, down in corners]
                flat = filled(self.side, self.placed(blade)).astype(np.float32)
                self.absorbed += blurred(flat, 0.01 * self.side) * random.uniform(0.03, 0.25)

    def _ribs(self, lung: _Lung, outline: npt.NDArray[np.float32]) -> FloatImage:
        """Each turns forward where it has gone a little further out than the lung reaches there."""
        random, height = self.random, self.height
        count, thick = random.integers(8, 12), random.uniform(0.012, 0.024)
        x, beyond = self.centre + lung.away * 0.6 * self.middle_width, random.uniform(0, 0.015)
        along, drawn = np.linspace(0, 1, 14), np.zeros_like(self.absorbed)
        for number in range(count):
            y, drop = self.top - 0.02 + number * height / (count - 1.5), random.uniform(0.05, 0.12) * height
            near = outline[np.abs(outline[:, 1] - y - drop) < 0.05 * height]
            reach = lung.away * (near if len(near) else outline)[:, 0]
            span = lung.away * float(reach.max()) + lung.away * beyond - x
            arch = drop * along**2 - 0.04 * height * np.sin(along * np.pi)
            behind = np.stack([x + span * np.sin(along * np.pi / 2), y + arch], axis=1)
            drawn += line(self.side, self.placed(behind), thick, 0)
            if random.random() < 0.6:
                down = drop + 0.25 * height * along * random.uniform(0.6, 1.1)
                before = np.stack([x + span * (1 - 0.7 * along**1.5), y + down], axis=1)
                drawn += 0.5 * line(self.side, self.placed(before), thick, 0)
        return drawn

    def _wall(self) -> FloatImage:
        """The ribs' turn, seen along them: a band at the outer side of the lungs, which end inside it."""
        thick = self.side * self.random.uniform(0.01, 0.04)
        outside = cv2.distanceTransform(1 - self.lungs, cv2.DIST_L2, 3)
        band = np.clip(1.5 - np.abs(outside / thick - 0.7) * 1.5, 0, 1) * (self.lungs == 0)
        side_on = np.clip((np.abs(self.columns - self.centre) - self.middle_width) / self.width * 2 - 0.7, 0, 1)
        within = (self.rows > self.top) & (self.rows < self.bottom + 0.05)
        return cast(FloatImage, (band * side_on * within).astype(np.float32))

    def thin_places(self) -> None:
        """Above the collar bones and in the armpits it is as dark as in a lung."""
        random = self.random
        outside = self._soft_body(0.01) * (1 - blurred(self.lungs.astype(np.float32), 0.01 * self.side))
        for away in (-1, 1):
            if random.random() < 0.7:
                x = self.centre + away * (self.middle_width + self.width * random.uniform(0.3, 1.3))
                y, steep = self.top - random.uniform(0, 0.12), random.uniform(1, 2)
                spot = self._spot(x, y, random.uniform(0.05, 0.15), random.uniform(0.03, 0.1), steep)
                self.absorbed -= spot * outside * random.uniform(0.1, 0.7)
            if random.random() < 0.4:
                x = self.centre + away * (self.middle_width + self.width * random.uniform(1.1, 1.4))
                y = self.top + random.uniform(0.2, 0.6) * self.height
                spot = self._spot(x, y, random.uniform(0.02, 0.06), random.uniform(0.05, 0.2), 1)
                self.absorbed -= spot * outside * random.uniform(0.1, 0.6)

    def below(self) -> None:
        """The abdomen, with gas in it; breasts."""
        random, body = self.random, self._soft_body(0.01)
        depth = np.clip((self.rows - self.bottom + 0.12 * self.height) / 0.2, 0, 1)
        self.absorbed += body * depth * random.uniform(0, 0.6)
        for _ in range(random.integers(0, 5)):
            x = self.centre + self.heart_side * random.uniform(-0.2, 0.9) * self.width
            y = self.bottom + random.uniform(-0.03, 0.12)
            gas = self._spot(x, y, random.uniform(0.02, 0.07), random.uniform(0.02, 0.05), 2)
            self.absorbed -= gas * (1 - self.lungs) * random.uniform(0.1, 0.6)
        if random.random() < 0.4:
            for away in (-1, 1):
                x = self.centre + away * (self.middle_width + self.width * random.uniform(0.5, 0.8))
                y = self.bottom - random.uniform(-0.05, 0.25) * self.height
                breast = self._spot(x, y, random.uniform(0.12, 0.2), random.uniform(0.12, 0.25), 8)
                self.absorbed += breast * random.uniform(0.03, 0.3) * body

    def disease(self) -> None:
        """Consolidations, an effusion, haze: they hide a lung, and it is there."""
        random, filled = self.random, self.aerated * self.air_depth
        for _ in range(random.choice((0, 0, 1, 2, 3, 5))):
            inside = np.argwhere(self.masks[random.integers(0, 2)])
            if len(inside):
                y, x = inside[random.integers(len(inside))] / self.side
                wide = random.uniform(0.04, 0.2)
                spot = self._spot(x, y, wide, wide * random.uniform(0.6, 1.6), random.uniform(0.7, 2))
                patchy = np.clip(1 + 0.5 * coarse(random, self.side, 0.05 * self.side), 0, 2)
                self.absorbed += spot * patchy * filled * random.uniform(0.2, 1)
        if random.random() < 0.15:
            level = self.bottom - random.uniform(0.05, 0.45) * self.height
            below = np.clip((self.rows - level) / 0.06, 0, 1) * self.masks[random.integers(0, 2)]
            self.absorbed += below * self.air_depth * random.uniform(0.6, 1)
        if random.random() < 0.3:
            haze = np.clip(0.5 + coarse(random, self.side, random.uniform(2, 6)), 0, 2)
            self.absorbed += filled * random.uniform(0.1, 0.4) * haze

    def devices(self) -> None:
        """Lines, tubes and electrodes; and tissue that is nowhere quite even."""
        random = self.random
        if random.random() < 0.35:
            drawn = np.zeros_like(self.absorbed)
            for _ in range(random.integers(1, 5)):
                tube = smooth((random.random((5, 2)) * 1.1 * self.side).astype(np.float32))[:70]
                cv2.polylines(drawn, [tube.astype(np.int32)], False, 1.0, 1)
            for _ in range(random.integers(0, 4)):
                place = [int(at) for at in random.integers(0, self.side, 2)]
                cv2.circle(drawn, place, int(random.integers(2, 6)), 1.0, int(random.choice((1, -1))))
            self.absorbed += blurred(drawn, 0.6) * random.uniform(0.1, 0.6)
        self.absorbed += 0.05 * random.uniform(0, 2) * coarse(random, self.side, 0.3 * self.side)
        self.absorbed += random.uniform(0, 0.03) * coarse(random, self.side, 3) * self.body

    def _soft_body(self, sigma: float) -> FloatImage:
        return blurred(self.body.astype(np.float32), sigma * self.side)

    def _spot(self, x: float, y: float, across: float, down: float, steep: float) -> FloatImage:
        """1 in the middle of an ellipse, falling at its edge, the faster the steeper; parts of the side."""
        far = ((self.columns - x) / across) ** 2 + ((self.rows - y) / down) ** 2
        return cast(FloatImage, np.exp(-(far**steep)))
