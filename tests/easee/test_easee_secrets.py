"""Password and tokens are in no log, and pings only where they are asked for."""

from __future__ import annotations

import pytest

from simulators.easee.product import Observed
from tests.easee.conftest import FIRST, PASSWORD, USER, connection

RFID = "04A1B2C3D4E5F6"


def walk(lab, cloud, daemon):
    """Login, stream, values, RFID, action, renewal, reconnection, wrong password."""
    daemon.configure(connection(cloud, FIRST))
    lab.server.wait_for(lambda: lab.server.value("10", "status") == 1, 10)
    charger = cloud.chargers[FIRST]
    cloud.hub.observed(charger, Observed(128, 6, RFID, 2e9))
    cloud.hub.observed(charger, Observed(223, 6, f'{{"Id": 1, "MeterValue": 5121, "Auth": "{RFID}"}}', 2e9))
    daemon.result("action", equipment="10", command="pause_ON")
    cloud.accounts.revoke()
    daemon.result("refresh", equipment="10")
    cloud.hub.end_streams("close")
    cloud.hub.wait(lambda: len(cloud.hub.subscriptions) == 2, 10)
    daemon.ask("test", connection=connection(cloud, password=PASSWORD + " wrong"))
    cloud.hub.send_all('{"type":6}\x1e')
    daemon.result("status")
    charger.plug()
    lab.server.wait_for(lambda: lab.server.value("10", "status") == 3, 10)


@pytest.mark.parametrize("options", [(), ("--extendeddebug",)], ids=["debug", "extended"])
def test_no_secret_reaches_the_log(lab, real_cloud, options):
    daemon = lab.daemon(*options, module="jeenergied")
    walk(lab, real_cloud, daemon)
    daemon.stop()
    log = daemon.log + daemon.errors
    assert len(real_cloud.accounts.issued) >= 4
    for secret in (PASSWORD, USER, RFID, *real_cloud.accounts.issued):
        assert secret not in log
        assert secret[:40] not in log or len(secret) < 40
    assert not any(line for line in log.splitlines() if "Bearer" in line and "********" not in line)


def test_no_secret_is_in_an_address_or_an_invocation(lab, real_cloud):
    daemon = lab.daemon(module="jeenergied")
    walk(lab, real_cloud, daemon)
    sent = [seen.path for seen in real_cloud.requests] + real_cloud.hub.received
    for secret in (PASSWORD, *real_cloud.accounts.issued):
        assert not any(secret in each for each in sent)


def test_pings_are_logged_with_extended_debug_only(lab, real_cloud):
    daemon = lab.daemon(module="jeenergied")
    daemon.configure(connection(real_cloud, FIRST))
    lab.server.wait_for(lambda: lab.server.value("10", "status") == 1, 10)
    assert '"type": 6' not in daemon.log
    daemon.result("log", extendedDebug=True)
    daemon.wait_log('received {"type": 6}')


def test_tokens_are_masked_even_where_nothing_shows_what_they_are(rig, cloud):
    cloud.accounts.opaque = True
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)
    cloud.accounts.revoke()
    rig.device().refresh()
    assert len(cloud.accounts.issued) == 4
    for token in cloud.accounts.issued:
        assert token not in rig.masker.mask(f"somebody wrote {token} here")
