"""The pages of a gateway: their paths, and what the user reads in their place."""

from __future__ import annotations

from ...base import Phrase

READINGS = "/ivp/meters/readings"
PRODUCTION = "/production.json?details=1"
SUMMARY = "/api/v1/production"
INVERTERS = "/api/v1/production/inverters"
METERS = "/ivp/meters"
DEVICES = "/ivp/pdm/device_data"
BATTERIES = "/ivp/ensemble/inventory"
CONTROL = "/ivp/ensemble/secctrl"
BATTERY_POWER = "/ivp/ensemble/power"
INFO = "/info"
CHECK = "/auth/check_jwt"

_WORDS = {
    READINGS: Phrase("les mesures de ses compteurs"),
    PRODUCTION: Phrase("son bilan de production"),
    SUMMARY: Phrase("son résumé de production"),
    INVERTERS: Phrase("la liste de ses onduleurs"),
    METERS: Phrase("la liste de ses compteurs"),
    DEVICES: Phrase("l'énergie du jour de ses onduleurs"),
    BATTERIES: Phrase("la liste de ses batteries"),
    CONTROL: Phrase("la charge de ses batteries"),
    BATTERY_POWER: Phrase("la puissance de ses batteries"),
    INFO: Phrase("son numéro de série"),
    CHECK: Phrase("son avis sur le jeton"),
}


NEEDED_KEYS = {
    READINGS: ("readings", ("[].eid", "[].activePower")),
    METERS: ("meters", ("[].eid", "[].state", "[].measurementType")),
    PRODUCTION: ("production", ("production[].type",)),
    SUMMARY: ("summary", ("wattsNow", "wattHoursLifetime")),
    INVERTERS: ("inverters", ("[].serialNumber", "[].lastReportDate")),
    BATTERIES: ("batteries", ("[].type",)),
    CONTROL: ("charge of batteries", ("Enc_max_available_capacity",)),
}
"""Of each page its name in the log, and the keys without which nothing can be made of it."""


def words_for(path: str) -> Phrase:
    """What the user reads in place of a path."""
    return _WORDS.get(path, Phrase("une de ses pages"))
