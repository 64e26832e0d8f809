// Progressive enhancement: local times, copy buttons and a print button. Every page works without it.
(() => {
  "use strict";
  document.documentElement.classList.add("js");

  const format = { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" };
  const thisYear = new Intl.DateTimeFormat("en-US", format);
  const otherYear = new Intl.DateTimeFormat("en-US", { ...format, year: "numeric" });

  function localTimes(root) {
    for (const time of root.querySelectorAll("time[data-clock]")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      const isThisYear = at.getFullYear() === new Date().getFullYear();
      time.textContent = (isThisYear ? thisYear : otherYear).format(at);
    }
  }

  document.addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      await navigator.clipboard.writeText(copy.dataset.copy);
      const label = copy.textContent;
      copy.textContent = "Copied";
      setTimeout(() => { copy.textContent = label; }, 1500);
    }
    if (event.target.closest("[data-print]")) window.print();
  });

  document.addEventListener("DOMContentLoaded", () => {
    localTimes(document);
    document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  });
  document.addEventListener("htmx:after:swap", () => localTimes(document));
})();
