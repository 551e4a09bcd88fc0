"""What text is drawn on, by seed: phantoms, textures made here, photographs of surfaces, and the furniture of screens.

Nothing of a patient, and nothing that the finder of text lines is measured on.
"""

from pathlib import Path

import cv2
import numpy as np
import skimage

from models.experts.phantoms import DRAWN, draw

SIDE = 256
"""px, of each picture."""
SURFACES = ("brick", "grass", "gravel", "coffee", "chelsea", "motorcycle_left", "hubble_deep_field")
"""Photographs of scikit-image."""


def fractal(r: np.random.Generator, side: int, slope: float) -> np.ndarray:
    """Noise whose spectrum falls by 1 / f ** slope, 0 to 1."""
    f = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    f[0, 0] = 1
    noise = np.fft.irfft2(np.fft.rfft2(r.normal(size=(side, side))) / f**slope, s=(side, side))
    noise -= noise.min()
    return (noise / noise.max()).astype(np.float32)


def texture(r: np.random.Generator) -> np.ndarray:
    """Speckle, ridges, vessels, cells, stripes, a plain surface, trabeculae, an organ with a bright rim, or clouds."""
    side, kind = SIDE, r.integers(9)
    base = fractal(r, side, r.uniform(1.2, 2.2))
    if kind == 0:  # speckle
        grain = r.uniform(0.6, 3)
        sp = cv2.GaussianBlur(
            r.rayleigh(1, (side, side)).astype(np.float32), (0, 0), sigmaX=grain * r.uniform(1, 3), sigmaY=grain
        )
        sp /= sp.mean()
        return np.clip(sp ** r.uniform(0.6, 2.5) * base * r.uniform(80, 300), 0, 255)
    if kind == 1:  # ridges and blobs at an edge: gyri, calyces, bone
        level = fractal(r, side, r.uniform(1.0, 1.9))
        cut = (level > np.quantile(level, r.uniform(0.2, 0.8))).astype(np.float32)
        cut = cv2.GaussianBlur(cut, (0, 0), r.uniform(0.5, 2.5))
        return np.clip(cut * r.uniform(40, 220) + base * r.uniform(20, 120), 0, 255)
    if kind == 2:  # vessels
        canvas = (base * r.uniform(40, 200)).astype(np.float32)
        for _ in range(r.integers(3, 30)):
            at, turn = r.uniform(0, side, 2), r.uniform(0, 6.28)
            points = [at.copy()]
            for _ in range(r.integers(5, 60)):
                turn += r.normal(0, 0.35)
                at = at + 5 * np.array((np.cos(turn), np.sin(turn)))
                points.append(at.copy())
            cv2.polylines(
                canvas,
                [np.array(points, np.int32)],
                False,
                float(r.uniform(0, 255)),
                int(r.integers(1, 6)),
                cv2.LINE_AA,
            )
        return cv2.GaussianBlur(canvas, (0, 0), r.uniform(0.4, 1.5))
    if kind == 3:  # cells, calcifications, highlights
        canvas = (base * r.uniform(20, 200)).astype(np.float32)
        for _ in range(r.integers(5, 120)):
            size = r.uniform(1, 12, 2)
            centre, axes = tuple(int(v) for v in r.integers(0, side, 2)), tuple(int(v) + 1 for v in size)
            grey, wide = float(r.uniform(0, 255)), -1 if r.random() < 0.7 else 1
            cv2.ellipse(canvas, centre, axes, float(r.uniform(0, 180)), 0, 360, grey, wide, cv2.LINE_AA)
        return cv2.GaussianBlur(canvas, (0, 0), r.uniform(0.4, 1.5))
    if kind == 4:  # stripes: ribs, muscle, hair, MR Gibbs
        y, x = np.mgrid[:side, :side].astype(np.float32)
        a, w = r.uniform(0, 3.14), r.uniform(4, 40)
        wave = np.sin((x * np.cos(a) + y * np.sin(a) + 40 * base) * 6.28 / w)
        return np.clip(base * r.uniform(40, 160) + wave * r.uniform(5, 70) + 60, 0, 255)
    if kind == 5:  # flat
        return np.full((side, side), r.choice([0, 0, 0, 255, r.uniform(0, 255)]), np.float32)
    if kind == 6:  # fine trabeculae
        level = fractal(r, side, r.uniform(0.3, 1.0))
        level = (level - level.mean()) / level.std()
        return np.clip(r.uniform(60, 190) + level * r.uniform(10, 50), 0, 255)
    if kind == 7:  # organ on black with a bright rim
        y, x = np.mgrid[:side, :side].astype(np.float32) - r.uniform(60, 190)
        radius = r.uniform(60, 160)
        d = np.hypot(x, y * r.uniform(0.7, 1.4)) + 20 * base
        inside = d < radius
        rim = np.exp(-(((d - radius) / r.uniform(1.5, 8)) ** 2))
        return np.clip(
            inside * base * r.uniform(60, 255) + rim * r.uniform(0, 255) + r.normal(0, r.uniform(0, 6), (side, side)),
            0,
            255,
        )
    return np.clip(base * 255 * r.uniform(0.3, 1), 0, 255)


def pool(seed: int, size: int) -> list[np.ndarray]:
    """Phantoms and photographs of surfaces, 8 bits."""
    r = np.random.default_rng(seed)
    found: list[np.ndarray] = []
    for number in range(size):
        kind, contrast, side = DRAWN[number % len(DRAWN)], float(r.uniform(0, 8)), int(r.integers(256, 769))
        values = draw(kind, seed=seed * 100_000 + number, contrast=contrast, side=side).values
        low, high = np.percentile(values, (r.uniform(0, 5), r.uniform(95, 100)))
        found.append(np.clip((values - low) / max(high - low, 1e-3) * 255, 0, 255).astype(np.uint8))
    for name in SURFACES:
        path = next((Path(skimage.__file__).parent / "data").glob(name + ".*"))
        image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        found += [image] * (size // 40)
    return found


def furniture(r: np.random.Generator, canvas: np.ndarray) -> None:
    """Rulers, grids, traces, crosses, arrows: on screens, and no text."""
    side = canvas.shape[0]
    colour = [float(v) for v in (r.uniform(0, 255, 3) if r.random() < 0.4 else [r.choice([255, 200, 128, 0])] * 3)]
    kind = r.integers(7)
    a = int(r.integers(0, side))
    if kind == 0:
        step, length = int(r.integers(4, 30)), int(r.integers(2, 12))
        for at in range(0, side, step):
            end = (a + length * (2 if at % (5 * step) == 0 else 1), at)
            cv2.line(canvas, (a, at), end, colour, int(r.integers(1, 3)))
    elif kind == 1:
        w, h = int(r.integers(6, 30)), int(r.integers(40, 200))
        x, y = int(r.integers(0, side)), int(r.integers(0, side))
        ramp = np.linspace(255, 0, h)[:, None, None].repeat(w, 1).repeat(3, 2)
        part = canvas[y : y + h, x : x + w]
        part[...] = ramp[: part.shape[0], : part.shape[1]]
    elif kind == 2:
        x = np.arange(side)
        y = a + r.uniform(3, 25) * np.sin(x / r.uniform(2, 30)) + r.normal(0, 1.5, side) + 20 * (r.random(side) < 0.02)
        cv2.polylines(canvas, [np.stack([x, y], 1).astype(np.int32)], False, colour, 1, cv2.LINE_AA)
    elif kind == 3:
        for _ in range(r.integers(1, 5)):
            x, y = (int(v) for v in r.integers(0, side, 2))
            cv2.drawMarker(canvas, (x, y), colour, int(r.integers(0, 7)), int(r.integers(4, 20)), int(r.integers(1, 3)))
    elif kind == 4:
        p, q = (tuple(int(v) for v in r.integers(0, side, 2)) for _ in range(2))
        cv2.arrowedLine(canvas, p, q, colour, int(r.integers(1, 4)), cv2.LINE_AA, tipLength=float(r.uniform(0.05, 0.3)))
    elif kind == 5:
        p, q = (r.integers(0, side, 2).astype(float) for _ in range(2))
        dots = int(r.integers(5, 50))
        for t in np.linspace(0, 1, dots):
            c = p + (q - p) * t
            cv2.circle(canvas, (int(c[0]), int(c[1])), int(r.integers(1, 3)), colour, -1)
    else:
        p, q = (tuple(int(v) for v in r.integers(0, side, 2)) for _ in range(2))
        if r.random() < 0.5:
            cv2.rectangle(canvas, p, q, colour, int(r.integers(1, 3)))
        else:
            cv2.ellipse(
                canvas,
                p,
                tuple(int(v) for v in r.integers(5, 120, 2)),
                float(r.uniform(0, 180)),
                0,
                float(r.uniform(60, 360)),
                colour,
                int(r.integers(1, 4)),
                cv2.LINE_AA,
            )


def background(r: np.random.Generator, drawn: list[np.ndarray]) -> np.ndarray:
    """A picture without text, float32 (SIDE, SIDE, 3), 0 to 255."""
    if r.random() < 0.5:
        picture = drawn[r.integers(len(drawn))]
        if r.random() < 0.4:
            s = float(np.exp(r.uniform(np.log(0.4), np.log(2.0))))
            s = max(s, SIDE / min(picture.shape[:2]) + 1e-3)
            picture = cv2.resize(picture, None, fx=s, fy=s, interpolation=cv2.INTER_LINEAR)
        top, left = (int(r.integers(0, n - SIDE + 1)) for n in picture.shape[:2])
        picture = picture[top : top + SIDE, left : left + SIDE].astype(np.float32)
        picture = np.rot90(picture, r.integers(4)).copy()
    else:
        picture = texture(r)
        if r.random() < 0.25:
            other = texture(r)
            cut = int(r.integers(20, SIDE - 20))
            picture = picture.copy()
            if r.random() < 0.5:
                picture[:cut] = other[:cut]
            else:
                picture[:, :cut] = other[:, :cut]
    if picture.ndim == 2:
        picture = picture[..., None].repeat(3, 2)
        if r.random() < 0.12:
            picture = picture * r.uniform(0.2, 1, 3)
    if r.random() < 0.3:
        picture = np.clip((picture - 128) * r.uniform(0.4, 1.6) + 128 + r.uniform(-60, 60), 0, 255)
    if r.random() < 0.2:  # a black border, where text lies
        n = int(r.integers(10, 120))
        where = [np.s_[:n], np.s_[-n:], np.s_[:, :n], np.s_[:, -n:]][r.integers(4)]
        picture = picture.copy()
        picture[where] = r.choice([0, 0, 0, 20, 255])
    return np.ascontiguousarray(picture, dtype=np.float32)
