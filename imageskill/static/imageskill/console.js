// The console without this works too: it copies ids, writes times in the viewer's zone, and
// opens the search box with a key.
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

function writeLocalTimes() {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  for (const time of document.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.valueOf())) time.textContent = format.format(moment);
  }
}
document.addEventListener("DOMContentLoaded", writeLocalTimes);

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
