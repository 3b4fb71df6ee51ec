"""Whom a server runs as, and where that user can reach its files. PostgreSQL refuses root; this is how we step down."""

import hashlib
import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path

# Where files go that the unprivileged user could not reach below the project (say, a project under /root).
# The alternative would be to open the parents of the project to everybody, which is not ours to do.
ELSEWHERE = Path("/var/lib/anze")


@dataclass(frozen=True)
class Account:
    """An unprivileged user of this machine."""

    name: str
    uid: int
    gid: int

    def reaches(self, path: Path) -> bool:
        """Whether every folder above the path may be passed through by this user."""
        return all(self._may_enter(parent) for parent in path.resolve().parents if parent.exists())

    def _may_enter(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & 0o100)
        if status.st_gid == self.gid:
            return bool(status.st_mode & 0o010)
        return bool(status.st_mode & 0o001)


def unprivileged(name: str) -> Account | None:
    """The account to step down to, or `None` when we are not root and need none."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise LookupError(
            f"没有系统用户 {name}，请设置 ANZE_POSTGRES_OS_USER / no such user: set ANZE_POSTGRES_OS_USER"
        ) from None
    return Account(name, entry.pw_uid, entry.pw_gid)


def home_for(wanted: Path, account: Account | None) -> Path:
    """The wanted folder, or one under /var/lib/anze when the account cannot reach it; made if missing, 0711."""
    home = wanted.resolve()
    if account is not None and not account.reaches(home):
        home = ELSEWHERE / f"{home.name}-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"
    for folder in (home.parent, home):
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    return home


def readable_tree(root: Path, parts: tuple[str, ...], name: str, account: Account | None) -> Path:
    """The root itself, or a copy of some of its folders under /var/lib/anze that the account can read and run."""
    if account is None or all(account.reaches(root / part / "_") for part in parts if (root / part).exists()):
        return root
    copy = ELSEWHERE / name
    if not copy.exists():
        draft = ELSEWHERE / f".{name}-{os.getpid()}"
        for part in parts:
            if (root / part).is_dir():
                shutil.copytree(root / part, draft / part)
        _open_for_reading(draft)
        draft.rename(copy)
    return copy


def _open_for_reading(tree: Path) -> None:
    """Our own copy of public program files may be read by everybody, whatever the umask says."""
    for path in (ELSEWHERE, tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or path.stat().st_mode & 0o100 else 0o044))
