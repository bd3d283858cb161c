"""What the ecometers measure and when it becomes visible: energy by 5 minutes, contracts, uploads, outages.

Energy is a pure function of (line, time, seed), so that the sums over every scale agree. Times are epoch seconds.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Optional
from zoneinfo import ZoneInfo

PIECE = 300
UPLOAD = 3 * 3600
NONE, BASIC, PEAK, OFF_PEAK, VOID = range(5)
CONTRACTS = ("none", "basic", "peak_and_off_peak", "void")
# "void": slots come with every column null, as users report after the contract was changed in the app (2026-11).
PRICES = {NONE: 0.2, BASIC: 0.2276, PEAK: 0.25, OFF_PEAK: 0.19}
OFF_PEAK_UNTIL, OFF_PEAK_FROM = 6 * 60 + 30, 22 * 60 + 30  # minutes of the local day


@dataclass
class Outage:
    """No slot of `[begin, end)` is uploaded before `backfill` (None: never)."""

    begin: float
    end: float
    backfill: Optional[float] = None


@dataclass
class Correction:
    """From `at` on, the piece of line `index` that begins at `piece` has `delta` Wh more."""

    index: int
    piece: int
    delta: int
    at: float


@dataclass
class Ecometer:
    """One device; `lines` are names by index (a name of None is missing).

    `fluids`: the type that gas and water lines answer to; `prices`: whether electric lines have any.
    `setup`: when measures begin; `setup_told`: whether homesdata says so.
    """

    id: str
    name: Optional[str] = "Écocompteur"
    lines: dict[int, Optional[str]] = field(default_factory=lambda: {n: f"Ligne {n + 1}" for n in range(5)})
    fluids: str = ""
    setup: Optional[int] = None
    outages: list[Outage] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    lag: int = 0
    prices: bool = True
    setup_told: bool = True

    def module(self, index: int) -> str:
        """The id of a line."""
        return f"{self.id}#{index}"

    @property
    def device(self) -> str:
        """What `getmeasure` calls the device."""
        return self.id


@dataclass
class Meter(Ecometer):
    """An energy meter behind a gateway: NLPC (one phase) or NLY (three), with a power beside its measures.

    Shapes as pyatmo's fixtures and issues of netatmo_custom (#7, #19, #39) show them for NLPC; NLY is believed to be
    alike. 2026-11-29.
    """

    model: str = "NLPC"
    gateway: str = "00:04:74:00:00:60"
    power: Optional[int] = 350
    reachable: bool = True

    def module(self, index: int) -> str:
        """Its own id: it has no lines."""
        return self.id

    @property
    def device(self) -> str:
        """What `getmeasure` calls the device."""
        return self.gateway


@dataclass
class Home:
    """One home; `contracts` is a timeline of (from, contract); `foreign` are modules of other kinds."""

    id: str
    name: Optional[str] = "Maison"
    timezone: str = "Europe/Paris"
    ecometers: list[Ecometer] = field(default_factory=list)
    contracts: list[tuple[float, str]] = field(default_factory=lambda: [(0.0, "none")])
    foreign: list[dict[str, object]] = field(default_factory=list)
    meters: list[Meter] = field(default_factory=list)


def contract_at(contracts: Sequence[tuple[float, str]], at: float) -> str:
    """The contract in force."""
    return contracts[0][1] if len(contracts) == 1 else [name for begin, name in contracts if begin <= at][-1]


def _column(contracts: Sequence[tuple[float, str]], at: float, zone: str) -> int:
    """The column that energy of this moment goes to."""
    contract = contract_at(contracts, at)
    if contract != "peak_and_off_peak":
        return {"none": NONE, "void": VOID}.get(contract, BASIC)
    return PEAK if OFF_PEAK_UNTIL <= _minute(at, zone) < OFF_PEAK_FROM else OFF_PEAK


@lru_cache(maxsize=200_000)
def _minute(at: float, zone: str) -> int:
    """The minute of the local day."""
    local = datetime.fromtimestamp(at, timezone.utc).astimezone(ZoneInfo(zone))
    return local.hour * 60 + local.minute


@lru_cache(maxsize=200_000)
def energy(seed: int, module: str, piece: int) -> int:
    """Wh (or litres) of the 5 minutes that begin at `piece`; lines rest for hours, with explicit zeros."""
    if zlib.crc32(f"{seed}/{module}/{piece // 14400}".encode()) % 3 == 0:
        return 0
    return zlib.crc32(f"{seed}/{module}/{piece}".encode()) % 120


class Model:
    """All homes of an account, and what the service knows of them at a given time."""

    def __init__(self, homes: Sequence[Home], seed: int = 1) -> None:
        self.homes = list(homes)
        self.seed = seed

    def find(self, module: str) -> Optional[tuple[Home, Ecometer, int]]:
        """The home, device and index of a line."""
        for home in self.homes:
            for ecometer in (*home.ecometers, *home.meters):
                for index in ecometer.lines:
                    if ecometer.module(index) == module:
                        return home, ecometer, index
        return None

    def last_upload(self, ecometer: Ecometer, now: float) -> float:
        """When the device last sent its measures: every 3 hours, some minutes late."""
        number = int(now // UPLOAD)
        for n in (number, number - 1):
            at = n * UPLOAD + zlib.crc32(f"{self.seed}/{ecometer.id}/{n}".encode()) % 900
            if at <= now:
                return float(at) - ecometer.lag
        return float((number - 2) * UPLOAD)

    def pieces(self, ecometer: Ecometer, start: int, end: int, now: float, upload: float) -> Sequence[int]:
        """The pieces of `[start, end)` that the service has."""
        first, setup = start - start % PIECE, ecometer.setup or 0
        if setup > first:
            first += -(-(setup - first) // PIECE) * PIECE
        uploaded = range(first, min(end, int(upload // 1) - PIECE + 1), PIECE)
        if not ecometer.outages:
            return uploaded
        return tuple(piece for piece in uploaded if not _lost(ecometer.outages, piece, now))

    def slot(self, module: str, start: int, end: int, now: float) -> Optional[list[Optional[float]]]:
        """Energy by column, then price by column, of `[start, end)`; None when nothing of it was uploaded."""
        found = self.find(module)
        if found is None:
            return None
        home, ecometer, index = found
        pieces = self.pieces(ecometer, start, end, now, self.last_upload(ecometer, now))
        corrected = tuple(
            (each.piece, each.delta) for each in ecometer.corrections if each.index == index and each.at <= now
        )
        contracts = tuple(home.contracts) if index < 6 else ()
        sums = _sums(self.seed, module, pieces, corrected, contracts, home.timezone)
        return None if sums is None else list(sums)


def _lost(outages: Sequence[Outage], piece: int, now: float) -> bool:
    """Whether an outage keeps a piece from the service."""
    for outage in outages:
        if outage.begin <= piece < outage.end:
            return outage.backfill is None or outage.backfill > now
    return False


@lru_cache(maxsize=200_000)
def _sums(
    seed: int,
    module: str,
    pieces: Sequence[int],
    corrected: tuple[tuple[int, int], ...],
    contracts: tuple[tuple[float, str], ...],
    zone: str,
) -> Optional[tuple[Optional[float], ...]]:
    """What `Model.slot` returns; without contracts it is a fluid's.

    The same slots are asked for again by every reading and by the tests' own record: each is added up once.
    """
    sums: list[Optional[float]] = [None] * 8
    void = False
    for piece in pieces:
        place = _column(contracts, piece, zone) if contracts else BASIC
        if place == VOID:
            void = True
            continue
        amount = energy(seed, module, piece) + sum(delta for at, delta in corrected if at == piece)
        sums[place] = (sums[place] or 0) + amount
        sums[place + 4] = (sums[place + 4] or 0.0) + amount / 1000 * PRICES[place]
    if all(each is None for each in sums):
        return tuple(sums) if void else None
    return tuple(None if each is None else (each if n < 4 else round(each, 4)) for n, each in enumerate(sums))


def midnight(at: float, zone: str, days: int = 0) -> int:
    """The local midnight before `at`, or `days` later."""
    day = datetime.fromtimestamp(at, timezone.utc).astimezone(ZoneInfo(zone)).date() + timedelta(days=days)
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp())


def noon(at: float, zone: str) -> int:
    """Noon of the local day of `at`."""
    day = datetime.fromtimestamp(at, timezone.utc).astimezone(ZoneInfo(zone)).date()
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)).timestamp())
