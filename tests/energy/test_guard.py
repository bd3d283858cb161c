"""The net of a circuit: renewed while the rules live, gone by itself when they do not, lifted when nobody wants it."""

from __future__ import annotations

from typing import Any

from jeenergied.energy.control.settings import HouseLimits, PointSettings

from .test_pilot import CAR, Rig


class Netted(Rig):
    """A rig whose charge point has the net."""

    net = True

    def new(self) -> Any:
        pilot = super().new()
        pilot.adopt([PointSettings("p", CAR, "Borne", guard=self.net)], [], HouseLimits())
        return pilot


def sent(rig: Rig, capability: str) -> list[tuple[float, float | None]]:
    return [(at, value) for at, _, name, value in rig.sent if name == capability]


def driven(kind: type[Rig] = Netted, **more: Any) -> Rig:
    rig = kind([[0, 5000]], **more)
    rig.run(10)
    rig.pilot.choose("p", "solar", rig.second, rig.second)
    return rig


def test_it_is_renewed_every_two_minutes_and_ends_with_the_daemon() -> None:
    rig = driven()
    rig.run(1200)
    moments = [at for at, _ in sent(rig, "circuit.guard")]
    assert len(moments) >= 10
    assert all(later - earlier <= 125 for earlier, later in zip(moments, moments[1:]))
    count = len(moments)
    rig.restart(600)  # away for ten minutes: nobody renews it, and nothing is sent by a dead daemon
    assert len(sent(rig, "circuit.guard")) == count
    rig.run(60)
    assert len(sent(rig, "circuit.guard")) == count + 1


def test_it_is_not_there_unless_it_is_wanted() -> None:
    class Bare(Netted):
        net = False

    rig = driven(Bare)
    rig.run(600)
    assert sent(rig, "circuit.guard") == sent(rig, "circuit.current") == []


def test_giving_the_charger_back_leaves_no_limit_that_expires() -> None:
    rig = driven()
    rig.run(300)
    rig.pilot.choose("p", "free", rig.second, rig.second)
    rig.run(600)
    assert [value for _, value in sent(rig, "circuit.current")] == [sent(rig, "circuit.guard")[-1][1]]
    assert max(at for at, _ in sent(rig, "circuit.guard")) <= 310


def test_an_account_that_may_not_set_it_is_told_once_and_asked_less_often() -> None:
    rig = driven()
    rig.run(60)
    rig.obeys = False
    rig.run(3600)
    assert sum("filet du circuit" in each for each in rig.messages) == 1
    assert len(sent(rig, "circuit.guard")) < 20
    rig.obeys = True
    rig.run(1200)
    assert any("à nouveau en place" in each for each in rig.messages)
