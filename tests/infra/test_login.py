"""The login of a local broker is found by its user's commands, as long as the broker's owner lives."""

import subprocess
import sys
from pathlib import Path

import pytest

from agents.settings import Settings
from infra.kafka.login import USER, login, offered, with_login
from streams.settings import Security, Wires

PORT = 24_242


def settings(cache: Path, bootstrap: str = f"127.0.0.1:{PORT}", security: Security | None = None) -> Settings:
    return Settings(wires=Wires(bootstrap=bootstrap, security=security or Security()), cache=cache)


def test_it_is_found_by_the_port_while_it_is_offered(tmp_path: Path) -> None:
    """In a file for its user alone, which is gone afterwards."""
    assert with_login(settings(tmp_path)) == settings(tmp_path)
    with offered(tmp_path, PORT, "secret") as path:
        assert with_login(settings(tmp_path)).wires.security == login(path)
        assert with_login(settings(tmp_path, f"localhost:{PORT}")).wires.security.username == USER
        assert path.read_text() == "secret"
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert not path.exists()
    assert with_login(settings(tmp_path)) == settings(tmp_path)


@pytest.mark.parametrize(
    ("bootstrap", "security"),
    [
        (f"127.0.0.1:{PORT + 1}", None),
        (f"kafka:{PORT}", None),
        (f"127.0.0.1:{PORT},127.0.0.1:{PORT}", None),
        (f"127.0.0.1:{PORT}", Security("SASL_SSL", username="u", password="p")),
    ],
)
def test_no_other_broker_is_given_it(tmp_path: Path, bootstrap: str, security: Security | None) -> None:
    """Not one elsewhere; and what the settings say of the door wins."""
    with offered(tmp_path, PORT, "secret"):
        given = settings(tmp_path, bootstrap, security)
        assert with_login(given) == given


def test_what_a_killed_owner_left_counts_for_nothing(tmp_path: Path) -> None:
    """Another broker may be at the port now, one that asks for no login; and the next owner takes the place over."""
    script = (
        "import sys; from pathlib import Path; from infra.kafka.login import offered\n"
        f"with offered(Path(sys.argv[1]), {PORT}, 'old'): print('there', flush=True); input()"
    )
    argv = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        owner.stdout.readline()
        assert with_login(settings(tmp_path)).wires.security.sasl
        owner.kill()
    assert [path.name for path in (tmp_path / "logins").iterdir()] == [str(PORT)]
    assert with_login(settings(tmp_path)) == settings(tmp_path)
    with offered(tmp_path, PORT, "new") as path:
        assert path.read_text() == "new"
