"""Small pack folders written for a test; the real packs have their own tests."""

import json
from pathlib import Path
from typing import Any

import yaml

UPLOAD: dict[str, Any] = {
    "id": "policy_upload",
    "label": "上传电子保单",
    "owed_by": "insurer",
    "anchor": "policy_signed",
    "met_by": ["policy_uploaded"],
    "within": {"amount": 7, "unit": "natural_day"},
    "clause": "二(五)",
    "by": "law",
    "ladder": [{"at": "due", "tell": ["insurer", "emergency"], "notice": "duty_overdue"}],
    "proves": ["SZ-20"],
}
FLOOR: dict[str, Any] = {
    "value": "0.12",
    "base": "premium_total",
    "combine": "max",
    "label": "预防费下限",
    "clause": "二(六)",
    "by": "law",
}


def duty(**changes: Any) -> dict[str, Any]:
    return {**UPLOAD, **changes}


def days(amount: int) -> dict[str, Any]:
    return {"amount": amount, "unit": "natural_day"}


def floor(value: str, **changes: Any) -> dict[str, Any]:
    return {"prevention_spend_floor": {**FLOOR, "value": value, **changes}}


def content(on: str = "2024-01-01", **parts: Any) -> dict[str, Any]:
    """A pack; `instrument` changes some of its instrument."""
    instrument = {
        "number": "某应急〔2023〕1号",
        "title": "某通知",
        "issued_by": ["某局"],
        "issued_on": None,
        "in_force_on": on,
        "checked_on": "2026-11-22",
        **parts.pop("instrument", {}),
    }
    return {"instrument": instrument, **parts}


def write(root: Path, folder: str, on: str = "2024-01-01", name: str = "", **parts: Any) -> Path:
    """Write one dated file, without the aliases PyYAML would make of values used twice."""
    path = root / folder / f"{name or on}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = json.loads(json.dumps(content(on, **parts)))
    path.write_text(yaml.safe_dump(plain, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path
