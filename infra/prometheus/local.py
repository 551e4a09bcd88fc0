"""A Prometheus on this machine, with the alerts of this folder. Knows addresses of workers, and nothing of metrics."""

import json
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from infra.kafka.local import free_port, is_free
from infra.prerequisites import MissingPrerequisite
from infra.processes import Processes, tail
from schemas.failures import TristreamError, Unavailable

HERE = Path(__file__).parent
CONFIGURATION, ALERTS = HERE / "prometheus.yml", HERE / "alerts.yml"
NAME, PORT = "prometheus", 9090
"""The port on which others look for it."""


class PrometheusFailed(TristreamError):
    """Prometheus ended, or refused a query; the message holds its own words."""


class LocalPrometheus:
    """A server on 127.0.0.1 that scrapes some workers.

    Args:
        folder: its configuration, data and `prometheus.log`.
        targets: host:port of /metrics by name of worker.
        port: of the server; 0: a free one.
        interval: seconds between scrapes, and between evaluations of the alerts.
    """

    def __init__(self, folder: Path, targets: Mapping[str, str], *, port: int = 0, interval: int = 5) -> None:
        self._folder, self._targets, self._interval = folder.absolute(), targets, interval
        self.address = f"127.0.0.1:{port or free_port()}"

    def start(self, processes: Processes) -> None:
        """Start it; see `wait_ready`.

        Raises:
            MissingPrerequisite: it is not installed.
        """
        binary = shutil.which("prometheus")
        if binary is None:
            raise MissingPrerequisite(
                "no 'prometheus' was found: install it with 'sudo apt-get install prometheus' (Debian, Ubuntu) or "
                "'brew install prometheus' (macOS)"
            )
        (self._folder / "targets").mkdir(parents=True, exist_ok=True)
        configuration = self._folder / CONFIGURATION.name
        configuration.write_text(CONFIGURATION.read_text().replace("15s", f"{self._interval}s"))
        shutil.copy(ALERTS, self._folder)
        targets = [{"targets": [address], "labels": {"instance": name}} for name, address in self._targets.items()]
        (self._folder / "targets" / "local.json").write_text(json.dumps(targets))
        argv = (
            binary,
            f"--config.file={configuration}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address={self.address}",
            "--log.level=warn",
        )
        self._processes = processes
        processes.start(NAME, argv, log_path=self._log, cwd=self._folder, restart=True, vital=False)

    def wait_ready(self, timeout_s: float = 30.0) -> None:
        """Return once it says that it serves.

        Raises:
            PrometheusFailed: it ended instead.
            Unavailable: it did not answer in time.
        """
        for _ in range(round(timeout_s / 0.1)):
            self._processes.pause(0.1)
            if self._processes.crashes[NAME]:
                raise PrometheusFailed(f"Prometheus ended while starting; {self._log} ends:\n{tail(self._log)}")
            try:
                with urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=1):
                    return
            except OSError:
                continue
        raise Unavailable(f"Prometheus did not answer within {timeout_s:.0f} s; its log is {self._log}")

    def query(self, expression: str) -> list[Any]:
        """Series of an instant query, each with `metric` and `value`.

        Raises:
            PrometheusFailed: it does not understand the expression, or cannot evaluate it.
        """
        return self._ask("query", {"query": expression})["result"]

    def rules(self) -> list[Any]:
        """All alerting rules, each with `name`, `query`, `health`, `state` and `lastError`."""
        return [rule for group in self._ask("rules", {})["groups"] for rule in group["rules"]]

    def _ask(self, what: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        url = f"http://{self.address}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return cast("dict[str, Any]", json.load(answer)["data"])
        except urllib.error.HTTPError as error:
            raise PrometheusFailed(json.load(error).get("error", "no reason given")) from None

    @property
    def _log(self) -> Path:
        return self._folder / "prometheus.log"


def start_beside(processes: Processes, folder: Path, targets: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Start one that watches a pipeline, on another port where its own is taken; or say why there is none.

    Args:
        processes: whose child it becomes.
        folder: its configuration, data and log.
        targets: host:port of /metrics by name of worker.
        say: is told where it is.
    """
    taken = not is_free(PORT)
    prometheus = LocalPrometheus(folder, targets, port=0 if taken else PORT)
    try:
        prometheus.start(processes)
        prometheus.wait_ready()
    except (MissingPrerequisite, PrometheusFailed, Unavailable) as error:
        processes.stop(NAME)
        say(f"on without Prometheus: {error}")
        return
    moved = f" (port {PORT} is in use)" if taken else ""
    say(f"Prometheus: http://{prometheus.address}/alerts{moved}; dashboards: see docs/watching.md")
