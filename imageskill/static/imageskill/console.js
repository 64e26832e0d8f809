// The console works without this script, which copies ids, writes times in the viewer's zone
// and opens the search with a key.
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  event.preventDefault();
  await navigator.clipboard.writeText(button.dataset.copy);
  const sign = button.querySelector(".material-symbols-outlined");
  if (!sign) return;
  sign.textContent = "check";
  setTimeout(() => { sign.textContent = "content_copy"; }, 1200);
});

// "Nov 30, 6:22 AM": with the year where it is another one, with seconds where steps need them.
function localTime(moment, seconds) {
  const options = { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" };
  if (seconds) options.second = "2-digit";
  if (moment.getFullYear() !== new Date().getFullYear()) options.year = "numeric";
  return new Intl.DateTimeFormat("en-US", options).format(moment);
}

function writeLocalTimes(root) {
  const times = [...root.querySelectorAll("time[datetime]")];
  if (root.matches?.("time[datetime]")) times.push(root);
  for (const time of times) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.valueOf())) time.textContent = localTime(moment, "seconds" in time.dataset);
  }
}

// Times that a script adds later (the inbox's open report) are written so too.
const later = new MutationObserver((changes) => {
  for (const node of changes.flatMap((change) => [...change.addedNodes])) {
    if (node.nodeType === Node.ELEMENT_NODE) writeLocalTimes(node);
  }
});
document.addEventListener("DOMContentLoaded", () => {
  writeLocalTimes(document);
  later.observe(document.body, { childList: true, subtree: true });
});

// While the theme starts, the page is hidden, and what is hidden can't be focused.
window.addEventListener("load", () => {
  if (document.activeElement === document.body) document.querySelector("[autofocus]")?.focus();
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const link = document.querySelector('a[href$="/find/"]');
  if (!link) return;
  event.preventDefault();
  link.click();
});
