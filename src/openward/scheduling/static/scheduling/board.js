// The flow board: minutes that count on and turn amber and red with a word, arrow keys between the cards, focus that stays with its patient.

const cards = (column) => [...column.querySelectorAll("[data-card]")];
const link = (card) => card?.querySelector("[data-card-link]");
let focused = "";

function tick() {
  document.querySelectorAll("[data-board] [data-card]").forEach((card) => {
    const minutes = Math.max(0, Math.floor((Date.now() - Date.parse(card.dataset.since)) / 60000));
    const level = minutes >= Number(card.dataset.tooLong) ? "too-long" : minutes >= Number(card.dataset.long) ? "long" : "";
    card.querySelector("[data-minutes]").textContent = String(minutes);
    if (card.dataset.level === level) return;
    card.dataset.level = level;
    const alarm = card.querySelector("[data-alarm]");
    alarm.textContent = level === "too-long" ? alarm.dataset.wordsTooLong : level === "long" ? alarm.dataset.wordsLong : "";
  });
}
setInterval(tick, 5000);

function beside(card, key) {
  const column = card.closest(".column");
  const columns = [...document.querySelectorAll("[data-board] .column")];
  const place = cards(column).indexOf(card);
  if (key === "ArrowDown" || key === "ArrowUp") return cards(column)[place + (key === "ArrowDown" ? 1 : -1)];
  const step = key === "ArrowRight" ? 1 : -1;
  for (let next = columns.indexOf(column) + step; columns[next]; next += step) {
    const there = cards(columns[next]);
    if (there.length) return there[Math.min(place, there.length - 1)];
  }
  return null;
}

document.addEventListener("keydown", (event) => {
  const card = event.target.closest?.("[data-card]");
  if (!card || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select")) return;
  if (event.key.startsWith("Arrow")) {
    const next = beside(card, event.key);
    if (next) { event.preventDefault(); link(next).focus(); }
  } else if (event.key === "r" && card.querySelector("[data-room]")) {
    event.preventDefault();
    card.querySelector("[data-room]").focus();
  }
});

// The board is replaced whenever anybody moves a patient: the focus goes back to the patient it was on, wherever they are now.
document.addEventListener("focusin", (event) => { focused = event.target.closest?.("[data-card]")?.dataset.card || ""; });
document.addEventListener("htmx:after:settle", () => {
  if (focused && document.activeElement === document.body) document.getElementById(`card-${focused}`)?.focus({ preventScroll: true });
  tick();
});
