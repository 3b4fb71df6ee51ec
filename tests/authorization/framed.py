"""What every answer must be, whoever asked for what: its headers of promises.md section 6, a refusal in its form."""

import json
import re

from httpx import Response

PROBLEM = "application/problem+json"
ALWAYS = {
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
SCRIPTS = re.compile(r"script-src ([^;]*)")
NOTHING_ELSE = ("frame-ancestors 'none'", "base-uri 'none'")


def lacking(answer: Response) -> list[str]:
    """Headers an answer lacks, or that allow more than they should."""
    given = answer.headers
    wrong = [name for name, value in ALWAYS.items() if given.get(name) != value]
    wrong += [] if given.get("referrer-policy") in ("no-referrer", "same-origin") else ["referrer-policy"]
    wrong += [] if given.get("x-request-id") else ["x-request-id"]
    is_vendored = given.get("cache-control") in ("no-cache", "public, max-age=31536000, immutable")
    wrong += [] if given.get("cache-control") == "no-store" or is_vendored else ["cache-control"]
    return wrong + _lax(given.get("content-security-policy", "")) + _readable_cookies(answer)


def _lax(policy: str) -> list[str]:
    """What a policy lets in: scripts by their nonce alone, nothing from elsewhere, no frame around it."""
    if "sandbox" in policy:  # a file: nothing of it runs
        return [] if policy.startswith("default-src 'none'") else ["content-security-policy"]
    [scripts] = SCRIPTS.findall(policy) or [""]
    strict = policy.startswith("default-src 'none'") and all(one in policy for one in NOTHING_ELSE)
    allowed = re.fullmatch(r"(?:'nonce-[\w-]{20,}')?", scripts) and "http" not in policy and "unsafe" not in policy
    return [] if strict and allowed else ["content-security-policy"]


def _readable_cookies(answer: Response) -> list[str]:
    cookies = answer.headers.get_list("set-cookie")
    return [f"cookie {one[:20]}" for one in cookies if "HttpOnly" not in one or "SameSite=lax" not in one]


def untold(answer: Response, *, as_page: bool) -> list[str]:
    """What is wrong with how a refusal is told: a framed page in Chinese, or a problem document with its own number."""
    if answer.status_code < 400 or not answer.content:
        return []
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if as_page:
        framed = '<html lang="zh-CN">' in answer.text and "</html>" in answer.text
        return [] if kind == "text/html" and framed else [f"{answer.status_code} as {kind}, not a page"]
    if kind != PROBLEM:
        return [f"{answer.status_code} as {kind}, not a problem"]
    said = json.loads(answer.content)
    fits = said["status"] == answer.status_code and said["instance"] == answer.headers.get("x-request-id")
    return [] if fits and said["type"] == f"/problems/{said['code']}" else ["another status or number than its own"]
