"""requirements.lock as it is read for the bill of materials: what is pinned, and by which digests; nothing is asked."""

import re
from dataclasses import dataclass

from packaging.requirements import Requirement

from runtime.settings import PROJECT_ROOT

LOCK = PROJECT_ROOT / "requirements.lock"
PIN = re.compile(r"^([a-z0-9][\w.-]*)==([^\s;\\]+)\s*(?:;([^\\\n]*))?", re.MULTILINE)
DIGEST = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Pin:
    """One package of the lock; its digests are those of every file of that release, for all platforms."""

    name: str
    version: str
    digests: tuple[str, ...]
    marker: str = ""
    """For which machines, where not for all."""

    @property
    def requirement(self) -> Requirement:
        return Requirement(f"{self.name}=={self.version}" + (f"; {self.marker}" if self.marker else ""))


def pins(text: str | None = None) -> tuple[Pin, ...]:
    """Everything that is pinned, in the order of the lock. Raises ValueError for a pin without a digest."""
    text = LOCK.read_text(encoding="utf-8") if text is None else text
    found, ends = list(PIN.finditer(text)), [*[one.start() for one in PIN.finditer(text)][1:], len(text)]
    listed = tuple(
        Pin(one[1], one[2], tuple(sorted(DIGEST.findall(text[one.end() : end]))), (one[3] or "").strip())
        for one, end in zip(found, ends, strict=True)
    )
    if bare := [one.name for one in listed if not one.digests]:
        raise ValueError(f"pinned without a digest: {', '.join(bare)}")
    return listed
