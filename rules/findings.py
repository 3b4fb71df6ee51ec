"""What is wrong or noteworthy in rule files: file, line, path and reason; finding it is the readers' business."""

from dataclasses import dataclass
from pathlib import Path

from models.contracts.rulebook import PackRef


@dataclass(frozen=True, order=True)
class Finding:
    """One reason, at one place of one file; line 0 speaks of the file or folder as a whole."""

    file: str
    line: int
    path: str
    reason: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (where, self.path, self.reason) if part)

    def as_json(self) -> dict[str, object]:
        return {"file": self.file, "line": self.line, "path": self.path, "reason": self.reason}


class RulesRefused(ValueError):
    """Rule files that cannot be relied on; carries every finding, not only the first."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


class UnknownPack(LookupError):
    """A case is pinned to a digest that no loaded file has."""

    def __init__(self, ref: PackRef) -> None:
        super().__init__(f"没有摘要为 {ref.digest[:12]}… 的规则包（{ref.region}，{ref.in_force_on} 施行）")
        self.ref = ref


def shown(path: Path) -> str:
    """A file as people name it: below the working folder where it lies there."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
