"""Shares of one whole: policies by stage, a tiny line for a list, spending against its floor; the figures are given."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from markupsafe import Markup

from api.drawings import words
from api.drawings.svg import Sheet, checked, drawing, small_drawing
from api.drawings.words import Speech, Translate, same

FILLS = ("deep", "light", "mid", "pale")
"""Neighbours differ in lightness; each part is named by its number besides."""
BAR = 34
ROW = 34
SPARK = (88, 24)
HEADROOM = Decimal("1.25")
"""The scale of spending ends a quarter above the larger of what was spent and the floor."""


@dataclass(frozen=True, slots=True)
class StageCount:
    """How many policies stand at a stage; `label` is the stage's own word, `href` their list on our own pages."""

    label: str
    count: int
    href: str = ""


def stage_bar(stages: Sequence[StageCount], prefix: str = "stages", *, t: Translate = same) -> Markup:
    """One bar in the order of the stages with a numbered part for each, and label and count of every one below."""
    say = Speech(t)
    shown = tuple(stages)
    title = say(words.STAGES)
    return drawing(prefix, title, said(shown, say), lambda sheet: _paint_stages(sheet, shown, say))


def said(stages: tuple[StageCount, ...], say: Speech) -> str:
    """The sentence a sighted person could read off the bar."""
    parts = [say(words.STAGE_PART, label=stage.label, n=stage.count) for stage in stages]
    total = say(words.STAGES_SAID, n=sum(stage.count for stage in stages))
    return say(words.COMMA).join([total, say(words.LISTED).join(parts)] if parts else [total]) + say(words.STOP)


def _paint_stages(sheet: Sheet, stages: tuple[StageCount, ...], say: Speech) -> None:
    total = sum(stage.count for stage in stages)
    sheet.cell((1, 1), (sheet.room - 2, BAR - 2), "cell", 4)
    x = 0.0
    for number, stage in enumerate(stages):
        across = sheet.room * stage.count / total if total else 0
        if across:
            sheet.cell((x, 0), (across, BAR), f"part {FILLS[number % len(FILLS)]}")
            if across > 14:
                white = "paper " if number % 2 == 0 else ""
                sheet.words((x + across / 2, 22), str(number + 1), f"{white}bold", "middle")
        x += across
    _stage_labels(sheet, stages, total, say)


def _stage_labels(sheet: Sheet, stages: tuple[StageCount, ...], total: int, say: Speech) -> None:
    """Every stage with its number, label, count and share: in columns on a desk, in rows on a phone."""
    columns = 1 if sheet.narrow else 4
    across = (sheet.room + 8) / columns
    for number, stage in enumerate(stages):
        row, column = divmod(number, columns)
        x, y = column * across, BAR + 10 + row * ROW
        share = say.share(Decimal(stage.count) / total) if total else ""
        figure = say(words.ITEMS, n=stage.count)

        def paint(x: float = x, y: float = y, n: int = number, stage: StageCount = stage, end: str = figure) -> None:
            edge = x + across - 8
            sheet.cell((x, y), (edge - x, ROW - 4), "lane", 4)
            sheet.words((x + 34, y + 20), sheet.clipped(stage.label, edge - x - 48 - sheet.measure(end, "bold")))
            sheet.cell((x + 4, y + 4), (22, 22), f"part {FILLS[n % len(FILLS)]}", 3)
            sheet.words((x + 15, y + 20), str(n + 1), f"small bold{' paper' if n % 2 == 0 else ''}", "middle")
            sheet.words((edge - 6, y + 20), end, "bold", "end")

        sheet.link(stage.href, f"{stage.label} {figure} {share}".strip(), paint)
        sheet.reaches(y + ROW)


def spark(values: Sequence[int], label: str, prefix: str = "spark", *, t: Translate = same) -> Markup:
    """A tiny line for a cell of a list, its last value written beside it; `label` says what is counted."""
    say = Speech(t)
    sheet = Sheet(checked(prefix), narrow=True)
    last = str(values[-1]) if values else say(words.NOTHING)
    most = max([*values, 1])
    step = SPARK[0] / max(len(values) - 1, 1)
    places = [(4 + number * step, 21 - value / most * 18) for number, value in enumerate(values)]
    if places:
        sheet.path("M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in places), "trace")
        sheet.disc(places[-1], 3, "bar")
    sheet.words((SPARK[0] + 10, 18), last, "small bold")
    sheet.reaches(SPARK[1])
    listed = say(words.LISTED).join(str(value) for value in values)
    desc = say(words.SPARK_SAID, values=listed) + say(words.STOP) if values else last
    across = SPARK[0] + 14 + sheet.measure(last, "small bold")
    return small_drawing(sheet, say(words.SPARK, label=label), desc, across)


def progress(part: Decimal, whole: Decimal, floor: Decimal, prefix: str = "spending", *, t: Translate = same) -> Markup:
    """What was spent of a whole (yuan) against a floor (a share of the whole, 0.12 for 12 %), the floor marked.

    The scale ends a quarter above the larger of the two, so that a floor of 12 % can be seen.
    """
    say = Speech(t)
    least = (whole * floor).quantize(Decimal("0.01"), ROUND_CEILING)
    spent = _amount(words.SPENT, part, whole, say)
    floored = say(words.FLOOR, amount=say.money(least), share=say.share(floor))
    verdict = say(words.REACHED) if part >= least else say(words.SHORT, amount=say.money(least - part))
    lines = (spent, floored, verdict)
    end = max(part, least, Decimal(1)) * HEADROOM
    desc = say(words.COMMA).join(lines) + say(words.STOP)
    places = (float(part / end), float(least / end))
    return drawing(prefix, say(words.SPENDING), desc, lambda sheet: _paint_progress(sheet, lines, places))


def _amount(form: str, part: Decimal, whole: Decimal, say: Speech) -> str:
    share = say.share(part / whole) if whole else say.share(Decimal(0))
    return say(form, amount=say.money(part), share=share)


def _paint_progress(sheet: Sheet, lines: tuple[str, str, str], places: tuple[float, float]) -> None:
    spent, floored, verdict = lines
    here, mark = (sheet.room * place for place in places)
    short = here < mark
    sheet.words((0, 16), spent, "bold")
    if sheet.narrow:
        sheet.words((0, 36), verdict, "bold red" if short else "bold green")
    else:
        sheet.words((sheet.room, 16), verdict, "bold red" if short else "bold green", "end")
    top = 46 if sheet.narrow else 28
    sheet.cell((0, top), (sheet.room, 20), "lane", 4)
    sheet.cell((0, top), (here, 20), "bar", 4)
    if short:
        sheet.hatch((here, top), (mark - here, 20), "late")
    sheet.line((mark, top - 6), (mark, top + 28), "mark")
    left = sheet.measure(floored, "small") > mark
    sheet.words((0 if left else mark, top + 44), floored, "small", None if left else "end")
    sheet.reaches(top + 52)
