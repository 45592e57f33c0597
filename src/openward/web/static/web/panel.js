// The side panel: focus goes in when it opens and back to where it came from when it closes; its URL is the address bar's.

const panel = document.getElementById("panel");
let opener = null;
let titleBefore = document.title;
let pageUrl = location.href;

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[hx-target='#panel']");
  if (link && !panel.contains(link)) {
    opener = link;
    if (!panel.querySelector("[data-panel]")) { titleBefore = document.title; pageUrl = location.href; }
  }
  const close = event.target.closest?.("[data-panel-close]");
  if (close && !event.ctrlKey && !event.metaKey) { event.preventDefault(); shut(true); }
}, true);

function shut(asked) {
  const open = panel.querySelector("[data-panel]");
  if (open) {
    if (asked && panel.querySelector("form[data-dirty]:not([data-autosave])") && !window.confirm(document.body.dataset.saidUnsaved || "Leave without saving?")) return;
    const url = opener ? pageUrl : open.dataset.closeUrl;
    panel.replaceChildren();
    history.pushState({ htmx: true }, "", url || open.dataset.closeUrl);
  }
  document.title = opener ? titleBefore : document.title.replace(/^.* · /, "");
  const back = opener?.isConnected ? opener : opener?.id ? document.getElementById(opener.id) : null;
  (back || document.getElementById("main")).focus({ preventScroll: true });
  opener = null;
}

document.addEventListener("ow:panel-closed", () => shut(false));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented && panel.querySelector("[data-panel]") && !document.querySelector("dialog[open]")) shut(true);
});
panel.addEventListener("input", (event) => event.target.form?.setAttribute("data-dirty", ""));

document.addEventListener("htmx:after:settle", (event) => {
  if (event.target !== panel) return;
  const first = panel.querySelector("[data-error-summary], [autofocus]") || panel.querySelector("#panel-title");
  first?.focus({ preventScroll: true });
  panel.scrollTop = 0;
});
