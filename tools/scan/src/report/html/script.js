"use strict";
// Filters the results and copies commands. Everything is readable without it.
(() => {
  const results = Array.from(document.querySelectorAll("[data-status]"), (element) => {
    const group = element.closest("[data-severity]");
    const { status, account, region } = element.dataset;
    const { severity, service } = group.dataset;
    return { element, group, values: { status, account, region, severity, service }, text: null };
  });
  const controls = Array.from(document.querySelectorAll(".control"));
  const query = document.getElementById("query");
  const selects = Array.from(document.querySelectorAll("[data-filter]"));
  const shown = document.getElementById("shown");

  // Lowercase text of a result and its control's heading, made when it is first searched.
  const heading = new Map();
  const text = (result) => {
    if (result.text === null) {
      if (!heading.has(result.group)) {
        const title = result.group.querySelector("h3");
        heading.set(result.group, title ? `${title.textContent} ${result.group.id.slice(2)}` : "");
      }
      result.text = `${result.element.textContent} ${heading.get(result.group)}`.toLowerCase();
    }
    return result.text;
  };

  const apply = () => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = selects.filter((it) => it.value !== "").map((it) => [it.dataset.filter, it.value]);
    const visible = new Set();
    let number = 0;
    for (const result of results) {
      const matches = chosen.every(([name, value]) => result.values[name] === value)
        && words.every((word) => text(result).includes(word));
      result.element.hidden = !matches;
      if (matches) {
        number += 1;
        visible.add(result.group);
      }
    }
    for (const control of controls) control.hidden = !visible.has(control);
    const isFiltered = words.length > 0 || chosen.length > 0;
    const verdicts = document.querySelector("#verdicts details");
    const listed = verdicts && isFiltered && verdicts.querySelector("[data-status]:not([hidden])");
    if (listed) verdicts.open = true;
    shown.textContent = isFiltered ? `${number} of ${results.length} results` : `${results.length} results`;
  };

  let timer = 0;
  query.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(apply, 150);
  });
  for (const select of selects) select.addEventListener("change", apply);
  const reset = () => {
    query.value = "";
    for (const select of selects) select.value = "";
    apply();
  };
  document.getElementById("reset").addEventListener("click", reset);
  const plans = document.getElementById("plans");
  plans.addEventListener("click", () => {
    const isOpen = plans.getAttribute("aria-pressed") !== "true";
    plans.setAttribute("aria-pressed", isOpen);
    for (const plan of document.querySelectorAll(".fix details")) plan.open = isOpen;
  });
  // A link to a control that is filtered out shows everything again; one to a folded list unfolds it.
  addEventListener("hashchange", () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.localName === "details") target.open = true;
    if (target && target.hidden) {
      reset();
      target.scrollIntoView();
    }
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy button");
    if (!button) return;
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });

  document.documentElement.classList.add("script");
  document.getElementById("filters").hidden = false;
  apply();
})();
