"""A stand-in for Jeedom's core and the plugin's PHP side: `JeedomStandIn`."""

from simulators.jeedom.daemon import DaemonRefusal, DaemonUnreachable
from simulators.jeedom.standin import JeedomStandIn

__all__ = ["DaemonRefusal", "DaemonUnreachable", "JeedomStandIn"]
