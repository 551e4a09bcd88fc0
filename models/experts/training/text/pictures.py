"""Pictures with text, and where it is, drawn by seed: what the finder of text lines is trained on."""

import functools
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from models.experts.training.text.backgrounds import SIDE, background, furniture

SMALLEST, LARGEST = 6, 30
"""Height of capitals, px."""
FACES = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_PLAIN,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_COMPLEX_SMALL,
)
WORDS = (
    "name", "patient", "hospital", "clinic", "date", "time", "left", "right", "study", "series", "image", "depth",
    "gain", "freq", "probe", "power", "frame", "rate", "adult", "echo", "cardiac", "abdomen", "breast", "thyroid",
    "renal", "liver", "spleen", "portable", "supine", "erect", "view", "ap", "pa", "lat", "oblique", "kv", "mas",
    "dose", "exposure", "mr", "ct", "us", "xr", "scan", "slice", "thick", "window", "level", "zoom", "compressed",
    "lossy", "general", "university", "medical", "center", "radiology", "dr", "prof", "john", "mary", "anna", "peter",
    "smith", "johnson", "williams", "garcia", "martinez", "lee", "kim", "nguyen", "mueller", "schmidt", "ivanov",
    "rossi", "silva", "kowalski", "andersson", "dubois", "yilmaz", "cohen", "patel", "singh", "okafor", "tanaka",
    "born", "female", "male", "years", "age", "id", "mrn", "acc", "no", "of", "total", "cm", "mm", "mhz", "hz", "fps",
    "db", "bpm", "map", "preset", "harmonic", "colour", "doppler", "pulse", "wave", "velocity", "index", "mean",
    "max", "min", "area", "volume", "length", "dist", "angle",
)  # fmt: skip
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ALL = LETTERS + "0123456789" * 3 + ".,:;-/()^+*#%&'\"=<>@_[]?!"


@functools.cache
def fonts() -> tuple[str, ...]:
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    return tuple(
        sorted(
            str(p)
            for p in folder.glob("*.ttf")
            if not p.name.startswith(("cm", "STIXNonUni", "STIXSiz")) and "Display" not in p.name
        )
    )


@functools.lru_cache(maxsize=512)
def face(path: str, points: int) -> Any:
    if path == "aileron":
        return ImageFont.load_default(points)
    return ImageFont.truetype(path, points)


def text_of(r: np.random.Generator) -> str:
    kind = r.random()
    if kind < 0.12:
        return str(
            r.choice(
                [
                    "L",
                    "R",
                    "LT",
                    "RT",
                    "AP",
                    "PA",
                    "A",
                    "P",
                    "H",
                    "F",
                    "S",
                    "I",
                    "LEFT",
                    "RIGHT",
                    "V",
                    "M",
                    "B",
                    "0",
                    "5",
                ]
            )
        )
    if kind < 0.35:
        a, b, c = r.integers(1, 32), r.integers(1, 13), r.integers(1930, 2030)
        forms = [
            f"{a:02}/{b:02}/{c}",
            f"{c}-{b:02}-{a:02}",
            f"{a:02}.{b:02}.{c}",
            f"{a:02}:{b * 4:02}:{a:02}",
            f"{c}{b:02}{a:02}",
            f"{a}.{b}",
            f"{a / 10:.1f} cm",
            f"{b}.{a}MHz",
            f"{a}/{c % 100}",
            f"{a}",
            f"-{a}.{b}",
            f"{c % 300} bpm",
            f"{a}%",
            f"#{c}{a}",
        ]
        return str(r.choice(forms))
    if kind < 0.5:
        return "".join(r.choice(list(ALL), r.integers(2, 16)))
    words = list(r.choice(WORDS, r.integers(1, 4)))
    style = r.random()
    if style < 0.4:
        words = [w.upper() for w in words]
    elif style < 0.85:
        words = [w.title() for w in words]
    if r.random() < 0.3:
        words.append(str(r.integers(0, 10 ** int(r.integers(1, 8)))))
    return str(r.choice([" ", " ", ", ", "^", ": ", "-", "_"])).join(words)[:24]


def ink_of(r: np.random.Generator, text: str, cap: float) -> np.ndarray:
    """Ink 0 to 1, cut to its extent."""
    kind = r.random()
    if kind < 0.25:
        f = FACES[r.integers(len(FACES))]
        base = cv2.getTextSize("H", f, 1, 1)[0][1]
        scale, weight = cap / base, max(1, round(cap / r.uniform(6, 18)))
        w = cv2.getTextSize(text, f, scale, weight)[0][0] + round(4 * cap) + 8
        ink = np.zeros((round(4 * cap) + 8, w), np.uint8)
        cv2.putText(
            ink,
            text,
            (round(cap) + 2, round(2.5 * cap)),
            f,
            scale,
            255,
            weight,
            cv2.LINE_AA if r.random() < 0.8 else cv2.LINE_8,
        )
    elif kind < 0.4:
        times = max(1, round(cap / 7))
        f = ImageFont.load_default_imagefont()
        img = Image.new("L", (8 * len(text) + 8, 20))
        ImageDraw.Draw(img).text((3, 3), text, fill=255, font=f)
        ink = np.asarray(img).repeat(times, 0).repeat(times, 1)
        s = cap / (7 * times)
        if r.random() < 0.3:
            ink = cv2.resize(ink, None, fx=s, fy=s, interpolation=cv2.INTER_LINEAR)
    else:
        path = "aileron" if kind < 0.5 else str(r.choice(fonts()))
        f = face(path, max(6, round(cap / 0.72)))
        img = Image.new("L", (int(f.getlength(text)) + round(2 * cap) + 8, round(4 * cap) + 8))
        d = ImageDraw.Draw(img)
        d.fontmode = "L" if r.random() < 0.85 else "1"
        d.text((round(cap), round(cap / 2)), text, fill=255, font=f, stroke_width=int(r.random() < 0.08 and cap > 12))
        ink = np.asarray(img)
    if r.random() < 0.4:  # narrow and wide faces
        ink = cv2.resize(ink, None, fx=r.uniform(0.65, 1.3), fy=1, interpolation=cv2.INTER_LINEAR)
    rows, columns = np.nonzero(ink > 30)
    if rows.size < 3:
        return np.zeros((0, 0), np.float32)
    return ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].astype(np.float32) / 255


def sample(r: np.random.Generator, drawn: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """A picture, uint8 (SIDE, SIDE, 3), and truth, uint8 (2, SIDE, SIDE): whole lines, their middles; 2: not asked."""
    picture = background(r, drawn)
    for _ in range(r.integers(0, 4) if r.random() < 0.4 else 0):
        furniture(r, picture)
    truth = np.zeros((2, SIDE, SIDE), np.uint8)
    lines = 0 if r.random() < 0.25 else int(r.integers(1, 9))
    block = r.random() < 0.3  # of lines, one below another
    cap = float(np.exp(r.uniform(np.log(SMALLEST), np.log(LARGEST))))
    turn = int(r.choice([0, 1, 3, 2], p=[0.7, 0.17, 0.1, 0.03]))
    x0, y0 = r.integers(0, 200), r.integers(0, 200)
    taken = np.zeros((SIDE, SIDE), bool)
    ink_level = None
    for _ in range(lines):
        if not block:
            cap = float(np.exp(r.uniform(np.log(SMALLEST), np.log(LARGEST))))
            turn = int(r.choice([0, 1, 3, 2], p=[0.7, 0.17, 0.1, 0.03]))
        ink = ink_of(r, text_of(r), cap)
        if not ink.size:
            continue
        if r.random() < 0.02:
            ink = ink[:, ::-1]
        if r.random() < 0.04:
            pad = int(ink.shape[1] * 0.06) + 2
            ink = cv2.copyMakeBorder(np.ascontiguousarray(ink), pad, pad, 2, 2, cv2.BORDER_CONSTANT)
            m = cv2.getRotationMatrix2D((ink.shape[1] / 2, ink.shape[0] / 2), float(r.uniform(-6, 6)), 1)
            ink = cv2.warpAffine(ink, m, ink.shape[1::-1])
        ink = np.rot90(ink, turn)
        h, w = ink.shape
        if block and turn % 2 == 0:
            y, x = y0, x0
            y0 += round(h * r.uniform(1.05, 1.8))
        else:
            y, x = (int(r.integers(-h // 3, SIDE - h // 2)), int(r.integers(-w // 3, max(SIDE - w // 2, 1))))
            if r.random() < 0.2:
                y = int(r.choice([r.integers(-2, 6), SIDE - h - r.integers(-2, 6)]))
        t, le, b, rt = max(y, 0), max(x, 0), min(y + h, SIDE), min(x + w, SIDE)
        if b - t < 5 or rt - le < 4 or taken[t:b, le:rt].any():
            continue
        pad = 2
        taken[max(0, t - pad) : b + pad, max(0, le - pad) : rt + pad] = True
        alpha = ink[t - y : b - y, le - x : rt - x]
        part = picture[t:b, le:rt]
        before = part.copy()
        style = r.random()
        middle = np.median(part, axis=(0, 1))
        grow = max(1, round(0.3 * cap))
        around = np.s_[max(0, t - grow) : b + grow, max(0, le - grow) : rt + grow]
        if ink_level is None or not block:
            ink_level = np.full(3, 255.0)
            pick = r.random()
            if pick < 0.3:
                ink_level = np.full(3, float(r.choice([255, 255, 240, 220, 200])))
            elif pick < 0.45:
                ink_level = np.full(3, float(r.choice([0, 0, 10, 40])))
            elif pick < 0.75:
                far = r.uniform(22, 110) * r.choice([-1, 1])
                ink_level = np.full(3, np.clip(middle.mean() + far, 0, 255))
            else:
                ink_level = r.uniform(0, 255, 3)
                ink_level[r.integers(3)] = r.choice([0, 255])
        if style < 0.15:  # on a box
            box = r.choice([0, 0, 255, 60]) if r.random() < 0.8 else r.uniform(0, 255, 3)
            picture[around] = box
            ink_level = (
                ink_level
                if abs(np.mean(ink_level) - np.mean(box)) > 40
                else np.full(3, 255.0 if np.mean(box) < 128 else 0.0)
            )
        elif style < 0.25:  # outlined, or with a shadow
            edge = 0.0 if ink_level.mean() > 128 else 255.0
            if r.random() < 0.5:
                halo = cv2.dilate(np.ascontiguousarray(alpha), np.ones((3, 3), np.uint8))
            else:
                halo = np.roll(np.roll(alpha, 1, 0), 1, 1)
            part[...] = part + (edge - part) * halo[..., None]
        share = alpha * (r.uniform(0.35, 0.8) if style > 0.82 else 1)
        part = picture[t:b, le:rt]
        part[...] = part + (ink_level - part) * share[..., None]
        behind = before if style >= 0.15 else np.zeros_like(before) + picture[around].reshape(-1, 3)[0]
        solid = alpha > 0.5
        seen = np.abs(part - behind).max(2)[solid].mean() if solid.any() else 0
        kind = 1 if seen >= 18 else 2
        truth[0, t:b, le:rt] = kind
        down, across = (round(0.25 * h), round(0.12 * h)) if turn % 2 == 0 else (round(0.12 * w), round(0.25 * w))
        # of what is cut off by the edge of the picture, the rest counts
        ct, cl, cb, cr = (max(0, y + down), max(0, x + across), min(y + h - down, SIDE), min(x + w - across, SIDE))
        truth[1, t:b, le:rt] = 2 if kind == 2 else 0
        if kind == 1 and cb > ct and cr > cl:
            truth[1, ct:cb, cl:cr] = 1
    after = r.random()
    if after < 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), r.uniform(0.3, 0.9))
    if after > 0.6:
        picture = picture + r.normal(0, r.uniform(1, 10), picture.shape[:2])[..., None]
    picture = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    if r.random() < 0.3:
        file = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(r.integers(40, 96))])[1]
        picture = cv2.imdecode(file, cv2.IMREAD_COLOR)
    if r.random() < 0.5:
        picture = 255 - picture if r.random() < 0.3 else picture
    if r.random() < 0.6:
        picture = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None].repeat(3, 2)
    return picture, truth


def batches(seed: int, size: int, drawn: list[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for number in itertools.count():
        r = np.random.default_rng((seed, number))
        pairs = [sample(r, drawn) for _ in range(size)]
        yield np.stack([p for p, _ in pairs]), np.stack([t for _, t in pairs])
