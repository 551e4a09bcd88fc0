"""A model served while a command runs: what the server is told of it, and that nothing outlives either."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from infra.processes import ChildFailed, Processes
from infra.sglang.__main__ import arguments_for, generation_of, name_of, run


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"model_type": "qwen3_vl", "text_config": {"max_position_embeddings": 262144}}, ()),
        (
            {"model_type": "llava", "text_config": {"max_position_embeddings": 8192}},
            ("--model-impl", "transformers", "--context-length", "8192"),
        ),
        ({"model_type": "llava", "text_config": {}}, ("--model-impl", "transformers")),
    ],
)
def test_what_the_server_is_told_of_a_model(tmp_path: Path, config: dict[str, Any], expected: tuple[str, ...]) -> None:
    """LLaVA by Transformers' classes; no longer context than a model has, for the server refuses to start."""
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert arguments_for(tmp_path) == expected


def test_a_model_is_asked_by_the_name_of_its_export(tmp_path: Path) -> None:
    """Which promotion compares with those of its evaluations."""
    assert (name_of(tmp_path), generation_of(tmp_path)) == (f"{tmp_path.name}@unpinned", 1)
    (tmp_path / "lineage.json").write_text('{"model": "llava-tri@0123456789ab", "text_generation": 1}')
    assert (name_of(tmp_path), generation_of(tmp_path)) == ("llava-tri@0123456789ab", 2)


def test_a_command_tells_its_status_and_does_not_outlive_the_server(tmp_path: Path) -> None:
    """A server that ends under it ends it, long before it would end by itself."""
    with Processes(grace_s=1) as processes:
        assert run([sys.executable, "-c", "raise SystemExit(3)"], os.environ, processes) == 3
        processes.start("server", ["sleep", "1"], log_path=tmp_path / "log", restart=False)
        begun = time.monotonic()
        with pytest.raises(ChildFailed):
            run(["sleep", "120"], os.environ, processes)
        assert time.monotonic() - begun < 60
