"""Whether a form comes from one of our own pages, by the browser's own word; the form's token is checked elsewhere."""

from urllib.parse import urlsplit

from fastapi import Request

OURS = {"same-origin", "none"}


def comes_from_us(request: Request, base_url: str) -> bool:
    """The token is what a forger lacks; what the browser says about the origin is the second wall."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in OURS
    origin = request.headers.get("origin")
    return origin in (None, "null") or urlsplit(origin).netloc in {
        request.headers.get("host", ""),
        urlsplit(base_url).netloc,
    }
