"""Whose credentials a bucket is listed with where obstore cannot: variables, profiles, and roles of where it runs."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from schemas.failures import Unavailable
from streams.buckets.aws import Access, access_to
from streams.buckets.s3_keys import signed

GIVEN = b'{"AccessKeyId": "role", "SecretAccessKey": "secret", "Token": "token"}'
ASSUMED = b"""<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>role</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
<SessionToken>token</SessionToken></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


class Services(BaseHTTPRequestHandler):
    """What AWS's metadata and token services answer, where they are asked as they must be."""

    def do_GET(self) -> None:
        if self.path.startswith("/container") and self.headers["authorization"] == "from-file":
            self.answer(GIVEN)
        elif self.path.startswith("/?Action=AssumeRoleWithWebIdentity") and "WebIdentityToken=jwt" in self.path:
            self.answer(ASSUMED)
        elif self.headers["x-aws-ec2-metadata-token"] != "session":
            self.send_error(401)
        elif self.path == "/latest/meta-data/iam/security-credentials/":
            self.answer(b"worker")
        elif self.path == "/latest/meta-data/iam/security-credentials/worker":
            self.answer(GIVEN)
        else:
            self.send_error(404)

    def do_PUT(self) -> None:
        self.answer(b"session")

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def services() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Services)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_variables_say_who_and_where(tmp_path: Path) -> None:
    """Path style at the endpoint, else at Amazon's of the region; the secret is not printed."""
    environment = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "hidden", "HOME": str(tmp_path)}
    found = access_to("s3://scans", environment | {"AWS_REGION": "eu-west-1"})
    assert found == Access("https://s3.eu-west-1.amazonaws.com/scans", "eu-west-1", "a", "hidden")
    assert "hidden" not in repr(found)
    found = access_to("s3://scans", environment | {"AWS_ENDPOINT_URL": "http://s3:9000/"})
    assert found.url == "http://s3:9000/scans"


@pytest.mark.parametrize("kind", ["web identity", "container", "machine"])
def test_roles_give_credentials(services: str, tmp_path: Path, kind: str) -> None:
    """Of a pod, a container, a machine: as obstore takes them."""
    (tmp_path / "token").write_text("jwt\n")
    (tmp_path / "authorization").write_text("from-file\n")
    given = {
        "web identity": {
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
            "AWS_ROLE_ARN": "arn:aws:iam::1:role/worker",
            "AWS_ENDPOINT_URL_STS": services,
        },
        "container": {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{services}/container",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "authorization"),
        },
        "machine": {"AWS_METADATA_ENDPOINT": services},
    }[kind]
    found = access_to("s3://scans", {"HOME": str(tmp_path), **given})
    assert (found.access_key_id, found.secret_access_key, found.token) == ("role", "secret", "token")
    assert signed(found, {}, datetime.now(UTC))[1]["x-amz-security-token"] == "token"


def test_nobody_is_unavailable(services: str, tmp_path: Path) -> None:
    """Where nothing gives credentials the stage waits, and says what to look at."""
    with pytest.raises(Unavailable, match="AWS variables"):
        access_to("s3://scans", {"HOME": str(tmp_path), "AWS_METADATA_ENDPOINT": f"{services}/nowhere"})
