// Messages that pass. They stay while read (hover, focus), danger and undo stay longer, and each can be dismissed.

const words = document.getElementById("words").dataset;
const place = document.getElementById("toasts");
const icons = { ok: "circle-check", info: "info", warning: "triangle-alert", danger: "octagon-alert" };
const sprite = document.querySelector("svg.icon use")?.getAttribute("href").split("#")[0];

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

function button(label, className, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = `button quiet ${className}`;
  if (typeof label === "string") made.textContent = label; else { made.append(label); made.setAttribute("aria-label", words.dismiss); }
  made.addEventListener("click", act);
  return made;
}

function leave(toast) {
  let rest = toast.classList.contains("danger") ? 15000 : toast.querySelector("[hx-post]") ? 12000 : 6000;
  let since = Date.now();
  let timer = setTimeout(() => toast.remove(), rest);
  const wait = () => { clearTimeout(timer); rest -= Date.now() - since; };
  const go = () => { since = Date.now(); timer = setTimeout(() => toast.remove(), Math.max(rest, 2000)); };
  toast.addEventListener("pointerenter", wait);
  toast.addEventListener("pointerleave", go);
  toast.addEventListener("focusin", wait);
  toast.addEventListener("focusout", go);
  toast.querySelector("[data-toast-close]")?.addEventListener("click", () => toast.remove());
}

function show({ message, kind = "ok", undo = "" }) {
  const toast = document.createElement("div");
  toast.className = `toast ${kind}`;
  toast.dataset.toast = "";
  const text = document.createElement("p");
  text.textContent = message;
  toast.append(icon(icons[kind] || "info"), text);
  if (undo) {
    // htmx acts on the click too, so the button must outlive it.
    const back = button(words.undo, "", () => {});
    back.addEventListener("htmx:after:request", () => toast.remove());
    back.setAttribute("hx-post", undo);
    back.setAttribute("hx-swap", "none");
    toast.append(back);
  }
  toast.append(button(icon("x"), "icon-only", () => toast.remove()));
  place.append(toast);
  window.htmx?.process(toast);
  leave(toast);
}

place.querySelectorAll("[data-toast]").forEach(leave);
document.addEventListener("ow:toast", (event) => show(event.detail));

// What went wrong without an answer of ours that says so.
document.addEventListener("htmx:error", (event) => {
  const ctx = event.detail.ctx;
  if (ctx && !ctx.response && !/abort/i.test(String(event.detail.error))) show({ message: words.offline, kind: "danger" });
});
document.addEventListener("htmx:response:error", (event) => {
  const { response, hx } = event.detail.ctx;
  if (response.status >= 500 && !hx?.trigger) show({ message: words.broken, kind: "danger" });
});
