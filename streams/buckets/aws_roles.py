"""Credentials of the role that a process has where it runs: by web identity, of its container, of its machine.

obstore asks for these by itself; this is for what is asked without it. Knows nothing of what is asked.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from defusedxml import ElementTree

from schemas.failures import Unavailable

CONTAINER = "http://169.254.170.2"
MACHINE = "http://169.254.169.254"
"""Where the metadata services of AWS answer (Amazon ECS and EC2 User Guides)."""
SECONDS = 5.0


def role_credentials(region: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """access_key_id, secret_access_key and token of the role.

    Raises:
        Unavailable: there is no role, or it gives none.
    """
    try:
        if "AWS_WEB_IDENTITY_TOKEN_FILE" in environment:
            return _by_web_identity(region, environment)
        if path := environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
            return _as_json(CONTAINER + path, {})
        if url := environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"):
            return _as_json(url, _authorization(environment))
        return _of_machine(environment.get("AWS_METADATA_ENDPOINT") or MACHINE)
    except (httpx.HTTPError, OSError, ValueError, KeyError, ElementTree.ParseError):
        raise Unavailable("nothing here gives credentials for the bucket: look at the AWS variables") from None


def _by_web_identity(region: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """AWS Security Token Service API Reference, AssumeRoleWithWebIdentity."""
    answer = httpx.get(
        environment.get("AWS_ENDPOINT_URL_STS") or f"https://sts.{region}.amazonaws.com",
        params={
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": environment["AWS_ROLE_ARN"],
            "RoleSessionName": environment.get("AWS_ROLE_SESSION_NAME", "tristream"),
            "WebIdentityToken": Path(environment["AWS_WEB_IDENTITY_TOKEN_FILE"]).read_text().strip(),
        },
        timeout=SECONDS,
    )
    found = ElementTree.fromstring(answer.raise_for_status().content).find(".//{*}Credentials")
    if found is None:
        raise ValueError("no credentials")
    parts = {name: found.findtext(f"{{*}}{name}") or "" for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")}
    return _named({**parts, "Token": parts["SessionToken"]})


def _of_machine(endpoint: str) -> dict[str, Any]:
    base = f"{endpoint}/latest"
    session = httpx.put(f"{base}/api/token", headers={"x-aws-ec2-metadata-token-ttl-seconds": "60"}, timeout=SECONDS)
    headers = {"x-aws-ec2-metadata-token": session.raise_for_status().text}
    roles = f"{base}/meta-data/iam/security-credentials/"
    role = httpx.get(roles, headers=headers, timeout=SECONDS).raise_for_status().text.strip()
    return _as_json(roles + role, headers)


def _authorization(environment: Mapping[str, str]) -> dict[str, str]:
    if file := environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
        return {"authorization": Path(file).read_text().strip()}
    token = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    return {"authorization": token} if token else {}


def _as_json(url: str, headers: Mapping[str, str]) -> dict[str, Any]:
    return _named(httpx.get(url, headers=dict(headers), timeout=SECONDS).raise_for_status().json())


def _named(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "access_key_id": found["AccessKeyId"],
        "secret_access_key": found["SecretAccessKey"],
        "token": found.get("Token"),
    }
