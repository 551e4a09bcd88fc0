"""What is seen through a body: a chest radiograph, and an ultrasound sector."""

import cv2
import numpy as np

from models.experts.phantoms.drawing import (
    Phantom,
    away_from,
    ellipse,
    implant,
    metadata,
    shrunk,
    spread_out,
    texture,
    union,
)


def chest(random: np.random.Generator, contrast: float, side: int) -> Phantom:
    """A frontal radiograph in stored values, high shown bright: lung fields, heart, ribs; an opacity in one field.

    The lungs of the truth reach behind the heart; what of them is aerated does not.
    """
    trunk = ellipse(side, 0.5, 0.62, 0.46, 0.55)
    right = ellipse(side, 0.31, 0.47, 0.135, 0.29, random.uniform(-4, 4))
    left = ellipse(side, 0.69, 0.47, 0.125, 0.28, random.uniform(-4, 4))
    heart = ellipse(side, 0.55, 0.62, 0.13, 0.12, 20)
    aerated = (right | left) & away_from(heart, 0)

    values = np.full((side, side), 300.0, np.float32)
    values[trunk > 0] = 2600
    values[aerated > 0] = 1200
    values[heart > 0] = 2900
    values = cv2.GaussianBlur(values, (0, 0), side / 128)
    ribs = np.zeros((side, side), np.float32)
    for step in range(7):
        y = 0.16 + 0.09 * step
        for x, turn in ((0.3, 20), (0.7, -20)):
            centre, axes = (round(x * side), round((y + 0.08) * side)), (round(0.2 * side), round(0.09 * side))
            cv2.ellipse(ribs, centre, axes, turn, 190, 350, 1.0, max(2, side // 64))
    values += 110 * cv2.GaussianBlur(ribs, (0, 0), side / 200)
    values += 45 * texture(random, side, side / 64) + 25 * texture(random, side, 0.6)

    lesions = []
    if contrast > 0:
        field = shrunk(right if random.random() < 0.5 else left, 3) & aerated
        for lesion in spread_out(random, field, (random.uniform(0.035, 0.06),), 0.25):
            values = implant(values, lesion, contrast, +1, aerated)
            lesions.append(lesion)
    truth = {"lungs": right | left, "aerated": aerated, "lesion": union(lesions, side)}
    about = metadata("X-ray", "chest", side, 400.0, view="PA", orientation={"right": "patient left", "down": "feet"})
    return Phantom(values.astype(np.float32), "stored value", about, truth, "lesion")


def ultrasound(random: np.random.Generator, contrast: float, side: int) -> Phantom:
    """A sector of fully developed speckle on a log scale of 60 dB in 256 grey levels; hypoechoic lesions.

    The envelope is Rayleigh distributed, so its logarithm has a standard deviation of 5.6 dB wherever it is
    (Burckhardt, IEEE Trans Sonics Ultrason 25, 1978): contrast is in units of that.
    """
    fan = np.zeros((side, side), np.uint8)
    cv2.ellipse(fan, (side // 2, round(0.04 * side)), (round(0.88 * side),) * 2, 0, 50, 130, 1, -1)
    cv2.ellipse(fan, (side // 2, round(0.04 * side)), (round(0.12 * side),) * 2, 0, 0, 360, 0, -1)
    # Speckle is wider across the beam than along it.
    parts = [cv2.GaussianBlur(texture(random, side, 0), (0, 0), sigmaX=1.3, sigmaY=0.7) for _ in range(2)]
    envelope = np.hypot(parts[0], parts[1])
    decibel = 20 * np.log10(np.maximum(envelope / np.sqrt(np.mean(envelope**2)), 1e-3))
    down = np.linspace(0, 1, side, dtype=np.float32)[:, None]
    decibel = decibel - 6 * down

    lesions = []
    if contrast > 0:
        room = shrunk(fan, 4)
        for lesion in spread_out(random, room, tuple(random.uniform(0.035, 0.07, 2)), 0.2):
            decibel = implant(decibel.astype(np.float32), lesion, contrast, -1, fan)
            lesions.append(lesion)
    grey = np.clip(255 * (decibel + 48) / 60, 0, 255) * fan
    truth = {"sector": fan, "lesion": union(lesions, side)}
    return Phantom(
        grey.astype(np.float32), "stored value", metadata("ultrasound", "liver", side, 120.0), truth, "lesion"
    )
