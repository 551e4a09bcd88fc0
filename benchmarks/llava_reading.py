"""What a language model reads off a picture's tokens before it has learnt anything, by the form that they have.

    .venv-llava/bin/python -m benchmarks.llava_reading out/llava-tiny/base --n 40

No picture is shown. One lesion is drawn in one of four corners of a grid of 6 × 6 squares; tokens are made of the
embeddings of words, with noise; and of four answers to "Where does the lesion lie?" the likeliest is taken. So this
measures a form of tokens, and what a projector must learn to give, at some seconds of processor time a form.
"""

# pyright: basic, reportMissingImports=false
# torch and transformers are installed in .venv-llava only.

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.llava_tri.evaluation.in_process import load
from models.llava_tri.evaluation.scores.intervals import mean

GRID = 6
CORNERS = [(down, across) for down in ("upper", "lower") for across in ("left", "right")]
QUESTIONS = (
    "Where does the lesion lie?",
    "Where in the image is the lesion?",
    "What is the location of the lesion?",
    "Say where the lesion is.",
)
FORMS = {
    "a sum in each square": "its thirds, and the label where the lesion lies",
    "a sum in one square, noise elsewhere": "label and thirds where the lesion lies",
    "a sum in one square, commas elsewhere": "the same",
    "words in three tokens, noise elsewhere": "a token each, three of every square",
    "words in three tokens, commas elsewhere": "the same",
    "words in the square and those beside it, commas elsewhere": "a token each, one of every square",
}


class Words:
    """Embeddings of words about the mean of all, at their natural size."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.every = model.get_input_embeddings().weight.detach()
        self.mean = self.every.mean(dim=0)
        self.deviation = (self.every - self.mean).std()

    def __getitem__(self, word: str) -> Tensor:
        ids = self._tokenizer(f" {word}", add_special_tokens=False)["input_ids"]
        return self.every[ids].mean(dim=0) - self.mean


def tokens(form: str, words: Words, corner: int, square: tuple[int, int]) -> Tensor:
    """Of a picture whose lesion lies in a square (row, column): (tokens, width), without noise."""
    said = torch.stack([words["lesion"], words[CORNERS[corner][0]], words[CORNERS[corner][1]]])
    at = square[0] * GRID + square[1]
    nothing = words[","] if "commas" in form else torch.zeros_like(said[0])
    made = nothing.repeat(GRID * GRID, 1)
    if "three tokens" in form:
        made = made.repeat(3, 1)
        made[3 * at : 3 * at + 3] = said
    elif "beside" in form:
        at = min(max(at, 1), len(made) - 2)
        made[at - 1 : at + 2] = said
    elif "each square" in form:
        down = [words[word] for word in ("upper", "middle", "lower")]
        across = [words[word] for word in ("left", "centre", "right")]
        made = torch.stack([down[row // 2] + across[column // 2] for row in range(GRID) for column in range(GRID)])
        made[at] += words["lesion"]
    else:
        made[at] = said.sum(dim=0)
    return made


def likeliest(model: Any, processor: Any, words: Words, question: str, seen: Tensor) -> int:
    """The corner of which the model would sooner say than of any other that the lesion lies there."""
    asked = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}]
    before, after = processor.apply_chat_template(asked, add_generation_prompt=True).split(processor.image_token)
    answers = [f"It lies in the {down} {across} part of the body." for down, across in CORNERS]
    ids = {text: processor.tokenizer(text, add_special_tokens=False)["input_ids"] for text in (before, after, *answers)}
    said = torch.tensor([ids[answer] for answer in answers])  # As long as each other: a corner is two tokens.
    head = torch.cat([words.every[ids[before]], seen, words.every[ids[after]]])
    embeds = torch.cat([head.expand(len(said), -1, -1), words.every[said]], dim=1)
    long = said.shape[1]
    hidden = model.model.language_model(inputs_embeds=embeds, use_cache=False).last_hidden_state[:, -long - 1 : -1]
    logits = (hidden @ words.every.T).float().log_softmax(dim=-1)
    return int(logits.gather(-1, said[..., None]).sum(dim=(1, 2)).argmax())


def main() -> None:
    """One JSON a form: the share that is right, with a 95 % interval over pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path, help="folder of the tiny preset's base")
    parser.add_argument("--n", type=int, default=40, help="pictures of a form")
    parser.add_argument("--noise", type=float, default=0.1, help="deviation, in those of words' embeddings")
    given = parser.parse_args()
    model, processor = load(given.base)
    words = Words(model, processor.tokenizer)
    for form, about in FORMS.items():
        random = np.random.default_rng(0)
        torch.manual_seed(0)
        right: list[float] = []
        for number in range(given.n):
            corner = int(random.integers(4))
            row, column = 4 * (corner // 2) + int(random.integers(2)), 4 * (corner % 2) + int(random.integers(2))
            seen = words.mean + tokens(form, words, corner, (row, column))
            seen = seen + given.noise * words.deviation * torch.randn_like(seen)
            with torch.inference_mode():
                right.append(likeliest(model, processor, words, QUESTIONS[number % 4], seen) == corner)
        found = mean(right, [str(number) for number in range(given.n)])
        told = {"right": found.value, "low": found.low, "high": found.high, "n": given.n, "noise": given.noise}
        print(json.dumps({"tokens": form, "are": about, **told}), flush=True)


if __name__ == "__main__":
    main()
