// The frame: theme and menu width without a reload, the banner's short form, minutes that count on, menus that close.

const root = document.documentElement;
const keep = (name, value) => { document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`; };

document.addEventListener("submit", (event) => {
  if (!event.target.hasAttribute?.("data-theme-switch")) return;
  event.preventDefault();
  const dark = getComputedStyle(root).colorScheme === "dark" || (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  const next = dark ? "light" : "dark";
  root.dataset.theme = next;
  keep("ow-theme", next);
});

document.addEventListener("click", (event) => {
  const fold = event.target.closest?.("[data-fold]");
  if (fold) {
    const slim = document.body.classList.toggle("slim");
    fold.setAttribute("aria-pressed", String(slim));
    keep("ow-nav", slim ? "slim" : "wide");
  }
  document.querySelectorAll("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
  if (menu) { event.preventDefault(); menu.open = false; menu.querySelector("summary").focus(); }
});

// The patient banner shrinks once one reads on; who it is and the allergies always stay.
const banner = document.querySelector(".patient-banner");
if (banner) {
  let micro = false;
  addEventListener("scroll", () => {
    const now = micro ? scrollY > 24 : scrollY > 140;
    if (now !== micro) { micro = now; banner.toggleAttribute("data-micro", micro); }
  }, { passive: true });
}

const words = document.getElementById("words").dataset;

// The same as display.ago on the server.
function ago(ms) {
  const all = Math.max(0, Math.floor(ms / 60000));
  const [d, h, m] = [Math.floor(all / 1440), Math.floor(all / 60), all % 60];
  if (all < 1) return words.now;
  if (h < 1) return words.minutes.replace("{m}", m);
  if (d < 1) return words.hours.replace("{h}", h) + (m ? ` ${words.minutes.replace("{m}", m)}` : "");
  return d === 1 ? words.day : words.days.replace("{d}", d);
}
setInterval(() => document.querySelectorAll("time[data-since]").forEach((time) => { time.textContent = ago(Date.now() - Date.parse(time.dateTime)); }), 15000);
