"""The settings for many GPUs, as far as a machine without one can tell: accelerate takes every word of them."""

# pyright: basic, reportMissingImports=false
# torch is installed in .venv-llava only.

import argparse
from pathlib import Path

import pytest
import yaml

accelerate = pytest.importorskip("accelerate", reason="needs the environment of make llava-env")

SETTINGS = Path(__file__).parents[2] / "models/llava_tri/training/fsdp2.yaml"


def test_accelerate_takes_the_settings_for_fsdp2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a key that it does not know accelerate tells nothing, so each must be one of its own."""
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils.dataclasses import FullyShardedDataParallelPlugin
    from accelerate.utils.launch import prepare_multi_gpu_env

    told = yaml.safe_load(SETTINGS.read_text())
    config = load_config_from_file(str(SETTINGS))
    assert (config.num_processes, config.mixed_precision) == (told["num_processes"], "bf16")
    arguments: argparse.Namespace = launch_command_parser().parse_args(["--config_file", str(SETTINGS), "-m", "x"])
    assert told["fsdp_config"].keys() <= vars(arguments).keys()
    arguments, *_ = _validate_launch_command(arguments)
    for name, value in prepare_multi_gpu_env(arguments).items():
        monkeypatch.setenv(name, value)
    plugin = FullyShardedDataParallelPlugin()
    assert plugin.fsdp_version == 2
    assert plugin.reshard_after_forward is True
    assert plugin.cpu_ram_efficient_loading
    assert not plugin.activation_checkpointing
    assert "SHARDED" in str(plugin.state_dict_type)
