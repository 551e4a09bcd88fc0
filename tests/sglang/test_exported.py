"""What `tristream model export` writes, on the real SGLang server: it is served, and answers as Transformers does."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from benchmarks.sglang_bases import ask, picture
from infra.processes import Processes
from infra.sglang.__main__ import arguments_for
from infra.sglang.local import LocalSglang

pytestmark = [pytest.mark.integration, pytest.mark.timeout(2400)]
ROUNDING = 0.006
"""Of a log probability, in bfloat16."""


@pytest.fixture
def pythons() -> tuple[str, str]:
    """Of the environments of SGLang and of training: see `make test-sglang`."""
    names = ("TRISTREAM_TEST_SGLANG", "TRISTREAM_TEST_LLAVA")
    server, training = (os.environ.get(name, "") for name in names)
    if not server or not training:
        pytest.skip("make test-sglang runs these, where make llava-env was run before")
    return server, training


@pytest.mark.parametrize("family", ["qwen2-5-vl", "llava-clip", "llava-siglip", "llava-tiny"])
def test_an_export_answers_as_transformers_does(pythons: tuple[str, str], tmp_path: Path, family: str) -> None:
    """The first token after each of two pictures is as likely as in Transformers; so the picture is seen, and alike."""
    server_python, training = pythons
    subprocess.run([training, "-m", "tests.sglang.exported", family, str(tmp_path)], check=True)
    expected = [chance for _, chance in json.loads((tmp_path / "answers.json").read_text(encoding="utf-8"))]
    assert abs(expected[0] - expected[1]) > 2 * ROUNDING, "the two pictures must tell apart"
    model = tmp_path / "model"
    server = LocalSglang(tmp_path, Path(server_python), model=model, more=arguments_for(model))
    with Processes(grace_s=5) as processes:
        server.start(processes)
        server.wait_ready(processes)
        found = [ask(server, picture(seed))[1] for seed in (1, 2)]
        bare, _ = ask(server, None)
        seen, _ = ask(server, picture(1))
    assert seen > bare
    assert found == pytest.approx(expected, abs=ROUNDING)
