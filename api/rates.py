"""How much somebody may ask for: a token bucket for each, in this process; and for whom an address stands."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address

from starlette.types import Scope

MOST_BUCKETS = 10_000
"""Keys that were never issued fill buckets too; the oldest are forgotten first, so memory stays bounded."""


@dataclass
class _Bucket:
    tokens: float
    at: float


class Rates:
    """`per_second` tokens flow in, at most `burst` are kept; one request takes one, an upload one for each byte."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def knows(self, key: str) -> bool:
        """Whether this key has asked before, not too long ago."""
        return key in self._buckets

    def wait(self, key: str) -> int:
        """What `spend` would say; nothing is spent."""
        bucket = self._buckets.get(key)
        if bucket is None:
            return 0
        tokens = self._tokens(bucket, self._clock())
        return math.ceil((1 - tokens) / self._per_second) if tokens < 1 else 0

    def spend(self, key: str, tokens: int = 1) -> int:
        """0 when the request may go on, else the seconds to wait."""
        now = self._clock()
        bucket = self._buckets.setdefault(key, _Bucket(self._burst, now))
        self._buckets.move_to_end(key)
        bucket.tokens, bucket.at = self._tokens(bucket, now), now
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        if bucket.tokens < tokens:
            return math.ceil((tokens - bucket.tokens) / self._per_second)
        bucket.tokens -= tokens
        return 0

    def _tokens(self, bucket: _Bucket, now: float) -> float:
        return min(self._burst, bucket.tokens + (now - bucket.at) * self._per_second)


def asked_from(scope: Scope) -> str:
    """From where a request comes, as the server knows it: what a proxy says counts only where it is trusted."""
    return counted_as((scope.get("client") or ("",))[0])


def counted_as(address: str) -> str:
    """For whom an address stands: one subscriber has a whole /64 of IPv6, and an IPv4 address has two spellings."""
    try:
        given = ip_address(address)
    except ValueError:
        return address  # a socket of this machine
    if not isinstance(given, IPv6Address):
        return str(given)
    return str(given.ipv4_mapped or IPv6Network((int(given), 64), strict=False))
