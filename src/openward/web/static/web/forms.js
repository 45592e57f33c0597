// Forms: focus goes to what is wrong, a form on its way cannot be sent twice, questions are asked before what cannot be undone.

const busy = new WeakMap();

function submitButtons(form) {
  return [...form.querySelectorAll("button:not([type=button]), input[type=submit]"), ...document.querySelectorAll(`button[form="${CSS.escape(form.id || " ")}"]`)];
}

function hold(form, pressed) {
  const held = submitButtons(form).filter((button) => !button.disabled);
  // After this turn of the loop: a disabled button would not be sent with the form.
  setTimeout(() => held.forEach((button) => { button.disabled = true; }), 0);
  if (pressed) pressed.dataset.busy = "";
  busy.set(form, { held, pressed });
}

function release(form) {
  const { held = [], pressed } = busy.get(form) || {};
  setTimeout(() => held.forEach((button) => { button.disabled = false; }), 0);
  if (pressed) delete pressed.dataset.busy;
  busy.delete(form);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented && !form.hasAttribute("hx-post")) return;
  if (form.method !== "post" || form.hasAttribute("data-theme-switch") || form.closest("dialog")) return;
  if (busy.has(form)) { event.preventDefault(); event.stopImmediatePropagation(); return; }
  hold(form, event.submitter);
}, true);

// htmx says when its request is over, whatever came of it; a page from the back-forward cache must not stay locked.
document.addEventListener("htmx:finally:request", (event) => {
  const source = event.detail?.ctx?.sourceElement;
  const form = source?.matches?.("form") ? source : source?.closest?.("form");
  if (form) release(form);
});
window.addEventListener("pageshow", (event) => { if (event.persisted) document.querySelectorAll("form").forEach((form) => busy.has(form) && release(form)); });

// Signing in again in another tab makes a new token. The forms of this page take it over, so that what was typed meanwhile can still be saved.
const currentToken = () => document.cookie.match(/(?:^|; )(?:__Host-)?openward_csrf=([^;]+)/)?.[1] || "";
let token = currentToken();
setInterval(() => {
  const now = currentToken();
  if (!now || now === token) return;
  if (token) {
    document.querySelectorAll("input[name=csrfmiddlewaretoken]").forEach((input) => { input.value = now; });
    document.body.setAttribute("hx-headers:inherited", JSON.stringify({ "X-CSRFToken": now }));
  }
  token = now;
}, 1000);

// Requests a page makes by itself must not keep an unattended session alive.
document.addEventListener("htmx:config:request", (event) => {
  const { sourceEvent, request } = event.detail.ctx;
  if (/^(live-|every$|load$)/.test(sourceEvent?.type || "")) request.headers["X-Openward-Background"] = "1";
});

// Questions before what cannot be undone: data-confirm on a button or form, hx-confirm anywhere.
let answered = null;

function ask(words, then) {
  const dialog = document.getElementById("confirm");
  if (!dialog) { if (window.confirm(words)) then(); return; }
  dialog.querySelector("#confirm-text").textContent = words;
  dialog.returnValue = "no";
  dialog.addEventListener("close", () => { if (dialog.returnValue === "yes") then(); }, { once: true });
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const asking = event.target.closest?.("button[data-confirm], a[data-confirm]");
  if (!asking || asking === answered) { answered = null; return; }
  event.preventDefault();
  event.stopImmediatePropagation();
  ask(asking.dataset.confirm, () => { answered = asking; asking.click(); });
}, true);

document.addEventListener("htmx:confirm", (event) => {
  event.preventDefault();
  ask(event.detail.ctx.confirm, event.detail.issueRequest);
  document.getElementById("confirm")?.addEventListener("close", (closed) => { if (closed.target.returnValue !== "yes") event.detail.dropRequest(); }, { once: true });
});

function showWhatIsWrong(root) {
  const summary = root.querySelector?.("[data-error-summary]");
  if (summary) summary.focus();
}

document.addEventListener("htmx:after:settle", (event) => showWhatIsWrong(event.target));
showWhatIsWrong(document);
