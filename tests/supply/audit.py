"""`make audit`: asks pip-audit for the known vulnerabilities of requirements.lock, and never takes silence for a yes.

A package index that serves no advisories answers as if there were none. So whoever is asked must first know those of a
release everybody has warned of; what it does not know is told as not checked, and `make audit` fails (decision 0069).
A mirror of one's own is named in pip-audit's own variable, PIP_AUDIT_OSV_URL.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from tests.supply.lock import LOCK

ACCEPTED = Path(__file__).with_name("accepted.yaml")
SERVICES = ("pypi", "osv")
"""Asked in this order, by the names pip-audit has for them."""
WARNED_OF = "jinja2==3.1.2"
"""Under advisories since January 2024."""
ALL_KNOWN, VULNERABLE, NOT_CHECKED = 0, 1, 2
SECONDS = {"canary": 20.0, "lock": 90.0}
"""How long pip-audit may take; whoever is slower has not answered."""

Told = list[dict[str, Any]]
"""What pip-audit lists: every dependency with its `vulns`, or with a `skip_reason`."""


@dataclass(frozen=True)
class Accepted:
    """One advisory that is lived with until a day."""

    id: str
    package: str
    reason: str
    until: date

    def covers(self, package: str, names: Iterable[str], today: date) -> bool:
        return self.package == package and self.id in names and today <= self.until


def accepted(path: Path = ACCEPTED) -> tuple[Accepted, ...]:
    """Raises TypeError for an entry without a reason or a day."""
    return tuple(Accepted(**one) for one in yaml.safe_load(path.read_text(encoding="utf-8")))


def knows_anything(told: Told | None) -> bool:
    """Whether who answered this about `WARNED_OF` serves advisories at all."""
    return bool(told) and all(one.get("vulns") for one in told or ())


def unanswered(told: Told) -> list[str]:
    """Packages nothing is known of; pip-audit leaves them out and calls the rest clean."""
    return [one["name"] for one in told if "skip_reason" in one]


def wrong(told: Told, lived_with: Iterable[Accepted], today: date) -> Iterator[str]:
    """Every advisory nobody has accepted, or no longer."""
    for one in told:
        for found in one.get("vulns", ()):
            names = {found["id"], *found.get("aliases", ())}
            if not any(each.covers(one["name"], names, today) for each in lived_with):
                better = ", ".join(found.get("fix_versions", ())) or "?"
                yield f"{one['name']} {one['version']}: {found['id']} → {better}"


def verdict(told: Told | None, lived_with: Iterable[Accepted], today: date) -> tuple[int, list[str]]:
    """How it ends and what is said; None where nobody could be asked."""
    if told is None:
        return NOT_CHECKED, [
            "没有核对已知漏洞：这里没有漏洞库应答 / known vulnerabilities NOT CHECKED: no advisory service here"
        ]
    bad, silent = list(wrong(told, lived_with, today)), unanswered(told)
    lines = [f"有已知漏洞 / known to be vulnerable: {one}" for one in bad]
    if silent:
        lines.append(f"没有核对已知漏洞 / known vulnerabilities NOT CHECKED of: {', '.join(silent)}")
    if not lines:
        lines.append(f"没有已知漏洞：核对了 {len(told)} 项 / {len(told)} packages, no known vulnerability")
    return (VULNERABLE if bad else NOT_CHECKED if silent else ALL_KNOWN), lines


def asked(service: str, requirements: Path, seconds: float) -> Told | None:
    """What a service says; None where it cannot be reached, is too slow or answers no such thing."""
    command = [str(Path(sys.executable).with_name("pip-audit")), "-s", service, "-r", str(requirements)]
    command += ["--no-deps", "--disable-pip", "--format", "json", "--desc", "off", "--progress-spinner", "off"]
    try:
        said = subprocess.run(
            [*command, "--timeout", "5"], capture_output=True, text=True, timeout=seconds, check=False
        )
        return json.loads(said.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return None


def whoever_knows() -> Told | None:
    """The first service that knows what everybody knows, asked about the whole lock."""
    with tempfile.TemporaryDirectory() as folder:
        canary = Path(folder) / "canary.txt"
        canary.write_text(WARNED_OF + "\n", encoding="utf-8")
        for service in SERVICES:
            if knows_anything(asked(service, canary, SECONDS["canary"])):
                return asked(service, LOCK, SECONDS["lock"])
    return None


if __name__ == "__main__":
    ended, lines = verdict(whoever_knows(), accepted(), datetime.now(UTC).date())
    print("\n".join(lines), file=sys.stderr if ended else sys.stdout)
    sys.exit(0 if ended == NOT_CHECKED and "--go-on" in sys.argv else ended)
