"""What a house must show after a soak: its limits, its reasons, its book."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from simulators.soak import book
from simulators.soak.house import House
from simulators.soak.process import Daemon
from simulators.soak.watch import AMPS, LEAST_A, MATCH_S, Change, Watch

ROWS_OF_A_LONG_RUN = 4
"""Rows of the book of which one at least must be whole: the first, the last and one that was killed are not."""


class Notes(Protocol):
    """The run that is judged."""

    failures: list[str]
    daemon: Daemon

    def note(self, what: str, expected: str, found: str, good: bool) -> None:
        """A row of its report."""
        ...


def check_driving(run: Notes, watch: Watch) -> None:
    """The subscribed power, and a reason for each start and stop."""
    lost = watch.read()
    run.note(
        "above the subscription in a whole chain",
        f"at most {watch.dead_time_s:.0f} s at a time",
        f"{watch.over_whole_s:.1f} s (in all, faults included: {watch.over_s:.0f} s, up to {watch.most_watts:.0f} W)",
        watch.over_whole_s <= watch.dead_time_s,
    )
    ours = [each for each in watch.changes if not _by_hand(watch, each)]
    silent = [each for each in ours if not _reasoned(watch, each)]
    run.failures += [f"no reason: {_told(each)}" for each in silent]
    run.note(
        "starts and stops without a reason",
        "none",
        f"{len(silent)} of {len(ours)} ({len(watch.changes) - len(ours)} by hand, {len(watch.decisions)} decisions, "
        f"{watch.charged / 1000:.2f} kWh charged)",
        not silent and (bool(ours) or not watch.is_long),
    )
    run.failures += [f"not in the journal any more: {each}" for each in lost]
    run.note("decisions that a kill took out of the journal", "none", str(len(lost)), not lost)
    bare = [str(each) for each in watch.decisions.values() if not (each["why"] and each["at"] and each["decision"])]
    run.failures += bare
    run.note("decisions that say nothing", "none", str(len(bare)), not bare)
    run.failures += [f"without a fault: {line}" for line in watch.uncaused]
    run.note(
        "lines of level error without a fault",
        "none",
        f"{len(watch.uncaused)} of {len(watch.errors)}",
        not watch.uncaused,
    )


def _told(change: Change) -> str:
    return f"{datetime.fromtimestamp(change.told):%H:%M:%S} {change.before:g} → {change.after:g} A"


def _by_hand(watch: Watch, change: Change) -> bool:
    """A pause, a limit or a plug of the people themselves."""
    return any(-1.0 <= change.at - at <= 1.5 for at in watch.house.by_hand)


def _reasoned(watch: Watch, change: Change) -> bool:
    """Whether a decision of about that time says what the charger did."""
    for each in watch.decisions.values():
        at = datetime.fromisoformat(str(each["at"])).timestamp()
        amps = AMPS.match(str(each["decision"]))
        if abs(at - change.told) <= MATCH_S and amps is not None:
            if (float(amps[1]) >= LEAST_A) == (change.after >= LEAST_A):
                return True
        elif abs(at - change.told) <= MATCH_S and each["decision"] in ("free", "off", "takenOver"):
            return True
    return False


def check_book(run: Notes, house: House) -> None:
    """Every row balances, and those that are measured through and through are what the plant's meters counted."""
    found = book.rows(run.daemon.data)
    whole = book.complete(found)
    wrong = book.contradictions(found)
    run.failures += [f"book: {each}" for each in wrong]
    run.note(
        "rows of the house's book",
        "all balance",
        f"{len(wrong)} of {len(found)} do not, {len(whole)} are whole",
        not wrong and (bool(whole) or len(found) < ROWS_OF_A_LONG_RUN),
    )
    plant: Any = house.truth.plant
    plant.advance()
    off: list[str] = []
    exact = [each for each in whole if not each.estimated and each.start >= plant.started]
    sums = {name: [0.0, 0.0] for name in book.PARTS}
    for each in exact:
        truth = book.counted(plant, each.start)
        for name, energy in each.energy.items():
            sums[name][0] += energy
            sums[name][1] += truth[name]
            if abs(energy - truth[name]) > book.SLACK_WH + 0.05 * truth[name]:
                off.append(f"book: {each.start} {name}: {energy:.1f} Wh instead of {truth[name]:.1f}")
    run.failures += off
    told = ", ".join(f"{name} {booked:.0f} of {truth:.0f}" for name, (booked, truth) in sums.items())
    run.note(
        "measured rows beside the meters",
        "equal",
        f"{len(off)} columns of {len(exact)} rows differ (Wh: {told})",
        not off,
    )
