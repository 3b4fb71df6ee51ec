"""The overview's figures as drawings: places by sectors, tiles, stages, months; every cell leads to its list."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from api.department.overview import Figures, Tally
from api.department.scope import Scope
from api.drawings.bars import StageCount, spark, stage_bar
from api.drawings.tables import Count, Heading, Table, heat_strip
from api.drawings.tiles import City, place_map
from api.drawings.words import Translate, capital
from domain.places import region_name
from models.contracts.vocabulary import PolicyStage, Sector

LIST = "/department/cases"
CITY_DIGITS, PLACE_DIGITS = 4, 6
MOST_ROWS = {CITY_DIGITS: 5, PLACE_DIGITS: 6}
"""Places of one table; of more than these the fullest are drawn, all of them stand in the tiles."""


@dataclass(frozen=True)
class Plates:
    """What the overview draws, as markup."""

    heat: Markup
    tiles: Markup
    stages: Markup
    signed: Markup
    found: Markup


def plates(figures: Figures, mine: tuple[Scope, ...], titles: dict[str, str], t: Translate) -> Plates:
    """The drawings; `titles` are the words of the page for them: heat, signed, found."""
    return Plates(
        heat=heat_strip(_table(figures, mine, titles["heat"], t), "heat", t=t),
        tiles=place_map(_cities(figures), "tiles", t=t),
        stages=stage_bar(
            [StageCount(capital(t(stage.label)), n, address(stage=stage)) for stage, n in _in_order(figures)],
            "stages",
            t=t,
        ),
        signed=spark([signed for _, signed, _ in figures.months], titles["signed"], "signed", t=t),
        found=spark([found for _, _, found in figures.months], titles["found"], "found", t=t),
    )


def address(**filters: Any) -> str:
    """The list of cases behind a figure."""
    return f"{LIST}?{urlencode({name: str(value) for name, value in filters.items()})}"


def _in_order(figures: Figures) -> list[tuple[PolicyStage, int]]:
    return [(stage, figures.stages[stage]) for stage in PolicyStage if stage in figures.stages]


def _table(figures: Figures, mine: tuple[Scope, ...], title: str, t: Translate) -> Table:
    """A row for each district of one city, for each city where several cities are seen."""
    digits = CITY_DIGITS if _several_cities(figures, mine) else PLACE_DIGITS
    cells: dict[tuple[str, str], Tally] = defaultdict(Tally)
    for (region, sector), tally in figures.cells.items():
        cells[(region[:digits].ljust(6, "0"), sector.value)].add(tally)
    weight: dict[str, int] = defaultdict(int)
    for (region, _), tally in cells.items():
        weight[region] += tally.running
    rows = sorted(weight, key=lambda region: (-weight[region], region))[: MOST_ROWS[digits]]
    return Table(
        title=title,
        rows=tuple(Heading(region, region_name(region), address(**_place(region, digits))) for region in rows),
        columns=tuple(Heading(one.value, capital(t(one.label)), address(sector=one.value)) for one in Sector),
        cells={
            (region, sector): Count(
                tally.running, tally.overdue, address(**_place(region, digits), sector=sector, open="true")
            )
            for (region, sector), tally in cells.items()
            if tally.running
        },
    )


def _count(tally: Tally, **filters: str) -> Count:
    return Count(tally.running, tally.overdue, address(**filters, open="true"))


def _place(region: str, digits: int) -> dict[str, str]:
    """The filters of a row: a city with all below it, or one place alone."""
    alone = digits > CITY_DIGITS and region.endswith("00")
    return {"region": region, "here": "true"} if alone else {"region": region}


def _several_cities(figures: Figures, mine: tuple[Scope, ...]) -> bool:
    widest = min((len(one.prefix) for one in mine), default=6)
    return widest < CITY_DIGITS or len({region[:CITY_DIGITS] for region in figures.places}) > 1


def _cities(figures: Figures) -> list[City]:
    """Every place under its city."""
    places: dict[str, Tally] = defaultdict(Tally)
    for (region, _), tally in figures.cells.items():
        places[region].add(tally)
    cities: dict[str, list[tuple[Heading, Count]]] = defaultdict(list)
    for region, tally in sorted(places.items()):
        tile = Heading(region, region_name(region)), _count(tally, **_place(region, PLACE_DIGITS))
        cities[region[:CITY_DIGITS].ljust(6, "0")].append(tile)
    return [
        City(Heading(city, region_name(city), address(region=city)), tuple(tiles)) for city, tiles in cities.items()
    ]
