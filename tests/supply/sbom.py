"""`make sbom`: sbom.json, what this project is built on (CycloneDX), from the lock and what is installed; no network.

The same lock gives the same file, byte for byte, on the same kind of machine: it carries no time and no random number.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.spdx import is_expression, is_supported_id
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.utils import canonicalize_name

from runtime.settings import PROJECT_ROOT
from tests.supply.lock import LOCK, Pin, pins
from tests.supply.reach import Reach, asked, version

BILL = PROJECT_ROOT / "sbom.json"
VENDORED = PROJECT_ROOT / "templates" / "static" / "vendor"
FROM = re.compile(r"^FROM (\S+)", re.MULTILINE)
OURS = "anze:"
SPDX = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "3-Clause BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "Zero-Clause BSD": "0BSD",
}
"""What packages call a licence that has one short name only; what is ambiguous ("BSD License") stays as it was said."""
NOTHING_SAID = ("UNKNOWN", "License")
PARTS = {"": "required", "embedded": "optional", "dev": "excluded"}
"""By the part of pyproject.toml: what serves, the servers of one machine, and what builds or tests."""

Entry = dict[str, Any]
"""A component as CycloneDX writes it."""


def bill() -> str:
    """The whole of it, as JSON. Raises ValueError where it is not what CycloneDX 1.6 allows."""
    reached = {part: Reach() for part in PARTS}
    direct = {name for part, reach in reached.items() for name in reach.follow(asked(part))}
    scopes = {name: PARTS[part] for part in reversed(PARTS) for name in reached[part].needs}
    needs = {name: on for reach in reached.values() for name, on in reach.needs.items()}
    libraries, licences = {pin.name: _purl(pin) for pin in pins()}, _licences()
    listed = [_library(pin, scopes.get(pin.name, "excluded"), licences.get(pin.name, "")) for pin in pins()]
    text = json.dumps(
        {
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_OID, _sum(LOCK))}",
            "version": 1,
            "metadata": {"component": {"type": "application", "bom-ref": "anze", "name": "anze", "version": version()}},
            "components": [*listed, *_vendored(), *_images()],
            "dependencies": [
                {"ref": "anze", "dependsOn": _known(direct, libraries)},
                *({"ref": ref, "dependsOn": _known(needs.get(name, ()), libraries)} for name, ref in libraries.items()),
            ],
        },
        ensure_ascii=False,
        indent=2,
    )
    if wrong := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise ValueError(str(wrong))
    return text + "\n"


def write() -> str:
    """Put it down; says how much there is in it, and what of it names no licence."""
    text = bill()
    BILL.write_text(text, encoding="utf-8")
    listed = json.loads(text)["components"]
    silent = [one["name"] for one in listed if one["type"] == "library" and "licenses" not in one]
    said = f"{BILL.name}：{len(listed)} 项 / {len(listed)} components"
    return said + (f"；没有说明许可证 / no licence told: {', '.join(silent)}" if silent else "")


def _library(pin: Pin, scope: str, licence: str) -> Entry:
    purl = _purl(pin)
    told: Entry = {"type": "library", "bom-ref": purl, "name": pin.name, "version": pin.version, "scope": scope}
    told |= {"hashes": [_digest(one) for one in pin.digests], **_licensed(licence), "purl": purl}
    return told | ({"properties": [{"name": "anze:only", "value": pin.marker}]} if pin.marker else {})


def _purl(pin: Pin) -> str:
    return str(PackageURL("pypi", name=pin.name, version=pin.version))


def _licensed(said: str) -> Entry:
    short = SPDX.get(said, said)
    if not short:
        return {}
    if not is_supported_id(short) and is_expression(short):
        return {"licenses": [{"expression": short}]}
    return {"licenses": [{"license": {"id" if is_supported_id(short) else "name": short}}]}


def _licences() -> dict[str, str]:
    """By name, as `make licences` reads them: of what is installed here."""
    command = [str(Path(sys.executable).with_name("pip-licenses")), "--format=json", "--with-system"]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {canonicalize_name(one["Name"]): one["License"] for one in told if one["License"] not in NOTHING_SAID}


def _images() -> Iterator[Entry]:
    """The containers of the deployment, by their tags: which content those have today is known to a registry alone."""
    services = yaml.safe_load((PROJECT_ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    named = {str(one["image"]) for one in services.values() if not str(one["image"]).startswith(OURS)}
    for image in sorted(named | set(FROM.findall((PROJECT_ROOT / "Dockerfile").read_text(encoding="utf-8")))):
        path, _, tag = image.rpartition(":")
        room, _, name = path.rpartition("/")
        purl = str(PackageURL("docker", namespace=room or None, name=name, version=tag))
        yield {"type": "container", "bom-ref": purl, "name": path, "version": tag, "purl": purl}


def _vendored() -> Iterator[Entry]:
    """What lies among the pages' own files; beside each stands its licence, headed by name, version and its kind."""
    for told in sorted(VENDORED.glob("*.LICENSE")):
        head, _, licence, *_ = told.read_text(encoding="utf-8").splitlines()
        name, number = head.split()
        purl = str(PackageURL("generic", name=name, version=number))
        one: Entry = {"type": "library", "bom-ref": purl, "name": name, "version": number, "scope": "required"}
        yield one | {"hashes": [_digest(_sum(VENDORED / f"{name}.min.js"))], **_licensed(licence), "purl": purl}


def _known(names: Iterable[str], libraries: dict[str, str]) -> list[str]:
    return sorted(libraries[name] for name in names if name in libraries)


def _digest(content: str) -> Entry:
    return {"alg": "SHA-256", "content": content}


def _sum(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.stdout.write(write() + "\n")
