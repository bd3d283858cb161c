"""Recorded gateways, and their twins, played back: byte for byte, brought up to date, or moving."""

from __future__ import annotations

import json
import time

import pytest

from simulators import twins
from simulators.enphase import EnphaseGateway, RecordedSource

PATHS = {
    "/info": "info",
    "/ivp/meters": "ivp_meters",
    "/ivp/meters/readings": "ivp_meters_readings",
    "/production.json": "production.json",
    "/production": "production",
    "/api/v1/production": "api_v1_production",
    "/api/v1/production/inverters": "api_v1_production_inverters",
    "/ivp/ensemble/inventory": "ivp_ensemble_inventory",
    "/ivp/pdm/device_data": "ivp_pdm_device_data",
    "/inventory.json": "inventory.json",
}


def numbers(value, path=""):
    """Every number of a parsed answer by its place."""
    if isinstance(value, dict):
        return {k: v for key, part in value.items() for k, v in numbers(part, f"{path}/{key}").items()}
    if isinstance(value, list):
        return {k: v for place, part in enumerate(value) for k, v in numbers(part, f"{path}/{place}").items()}
    return {path: value} if isinstance(value, (int, float)) and not isinstance(value, bool) else {}


def test_every_folder_is_played_back_byte_for_byte(recorded, client):
    for folder in map(recorded, twins.gateways()):
        with EnphaseGateway(RecordedSource(folder)) as gateway:
            one = client(gateway.url, gateway.token())
            for path, name in PATHS.items():
                reply = one.get(path)
                if (folder / name).is_file():
                    assert (reply.status, reply.body) == (200, (folder / name).read_bytes()), f"{folder.name}{path}"
                else:
                    assert reply.status == 404, f"{folder.name}{path}"


def test_details_are_preferred_where_they_were_recorded(recorded, client):
    folder = recorded("device-data")
    with EnphaseGateway(RecordedSource(folder)) as gateway:
        one = client(gateway.url, gateway.token())
        assert one.get("/production.json?details=1").body == (folder / "production.json_details_1").read_bytes()
    folder = recorded("metered")
    with EnphaseGateway(RecordedSource(folder)) as gateway:
        one = client(gateway.url, gateway.token())
        assert one.get("/production.json?details=1").body == (folder / "production.json").read_bytes()


def test_a_recorded_status_is_given_again(tmp_path, client):
    (tmp_path / "info").write_text("<envoy_info><sn>1</sn><software>D7.3.1</software></envoy_info>")
    (tmp_path / "ivp_ensemble_secctrl").write_text("<html>401</html>")
    (tmp_path / "ivp_ensemble_secctrl_log.json").write_text(json.dumps({"code": 401, "headers": {}}))
    with EnphaseGateway(RecordedSource(tmp_path)) as gateway:
        reply = client(gateway.url, gateway.token()).get("/ivp/ensemble/secctrl")
        assert (reply.status, reply.body) == (401, b"<html>401</html>")


def test_current_brings_times_up_to_date_and_changes_nothing_else(recorded, client):
    folder = recorded("metered")
    with EnphaseGateway(RecordedSource(folder, current=True)) as gateway:
        one = client(gateway.url, gateway.token())
        played = one.get("/ivp/meters/readings").json()
        original = json.loads((folder / "ivp_meters_readings").read_text())
        assert abs(played[0]["timestamp"] - time.time()) < 3
        changed = {key for key, value in numbers(played).items() if numbers(original)[key] != value}
        assert all(key.endswith("/timestamp") for key in changed)
        oldest = min(unit["lastReportDate"] for unit in one.get("/api/v1/production/inverters").json())
        assert time.time() - oldest < 3600


@pytest.mark.parametrize("path", ["/ivp/meters/readings", "/production.json?details=1"])
def test_moving_changes_every_measured_value_at_each_request(recorded, client, path):
    still = {"eid", "timestamp", "readingTime", "activeCount"}
    with EnphaseGateway(RecordedSource(recorded("three-phase"), moving=True)) as gateway:
        one = client(gateway.url, gateway.token())
        one.get(path)
        for _ in range(8):
            before, after = (numbers(one.get(path).json()) for _ in range(2))
            same = {key for key in before if before[key] == after[key]}
            same = {key for key in same if key.rsplit("/", 1)[1] not in still}
            assert {key for key in same if "/storage/" not in key} == set()


def test_moving_keeps_sums_and_lets_energies_grow(recorded, client):
    with EnphaseGateway(RecordedSource(recorded("three-phase"), moving=True)) as gateway:
        one = client(gateway.url, gateway.token())
        lifetimes = []
        for _ in range(6):
            answer = one.get("/production.json?details=1").json()
            production = next(e for e in answer["production"] if e["type"] == "eim")
            total, net = (
                next(e for e in answer["consumption"] if e["measurementType"] == kind)
                for kind in ("total-consumption", "net-consumption")
            )
            for entry in (production, total, net):
                assert entry["wNow"] == pytest.approx(sum(line["wNow"] for line in entry["lines"]), abs=0.01)
            assert total["wNow"] == pytest.approx(net["wNow"] + production["wNow"], abs=0.01)
            lifetimes.append(production["whLifetime"])
        assert lifetimes == sorted(set(lifetimes))
