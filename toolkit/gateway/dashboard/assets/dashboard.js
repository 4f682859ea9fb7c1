// What only a browser can do: the theme, files that are dropped, the service worker. The rest is drawn by the gateway.
window.dash = {
  BATCH: 80,                   // files of a request; the API takes 100
  drops: 0,
  parcels: {},                 // of a zone its last drop, of each drop: files

  theme(next) {
    const order = ["auto", "light", "dark"];
    let kept = localStorage.getItem("theme") || "auto";
    if (next) localStorage.setItem("theme", kept = order[(order.indexOf(kept) + 1) % 3]);
    const dark = kept === "auto" ? matchMedia("(prefers-color-scheme: dark)").matches : kept === "dark";
    window.Quasar && Quasar.Dark.set(dark);
    document.querySelector("meta[name=theme-color]")?.setAttribute("content", dark ? "#18212a" : "#ffffff");
    document.querySelectorAll("[data-theme-name]").forEach((each) => { each.textContent = kept; });
    return kept;
  },

  async leave() {
    await fetch("/api/v1/session", {method: "DELETE"});
    location.href = "/enter";
  },

  image() {
    const input = Object.assign(document.createElement("input"), {type: "file", accept: ".bin,.uf2"});
    input.onchange = async () => {
      const form = new FormData(), name = input.files[0].name;
      form.append("file", input.files[0]);
      try {
        const answer = await fetch("/api/v1/usb/images", {method: "POST", body: form}), body = await answer.json();
        emitEvent("image", {name, image: body.image, why: body.detail});
      } catch (error) {
        emitEvent("image", {name, why: "the gateway cannot be reached"});
      }
    };
    input.click();
  },

  // -- files: [{name, file}], names as they are to lie on the node
  async walked(entry, path, into) {
    if (entry.name.startsWith(".") || entry.name === "__pycache__") return;
    if (entry.isFile) {
      into.push({name: path + entry.name, file: await new Promise((done, failed) => entry.file(done, failed))});
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((done, failed) => reader.readEntries(done, failed));
      if (!some.length) return;
      for (const each of some) await dash.walked(each, path + entry.name + "/", into);
    }
  },

  // A folder that holds load modules or main is a set: its own name is none of the node's.
  bared(files) {
    const roots = new Set(files.map(({name}) => name.includes("/") ? name.split("/")[0] : ""));
    return files.map((each) => {
      const root = each.name.includes("/") ? each.name.split("/")[0] : "";
      const isSet = root && files.some(({name}) =>
        name.startsWith(root + "/") && /^(main\.m?py|LM_\w+\.m?py)$/.test(name.slice(root.length + 1)));
      return isSet && roots.size ? {...each, name: each.name.slice(root.length + 1)} : each;
    });
  },

  // of: whose they are, where they were dropped on one of several; empty: on the place for all that are selected
  take(zone, files, of = "") {
    const place = zone.dataset.drop, drop = `${place}:${dash.drops += 1}`;
    files = dash.bared(files).sort((one, other) => (one.name < other.name ? -1 : 1));      // a disk has no order
    dash.parcels[place] = dash.parcels[drop] = files;
    const bytes = files.reduce((sum, {file}) => sum + file.size, 0);
    emitEvent("dropped", {zone: place, drop, of, names: files.map(({name}) => name), bytes});
  },

  form(files) {
    const form = new FormData();
    for (const {name, file} of files) form.append("files", file, name);
    return form;
  },

  // {told: the answer} or {why}
  async post(path, body) {
    let answer;
    try {
      answer = await fetch(path, {method: "POST", body});
    } catch (error) {
      return {why: "the gateway cannot be reached, or a file was changed after it was dropped"};
    }
    const told = await answer.json();
    return answer.ok ? {told} : {why: told.detail};
  },

  fit(drop) {
    return (dash.parcels[drop] || []).filter(({name}) => !/\.(bin|uf2)$/.test(name));
  },

  // All load modules go first, in one batch: the gateway sends none of it before it has looked through all of them.
  batches(files) {
    const isModule = ({name}) => /(^|\/)LM_[^/]*\.py$/.test(name);
    const modules = files.filter(isModule), rest = files.filter((each) => !isModule(each));
    const batches = [[...modules, ...rest.splice(0, Math.max(0, dash.BATCH - modules.length))]];
    while (rest.length) batches.push(rest.splice(0, dash.BATCH));
    return modules.length > dash.BATCH ? null : batches;
  },

  // To one node: findings and files of all batches together.
  async send(drop, uid, force) {
    const all = {done: false, findings: [], files: []}, batches = dash.batches(dash.fit(drop));
    if (!batches) return {...all, why: `a drop takes up to ${dash.BATCH} load modules: drop them in several parts`};
    for (const batch of batches) {
      const path = `/api/v1/devices/${encodeURIComponent(uid)}/files?force=${force}`;
      const {told, why} = await dash.post(path, dash.form(batch));
      if (why) return {...all, why};
      all.findings.push(...told.findings);
      all.files.push(...told.files);
      if (!told.done) return all;
    }
    return {...all, done: true};
  },

  // A set of micrOS, whole: {told: {findings, run}} or {why}
  update(drop, uid, force) {
    const path = `/api/v1/devices/${encodeURIComponent(uid)}/update/set?force=${force}`;
    return dash.post(path, dash.form(dash.fit(drop)));
  },

  async inBase64(file) {
    const reader = new FileReader();
    await new Promise((done, failed) => { reader.onload = done; reader.onerror = failed; reader.readAsDataURL(file); });
    return reader.result.split(",")[1] || "";
  },

  // A job that brings the files of a zone: they go from here to the gateway, not over the page. {id} or {status, why}
  async order(zone, order) {
    const files = {};
    for (const {name, file} of dash.parcels[zone] || []) files[name] = await dash.inBase64(file);
    const body = JSON.stringify({...order, files}), headers = {"Content-Type": "application/json"};
    let answer;
    try {
      answer = await fetch("/api/v1/jobs", {method: "POST", headers, body});
    } catch (error) {
      return {status: 0, why: "the order did not get through: the gateway is away, or the files are too large"};
    }
    const told = await answer.json();
    return answer.ok ? {id: told.id} : {status: answer.status, why: told.detail};
  },
};

// A place for files, [data-drop], or a row with a node of its own, [data-of], whose files go by the place of the page.
// A row that is selected stands for the selection.
const targetOf = (event) => event.target.closest?.("[data-drop], [data-of]");
const meant = (target) => target?.matches("[data-of][data-picked]") ?
  document.querySelectorAll("[data-of][data-picked]") : target ? [target] : [];
const unmark = () => document.querySelectorAll(".over").forEach((each) => each.classList.remove("over"));

document.addEventListener("dragover", (event) => {
  event.preventDefault();
  const target = targetOf(event);
  event.dataTransfer.dropEffect = target ? "copy" : "none";
  unmark();
  meant(target).forEach((each) => each.classList.add("over"));
});
document.addEventListener("dragleave", (event) => event.relatedTarget || unmark());
document.addEventListener("drop", async (event) => {
  event.preventDefault();
  unmark();
  const target = targetOf(event), zone = target?.dataset.of ? document.querySelector("[data-drop]") : target;
  if (!zone) return;
  const entries = [...event.dataTransfer.items].map((each) => each.webkitGetAsEntry?.()).filter(Boolean);
  const files = [];
  for (const entry of entries) await dash.walked(entry, "", files);
  // a script that drops gives files without entries
  if (!files.length) for (const file of event.dataTransfer.files) files.push({name: file.name, file});
  if (files.length) dash.take(zone, files, target.dataset.of);
});
document.addEventListener("click", (event) => {
  const zone = event.target.closest?.("[data-drop]");
  if (!zone) return;
  const input = Object.assign(document.createElement("input"), {type: "file", multiple: true});
  input.onchange = () => dash.take(zone, [...input.files].map((file) => ({name: file.name, file})));
  input.click();
});
document.addEventListener("DOMContentLoaded", () => {
  setTimeout(() => document.querySelector(".tabs a[aria-current]")?.scrollIntoView({inline: "center", block: "nearest"}), 300);
  const waiting = setInterval(() => { if (window.Quasar) { clearInterval(waiting); setTimeout(dash.theme, 60); dash.theme(); } }, 20);
  const naming = setInterval(() => {           // Quasar's own, without a name that could be read out
    const bar = document.querySelector(".q-loading-bar");
    if (bar) { clearInterval(naming); bar.setAttribute("aria-label", "Loading"); }
  }, 20);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dash.theme());
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/gui-assets/sw.js", {scope: "/gui/"}).catch(() => {});
