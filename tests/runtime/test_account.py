"""Stepping down from root: who may reach what, and what is copied instead of opening somebody's folders."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.embedded.account import ELSEWHERE, Account, home_for, readable_tree, unprivileged

NOBODY = Account("nobody", 65534, 65534)


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def copies() -> Iterator[str]:
    name = f"test-{os.getpid()}"
    yield name
    shutil.rmtree(ELSEWHERE / name, ignore_errors=True)


def test_a_folder_closed_to_others_is_out_of_reach(closed: Path) -> None:
    assert not NOBODY.reaches(closed / "inside")
    assert NOBODY.reaches(Path("/usr/bin/env"))


def test_without_a_change_of_user_everything_stays_where_it_was_wanted(closed: Path) -> None:
    assert home_for(closed / "postgres", None) == closed / "postgres"
    assert readable_tree(closed, ("programs",), "unused", None) == closed


@pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down")
def test_programs_out_of_reach_are_copied_readable_and_nothing_above_is_opened(closed: Path, copies: str) -> None:
    program = closed / "programs" / "bin" / "server"
    program.parent.mkdir(parents=True, mode=0o700)
    program.write_text("x")
    program.chmod(0o700)

    root = readable_tree(closed, ("programs",), copies, NOBODY)

    copied = root / "programs" / "bin" / "server"
    assert NOBODY.reaches(copied)
    assert stat.S_IMODE(copied.stat().st_mode) == 0o755
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert readable_tree(closed, ("programs",), copies, NOBODY) == root


def test_an_unknown_user_is_named_with_its_setting() -> None:
    if os.geteuid() != 0:
        assert unprivileged("nobody-of-this-name") is None
        return
    with pytest.raises(LookupError, match="ANZE_POSTGRES_OS_USER"):
        unprivileged("nobody-of-this-name")
