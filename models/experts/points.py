"""How the points are read that a graph gives, as a manifest declares it: each by its name, or along an outline."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from models.experts.contracts import Table


class Landmarks(Table):
    """A point of each label and no outline: from a heatmap each, (1, points, rows, columns), or (1, points, 2) of them.

    Of a heatmap the peak, to a part of a px by the parabola through the logarithms beside it, which is exact for the
    Gaussians that such networks are trained on (Zhang et al., Distribution-aware coordinate representation, CVPR 2020).
    """

    kind: Literal["landmarks"] = Field(description="Of decoding")
    layout: Literal["heatmaps", "coordinates"] = Field(default="heatmaps", description="How the output is laid out")
    output: str = Field(default="heatmaps", description="Name of the graph's output")
    activation: Literal["none", "sigmoid"] = Field(default="none", description="Of heatmaps")
    coordinates: Literal["px", "fraction"] = Field(
        default="px",
        description="Of that layout: of the graph's input from its first pixel's outer corner, or parts of it; x first",
    )
    scores: str | None = Field(
        default=None, description="Of coordinates: output (1, points) in [0, 1]; None: every point is told"
    )
    threshold: float = Field(default=0.5, ge=0, le=1, description="Least height of a peak, or score")

    @model_validator(mode="after")
    def _of_its_layout(self) -> Self:
        if self.layout == "heatmaps" and (self.scores is not None or self.coordinates != "px"):
            raise ValueError("scores and coordinates belong to layout 'coordinates'")
        if self.layout == "coordinates" and self.activation != "none":
            raise ValueError("an activation belongs to layout 'heatmaps'")
        return self


class Contours(Table):
    """Points along outlines, (1, points, 2), x first: each outline is closed, and what it holds is a region.

    As of networks that move a graph of points onto an image, and so draw no holes and no islands: Gaggion et al.,
    HybridGNet, IEEE Trans. Med. Imaging 42, 2023.
    """

    kind: Literal["contours"] = Field(description="Of decoding")
    output: str = Field(default="points", description="Name of the graph's output")
    points: tuple[Annotated[int, Field(ge=3)], ...] = Field(
        min_length=1, description="Of each outline, in the order in which they come; labels have the outlines' numbers"
    )
    coordinates: Literal["px", "fraction"] = Field(
        default="px", description="Of the graph's input from its first pixel's outer corner, or parts of it"
    )
    background: tuple[int, ...] = Field(default=(), description="Outlines that are no label")
    min_area_px: int = Field(default=1, ge=1, description="Of the image as it came; smaller ones are left out")

    @model_validator(mode="after")
    def _of_its_outlines(self) -> Self:
        if any(one >= len(self.points) for one in self.background):
            raise ValueError(f"background names an outline that points, of {len(self.points)}, does not tell of")
        return self
