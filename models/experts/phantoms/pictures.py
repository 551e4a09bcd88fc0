"""What is seen by visible light: stained tissue, skin, retina, mucosa, cells. Values are sRGB levels, 0 to 255."""

import cv2
import numpy as np
import numpy.typing as npt

from models.experts.phantoms.drawing import (
    BinaryImage,
    FloatImage,
    Phantom,
    away_from,
    blob,
    ellipse,
    implant,
    metadata,
    shrunk,
    soft,
    spread_out,
    texture,
    union,
)

_HAEMATOXYLIN, _EOSIN = np.array([0.65, 0.70, 0.29]), np.array([0.07, 0.99, 0.11])
"""Optical density per channel, Ruifrok and Johnston, Anal Quant Cytol Histol 23, 2001."""


def _levels(values: npt.NDArray[np.floating]) -> FloatImage:
    return np.clip(np.round(values), 0, 255).astype(np.float32)


def histopathology(random: np.random.Generator, contrast: float, side: int) -> Phantom:
    """Haematoxylin and eosin: nuclei (the lesions, as what is at the contrast asked) on textured eosin."""
    eosin = np.clip(0.32 + 0.06 * texture(random, side, 4) + 0.02 * texture(random, side, 0.8), 0.02, None)
    blue = np.clip(0.1 + 0.035 * texture(random, side, 2), 0, None).astype(np.float32)
    everywhere = np.ones((side, side), np.uint8)
    nuclei: list[BinaryImage] = []
    if contrast > 0:
        nuclei = spread_out(random, everywhere, tuple(random.uniform(0.016, 0.03, 30)), 0.15)
        for nucleus in nuclei:
            blue = implant(blue, nucleus, contrast * random.uniform(1.0, 1.4), +1, everywhere)
            blue += 0.04 * texture(random, side, 1.2) * soft(nucleus)
    density = np.clip(blue, 0, None)[..., None] * _HAEMATOXYLIN + eosin[..., None] * _EOSIN
    values = 245 * 10**-density + 2.5 * random.standard_normal((side, side, 3))
    truth = {"nuclei": union(nuclei, side)}
    return Phantom(_levels(values), "grey level", metadata("histopathology", "colon", side, 0.128), truth, "nuclei")


def dermoscopy(random: np.random.Generator, contrast: float, side: int) -> Phantom:
    """Skin with pores, hairs and uneven light; one pigmented lesion with an irregular border."""
    skin = np.array([205.0, 160.0, 140.0])
    shade = 6 * texture(random, side, side / 12) + 5 * texture(random, side, 1.5) + 3 * texture(random, side, 0)
    lesions: list[BinaryImage] = []
    dark = shade.astype(np.float32)
    everywhere = np.ones((side, side), np.uint8)
    if contrast > 0:
        x, y = random.uniform(0.4, 0.6, 2)
        lesion = blob(random, side, x, y, random.uniform(0.14, 0.22), 0.3)
        dark = implant(dark, lesion, contrast, -1, everywhere)
        dark += 5 * texture(random, side, 3) * soft(lesion)
        lesions.append(lesion)
    # Melanin absorbs blue more than red.
    values = skin + dark[..., None] * np.array([0.9, 1.05, 1.1])
    hairs = np.zeros((side, side), np.uint8)
    for _ in range(4):
        start, bend, end = (random.uniform(0, side, 2) for _ in range(3))
        along = np.linspace(0, 1, 60)[:, None]
        curve = (1 - along) ** 2 * start + 2 * along * (1 - along) * bend + along**2 * end
        cv2.polylines(hairs, [np.round(curve).astype(np.int32)], False, 1, 1, cv2.LINE_AA)
    values = np.where(hairs[..., None] > 0, 0.4 * values, values)
    return Phantom(
        _levels(values), "grey level", metadata("dermoscopy", "skin", side, 20.0), {"lesion": union(lesions, side)},
        "lesion",
    )  # fmt: skip


def fundus(random: np.random.Generator, contrast: float, side: int) -> Phantom:
    """A retina within its round field: optic disc, vessels, macula; bright and dark spots as lesions."""
    field = ellipse(side, 0.5, 0.5, 0.47, 0.47)
    hand = 1 if random.random() < 0.5 else -1
    disc_at = (0.5 + 0.27 * hand, 0.5)
    disc = ellipse(side, *disc_at, 0.06, 0.066)
    vessels = np.zeros((side, side), np.uint8)
    width = max(1, side // 100)
    for tilt in (-1.0, 1.0):
        for spread in (0.24, 0.36):
            angle = np.linspace(0, 1, 80)
            x = disc_at[0] - hand * 0.62 * angle
            y = disc_at[1] + tilt * (spread * np.sin(np.pi * angle * 0.62) + 0.03 * random.normal() * angle)
            points = np.round(np.stack([x, y], 1) * side).astype(np.int32)
            cv2.polylines(vessels, [points], False, 1, width + (1 if spread == 0.24 else 0))
    vessels &= field
    green = 95 + 8 * texture(random, side, side / 10) + 3 * texture(random, side, 1.5) + 2 * texture(random, side, 0)
    macula = soft(ellipse(side, 0.5 - 0.08 * hand, 0.5, 0.09, 0.09), side / 40)
    green = (green - 18 * macula - 34 * soft(vessels, 0.8)).astype(np.float32)
    green += 95 * soft(disc, 1.5) * (1 - 0.5 * soft(vessels, 0.8))
    bright: list[BinaryImage] = []
    dark: list[BinaryImage] = []
    if contrast > 0:
        room = shrunk(field, 7) & away_from(vessels | disc, 3)
        room &= away_from(ellipse(side, 0.5 - 0.08 * hand, 0.5, 0.1, 0.1), 0)
        spots = spread_out(random, room, tuple(random.uniform(0.014, 0.026, 6)), 0.3)
        bright, dark = spots[::2], spots[1::2]
        for spot in bright:
            green = implant(green, spot, contrast, +1, room)
        for spot in dark:
            green = implant(green, spot, contrast, -1, room)
    values = np.stack([165 + 0.55 * (green - 95), green, 40 + 0.3 * (green - 95)], axis=2) * field[..., None]
    spots_truth = union([*bright, *dark], side)
    truth = {
        "optic disc": disc, "vessels": vessels & (1 - disc), "bright spots": union(bright, side),
        "dark spots": union(dark, side), "lesion": spots_truth,
    }  # fmt: skip
    about = metadata("fundus photography", "retina", side)
    return Phantom(_levels(values), "grey level", about, truth, "lesion")


def endoscopy(random: np.random.Generator, contrast: float, side: int) -> Phantom:
    """Mucosa lit from the scope, with a dark lumen, specular highlights and a reddened elevated lesion."""
    down, across = np.mgrid[0 : 1 : complex(side), 0 : 1 : complex(side)].astype(np.float32)
    x, y = random.uniform(0.35, 0.65, 2)
    light = 1 - 0.75 * np.exp(-((across - x) ** 2 + (down - y) ** 2) / 0.02)
    folds = 0.05 * np.sin(2 * np.pi * (6 * np.hypot(across - x, down - y) + random.uniform()))
    light = light * (1 + folds) + 0.02 * texture(random, side, 3)
    red = 0.02 * texture(random, side, 2) + 0.01 * texture(random, side, 0)
    lumen = ellipse(side, x, y, 0.16, 0.16)
    lesions: list[BinaryImage] = []
    if contrast > 0:
        room = away_from(lumen, 0)
        for lesion in spread_out(random, room, (random.uniform(0.07, 0.11),), 0.15):
            red = implant(red.astype(np.float32), lesion, contrast, +1, room)
            lesions.append(lesion)
    highlights = union(spread_out(random, away_from(lumen, 0), tuple(random.uniform(0.016, 0.023, 3)), 0.4), side)
    # Redness takes from green and blue, as haemoglobin does.
    values = np.stack([195 * light, 105 * light * (1 - 2 * red), 90 * light * (1 - 2 * red)], axis=2)
    values = values + (255 - values) * soft(highlights, 0.6)[..., None] + 1.5 * random.standard_normal(values.shape)
    truth = {"highlights": highlights, "lumen": lumen, "lesion": union(lesions, side)}
    return Phantom(_levels(values), "grey level", metadata("endoscopy", "colon", side), truth, "lesion")


def microscopy(random: np.random.Generator, contrast: float, side: int) -> Phantom:
    """Fluorescent cells on a dark field with uneven background, shot and read noise."""
    field = (30 + 5 * texture(random, side, side / 8) + 4 * texture(random, side, 0)).astype(np.float32)
    everywhere = np.ones((side, side), np.uint8)
    cells: list[BinaryImage] = []
    if contrast > 0:
        cells = spread_out(random, everywhere, tuple(random.uniform(0.02, 0.04, 20)), 0.15)
        for cell in cells:
            field = implant(field, cell, contrast * random.uniform(1.0, 1.5), +1, everywhere)
            field += 1.5 * texture(random, side, 2) * soft(cell)
    about = metadata("microscopy", "other", side, 0.166)
    return Phantom(_levels(field), "grey level", about, {"cells": union(cells, side)}, "cells")
