// Small helps of the chart's forms: a filter over a list of ticks, a count of what is ticked, units that convert what was typed.

const factors = { "°F": ["°C", (f) => (f - 32) / 1.8], "°C": ["°F", (c) => c * 1.8 + 32], lb: ["kg", (v) => v * 0.45359237], in: ["cm", (v) => v * 2.54] };
const back = { kg: ["lb", (v) => v / 0.45359237], cm: ["in", (v) => v / 2.54] };

function convert(from, to, value) {
  const way = [factors[from], back[from]].find((one) => one && one[0] === to);
  return way ? Math.round(way[1](value) * 10) / 10 : value;
}

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
  const select = event.target.closest?.("select[data-unit-of]");
  if (select) {
    const input = select.form.elements[select.dataset.unitOf];
    const typed = parseFloat(input.value);
    if (!Number.isNaN(typed)) input.value = convert(select.dataset.was || select.options[0].value, select.value, typed);
    select.dataset.was = select.value;
  }
  const name = event.target.name;
  const counter = name && event.target.form?.querySelector(`[data-count-of="${CSS.escape(name)}"]`);
  if (counter) {
    const n = event.target.form.querySelectorAll(`input[name="${CSS.escape(name)}"]:checked`).length;
    counter.textContent = n === 0 ? "" : n === 1 ? counter.dataset.one : counter.dataset.many.replace("{n}", n);
  }
});

document.addEventListener("focusin", (event) => {
  const select = event.target.closest?.("select[data-unit-of]");
  if (select) select.dataset.was ||= select.value;
});
