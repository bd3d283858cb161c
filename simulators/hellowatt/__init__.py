"""helloWatt's customer site: login with CSRF, homes, contracts and daily figures; and a source of Tempo colours."""

from simulators.hellowatt.homes import Home
from simulators.hellowatt.site import Customer, HelloWattSite
from simulators.hellowatt.tempo import TempoService

__all__ = ["Customer", "HelloWattSite", "Home", "TempoService"]
