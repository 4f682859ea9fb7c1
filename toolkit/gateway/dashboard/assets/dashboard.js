// What only a browser can do: the theme, files that are dropped, the service worker. The rest is drawn by the gateway.
window.dash = {
  parcels: {},

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

  async take(zone, files) {
    dash.parcels[zone.dataset.drop] = files = dash.bared(files);
    const bytes = files.reduce((sum, {file}) => sum + file.size, 0);
    emitEvent("dropped", {zone: zone.dataset.drop, names: files.map(({name}) => name), bytes});
  },

  // To one node, in batches: findings and files of all of them together.
  async send(zone, uid, force) {
    const told = {done: true, findings: [], files: []};
    const files = dash.parcels[zone] || [];
    for (let at = 0; at < files.length; at += 80) {
      const form = new FormData();
      for (const {name, file} of files.slice(at, at + 80)) form.append("files", file, name);
      let answer;
      try {
        answer = await fetch(`/api/v1/devices/${encodeURIComponent(uid)}/files?force=${force}`, {method: "POST", body: form});
      } catch (error) {
        return {...told, done: false, why: "the gateway cannot be reached"};
      }
      const body = await answer.json();
      if (!answer.ok) return {...told, done: false, why: body.detail};
      told.findings.push(...body.findings);
      told.files.push(...body.files);
      if (!body.done) return {...told, done: false};
    }
    return told;
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
      return {status: 0, why: "the gateway cannot be reached"};
    }
    const told = await answer.json();
    return answer.ok ? {id: told.id} : {status: answer.status, why: told.detail};
  },
};

document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.querySelectorAll(".drop.over").forEach((zone) => zone.classList.remove("over"));
  event.target.closest?.("[data-drop]")?.classList.add("over");
});
document.addEventListener("dragleave", (event) => event.target.closest?.("[data-drop]")?.classList.remove("over"));
document.addEventListener("drop", async (event) => {
  event.preventDefault();
  const zone = event.target.closest?.("[data-drop]") || document.querySelector("[data-drop]");
  if (!zone) return;
  zone.classList.remove("over");
  const entries = [...event.dataTransfer.items].map((each) => each.webkitGetAsEntry?.()).filter(Boolean);
  const files = [];
  for (const entry of entries) await dash.walked(entry, "", files);
  // a script that drops gives files without entries
  if (!files.length) for (const file of event.dataTransfer.files) files.push({name: file.name, file});
  if (files.length) dash.take(zone, files);
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
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dash.theme());
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/gui-assets/sw.js", {scope: "/gui/"}).catch(() => {});
