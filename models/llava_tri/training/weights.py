"""How much each part of a reward counts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each part of a reward counts.

    `length`: words that an answer may have before it costs; `longer`: what each further one costs.
    """

    supported: float = 1.0
    contradicted: float = 1.0
    box: float = 1.0
    length: int = 120
    longer: float = 0.005
