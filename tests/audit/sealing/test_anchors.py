"""Anchors outside the database: files, a log, a web address."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from openward.audit.sealing.anchored import Anchored, UnreadableAnchor, files
from openward.audit.sealing.anchors import AnchorFailed, FileAnchor, SyslogAnchor, UnknownAnchor, WebAnchor, anchors, keep_up
from openward.audit.sealing.keys import SealKeyUnusable, signer, trusted
from openward.record.sealing import sealing_wire
from tests.audit.sealing.shelf import seal, verify, write

LINE = json.dumps({"tenant": 1, "number": 1, "digest": "00" * 32})


@pytest.mark.usefixtures("committed_db")
def test_a_log_gets_every_seal_once_and_in_order(tmp_path: Path) -> None:
    write(12)
    seal(tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as log, sealing_wire() as wire:
        log.bind(("127.0.0.1", 0))
        log.settimeout(10)
        anchor = SyslogAnchor(f"127.0.0.1:{log.getsockname()[1]}")
        assert (keep_up(wire, 1, anchor), keep_up(wire, 1, anchor)) == (3, 0)
        told = [log.recv(2000).decode() for _ in range(3)]
    assert [json.loads(line.removeprefix("<86>openward-seal: "))["number"] for line in told] == [1, 2, 3]


@pytest.mark.usefixtures("committed_db")
def test_lines_collected_by_a_log_verify_as_the_files_do(tmp_path: Path) -> None:
    write(12)
    seal(tmp_path)
    elsewhere = tmp_path / "collected.jsonl"
    elsewhere.write_text(next((tmp_path / "anchors").iterdir()).read_text())
    kept = list(Anchored([elsewhere], 1, trusted(tmp_path)).kept())
    assert [one.number for one in kept] == [1, 2, 3]
    assert verify(tmp_path).is_sound


class Receiver(BaseHTTPRequestHandler):
    status = 204
    got: list[bytes] = []  # noqa: RUF012 - one list for the test that reads it

    def do_POST(self) -> None:  # noqa: N802 - the server's name for it
        self.got.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def receiver() -> object:
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_web_address_gets_the_lines_by_post(receiver: HTTPServer) -> None:
    Receiver.got.clear()
    WebAnchor(f"http://127.0.0.1:{receiver.server_port}/").keep([LINE, LINE], 1, "2026-11")
    assert Receiver.got == [f"{LINE}\n{LINE}\n".encode()]


def test_a_web_address_that_refuses_has_failed(receiver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Receiver, "status", 500)
    with pytest.raises(AnchorFailed):
        WebAnchor(f"http://127.0.0.1:{receiver.server_port}/").keep([LINE], 1, "2026-11")


@pytest.mark.parametrize("setting", ["files", "http://example.org/plain", "syslog:", "syslog:host", "ftp://example.org"])
def test_a_setting_that_names_no_anchor_is_refused(setting: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownAnchor):
        anchors(setting, tmp_path)


def test_a_setting_may_name_several(tmp_path: Path) -> None:
    assert [anchor.name for anchor in anchors("file, syslog:/dev/log,https://example.org/a", tmp_path)] == [
        "file",
        "syslog:/dev/log",
        "https://example.org/a",
    ]


@pytest.mark.parametrize("text", ["nonsense\n", '{"tenant": 1}\n', '{"tenant": 1, "number": 1, "digest": "zz"}\n', "[]\n"])
def test_a_line_that_no_seal_left_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tenant-1-2026-11.jsonl"
    path.write_text(f"{LINE}\n{text}")
    with pytest.raises(UnreadableAnchor, match="Line 2 of"):
        list(Anchored([path], 1, trusted(tmp_path)).kept())


def test_a_restore_that_someone_else_signed_accepts_nothing(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    signer(tmp_path)
    other = signer(tmp_path_factory.mktemp("other"))
    line = {"tenant": 1, "through": 0, "at": "", "reason": "x", "key": other.id, "signature": other.sign(b"x").hex()}
    FileAnchor(tmp_path).keep([LINE, json.dumps(line)], 1, "2026-11")
    anchored = Anchored(files(tmp_path, 1), 1, trusted(tmp_path))
    assert (anchored.restored, [one.number for one in anchored.kept()]) == ([], [1])


class TestTheKey:
    def test_is_made_once_and_read_by_its_owner_only(self, tmp_path: Path) -> None:
        assert signer(tmp_path).id == signer(tmp_path).id
        assert (tmp_path / "seal.key").stat().st_mode & 0o77 == 0

    def test_that_was_moved_away_still_verifies_what_it_signed(self, tmp_path: Path) -> None:
        old = signer(tmp_path)
        (tmp_path / "seal.key").unlink()
        new = signer(tmp_path)
        assert new.id != old.id
        assert trusted(tmp_path).signed(old.id, old.sign(b"x"), b"x")

    @pytest.mark.parametrize("text", ["", "zz", "00" * 31])
    def test_that_is_no_key_is_said_to_be_none(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "seal.key").write_text(text)
        with pytest.raises(SealKeyUnusable, match="64 hexadecimal digits"):
            signer(tmp_path)

    def test_under_a_false_name_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "seal-keys" / f"{signer(tmp_path).id}.pub"
        path.rename(path.with_name("0123456789abcdef.pub"))
        with pytest.raises(SealKeyUnusable, match="another key than its name says"):
            trusted(tmp_path)
