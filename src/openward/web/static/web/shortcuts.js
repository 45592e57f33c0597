// Keyboard shortcuts. An element with data-shortcut="g f" or "e" is clicked (or focused, if it is a field) by those keys.
// Single keys can be turned off (WCAG 2.1.4); Ctrl/⌘ K and Escape always work.

const dialog = document.getElementById("shortcuts");
const toggle = dialog.querySelector("[data-single-keys]");
let pending = "";
let timer = 0;

const isOn = () => localStorage.getItem("ow-single-keys") !== "off";
toggle.checked = isOn();
toggle.addEventListener("change", () => localStorage.setItem("ow-single-keys", toggle.checked ? "on" : "off"));

const typing = (element) => element.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

function act(element) {
  if (element.matches("input, textarea, select")) { element.focus(); element.select?.(); } else element.click();
}

// While the side panel is open keys are for what is in it: who begins to type there must not sign, finish or open something beneath.
const scope = () => document.querySelector("#panel [data-panel]") || document;

function walk(step) {
  const lists = [...scope().querySelectorAll("[data-list-keys]")].filter((list) => list.offsetParent);
  const list = lists.find((one) => one.contains(document.activeElement)) || lists[0];
  const rows = list ? [...list.querySelectorAll(".row-link, [data-row]")].filter((row) => row.offsetParent) : [];
  if (!rows.length) return false;
  const now = rows.indexOf(document.activeElement);
  const next = rows[Math.min(Math.max(now + step, 0), rows.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

// A key of a row (e done, c check in, m move on) is the row's that has the focus; without one it does nothing: it would be the first patient's.
const ofRow = (element) => element.closest("[data-list-keys] :is(tr, li), [data-card]");

function target(keys) {
  const selector = `[data-shortcut="${CSS.escape(keys)}"]`;
  const row = document.activeElement?.closest?.("tr, li, [data-item]");
  const within = scope().contains(row) && row?.querySelector(selector);
  return within || [...scope().querySelectorAll(selector)].find((element) => !ofRow(element) && (element.checkVisibility?.() ?? element.offsetParent));
}

function handle(key) {
  if (key === "?") { dialog.showModal(); return true; }
  if (key === "j" || key === "k") return walk(key === "j" ? 1 : -1);
  const keys = pending ? `${pending} ${key}` : key;
  const element = target(keys) || (pending ? null : target(key));
  pending = "";
  if (element) { act(element); return true; }
  if (scope().querySelector(`[data-shortcut^="${CSS.escape(key)} "]`)) {
    pending = key;
    clearTimeout(timer);
    timer = setTimeout(() => { pending = ""; }, 1200);
  }
  return false;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1 || event.isComposing) return;
  if (!isOn() || typing(event.target) || document.querySelector("dialog[open]")) return;
  if (handle(event.key)) event.preventDefault();
});
document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-shortcuts-open]")) { event.preventDefault(); event.target.closest("details")?.removeAttribute("open"); dialog.showModal(); }
  if (event.target === dialog) dialog.close();
});
