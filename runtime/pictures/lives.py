"""The life of a policy and of a hazard as pictures, drawn from the transition tables, the decisions and the packs."""

from collections.abc import Iterable, Mapping
from datetime import date

from api.drawings.svg import Point, width
from domain.policy.transitions import ENDED, NEEDS, ORDER, REACHES
from models.contracts.rulebook import BoundDuty, RulesFor
from models.contracts.vocabulary import By, CaseKind, Event, HazardGrade, HazardStage, PolicyStage, Sector, Size
from rules.library import Library
from runtime.pictures.svg import (
    BLUE,
    GREEN,
    GREY,
    HEADING,
    HUSHED,
    LINE,
    PLAIN,
    RED,
    TITLE,
    Box,
    Canvas,
)
from runtime.pictures.trying import Passage, hazard_passages

SIGNED_ON = date(2026, 1, 5)
"""A day on which the pinned packs are known, so that the picture changes only when they do."""
EXAMPLE_REGION = "341300"
COLUMN, LEFT, ROW = 158, 90, 34
SPOTS: dict[HazardStage, Point] = {
    HazardStage.FOUND: (110, 150),
    HazardStage.TOLD: (380, 150),
    HazardStage.CLAIMED: (650, 150),
    HazardStage.CLOSED: (920, 150),
    HazardStage.REFUSED: (380, 290),
    HazardStage.FAILED: (650, 290),
    HazardStage.STOPPED: (920, 290),
}
COLOURS = {HazardStage.CLOSED: GREEN, HazardStage.REFUSED: RED, HazardStage.FAILED: RED, HazardStage.STOPPED: GREY}


def example_rules(library: Library, case: CaseKind) -> tuple[BoundDuty, ...]:
    """What a medium-sized chemical maker of 宿州 obeys."""
    grade = HazardGrade.MAJOR if case is CaseKind.HAZARD else None
    asked = RulesFor(
        region=EXAMPLE_REGION,
        sector=Sector.HAZARDOUS_CHEMICALS,
        size=Size.MEDIUM,
        on=SIGNED_ON,
        case=case,
        grade=grade,
    )
    return tuple(bound for bound in library.resolve(asked).rulebook.duties if bound.duty.case is case)


def policy_life(library: Library, said: Mapping[str, str]) -> str:
    """Stages in their order, what must come first, the terms over them, and the three ends."""
    way = [stage for stage in ORDER if stage not in ENDED]
    duties = example_rules(library, CaseKind.POLICY)
    shown = [bound for bound in duties if _span(bound)]
    below = 270 + ROW * len(shown)
    others = [bound for bound in duties if not _span(bound)]
    canvas = Canvas((LEFT * 2 + COLUMN * (len(way) - 1), below + 200 + 22 * len(others)), said["title"])
    canvas.words((20, 28), said["title"], TITLE, "start")
    canvas.words((20, 50), said["legend"], HUSHED, "start")
    _stages(canvas, way)
    canvas.words((20, 236), said["duties"], HEADING, "start")
    for number, bound in enumerate(shown):
        _term(canvas, bound, 262 + ROW * number)
    _ends(canvas, below + 44, said["anytime"])
    _listed(canvas, below + 160, said["others"], others)
    return canvas.text()


def _place(stage: PolicyStage) -> float:
    return LEFT + COLUMN * ORDER.index(stage)


def _stages(canvas: Canvas, way: Iterable[PolicyStage]) -> None:
    events = {stage: event for event, stage in REACHES.items()}
    boxes = {stage: Box((_place(stage), 170), stage.label, events[stage].label) for stage in way}
    for before, after in zip(list(boxes.values())[:-1], list(boxes.values())[1:], strict=True):
        canvas.line(before.edge(after.centre), after.edge(before.centre))
    for event, needed in NEEDS.items():
        start, end = _place(REACHES[needed]), _place(REACHES[event])
        bend = -(22 + (end - start) / COLUMN * 8)
        canvas.line((start + 12, 143), (end - 12, 143), colour=BLUE, bend=-bend)
    for box in boxes.values():
        canvas.box(box)


def _span(bound: BoundDuty) -> tuple[float, float] | None:
    """From where to where a term reaches in the picture; `None` where an end is no stage of its own."""
    anchor, met = REACHES.get(bound.duty.anchor[0]), REACHES.get(bound.duty.met_by[0])
    return (_place(anchor), _place(met)) if anchor and met else None


def _term(canvas: Canvas, bound: BoundDuty, y: float) -> None:
    start, end = _span(bound) or (0, 0)
    words = term(bound)
    canvas.bar((start, y), (end, y), colour_of(bound.cites.by))
    if end + 10 + width(words, PLAIN.size) < canvas.size[0]:
        canvas.words((end + 10, y + 5), words, PLAIN, "start")
    else:
        canvas.words((end, y - 10), words, PLAIN, "end")


def term(bound: BoundDuty) -> str:
    """上传电子保单 · 7日 · 应急监二〔2023〕84号 二(五)，法规规定"""
    within = bound.duty.within
    length = f"{within.amount}{within.unit.label}" if within.amount else bound.duty.anchor[0].label
    return f"{bound.duty.label} · {length} · {bound.cites.number} {bound.cites.clause}，{bound.cites.by.label}"


def colour_of(by: By) -> str:
    return BLUE if by is By.LAW else GREY


def _ends(canvas: Canvas, y: float, anytime: str) -> None:
    """One line from any stage, and a branch down to each end."""
    ends = [stage for stage in ORDER if stage in ENDED]
    spots = [LEFT + COLUMN * (2 * number + 1.5) for number in range(len(ends))]
    start = Box((LEFT, y), anytime, size=(110, 36), colour=GREY)
    canvas.line(start.edge((spots[-1], y)), (spots[-1], y), arrow=False)
    canvas.box(start)
    for stage, x in zip(ends, spots, strict=True):
        box = Box((x, y + 66), stage.label, size=(110, 36), colour=GREEN if stage is PolicyStage.RENEWED else GREY)
        canvas.line((x, y), box.edge((x, y)))
        canvas.words((x + 10, y + 32), _brings(stage), HUSHED, "start")
        canvas.box(box)


def _brings(stage: PolicyStage) -> str:
    """What brings an end about; a renewed policy is one whose cover has ended after a renewal was recorded."""
    events = {reached: event for event, reached in REACHES.items()}
    if stage in events:
        return events[stage].label
    return f"{Event.POLICY_EXPIRED.label}，{Event.POLICY_RENEWED.label}"


def _listed(canvas: Canvas, y: float, heading: str, duties: Iterable[BoundDuty]) -> None:
    canvas.words((20, y), heading, HEADING, "start")
    for number, bound in enumerate(duties):
        canvas.words((34, y + 22 * (number + 1)), f"· {term(bound)}", PLAIN, "start")


def hazard_life(library: Library, said: Mapping[str, str]) -> str:
    """Stages and every passage the decisions allow, the terms of an example, and when each place wants a report."""
    duties = example_rules(library, CaseKind.HAZARD)
    reports = report_lines(library)
    canvas = Canvas((1030, 420 + 22 * (len(duties) + len(reports))), said["title"])
    canvas.words((20, 28), said["title"], TITLE, "start")
    canvas.words((20, 50), said["legend"], HUSHED, "start")
    boxes = {
        stage: Box(spot, stage.label, size=(116, 40), colour=COLOURS.get(stage, BLUE)) for stage, spot in SPOTS.items()
    }
    passages = hazard_passages(library)
    for passage in passages:
        _passage(canvas, passage, boxes, passages)
    canvas.words((920, 256), f"{said['anytime']} ↓", HUSHED)
    for box in boxes.values():
        canvas.box(box)
    _listed(canvas, 360, said["duties"], duties)
    canvas.words((20, 392 + 22 * len(duties)), said["reports"], HEADING, "start")
    for number, line in enumerate(reports):
        canvas.words((34, 414 + 22 * (len(duties) + number)), f"· {line}", PLAIN, "start")
    return canvas.text()


def _passage(canvas: Canvas, passage: Passage, boxes: Mapping[HazardStage, Box], all_: Iterable[Passage]) -> None:
    start, end = boxes[passage.before], boxes[passage.after]
    (x1, y1), (x2, y2) = start.centre, end.centre
    if y1 == y2 and abs(x2 - x1) > 300:  # over what stands between
        at = canvas.line((x1, y1 - 20), (x2, y2 - 20), bend=44)
    else:
        paired = any((other.before, other.after) == (passage.after, passage.before) for other in all_)
        at = canvas.line(start.edge(end.centre), end.edge(start.centre), bend=26 if paired else 0, colour=LINE)
        if paired:
            at = (at[0] + (1 if y2 > y1 else -1) * (width(passage.event.label, HUSHED.size) / 2 - 6), at[1])
    canvas.words((at[0], at[1] + 4), passage.event.label, HUSHED)


def report_lines(library: Library) -> list[str]:
    """浙江：发现隐患 → 行业主管部门（文号 条款；收件部门由谁说）"""
    lines: list[str] = []
    for loaded in library.packs():
        for duty in loaded.pack.duties:
            if duty.id != "major_hazard_report" or not duty.enabled or loaded.pack.instrument.place is None:
                continue
            when = "、".join(event.label for event in duty.anchor)
            whom = "、".join(dict.fromkeys(role.label for rung in duty.ladder for role in rung.tell))
            source = f"{duty.document or loaded.pack.instrument.number} {duty.clause}；收件部门：{duty.by.ladder.label}"
            lines.append(f"{loaded.pack.instrument.place}：{when} → {whom}（{source}）")
    return lines
