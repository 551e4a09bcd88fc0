"""Whose credentials a bucket is asked with: by the usual AWS chain. Knows nothing of what is asked.

obstore reads the AWS variables, web identity tokens and metadata services by itself. This adds, between them, the
profiles in `~/.aws`: keys as they stand there, and those that a `credential_process` prints. (botocore would read them
too, but needs another python-dateutil than Faust's croniter.)
"""

import configparser
import os
import shlex
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.failures import Unavailable

FIRST = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE")
"""Variables that go before any profile, as in AWS's own tools."""
LIFE = timedelta(minutes=5)
"""After which credentials that tell no end are asked for again: a file may have been renewed."""


class ProfileUnusable(Unavailable):
    """A profile cannot be used; the message says why. Someone has to mend it."""


class Printed(BaseModel):
    """What a `credential_process` prints (AWS SDKs and Tools Reference Guide, Process credential provider)."""

    model_config = ConfigDict(hide_input_in_errors=True)

    access_key_id: str = Field(alias="AccessKeyId")
    secret_access_key: str = Field(alias="SecretAccessKey", repr=False)
    token: str | None = Field(None, alias="SessionToken", repr=False)
    expires_at: datetime | None = Field(None, alias="Expiration")


def options(url: str, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """What obstore is told beside the URL of a bucket; nothing of other URLs, nor where no profile applies.

    Raises:
        ProfileUnusable: AWS_PROFILE names a profile that is not there, or gives no credentials.
    """
    if not url.startswith("s3://") or any(name in environment for name in FIRST):
        return {}
    name = environment.get("AWS_PROFILE")
    profile = read_profile(name or "default", environment)
    if not profile and name is None:
        return {}
    found: dict[str, Any] = {}
    if provider := _provider(profile):
        found["credential_provider"] = provider
    elif name is not None:
        raise ProfileUnusable(
            "the AWS profile is not there, or has neither keys nor a credential_process. Of a profile with single "
            "sign-on or an assumed role, let another have credential_process = aws configure export-credentials "
            "--profile NAME"
        )
    for variable, option, name_in_profile in (
        ("AWS_REGION", "region", "region"),
        ("AWS_ENDPOINT_URL", "endpoint", "endpoint_url"),
    ):
        if variable not in environment and name_in_profile in profile:
            found[option] = profile[name_in_profile]
    return found


@dataclass(frozen=True, slots=True)
class Access:
    """To one bucket, as somebody.

    Args:
        url: of the bucket, over HTTP.
        region: for the signature.
        access_key_id: whose.
        secret_access_key: of the same.
        token: of credentials that last for a while.
    """

    url: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def access_to(bucket: str, environment: Mapping[str, str] = os.environ) -> Access:
    """How a bucket is asked without obstore, by the same variables, profiles and roles.

    Args:
        bucket: s3://name.
        environment: of the process.

    Raises:
        Unavailable: nothing gives credentials.
    """
    given = options(bucket, environment)
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or given.get("region", "us-east-1")
    endpoint = environment.get("AWS_ENDPOINT_URL") or environment.get("AWS_ENDPOINT") or given.get("endpoint")
    name = bucket.removeprefix("s3://")
    hosted = environment.get("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "").lower() in ("1", "true")
    url = (endpoint or f"https://s3.{region}.amazonaws.com").rstrip("/")
    found: Mapping[str, Any]
    if "AWS_ACCESS_KEY_ID" in environment:
        secret, token = environment.get("AWS_SECRET_ACCESS_KEY", ""), environment.get("AWS_SESSION_TOKEN")
        found = {"access_key_id": environment["AWS_ACCESS_KEY_ID"], "secret_access_key": secret, "token": token}
    elif provider := given.get("credential_provider"):
        found = provider()
    else:
        from streams.buckets.aws_roles import role_credentials  # It loads a client of HTTP.

        found = role_credentials(region, environment)
    keys = {part: found[part] for part in ("access_key_id", "secret_access_key", "token")}
    return Access(url if hosted and endpoint else f"{url}/{name}", region, **keys)


def read_profile(name: str, environment: Mapping[str, str]) -> Mapping[str, str]:
    """What the two files in `~/.aws` say of a profile; of what both name, what stands in `credentials`."""
    home = Path(environment.get("HOME", "~")).expanduser() / ".aws"
    found: dict[str, str] = {}
    for variable, file, section in (
        ("AWS_CONFIG_FILE", "config", name if name == "default" else f"profile {name}"),
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials", name),
    ):
        parser = configparser.ConfigParser(default_section="", interpolation=None, strict=False)
        try:
            parser.read(Path(environment.get(variable, home / file)).expanduser(), encoding="utf-8")
        except (OSError, ValueError, configparser.Error):
            raise ProfileUnusable(f"the AWS {file} file cannot be read") from None
        if parser.has_section(section):
            found |= dict(parser.items(section))
    return found


def _provider(profile: Mapping[str, str]) -> Callable[[], dict[str, Any]] | None:
    if {"aws_access_key_id", "aws_secret_access_key"} <= profile.keys():
        given = {
            "access_key_id": profile["aws_access_key_id"],
            "secret_access_key": profile["aws_secret_access_key"],
            "token": profile.get("aws_session_token"),
        }
        return lambda: {**given, "expires_at": None}
    if command := profile.get("credential_process"):
        return lambda: _ask(shlex.split(command))
    return None


def _ask(command: list[str]) -> dict[str, Any]:
    try:
        ended = subprocess.run(command, capture_output=True, check=True, timeout=60)  # noqa: S603 - the profile's owner chose it
        printed = Printed.model_validate_json(ended.stdout)
    except (OSError, subprocess.SubprocessError, ValidationError) as error:
        raise ProfileUnusable(f"the credential_process of the AWS profile failed ({type(error).__name__})") from None
    found = printed.model_dump()
    return {**found, "expires_at": printed.expires_at or datetime.now(UTC) + LIFE}
