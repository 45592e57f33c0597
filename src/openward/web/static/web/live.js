// One stream of live events per page. Regions listen with hx-trigger="live-<topic> from:body".
// Cut off, it says so, tries again with growing pauses, and afterwards lets every region reload: something may have been missed. So it does when the
// stream is heard from late: what is shown was asked for before.

const state = document.querySelector("[data-live-state]");
const url = document.body.dataset.liveUrl?.replace(/\/$/, "");
let topics = [];
let source = null;
let pause = 1000;
let retry = 0;
let notice = 0;
let wasCut = false;
let asked = 0; // when what is shown was asked for: at first with the page, whose clock begins at 0
const LATE = 1000;

const wanted = () => [...new Set([...document.querySelectorAll("[data-live]")].map((element) => element.dataset.live))].sort();

function tell(topic) {
  document.body.dispatchEvent(new CustomEvent(`live-${topic}`, { bubbles: true }));
}

function isCut() {
  wasCut = true;
  clearTimeout(notice);
  notice = setTimeout(() => { state.hidden = false; document.body.dataset.livePaused = ""; }, 2500);
}

function isBack() {
  clearTimeout(notice);
  state.hidden = true;
  delete document.body.dataset.livePaused;
  pause = 1000;
  if (wasCut || performance.now() - asked > LATE) topics.forEach(tell);
  wasCut = false;
}

// The stream says only that a topic changed; the page then asks for what it may see.
function hear(event) {
  if (topics.includes(event.data)) tell(event.data);
}

function connect() {
  clearTimeout(retry);
  source?.close();
  source = new EventSource(`${url}/live/events?topics=${encodeURIComponent(topics.join(","))}`, { withCredentials: true });
  source.addEventListener("open", isBack);
  source.addEventListener("change", hear);
  source.addEventListener("error", () => {
    isCut();
    if (source.readyState !== EventSource.CLOSED) return;
    retry = setTimeout(connect, pause + Math.random() * pause);
    pause = Math.min(pause * 2, 30000);
  });
}

function follow() {
  const now = wanted();
  if (!url || now.join() === topics.join()) return;
  if (topics.length) asked = performance.now();
  topics = now;
  if (topics.length) connect(); else source?.close();
}

follow();
document.addEventListener("htmx:after:settle", follow);
window.addEventListener("online", () => { if (topics.length) connect(); });
window.addEventListener("pagehide", () => source?.close());
