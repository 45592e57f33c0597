// Drafts save themselves: <form data-autosave="url"> posts itself a moment after the last key, tries again while it cannot,
// and always says which it is. What was typed is never kept in the browser's storage: it may be about a patient.

const waits = [2000, 5000, 10000, 20000, 30000];

function draft(form) {
  const said = form.querySelector("[data-autosave-state]") || document.createElement("p");
  let timer = 0;
  let tries = 0;
  let changed = 0;
  let saved = 0;
  let saving = false;

  function say(state) {
    said.dataset.state = state;
    const at = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
    said.textContent = (said.dataset[{ saved: "saved", saving: "saving", offline: "offline", out: "signedOut" }[state]] || "") + (state === "saved" ? ` ${at}` : "");
  }

  async function save() {
    if (saving || saved === changed || !form.isConnected) return;
    saving = true;
    const version = changed;
    if (tries === 0) say("saving");
    let outcome = "offline";
    try {
      const answer = await fetch(form.dataset.autosave, {
        method: "POST", body: new FormData(form), credentials: "same-origin", redirect: "manual",
        headers: { "X-Openward-Autosave": "1", "HX-Request": "true", "HX-Current-URL": location.href },
        signal: AbortSignal.timeout(15000),
      });
      if (answer.type === "opaqueredirect" || answer.headers.has("HX-Redirect") || [401, 403].includes(answer.status)) outcome = "out";
      else if (answer.ok) {
        outcome = "saved";
        const held = answer.headers.get("X-Openward-Version");
        const field = form.querySelector("input[name=version]");
        if (held && field) field.value = held;
      }
    } catch { /* no connection: say so and try again */ }
    saving = false;
    if (outcome === "saved") { saved = version; tries = 0; form.removeAttribute("data-dirty"); say("saved"); if (saved !== changed) later(1200); return; }
    say(outcome);
    later(waits[Math.min(tries++, waits.length - 1)]);
  }

  function later(ms) { clearTimeout(timer); timer = setTimeout(save, ms); }

  form.addEventListener("input", () => { changed++; form.setAttribute("data-dirty", ""); later(1200); });
  form.addEventListener("submit", () => { clearTimeout(timer); saved = changed; form.removeAttribute("data-dirty"); });
  window.addEventListener("online", () => { if (saved !== changed) { tries = 0; save(); } });
  window.addEventListener("beforeunload", (event) => { if (form.isConnected && saved !== changed) { save(); event.preventDefault(); } });
  document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });
}

function begin(root) {
  root.querySelectorAll?.("form[data-autosave]:not([data-drafting])").forEach((form) => { form.dataset.drafting = ""; draft(form); });
}

begin(document);
document.addEventListener("htmx:after:settle", (event) => begin(event.target));
