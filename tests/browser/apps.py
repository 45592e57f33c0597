"""An app of someone else's, on a server of its own: pages that use npm `fhirclient` as its makers tell everyone to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

CLIENT = Path(__file__).parents[1] / "node_modules" / "fhirclient" / "build" / "fhir-client.js"
PAGE = '<!doctype html><html lang="en"><head><title>Growth</title><script src="/fhir-client.js"></script></head><body><main><h1>Growth</h1>{}</main></body></html>'
# The client id, scopes and server come by the address, so that one set of pages is any app; what was met is written into the page.
LAUNCH = """<script>
const given = new URLSearchParams(location.search);
if (given.get("client")) sessionStorage.setItem("app", JSON.stringify({ clientId: given.get("client"), scope: given.get("scope") }));
const app = JSON.parse(sessionStorage.getItem("app") || localStorage.getItem("app"));
FHIR.oauth2.authorize({ ...app, redirectUri: "/index.html", pkceMode: "required", completeInTarget: true });
</script>"""
INSTALL = """<script>
const given = new URLSearchParams(location.search);
localStorage.setItem("app", JSON.stringify({ clientId: given.get("client"), scope: given.get("scope") }));
document.body.append("installed");
</script>"""
INDEX = """<pre id="met">waiting</pre>
<button id="refresh">Refresh</button><button id="again">Ask again</button>
<script>
const show = (met) => { document.getElementById("met").textContent = JSON.stringify(met); };
const names = (bundle) => [...new Set((bundle.entry || []).map((entry) => (entry.resource.category || [{ coding: [{}] }])[0].coding[0].code))].sort();
const ask = async (client) => {
  const status = (promise) => promise.then(() => 200, (error) => error.status || error.statusCode || String(error));
  const patient = await client.patient.read().then((one) => one.name[0].family, (error) => error.status || error.statusCode);
  const bundle = await client.request(`Observation?patient=${client.patient.id}&_count=100`).catch(() => ({}));
  return {
    patient, id: client.patient.id, encounter: client.encounter.id, user: client.user.fhirUser, scope: client.state.tokenResponse.scope,
    observations: names(bundle), conditions: await status(client.request(`Condition?patient=${client.patient.id}`)),
    expires: client.state.expiresAt, token: client.state.tokenResponse.access_token,
  };
};
FHIR.oauth2.ready().then(async (client) => {
  window.client = client;
  document.getElementById("refresh").onclick = () => client.refresh().then(() => ask(client)).then((met) => show({ refreshed: true, ...met }), (error) => show({ error: String(error.message || error) }));
  document.getElementById("again").onclick = () => ask(client).then(show, (error) => show({ error: String(error.message || error) }));
  show(await ask(client));
}).catch((error) => show({ error: String(error.message || error) }));
</script>"""
PAGES = {"/launch.html": LAUNCH, "/index.html": INDEX, "/install.html": INSTALL}


@dataclass(frozen=True)
class SomeApp:
    url: str

    @property
    def back(self) -> str:
        return f"{self.url}/index.html"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        body = CLIENT.read_bytes() if path == "/fhir-client.js" else PAGE.format(PAGES[path]).encode() if path in PAGES else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/javascript" if path.endswith(".js") else "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def some_app() -> Iterator[SomeApp]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield SomeApp(f"http://localhost:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
