"""The login of a broker that `up` runs: a new password at each start, which its user's other commands find by the port.

Other users of the machine can reach the broker, and cannot read the password. Knows nothing of how brokers are started.
"""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from agents.settings import Settings
from streams.private import private_folder
from streams.settings import Security

USER = "tristream"
MECHANISM = "PLAIN"
"""What is said over loopback, only who may read all memory of the machine can hear."""
LOOPBACK = ("127.0.0.1", "localhost")


def login(password: Path) -> Security:
    """How clients come in, with the password in that file."""
    return Security(protocol="SASL_PLAINTEXT", mechanism=MECHANISM, username=USER, password_file=password)


def server_properties(password: str, *listeners: str) -> dict[str, str]:
    """Have these listeners of a broker ask for the login, and the broker itself give it."""
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    told = f'{module} required username="{USER}" password="{password}" user_{USER}="{password}";'
    found = {"sasl.mechanism.inter.broker.protocol": MECHANISM, "sasl.mechanism.controller.protocol": MECHANISM}
    for name in listeners:
        prefix = f"listener.name.{name.lower()}."
        found |= {f"{prefix}sasl.enabled.mechanisms": MECHANISM, f"{prefix}plain.sasl.jaas.config": told}
    return found


@contextmanager
def offered(cache: Path, port: int, password: str) -> Generator[Path]:
    """Keep the password of the broker at a port where `with_login` looks, as long as this process lives.

    Args:
        cache: the user's folder of fetched software.
        port: of 127.0.0.1.
        password: of the broker.

    Yields:
        The file that holds it, and nothing else.
    """
    path = _place(cache, port)
    private_folder(path.parent)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(password)
        file.flush()
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)


def with_login(settings: Settings) -> Settings:
    """The settings, with the login of the broker that this user's `up` runs at their address, if it runs one.

    What the settings themselves say of Kafka's door wins.
    """
    host, _, port = settings.wires.bootstrap.partition(":")
    if settings.wires.security != Security() or host not in LOOPBACK or not port.isdecimal():
        return settings
    path = _place(settings.cache, int(port))
    return settings.with_wires(security=login(path)) if _is_held(path) else settings


def _place(cache: Path, port: int) -> Path:
    return cache / "logins" / str(port)


def _is_held(path: Path) -> bool:
    """Whether a process offers it now: what one that was killed has left opens no door."""
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
