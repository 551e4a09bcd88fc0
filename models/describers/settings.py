"""What a describer on SGLang needs to be told. Built once by the caller and passed down; reads no environment."""

from dataclasses import dataclass, field
from typing import Literal, get_args

Shown = Literal["outlines", "crops", "plain"]
Unsupported = Literal["remove", "mark"]


@dataclass(frozen=True, slots=True)
class Serving:
    """Where the model is, and how it is asked.

    Args:
        url: of an SGLang server, without a path; None: no model, the composer writes.
        model: the name under which the server serves it, with `@revision` of its weights behind it.
        api_key: sent as a bearer token; never logged.
        max_tokens: of one answer.
        deadline: seconds that one answer may take.
        retries: of one request that met a full queue, a timeout or an error of the server; then the stage waits.
        concurrency: requests at once that are never exceeded; how many are sent follows what the server can take.
        queue: requests waiting in the server above which it gets fewer.
        shown: how regions are shown to the model: outlines, crops, or plain, for not at all.
        seed: of the server's sampling, at temperature 0.
        unsupported: what becomes of a statement that is not supported when it was sent back once: remove or mark.
        generation: of the text that it writes: one more than that of the text that it learnt from.
    """

    url: str | None = None
    model: str = ""
    api_key: str | None = field(default=None, repr=False)
    max_tokens: int = 2048
    deadline: float = 120.0
    retries: int = 4
    concurrency: int = 32
    queue: int = 4
    shown: Shown = "outlines"
    seed: int = 0
    unsupported: Unsupported = "remove"
    generation: int = 1

    def __post_init__(self) -> None:
        if self.url is not None and not self.url.startswith(("http://", "https://")):
            raise ValueError("the URL of SGLang must begin with http:// or https://")
        if self.url is not None and not self.model:
            raise ValueError("TRISTREAM_SGLANG_URL needs TRISTREAM_SGLANG_MODEL: the name that the server serves")
        for name in ("generation", "max_tokens", "deadline", "concurrency"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} of SGLang must be above 0")
        for name, allowed in (("shown", get_args(Shown)), ("unsupported", get_args(Unsupported))):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of: {', '.join(allowed)}")

    @property
    def served(self) -> str:
        """The model's name as the server knows it."""
        return self.model.partition("@")[0]

    @property
    def name(self) -> str:
        """name@revision, for the lineage."""
        return self.model if "@" in self.model else f"{self.model}@unpinned"
