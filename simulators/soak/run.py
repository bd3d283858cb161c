"""One soak: warm up, faults with kills, faults without, heal, compare, report."""

from __future__ import annotations

import random
import threading
import time
import traceback
from collections import Counter
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from typing import Any, Callable, Optional

from simulators.house import Truth
from simulators.soak.easee import Easee
from simulators.soak.ending import check_book, check_driving
from simulators.soak.host import Host
from simulators.soak.house import House
from simulators.soak.process import Held
from simulators.soak.systems import (
    PARIS,
    THOROUGH,
    Dated,
    Econetatmo,
    Enphase,
    HelloWatt,
    System,
    Wes,
    agrees,
    as_told,
)
from simulators.soak.watch import Watch

MIN_LONG_FAULT_S, MAX_LONG_FAULT_S = 20.0, 60.0
"""Seconds that one fault in twelve of a long run lasts."""
STEPS = (600, 3 * 3600)
"""Seconds by which the daemon's clock is stepped, either way."""
SETTLING_S = 780.0
"""Seconds until the last value must agree. An inverter tells every five minutes the mean of the five before, so the
first report after all has come to rest still has a part of what was before, and only the second is for good; the
daemon reads the reports once a minute, less often on a machine that is busy. Where all is well it takes much less."""
RESPITE_S, RESPITE_EVERY_S = 120.0, 480.0
"""Seconds of a respite among the faults of a long run, and from one to the next."""
MOVED_TO, MOVE_S = "127.0.0.22", 180.0
"""Another address of the gateway, and the seconds within which Jeedom must have followed."""
TOLERANCE = Held(memory=12.0, threads=6, sockets=8, descriptors=6, files=4)


class Soak:
    """A run of `minutes` in a Jeedom, `host`; `seed` decides which faults come when. `report` tells how it went."""

    def __init__(self, host: Host, minutes: float, seed: int) -> None:
        self.host, self.minutes, self.seed = host, minutes, seed
        self.dice = random.Random(seed)
        self.incidents: Counter[str] = Counter()
        self.weight = 0
        self.failures: list[str] = []
        self.rows: list[tuple[str, str, str, bool]] = []
        self.thorough = minutes >= THOROUGH
        self.decks: dict[str, list[tuple[str, Any]]] = {}
        self.agreed = 0.0
        self.late: list[str] = []
        self.house: Optional[House] = None
        self.watch: Optional[Watch] = None

    # ---- the run

    def run(self) -> bool:
        """All of it; whether every check held."""
        with ExitStack() as stack:
            self.host.open(stack, self.thorough)
            jeedom = self.host.jeedom
            econetatmo = Econetatmo(stack, jeedom, self.minutes)
            truth = Truth() if self.thorough else None
            enphase, easee = Enphase(stack, jeedom, truth), Easee(stack, jeedom, self.minutes, truth)
            self.systems: list[System] = [enphase, easee, Wes(stack, jeedom, truth), econetatmo]
            self.systems.append(HelloWatt(stack, jeedom, self.minutes))
            if truth is not None:
                self.house = House(jeedom, truth, easee, self.host.refusals)
                self.systems.append(self.house)
            self.host.begin(stack)
            self.daemon = self.host.daemon
            self._until(lambda: not self.host.missing(), self.host.patience)
            for each in self.host.missing():
                self.note("first values", "every equipment", f"nothing of {each}", False)
            self.host.hasten(rule for system in self.systems for rule in system.rules())
            if self.house is not None:
                self._begin_to_drive(stack, self.house)
            total = self.minutes * 60
            first, last = min(30.0, 0.15 * total + 3), min(60.0, 0.1 * total + 3)
            storms = max(0.8 * total, total - first - last)
            self._storm(0.42 * storms, kills=True)
            self._heal(first)
            before = self._settled()
            if self.thorough:
                self._check("gateway at another address", lambda: self._move(enphase))
            self._storm(0.58 * storms, kills=False)
            self._heal(last)
            self._check("driving", self._check_driving)
            for system in self.systems:
                if self.thorough:
                    with suppress(*self.host.refusals):
                        system.healed()
            for system in reversed(self.systems):  # the house first: it acts on the others
                system.freeze()
            if self.minutes < 1:
                self._as_user(self.systems[0])  # inverters are read once a minute only
            self._check("current values", lambda: self._check_values(SETTLING_S))
            self._check("dated measures", self._check_dated)
            if self.house is not None:
                house = self.house
                self._check("book", lambda: check_book(self, house))
            self._check("held", lambda: self._check_held(before))
            self._check("log", self._check_log)
            code = self.daemon.stop()
            self.note("orderly end", "exit code 0", str(code), code == 0)
        return all(good for *_, good in self.rows)

    @staticmethod
    def _until(condition: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(0.2)
        return True

    def _begin_to_drive(self, stack: ExitStack, house: House) -> None:
        house.press("setMode", select="solar")
        watch = Watch(house, self.host.logs(), lambda: self.host.journal(house.point))
        stack.callback(watch.close)
        self.watch = watch
        if not self._until(lambda: watch.decisions, 60.0):
            self.note("control", "a first decision", "none within 60 s", False)

    def _move(self, enphase: Enphase) -> None:
        """The gateway gets another address, and a stranger answers at the former one."""
        with self.host.announced(enphase.gateway, MOVED_TO) as possible:
            if not possible:
                return
            self._faulty(True)
            self.incidents["enphase address changed"] += 1
            self.weight += 3
            with enphase.moved(MOVED_TO):
                began = time.monotonic()
                good = self._until(
                    lambda: (
                        self.host.states([enphase.connection]).get(enphase.connection) == "online"
                        and self.host.setting(enphase.connection, "host") == MOVED_TO
                    ),
                    MOVE_S,
                )
                took = f"{time.monotonic() - began:.0f} s"
                self.note("gateway at another address", f"followed within {MOVE_S:.0f} s", took, good)
            self._faulty(False)

    # ---- faults

    def _faulty(self, begins: bool) -> None:
        if self.watch is not None:
            self.watch.fault(begins)

    def _respite(self) -> None:
        """Nothing is wrong for a while: only the people of the house go on, and its promises hold to the second."""
        assert self.house is not None
        end = time.monotonic() + RESPITE_S
        while (left := end - time.monotonic()) > 1:
            kind, value = self._dealt(self.house.name, self.house.faults)
            self.incidents[f"house {kind}, in peace"] += 1
            self.house.inject(kind, value)
            time.sleep(min(left, self.dice.uniform(10.0, 40.0)))
            self.house.clear()
            self._as_user(self.house)
        if self.watch is not None:
            print(f"{datetime.now(PARIS):%H:%M:%S} {self.watch}", flush=True)

    def _storm(self, seconds: float, kills: bool) -> None:
        end = time.monotonic() + seconds
        choices = ["vendor"] * 6 + ["network"] + ["disk"] * self.host.disk + ["kill"] * (2 * kills)
        choices += ["jeedom"] * (3 if self._kinds(self.host) else 0)
        choices += ["clock"] * self.daemon.steps
        if kills and seconds > 3:
            self._incident("kill")
        peace = time.monotonic() + min(RESPITE_EVERY_S / 2, seconds / 3)
        while (left := end - time.monotonic()) > 0.5:
            if self.house is not None and time.monotonic() > peace and left > RESPITE_S:
                self._respite()
                peace = time.monotonic() + RESPITE_EVERY_S
                continue
            self._incident(self.dice.choice(choices))
            long = self.thorough and self.dice.random() < 1 / 12
            time.sleep(
                min(
                    left, self.dice.uniform(MIN_LONG_FAULT_S, MAX_LONG_FAULT_S) if long else self.dice.uniform(0.5, 5.0)
                )
            )
            self._clear()
            self.daemon.ensure()
            time.sleep(max(0.0, min(end - time.monotonic(), self.dice.uniform(0.5, 3.0))))

    def _dealt(self, name: str, kinds: tuple[tuple[str, Any], ...]) -> tuple[str, Any]:
        """One kind after the other in an order of chance, each once before one comes again."""
        if not self.decks.get(name):
            self.decks[name] = self.dice.sample(kinds, len(kinds))
        return self.decks[name].pop()

    def _kinds(self, of: System | Host) -> tuple[tuple[str, Any], ...]:
        return of.faults + (of.rare if self.thorough else ())

    def _incident(self, what: str) -> None:
        system = self.dice.choice(self.systems)
        name, weight = what, 1
        self._faulty(True)
        if what == "vendor":
            kind, value = self._dealt(system.name, self._kinds(system))
            name = f"{system.name} {kind}"
            system.inject(kind, value)
        elif what == "jeedom":
            kind, value = self._dealt("jeedom", self._kinds(self.host))
            name = f"jeedom {kind}"
            self.host.inject(kind, value)
        elif what == "network":
            weight = len(self.systems)
            for each in self.systems:
                each.leave()
        elif what == "disk":
            weight = len(self.systems)
            self._fill()
        elif what == "clock":
            self._step(self._same_day(self.dice.choice((-1, 1)) * self.dice.uniform(*STEPS)))
        else:
            self.daemon.kill()
            self.daemon.ensure()
        if self.thorough:
            print(f"{datetime.now(PARIS):%H:%M:%S} {name}", flush=True)
        self.incidents[name] += 1
        self.weight += weight
        if self.dice.random() < (1.0 if what == "vendor" and system.eager else 0.3):
            # Aside: what waits for the end of the fault must not prolong it.
            threading.Thread(target=self._as_user, args=(system,), name="user", daemon=True).start()

    @staticmethod
    def _same_day(seconds: float) -> float:
        """The step, or the other way round when it would end on another day: the truth is known by the day."""
        now = datetime.now(PARIS)
        return seconds if (now + timedelta(seconds=seconds)).date() == now.date() else -seconds

    def _fill(self) -> None:
        try:
            with (self.daemon.data / "filler").open("wb", 0) as file:
                while True:
                    file.write(b"\0" * 65536)
        except OSError:
            return  # full

    def _as_user(self, system: System) -> None:
        """What a user does when something looks wrong."""
        try:
            system.as_user()
        except self.host.refusals:
            return  # told to the user

    def _step(self, seconds: float) -> None:
        self.daemon.step(seconds)
        if self.watch is not None:
            self.watch.offset = seconds

    def _clear(self) -> None:
        self.host.clear()
        for system in self.systems:
            system.clear()
            system.come_back()
        if self.daemon.steps:
            self._step(0)
        (self.daemon.data / "filler").unlink(missing_ok=True)
        self._faulty(False)

    def _heal(self, seconds: float) -> None:
        """Nothing is wrong any more; wait until every connection says so."""
        self._clear()
        self.daemon.ensure()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(1.0)
            try:
                states = self.host.states([each.connection for each in self.systems])
            except self.host.refusals:
                continue  # it is busy
            bad = [each for each in self.systems if states.get(each.connection) != "online"]
            for each in bad:
                self._as_user(each)
            if not bad and end - time.monotonic() < seconds - 5:
                return

    # ---- checks

    def _check(self, name: str, check: Callable[[], None]) -> None:
        """A check that cannot be made has failed; what others find is still wanted after an hour."""
        try:
            check()
        except Exception as error:
            self.failures += traceback.format_exception_only(type(error), error)
            self.note(name, "can be looked at", f"{type(error).__name__}", False)

    def _check_driving(self) -> None:
        if self.watch is not None:
            check_driving(self, self.watch)

    def note(self, what: str, expected: str, found: str, good: bool) -> None:
        self.rows.append((what, expected, found, good))

    def _check_values(self, patience: float) -> None:
        def wrong() -> dict[str, list[str]]:
            found: dict[str, list[str]] = {}
            shown = self.host.values([each["id"] for system in self.systems for each in system.equipment()])
            for system in self.systems:
                for rule in system.rules():
                    value = shown.get(rule.equipment, {}).get(rule.command)
                    if not agrees(rule, value):
                        found.setdefault(system.name, []).append(as_told(rule, value))
            return found

        began, left = time.monotonic(), wrong()
        while left and time.monotonic() - began < patience:
            self.late = [text for texts in left.values() for text in texts]
            print(f"not yet: {len(self.late)}, such as {', '.join(self.late[:3])}", flush=True)
            time.sleep(5.0 if time.monotonic() - began > 10 else 1.0)
            left = wrong()
        self.agreed = time.monotonic() - began
        for system in self.systems:
            count = sum(1 for _ in system.rules())
            if count:
                bad = left.get(system.name, [])
                self.failures += bad
                self.note(
                    f"{system.name}: current values",
                    f"{count} equal to the simulator's",
                    f"{count - len(bad)} equal",
                    not bad,
                )

    def _check_dated(self) -> None:
        for system in self.systems:
            series = list(system.dated())
            if not series:
                continue
            left = [text for each in series for text in self._differs(each)]
            print(f"{system.name}: {len(left)} measures to come {left[:3]}", flush=True)
            for _ in range(9):
                if system.name == "econetatmo":
                    self._as_user(system)  # it is asked every ten minutes only
                if self._until(lambda system=system: not any(self._differs(each) for each in system.dated()), 20.0):
                    break
            series = list(system.dated())
            bad = [text for each in series for text in self._differs(each)]
            points = sum(len(each.truth) for each in series)
            self.failures += bad
            good = not bad and points > 0
            self.note(
                f"{system.name}: dated measures",
                f"{points} once each, equal to the record",
                f"{len(bad)} missing, extra or other",
                good,
            )

    def _differs(self, series: Dated) -> list[str]:
        rows = self.host.jeedom.history(series.equipment, series.command)
        have = dict(rows)
        name = f"{series.equipment}/{series.command}"
        bad = [f"{name}: {len(rows) - len(have)} dates twice"] if len(rows) > len(have) else []
        bad += [f"{name} {at}: missing" for at in series.truth if at not in have]
        bad += [f"{name} {at}: extra" for at in have if at not in series.truth]
        both = [at for at in have if at in series.truth]
        bad += [
            f"{name} {at}: {have[at]} instead of {series.truth[at]}"
            for at in both
            if abs(have[at] - series.truth[at]) > series.tolerance
        ]
        return bad

    def _settled(self) -> Held:
        """What the daemon holds once it has started all connections: a kill may have come just before."""
        end, held = time.monotonic() + 60.0, self.daemon.held()
        while time.monotonic() < end:
            time.sleep(4.0)
            before, held = held, self.daemon.held()
            if held.threads == before.threads >= len(self.systems) and held.memory - before.memory < 0.5:
                break
        return held

    def _check_held(self, before: Held) -> None:
        time.sleep(2.0)
        after = self.daemon.held()
        for name, unit in (("memory", " MiB"), ("threads", ""), ("sockets", ""), ("descriptors", ""), ("files", "")):
            old, new, most = (getattr(each, name) for each in (before, after, TOLERANCE))
            digits = 1 if name == "memory" else 0
            found = f"{old:.{digits}f} → {new:.{digits}f}{unit}"
            self.note(f"daemon: {name}", f"at most {most:g}{unit} more", found, new - old <= most)

    def _check_log(self) -> None:
        lines = self.daemon.troubles()
        most = self.weight + 5
        self.failures += [f"log: {line}" for line in lines] if len(lines) > most else []
        self.note("log lines, warning or worse", f"at most {most}", str(len(lines)), len(lines) <= most)
        died = self.daemon.died
        self.note("daemon ended by itself", "never", f"{len(died)} times", not died)
        for what, wrong in self.host.checks().items():
            self.failures += wrong[:20]
            self.note(what, "none", str(len(wrong)), not wrong)

    # ---- report

    def report(self) -> str:
        """The table, Markdown."""
        total = sum(self.incidents.values())
        lines = [
            f"{self.minutes:g} minutes, seed {self.seed}, {total} incidents of {len(self.incidents)} kinds, "
            f"{self.daemon.starts} starts of the daemon, disk full {'included' if self.host.disk else 'skipped'}, "
            f"clock stepped {'included' if self.daemon.steps else 'skipped'}. "
            f"{self.agreed:.0f} s after the vendors had stood still, the last value agreed or time was out.",
            "",
            "| check | expected | found | |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| {what} | {want} | {got} | {'ok' if good else '**failed**'} |" for what, want, got, good in self.rows
        ]
        lines += ["", "Incidents: " + ", ".join(f"{name} {n}" for name, n in sorted(self.incidents.items())) + "."]
        if self.failures:
            lines += ["", *[f"- {each}" for each in self.failures[:60]]]
        return "\n".join(lines) + "\n"
