// What scripts add to the pages: drafts that survive a lost network, a warning before leaving, no double submission.
// Everything works without them.
"use strict";

(function () {
  const KEY = "draft:";

  function fields(form) {
    return Array.from(form.elements).filter((one) => one.name && !one.name.startsWith("_") && !("secret" in one.dataset) && !["hidden", "file", "submit", "button", "password"].includes(one.type));
  }

  function kept(form) {
    try { return JSON.parse(localStorage.getItem(KEY + form.dataset.draft)); } catch { return null; }
  }
  function differs(one) { // from what the server had filled in
    if (one.type !== "select-one") return one.value !== one.defaultValue;
    const chosen = Array.from(one.options).find((option) => option.defaultSelected);
    return chosen ? !chosen.selected : one.selectedIndex > 0;
  }
  function keep(form) {
    const before = kept(form), values = {}, changed = new Set(before?.changed), here = new Set(fields(form).map((one) => one.name));
    // rows of a list that are not on the page yet stay kept until they are
    for (const name in before ? before.values : {}) if (/\.\d+\./.test(name) && !here.has(name)) values[name] = before.values[name];
    for (const one of fields(form)) {
      if (one.type === "checkbox") { (values[one.name] ||= []).push(...(one.checked ? [one.value] : [])); }
      else if (one.type === "radio") { if (one.checked) values[one.name] = one.value; }
      else {
        if (one.value) values[one.name] = one.value;
        if (differs(one)) changed.add(one.name);
      }
    }
    try { localStorage.setItem(KEY + form.dataset.draft, JSON.stringify({ at: Date.now(), values, changed: [...changed] })); } catch { /* full or forbidden */ }
  }

  function restore(form) {
    const found = kept(form);
    if (!found || Date.now() - found.at > 14 * 24 * 3600 * 1000) return;
    const changed = location.search ? [] : found.changed || []; // what an address asks for goes before what was typed
    let brought = false; // the server has filled in most of it itself after a refusal: then there is nothing to tell
    for (const one of fields(form)) {
      const value = found.values[one.name];
      const over = "draftOver" in one.dataset || changed.includes(one.name);
      if (value === undefined || (one.value && !over && one.type !== "radio" && one.type !== "checkbox")) continue;
      if (one.options && !Array.from(one.options).some((option) => option.value === value)) continue; // no longer offered
      const before = [one.value, one.checked].join();
      if (one.type === "checkbox") one.checked = [value].flat().includes(one.value);
      else if (one.type === "radio") one.checked = one.value === value;
      else one.value = value;
      brought ||= before !== [one.value, one.checked].join();
      const fold = one.closest("details"); // what was typed is seen again
      if (fold && value.length && form.contains(fold)) fold.open = true;
    }
    const note = form.querySelector("[data-draft-note]");
    if (note && brought) note.hidden = false;
    const around = form.closest("details");
    if (around && brought) around.open = true;
  }

  function once(form) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) { event.preventDefault(); return; }
      if (!navigator.onLine && form.dataset.draft) {
        event.preventDefault();
        const note = form.querySelector("[data-offline-note]");
        if (note) note.hidden = false;
        return;
      }
      form.dataset.sent = "1";
      for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
    });
  }

  function prepare(root) {
    for (const form of root.querySelectorAll("form")) {
      if (form.dataset.ready) continue;
      form.dataset.ready = "1";
      if (form.dataset.draft) {
        restore(form);
        form.addEventListener("input", () => keep(form));
      }
      if ((form.method || "").toLowerCase() === "post") once(form);
      if ("stays" in form.dataset) form.addEventListener("submit", () => { // a filter may have changed the address since
        form.elements.next.value = location.pathname + location.search;
      });
    }
    for (const done of root.querySelectorAll("[data-draft-done]")) {
      try { localStorage.removeItem(KEY + done.dataset.draftDone); } catch { /* nothing kept */ }
    }
  }

  document.addEventListener("DOMContentLoaded", () => prepare(document));
  document.addEventListener("htmx:after:swap", () => prepare(document));
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
    }
  });
})();
