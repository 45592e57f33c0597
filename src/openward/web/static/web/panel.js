// The side panel: focus goes in when it opens and back to where it came from when it closes; its URL is the address bar's.

const panel = document.getElementById("panel");
let opener = null;
let isOpen = Boolean(panel.querySelector("[data-panel]"));
let titleBefore = document.title;
let pageUrl = location.href;
let closeUrl = panel.querySelector("[data-panel]")?.dataset.closeUrl || location.pathname;

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
  const unsaved = asked && panel.querySelector("form[data-dirty]:not([data-autosave])");
  if (unsaved && !window.confirm(document.getElementById("words").dataset.unsaved)) return;
  panel.replaceChildren();
  isOpen = false;
  // Opened here, the page's own address comes back with its query; opened by its URL, the page beside it is where it closes to.
  history.pushState({ htmx: true }, "", opener ? pageUrl : closeUrl);
  document.title = opener ? titleBefore : document.title.replace(/^.* · /, "");
  const back = opener?.isConnected ? opener : opener?.id ? document.getElementById(opener.id) : null;
  (back || document.getElementById("main")).focus({ preventScroll: true });
  opener = null;
}

// The answer that closes the panel has emptied it already, so what is in it does not tell whether it was open.
document.addEventListener("ow:panel-closed", () => { if (isOpen) shut(false); });
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented && panel.querySelector("[data-panel]") && !document.querySelector("dialog[open]")) shut(true);
});

document.addEventListener("htmx:after:settle", (event) => {
  const open = event.target === panel && panel.querySelector("[data-panel]");
  if (!open) return;
  isOpen = true;
  closeUrl = open.dataset.closeUrl;
  enter();
});

function enter() {
  const first = panel.querySelector("[data-error-summary], [autofocus], [data-first]") || panel.querySelector("#panel-title");
  first?.focus({ preventScroll: true });
  panel.scrollTop = 0;
}
if (isOpen) enter();
