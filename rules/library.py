"""The only reader of packs and calendars: what is in force where and when, stacked and pinned; decides nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from models.contracts.calendar import WorkCalendar
from models.contracts.ids import ancestors
from models.contracts.pack import Pack
from models.contracts.rulebook import PackRef, Pinned, Resolved, RulesFor
from models.contracts.vocabulary import Sector
from rules.findings import Finding, RulesRefused, UnknownPack
from rules.loading import NATION, Shelf, read_calendars, read_shelf
from rules.packfile import Document
from rules.stacking import Level, contradictions, stack

RULES = Path(__file__).resolve().parent
PACKS, CALENDARS = RULES / "packs", RULES / "calendars"
EARLIER = "earlier"
"""Beside the folder of packs: texts that were replaced although cases are pinned to them, by the day they were."""
MOST_ANSWERS = 20_000  # distinct questions kept in memory; some 40 bytes each, the rulebooks behind them are shared
YEAR = 366  # days after which a check of a notice against its source is old


@dataclass(frozen=True)
class LoadedPack:
    """A pack as it was read, with what is needed to pin it and to point at its lines."""

    ref: PackRef
    pack: Pack
    path: Path
    document: Document
    built_in: bool

    def speaks_of(self, sector: Sector) -> bool:
        """Whether policies of a sector obey this document."""
        scope = self.pack.scope
        return scope is None or not scope.speaks_of_no_other or sector in scope.sectors

    @property
    def level(self) -> Level:
        return Level(self.ref, self.pack)

    @property
    def examples(self) -> Path:
        return self.path.parent / "examples.yaml"


class Library:
    """All packs of the built-in folder and of further ones, which replace the same region's built-in packs.

    The nation's packs lie in several folders side by side (a law, a measure); a further one replaces its namesake.

    Raises RulesRefused with every finding when any file cannot be relied on.
    """

    def __init__(
        self, packs_dir: Path = PACKS, calendars_dir: Path = CALENDARS, extra_dirs: Sequence[Path] = ()
    ) -> None:
        shelves = [read_shelf(packs_dir), *(read_shelf(extra) for extra in extra_dirs)]
        years, findings = read_calendars(calendars_dir)
        findings += [finding for shelf in shelves for finding in shelf.findings]
        self._calendar = WorkCalendar(years=years)
        self._series: dict[tuple[str, str], tuple[LoadedPack, ...]] = {}
        self._by_digest: dict[tuple[str, str], LoadedPack] = {}
        self._beside = packs_dir.parent / EARLIER
        for number, shelf in enumerate(shelves):
            self._place(shelf, built_in=number == 0)
        findings += self._contradictions()
        if findings:
            raise RulesRefused(tuple(sorted(set(findings))))
        self._answers: dict[RulesFor, Resolved] = {}

    def _place(self, shelf: Shelf, *, built_in: bool) -> None:
        placed: dict[tuple[str, str], tuple[LoadedPack, ...]] = {}
        for loaded in _loaded(shelf, built_in=built_in):
            region = loaded.ref.region
            series = (region, loaded.path.parent.name if region == NATION else "")
            placed[series] = (*placed.get(series, ()), loaded)
            self._by_digest.setdefault((region, loaded.ref.digest), loaded)
        self._series |= placed

    def _contradictions(self) -> list[Finding]:
        """Stack every place on every day on which any of its levels changes."""
        found: list[Finding] = []
        for region in {region for region, _ in self._series}:
            levels = set(ancestors(region))
            for on in sorted({pack.ref.in_force_on for pack in self.packs() if pack.ref.region in levels}):
                packs = self.pack_for(region, on)
                documents = {pack.ref: pack.document for pack in packs}
                clashes = contradictions([pack.level for pack in packs])
                found += [documents[clash.ref].finding(clash.place, clash.reason) for clash in clashes]
        return found

    def packs(self) -> tuple[LoadedPack, ...]:
        """Every pack that can be in force some day, by region and date."""
        return tuple(pack for series in sorted(self._series) for pack in self._series[series])

    def known(self) -> tuple[LoadedPack, ...]:
        """Every pack a case may be pinned to: also built-in ones that a further folder replaces, and earlier texts.

        Raises RulesRefused where an earlier text cannot be read any more.
        """
        return (*self._by_digest.values(), *self._earlier.values())

    @cached_property
    def _earlier(self) -> dict[tuple[str, str], LoadedPack]:
        """Texts no new case is put under; read when a case asks for one, and most processes never do."""
        days = sorted(day for day in self._beside.iterdir() if day.is_dir()) if self._beside.is_dir() else []
        shelves = [read_shelf(day) for day in days]
        if findings := {finding for shelf in shelves for finding in shelf.findings}:
            raise RulesRefused(tuple(sorted(findings)))
        found = [loaded for shelf in shelves for loaded in _loaded(shelf, built_in=True)]
        return {(loaded.ref.region, loaded.ref.digest): loaded for loaded in found}

    def calendar(self) -> WorkCalendar:
        return self._calendar

    def pack_for(self, region: str, on: date) -> tuple[LoadedPack, ...]:
        """The packs a place obeys on a day, the nation first; empty where no notice is known."""
        levels = tuple(reversed(ancestors(region)))
        chain = [series for level in levels for series in sorted(self._series) if series[0] == level]
        return tuple(pack for series in chain if (pack := self._in_force(series, on)))

    def _in_force(self, series: tuple[str, str], on: date) -> LoadedPack | None:
        begun = [pack for pack in self._series[series] if pack.ref.in_force_on <= on]
        if not begun:
            return None
        ends_on = begun[-1].pack.instrument.ends_on
        return begun[-1] if ends_on is None or on <= ends_on else None

    def resolve(self, asked: RulesFor) -> Resolved:
        """The stacked rulebook of one case, and today's calendar; `packs` is empty where no notice is known.

        Raises UnknownPack where the question is pinned to a digest that no loaded file has.
        """
        if asked.pinned is not None:
            return self._as_it_was(asked, asked.pinned)
        pinned = sorted((self._pinned(ref) for ref in asked.packs), key=lambda pack: pack.ref.region.rstrip("0"))
        return self._stacked(asked, tuple(pinned) or self._today(asked))

    def _today(self, asked: RulesFor) -> tuple[LoadedPack, ...]:
        return tuple(pack for pack in self.pack_for(asked.region, asked.on) if pack.speaks_of(asked.sector))

    def _as_it_was(self, asked: RulesFor, pinned: Pinned) -> Resolved:
        """Of a case on record: its own packs in the order it has them, and the years that were published then."""
        packs = tuple(self._pinned(ref) for ref in pinned.packs)
        years = tuple(year for year in self._calendar.years if year.year <= pinned.through)
        found = self._stacked(asked.model_copy(update={"pinned": None}), packs)
        return found.model_copy(update={"calendar": WorkCalendar(years=years)})

    def _stacked(self, asked: RulesFor, packs: tuple[LoadedPack, ...]) -> Resolved:
        # The day decides only which packs are in force; without it, one answer serves all days.
        refs = tuple(pack.ref for pack in packs)
        key = asked.model_copy(update={"packs": refs, "on": date.min})
        if key not in self._answers:
            if len(self._answers) >= MOST_ANSWERS:
                self._answers.clear()
            rulebook = stack([pack.level for pack in packs], asked)
            self._answers[key] = Resolved(rulebook=rulebook, calendar=self._calendar)
        return self._answers[key]

    def _pinned(self, ref: PackRef) -> LoadedPack:
        named = (ref.region, ref.digest)
        pack = self._by_digest.get(named) or self._earlier.get(named)
        if pack is None:
            raise UnknownPack(ref)
        return pack

    def warnings(self, today: date) -> tuple[Finding, ...]:
        """What is no mistake but should be known: repealed instruments, and checks older than a year."""
        return tuple(sorted({*self._repealed(), *self._stale(today)}))

    def _repealed(self) -> Iterator[Finding]:
        repeals = [(gone, pack) for pack in self.packs() for gone in pack.pack.instrument.repeals]
        for pack in self.packs():
            instrument = pack.pack.instrument
            for gone, by in repeals:
                told = f"{gone} 已自 {by.ref.in_force_on} 起被 {by.pack.instrument.number} 废止"
                if by is not pack and _same(gone, instrument.number):
                    yield pack.document.finding(("instrument", "number"), f"本文件 {told}")
                for index, cited in enumerate(instrument.cites):
                    if _same(gone, cited):
                        yield pack.document.finding(("instrument", "cites", index), f"引用的 {told}")

    def _stale(self, today: date) -> Iterator[Finding]:
        for pack in self.packs():
            checked_on = pack.pack.instrument.checked_on
            if (today - checked_on).days > YEAR:
                yield pack.document.finding(("instrument", "checked_on"), f"{checked_on} 之后未再核对原文，已逾一年")


def _loaded(shelf: Shelf, *, built_in: bool) -> Iterator[LoadedPack]:
    for region, path, document, pack in shelf.packs:
        ref = PackRef(region=region, in_force_on=pack.instrument.in_force_on, digest=document.digest)
        yield LoadedPack(ref, pack, path, document, built_in)


def _same(number: str, mention: str) -> bool:
    """Whether a mention names a document number, however its brackets and spaces are written."""
    tidy = str.maketrans("[]［］【】()（）", "〔〕〔〕〔〕〔〕〔〕", " \u3000")
    return number.translate(tidy) in mention.translate(tidy)
