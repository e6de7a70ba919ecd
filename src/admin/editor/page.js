// The page on which forms are made. It writes the lines of the settings; what is wrong with them, and
// what they look like, the daemon says.
"use strict";

const at = (id) => document.getElementById(id);
const own = { en: "English", ro: "Romanian", it: "Italian", de: "German", fr: "French", es: "Spanish" };
const positions = {
  popup: [["center", "in the middle"], ["bottom-right", "in the right corner"], ["bottom-left", "in the left corner"]],
  bar: [["bottom", "at the bottom"], ["top", "at the top"]],
  button: [],
};
const worded = ["title", "text", "consent"];

let known = { address: "", topics: [], channels: [], forms: [] };
// By key and language, as they are written.
let words = {};

const make = (name, attributes, ...inside) => {
  const one = document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => one.setAttribute(key, value));
  one.append(...inside);
  return one;
};

// JSON's strings are TOML's, but for a character that TOML wants escaped.
const quoted = (text) => JSON.stringify(text).replace(/\u007f/g, "\\u007f");
const listed = (texts) => `[${texts.map(quoted).join(", ")}]`;

function texts(key) {
  const said = Object.entries(words[key] || {}).filter(([, text]) => text.trim());
  if (!said.length) return null;
  if (said.length === 1 && said[0][0] === "en") return quoted(said[0][1]);
  return `{ ${said.map(([tag, text]) => `${tag} = ${quoted(text)}`).join(", ")} }`;
}

function chosen(id) {
  return [...at(id).querySelectorAll("input:checked")].map((box) => box.value);
}

function toml() {
  const kind = at("kind").value;
  const lines = [`[forms.${at("name").value}]`];
  const add = (key, value) => value !== null && value !== "" && lines.push(`${key} = ${value}`);
  if (kind !== "popup") add("kind", quoted(kind));
  const [usual] = positions[kind][0] || [];
  if (usual && at("position").value !== usual) add("position", quoted(at("position").value));
  for (const id of ["topics", "channels"]) {
    const names = chosen(id);
    if (names.length) add(id, listed(names));
  }
  worded.forEach((key) => add(key, texts(key)));
  if (at("privacy").value) add("privacy", quoted(at("privacy").value));
  if (at("coloured").checked) add("colour", quoted(at("colour").value));
  if (kind !== "button") {
    const seconds = Number(at("after").value);
    if (at("after").value !== "") add("after", quoted(Number.isInteger(seconds) ? `${seconds}s` : `${Math.round(seconds * 1000)}ms`));
    if (at("scroll").value !== "") add("scroll", `${Math.max(0, Math.min(100, Math.round(at("scroll").value))) / 100}`);
    if (at("exit").checked) add("exit", "true");
    if (at("again").value !== "") add("again_after", quoted(`${Math.round(at("again").value)}d`));
  }
  return `${lines.join("\n")}\n`;
}

function tag() {
  return `<script async src="${known.address}/embed.js?form=${at("name").value}"></scr` + "ipt>";
}

// What is wrong with the form's name, which is a part of the tag; nothing where it is well.
function misnamed() {
  if (/^[a-z0-9][a-z0-9_-]{0,63}$/.test(at("name").value)) return "";
  return "A name has small letters a-z, digits, _ and -, and begins with a letter or a digit.";
}

// When it comes that is told nothing: a pop-up after five seconds, a bar at once.
function hint() {
  const told = at("scroll").value !== "" || at("exit").checked;
  at("after").placeholder = told ? "never" : { popup: "5", bar: "0" }[at("kind").value] || "";
}

let asked = 0;
async function show() {
  hint();
  const wrong = misnamed();
  at("name").setCustomValidity(wrong);
  at("name").setAttribute("aria-invalid", String(Boolean(wrong)));
  at("name-told").textContent = wrong;
  const text = toml();
  at("toml").value = wrong ? "" : text;
  at("tag").value = wrong ? "" : tag();
  if (wrong) {
    asked++;
    at("problems").replaceChildren();
    return;
  }
  const number = ++asked;
  const answer = await fetch(`/checked?${new URLSearchParams({ toml: text })}`);
  const { problems, bytes } = await answer.json();
  // An answer to what was written before.
  if (number !== asked) return;
  const told = at("problems");
  told.className = problems.length ? "" : "well";
  told.replaceChildren(...problems.map((problem) => make("p", {}, problem)));
  if (problems.length) return;
  told.textContent = `The script has ${(bytes / 1000).toFixed(1)} kB.`;
  at("preview").src = `/preview?${new URLSearchParams({ toml: text, language: at("language").value })}`;
}

let waiting = 0;
function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(show, 250);
}

function fit() {
  const kind = at("kind").value;
  document.querySelectorAll("[data-for]").forEach((part) => {
    part.hidden = !part.dataset.for.split(" ").includes(kind);
  });
  const before = at("position").value;
  at("position").replaceChildren(...positions[kind].map(([value, label]) => make("option", { value }, label)));
  if (positions[kind].some(([value]) => value === before)) at("position").value = before;
}

function speak() {
  const language = at("language").value;
  worded.forEach((key) => { at(key).value = (words[key] || {})[language] || ""; });
}

function languages(more) {
  const all = { ...own };
  more.forEach((tag) => { all[tag] = all[tag] || tag; });
  const before = at("language").value || "en";
  at("language").replaceChildren(...Object.entries(all).map(([value, label]) => make("option", { value }, label)));
  at("language").value = before;
}

// Takes up a form of the settings.
function take(form) {
  at("settings").reset();
  at("begin").value = form.name || "";
  at("name").value = form.name || "popup";
  at("kind").value = form.kind || "popup";
  fit();
  at("position").value = form.position || (positions[at("kind").value][0] || [""])[0];
  for (const id of ["topics", "channels"]) {
    at(id).querySelectorAll("input").forEach((box) => { box.checked = (form[id] || []).includes(box.value); });
  }
  words = Object.fromEntries(worded.map((key) => [key, { ...form[key] }]));
  languages(worded.flatMap((key) => Object.keys(words[key])));
  at("privacy").value = form.privacy || "";
  at("coloured").checked = Boolean(form.colour);
  if (form.colour) at("colour").value = form.colour;
  at("after").value = form.after ?? "";
  at("scroll").value = form.scroll ? Math.round(form.scroll * 100) : "";
  at("exit").checked = Boolean(form.exit);
  at("again").value = form.again ?? "";
  speak();
  show();
}

async function start() {
  known = await (await fetch("/known")).json();
  for (const id of ["topics", "channels"]) {
    at(id).replaceChildren(...known[id].map(({ name, title }) =>
      make("label", {}, make("input", { type: "checkbox", value: name }), title)));
  }
  at("begin").append(...known.forms.map(({ name }) => make("option", { value: name }, name)));
  at("begin").addEventListener("change", () =>
    take(known.forms.find(({ name }) => name === at("begin").value) || {}));
  at("kind").addEventListener("change", fit);
  at("language").addEventListener("change", speak);
  worded.forEach((key) => at(key).addEventListener("input", () => {
    words[key] = { ...words[key], [at("language").value]: at(key).value };
  }));
  at("colour").addEventListener("input", () => { at("coloured").checked = true; });
  at("settings").addEventListener("input", soon);
  at("settings").addEventListener("submit", (event) => event.preventDefault());
  at("replay").addEventListener("click", show);
  document.querySelectorAll("[data-copies]").forEach((button) => button.addEventListener("click", async () => {
    const from = at(button.dataset.copies);
    from.select();
    try {
      await navigator.clipboard.writeText(from.value);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    } catch {
      // It is selected: the keyboard copies it.
    }
  }));
  fit();
  languages([]);
  take(known.forms[0] || {});
}

start();
