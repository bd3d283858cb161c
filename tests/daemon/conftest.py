"""A daemon with the test backend, as most tests of the socket want it."""

from __future__ import annotations

import pytest

from tests.support.process import DaemonProcess, Lab


@pytest.fixture
def daemon(lab: Lab) -> DaemonProcess:
    return lab.daemon()
