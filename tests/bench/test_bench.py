"""The bench runs whole in its smallest form and leaves its figures behind; how large they are is not tested."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import report
from bench.__main__ import bench
from bench.letters import Letters
from bench.measure import Load, spread
from bench.midnight import Memory, Midnight
from bench.plan import Night, Plan

TINY = Plan("tiny", Load(2, 2, 20), rounds=1, slowly=1, replayed=1, night=Night(6, 6), claims=Load(2, 2, 10))


@pytest.mark.long
async def test_a_tiny_bench_leads_lives_loses_no_rung_and_writes_its_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results" / "latest.json")
    found = await bench(TINY)
    report.save(found)
    written = json.loads((tmp_path / "results" / "latest.json").read_text())
    assert written["exact"] is True, written["midnight"]
    letters = written["midnight"]["letters"]
    assert letters["mails"] == letters["written"] == letters["recipients"]
    assert (letters["lost"], letters["doubled"], letters["astray"], letters["left"]) == (0, 0, 0, {})
    assert {leg["name"] for leg in written["legs"]} == {"floor", "lives", "lives with their mail"}


def test_where_the_time_was_over_before_one_was_opened_beyond_the_cache_its_memory_is_not_told() -> None:
    letters = Letters(recipients=6, mails=6, written=6, lost=0, doubled=0, astray=0, seconds=1.0, left={})
    told = {
        "policies": 6, "committed": 6, "notices": 12, "distinct": 12, "seconds": 1.0, "lateness": spread([1.0]),
        "letters": letters, "opened_per_second": 1.0, "workers": 1, "cpu": {}, "opening_cpu": {},
    }  # fmt: skip
    _, rows = report.night_table(Midnight(**told, memory=Memory(cached=200.0, beyond=None, cache=20)))
    assert next(cells for cells in rows if cells[0].startswith("worker's memory"))[1] == "200, none"


@pytest.mark.parametrize(
    "wrong",
    [
        {"mails": 7, "written": 7},
        {"mails": 5, "lost": 1},
        {"mails": 7, "doubled": 1},
        {"astray": 1},
        {"mails": 5, "written": 5, "left": {"notice queued mail  ": 3}},
    ],
)
def test_a_midnight_is_not_exact_with_two_letters_for_one_or_one_lost_doubled_astray_or_left(
    wrong: dict[str, Any],
) -> None:
    right = Letters(recipients=6, mails=6, written=6, lost=0, doubled=0, astray=0, seconds=1.0, left={})
    assert right.exact
    assert not replace(right, **wrong).exact
