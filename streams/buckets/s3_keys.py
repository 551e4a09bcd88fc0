"""Keys of an S3 bucket just as its server tells them, for a bucket that holds keys which obstore cannot tell.

obstore refuses a whole page for one key with an empty segment, a segment of dots, or a control character. Here such
keys are listed; that they cannot be asked for is for whoever reads them to find.
"""

import hashlib
import hmac
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote_plus, urlsplit
from xml.etree.ElementTree import Element

import httpx
import stamina
from defusedxml import ElementTree

from schemas.failures import Unavailable
from streams.buckets.asking import PAGE, Entry
from streams.buckets.aws import Access, access_to

SERVICE = "s3"
EMPTY = hashlib.sha256(b"").hexdigest()
PATIENCE = 10.0
"""Seconds for which a page is asked for again."""


def pages(
    bucket: str,
    prefix: str,
    *,
    after: str | None = None,
    below: bool = True,
    environment: Mapping[str, str] = os.environ,
) -> Iterator[list[Entry]]:
    """What lies below a prefix, in pages. Blocks.

    Args:
        bucket: s3://name.
        prefix: without a slash at its end; empty: all of the bucket.
        after: keys that come after this one; None: all.
        below: False: none that has a slash behind the prefix.
        environment: of whose credentials the bucket is asked with.

    Raises:
        Unavailable: the bucket does not answer, or may not be listed.
    """
    access = access_to(bucket, environment)
    asked = {"encoding-type": "url", "list-type": "2", "max-keys": str(PAGE), "prefix": f"{prefix}/" if prefix else ""}
    asked |= {"start-after": after} if after is not None else {}
    asked |= {} if below else {"delimiter": "/"}
    while True:
        answer = _asked(access, asked)
        encoded = _text(answer, "EncodingType") == "url"
        yield [_entry(one, encoded) for one in answer.findall("{*}Contents")]
        token = _text(answer, "NextContinuationToken")
        if _text(answer, "IsTruncated") != "true" or not token:
            return
        asked["continuation-token"] = token


def _entry(found: Element, encoded: bool) -> Entry:
    key = _text(found, "Key")
    key = unquote_plus(key) if encoded else key
    # As obstore does: an object that stands for a folder is told without its slash.
    return Entry(key.rstrip("/"), _text(found, "ETag"), int(_text(found, "Size") or 0))


def _text(element: Element, name: str) -> str:
    return element.findtext(f"{{*}}{name}") or ""


def _asked(access: Access, parameters: Mapping[str, str]) -> Element:
    url, headers = signed(access, parameters, datetime.now(UTC))
    try:
        for attempt in stamina.retry_context(on=_passing, attempts=None, timeout=PATIENCE, wait_initial=0.2):
            with attempt:
                answer = httpx.get(url, headers=headers, timeout=60)
                answer.raise_for_status()
                return ElementTree.fromstring(answer.content)
    except httpx.HTTPStatusError as error:
        refused = not _passing(error)
        raise Unavailable("the bucket refuses to be listed" if refused else "the bucket cannot be listed") from None
    except (httpx.HTTPError, ElementTree.ParseError, ValueError):
        raise Unavailable("the bucket cannot be listed") from None
    raise AssertionError


def _passing(error: Exception) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in (408, 429) or error.response.status_code >= 500
    return isinstance(error, httpx.HTTPError)


def signed(
    access: Access, parameters: Mapping[str, str], now: datetime, method: str = "GET"
) -> tuple[str, dict[str, Any]]:
    """The URL and headers of a request without a body (Amazon S3 API Reference, AWS Signature Version 4).

    Args:
        access: to which bucket, as whom.
        parameters: of the query.
        now: UTC.
        method: of HTTP.
    """
    place = urlsplit(access.url)
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(parameters.items()))
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": place.netloc, "x-amz-content-sha256": EMPTY, "x-amz-date": stamp}
    if access.token:
        headers["x-amz-security-token"] = access.token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = "\n".join((method, quote(place.path or "/"), query, lines, names, EMPTY))
    scope = f"{stamp[:8]}/{access.region}/{SERVICE}/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = b"AWS4" + access.secret_access_key.encode()
    for part in (*scope.split("/"), text):
        key = hmac.digest(key, part.encode(), "sha256")
    credential = f"Credential={access.access_key_id}/{scope}"
    headers["authorization"] = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={key.hex()}"
    return f"{access.url}?{query}", headers
