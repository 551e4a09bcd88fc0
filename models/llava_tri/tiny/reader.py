"""The projector of the tiny preset: a token for each square of a picture, and after them a sentence in words.

The sentence is a concept bottleneck (Koh et al., ICML 2020, arXiv 2007.04612): its gaps are filled with the likeliest
word of a short list each, and every token of it is the language model's own embedding of that word. So a language model
reads what is there, as it reads text, and need not learn geometry. Knows neither pictures nor what the words are.
"""

# pyright: basic, reportMissingImports=false
# torch is installed in .venv-llava only; tests/llava runs this.

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

NARROW, WHOLE = 48, 512
"""Values that are kept of each square for what the whole picture shows, and of the whole picture."""
DROPPED_SQUARES, DROPPED = 0.1, 0.3
"""Shares of these that are left out while the sentence is learnt."""
BINS = 100
"""Of an edge of a box: hundredths."""
FIXED, TENS, ONES = "", " tens", " ones"
"""How tokens of the sentence are named: one that is always there; of an edge, with its name before it, two digits."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read off pictures, before it is said.

    `squares` (pictures, squares, width); `choices`, by gap: logits (pictures, words); `edges` (pictures, edges, BINS):
    logits.
    """

    squares: Tensor
    choices: dict[str, Tensor]
    edges: Tensor

    def hundredths(self) -> Tensor:
        """Edges of the boxes, as expected: (pictures, edges), int64 from 0 to BINS - 1."""
        edges = self.edges.float()
        expected = edges.softmax(dim=-1) @ torch.arange(BINS, device=edges.device, dtype=edges.dtype)
        return expected.round().long().clamp(0, BINS - 1)


class Reader(nn.Module):
    """Features of squares (pictures, squares, features) → tokens (pictures, squares + tokens of the sentence, width).

    Args:
        features: of a square.
        squares: of a picture.
        width: of a token.
        choices: words of each gap; only their number counts here.
        said: the tokens of the sentence in their order: FIXED, the name of a gap, or of an edge with TENS or ONES.
    """

    def __init__(
        self, features: int, squares: int, width: int, choices: Mapping[str, Sequence[str]], said: Sequence[str]
    ) -> None:
        super().__init__()
        # By name: a configuration that was written and read again has lost its order.
        self._many = {name: len(choices[name]) for name in sorted(choices)}
        self._said = tuple(said)
        self.edge_names = [one.removesuffix(TENS) for one in said if one.endswith(TENS)]
        self.square = nn.Sequential(nn.Linear(features, width), nn.GELU(), nn.Linear(width, width))
        self.narrow = nn.Linear(width, NARROW)
        self.whole = nn.Linear(squares * NARROW, WHOLE)
        self.choice = nn.Linear(WHOLE, sum(self._many.values()))
        self.edge = nn.Linear(WHOLE, len(self.edge_names) * BINS)
        # Embeddings of the fixed tokens, of the words of each gap, and of ten digits.
        fixed = sum(one == FIXED for one in said)
        self.register_buffer("words", torch.zeros(fixed + sum(self._many.values()) + 10, width))
        # Tokens of squares are shifted and scaled to the size of words' embeddings: see `as_loud_as_words`.
        self.register_buffer("middle", torch.zeros(width))
        self.register_buffer("loudness", torch.ones(1))

    def begin(self) -> None:
        """Give all weights the size that new layers have: Transformers makes those of its models smaller."""
        for part in self.modules():
            if isinstance(part, nn.Linear):
                part.reset_parameters()

    def read(self, features: Tensor) -> Reading:
        """What is read off the squares of pictures."""
        squares = self.square(features)
        narrow = functional.dropout(functional.gelu(self.narrow(squares)), DROPPED_SQUARES, self.training)
        whole = functional.dropout(functional.gelu(self.whole(narrow.flatten(1))), DROPPED, self.training)
        parts = self.choice(whole).split(list(self._many.values()), dim=1)
        edges = self.edge(whole).view(len(features), len(self.edge_names), BINS)
        return Reading(squares, dict(zip(self._many, parts, strict=True)), edges)

    def forward(self, features: Tensor) -> Tensor:
        reading = self.read(features)
        squares = (reading.squares - self.middle) * self.loudness
        return torch.cat([squares, self.words[self._rows(reading)]], dim=1)

    def _rows(self, reading: Reading) -> Tensor:
        """Of the embeddings, for each token of the sentence: (pictures, tokens of the sentence), int64."""
        at = sum(one == FIXED for one in self._said)
        found: dict[str, Tensor] = {}
        for name, many in self._many.items():
            found[name] = at + reading.choices[name].argmax(dim=1)
            at += many
        for name, value in zip(self.edge_names, reading.hundredths().unbind(dim=1), strict=True):
            found[name + TENS], found[name + ONES] = at + value // 10, at + value % 10
        rows = torch.zeros(len(reading.squares), len(self._said), dtype=torch.long, device=reading.squares.device)
        fixed = iter(range(len(self._said)))
        for place, one in enumerate(self._said):
            rows[:, place] = next(fixed) if one == FIXED else found[one]
        return rows

    def as_loud_as_words(self, squares: Tensor, deviation: Tensor) -> None:
        """Shift and scale tokens of squares to a mean of nought and the deviation of words' embeddings.

        Else one drowns the other. `squares`: as `read` gives them, of pictures that stand for all.
        """
        tokens = squares.flatten(0, 1)
        self.middle.copy_(tokens.mean(dim=0))
        self.loudness.copy_(deviation / (tokens - self.middle).std())
