"""Whether values reach Jeedom: told in words, mended by another address, and a log and a folder that come and go."""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
from pathlib import Path

import jeenergied.daemon as module
import pytest
from jeenergied.api.reach import TEMPLATES

from jeedom_bridge import Logs, Masker, Options
from tests.support import callback_server as answers
from tests.support.callback_server import CallbackServer
from tests.support.client import KEY
from tests.support.process import Lab, free_port
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
FRENCH = {"timezone": "Europe/Paris", "language": "fr_FR"}


class TestAddress:
    def test_a_corrected_address_takes_effect_without_a_restart(self, lab: Lab) -> None:
        wrong = f"http://127.0.0.1:{free_port()}/core/api/jeeApi.php"
        daemon = lab.launch(callback=wrong).ready()
        until(lambda: daemon.result("status")["callback"]["error"])
        told = daemon.result("status")["callback"]
        assert told["addresses"] == [wrong]
        assert told["inUse"] == wrong
        assert told["failingFor"] >= 0
        daemon.configure(settings={**FRENCH, "callback": [lab.server.url]})
        lab.server.wait_events("daemon")
        until(lambda: daemon.result("status")["callback"]["error"] is None)
        assert daemon.result("status")["callback"]["addresses"] == [lab.server.url]
        assert daemon.process.poll() is None

    def test_an_address_that_is_not_valid_costs_nothing_else(self, lab: Lab) -> None:
        daemon = lab.daemon()
        result = daemon.configure(
            lab.connection("1"), settings={**FRENCH, "callback": ["gopher://127.0.0.1/", "http://192.0.2.1/"]}
        )
        assert result["started"] == ["1"]
        assert daemon.result("status")["callback"]["addresses"] == [lab.server.url]
        daemon.wait_log("Jeedom's address stays as it was")

    def test_why_is_told_in_the_users_language(self, lab: Lab) -> None:
        url = f"http://127.0.0.1:{free_port()}/core/api/jeeApi.php"
        daemon = lab.launch(callback=url, module="jeenergied").ready()
        for language, words in (
            ("fr_FR", f"{url} est hors d'atteinte (connexion refusée, rien n'écoute sur ce port)"),
            ("en_US", f"{url} is out of reach (connection refused, nothing listens on this port)"),
        ):
            daemon.configure(settings={**FRENCH, "language": language})
            status = until(lambda: daemon.result("status")["callbackError"] and daemon.result("status"))
            assert status["callbackError"] == words
            assert status["callback"]["error"] == words

    def test_an_answer_that_quotes_the_request_shows_no_key(self, lab: Lab) -> None:
        lab.server.answer = answers.text(f"you sent apikey={KEY}")
        daemon = lab.launch().ready()
        error = until(lambda: daemon.result("status")["callbackError"])
        assert "you sent" in error
        assert KEY not in error

    def test_every_sentence_has_its_english_twin(self) -> None:
        sections = json.loads((ROOT / "core/i18n/en_US.json").read_text("utf-8"))
        known = sections["plugins/jeenergie/resources/daemon"]
        assert [each for each in TEMPLATES.values() if each not in known] == []

    def test_only_this_machine_may_stand_beside(self, lab: Lab) -> None:
        daemon = lab.launch("--alternative", "http://192.0.2.1/")
        assert daemon.process.wait(15) == 2
        assert "only an address of this machine" in daemon.errors


class TestLog:
    def test_one_that_is_removed_is_written_anew(self, lab: Lab, tmp_path: Path) -> None:
        log = tmp_path / "own.log"
        daemon = lab.launch("--logfile", str(log)).ready()
        until(lambda: "listening on" in log.read_text())
        log.unlink()
        daemon.result("log", level="info")
        daemon.configure(lab.connection("1"))
        until(lambda: log.exists() and "configuration 1" in log.read_text())
        assert "listening on" not in log.read_text()

    def test_one_that_is_replaced_or_shortened_goes_on(self, lab: Lab, tmp_path: Path) -> None:
        log = tmp_path / "own.log"
        daemon = lab.launch("--logfile", str(log)).ready()
        until(lambda: "listening on" in log.read_text())
        log.rename(tmp_path / "own.log.1")
        log.write_text("of somebody else\n")
        daemon.configure(lab.connection("1"))
        until(lambda: "configuration 1" in log.read_text())
        os.truncate(log, 0)
        daemon.configure(revision=2)
        until(lambda: "configuration 2" in log.read_text())
        assert log.read_bytes()[:1] == b"["

    def test_a_folder_without_room_for_it_ends_nothing(self, lab: Lab, tmp_path: Path) -> None:
        folder = tmp_path / "logs"
        folder.mkdir()
        daemon = lab.launch("--logfile", str(folder / "own.log")).ready()
        shutil.rmtree(folder)
        daemon.configure(lab.connection("1"))
        folder.mkdir()
        daemon.configure(revision=2)
        until(lambda: (folder / "own.log").exists() and "configuration 2" in (folder / "own.log").read_text())

    def test_one_that_cannot_be_written_is_said(self, lab: Lab, tmp_path: Path) -> None:
        daemon = lab.launch("--logfile", str(tmp_path))
        assert daemon.process.wait(15) == 2
        assert daemon.errors.startswith("the log cannot be written: ")


class TestFolder:
    def test_two_daemons_never_work_on_one_folder(self, lab: Lab, tmp_path: Path) -> None:
        first = lab.daemon()
        first.pid.unlink()  # swept away
        second = lab.launch(pid=tmp_path / "other.pid", datadir=first.datadir)
        assert second.process.wait(15) == 3
        assert "a daemon already works on" in second.errors
        first.kill()
        lab.launch(pid=tmp_path / "other.pid", datadir=first.datadir).ready()

    def test_a_daemon_ends_when_its_folder_is_gone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module.Daemon, "watch_s", 0.05)
        with CallbackServer() as server:
            options = Options(server.url, KEY, tmp_path / "pid", tmp_path / "data", "jeenergie", socketport=free_port())
            options.datadir.mkdir()
            home = module.FolderLock(options.datadir)
            home.acquire()
            logs = Logs(Masker(), ("jeenergied",))
            level = logging.getLogger().level
            daemon = module.Daemon(options, logs, home=home)
            daemon.bind()
            thread = threading.Thread(target=daemon.run)
            thread.start()
            server.wait_events("daemon")
            try:
                assert thread.is_alive()
                shutil.rmtree(options.datadir)
                thread.join(30)
                assert not thread.is_alive()
            finally:
                daemon.stop("test")
                thread.join(30)
                home.release()
                logs.close()
                logging.getLogger().setLevel(level)
