"""A machine whose only network is loopback, for programs started with this folder in PYTHONPATH.

What the library `ifaddr` tells of the machine's interfaces decides where packets of mDNS go.
"""

from __future__ import annotations

import ifaddr

_all = ifaddr.get_adapters


def _loopback(include_unconfigured: bool = False) -> list[ifaddr.Adapter]:
    return [each for each in _all(include_unconfigured) if any(ip.ip == "127.0.0.1" for ip in each.ips)]


ifaddr.get_adapters = _loopback
