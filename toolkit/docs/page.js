"use strict";
(() => {
  const query = document.getElementById("query");
  const found = document.getElementById("found");
  const lead = document.querySelector(".lead");
  const nothing = document.querySelector(".nothing");
  const modules = [...document.querySelectorAll(".module")];
  const boards = [...document.querySelectorAll(".board-card")];
  const groups = [...document.querySelectorAll(".group")];
  const all = found.textContent;
  const has = (text, words) => words.every((word) => text.includes(word));
  const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

  /* A module that fits as a whole shows all of its functions, another one those that fit. Returns how many. */
  function narrow(module, words) {
    const own = module.dataset.words;
    const whole = has(own, words);
    let shown = 0;
    for (const row of module.querySelectorAll(".function")) {
      row.hidden = !whole && !has(`${own} ${row.dataset.words}`, words);
      shown += !row.hidden;
    }
    module.hidden = !whole && !shown;
    return shown;
  }

  function search() {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const functions = modules.reduce((sum, module) => sum + narrow(module, words), 0);
    for (const board of boards) board.hidden = !has(board.dataset.words, words);
    for (const group of groups) group.hidden = !group.querySelector("article:not([hidden])");
    const left = modules.filter((module) => !module.hidden).length;
    const pinned = boards.filter((board) => !board.hidden).length;
    lead.hidden = words.length > 0;
    nothing.hidden = left + pinned > 0;
    found.textContent = words.length
      ? `${count(left, "module")}, ${count(functions, "function")}, ${count(pinned, "board")}` : all;
  }

  function clear() {
    query.value = "";
    search();
  }

  /* The headings that are shown, to walk through with the arrows. */
  const headings = () => [...document.querySelectorAll("article:not([hidden]) > h3 > a")];

  function step(by) {
    const links = headings();
    const at = links.indexOf(document.activeElement);
    if (at + by < 0) query.focus();
    else links[Math.min(at + by, links.length - 1)]?.focus();
  }

  query.addEventListener("input", () => {
    search();
    scrollTo({ top: 0, behavior: "instant" });
  });
  query.form.addEventListener("submit", (event) => {
    event.preventDefault();
    headings()[0]?.focus();
  });
  nothing.querySelector("button").addEventListener("click", () => {
    clear();
    query.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const walks = event.target === query || event.target.matches("h3 > a");
    if (event.key === "/" && event.target !== query) query.select();
    else if (event.key === "Escape") {
      clear();
      query.focus();
    } else if (event.key === "ArrowDown" && walks) step(1);
    else if (event.key === "ArrowUp" && walks) step(-1);
    else return;
    event.preventDefault();
  });
  /* A link to what the search has hidden shows it again. */
  addEventListener("hashchange", () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target?.closest("[hidden]")) {
      clear();
      target.scrollIntoView();
    }
  });
})();
