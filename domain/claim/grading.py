"""The grade of an accident by deaths, serious injuries and direct loss; who must report it is not decided here."""

from datetime import date, timedelta
from decimal import Decimal

from domain.calendar import local_date
from models.contracts.claim import Accident, Casualties
from models.contracts.vocabulary import AccidentGrade, AccidentKind

DEATHS = ((30, AccidentGrade.EXTRAORDINARILY_SERIOUS), (10, AccidentGrade.MAJOR), (3, AccidentGrade.RELATIVELY_SERIOUS))
SERIOUS_INJURIES = (
    (100, AccidentGrade.EXTRAORDINARILY_SERIOUS),
    (50, AccidentGrade.MAJOR),
    (10, AccidentGrade.RELATIVELY_SERIOUS),
)
DIRECT_LOSS = (
    (Decimal(100_000_000), AccidentGrade.EXTRAORDINARILY_SERIOUS),
    (Decimal(50_000_000), AccidentGrade.MAJOR),
    (Decimal(10_000_000), AccidentGrade.RELATIVELY_SERIOUS),
)
"""Lower bounds, included; the upper bound is excluded (国务院令第493号 第三条: 以上 includes, 以下 excludes)."""
ORDER = tuple(AccidentGrade)
WINDOW = timedelta(days=30)
SHORT_WINDOW = timedelta(days=7)
SHORT = frozenset({AccidentKind.ROAD_TRAFFIC, AccidentKind.FIRE})


def grade(casualties: Casualties) -> tuple[AccidentGrade, str]:
    """The highest grade that any one measure reaches, with the measures in one Chinese sentence."""
    measures = (
        (_reached(DEATHS, casualties.deaths), f"死亡 {casualties.deaths} 人"),
        (_reached(SERIOUS_INJURIES, casualties.serious_injuries), f"重伤 {casualties.serious_injuries} 人"),
        (_reached(DIRECT_LOSS, casualties.direct_loss), f"直接经济损失 {casualties.direct_loss:,.2f} 元"),
    )
    highest = max((reached for reached, _ in measures), key=ORDER.index)
    decisive = [said for reached, said in measures if reached is highest]
    said = "、".join(decisive if highest is not AccidentGrade.ORDINARY else [said for _, said in measures])
    return highest, f"{said}，属{highest.label}"


def _reached(bounds: tuple[tuple[int | Decimal, AccidentGrade], ...], value: int | Decimal) -> AccidentGrade:
    return next((grade for bound, grade in bounds if value >= bound), AccidentGrade.ORDINARY)


def last_regrading_day(accident: Accident) -> date:
    """Until the end of this day changed casualties change the grade (第十三条: 30 days; road traffic and fire 7)."""
    return local_date(accident.at) + (SHORT_WINDOW if accident.kind in SHORT else WINDOW)


def is_serious(reached: AccidentGrade) -> bool:
    """Relatively serious or above."""
    return ORDER.index(reached) >= ORDER.index(AccidentGrade.RELATIVELY_SERIOUS)
