// The finder's keyboard: down into the list, up and down in it, Enter opens; from the box, Enter opens the first.

const links = (finder) => [...document.querySelectorAll("#found [data-found]")].filter((link) => link.offsetParent && finder);

document.addEventListener("keydown", (event) => {
  const finder = document.querySelector("[data-finder]");
  if (!finder || event.defaultPrevented) return;
  const box = finder.querySelector("input[type=search]");
  const all = links(finder);
  const now = all.indexOf(document.activeElement);
  if (event.target === box && event.key === "ArrowDown" && all.length) {
    event.preventDefault();
    all[0].focus();
  } else if (event.target === box && event.key === "Enter" && all.length && box.dataset.answered === box.value) {
    event.preventDefault();
    all[0].click();
  } else if (now >= 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    (event.key === "ArrowDown" ? all[Math.min(now + 1, all.length - 1)] : all[now - 1] || box).focus();
  }
});

// Enter opens the first of what was found for the words that stand in the box now, never of an older list.
document.addEventListener("htmx:after:settle", (event) => {
  if (event.target.id !== "found") return;
  const box = document.querySelector("[data-finder] input[type=search]");
  if (box) box.dataset.answered = box.dataset.asked ?? box.value;
});
document.addEventListener("htmx:before:request", (event) => {
  const box = event.target.closest?.("[data-finder]") && event.target;
  if (box) box.dataset.asked = box.value;
});
