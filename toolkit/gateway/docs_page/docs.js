"use strict";
// Draws openapi.json, and tries a path with the cookie that POST /api/v1/session has set.

const METHODS = ["get", "post", "put", "delete"];

const made = (name, attributes = {}, ...children) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.filter((each) => each !== null));
  return element;
};

let described;

const looked = (schema) => schema && schema.$ref
  ? looked(schema.$ref.split("/").slice(1).reduce((at, key) => at[key], described)) : schema || {};

function example(schema, depth = 0) {
  const it = looked(schema);
  if (it.examples) return it.examples[0];
  if (it.default !== undefined) return it.default;
  if (it.enum) return it.enum[0];
  const first = (it.anyOf || it.oneOf || [])[0];
  if (first) return example(first, depth);
  if (it.type === "array") return depth > 4 ? [] : [example(it.items || {}, depth + 1)];
  if (it.properties) {
    return Object.fromEntries(Object.entries(it.properties).map(([key, each]) => [key, example(each, depth + 1)]));
  }
  return { string: "", integer: 0, number: 0, boolean: false }[it.type] ?? null;
}

const kind = (schema) => {
  const it = looked(schema);
  if (it.enum) return it.enum.join(", ");
  if (it.anyOf) return it.anyOf.map(kind).join(" or ");
  return it.type || "";
};

function inputs(operation) {
  const rows = (operation.parameters || []).map((parameter) => {
    const field = made("input", { name: parameter.name, "data-in": parameter.in, "aria-label": parameter.name,
      placeholder: parameter.required ? "" : String(looked(parameter.schema).default ?? "") });
    return made("tr", {}, made("th", {}, parameter.name),
      made("td", {}, `${kind(parameter.schema)}${parameter.description ? ": " + parameter.description : ""}`),
      made("td", {}, field));
  });
  return rows.length ? made("table", {}, made("tbody", {}, ...rows)) : null;
}

function bodyField(operation) {
  const content = operation.requestBody && operation.requestBody.content;
  if (!content) return null;
  if (content["multipart/form-data"]) return made("input", { type: "file", multiple: "", "aria-label": "files" });
  const field = made("textarea", { spellcheck: "false", "aria-label": "body, JSON" });
  field.value = JSON.stringify(example(content["application/json"].schema), null, 2);
  return field;
}

function request(path, method, form, body) {
  const query = new URLSearchParams();
  let place = path;
  for (const field of form.querySelectorAll("input[data-in]")) {
    if (field.dataset.in === "path") place = place.replace(`{${field.name}}`, encodeURIComponent(field.value));
    else if (field.value) query.set(field.name, field.value);
  }
  const options = { method: method.toUpperCase(), headers: { Accept: "application/json" } };
  if (body instanceof HTMLTextAreaElement) {
    options.headers["Content-Type"] = "application/json";
    options.body = body.value;
  } else if (body) {
    options.body = new FormData();
    for (const file of body.files) options.body.append("files", file, file.name);
  }
  return [String(query) ? `${place}?${query}` : place, options];
}

async function tried(path, method, form, body, answer) {
  answer.hidden = false;
  answer.textContent = "…";
  try {
    const response = await fetch(...request(path, method, form, body));
    const text = await response.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: as it is */ }
    answer.textContent = `${response.status} ${response.statusText}\n${shown}`;
  } catch (error) {
    answer.textContent = `The gateway does not answer (${error.message}): is it still running?`;
  }
}

function drawn(path, method, operation) {
  const body = bodyField(operation);
  const answer = made("pre", { hidden: "", tabindex: "0" });
  const streams = "text/event-stream" in ((operation.responses["200"] || {}).content || {});
  const form = made("form", {}, inputs(operation), body,
    streams ? made("p", {}, "A stream without end: open it with curl -N.") : made("button", {}, "Try"));
  form.addEventListener("submit", (event) => { event.preventDefault(); tried(path, method, form, body, answer); });
  const short = (operation.description || operation.summary || "").split(/[.;:]\s|\n/)[0].replace(/\.$/, "");
  return made("details", { "data-words": `${method} ${path} ${short} ${operation.description || ""}`.toLowerCase() },
    made("summary", {}, made("span", { class: `method ${method}` }, method.toUpperCase()),
      made("span", { class: "path" }, path), made("span", { class: "short" }, short)),
    made("div", { class: "inside" }, operation.description ? made("p", {}, operation.description) : null, form, answer,
      made("p", { class: "codes" }, "answers: " + Object.entries(operation.responses)
        .map(([code, each]) => `${code} ${each.description}`).join(", "))));
}

function draw() {
  const tags = new Map();
  for (const [path, methods] of Object.entries(described.paths)) {
    for (const method of METHODS.filter((each) => each in methods)) {
      const tag = (methods[method].tags || ["more"])[0];
      if (!tags.has(tag)) tags.set(tag, []);
      tags.get(tag).push(drawn(path, method, methods[method]));
    }
  }
  document.getElementById("title").textContent = `${described.info.title} ${described.info.version}`;
  document.getElementById("about").textContent = described.info.description.replaceAll("`", "");
  document.getElementById("paths").replaceChildren(
    ...[...tags].map(([tag, each]) => made("section", {}, made("h2", {}, tag), ...each)));
}

async function whoami() {
  const response = await fetch("/api/v1/session");
  document.getElementById("who").textContent = response.ok ? `you are in, role ${(await response.json()).role}` : "";
}

document.getElementById("enter").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = document.getElementById("token");
  const response = await fetch("/api/v1/session", { method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token: field.value }) });
  field.value = "";
  if (response.ok) whoami();
  else document.getElementById("who").textContent = "that is no token of this gateway";
});

document.getElementById("find").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(" ").filter(Boolean);
  for (const section of document.querySelectorAll("main section")) {
    for (const each of section.querySelectorAll("details")) each.hidden = !words.every((word) => each.dataset.words.includes(word));
    section.hidden = !section.querySelector("details:not([hidden])");
  }
});

fetch("/openapi.json").then((response) => response.json()).then((told) => { described = told; draw(); });
whoami();
