"""What a data set is made of, counted while it is built and told by its card."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Report:
    """What a data set is made of, for its card and for a person."""

    triplets: int = 0
    images: dict[str, int] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    group_levels: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    joined_groups: int = 0
    alike_groups: int = 0
    """Of the joined ones, for the vectors of their images alone."""
    without_vector: int = 0
    unpacked: int = 0
    modalities: dict[str, dict[str, int]] = field(default_factory=dict)
    organs: dict[str, int] = field(default_factory=dict)
    diseases: dict[str, int] = field(default_factory=dict)
    turns: dict[str, int] = field(default_factory=dict)
    closed: dict[str, dict[str, int]] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    licences: dict[str, int] = field(default_factory=dict)
    authors: dict[str, int] = field(default_factory=dict)
    lineages: dict[str, int] = field(default_factory=dict)
    evaluation: dict[str, int] = field(default_factory=dict)
    formats: tuple[str, ...] = ()
    policy: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
