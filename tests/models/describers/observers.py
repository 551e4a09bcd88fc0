"""Who watches a describer at work, in tests: on a small server of the wire and on a real one."""

from collections import Counter


class Counts:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self.bounds: list[int] = []

    def tokens(self, prompt: int, cached: int, completion: int) -> None:
        self.counted.update(answers=1, prompt=prompt, cached=cached, completion=completion)

    def retried(self, reason: str) -> None:
        self.counted[reason] += 1

    def drafted(self, outcome: str) -> None:
        self.counted[f"first {outcome}"] += 1

    def verdict(self, outcome: str) -> None:
        self.counted[outcome] += 1

    def allowed(self, requests: int) -> None:
        self.bounds.append(requests)
