"""Whether a form comes from one of our own pages, by the browser's own word; the form's token is checked elsewhere."""

from urllib.parse import urlsplit

from fastapi import Request

OURS = {"same-origin", "none"}
Asked = tuple[str, str]
"""Path and query of an address."""


def comes_from_us(request: Request, base_url: str) -> bool:
    """The token is what a forger lacks; what the browser says about the origin is the second wall."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in OURS
    origin = request.headers.get("origin")
    return origin in (None, "null") or _split(origin)[0] in _hosts(request, base_url)


def sent_from(request: Request, base_url: str) -> Asked:
    """The page of ours a form was sent from, as the browser says it; empty where it says another's or nothing."""
    host, path, query = _split(request.headers.get("referer", ""))
    return (path, query) if host in _hosts(request, base_url) else ("", "")


def _split(address: str) -> tuple[str, str, str]:
    """Host, path and query; of what is no address nothing, which is no host of ours."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "", "", ""
    return parts.netloc, parts.path, parts.query


def _hosts(request: Request, base_url: str) -> set[str]:
    return {request.headers.get("host", ""), urlsplit(base_url).netloc} - {""}
