"""Small graphs of the shapes that networks are exported in, whose answers are known: tests and docs use them.

`python -m models.experts.export.examples FOLDER` writes them. Each has the input and output names, ranks and types of
the real exports, and weights set so that what it must find can be told from the image: no noise, nothing learnt.
"""

import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from models.onnx_files import exported


class Segmenter(nn.Module):
    """U-Net's shape: logits (n, 3, rows, columns) of background, above 0.25 and above 0.75; down and up once."""

    def __init__(self) -> None:
        super().__init__()
        self.classes = nn.Conv2d(1, 3, 1)
        with torch.no_grad():
            # The lines cross at 0.25 and at 0.75: the upper envelope is the class.
            self.classes.weight.copy_(torch.tensor([0.0, 40.0, 80.0]).reshape(3, 1, 1, 1))
            self.classes.bias.copy_(torch.tensor([0.0, -10.0, -40.0]))

    def forward(self, image: Tensor) -> Tensor:
        down = torch.nn.functional.avg_pool2d(image, 2)
        return self.classes(torch.nn.functional.interpolate(down, scale_factor=2, mode="nearest"))


class Slices(nn.Module):
    """A 2.5D U-Net's shape: (n, 3, rows, columns) in; logits of brighter than before, and of brighter than after.

    Above 0 where the middle slice is brighter by a quarter than the first, and than the last.
    """

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.Conv2d(3, 2, 1)
        with torch.no_grad():
            self.steps.weight.copy_(torch.tensor([[-40.0, 40.0, 0.0], [0.0, 40.0, -40.0]]).reshape(2, 3, 1, 1))
            self.steps.bias.fill_(-10.0)

    def forward(self, image: Tensor) -> Tensor:
        return self.steps(image)


def _extent(inside: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Left, top, right and bottom of what is 1 in (rows, columns), px, the last two beyond it."""
    rows, columns = inside.shape
    x, y = torch.arange(columns, dtype=torch.float32) + 1, torch.arange(rows, dtype=torch.float32) + 1
    across, down = inside.amax(0), inside.amax(1)
    left = columns - (across * (columns + 1 - x)).amax(0)
    top = rows - (down * (rows + 1 - y)).amax(0)
    return left, top, (across * x).amax(0), (down * y).amax(0)


class TorchvisionDetector(nn.Module):
    """torchvision's shape: an image (3, rows, columns); boxes (n, 4), labels (n,), scores (n,), a mask for each.

    Finds what is above 0.5 in red as class 1 with score 0.9, in green as class 2 with score 0.8, and again, a pixel
    larger, with score 0.6.
    """

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        inside = (image > 0.5).to(torch.float32)
        red, green = torch.stack(_extent(inside[0])), torch.stack(_extent(inside[1]))
        larger = green + torch.tensor([-1.0, -1.0, 1.0, 1.0])
        boxes = torch.stack([red, green, larger])
        masks = torch.stack([inside[0], inside[1], inside[1]])[:, None]
        return boxes, torch.tensor([1, 2, 2]), torch.tensor([0.9, 0.8, 0.6]), masks


class Yolo(nn.Module):
    """YOLOv8's shape: (1, 4 + 2 classes, 84), 64 × 64 in: centre, width, height, and a score for each class.

    What is above 0.5 in red is class 0, in green class 1; each is told by 42 anchors that lie ever further off.
    """

    def forward(self, image: Tensor) -> Tensor:
        inside = (image[0] > 0.5).to(torch.float32)
        found = []
        for channel in (0, 1):
            left, top, right, bottom = _extent(inside[channel])
            box = torch.stack([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top])
            away = 0.05 * torch.arange(42, dtype=torch.float32)
            boxes = box[:, None] + torch.stack([away, away, torch.zeros(42), torch.zeros(42)])
            scores = torch.clamp(0.9 - away, min=0.0)
            none = torch.zeros(42)
            found.append(torch.cat([boxes, torch.stack([scores, none] if channel == 0 else [none, scores])]))
        return torch.cat(found, dim=1)[None]


class SamEncoder(nn.Module):
    """SAM's shape, 256 × 256 in: embeddings (1, 16, 16, 16). Each is the image's 16 × 16 patch, averaged in fours."""

    def forward(self, image: Tensor) -> Tensor:
        averaged = torch.nn.functional.avg_pool2d(image[:, :1], 4)
        return torch.nn.functional.pixel_unshuffle(averaged, 4)


class SamDecoder(nn.Module):
    """SAM's shape: three masks (1, 3, 64, 64) and their predicted quality, for two points.

    The mask is what is bright within the box; for a point, what is bright within 8 px of it. The first and the third
    are thought worse of, and the quality is 0 where nothing is bright.
    """

    def forward(
        self,
        image_embeddings: Tensor,
        point_coords: Tensor,
        point_labels: Tensor,
        mask_input: Tensor,
        has_mask_input: Tensor,
    ) -> tuple[Tensor, Tensor]:
        bright = torch.nn.functional.pixel_shuffle(image_embeddings, 4) - 0.5
        bright = bright + mask_input[:, :, :1, :1] * has_mask_input
        first, second = point_coords[0, 0] / 4, point_coords[0, 1] / 4
        of_point = (point_labels[0, 0] == 1).to(torch.float32)
        low = of_point * (first - 2) + (1 - of_point) * first
        high = of_point * (first + 2) + (1 - of_point) * second
        at = torch.arange(64, dtype=torch.float32) + 0.5
        within = ((at > low[0]) & (at < high[0]))[None, :] & ((at > low[1]) & (at < high[1]))[:, None]
        mask = torch.where(within, bright, 0 * bright - 1)
        found = (mask.amax(dim=(0, 1, 2, 3)) > 0).to(torch.float32)
        masks = torch.cat([0 * mask + 1, mask, 0 * mask + 1], dim=1)
        return masks, torch.stack([0.3 * found, 0.9 * found, 0.2 * found])[None]


class Classifier(nn.Module):
    """A classifier's shape: features, their mean through a linear layer, and features × weights as second output.

    Class 0 is told by red, class 1 by green: logits of -2 without any, above 0 with an eighth of the image.
    """

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 2)
        with torch.no_grad():
            self.head.weight.copy_(torch.tensor([[32.0, 0.0, 0.0], [0.0, 32.0, 0.0]]))
            self.head.bias.fill_(-2.0)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        features = torch.nn.functional.avg_pool2d(image, 8)
        cam = torch.einsum("nkrc,lk->nlrc", features, self.head.weight)
        return self.head(features.mean(dim=(2, 3))), cam


class HoverNet(nn.Module):
    """HoVer-Net's shape: np (n, 2), hv (n, 2) and tp (n, 3, rows, columns), 4 px less than the input on each side.

    Red is the probability of a nucleus, green and blue its offsets, so that an image can say what is predicted; nuclei
    above the middle row of the input are of type 1, those below of type 2.
    """

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        seen = image[:, :, 4:-4, 4:-4]
        nuclei = torch.log(torch.clamp(seen[:, :1], 1e-6, 1 - 1e-6))
        other = torch.log(torch.clamp(1 - seen[:, :1], 1e-6, 1 - 1e-6))
        row = torch.arange(seen.shape[2], dtype=torch.float32).reshape(1, 1, -1, 1) + torch.zeros_like(seen[:, :1])
        above = (row < seen.shape[2] / 2).to(torch.float32)
        types = torch.cat([torch.zeros_like(above), 4 * above, 4 * (1 - above)], dim=1)
        return torch.cat([other, nuclei], dim=1), 2 * seen[:, 1:] - 1, types


class Stardist(nn.Module):
    """StarDist's shape in Keras' order: (n, rows, columns, 1) in, prob and dist (n, rows / 2, columns / 2, 1 and 32).

    A pixel proposes the circle whose radius is 20 times its value, as probable as its value is near to that of the
    peak around it.
    """

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        value = image.permute(0, 3, 1, 2)[:, :, ::2, ::2]
        peak = torch.nn.functional.max_pool2d(value, 5, 1, 2)
        probability = torch.where(value >= peak, value, value * 0.5) * (value > 0.2)
        distances = (20 * value).repeat(1, 32, 1, 1)
        return probability.permute(0, 2, 3, 1), distances.permute(0, 2, 3, 1)


_ROWS, _COLUMNS = torch.export.Dim("rows", min=32, max=4096), torch.export.Dim("columns", min=32, max=4096)
_N = torch.export.Dim("n", min=1, max=64)
_SAM = ["image_embeddings", "point_coords", "point_labels", "mask_input", "has_mask_input"]

Axes = tuple[dict[int, object], ...] | None

EXAMPLES: dict[str, tuple[nn.Module, tuple[Tensor, ...], list[str], list[str], Axes]] = {
    "unet": (
        Segmenter(), (torch.rand(2, 1, 64, 96),), ["image"], ["logits"],
        ({0: _N, 2: 2 * torch.export.Dim("r", min=16, max=2048), 3: 2 * torch.export.Dim("c", min=16, max=2048)},),
    ),
    "slices": (Slices(), (torch.rand(2, 3, 64, 96),), ["image"], ["logits"], ({0: _N, 2: _ROWS, 3: _COLUMNS},)),
    "torchvision": (
        TorchvisionDetector(), (torch.rand(3, 64, 96),), ["image"], ["boxes", "labels", "scores", "masks"],
        ({1: _ROWS, 2: _COLUMNS},),
    ),
    "yolo": (Yolo(), (torch.rand(1, 3, 64, 64),), ["images"], ["output0"], None),
    "sam": (SamEncoder(), (torch.rand(1, 3, 256, 256),), ["image"], ["image_embeddings"], None),
    "sam-decoder": (
        SamDecoder(),
        (torch.rand(1, 16, 16, 16), torch.rand(1, 2, 2), torch.rand(1, 2), torch.rand(1, 1, 64, 64), torch.zeros(1)),
        _SAM, ["masks", "iou_predictions"], None,
    ),
    "classifier": (Classifier(), (torch.rand(2, 3, 64, 64),), ["image"], ["logits", "cam"], ({0: _N},)),
    "hovernet": (HoverNet(), (torch.rand(2, 3, 72, 72),), ["image"], ["np", "hv", "tp"], ({0: _N},)),
    "stardist": (
        Stardist(), (torch.rand(2, 64, 96, 1),), ["input"], ["prob", "dist"],
        ({0: _N, 1: 2 * torch.export.Dim("r", min=16, max=2048), 2: 2 * torch.export.Dim("c", min=16, max=2048)},),
    ),
}  # fmt: skip
"""Module, inputs, names of inputs and outputs, and axes that may differ."""


def graph(name: str) -> bytes:
    """The ONNX file of an example."""
    module, inputs, takes, gives, axes = EXAMPLES[name]
    return exported(module, inputs, takes=takes, gives=gives, axes=axes, name=name)


def main(folder: Path) -> None:
    """Write all examples into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in EXAMPLES:
        data = graph(name)
        (folder / f"{name}.onnx").write_bytes(data)
        sys.stdout.write(f"{name}: {len(data):,} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
