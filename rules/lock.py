"""The digests of released pack files (packs.lock), written once and never changed; knows nothing of their meaning."""

from collections.abc import Iterable
from pathlib import Path

from rules.findings import Finding, shown
from rules.library import RULES, LoadedPack
from rules.packfile import read_document

LOCK = RULES / "packs.lock"
HEADER = """\
# 已发布规则文件的摘要（SHA-256，换行统一为 LF）。由 anze rules lock 写入；已登记的文件不得改动，新规定另立新文件。
# Digests of released pack files, written by `anze rules lock`. A listed file never changes; a new text is a new file.
"""
CHANGED = (
    "文件已发布，内容不得改动：请恢复原文，把新规定写入以新施行日期命名的新文件；"
    "若施行日期不变而读法须改，先把原文照原样放进 rules/earlier/今天的日期/ 下的同名文件夹，案卷才找得到它；"
    "然后（从未对外发布的文件也一样）在 packs.lock 中删去它的一行，再运行 anze rules lock"
)
GONE = "文件已发布，不得删除：已签保单可能正依据它运行"
UNLISTED = "尚未登记摘要（草案）；发布前请运行 anze rules lock"


def read_lock(path: Path = LOCK) -> dict[str, str]:
    """Digest by file name below the rules folder; empty where nothing is released yet."""
    if not path.exists():
        return {}
    data = read_document(path).data or {}
    return {str(name): str(digest) for name, digest in data.items()}


def digests(packs: Iterable[LoadedPack], root: Path = RULES) -> dict[str, str]:
    """What the lock would say of the packs that lie below a rules folder; drafts from elsewhere are left out."""
    inside = (pack for pack in packs if pack.built_in and pack.path.is_relative_to(root))
    return {pack.path.relative_to(root).as_posix(): pack.ref.digest for pack in inside}


def broken(locked: dict[str, str], present: dict[str, str], root: Path = RULES) -> tuple[Finding, ...]:
    """Released files that were changed or are gone."""
    found = [
        Finding(shown(root / name), 0, "", CHANGED if name in present else GONE)
        for name, digest in sorted(locked.items())
        if present.get(name) != digest
    ]
    return tuple(found)


def unlisted(locked: dict[str, str], present: dict[str, str], root: Path = RULES) -> tuple[Finding, ...]:
    """Files that are not released yet."""
    return tuple(Finding(shown(root / name), 0, "", UNLISTED) for name in sorted(present.keys() - locked.keys()))


def write_lock(locked: dict[str, str], present: dict[str, str], path: Path = LOCK) -> tuple[str, ...]:
    """Add files that are not listed yet and give their names; listed ones stay as they are."""
    added = sorted(present.keys() - locked.keys())
    lines = [f"{name}: {digest}\n" for name, digest in sorted({**present, **locked}.items())]
    path.write_text(HEADER + "".join(lines), encoding="utf-8", newline="\n")
    return tuple(added)
