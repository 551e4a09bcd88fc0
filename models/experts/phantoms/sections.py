"""Slices through a body: CT of the abdomen, FLAIR MR of the head, PET."""

import cv2
import numpy as np

from models.experts.phantoms.drawing import (
    Phantom,
    away_from,
    ellipse,
    implant,
    metadata,
    shrunk,
    soft,
    spread_out,
    texture,
    union,
)

_AXIAL = {"plane": "axial", "orientation": {"right": "patient left", "down": "posterior"}}


def abdomen(random: np.random.Generator, contrast: float, side: int) -> Phantom:
    """CT in HU: fat, muscle, liver, spleen, bowel gas, spine, calcifications; hypodense lesions in liver and spleen.

    Densities as in Kalender, Computed Tomography, 3rd ed. 2011: fat -100, muscle 50, liver 60, bone 400 and above.
    """
    body = ellipse(side, 0.5, 0.5, 0.44, random.uniform(0.31, 0.35))
    inner = ellipse(side, 0.5, 0.5, 0.41, 0.28)
    liver = ellipse(side, 0.31, 0.45, 0.17, 0.18, random.uniform(-15, 15)) & inner
    spleen = ellipse(side, 0.75, 0.5, 0.1, 0.13, random.uniform(-20, 20)) & inner
    gas = union(
        [ellipse(side, random.uniform(0.48, 0.62), random.uniform(0.32, 0.4), 0.03, 0.022) for _ in range(2)], side
    )
    spine = ellipse(side, 0.5, 0.69, 0.065, 0.06)
    marrow = ellipse(side, 0.5, 0.69, 0.048, 0.043)

    values = np.full((side, side), -1000.0, np.float32)
    for mask, hounsfield in ((body, -100), (inner, 45), (liver, 60), (spleen, 55), (spine, 700), (marrow, 250)):
        values[mask > 0] = hounsfield
    values[gas > 0] = -850
    values = cv2.GaussianBlur(values, (0, 0), 0.6) + 6 * texture(random, side, 2.5) + 10 * texture(random, side, 0.7)

    truth = {"air": gas, "bone": spine}
    lesions = []
    if contrast > 0:
        for organ, radii in ((liver, random.uniform(0.022, 0.05, 2)), (spleen, random.uniform(0.02, 0.035, 1))):
            for lesion in spread_out(random, organ, tuple(radii), 0.25):
                values = implant(values, lesion, contrast, -1, organ)
                lesions.append(lesion)
    truth["lesion"] = union(lesions, side)
    muscle = shrunk(inner, 4) & away_from(liver | spleen | gas | spine, 3)
    calcifications = spread_out(random, muscle, tuple(random.uniform(0.008, 0.013, 2)), 0.2)
    for calcification in calcifications:
        values += random.uniform(350, 600) * soft(calcification)
    truth["calcification"] = union(calcifications, side)
    return Phantom(values.astype(np.float32), "HU", metadata("CT", "abdomen", side, 400.0, **_AXIAL), truth, "lesion")


def head(random: np.random.Generator, contrast: float, side: int) -> Phantom:
    """FLAIR MR in stored values: scalp, skull, grey and white matter, dark ventricles; hyperintense lesions.

    Magnitude images have Rician noise (Gudbjartsson and Patz, Magn Reson Med 34, 1995); a coil's gain changes slowly.
    """
    scalp = ellipse(side, 0.5, 0.5, 0.37, 0.45)
    skull = ellipse(side, 0.5, 0.5, 0.35, 0.43)
    brain = ellipse(side, 0.5, 0.5, 0.32, 0.4)
    white = ellipse(side, 0.5, 0.5, 0.26, 0.34)
    tilt = random.uniform(8, 16)
    ventricles = ellipse(side, 0.465, 0.48, 0.02, 0.09, tilt) | ellipse(side, 0.535, 0.48, 0.02, 0.09, -tilt)

    values = np.zeros((side, side), np.float32)
    for mask, signal in ((scalp, 420), (skull, 40), (brain, 330), (white, 280), (ventricles, 60)):
        values[mask > 0] = signal
    values = cv2.GaussianBlur(values, (0, 0), 0.8)
    values += 9 * texture(random, side, 3.0) * brain
    lesions = []
    if contrast > 0:
        free = shrunk(white, 2) & away_from(ventricles, 4)
        # The noise comes after the lesions: what surrounds them holds both.
        noisy = values + 10 * texture(random, side, 0)
        for lesion in spread_out(random, free, tuple(random.uniform(0.02, 0.045, 3)), 0.3):
            values += implant(noisy, lesion, contrast, +1, free) - noisy
            lesions.append(lesion)
    down, across = np.mgrid[-1 : 1 : complex(side), -1 : 1 : complex(side)].astype(np.float32)
    gain = 1 + random.uniform(-0.12, 0.12) * across + random.uniform(-0.12, 0.12) * down
    values = np.hypot(values * gain + 10 * texture(random, side, 0), 10 * texture(random, side, 0))
    truth = {"ventricles": ventricles, "brain": brain, "lesion": union(lesions, side)}
    return Phantom(
        values.astype(np.float32), "stored value", metadata("MR", "brain", side, 230.0, **_AXIAL), truth, "lesion"
    )


def uptake(random: np.random.Generator, contrast: float, side: int) -> Phantom:
    """PET in SUVbw: a trunk of background uptake 1 with lungs of 0.4, as noisy as a short scan; foci of uptake.

    The noise is so strong that a focus at a contrast of 3 stands near SUV 2.8, where the field's rules begin.
    """
    body = ellipse(side, 0.5, 0.5, 0.42, 0.3)
    lungs = ellipse(side, 0.33, 0.47, 0.11, 0.16) | ellipse(side, 0.67, 0.47, 0.11, 0.16)
    level = np.zeros((side, side), np.float32)
    level[body > 0] = 1.0
    level[lungs > 0] = 0.4
    values = cv2.GaussianBlur(level, (0, 0), 1.2) * (1 + 0.6 * texture(random, side, 1.0))
    lesions = []
    if contrast > 0:
        room = shrunk(body, 4) & away_from(lungs, 4)
        for lesion in spread_out(random, room, tuple(random.uniform(0.02, 0.04, 3)), 0.1):
            values = implant(values, lesion, contrast, +1, body)
            lesions.append(lesion)
    truth = {"body": body, "lesion": union(lesions, side)}
    about = metadata("PET", "chest", side, 500.0, **_AXIAL)
    return Phantom(np.maximum(values, 0).astype(np.float32), "SUVbw", about, truth, "lesion")
