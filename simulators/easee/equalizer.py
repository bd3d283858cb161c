"""An Easee Equalizer as the cloud sees it: what it reads at the house's meter, as numbered observations.

Its numbers overlap with a charger's and mean other things (30 is the number of phases here, a cable lock there; 44 the
highest power, there the button): what a number means follows from the product.

What this service believes of the real one, and since when:

- The numbers, their names and units: power in kW, energy in kWh, as two figures each, drawn and fed, none ever
  negative (nordicopen/pyeasee, pyeasee/const.py, and developer.easee.com/docs/equalizer-observations; read on
  30 November 2026).
- Currents by phase have a sign with some meters: -0.64 A on L3 while 0.039 kW were fed in all (printed answer in
  daverstam/easee-exporter, README, read on 30 November 2026). There is no power by phase (nordicopen/easee_hass 622,
  June 2025).
- Figures are of single precision: 8.354000091552734, 2547.530029296875. What the meter does not give is null in an
  answer and never sent: the voltages between phases of a TN net (nordicopen/easee_hass 661, February 2026), those
  between phase and neutral of an IT net, and two of three phases of a single-phase meter. `net` says which.
- The meter speaks every 10 to 20 s, and a change that is small is not sent on (nordicopen/easee_hass 275, February
  2023); with other meters every 3 to 5 minutes (frodeheg/no.sparegris 160, January 2023). `every_s`, `least_kw`.
- Its energies come once an hour, some seconds after the full one (nordicopen/easee_hass 151, 205 and 383, 2021 to
  2024). They have jumped to ten times their value, for one or two hours, and back (nordicopen/easee_hass 440, June
  2024): `slip`.
- The stream takes its serial number as it takes a charger's, on the same connection, and
  `GET /state/{serial}/observations` answers for both (nordicopen/pyeasee, pyeasee/easee.py and charger.py, read on
  30 November 2026). `GET /api/equalizers/{id}/state` answers 403 to many accounts.
- 44 is "maximum power import"; a printed answer has 13.8 kW, which is 20 A on three phases: a setting, no record.
- Unverified: that 70 (radio) is sent periodically also while the meter is silent (`unread`).
"""

from __future__ import annotations

import struct
from typing import Any, Callable, Optional, Union

from simulators.clock import Clock
from simulators.easee.product import BOOLEAN, INTEGER, PULSE_S, STRING, Product

KINDS = {**dict.fromkeys((21, 23, 29, 30, 70, 100), INTEGER), **dict.fromkeys((25, 26, 49), STRING), 250: BOOLEAN}
NETS = {"TN": 1, "IT": 2, "single": 1}
VOLTS = 230.0
AFTER_HOUR_S = 12.0
HOUR_S = 3600.0
PULSE = (70, 100)
Power = Union[float, Callable[[], float]]


class Equalizer(Product):
    """One Equalizer. `tell(equalizer, observed)` is called for each value that leaves it. Thread-safe."""

    kinds = KINDS
    pulse_of = PULSE

    def __init__(
        self,
        serial: str,
        name: str = "",
        *,
        clock: Clock,
        wall: Optional[Clock] = None,
        net: str = "TN",
        every_s: float = 10.0,
        least_kw: float = 0.02,
    ) -> None:
        """`clock`: what power goes by; `wall`: what its dates are of. `net`: `TN`, `IT` or `single` (phase)."""
        super().__init__(serial, name or f"Equalizer {serial}", wall or clock)
        self.clock = clock
        self.net, self.every_s, self.least_kw = net, every_s, least_kw
        self.power: Power = 1.2
        """kW drawn, negative while fed; or what gives it."""
        self.imported, self.exported = 2547.53, 2639.63
        self.allocated: Optional[float] = 20.0
        """A, of its configuration."""
        self.unread = False
        self.slip = 1.0
        """What its counters are multiplied with on their way."""
        self._sent: Optional[float] = None
        self._hour = (self.wall() - AFTER_HOUR_S) // HOUR_S
        self._next = self.wall() + every_s
        self.pulsed = self.wall() - PULSE_S / 3
        began = self.wall() - 3600.0
        fixed = {21: 108, 23: 1, 25: "LINKY", 26: "021861000001", 29: NETS[net], 30: 1 if net == "single" else 3}
        for number, value in {**fixed, 44: 13.8, 50: -69.5, 70: -60, 100: 4, 250: True}.items():
            self.set(number, value, began)
        self.set(45, self.imported, self._hour * HOUR_S)
        self.set(46, self.exported, self._hour * HOUR_S)
        self.measure()

    def draw(self, kw: Power) -> None:
        """The house draws so much from now on, or feeds it."""
        self.power = kw

    def measure(self) -> None:
        """Takes what the meter says now."""
        kw = self.power() if callable(self.power) else self.power
        if self.unread or (self._sent is not None and abs(kw - self._sent) < self.least_kw):
            return
        self._sent = kw
        phases = 1 if self.net == "single" else 3
        # 230 V between the phases of an IT net, between phase and neutral of the others.
        amps = kw * 1000 / VOLTS / (3**0.5 if self.net == "IT" else phases)
        for phase in range(phases):
            self.set(31 + phase, amps)
            if self.net == "IT":
                self.set(37 + phase, VOLTS + phase / 10)
            else:
                self.set(34 + phase, VOLTS + phase / 10)
        self.set(40, max(0.0, kw))
        self.set(41, max(0.0, -kw))

    def pulse_in(self) -> float:
        """Seconds until something leaves it by itself."""
        return min(self.pulsed + PULSE_S, self._next) - self.wall()

    def pass_time(self, seconds: float) -> None:
        """Counts for `seconds`, and tells what is due."""
        now = self.wall()
        if not self.online:
            return
        kw = self.power() if callable(self.power) else self.power
        energy = kw * seconds / 3600
        self.imported += max(0.0, energy)
        self.exported += max(0.0, -energy)
        hour = (now - AFTER_HOUR_S) // HOUR_S
        if hour > self._hour and not self.unread:
            self._hour = hour
            self.set(45, self.imported * self.slip)
            self.set(46, self.exported * self.slip)
        if now >= self._next:
            self._next = now + self.every_s
            self.measure()
        if now >= self.pulsed + PULSE_S:
            self.pulse()

    def written(self, value: Any) -> str:
        """Of single precision."""
        return repr(float(struct.unpack("f", struct.pack("f", float(value)))[0]))

    def go_offline(self, told: bool = True) -> None:
        """The cloud loses it: its values stay as they were."""
        if told:
            self.set(250, False)
        self.online = False

    def come_back(self) -> None:
        """It is there again, and the meter with it."""
        self.online = True
        self.set(250, False) if self.get(250) else None
        self.set(250, True)
        self._sent = None
        self.measure()
