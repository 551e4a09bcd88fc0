"""What training on many triplets would need, on paper: FLOP, hours, money, cores that load, bytes.

    .venv-llava/bin/python -m benchmarks.llava_scale SET TOKENIZER

SET is a data set of `tristream dataset build` with Parquet, TOKENIZER the folder of a model. Measured: tokens and bytes
of a triplet of this set, and what a core takes to read and decode a picture of it, in processor time of one thread.
Every number that was assumed and not measured is an option, and is printed as one.
"""

# pyright: basic

import argparse
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

PICTURES = 64
"""That are decoded to be timed."""
STAGES: dict[str, tuple[str, ...]] = {
    "align": ("caption",),
    "multigranular": ("description", "phrase-to-box", "box-to-phrase", "comparison", "relation-closed"),
    "task": ("*",),
}
FLOPS = {"align": 4, "multigranular": 6, "task": 4}
"""A token and parameter of the language model: forward 2, through it backward 2, its own weights 2 where they learn."""


def measured(folder: Path, tokenizer: Path) -> dict[str, Any]:
    """Of a triplet of the set: bytes, seconds to load its picture, and by stage its questions and their tokens."""
    from tokenizers import Tokenizer

    from models.llava_tri.training.examples import TrainingSet

    words = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    found = TrainingSet(folder)
    rows = len(found.triplet_ids())
    counted: Counter[str] = Counter()
    tokens: defaultdict[str, int] = defaultdict(int)
    for stage, kinds in STAGES.items():
        for one in found.questions(kinds):
            counted[stage] += 1
            tokens[stage] += len(words.encode(one.question + one.answer).ids)
    found.picture_of_row(0)
    begun = time.process_time()
    for row in range(min(rows, PICTURES)):
        found.picture_of_row(row).resize((448, 448))
    loading = (time.process_time() - begun) / min(rows, PICTURES)
    return {
        "triplets": rows,
        "bytes": sum(path.stat().st_size for path in found.shards) / rows,
        "loading": loading,
        "questions": {stage: counted[stage] / rows for stage in STAGES},
        "tokens": {stage: tokens[stage] / max(counted[stage], 1) for stage in STAGES},
    }


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("set", type=Path)
    add("tokenizer", type=Path)
    add("--triplets", type=float, default=25e6)
    add("--gpus", type=int, default=8)
    add("--language", type=float, default=1.7e9, help="parameters of the language model (Qwen3-VL-2B)")
    add("--vision", type=float, default=0.4e9, help="parameters of the vision tower")
    add("--patches", type=int, default=784, help="of a picture: 448 px in squares of 16")
    add("--picture-tokens", type=int, default=196, help="of a picture: four patches a token")
    add("--around", type=int, default=20, help="tokens of a conversation's template")
    add("--peak", type=float, default=989e12, help="FLOP/s of a GPU in bf16, dense (H100 SXM, its data sheet)")
    add("--mfu", type=float, default=0.35, help="share of that which a step reaches")
    add("--gpu-hour", type=float, default=2.5, help="price")
    add(
        "--checkpoint", type=float, default=14, help="bytes a parameter of a checkpoint: weights, Adam's two in float32"
    )
    return parser.parse_args()


def main() -> None:
    """Both tables, and what is worked out."""
    given = options()
    known = measured(given.set, given.tokenizer)
    print("| measured, of a triplet | |\n| --- | ---: |")
    print(f"| triplets of the set | {known['triplets']} |")
    print(f"| bytes in Parquet | {known['bytes']:,.0f} |")
    print(f"| one core, to read, decode and resize its picture | {1000 * known['loading']:.1f} ms |")
    for stage in STAGES:
        told = f"{known['questions'][stage]:.2f} of {known['tokens'][stage]:.0f} tokens"
        print(f"| questions of *{stage}* | {told} |")
    print("\n| assumed | |\n| --- | ---: |")
    for name, value in vars(given).items():
        if name not in ("set", "tokenizer"):
            print(f"| {name.replace('_', ' ')} | {value:,g} |")
    print("\n| worked out | examples | tokens | FLOP | hours | price |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    total = 0.0
    most = 0.0
    for stage, factor in FLOPS.items():
        examples = given.triplets * known["questions"][stage]
        length = known["tokens"][stage] + given.picture_tokens + given.around
        flop = examples * (factor * given.language * length + 2 * given.vision * given.patches)
        hours = flop / (given.peak * given.mfu * given.gpus) / 3600
        total += hours
        most = max(most, examples / (hours * 3600) if hours else 0)
        price = hours * given.gpus * given.gpu_hour
        print(f"| *{stage}* | {examples:.3g} | {examples * length:.3g} | {flop:.3g} | {hours:,.0f} | {price:,.0f} |")
    print(f"| all | | | | {total:,.0f} | {total * given.gpus * given.gpu_hour:,.0f} |")
    loading = f"{most:,.0f}/s × {1000 * known['loading']:.1f} ms"
    print(f"\nCores that load pictures, at the stage that takes most a second: {loading}")
    print(f"= {most * known['loading']:.0f}. Data set: {given.triplets * known['bytes'] / 1e12:.2f} TB; a checkpoint:")
    print(f"{given.checkpoint * (given.language + given.vision) / 1e9:.0f} GB.")


if __name__ == "__main__":
    main()
