"""Sentences of charge points and loads: each has a figure with its unit, and a time where one is known. Pure.

Currents in A, powers in W, apparent powers in VA, times in seconds of a clock that never steps.
"""

from __future__ import annotations

import math
from datetime import datetime, tzinfo

from ..ports import Sentence
from .charger import BATTERY, ChargerSample, Window

MINUTE_S, HOUR_S = 60, 3600
SHORT_S, SHORT_STEP_S = 120, 10
"""A shorter time is said in steps of so many seconds: a sentence must not change with each sample."""


def duration(seconds: float) -> str:
    """A time as both languages write it: "40 s", "4 min", "1 h 05 min"."""
    if not seconds > 0:
        return f"{SHORT_STEP_S} s"
    if seconds < SHORT_S:
        steps = math.ceil(min(seconds, SHORT_S - SHORT_STEP_S) / SHORT_STEP_S)
        return f"{steps * SHORT_STEP_S} s"
    minutes = round(min(seconds, 1e9) / MINUTE_S)
    hours, rest = divmod(minutes, MINUTE_S)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {rest:02d} min" if rest else f"{hours} h"


def clock_time(at: float, zone: tzinfo) -> str:
    """A moment (Unix time) as sentences and commands write it: "07:30"."""
    return datetime.fromtimestamp(at, zone).strftime("%H:%M")


def figure(value: float, digits: int = 1) -> float | int:
    """A number for a sentence: whole if it is."""
    rounded = round(value, digits)
    return int(rounded) if rounded == int(rounded) else rounded


def follows(watts: float, amps: int) -> Sentence:
    """The charge follows the sun."""
    if watts < 0:
        why = "Aucun surplus, il manque {watts} W même sans la voiture : {amps} A"
        return Sentence(why, watts=max(1, round(-watts)), amps=amps)
    return Sentence("{watts} W de surplus : {amps} A", watts=round(watts), amps=amps)


def at_least(missing: float, amps: int) -> Sentence:
    """The charge goes on at its minimum, whatever the sun gives."""
    why = "Solaire + minimum : {amps} A, dont {watts} W ne viennent pas du soleil"
    return Sentence(why, amps=amps, watts=max(1, round(missing)))


def at_once(amps: int) -> Sentence:
    """The user wants it now."""
    return Sentence("Charge immédiate à {amps} A", amps=amps)


def planned(amps: int, window: Window | None) -> Sentence:
    """A plan, or cheap hours, want it now."""
    if window is None:
        return Sentence("Le plan veut charger maintenant : {amps} A", amps=amps)
    if window.price is None:
        return Sentence("Charge prévue jusqu'à {until} : {amps} A", until=window.until, amps=amps)
    price = figure(window.price, 4)
    return Sentence(
        "Charge prévue jusqu'à {until} à {price} €/kWh : {amps} A", until=window.until, price=price, amps=amps
    )


def waits_for_sun(missing: float, needed: float, since: float, wait: float) -> Sentence:
    """There is not enough sun for a start, since so many seconds; one needs `wait` seconds of `needed` W."""
    return Sentence(
        "Il manque {watts} W de soleil depuis {since} ; départ après {wait} à {needed} W",
        watts=max(1, round(missing)),
        since=duration(since),
        wait=duration(wait),
        needed=round(needed),
    )


def short(missing: float, since: float, left: float) -> Sentence:
    """A charge that has too little sun, and when it will be stopped."""
    return Sentence(
        "Il manque {watts} W depuis {since} ; arrêt dans {wait}",
        watts=max(1, round(missing)),
        since=duration(since),
        wait=duration(left),
    )


def silent(sample: ChargerSample, amps: int) -> Sentence:
    """Nothing is decided by the sun: a reading is too old."""
    since = duration(sample.age)
    if sample.silent_meter == BATTERY:
        return Sentence(
            "Aucune mesure de la batterie de moins de {since} : la limite reste à {amps} A", since=since, amps=amps
        )
    return Sentence("Aucune mesure du réseau depuis {since} : la limite reste à {amps} A", since=since, amps=amps)


def limited(sample: ChargerSample, amps: int) -> Sentence:
    """A limit holds the charge at `amps`."""
    if sample.silent:
        since = duration(sample.age)
        if sample.silent_meter == BATTERY:
            return Sentence(
                "Limité à {amps} A : aucune mesure de la batterie de moins de {since}", amps=amps, since=since
            )
        return Sentence("Limité à {amps} A : aucune mesure du réseau depuis {since}", amps=amps, since=since)
    if sample.by_circuit:
        return Sentence("Limité à {amps} A par le circuit des bornes", amps=amps)
    if sample.kva is None:
        return Sentence("Limité à {amps} A par la borne ou son réglage", amps=amps)
    return Sentence("Limité à {amps} A par la limite de {kva} kVA", amps=amps, kva=sample.kva)


def suspended(sample: ChargerSample, resume_after: float, resume_amps: int) -> Sentence:
    """A limit leaves less than the least current: the charge pauses until `resume_amps` are free for a while."""
    if sample.silent:
        since = duration(sample.age)
        if sample.silent_meter == BATTERY:
            return Sentence("Suspendu à 0 A : aucune mesure de la batterie de moins de {since}", since=since)
        return Sentence("Suspendu à 0 A : aucune mesure du réseau depuis {since}", since=since)
    wait = duration(resume_after)
    if sample.by_circuit or sample.kva is None:
        return Sentence(
            "Suspendu : le circuit des bornes ne laisse pas 6 A ; reprise après {wait} à {amps} A",
            wait=wait,
            amps=resume_amps,
        )
    return Sentence(
        "Suspendu : la limite de {kva} kVA ne laisse pas 6 A ; reprise après {wait} à {amps} A",
        kva=sample.kva,
        wait=wait,
        amps=resume_amps,
    )


def absent(mode_amps: int, needed: float | None) -> Sentence:
    """No car: what one would get. `needed`: W of sun that it would wait for, None if it would not wait."""
    if needed is not None:
        return Sentence("Aucune voiture branchée : elle chargera dès {needed} W de surplus", needed=round(needed))
    return Sentence("Aucune voiture branchée : elle aura {amps} A", amps=mode_amps)
