// Small helps of the chart's forms: a filter over a list of ticks, a count of what is ticked.
// A number that was typed is never changed here: who typed 20 and then says that it was kg would have stored 9.1.

document.addEventListener("input", (event) => {
  const filter = event.target.closest?.("[data-filter]");
  if (!filter) return;
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  document.querySelectorAll(`${filter.dataset.filter} [data-filter-words]`).forEach((label) => {
    const text = label.dataset.filterWords.toLowerCase();
    label.hidden = !words.every((word) => text.includes(word)) && !label.querySelector("input").checked;
  });
});

document.addEventListener("change", (event) => {
  const name = event.target.name;
  const counter = name && event.target.form?.querySelector(`[data-count-of="${CSS.escape(name)}"]`);
  if (counter) {
    const n = event.target.form.querySelectorAll(`input[name="${CSS.escape(name)}"]:checked`).length;
    counter.textContent = n === 0 ? "" : n === 1 ? counter.dataset.one : counter.dataset.many.replace("{n}", n);
  }
});

// Another drug is being looked for: what stood there of the former one goes, or it would be signed under the new one's name.
document.addEventListener("input", (event) => {
  const picker = event.target.matches?.("#panel [role=combobox]") && event.target.closest("[hx-target='#rx-details']");
  if (!picker) return;
  window.htmx?.trigger(picker, "htmx:abort");
  document.getElementById("rx-details").replaceChildren();
});

// A draft that is not being saved although there is a connection may have moved on in another window: ask, and say so.
function watch(form) {
  const said = form.querySelector("[data-autosave-state]");
  const notice = document.querySelector("[data-draft-conflict]");
  if (!said || !notice) return;
  new MutationObserver(async () => {
    if (said.dataset.state !== "offline" || !navigator.onLine || !notice.hidden) return;
    try {
      const answer = await fetch(form.dataset.autosave, { credentials: "same-origin", redirect: "manual" });
      if (answer.ok && (await answer.text()) !== form.elements.version.value) notice.hidden = false;
    } catch { /* there is no connection after all */ }
  }).observe(said, { attributes: true, attributeFilter: ["data-state"] });
}

document.querySelectorAll("form.note-form[data-autosave]").forEach(watch);
