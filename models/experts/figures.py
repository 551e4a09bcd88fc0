"""How exactly measurements are told."""


def figures(value: float) -> float:
    """`value` to four significant digits: what a message needs, and what no measurement here exceeds."""
    return float(f"{value:.4g}")
