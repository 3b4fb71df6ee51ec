"""Who tells whom what, drawn from top to bottom; the words stand in docs/pictures/captions.yaml."""

from collections.abc import Mapping
from typing import Any

from runtime.pictures.svg import BLUE, GREY, HUSHED, PLAIN, TITLE, Box, Canvas

COLUMN, TOP, STEP = 236, 96, 42
LOOP = 34  # how far a message to oneself reaches out


def sequence(caption: Mapping[str, Any]) -> str:
    """`parts` from left to right, `steps` as (from, to, words)."""
    parts, steps = caption["parts"], caption["steps"]
    bottom = TOP + STEP * len(steps) + 20
    canvas = Canvas((COLUMN * len(parts) + 20, bottom + 16), caption["title"])
    canvas.words((20, 28), caption["title"], TITLE, "start")
    for number, name in enumerate(parts):
        x = _column(number)
        canvas.line((x, TOP - 14), (x, bottom), colour="#cbd2d9", arrow=False)
        canvas.box(Box((x, 66), name, size=(150, 34)))
    for number, (start, end, words) in enumerate(steps):
        _message(canvas, TOP + STEP * number + 24, start, end, f"{number + 1}. {words}")
    return canvas.text()


def _column(number: int) -> float:
    return COLUMN * number + COLUMN / 2 + 10


def _message(canvas: Canvas, y: float, start: int, end: int, words: str) -> None:
    left, right = _column(start), _column(end)
    if start == end:
        canvas.line((left, y - 6), (left + LOOP, y), colour=GREY, arrow=False)
        canvas.line((left + LOOP, y), (left, y + 6), colour=GREY)
        canvas.words((left + LOOP + 6, y + 5), words, HUSHED, "start")
        return
    canvas.line((left, y), (right, y), colour=BLUE)
    canvas.words(((left + right) / 2, y - 6), words, PLAIN)
