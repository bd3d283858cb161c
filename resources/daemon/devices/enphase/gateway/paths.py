"""The endpoints of a gateway: their paths, names for the user, and required keys."""

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
"""By path: the name in the log, and the keys without which the answer is of no use."""


def words_for(path: str) -> Phrase:
    """Returns the name of an endpoint for messages to the user."""
    return _WORDS.get(path, Phrase("une de ses pages"))
