"""helloWatt's customer site: login with CSRF, homes, contracts and daily figures; and two sources of Tempo colours."""

from simulators.hellowatt.homes import Home
from simulators.hellowatt.site import Customer, HelloWattSite
from simulators.hellowatt.tempo import Calendar, RteService, TempoService

__all__ = ["Calendar", "Customer", "HelloWattSite", "Home", "RteService", "TempoService"]
