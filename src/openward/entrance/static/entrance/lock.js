// The idle lock: after a while without a key or a pointer the screen is hidden and asks who is there. What was typed stays in the page beneath.
// The title of the window goes too: it may say whose chart this is. The server keeps its own clock and refuses what a locked session asks; this only hides what is already on the screen.

const said = document.querySelector("meta[name=openward-lock]");
const after = Number(said.content) * 1000;
const KEY = "openward-last-act";
const dialog = document.createElement("dialog");
dialog.className = "lock";
dialog.setAttribute("aria-labelledby", "lock-title");
let locked = false;
let noted = 0;
let title = "";

const token = () => JSON.parse(document.body.getAttribute("hx-headers:inherited") || "{}")["X-CSRFToken"] || "";
const ask = (url, more = {}) => fetch(url, { credentials: "same-origin", ...more, headers: { "X-Openward-Fragment": "1", "X-CSRFToken": token(), ...more.headers } });

// Every window of this browser counts: who types in one is not idle in another. The first touch after a long absence is no work that goes on: a lid that was
// shut, a tab that lay asleep ran no clock, and whoever comes first is asked who they are before what they press takes effect.
function acted(event) {
  const now = Date.now();
  if (locked) return;
  if (event && after && now - lastAct() >= after) {
    if (event.cancelable) event.preventDefault();
    event.stopImmediatePropagation();
    lock(true);
    return;
  }
  if (now - noted < 1000) return;
  noted = now;
  try { localStorage.setItem(KEY, String(now)); } catch { /* no storage: this window alone counts */ }
}

function lastAct() {
  try { return Math.max(noted, Number(localStorage.getItem(KEY)) || 0); } catch { return noted; }
}

async function lock(tellServer) {
  if (locked) return;
  locked = true;
  title = document.title;
  document.title = said.dataset.title;
  if (!dialog.isConnected) document.body.append(dialog);
  dialog.showModal();
  if (tellServer) await tell();
  await show();
}

// Until the server knows that it is locked nothing may ask it whether it is: it would say no, and the screen would open by itself.
async function tell() {
  try { await ask(said.dataset.lock, { method: "POST" }); } catch { await new Promise((go) => setTimeout(go, 3000)); await tell(); }
}

async function show() {
  const here = location.pathname + location.search;
  let answer;
  try { answer = await ask(`${said.dataset.locked}?next=${encodeURIComponent(here)}`); } catch { setTimeout(show, 3000); return; }
  if (answer.status === 204) { release(); return; }
  const words = await answer.text();
  if (!words.includes("data-lock-part")) { location.reload(); return; }
  fill(words);
}

function fill(words) {
  dialog.innerHTML = words;
  dialog.querySelector("input:not([type=hidden])")?.focus();
}

function release() {
  locked = false;
  acted();
  document.title = title;
  dialog.close();
  dialog.replaceChildren();
}

async function unlock(form) {
  const answer = await ask(form.action, { method: "POST", body: new FormData(form) });
  if (answer.status === 204) { release(); return; }
  if (answer.status === 422) { fill(await answer.text()); return; }
  location.reload();
}

dialog.addEventListener("cancel", (event) => event.preventDefault());
dialog.addEventListener("close", () => { if (locked) dialog.showModal(); });
dialog.addEventListener("submit", (event) => {
  if (!event.target.hasAttribute("data-unlock")) return;
  event.preventDefault();
  event.stopPropagation();
  unlock(event.target);
});
document.addEventListener("openward-locked", () => lock(false));
document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-lock-now]")) { event.preventDefault(); lock(true); }
});
for (const name of ["keydown", "pointerdown", "pointermove", "wheel", "touchstart"]) addEventListener(name, acted, { passive: name !== "keydown", capture: true });
acted();
if (after) setInterval(() => { if (!locked && Date.now() - lastAct() >= after) lock(true); }, Math.min(5000, after / 3));
