"""The Easee cloud: REST and a real SignalR hub, with chargers that charge."""

from simulators.easee.accounts import Account
from simulators.easee.charger import Charger
from simulators.easee.cloud import EaseeCloud

__all__ = ["Account", "Charger", "EaseeCloud"]
