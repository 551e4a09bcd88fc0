"""A model on this machine's CPU for as long as a command runs: python -m infra.sglang MODEL -- COMMAND…

MODEL is a folder, as `tristream model export` writes it. The command finds the server by the variables that the
describe stage reads, TRISTREAM_SGLANG_URL, _MODEL and _API_KEY. A CPU is for trials; for work see launch.sh.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.processes import Interrupted, Processes
from infra.sglang.local import LocalSglang
from schemas.failures import TristreamError

CONTEXT = 16384
"""launch.sh's."""


def arguments_for(model: Path) -> tuple[str, ...]:
    """Of the server for a model: which classes it needs, and a context no longer than it has."""
    told: dict[str, Any] = json.loads((model / "config.json").read_bytes())
    text: dict[str, Any] = told.get("text_config", told)
    # SGLang has no class of its own for the towers of Hugging Face's LLaVA (docs/llava-tri.md).
    found = ("--model-impl", "transformers") if told.get("model_type") == "llava" else ()
    longest = text.get("max_position_embeddings", CONTEXT)
    return found if longest >= CONTEXT else (*found, "--context-length", str(longest))


def name_of(model: Path) -> str:
    """NAME@DIGEST, as its export is called; of another folder its name."""
    return _lineage(model).get("model") or f"{model.resolve().name}@unpinned"


def generation_of(model: Path) -> int:
    """Of the text that it writes: one more than that of the text that it learnt from, where its export tells it."""
    return 1 + _lineage(model).get("text_generation", 0)


def _lineage(model: Path) -> dict[str, Any]:
    """What its export tells of it; nothing of another folder."""
    lineage = model / "lineage.json"
    return json.loads(lineage.read_bytes()) if lineage.is_file() else {}


def main() -> int:
    """Serve, run, stop; returns the exit status of the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--python", type=Path, default=Path(".venv-sglang/bin/python"), help="of SGLang's environment")
    parser.add_argument("--folder", type=Path, default=Path("out/sglang"), help="for the server's log")
    parser.add_argument("command", nargs="+", help="after --")
    given = parser.parse_args()
    name = name_of(given.model)
    given.folder.mkdir(parents=True, exist_ok=True)
    server = LocalSglang(
        given.folder, given.python, model=given.model, served=name.partition("@")[0], queued=64,
        # Most processors have no bfloat16 of their own and take six times as long in it.
        more=(*arguments_for(given.model), "--dtype", "float32"),
    )  # fmt: skip
    server.log_path.unlink(missing_ok=True)
    with Processes(grace_s=5) as processes:
        try:
            server.start(processes)
            server.wait_ready(processes)
            told = {
                "TRISTREAM_SGLANG_URL": server.url, "TRISTREAM_SGLANG_MODEL": name,
                "TRISTREAM_SGLANG_API_KEY": server.api_key,
                "TRISTREAM_SGLANG_GENERATION": str(generation_of(given.model)),
            }  # fmt: skip
            return run(given.command, os.environ | told, processes)
        except TristreamError as error:
            print(error, file=sys.stderr)  # noqa: T201
            return 1
        except Interrupted as signal:
            return 128 + signal.number


def run(command: Sequence[str], environ: Mapping[str, str], processes: Processes) -> int:
    """Run the command to its end, unless the server ends before it or a person stops both; returns its status.

    Raises:
        ChildFailed: the server ended.
        Interrupted: a signal asked to stop.
    """
    with subprocess.Popen(command, env=environ) as child:  # noqa: S603
        try:
            while child.poll() is None:
                processes.pause(0.2)
        finally:
            child.terminate()
    return child.returncode


if __name__ == "__main__":
    sys.exit(main())
