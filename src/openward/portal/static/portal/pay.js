// A browser that goes back fills a form in again as it was left. The number of a card and its security code do not come back: somebody else may sit there.

addEventListener("pageshow", (event) => {
  const came = performance.getEntriesByType("navigation")[0]?.type;
  if (!event.persisted && came !== "back_forward") return;
  for (const input of document.querySelectorAll("[autocomplete=cc-number], [autocomplete=cc-csc]")) input.value = "";
});
