// A little comfort; every page works without it.
"use strict";

// "/" goes to the search of the page, as on many sites, unless somebody is typing.
document.addEventListener("keydown", (event) => {
  const busy = document.activeElement?.closest("input, select, textarea, [contenteditable]");
  if (event.key !== "/" || busy || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.querySelector("input[type=search]");
  if (search) {
    event.preventDefault();
    search.focus();
  }
});

// A form that is on its way is not sent twice. Coming back to the page lets it be sent again, and so
// does time: nothing tells a page that its user has stopped the browser, which waits no more.
const AGAIN_MILLISECONDS = 10_000;
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  for (const button of event.target.querySelectorAll("button")) {
    // After the event, because a disabled button would not be part of what is sent.
    setTimeout(() => { button.disabled = true; });
    setTimeout(() => { button.disabled = false; }, AGAIN_MILLISECONDS);
  }
});
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("form button:disabled")) button.disabled = false;
});
