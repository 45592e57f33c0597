// A search whose choice becomes a field's value. The server finds (htmx); this is the keyboard and the listbox.
// https://www.w3.org/WAI/ARIA/apg/patterns/combobox/

const parts = (box) => ({ input: box.querySelector("[role=combobox]"), list: box.querySelector("[role=listbox]"), value: box.querySelector("input[type=hidden]") });
const options = (list) => [...list.querySelectorAll("[role=option]:not([aria-disabled])")];

// Until the answer to the words in the field has come, the list is that of other words: Enter takes nothing from it, and sends no form.
const isAsking = (box) => Boolean(box.dataset.typed) && box.dataset.typed !== box.dataset.answered;

function show(box, open) {
  const { input, list } = parts(box);
  list.hidden = !open;
  input.setAttribute("aria-expanded", String(open));
  if (!open) input.removeAttribute("aria-activedescendant");
}

function mark(box, option) {
  const { input, list } = parts(box);
  options(list).forEach((other) => other.setAttribute("aria-selected", String(other === option)));
  if (!option) return;
  input.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

function pick(box, option) {
  const { input, value } = parts(box);
  value.value = option.dataset.value;
  delete box.dataset.typed;
  input.value = option.dataset.label || option.textContent.trim();
  show(box, false);
  value.dispatchEvent(new Event("change", { bubbles: true }));
  box.dispatchEvent(new CustomEvent("ow:picked", { bubbles: true, detail: { ...option.dataset } }));
}

document.addEventListener("keydown", (event) => {
  const box = event.target.matches?.("[data-combobox] [role=combobox]") && event.target.closest("[data-combobox]");
  if (!box) return;
  const { list } = parts(box);
  const all = options(list);
  const now = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (move && all.length) {
    event.preventDefault();
    show(box, true);
    mark(box, all[(now + move + all.length) % all.length]);
  } else if (event.key === "Enter" && isAsking(box)) {
    event.preventDefault();
  } else if (event.key === "Enter" && !list.hidden) {
    event.preventDefault();
    if (all[now]) pick(box, all[now]);
  } else if (event.key === "Escape" && !list.hidden) {
    event.preventDefault();
    show(box, false);
  }
});

// The mouse must not take the focus from the field before the click arrives.
document.addEventListener("pointerdown", (event) => { if (event.target.closest?.("[data-combobox] [role=option]")) event.preventDefault(); });
document.addEventListener("click", (event) => {
  const option = event.target.closest?.("[data-combobox] [role=option]:not([aria-disabled])");
  if (option) pick(option.closest("[data-combobox]"), option);
});
document.addEventListener("input", (event) => {
  const box = event.target.matches?.("[data-combobox] [role=combobox]") && event.target.closest("[data-combobox]");
  if (!box) return;
  parts(box).value.value = "";
  box.dataset.typed = event.target.value;
  if (!event.target.value) show(box, false);
});
document.addEventListener("focusout", (event) => {
  const box = event.target.closest?.("[data-combobox]");
  if (box && !box.contains(event.relatedTarget)) show(box, false);
});
document.addEventListener("htmx:before:request", (event) => {
  const box = event.target.matches?.("[role=combobox]") && event.target.closest("[data-combobox]");
  if (box) box.dataset.asked = event.target.value;
});
document.addEventListener("htmx:after:settle", (event) => {
  const box = event.target.closest?.("[data-combobox]");
  if (!box || event.target.getAttribute("role") !== "listbox") return;
  const { input, list } = parts(box);
  box.dataset.answered = box.dataset.asked;
  options(list).forEach((option, n) => { option.id ||= `${list.id}-${n}`; });
  show(box, document.activeElement === input && list.children.length > 0);
  mark(box, options(list)[0]);
});
