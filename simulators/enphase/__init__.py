"""A simulated Enphase IQ Gateway: `EnphaseGateway` with a `RecordedSource` or a `DaySource`."""

from simulators.enphase.day import DaySource
from simulators.enphase.gateway import EnphaseGateway
from simulators.enphase.meters import Fitted
from simulators.enphase.plant import Plant
from simulators.enphase.recorded import RecordedSource
from simulators.enphase.storage import AcBatteries, Storage

__all__ = ["AcBatteries", "DaySource", "EnphaseGateway", "Fitted", "Plant", "RecordedSource", "Storage"]
