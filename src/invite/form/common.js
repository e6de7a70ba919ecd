// A form on somebody else's page. It asks nobody for anything, keeps nothing but the instant until
// which it was closed, and touches nothing of the page but the one element that it puts there.
(() => {
  "use strict";
  const form = {{form}};
  const style = {{style}};
  const doc = document;

  const wanted = form.language ? [form.language] : navigator.languages || [];
  const language = wanted
    .flatMap((tag) => [tag.toLowerCase(), tag.toLowerCase().split("-")[0]])
    .find((tag) => form.words[tag]) || "en";
  const words = { ...form.base, ...form.words[language] };

  const make = (name, attributes, ...inside) => {
    const one = doc.createElement(name);
    for (const each in attributes) one.setAttribute(each, attributes[each]);
    one.append(...inside);
    return one;
  };
  const sign = (path) => {
    const part = (name) => doc.createElementNS("http://www.w3.org/2000/svg", name);
    const svg = part("svg");
    const line = part("path");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
  };
  const link = (attributes, ...inside) =>
    make("a", { target: "_blank", rel: "noopener noreferrer", ...attributes }, ...inside);

  const content = () => {
    const said = make("div", {});
    if (words.title) said.append(make("h2", { id: "title", dir: "auto" }, words.title));
    if (words.text) said.append(make("p", { id: "text", dir: "auto" }, words.text));
    const doors = make("div", { class: "doors" });
    for (const door of form.doors) {
      const label = make("span", {}, words.before + door.name + words.after);
      doors.append(link({ class: "door " + door.kind, href: door.link }, sign(form.signs[door.kind]), label));
    }
    const consent = make("p", { class: "consent", dir: "auto" }, words.consent);
    if (form.privacy) consent.append(" ", link({ href: form.privacy }, words.privacy));
    return make("div", { class: "in" }, said, doors, consent);
  };
  const put = (box) => {
    const host = make("div", { lang: language });
    const root = host.attachShadow({ mode: "closed" });
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(style);
      root.adoptedStyleSheets = [sheet];
    } catch {
      root.append(make("style", {}, style));
    }
    root.append(box);
    return [host, root];
  };
{{rest}}
  if (doc.readyState === "loading") doc.addEventListener("DOMContentLoaded", start);
  else start();
})();
