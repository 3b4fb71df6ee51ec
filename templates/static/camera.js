// Photographs of a form: smaller before they travel, seen before they are sent, kept until they have arrived.
// Everything works without this file; the server makes every picture anew in any case.
"use strict";

(function () {
  const LONG_SIDE = 2560, QUALITY = 0.85, STORE = "photographs";
  const LASTS = 14 * 24 * 3600 * 1000; // as long as a draft of text

  function opened() {
    return new Promise((give, fail) => {
      const asked = indexedDB.open("anze", 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
      asked.onsuccess = () => give(asked.result);
      asked.onerror = fail;
    });
  }

  async function stored(mode, act) {
    try {
      const base = await opened();
      return await new Promise((give, fail) => {
        const asked = act(base.transaction(STORE, mode).objectStore(STORE));
        asked.onsuccess = () => give(asked.result);
        asked.onerror = fail;
      });
    } catch { return undefined; } // forbidden or full: the form still works
  }

  async function smaller(file) {
    if (!file.type.startsWith("image/") || !window.createImageBitmap) return file;
    try {
      const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
      const scale = Math.min(1, LONG_SIDE / Math.max(picture.width, picture.height));
      if (scale === 1 && file.size < 1500000) return file;
      const canvas = document.createElement("canvas");
      canvas.width = Math.round(picture.width * scale);
      canvas.height = Math.round(picture.height * scale);
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      const blob = await new Promise((give) => canvas.toBlob(give, "image/jpeg", QUALITY));
      return blob && blob.size < file.size ? new File([blob], file.name.replace(/\.[^.]*$/, "") + ".jpg", { type: "image/jpeg" }) : file;
    } catch { return file; } // not a picture this browser reads: the server will say so
  }

  function prepare(field) {
    const form = field.closest("form"), part = field.dataset.camera; // several fields of one form keep theirs apart
    const key = form.dataset.draft && form.dataset.draft + (part ? "/" + part : "");
    const [first, ...others] = field.querySelectorAll("input[type=file]");
    const last = others.length ? others[others.length - 1] : first;
    const tray = document.createElement("ul");
    tray.className = "photos tray";
    field.append(tray);
    field.classList.add("ready");
    let files = [];

    function put() {
      const carried = new DataTransfer();
      for (const file of files) carried.items.add(file);
      last.files = carried.files; // one field carries them all
      if (first !== last) first.value = "";
      tray.replaceChildren(...files.map(shown));
      if (key) stored("readwrite", (store) => files.length ? store.put({ at: Date.now(), files }, key) : store.delete(key));
    }

    function shown(file) {
      const item = document.createElement("li");
      if (file.type.startsWith("image/")) {
        const picture = document.createElement("img");
        picture.alt = file.name;
        picture.src = URL.createObjectURL(file);
        picture.onload = () => URL.revokeObjectURL(picture.src);
        item.append(picture);
      } else item.append(file.name);
      const away = document.createElement("button");
      away.type = "button";
      away.className = "second small";
      away.textContent = field.dataset.away;
      away.setAttribute("aria-label", field.dataset.away + " " + file.name);
      away.onclick = () => { files = files.filter((one) => one !== file); put(); };
      item.append(away);
      return item;
    }

    async function taken(input) {
      const come = input === last ? Array.from(input.files).filter((file) => !files.includes(file)) : Array.from(input.files);
      const small = await Promise.all(come.map(smaller));
      files = [...files, ...small].slice(0, Number(field.dataset.most));
      put();
    }

    for (const input of new Set([first, last])) input.addEventListener("change", () => taken(input));
    if (key) stored("readonly", (store) => store.get(key)).then((kept) => {
      if (kept && Date.now() - kept.at < LASTS && !files.length) { files = kept.files; put(); if (field.closest("details")) field.closest("details").open = true; }
    });
  }

  async function cleared(done) {
    for (const key of await stored("readonly", (store) => store.getAllKeys()) || []) {
      if (key === done || key.startsWith(done + "/")) stored("readwrite", (store) => store.delete(key));
    }
  }

  async function sweep() {
    for (const key of await stored("readonly", (store) => store.getAllKeys()) || []) {
      const kept = await stored("readonly", (store) => store.get(key));
      if (!kept || Date.now() - kept.at > LASTS) stored("readwrite", (store) => store.delete(key));
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    sweep();
    for (const done of document.querySelectorAll("[data-draft-done]")) cleared(done.dataset.draftDone);
    for (const field of document.querySelectorAll("[data-camera]")) prepare(field);
  });
})();
