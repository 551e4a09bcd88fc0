"""Whole slides: tiles with tissue of one level of a pyramid, and never the pictures of the slide's label.

A scanner photographs the whole glass slide too: its label holds names. Such images and pages are not even decoded.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffPage

from models.imaging import windows
from models.imaging.burned_in import NOT_SUSPECTED, BurnedInPolicy, Cleaner
from models.imaging.colour import to_srgb
from models.imaging.errors import CorruptHeader, SlideLabel, UnsupportedPixels, failing_as
from models.imaging.frames import Frame, Source, frame_of
from models.imaging.header import Header
from models.imaging.limits import check_size
from models.imaging.policy import FramePolicy
from models.imaging.quantities import Quantities, plain
from models.imaging.tiff import Pages, picture_of, profile_of
from schemas.failures import InvalidInput
from schemas.images import ImageMetadata, Modality, Spacing
from schemas.limits import DEFAULT_LIMITS, Limits

TARGET_MPP = 1.0
"""µm per pixel to read at, about that of a ×10 objective: nuclei and glands are both seen."""
TILE = 512
"""px; the side of a frame is this, or the whole multiple of the file's own tiles nearest to it."""
MOST_TILES_LOOKED_AT = 4096
"""Bound on the tiles that are decoded to look for tissue where no small level shows where it is."""

_WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
_TILED = {_WHOLE_SLIDE, "1.2.840.10008.5.1.4.1.1.77.1.9"}  # Confocal Microscopy Tiled Pyramidal
_ASSUMED_MPP = 0.25
_SMALL = 2**22
_ASPECT = 0.02
_SATURATED, _ENOUGH = 18, 0.05
"""Difference of the brightest and darkest colour (of 255) that glass does not have, and the part of a tile with it."""
_NAMED_MPP = (
    ("Aperio MPP", re.compile(r"\|\s*MPP\s*=\s*(\d+(?:\.\d+)?)")),
    ("OME PhysicalSizeX", re.compile(r"\bPhysicalSizeX=\"(\d+(?:\.\d+)?)\"(?![^>]*PhysicalSizeXUnit=\"(?!µm|um))")),
)
_MICRONS = {2: 25_400.0, 3: 10_000.0}  # ResolutionUnit: inch, centimetre


def refuse_labels(header: Header) -> None:
    """Refuse what shows a slide's label, or may (PS3.3 C.8.12.4.1.1, Image Type; C.8.12.4, Specimen Label in Image).

    Raises:
        SlideLabel.
    """
    if header.text("SOPClassUID") not in _TILED:
        return
    flavours = set(header.words("ImageType")[2:3])
    if flavours & {"LABEL", "OVERVIEW", "THUMBNAIL"} or header.text("SpecimenLabelInImage") == "YES":
        raise SlideLabel


def choose_tiles(
    header: Header, policy: FramePolicy, total: int, quantities: Callable[[int], Quantities]
) -> tuple[int, ...]:
    """Frames of a DICOM object to take: of a tiled slide those with tissue, of others what the policy says."""
    if header.text("SOPClassUID") not in _TILED or total == 1:
        return tuple(policy.choose(total))

    def wanted(index: int) -> bool:
        try:
            return shows_tissue(quantities(index).stored)
        except InvalidInput:
            return True  # to be refused by itself, and seen

    return policy.choose_among(total, wanted, MOST_TILES_LOOKED_AT)


def shows_tissue(stored: NDArray[np.uint8 | np.uint16]) -> bool:
    """Whether enough of an RGB tile is coloured as stained tissue is, and glass is not."""
    return stored.ndim == 3 and float(_tissue(stored).mean()) >= _ENOUGH


def _tissue(stored: NDArray[np.uint8 | np.uint16]) -> NDArray[np.bool_]:
    scale = 257 if stored.dtype == np.uint16 else 1
    return stored.max(axis=2) - stored.min(axis=2) >= _SATURATED * scale


def levels_of(pages: Pages, limits: Limits = DEFAULT_LIMITS) -> tuple[TiffPage, ...]:
    """The levels of a TIFF file that is a slide, the largest first; empty where it is none.

    A slide is what a known scanner wrote, and what holds reduced copies of a tiled page, or one beyond the size of a
    frame. Only tiled pages of the largest one's shape are levels: label, macro and thumbnail are others.
    """
    with failing_as(CorruptHeader()):
        tiled = [page for page in pages.all if page.is_tiled and page.jpegheader is None]
        if not tiled:
            if any(page.jpegheader is not None for page in pages.all):
                raise UnsupportedPixels("the file is a slide of the NDPI format")
            return ()
        base = max(tiled, key=_area)
        below = [page for page in base.pages or () if isinstance(page, TiffPage)]
        levels = [page for page in (*tiled, *below) if page is not base and page.is_tiled and _reduces(page, base)]
        file = pages.file
        scanned = any((file.is_svs, file.is_scn, file.is_bif, file.is_philips))
        if not levels and not scanned and _area(base) <= limits.pixels:
            return ()
        return (base, *sorted(levels, key=_area, reverse=True))


def _area(page: TiffPage) -> int:
    return page.imagewidth * page.imagelength


def _reduces(page: TiffPage, base: TiffPage) -> bool:
    across, down = page.imagewidth / base.imagewidth, page.imagelength / base.imagelength
    return across < 0.9 and abs(across - down) <= _ASPECT * across + 2 / base.imagelength


@dataclass(frozen=True, slots=True)
class Grid:
    """The tiles of a level that become frames, row by row from the top left."""

    rows: int
    columns: int
    height: int
    width: int

    @property
    def across(self) -> int:
        return -(-self.columns // self.width)

    @property
    def total(self) -> int:
        return self.across * -(-self.rows // self.height)

    def place(self, index: int) -> tuple[int, int, int, int]:
        """Top, left, rows and columns of a tile, cut off at the level's edges."""
        top, left = (
            part * side for part, side in zip(divmod(index, self.across), (self.height, self.width), strict=True)
        )
        return top, left, min(self.height, self.rows - top), min(self.width, self.columns - left)


def grid_of(levels: tuple[TiffPage, ...]) -> tuple[TiffPage, Grid]:
    """The level of a slide that is read, that nearest to TARGET_MPP, and its tiles. Raises CorruptHeader."""
    with failing_as(CorruptHeader()):
        _, base_mpp = _mpp(levels[0])
        level = min(levels, key=lambda page: abs(math.log(_scaled(page, levels[0], base_mpp) / TARGET_MPP)))
        return level, Grid(level.imagelength, level.imagewidth, _side(level.tilelength), _side(level.tilewidth))


def open_slide(
    pages: Pages,
    levels: tuple[TiffPage, ...],
    policy: FramePolicy,
    limits: Limits = DEFAULT_LIMITS,
    burned_in: BurnedInPolicy | None = None,
) -> Source:
    """A pyramidal TIFF file: each tile with tissue, of the level nearest to TARGET_MPP, is a frame.

    Tiles that the policy or their emptiness leaves out count as skipped.

    Raises:
        TruncatedFile, CorruptHeader, CorruptPixels, UnsupportedPixels, TooLarge.
    """
    with failing_as(CorruptHeader()):
        source, base_mpp = _mpp(levels[0])
        level, grid = grid_of(levels)
        pages.check(level)
        check_size(grid.height, grid.width, grid.total, limits)
    spacing = None
    if base_mpp is not None:
        spacing = Spacing(
            row_mm=base_mpp * levels[0].imagelength / level.imagelength / 1000,
            column_mm=base_mpp * levels[0].imagewidth / level.imagewidth / 1000,
            source=source,
        )
    file = pages.file
    modality: Modality = "histopathology" if file.is_svs or file.is_scn or file.is_bif or file.is_philips else "unknown"
    metadata = ImageMetadata(
        source_format="TIFF",
        modality=modality,
        spacing=spacing,
        frames_in_object=grid.total,
        lossy_compression=True if int(level.compression) == 7 else None,
    )

    def quantities(index: int) -> Quantities:
        picture = picture_of(level, pages.region(level, *grid.place(index)))
        stored = np.ascontiguousarray(picture.samples, picture.samples.dtype.newbyteorder("="))
        if stored.dtype.kind != "u" or stored.dtype.itemsize > 2:
            raise UnsupportedPixels("the slide's samples are not of 8 or 16 bits")
        stored = to_srgb(stored, profile_of(level))
        return replace(plain(stored, windows.of_picture(stored)), inverted=picture.inverted)

    cleaner = Cleaner(NOT_SUSPECTED, burned_in, grid.total, quantities)

    def decode(index: int) -> Frame:
        return frame_of(index, quantities(index), metadata)

    overview = _tissue_map(pages, levels)

    def wanted(index: int) -> bool:
        if overview is None:
            return shows_tissue(quantities(index).stored)
        top, left, rows, columns = grid.place(index)
        down, across = overview.shape[0] / grid.rows, overview.shape[1] / grid.columns
        y, x = int(top * down), int(left * across)
        part = overview[y : max(y + 1, round((top + rows) * down)), x : max(x + 1, round((left + columns) * across))]
        return part.size > 0 and float(part.mean()) >= _ENOUGH

    most = MOST_TILES_LOOKED_AT if overview is None else grid.total
    return Source(
        frames_total=grid.total,
        taken=policy.choose_among(grid.total, wanted, most),
        decode=decode,
        clean=cleaner.clean,
    )


def _side(tile: int) -> int:
    if tile < 1:
        raise CorruptHeader
    return tile * max(1, round(TILE / tile))


def _scaled(page: TiffPage, base: TiffPage, base_mpp: float | None) -> float:
    return (base_mpp or _ASSUMED_MPP) * base.imagewidth / page.imagewidth


def _mpp(page: TiffPage) -> tuple[str, float | None]:
    """µm per pixel of a page and what tells it."""
    for source, pattern in _NAMED_MPP:
        if (found := pattern.search(page.description)) and 0.01 < (mpp := float(found[1])) < 100:
            return source, mpp
    unit, across = (page.tags.valueof(name) for name in ("ResolutionUnit", "XResolution"))
    if unit is not None and isinstance(across, tuple) and len(across) == 2 and all(across):
        mpp = _MICRONS.get(int(unit), 0.0) * across[1] / across[0]
        # What a printer is told (72 dpi: 353 µm) is no magnification.
        if 0.01 < mpp < 20:
            return "TIFF XResolution", mpp
    return "", None


def _tissue_map(pages: Pages, levels: tuple[TiffPage, ...]) -> NDArray[np.bool_] | None:
    """Where the smallest level has tissue, (rows, columns); None where it is too large to look at as a whole."""
    page = levels[-1]
    if _area(page) > _SMALL:
        return None
    pages.check(page)
    samples = picture_of(page, pages.region(page, 0, 0, page.imagelength, page.imagewidth)).samples
    return _tissue(samples) if samples.ndim == 3 else np.ones(samples.shape, np.bool_)
