// Choosing a facility or a clinician acts at once; without this script the button beside it does.

document.querySelectorAll("[data-submit-on-change]").forEach((choice) => choice.form.querySelector("button")?.setAttribute("hidden", ""));
document.addEventListener("htmx:after:settle", () => document.querySelectorAll("[data-submit-on-change]").forEach((choice) => choice.form.querySelector("button")?.setAttribute("hidden", "")));
document.addEventListener("change", (event) => { if (event.target.matches?.("[data-submit-on-change]")) event.target.form.submit(); });
