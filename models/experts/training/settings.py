"""What a training run is told. Knows no torch."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from schemas.images import Modality


@dataclass(frozen=True, slots=True)
class Settings:
    """Numbers of a run: the same on the same data, the same versions and one CPU give the same weights."""

    side: int = 256
    """px: longer images are reduced to it, as they will be when the expert is used."""
    patch: int = 0
    """px a side of the pieces that are learnt from, half of them around something marked; 0: whole images."""
    width: int = 16
    """Channels at full size; they double at each level."""
    depth: int = 4
    """Times that the image is halved."""
    epochs: int = 100
    batch: int = 8
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    patience: int = 20
    """Epochs without a better validation Dice after which it ends."""
    seed: int = 0
    mirror: bool = True
    """Off where left and right must stay what they are."""
    rotate: float = 15.0
    """degrees, to both sides."""
    scale: float = 0.15
    """Part by which an image may grow or shrink."""
    validation: float = 0.15
    held_out: float = 0.15

    def __post_init__(self) -> None:
        step = 2**self.depth
        if self.side % step or self.patch % step or self.patch > self.side:
            raise ValueError(f"side and patch must be multiples of {step}, 2 to the depth, and patch not above side")
        if min(self.side, self.width, self.depth, self.epochs, self.batch, self.patience) < 1:
            raise ValueError("side, width, depth, epochs, batch and patience must be at least 1")

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of the images beside their pixels; None: what the data says."""

    modality: Modality | None = None
    organ: str | None = None
    version: str | None = None
    licence: str = "not stated: see the licence of the training data"
    source: str = "the annotators of the training data"


@dataclass(frozen=True, slots=True)
class Normalisation:
    """How values become the network's input, within the graph: (value - mean) / deviation, or a window to [-1, 1]."""

    kind: Literal["z-score", "window", "full range"]
    low: float = 0.0
    high: float = 0.0

    @classmethod
    def fit(cls, unit: str, channels: int) -> "Normalisation":
        """What suits a unit: absolute scales keep their meaning, others are brought to that of the image."""
        if channels == 3:
            return cls("full range")
        if unit == "HU":
            return cls("window", -160.0, 240.0)
        return cls("window", 0.0, 10.0) if unit == "SUVbw" else cls("z-score")

    @property
    def told(self) -> str:
        """In words, for the card."""
        if self.kind == "window":
            return f"{self.low:g} to {self.high:g} becomes -1 to 1, beyond is clipped"
        if self.kind == "z-score":
            return "mean and standard deviation of the image become 0 and 1"
        return "0 to 255, or to 65535 where a value is above 255, becomes -1 to 1"
