"""The experts as torch modules: thresholds and kernels from physics and image science. Nothing is learnt.

Each takes an image (1, channels, rows, columns), float32, and gives maps (1, 1, rows, columns) in [0, 1] that mean what
`definitions` says: a score of 0.5 is the threshold of the rule.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.experts.export.focal import Focal, half_height, mirrored
from models.experts.export.layers import (
    GRID,
    Gaussian,
    between,
    closing,
    dilate,
    erode,
    from_grid,
    mask_from_grid,
    mean3,
    opening,
    ramp,
    to_grid,
    two_means,
)


class CtDensity(nn.Module):
    """Density bands in HU. Maps: air, high density, fat, lung, small dense focus, and the body they lie in."""

    AIR_HU, PURE_AIR_HU = -400.0, -1000.0
    HIGH_HU, CORTICAL_HU = 200.0, 1000.0
    FAT_HU, FAT_HALF_WIDTH_HU = -110.0, 80.0
    LUNG_HU, LUNG_HALF_WIDTH_HU = -725.0, 225.0
    FOCUS_HU, FOCUS_PX, FOCUS_SHARE = 130.0, 44, 0.1
    FOCUS_FRACTION, FOCUS_REACH_PX = 0.5, 4
    NEAR_LUNG_PX, LUNG_CELLS = 32, 5
    BODY_HU = -300.0

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        # Values below air mark pixels outside the scanner's field of view: they count as air.
        hu = torch.clamp(image, -1024.0, 3071.0)
        air = ramp(-closing(hu, 3), -self.AIR_HU, -self.PURE_AIR_HU)
        high = ramp(opening(hu, 3), self.HIGH_HU, self.CORTICAL_HU)
        band = self.FAT_HALF_WIDTH_HU - torch.abs(mean3(hu) - self.FAT_HU)
        # The blurred border between air and soft tissue passes through fat's band: it is narrow, so 5 px opens it away.
        fat = ramp(opening(band, 5), 0.0, self.FAT_HALF_WIDTH_HU)
        # Vessels in a lung are bridged; the border between gas and tissue is narrow and falls away.
        inflated = closing(self.LUNG_HALF_WIDTH_HU - torch.abs(to_grid(hu) - self.LUNG_HU), 3)
        inflated = opening(inflated, 3)
        lung = from_grid(ramp(inflated, 0.0, self.LUNG_HALF_WIDTH_HU), hu)
        # Gas in bowel can be as dense as lung, but is narrower.
        fields = opening((inflated >= 0).to(hu.dtype), self.LUNG_CELLS)
        cells = self.FOCUS_PX // GRID
        dense = to_grid((hu >= self.FOCUS_HU).to(hu.dtype))
        share = functional.conv2d(dense, torch.full((1, 1, cells, cells), 1.0 / cells**2), padding=cells // 2)
        # In lungs and beside them vessels and ribs, cut across, are as dense and as small.
        away = 1 - dilate(fields, 2 * (self.NEAR_LUNG_PX // GRID) + 1)
        alone = from_grid((share < self.FOCUS_SHARE).to(hu.dtype) * away, hu)
        # What is small is blurred: at a fixed HU it comes out the larger, the denser it is.
        peak = dilate(hu, 2 * self.FOCUS_REACH_PX + 1)
        edge = torch.clamp(self.FOCUS_FRACTION * peak, min=self.FOCUS_HU)
        focus = torch.clamp(0.5 * hu / edge, 0.0, 1.0) * (alone > 0.5).to(hu.dtype)
        body = (opening(hu[:, :, ::2, ::2], 3) > self.BODY_HU).to(hu.dtype)
        return air, high, fat, lung, focus, body


class CtLung(nn.Module):
    """On HU, 1 mm a px. Maps: soft tissue with lung on all sides, and the lungs with what lies so within them."""

    LUNG_HU, TISSUE_HU, SOFT_HU = (-950.0, -500.0), -300.0, 0.0
    FOCUS_HU = -400.0
    REACH_MM, NARROW_MM = 60, 5

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        hu = torch.clamp(image, -1024.0, 400.0)
        # A table is narrow, and a sleeve thin.
        tissue = (opening(hu[:, :, ::2, ::2], 5) > self.TISSUE_HU).to(hu.dtype)
        inside = between(tissue, "left", "right", "top", "bottom")
        grid = to_grid(hu)
        low, high = self.LUNG_HU
        lung = ((grid > low) & (grid < high)).to(hu.dtype) * (to_grid(from_grid(inside, hu)) > 0.5).to(hu.dtype)
        lung = opening(lung, 5)
        # The mediastinum has lung to its left and right, and none above and below it.
        reach = self.REACH_MM // GRID
        lungs = torch.minimum(closing(lung, (1, reach)), closing(lung, (reach, 1)))
        within = mask_from_grid(lungs, hu)
        return opening(ramp(mean3(hu), self.FOCUS_HU, self.SOFT_HU) * within, self.NARROW_MM), lungs


class LocalContrast(nn.Module):
    """Smoothed value against the mean of a wide neighbourhood, in units of the image's own deviation from it.

    A difference of Gaussians (Marr and Hildreth 1980) by normalised convolution (Knutsson and Westin 1993), so that
    background outside the foreground does not count as a neighbour.
    """

    NEIGHBOURHOOD_PX = 32.0

    def __init__(self, fine_px: float = 1.5) -> None:
        super().__init__()
        self.fine = Gaussian(fine_px)
        self.wide = Gaussian(self.NEIGHBOURHOOD_PX / 4)

    def forward(self, image: Tensor, foreground: Tensor) -> Tensor:
        """Deviation in multiples of 1.25 × the mean absolute deviation, which is the SD where it is Gaussian."""
        weight = to_grid(foreground)
        level = to_grid(image * foreground) / (weight + 1e-6)
        around = self.wide(level, weight)
        apart = torch.abs(level - around) * weight
        spread = 1.2533 * apart.sum() / (weight.sum() + 1e-6)
        return (self.fine.mean(image) - from_grid(around, image)) / (spread + 1e-6)


class MrSignal(nn.Module):
    """Maps: hyperintense, hypointense, and the foreground of signal well above the background's."""

    FOREGROUND = 0.4
    HYPERINTENSE = 1.75
    HYPOINTENSE = 1.25

    def __init__(self) -> None:
        super().__init__()
        self.contrast = LocalContrast()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        foreground = opening((mean3(image) > self.FOREGROUND * image.mean()).to(image.dtype), 5)
        z = self.contrast(image, foreground)
        hyper = ramp(opening(z, 3), self.HYPERINTENSE, 2 * self.HYPERINTENSE)
        hypo = ramp(opening(-z, 3), self.HYPOINTENSE, 2 * self.HYPOINTENSE)
        return hyper, hypo, foreground


class XrayTransmission(nn.Module):
    """On values as shown (high is bright). Map: darker field."""

    def __init__(self) -> None:
        super().__init__()
        self.smooth = Gaussian(2.0)

    def forward(self, image: Tensor) -> Tensor:
        threshold, dark, _ = two_means(to_grid(image))
        smooth = self.smooth.mean(image)
        return ramp(opening(-smooth, 7), -threshold, -dark + 1e-6)


class UltrasoundEcho(nn.Module):
    """On luma, 8 or 16 bits. Maps: hypoechoic, and the insonated sector that it is looked for in."""

    ECHO_GREY_LEVEL = 6.0
    FILLED = 0.6
    NOISE_GREY_LEVELS = 3.0
    LEAST = 3.0
    WIDE_PX = 24.0

    def __init__(self) -> None:
        super().__init__()
        self.focal = Focal(fine_px=2.0, wide_px=self.WIDE_PX)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        grey = image / torch.where(image.amax(dim=(1, 2, 3), keepdim=True) > 255.5, 257.0, 1.0)
        echo = to_grid((grey > self.ECHO_GREY_LEVEL).to(grey.dtype))
        # First what is thin is opened away (text, scales, bars: below 20 px at 256 px), then gaps of up to 16 px are
        # bridged: wider ones would join the sector to panels beside it. Text is sparse within a cell, speckle is not.
        sector = closing(opening((echo > self.FILLED).to(grey.dtype), 5), 5)
        inside = mask_from_grid(sector, grey)
        # What shows no echo at all is a hole in the sector, not outside it.
        whole = mask_from_grid(between(sector, "left", "right", "top", "bottom"), grey)
        weak = half_height(-self.focal(grey, inside) * whole, self.LEAST, 16)
        # Even fluid has noise; what is flat is the screen's background between sector and panels.
        noisy = (dilate(grey, 9) - erode(grey, 9) >= self.NOISE_GREY_LEVELS).to(grey.dtype)
        return opening(weak * noisy, 7), inside


class StainSeparation(nn.Module):
    """On RGB, 8 or 16 bits. Maps: haematoxylin, eosin; optical density (Beer, Lambert) unmixed by a 1 × 1 convolution.

    Ruifrok and Johnston, "Quantification of histochemical staining by color deconvolution", 2001: rows are the optical
    density vectors of haematoxylin, eosin and DAB in red, green and blue.
    """

    STAINS = ((0.65, 0.70, 0.29), (0.07, 0.99, 0.11), (0.27, 0.57, 0.78))
    HAEMATOXYLIN_OD = 0.3
    EOSIN_OD = 0.25

    unmix: Tensor

    def __init__(self) -> None:
        super().__init__()
        stains = torch.tensor(self.STAINS, dtype=torch.float64)
        stains = stains / stains.norm(dim=1, keepdim=True)
        self.register_buffer("unmix", torch.linalg.inv(stains).T.to(torch.float32).reshape(3, 3, 1, 1))
        self.smooth = Gaussian(2.0)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        white = torch.where(image.amax(dim=(1, 2, 3), keepdim=True) > 255.5, 65535.0, 255.0)
        transmitted = torch.clamp(image / white, 1 / 255, 1.0)
        density = torch.conv2d(-torch.log(transmitted) / 2.302585093, self.unmix)
        haematoxylin = opening(self.smooth.mean(density[:, 0:1]), 3)
        eosin = opening(self.smooth.mean(density[:, 1:2]), 3)
        return (
            ramp(haematoxylin, self.HAEMATOXYLIN_OD, 2 * self.HAEMATOXYLIN_OD),
            ramp(eosin, self.EOSIN_OD, 2 * self.EOSIN_OD),
        )


class PetUptake(nn.Module):
    """On SUVbw. Map: above 41 % of the way from the background to the local peak, where that peak is 2.5 or more."""

    SUV = 2.5
    FRACTION_OF_PEAK = 0.41

    def __init__(self) -> None:
        super().__init__()
        self.focal = Focal(fine_px=1.5, wide_px=16.0)

    def forward(self, image: Tensor) -> Tensor:
        body = (mean3(image) > 0.1).to(image.dtype)
        smooth, background, _ = self.focal.parts(image, body)
        # The peak is a mean of 4 × 4 px, so that noise alone does not make one.
        hot = dilate((to_grid(smooth) >= self.SUV).to(image.dtype), 7)
        return half_height(smooth - background, 0.5, 12, self.FRACTION_OF_PEAK) * mask_from_grid(hot, image)


class CountContrast(nn.Module):
    """On counts. Maps: locally count-rich region, and the foreground of counts above the background's."""

    FOREGROUND = 0.25
    RICH, PAIR_PX = 2.0, 3

    def __init__(self) -> None:
        super().__init__()
        self.contrast = LocalContrast(fine_px=1.5)
        self.smooth = Gaussian(2.0)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        counts = torch.clamp(image, min=0.0)
        smooth = self.smooth.mean(counts)
        foreground = (smooth > self.FOREGROUND * counts.mean()).to(counts.dtype)
        z = opening(self.contrast(counts, foreground), 3)
        # Bladder, spine, sternum and face are rich in counts, and lie astride the middle; kidneys and joints are pairs.
        other = mirrored(dilate(z, 2 * self.PAIR_PX + 1), foreground)
        return ramp(z - torch.relu(other) * (other > 0.5 * self.RICH), self.RICH, 2 * self.RICH), foreground


__all__ = [
    "CountContrast", "CtDensity", "MrSignal", "PetUptake", "StainSeparation", "UltrasoundEcho", "XrayTransmission",
]  # fmt: skip
