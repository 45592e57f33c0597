// What was typed and not sent is not lost by a slip: leaving the page, or opening something else in the side panel, asks first. Drafts save themselves.

const LONG = "form:is(.panel form, :has(.fields, textarea)):not([data-autosave], [role=search], dialog form)";
const words = document.getElementById("words").dataset;
const unsent = (root) => root.querySelector("form[data-dirty]:not([data-autosave])");

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.method === "post" && form.matches(LONG)) form.setAttribute("data-dirty", "");
});

// On its way it is not lost; refused, it is as unsaved as before. Who signs out or lets someone else in has chosen to go: nothing holds them.
document.addEventListener("submit", (event) => {
  if (event.target.closest(".menu")) document.querySelectorAll("form[data-dirty]").forEach((form) => form.removeAttribute("data-dirty"));
  event.target.removeAttribute("data-dirty");
}, true);

function wasRefused(root) {
  root.querySelector?.("[data-error-summary]")?.closest("form[method=post]")?.setAttribute("data-dirty", "");
}
wasRefused(document);
document.addEventListener("htmx:after:settle", (event) => wasRefused(event.target));
document.addEventListener("htmx:finally:request", (event) => {
  const { sourceElement, response } = event.detail?.ctx || {};
  const form = sourceElement?.closest?.("form");
  if (form?.isConnected && form.matches(LONG) && form.method === "post" && (!response || response.status >= 400)) form.setAttribute("data-dirty", "");
});

document.addEventListener("click", (event) => {
  // What was found wrong may offer the way out itself: the record that is there already.
  if (event.target.closest?.("[data-error-summary] a[href^='/']")) event.target.closest("form")?.removeAttribute("data-dirty");
  const link = event.target.closest?.("[hx-target='#panel'][hx-get]");
  const panel = document.getElementById("panel");
  const form = link && panel && !event.ctrlKey && !event.metaKey && unsent(panel);
  if (!form) return;
  if (window.confirm(words.unsaved)) { form.removeAttribute("data-dirty"); return; }
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

window.addEventListener("beforeunload", (event) => { if (unsent(document)) event.preventDefault(); });
