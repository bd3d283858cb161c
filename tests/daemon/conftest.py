"""A daemon with the test backend, as most tests of the socket want it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.process import DaemonProcess, Lab


@pytest.fixture
def daemon(lab: Lab) -> DaemonProcess:
    """One that is new."""
    return lab.daemon()


@pytest.fixture(scope="module")
def common_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Where `common` runs."""
    with Lab(tmp_path_factory.mktemp("common")) as running:
        yield running


@pytest.fixture(scope="module")
def common(common_lab: Lab) -> DaemonProcess:
    """One for all tests of a file that configure nothing: a start costs more than most of them."""
    return common_lab.daemon()
