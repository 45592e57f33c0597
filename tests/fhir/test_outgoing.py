"""What this server may be made to call, and what not."""

from __future__ import annotations

import datetime as dt
import io
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from openward.fhir import outgoing
from openward.fhir.outgoing import Unreachable, fetch, header_fault, networks, send, target

HERE = networks(["127.0.0.0/8"])


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[fe80::1]/",
        "https://[fc00::1]/",
        "https://[fec0::1]/",
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "http://8.8.8.8/",
        "https://user:word@8.8.8.8/",
        "https://8.8.8.8:0/",
        "https://8.8.8.8:99999/",
        "https://8.8.8.8/a b",
        "ftp://8.8.8.8/",
        "file:///etc/passwd",
        "gopher://8.8.8.8/",
        "//8.8.8.8/",
        "https:///",
        "https://no-such-host.invalid/",
        "",
    ],
)
def test_an_address_that_is_not_public_https_is_not_called(url: str) -> None:
    with pytest.raises(Unreachable):
        target(url)


@pytest.mark.parametrize("url", ["https://8.8.8.8/x?y=1", "https://[2001:4860:4860::8888]/"])
def test_a_public_address_is(url: str) -> None:
    assert target(url).address in url


def test_an_allowed_network_may_be_called_and_its_neighbours_not() -> None:
    assert target("http://127.0.0.1:8080/", HERE).port == 8080
    with pytest.raises(Unreachable):
        target("http://10.0.0.1/", HERE)


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(Unreachable):
        target("https://rebinding.example/")


def test_the_address_that_was_checked_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["8.8.8.8", "127.0.0.1"])
    called: list[str] = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        called.append(address[0])
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, **_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))])
    monkeypatch.setattr(outgoing.socket, "create_connection", connect)
    with pytest.raises(Unreachable):
        send("POST", "https://rebinding.example/", b"", {}, seconds=1)
    assert called == ["8.8.8.8"]


@pytest.mark.parametrize("line", ["Host: a", "Content-Length: 3", "No colon", "X: a\r\nY: b", "X: \x00", "Bad Name: x", "Ä: x"])
def test_a_header_that_would_change_the_request_is_refused(line: str) -> None:
    assert header_fault(line)


def test_an_ordinary_header_passes() -> None:
    assert header_fault("Authorization: Bearer abc") is None


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "/secret")
            self.end_headers()
            return
        self.send_response(200)
        if self.path == "/short":
            self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x" * 1000 if self.path == "/big" else self.path.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def host() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """Who answers by TLS with a certificate that nobody but they themselves signed; its address, and what was asked there."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - dt.timedelta(1), now + dt.timedelta(1))
    signed = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False).sign(
        key, hashes.SHA256()
    )
    unsealed = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "own.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*unsealed))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem")
    asked: list[str] = []

    class Asked(Handler):
        def do_GET(self) -> None:
            asked.append(self.path)
            super().do_GET()

    server = HTTPServer(("127.0.0.1", 0), Asked)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_who_cannot_prove_by_certificate_who_they_are_is_told_nothing(impostor: tuple[str, list[str]]) -> None:
    address, asked = impostor
    with pytest.raises(Unreachable, match="SSLCertVerificationError"):
        send("GET", f"{address}/secret", b"", {"Authorization": "Bearer abc"}, seconds=5, allowed=HERE)
    assert asked == []


def test_a_redirect_is_an_answer_and_is_not_followed(host: str) -> None:
    answer = send("GET", f"{host}/elsewhere", b"", {}, seconds=5, allowed=HERE)
    assert (answer.status, b"secret" in answer.body) == (302, False)


def test_a_file_is_fetched_up_to_its_limit(host: str) -> None:
    into = io.BytesIO()
    assert fetch(f"{host}/big", into, {}, seconds=5, at_most=1000, allowed=HERE) == 1000
    with pytest.raises(Unreachable):
        fetch(f"{host}/big", io.BytesIO(), {}, seconds=5, at_most=999, allowed=HERE)


def test_a_file_that_breaks_off_is_not_taken_for_a_whole_one(host: str) -> None:
    with pytest.raises(Unreachable, match="994 bytes before the end"):
        fetch(f"{host}/short", io.BytesIO(), {}, seconds=5, at_most=1000, allowed=HERE)


def test_a_host_that_never_finishes_is_left_when_the_time_is_up() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        stop = threading.Event()

        def drip() -> None:
            wire, _ = listening.accept()
            with wire:
                wire.sendall(b"HTTP/1.1 200 OK\r\n")
                while not stop.wait(0.05):
                    try:
                        wire.sendall(b"X")
                    except OSError:
                        return

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            with pytest.raises(Unreachable):
                send("GET", f"http://127.0.0.1:{listening.getsockname()[1]}/", b"", {}, seconds=0.5, allowed=HERE)
        finally:
            stop.set()
            dripping.join()
