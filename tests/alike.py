"""What two pages that must look alike may differ in all the same; what else an answer carries is each test's own."""

import re

CHANGING = re.compile(r'(nonce|name="_once" value|name="next" value)="[^"]*"|<time>[^<]*</time>')


def steady(html: str) -> str:
    """A page without what differs each time: nonces, what its forms carry once, the minute it was made in."""
    return CHANGING.sub("", html)
