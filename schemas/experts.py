"""How expert models are run. Knows nothing of what they look at."""

from dataclasses import dataclass
from pathlib import Path

PROCESSORS = ("tensorrt", "cuda", "cpu")


@dataclass(frozen=True, slots=True)
class ExpertRuntime:
    """How experts are run.

    Args:
        threads: within one image; 0: as many as there are cores for each message in work, at least one.
        processors: in the order of preference: tensorrt, cuda, cpu. What the machine lacks is passed over.
        batch: images of one shape, of several messages, that a graph with a dynamic batch is given at once.
        batch_wait_ms: that the first of them waits for others.
        engines: folder in which TensorRT keeps what it built; None: it builds anew in each process.
    """

    threads: int = 0
    processors: str = "cuda,cpu"
    batch: int = 1
    batch_wait_ms: float = 5.0
    engines: Path | None = None

    def __post_init__(self) -> None:
        if not self.order or set(self.order) - set(PROCESSORS):
            raise ValueError(
                f"TRISTREAM_EXPERT_PROCESSORS must be some of {', '.join(PROCESSORS)}, not {self.processors!r}"
            )
        if self.threads < 0 or self.batch < 1 or self.batch_wait_ms < 0:
            raise ValueError("TRISTREAM_EXPERT_BATCH must be at least 1, _THREADS and _BATCH_WAIT_MS not below 0")

    @property
    def order(self) -> tuple[str, ...]:
        """The processors, each a word."""
        return tuple(word.strip() for word in self.processors.split(",") if word.strip())


DEFAULT_EXPERT_RUNTIME = ExpertRuntime()
