"""The daemon without the pauses and the budget of the Easee backend: to force many reconnections in a short time."""

from __future__ import annotations

import os
import sys

import jeenergied.daemon
from jeenergied.devices.easee import account
from jeenergied.devices.easee.streaming import stream_session

stream_session.BACKOFF_S = (0.01,)
account.REQUESTS_PER_WINDOW = 1_000_000

if __name__ == "__main__":
    sys.exit(jeenergied.daemon.main(sys.argv[1:], os.environ))
