// The command palette: Ctrl/⌘ K. The server finds; arrow keys choose; Enter opens what was found for the words that stand there now. Before
// their answer has come an older list is still to be seen, with somebody else's chart at its head: Enter asks again instead.

const dialog = document.getElementById("palette");
const text = document.getElementById("palette-text");
const found = document.getElementById("palette-found");

function open() {
  if (dialog.open) { dialog.close(); return; }
  dialog.showModal();
  text.select();
  window.htmx?.trigger(text.form, "submit");
}

const items = () => [...found.querySelectorAll("a[role=option]")];

function choose(item) {
  items().forEach((other) => other.setAttribute("aria-selected", String(other === item)));
  if (!item) { text.removeAttribute("aria-activedescendant"); return; }
  text.setAttribute("aria-activedescendant", item.id);
  item.scrollIntoView({ block: "nearest" });
}

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-palette-open]") && !event.ctrlKey && !event.metaKey) { event.preventDefault(); open(); }
  if (event.target === dialog) dialog.close();
});
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") { event.preventDefault(); open(); }
});
text.addEventListener("keydown", (event) => {
  const all = items();
  const now = all.findIndex((item) => item.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") { event.preventDefault(); choose(all[(now + 1) % all.length]); }
  if (event.key === "ArrowUp") { event.preventDefault(); choose(all[(now - 1 + all.length) % all.length]); }
  if (event.key === "Enter" && text.dataset.answered === text.value) { event.preventDefault(); event.stopPropagation(); (all[now] || all[0])?.click(); }
});
document.addEventListener("htmx:before:request", (event) => { if (event.target === text.form) text.dataset.asked = text.value; });
document.addEventListener("htmx:after:settle", (event) => {
  if (event.target !== found) return;
  text.dataset.answered = text.dataset.asked;
  choose(items()[0]);
});
if (/Mac|iPhone|iPad/.test(navigator.platform)) document.querySelectorAll(".seek-key").forEach((key) => { key.textContent = "⌘ K"; });
