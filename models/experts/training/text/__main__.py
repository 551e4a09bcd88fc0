"""Train the finder of text lines, and write it as ONNX.

    python -m models.experts.training.text --steps 2400 --out models/imaging/text/lines.onnx

Needs the training environment (make train-env), and scikit-image and matplotlib in it for surfaces and fonts.
"""

import argparse
import itertools
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from models.experts.training.text.backgrounds import pool
from models.experts.training.text.network import Lines, Scores
from models.experts.training.text.pictures import batches

BATCH, REUSED, KEPT = 16, 4, 1500
"""Pictures a step; steps a batch drawn; pictures kept to draw from."""
_PEAK, _END = 4e-3, 2e-5


def drawn(seed: int, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Pictures (batch, 3, rows, columns), 0 to 255, and truth (batch, 2, rows, columns): 0, 1, or 2 (not asked)."""
    kept: list[tuple[Tensor, Tensor]] = []
    fresh = batches(seed, BATCH, pool(seed, size))
    for step in itertools.count():
        if step % REUSED == 0:
            pictures, truths = next(fresh)
            kept += zip(torch.from_numpy(pictures), torch.from_numpy(truths), strict=True)
            del kept[:-KEPT]
        chosen = (
            kept[-BATCH:] if step % REUSED == 0 else [kept[at] for at in torch.randint(len(kept), (BATCH,)).tolist()]
        )
        yield _varied(
            torch.stack([picture for picture, _ in chosen]).permute(0, 3, 1, 2).float(),
            torch.stack([truth for _, truth in chosen]),
        )


def _varied(pictures: Tensor, truths: Tensor) -> tuple[Tensor, Tensor]:
    """Inverted, turned over, brighter, flatter."""
    if torch.rand(1).item() < 0.5:
        pictures = 255 - pictures
    if torch.rand(1).item() < 0.3:
        pictures, truths = pictures.transpose(2, 3), truths.transpose(2, 3)
    contrast = torch.empty(len(pictures), 1, 1, 1).uniform_(0.5, 1.2)
    brightness = torch.empty(len(pictures), 1, 1, 1).uniform_(-40, 40)
    pictures = ((pictures - 128) * contrast + 128 + brightness).clamp(0, 255)
    return pictures.contiguous(memory_format=torch.channels_last), truths


def loss_of(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy of what is text, of the hardest of what is none, and of all of that; and Dice."""
    truth = truth[:, :, ::2, ::2].float()
    asked, text = (truth < 1.5).float(), (truth == 1).float()
    each = nn.functional.binary_cross_entropy_with_logits(logits, text, reduction="none")
    wanted, unwanted = text * asked, (1 - text) * asked
    hard = (each * unwanted).flatten()
    most = int(max(3 * wanted.sum().item(), 0.03 * hard.numel()))
    loss = (each * wanted).sum() / (wanted.sum() + 100) + hard.topk(most).values.mean()
    loss = loss + 0.5 * hard.sum() / unwanted.sum()
    likely = torch.sigmoid(logits) * asked
    overlap, sizes = (likely * wanted).sum((0, 2, 3)), likely.sum((0, 2, 3)) + wanted.sum((0, 2, 3))
    return loss + (1 - (2 * overlap + 1) / (sizes + 1)).mean()


def train(steps: int, seed: int, size: int) -> Lines:
    """A network, trained with a cosine schedule."""
    torch.manual_seed(seed)
    network = Lines().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=_PEAK, weight_decay=1e-3)
    for step, (pictures, truths) in enumerate(itertools.islice(drawn(seed, size), steps)):
        rate = _PEAK * min(1, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * step / steps)) + _END
        for group in optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = network(pictures)
        loss = loss_of(logits.float(), truths)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5)
        optimiser.step()
        if step % 50 == 0:
            sys.stdout.write(f"step {step} of {steps}, loss {loss.item():.3f}\n")
    return network.eval()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--phantoms", type=int, default=300, help="drawn as backgrounds")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    network = train(arguments.steps, arguments.seed, arguments.phantoms)
    torch.onnx.export(
        Scores(network), (torch.zeros(1, 64, 64, 3, dtype=torch.uint8),), arguments.out, dynamo=False, opset_version=17,
        input_names=["picture"], output_names=["lines"],
        dynamic_axes={"picture": {0: "n", 1: "rows", 2: "columns"}, "lines": {0: "n", 2: "down", 3: "across"}},
    )  # fmt: skip


if __name__ == "__main__":
    main()
