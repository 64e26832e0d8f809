// The inbox works without this script, which adds keys, and opens reports without leaving the list.
"use strict";

const inbox = document.querySelector("[data-inbox]");
const panel = document.querySelector("[data-panel]");
const rows = [...inbox.querySelectorAll("[data-report]")];
const keys = document.querySelector("[data-keys]");
const selected = inbox.querySelector("[data-selected]");
let current = Math.max(0, rows.findIndex((row) => row.classList.contains("is-open")));
let waiting;

const help = document.querySelector("[data-help]");
help.hidden = false;
help.addEventListener("click", () => keys.showModal());

function count() {
  if (!selected) return;
  const number = inbox.querySelectorAll('input[name="ids"]:checked').length;
  selected.textContent = number ? `${number} selected` : "";
}

async function load(row) {
  const url = new URL(row.querySelector("a").href);
  history.replaceState(null, "", url);
  inbox.elements.back.value = url.search;
  url.searchParams.set("part", "report");
  const answer = await fetch(url, { headers: { "X-Requested-With": "fetch" } });
  if (!answer.ok || answer.redirected) { location.assign(row.querySelector("a").href); return; }
  const text = await answer.text();
  if (rows[current] === row) panel.innerHTML = text;
}

function open(index, { now = false } = {}) {
  if (!rows.length) return;
  current = Math.min(Math.max(index, 0), rows.length - 1);
  for (const [number, row] of rows.entries()) {
    row.classList.toggle("is-open", number === current);
    if (number === current) row.querySelector("a").setAttribute("aria-current", "true");
    else row.querySelector("a").removeAttribute("aria-current");
  }
  rows[current].querySelector("a").focus({ preventScroll: true });
  rows[current].scrollIntoView({ block: "nearest" });
  clearTimeout(waiting);
  waiting = setTimeout(() => load(rows[current]), now ? 0 : 120);
}

function select() {
  const box = rows[current]?.querySelector('input[name="ids"]');
  if (!box) return;
  box.checked = !box.checked;
  count();
}

function act(key) {
  const button = inbox.querySelector(`[data-key="${key}"]`);
  if (!button || !rows.length) return false;
  if (!inbox.querySelector('input[name="ids"]:checked')) select();
  inbox.requestSubmit(button);
  return true;
}

const actions = {
  j: () => open(current + 1),
  k: () => open(current - 1),
  x: select,
  "/": () => document.querySelector("#inbox-search").focus(),
  "?": () => keys.showModal(),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest('textarea, select, [contenteditable], input:not([type="checkbox"])');
  if (typing || keys.open || event.ctrlKey || event.metaKey || event.altKey) return;
  const action = actions[event.key];
  if (action) action();
  else if (!act(event.key)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

inbox.addEventListener("change", count);
inbox.addEventListener("click", (event) => {
  const link = event.target.closest("[data-report] a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || innerWidth < 900) return;
  event.preventDefault();
  open(rows.indexOf(link.closest("[data-report]")), { now: true });
});
addEventListener("pageshow", count);
