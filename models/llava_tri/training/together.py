"""Questions about one picture in one sequence: they share its tokens, and each sees the picture and itself alone.

So every answer costs what it would alone, at the same weights, and the picture is read once for all of them. A LLaVA's
words have places along one line, so a question can begin where the picture ends, as if the others were not there.
"""

# pyright: reportMissingImports=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

NO_LABEL = -100
"""What Transformers leaves out of a loss."""
_PAD = -1


@dataclass(frozen=True, slots=True)
class Together:
    """A collator of examples with `images` (one), `questions` and `answers` (as many).

    It gives what the model is called with: `input_ids` and `position_ids` (pictures, tokens), `attention_mask`
    (pictures, 1, tokens, tokens), bool, `pixel_values`, `labels`; and `weights` (pictures, tokens): of each token of an
    answer, so that every question counts the same, whatever the length of its answer.
    """

    processor: Any

    def __call__(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        """A batch of them."""
        rows = [self._row(one) for one in examples]
        longest = max(len(row["input_ids"]) for row in rows)
        padding = {
            "input_ids": self.processor.tokenizer.pad_token_id, "position_ids": 0, "labels": NO_LABEL, "weights": 0,
            "segments": _PAD,
        }  # fmt: skip
        made = {
            name: torch.stack([functional.pad(row[name], (0, longest - len(row[name])), value=value) for row in rows])
            for name, value in padding.items()
        }
        made["attention_mask"] = _seen(made.pop("segments"))
        made["pixel_values"] = torch.cat([row["pixel_values"] for row in rows])
        return made

    def _row(self, example: Mapping[str, Any]) -> dict[str, Tensor]:
        """One picture with its questions; segment 0 is the picture, those after it are the questions."""
        asked, said = zip(*map(self._texts, example["questions"], example["answers"]), strict=True)
        head = asked[0][: asked[0].index(example["questions"][0])]
        picture = self.processor(text=[head], images=list(example["images"]), return_tensors="pt")
        ids = [picture["input_ids"][0]]
        labels = [torch.full_like(ids[0], NO_LABEL)]
        weights = [torch.zeros(len(ids[0]))]
        positions = [torch.arange(len(ids[0]))]
        segments = [torch.zeros_like(ids[0])]
        for number, (prompt, whole) in enumerate(zip(asked, said, strict=True), start=1):
            question, answer = self._ids(prompt[len(head) :]), self._ids(whole[len(prompt) :])
            ids += [question, answer]
            labels += [torch.full_like(question, NO_LABEL), answer]
            weights += [torch.zeros(len(question)), torch.full((len(answer),), 1 / len(answer) / len(asked))]
            positions.append(len(ids[0]) + torch.arange(len(question) + len(answer)))
            segments.append(torch.full((len(question) + len(answer),), number))
        told = {
            "input_ids": ids, "labels": labels, "weights": weights, "position_ids": positions, "segments": segments,
        }  # fmt: skip
        return {name: torch.cat(parts) for name, parts in told.items()} | {"pixel_values": picture["pixel_values"]}

    def _texts(self, question: str, answer: str) -> tuple[str, str]:
        """A question with all that stands before its answer, and with the answer too."""
        asked = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}]
        said = [*asked, {"role": "assistant", "content": [{"type": "text", "text": answer}]}]
        template = self.processor.apply_chat_template
        return template(asked, add_generation_prompt=True), template(said)

    def _ids(self, text: str) -> Tensor:
        return self.processor.tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"][0]


def _seen(segments: Tensor) -> Tensor:
    """Which token sees which: those before it of its own question, and of the picture."""
    own = (segments[:, :, None] == segments[:, None]) | (segments[:, None] == 0)
    return own.tril()[:, None]


def loss_of(model: Any, inputs: Mapping[str, Tensor]) -> Tensor:
    """Nats a token, by the weights of a batch of `Together`.

    Logits are made where an answer's tokens are told, and nowhere else: to a small model its many words are a fifth of
    the work at every position.
    """
    weights, labels = inputs["weights"][:, 1:], inputs["labels"][:, 1:]
    given = {name: value for name, value in inputs.items() if name not in ("weights", "labels")}
    # Positions that stand before a token of an answer, in any picture of the batch.
    told = (labels != NO_LABEL).any(dim=0).nonzero()[:, 0]
    logits = model(**given, use_cache=False, logits_to_keep=told).logits
    losses = functional.cross_entropy(
        logits.flatten(0, 1).float(), labels[:, told].flatten(), ignore_index=NO_LABEL, reduction="none"
    )
    return losses @ weights[:, told].flatten() / len(labels)
