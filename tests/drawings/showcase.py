"""One of each drawing, of real terms; `python -m tests.drawings.showcase FILE [en]` writes a page of them."""

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import yaml
from markupsafe import Markup

from api.drawings.bars import StageCount, progress, spark, stage_bar
from api.drawings.calendars import DueDay, Pile, calendar_strip
from api.drawings.days import day_strip
from api.drawings.hours import hour_line
from api.drawings.life import Life, Mark, Milestone
from api.drawings.life_bar import life_bar
from api.drawings.tables import Count, Heading, Table, heat_strip
from api.drawings.tiles import City, place_map
from api.drawings.words import Translate, same
from domain.calendar import is_working
from domain.explaining import explain
from models.contracts.clock import Explanation, Suspension
from models.contracts.duty import Duty
from models.contracts.rulebook import RulesFor
from models.contracts.vocabulary import CaseKind, PolicyStage, Sector, Size
from rules.library import Library
from runtime.settings import PROJECT_ROOT
from tests.makers import clock, duty, running, suspension

ENGLISH = PROJECT_ROOT / "templates" / "english" / "drawings.yaml"
STYLE = PROJECT_ROOT / "templates" / "static" / "drawings.css"
PAPER = STYLE.with_name("print.css")
HELD = suspension(date(2024, 9, 2), date(2024, 9, 6), note="企业停产检修")


@lru_cache(maxsize=1)
def library() -> Library:
    return Library()


def suzhou(duty_id: str) -> Duty:
    """A duty of 宿州 as its pack has it."""
    asked = RulesFor(
        region="341300",
        sector=Sector.HAZARDOUS_CHEMICALS,
        size=Size.MEDIUM,
        on=date(2024, 8, 15),
        case=CaseKind.POLICY,
        grade=None,
    )
    return next(one.duty for one in library().resolve(asked).rulebook.duties if one.duty.id == duty_id)


def explained(of: Duty, since: date | datetime, *held: Suspension) -> Explanation:
    return explain(of, running(of, since), clock(suspensions=held), library().calendar())


def term() -> Explanation:
    """45 days of 宿州 from 15 August 2024 with five days of standstill: the last day rolls over 国庆."""
    return explained(suzhou("service_completion"), date(2024, 8, 15), HELD)


SIGNED = date(2024, 8, 15)
LIFE = Life(
    signed_on=SIGNED,
    expires_on=date(2025, 8, 14),
    today=date(2024, 10, 12),
    milestones=(
        Milestone("上传", date(2024, 8, 22), date(2024, 8, 20), href="/c/1/why/policy_upload"),
        Milestone("机构", date(2024, 8, 25), date(2024, 9, 1)),
        Milestone("计划", None, None, skipped=True),
        Milestone("服务", date(2024, 10, 8)),
        Milestone("续保", date(2025, 7, 15), provisional=True),
    ),
    hazards=(
        Mark("YH-2024-001", date(2024, 9, 9), date(2024, 9, 20)),
        Mark("YH-2024-002", date(2024, 9, 9), None, href="/h/2"),
        Mark("YH-2024-003", date(2024, 9, 10), None, major=True),
        Mark("YH-2024-004", date(2024, 10, 10), None),
    ),
    claims=(Mark("LP-2024-001", date(2024, 9, 25), None), Mark("LP-2024-002", date(2024, 8, 30), date(2024, 9, 30))),
)


def coming() -> list[DueDay]:
    calendar = library().calendar()
    counts = (3, 0, 12, 5, 0, 0, 1, 28, 2, 0, 4, 106, 0, 7)
    found: list[DueDay] = []
    for number, count in enumerate(counts):
        on = date(2024, 9, 26) + timedelta(days=number)
        rest = not is_working(calendar, on)
        letter = "假" if rest and date(2024, 10, 1) <= on <= date(2024, 10, 7) else "休" if rest else ""
        letter = "班" if not rest and on.weekday() >= 5 else letter
        found.append(DueDay(on, count, rest, letter, f"/due?on={on}" if count else ""))
    return found


def table(most: int = 10) -> Table:
    places = [Heading(f"3413{n:02d}", name, f"?place=3413{n:02d}") for n, name in enumerate(PLACES[:most])]
    sectors = [Heading(sector.value, sector.label) for sector in Sector]
    cells = {}
    for r, place in enumerate(places):
        for c, sector in enumerate(sectors):
            number = (r * 7 + c * 5 + r * c) % 23 - 11
            if number > 0 and c != 3:
                late = number // 4 if (r + c) % 3 == 0 else 0
                cells[place.key, sector.key] = Count(number * (1 + r), late, f"?place={place.key}&sector={sector.key}")
    return Table("各地各行业未办结事项", tuple(places), tuple(sectors), cells)


PLACES = (
    "埇桥区",
    "砀山县",
    "萧县",
    "灵璧县",
    "泗县",
    "市经济技术开发区",
    "市高新区",
    "宿马园区",
    "鞋城管委会",
    "其他",
)
CITIES = (
    City(
        Heading("341300", "宿州市", "?place=341300"),
        tuple((Heading(str(n), name), Count(n * 13 % 40, n % 3)) for n, name in enumerate(PLACES)),
    ),
    City(
        Heading("350200", "厦门市"),
        ((Heading("350203", "思明区"), Count(120, 9, "?place=350203")), (Heading("350205", "海沧区"), Count(0))),
    ),
)
STAGES = tuple(
    StageCount(stage.label, count, f"?stage={stage.value}")
    for stage, count in zip(PolicyStage, (12, 230, 41, 77, 160, 15, 3, 1, 0), strict=False)
)


def drawings(t: Translate = same) -> dict[str, Callable[[], Markup]]:
    """Every drawing by the name of its heading."""
    year = explained(duty(1, "year"), date(2024, 3, 1), suspension(date(2024, 6, 1), date(2024, 7, 10)))
    hours = explained(duty(48, "hour"), datetime.fromisoformat("2024-02-09T10:30:00+08:00"))
    open_end = explained(duty(10, "working_day"), date(2024, 9, 20), suspension(date(2024, 10, 9)))
    ended = replace(LIFE, ended_on=date(2024, 12, 1), ended_label="退保", today=date(2025, 1, 5), claims=())
    return {
        "life": lambda: life_bar(LIFE, "life", t=t),
        "life ended": lambda: life_bar(ended, "ended", t=t),
        "days": lambda: day_strip(term(), "days", today=date(2024, 9, 12), t=t),
        "working": lambda: day_strip(open_end, "open", t=t),
        "year": lambda: day_strip(year, "year", t=t),
        "hours": lambda: hour_line(
            hours,
            datetime.fromisoformat("2024-02-09T10:30:00+08:00"),
            "hours",
            now=datetime.fromisoformat("2024-02-10T08:00:00+08:00"),
            t=t,
        ),
        "coming": lambda: calendar_strip(coming(), "coming", overdue=Pile(17, "/due?late=1"), t=t),
        "heat": lambda: heat_strip(table(), "heat", t=t),
        "places": lambda: place_map(CITIES, "places", t=t),
        "stages": lambda: stage_bar(STAGES, "stages", t=t),
        "spark": lambda: spark((3, 5, 2, 8, 13, 9), "到期", "spark", t=t),
        "short": lambda: progress(Decimal("8400"), Decimal("100000"), Decimal("0.12"), "short", t=t),
        "reached": lambda: progress(Decimal("15000"), Decimal("100000"), Decimal("0.12"), "reached", t=t),
    }


HEAD = """<!DOCTYPE html><html lang="zh-CN"><meta charset="utf-8"><title>drawings</title>
<meta name="viewport" content="width=device-width">
<style>body { margin: 0 auto; padding: 16px; max-width: 1000px; font-family: "Noto Sans CJK SC" }</style>"""


@lru_cache(maxsize=1)
def english() -> dict[str, str]:
    """What the pages have for the words of the drawings."""
    return yaml.safe_load(ENGLISH.read_text(encoding="utf-8"))


def page(t: Translate = same) -> str:
    """All drawings under each other, with the stylesheet inside."""
    body = "".join(f"<h2>{name}</h2>{draw()}" for name, draw in drawings(t).items())
    screen, paper = (path.read_text(encoding="utf-8") for path in (STYLE, PAPER))
    return f'{HEAD}<style>{screen}</style><style media="print">{paper}</style>{body}'


if __name__ == "__main__":
    known = english() if "en" in sys.argv else {}
    Path(sys.argv[1]).write_text(page(lambda said: known.get(said, said)), encoding="utf-8")
