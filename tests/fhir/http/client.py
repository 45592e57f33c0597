"""A WSGI client that keeps nothing: one request, one answer."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def issue(self) -> Mapping[str, Any]:
        assert self.json["resourceType"] == "OperationOutcome"
        first: Mapping[str, Any] = self.json["issue"][0]
        return first


@dataclass
class Client:
    app: Callable[..., Iterable[bytes]]

    def __call__(self, method: str, path: str, body: object = None, *, token: str | None = "good", **headers: str) -> Answer:
        """`headers` in snake case: `if_match="…"`; `content_type` unless it is FHIR JSON."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        url, _, query = path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": "/fhir" + url,
            "QUERY_STRING": query,
            "SERVER_NAME": "clinic.test",
            "SERVER_PORT": "80",
            "HTTP_HOST": "clinic.test",
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(data),
            "CONTENT_TYPE": headers.pop("content_type", "application/fhir+json") if data else "",
            "CONTENT_LENGTH": headers.pop("content_length", str(len(data))),
        }
        if token:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        started: list[tuple[str, list[tuple[str, str]]]] = []
        parts = self.app(environ, lambda status, headers: started.append((status, headers)))
        status, sent = started[0]
        return Answer(int(status.split()[0]), dict(sent), b"".join(parts))
