"""What the real SGLang server serves on a CPU: a tiny random checkpoint of each base, and two pictures sent to it.

    make .venv-sglang/.installed
    .venv/bin/python -m benchmarks.sglang_bases .venv-sglang/bin/python OUT [BASE …]

BASE is a family of `infra/sglang/cpu/bases.py` or the folder of a model; with `+transformers` behind it, the server
takes Transformers' class of it instead of its own. One JSON a line. A base is served where the server becomes ready,
a picture costs tokens of the prompt, and another picture changes the probability of the first token of the answer.
That the numbers are those of Transformers is not looked at.
"""

import argparse
import base64
import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from infra.processes import Processes
from infra.sglang import local
from infra.sglang.local import MODEL, LocalSglang
from models.imaging.png import encode_png
from schemas.failures import TristreamError

MAKE = Path(local.__file__).parent / "cpu" / "bases.py"
BASES = (
    "qwen2-5-vl", "qwen3-vl", "llava-clip", "llava-siglip", "llava-original", "qwen3-vl+transformers",
    "llava-clip+transformers", "llava-siglip+transformers",
)  # fmt: skip
MOST_S = 300.0
ASKED = "Describe this image."
ERROR = re.compile(r"^(?:\w+\.)*\w+(?:Error|Exception): .+", re.MULTILINE)


def picture(seed: int) -> str:
    """Noise of 112 × 112 px, as a data URI."""
    noise = np.random.default_rng(seed).integers(0, 255, (112, 112)).astype(np.uint8)
    return f"data:image/png;base64,{base64.b64encode(encode_png(noise)).decode()}"


def ask(server: LocalSglang, image: str | None) -> tuple[int, float]:
    """Ask with a picture or without; returns tokens of the prompt, and the first answered token's log probability.

    Raises:
        httpx.HTTPError: no answer, or one of 400 and on.
    """
    content: list[dict[str, Any]] = [{"type": "text", "text": ASKED}]
    if image is not None:
        content.insert(0, {"type": "image_url", "image_url": {"url": image}})
    asked = {
        "model": MODEL, "messages": [{"role": "user", "content": content}], "max_tokens": 4, "temperature": 0,
        "logprobs": True,
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {server.api_key}"}
    reply = httpx.post(f"{server.url}/v1/chat/completions", json=asked, headers=headers, timeout=120)
    reply.raise_for_status()
    told = reply.json()
    return told["usage"]["prompt_tokens"], told["choices"][0]["logprobs"]["content"][0]["logprob"]


def first_error(log: Path) -> str | None:
    """The first exception that the server wrote: later ones are of processes that waited for the one that failed."""
    found = ERROR.search(log.read_text(errors="replace"))
    return found and found[0][:300]


def serve(base: str, python: Path, out: Path) -> dict[str, Any]:
    """One row: start the server on `base`, ask, stop it."""
    name, _, other = base.partition("+")
    folder = out / base.replace("/", "_")
    model = Path(name) if (Path(name) / "config.json").exists() else folder / "model"
    if not model.exists():
        subprocess.run([str(python), str(MAKE), name, str(model)], check=True, capture_output=True)
    folder.mkdir(parents=True, exist_ok=True)
    more = ("--model-impl", "transformers") if other else ()
    # Checkpoints of the original layout bring no template of a conversation.
    more += ("--chat-template", "llava_llama_3") if name == "llava-original" else ()
    server = LocalSglang(folder, python, model=model, more=more)
    server.log_path.unlink(missing_ok=True)
    row: dict[str, Any] = {"base": base, "served": False}
    begun = time.monotonic()
    with Processes(grace_s=5) as processes:
        try:
            server.start(processes)
            server.wait_ready(processes, MOST_S)
            row["ready_s"] = round(time.monotonic() - begun)
            asked = [ask(server, image) for image in (None, picture(1), picture(2))]
        except (TristreamError, httpx.HTTPError) as error:
            return row | {"stopped": str(error).splitlines()[0], "error": first_error(server.log_path)}
    (bare, _), (seen, one), (_, another) = asked
    return row | {"served": seen > bare and one != another, "answers": asked}


def main() -> None:
    """One row after another."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", type=Path, help="of the server's environment")
    parser.add_argument("out", type=Path, help="folder for models and logs")
    parser.add_argument("bases", nargs="*", metavar="BASE")
    given = parser.parse_args()
    for base in given.bases or BASES:
        print(json.dumps(serve(base, given.python, given.out.absolute())), flush=True)


if __name__ == "__main__":
    main()
