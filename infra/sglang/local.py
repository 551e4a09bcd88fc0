"""A real SGLang server on this machine's CPU, with a tiny model made on the spot. For tests; knows nothing of prompts.

It is started by the production's launch.sh, with what a CPU needs behind it.
"""

import os
import secrets
import time
from pathlib import Path

import httpx

from infra.kafka.local import free_port
from infra.processes import Processes, tail
from schemas.failures import TristreamError, Unavailable

NAME = "sglang"
MODEL = "tiny/vlm"
HERE = Path(__file__).parent


class SglangFailed(TristreamError):
    """The server, or its model, cannot be made to run; the message ends with the log."""


class LocalSglang:
    """One server on one port, which stays the same when it is started again.

    Args:
        folder: the model and `sglang.log`.
        python: of the environment in which SGLang is installed.
        running: requests that it works on at once.
        queued: requests that may wait; more are refused with 503.
        model: the folder of a model; None: the one that `make_model` writes.
        served: the name that it is asked by.
        more: arguments of the server beside launch.sh's.
    """

    def __init__(
        self,
        folder: Path,
        python: Path,
        *,
        running: int = 2,
        queued: int = 3,
        model: Path | None = None,
        served: str = MODEL,
        more: tuple[str, ...] = (),
    ) -> None:
        self.folder, self._python = folder.absolute(), python.absolute()
        self._running, self._queued = running, queued
        self.model, self._served, self._more = (model or self.folder / "model").absolute(), served, more
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.api_key = secrets.token_hex(16)

    @property
    def log_path(self) -> Path:
        """What it writes."""
        return self.folder / "sglang.log"

    def make_model(self, processes: Processes) -> None:
        """Write the model, unless it is there.

        Raises:
            SglangFailed: it could not be made.
        """
        if self.model.exists():
            return
        partial = self.folder / "model.partial"
        log_path = self.folder / "model.log"
        argv = (str(self._python), str(HERE / "cpu" / "tiny.py"), str(partial))
        if processes.run("sglang-model", argv, log_path=log_path, env=self._environment()) != 0:
            raise SglangFailed(f"the tiny model could not be made; {log_path} ends:\n{tail(log_path)}")
        partial.rename(self.model)

    def start(self, processes: Processes) -> None:
        """Start it. It is not ready yet: see `wait_ready`."""
        argv = (
            "bash", str(HERE / "launch.sh"), "--device", "cpu", "--attention-backend", "torch_native",
            "--sampling-backend", "pytorch", "--disable-overlap-schedule", "--skip-server-warmup",
            "--max-total-tokens", "32768", "--max-running-requests", str(self._running), "--random-seed", "0",
            *self._more,
        )  # fmt: skip
        told = {
            "PATH": f"{self._python.parent}{os.pathsep}{os.environ['PATH']}",
            "MODEL": str(self.model), "REVISION": "main", "SERVED": self._served, "API_KEY": self.api_key,
            "HOST": "127.0.0.1", "PORT": str(self._port), "QUEUE": str(self._queued),
            # Of what is free at its start; what other processes take while it loads counts as the weights'. How much
            # it keeps for itself is decided by the most tokens.
            "MEMORY": "0.8",
        }  # fmt: skip
        processes.start(NAME, argv, log_path=self.log_path, env=self._environment() | told, restart=False)

    def wait_ready(self, processes: Processes, timeout_s: float = 1200.0) -> None:
        """Return once its health check passes.

        Raises:
            Unavailable: it did not in `timeout_s`.
            ChildFailed: it ended instead.
        """
        deadline = time.monotonic() + timeout_s
        while not self.healthy():
            if time.monotonic() > deadline:
                raise Unavailable(f"SGLang is not ready; its log, {self.log_path}, ends:\n{tail(self.log_path)}")
            processes.pause(0.5)

    def healthy(self) -> bool:
        """Whether it serves."""
        try:
            return httpx.get(f"{self.url}/health", timeout=20.0).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, processes: Processes) -> None:
        """Stop it and all processes of its own."""
        processes.stop(NAME)

    def _environment(self) -> dict[str, str]:
        return {
            "PYTHONPATH": os.pathsep.join(filter(None, (os.fspath(HERE / "cpu"), os.environ.get("PYTHONPATH")))),
            "HF_HUB_OFFLINE": "1",
            "SGLANG_USE_CPU_ENGINE": "1",
            # A model this small is slower on several threads than on one, and far slower beside other work.
            "OMP_NUM_THREADS": "1",
            # Otherwise the first answers wait for a C++ compiler.
            "TORCHDYNAMO_DISABLE": "1",
            # Three processes import torch and transformers at each start: only the first of all is to compile them.
            "PYTHONDONTWRITEBYTECODE": "",
        }
