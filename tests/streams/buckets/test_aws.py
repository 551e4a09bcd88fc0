"""Profiles of `~/.aws`: which apply, what they give, and what is said of one that gives nothing."""

from pathlib import Path

import orjson
import pytest

from streams.buckets.aws import ProfileUnusable, options

BUCKET = "s3://scans"


def home(tmp_path: Path, credentials: str = "", config: str = "") -> dict[str, str]:
    """An environment whose home folder has these files."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(credentials)
    (tmp_path / ".aws" / "config").write_text(config)
    return {"HOME": str(tmp_path)}


def keys(environment: dict[str, str]) -> tuple[str, str, str | None]:
    given = options(BUCKET, environment)["credential_provider"]()
    return given["access_key_id"], given["secret_access_key"], given["token"]


def test_the_default_profile_applies_by_itself(tmp_path: Path) -> None:
    """Its keys are taken, also with a percent sign in them; of other URLs nothing is said."""
    environment = home(tmp_path, "[default]\naws_access_key_id = a\naws_secret_access_key = s%s\naws_session_token=t\n")
    assert keys(environment) == ("a", "s%s", "t")
    assert options("file:///scans", environment) == {}


def test_variables_go_before_profiles(tmp_path: Path) -> None:
    """Keys of the environment, and its region and endpoint, are not overridden."""
    environment = home(
        tmp_path,
        "[a]\naws_access_key_id = a\naws_secret_access_key = s\n",
        "[profile a]\nregion = eu-west-1\nendpoint_url = http://x\n",
    )
    assert options(BUCKET, environment | {"AWS_ACCESS_KEY_ID": "b", "AWS_PROFILE": "a"}) == {}
    found = options(BUCKET, environment | {"AWS_REGION": "eu-north-1", "AWS_PROFILE": "a"})
    assert {name: found[name] for name in found if name != "credential_provider"} == {"endpoint": "http://x"}


def test_without_a_profile_nothing_is_said(tmp_path: Path) -> None:
    """Then obstore asks the metadata services."""
    assert options(BUCKET, {"HOME": str(tmp_path)}) == {}


def test_a_process_may_print_the_keys(tmp_path: Path) -> None:
    """As single sign-on and assumed roles do it; when they end is told on."""
    printed = {"AccessKeyId": "a", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": "2031-01-01T00:00:00Z"}
    (tmp_path / "keys.json").write_bytes(orjson.dumps({"Version": 1, **printed}))
    environment = home(tmp_path, config=f"[profile p]\ncredential_process = cat '{tmp_path / 'keys.json'}'\n")
    environment["AWS_PROFILE"] = "p"
    assert keys(environment) == ("a", "s", "t")
    assert options(BUCKET, environment)["credential_provider"]()["expires_at"].year == 2031


@pytest.mark.parametrize("command", ["false", "echo secret-words", "no-such-program"])
def test_a_process_that_fails_is_named_and_not_quoted(tmp_path: Path, command: str) -> None:
    """What it printed may hold keys."""
    environment = home(tmp_path, config=f"[default]\ncredential_process = {command}\n")
    with pytest.raises(ProfileUnusable, match="credential_process") as caught:
        options(BUCKET, environment)["credential_provider"]()
    assert "secret-words" not in str(caught.value)


@pytest.mark.parametrize("config", ["", "[profile sso]\nsso_session = x\n", "[profile sso\n"])
def test_a_profile_that_gives_nothing_is_an_error(tmp_path: Path, config: str) -> None:
    """Whoever names a profile means it: no other credentials are taken in its place."""
    with pytest.raises(ProfileUnusable, match="AWS"):
        options(BUCKET, home(tmp_path, config=config) | {"AWS_PROFILE": "sso"})
