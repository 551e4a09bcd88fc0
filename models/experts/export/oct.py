"""The retina in B-scans of optical coherence tomography, as a torch module. Nothing is learnt."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.experts.export.layers import closing, dilate, erode, opening, to_grid, two_means
from models.experts.export.pictures import levels


def along(image: Tensor, sigma: float, axis: int) -> Tensor:
    """Gaussian mean of standard deviation `sigma` px along rows (2) or columns (3), edges repeated."""
    reach = int(2.5 * sigma + 0.5)
    x = torch.arange(-reach, reach + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (x / sigma) ** 2)
    kernel = (kernel / kernel.sum()).reshape((1, 1, 1, -1) if axis == 3 else (1, 1, -1, 1))
    pad = (reach, reach, 0, 0) if axis == 3 else (0, 0, reach, reach)
    return functional.conv2d(functional.pad(image, pad, mode="replicate"), kernel)


def row_of(score: Tensor, rows: Tensor) -> Tensor:
    """Of each column the row of the largest score, (1, 1, 1, columns)."""
    top = (score >= score.amax(dim=2, keepdim=True)).to(score.dtype)
    return (top * rows).sum(dim=2, keepdim=True) / top.sum(dim=2, keepdim=True)


def near(rows: Tensor, course: Tensor, px: float) -> Tensor:
    """1 on a course, falling as a Gaussian of `px` above and below it."""
    return torch.exp(-0.5 * ((rows - course) / px) ** 2)


class RetinaOct(nn.Module):
    """On grey levels. Map: the retina.

    Vitreous is dark and lies above. The retina begins where tissue does, and ends with its brightest deep line, the
    pigment epithelium, which runs on from column to column. Where that line does not run on, or the
    vitreous is nearly as bright, nothing is told.
    """

    INNER, TISSUE_PX, ACROSS_PX = 0.25, 5, 15
    LINE_PX, WIDE_PX, FAR_PX = 6.0, 24.0, (40.0, 20.0, 10.0)
    DEEP_PX, THICK_PX, GAP_PX, DEEPER = 12, 90, 25, 0.35
    BELOW_PX, UNEVEN_PX, BRIGHTER = 1.5, 5.0, 1.5
    WHITE, EDGE_PX = 250.0, 3

    def course(self, line: Tensor, rows: Tensor, where: Tensor) -> Tensor:
        """Of each column the row of a bright line that runs on: where it is usual, bright columns tell most."""
        at = row_of(line * where, rows)
        for far in self.FAR_PX:
            weight = (line * near(rows, at, 1.0)).amax(dim=2, keepdim=True) ** 4
            usual = along(at * weight, self.WIDE_PX, 3) / (along(weight, self.WIDE_PX, 3) + 1e-6)
            at = row_of((line + 1e-3) * (where + 1e-3) * near(rows, usual, far), rows)
        return at

    def forward(self, image: Tensor) -> Tensor:
        grey = levels(image)
        # Where a scan was turned, pictures of it are filled with white.
        filled = dilate(erode((grey > self.WHITE).to(grey.dtype), 3), 13)
        edge = self.EDGE_PX
        seen = functional.pad(torch.ones_like(grey[:, :, edge:-edge]), (0, 0, edge, edge)) * (1 - filled)
        grey = grey * seen
        rows = torch.arange(grey.shape[2], dtype=grey.dtype).reshape(1, 1, -1, 1)
        fine = along(along(grey, 2.0, 3), 1.0, 2)
        line = along(along(grey, self.LINE_PX, 3), 1.0, 2)
        _, dark, bright = two_means(to_grid(fine), to_grid(seen))
        tissue = opening((fine > dark + self.INNER * (bright - dark)).to(grey.dtype), self.TISSUE_PX)
        tissue = -closing(-tissue, (1, self.ACROSS_PX))
        somewhere = self.course(line, rows, torch.ones_like(line))
        tissue = tissue * (torch.abs(rows - somewhere) < self.THICK_PX).to(grey.dtype)
        inner = row_of(tissue * (2 * grey.shape[2] - rows), rows)
        depth = rows - inner
        deep = ((depth > self.DEEP_PX) & (depth < self.THICK_PX)).to(grey.dtype)
        # Nerve fibres are bright too, and lie at the top.
        deeper = torch.clamp(depth / self.THICK_PX, 0.0, 1.0) ** self.DEEPER
        course = self.course(line * deeper, rows, deep)
        outer = along(row_of(fine * near(rows, course, 3.0), rows), 2.0, 3)
        # What is bright above the retina lies apart from it, by more than a dark space within it is high.
        apart = (1 - closing(tissue, (self.GAP_PX, 1))) * (rows < outer - self.DEEP_PX).to(grey.dtype)
        inside = (rows > (apart * rows).amax(dim=2, keepdim=True)) & (rows <= outer + self.BELOW_PX)
        retina = inside.to(grey.dtype) * seen
        above = (1 - dilate(retina, 5)) * (rows < outer).to(grey.dtype) * seen
        level = (grey * retina).sum() / (retina.sum() + 1e-6)
        vitreous = (grey * above).sum() / (above.sum() + 1e-6)
        uneven = torch.abs(outer - along(outer, self.WIDE_PX, 3)).mean()
        told = (uneven < self.UNEVEN_PX) & (level > self.BRIGHTER * vitreous)
        return retina * told.to(grey.dtype)
