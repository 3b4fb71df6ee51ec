"""Before and after: what is compared, in which turns, that no folder stays, what the table says; nothing is led."""

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench import written
from bench.against import State, TooOld, against, checked_out, revision
from bench.compared import Compared, Side, compared_table

BENCH = """
import json, pathlib, sys
if "--help" in sys.argv:
    print("{options}")
else:
    turns = pathlib.Path({turns!r})
    with turns.open("a") as file:
        print({name!r}, " ".join(sys.argv[1:3]), pathlib.Path.cwd(), file=file)
    to = sys.argv[sys.argv.index("--json") + 1] if "--json" in sys.argv else "bench/results/latest.json"
    pathlib.Path(to).parent.mkdir(exist_ok=True)
    pathlib.Path(to).write_text(json.dumps({{"account": {{"events": {events}}}}}))
"""
WHO = ("-c", "user.name=Bench", "-c", "user.email=bench@anze.example")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A repository with a bench of its own, which tells the turns it took."""
    root = tmp_path / "house"
    (root / "bench").mkdir(parents=True)
    (root / "bench" / "__init__.py").touch()
    (root / "requirements.lock").touch()
    git(root, "init", "-q")
    keep(root, "old", options="--quick", events=120)
    git(root, "tag", "first")
    return root


def git(root: Path, *asked: str) -> None:
    subprocess.run(("git", "-C", str(root), *WHO, *asked), check=True, capture_output=True)


def keep(root: Path, name: str, *, options: str, events: int) -> None:
    turns = str(root.parent / "turns")
    (root / "bench" / "__main__.py").write_text(BENCH.format(options=options, turns=turns, name=name, events=events))
    git(root, "add", ".")
    git(root, "commit", "-qm", name)


def turns(root: Path) -> list[list[str]]:
    return [line.split() for line in (root.parent / "turns").read_text().splitlines()]


async def test_both_states_are_measured_in_turns_by_the_plan_both_know(house: Path) -> None:
    keep(house, "new", options="{all,lives} --quick --short --json", events=90)
    compared = await against(house, "first", rounds=2)
    taken = turns(house)
    assert [one[:-1] for one in taken] == [["old", "--quick"], ["new", "lives", "--quick"]] * 2
    assert {folder for name, *_, folder in taken if name == "new"} == {str(house)}
    assert not any(Path(folder).exists() for name, *_, folder in taken if name == "old")
    header, rows = compared_table(compared)
    assert [name.partition(":")[0] for name in header] == ["", "before", "after", "after/before", "round by round"]
    assert [row for row in rows if row[0] == "events a life"] == [
        ["events a life", "120", "90.0", "0.75", "0.75, 0.75"]
    ]
    assert {row[3] for row in rows if row[0] != "events a life"} == {"–"}


async def test_without_a_name_the_newest_tag_is_meant_and_the_shorter_plan_where_both_know_it(house: Path) -> None:
    keep(house, "middle", options="{all,lives} --quick --short --json", events=90)
    git(house, "tag", "second")
    keep(house, "new", options="{all,lives} --quick --short --json", events=90)
    assert revision(house, None)[0] == "second"
    await against(house, None, rounds=1)
    assert [(name, plan) for name, _, plan, _ in turns(house)] == [("middle", "--short"), ("new", "--short")]


def test_a_state_without_a_bench_is_told_as_such_and_its_folder_goes(house: Path) -> None:
    with pytest.raises(TooOld, match="nobody"):
        revision(house, "nobody")
    git(house, "rm", "-rq", "bench")
    git(house, "commit", "-qm", "bare")
    seen = list[Path]()
    for commit in ("first", "HEAD"):
        with pytest.raises(TooOld, match="nobody has no bench"):
            look_for_a_bench(house, commit, seen)
    assert [folder.exists() for folder in seen] == [False, False]


def look_for_a_bench(house: Path, commit: str, seen: list[Path]) -> None:
    with checked_out(house, commit) as folder:
        seen.append(folder)
        if commit == "first":
            assert (folder / "bench").is_dir()
            shutil.rmtree(folder / "bench")
        State.at("nobody", folder, sys.executable)


def test_rates_and_cpu_are_weighed_and_what_one_side_does_not_know_is_no_ratio() -> None:
    def run(lives: int, seconds: float, worker: float, **more: Any) -> dict[str, Any]:
        leg = {"name": "lives", "lives": lives, "seconds": seconds, "cpu": {"worker": worker}}
        return {"legs": [leg, leg | {"lives": lives * 3, "cpu": {"worker": worker * 2}}], **more}

    before = Side("a", (run(10, 10, 100),))
    after = Side("b", (run(20, 10, 50, midnight={"policies": 100, "seconds": 50}),))
    _, rows = compared_table(Compared(datetime.now(UTC), "bench", "short", before, after))
    told = {row[0]: row[1:] for row in rows}
    assert told["lives a second"] == ["2.0", "4.0", "2.00", "2.00"]
    assert told["CPU ms a life, worker"] == ["175", "87.5", "0.50", "0.50"]
    assert told["midnight: rungs a second"] == ["–", "2.0", "–", "–"]


def test_each_part_of_the_page_is_written_into_its_own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "bench.md"
    page.write_text(
        "# Bench\n\nhead\n\n## lives\n\nL\n\n## the midnight alone\n\nN\n\n"
        "## pages beside 1,000,000 policies (9 cases, 9 letters), ms\n\nP\n"
    )
    monkeypatch.setattr(written, "DOCS", page)
    compared = Compared(datetime.now(UTC), "bench", "short", Side("a", ()), Side("b", ()))
    written.write_against(compared)
    written.write_against(compared)
    text = page.read_text()
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## lives", "## the midnight alone", "## before and after",
        "## pages beside 1,000,000 policies (9 cases, 9 letters), ms",
    ]  # fmt: skip
    assert text.startswith("# Bench\n\nhead\n\n## lives\n\nL\n\n## the midnight alone\n\nN\n\n")
    assert "| events a life | – | – | – |  |" in text
