// Draws what the stand-ins hold, and does what a thumb does. Texts become text nodes, never markup.
// In a preview the messages stand in the page instead, nothing is asked for, and taps do nothing.
"use strict";

const byId = (id) => document.getElementById(id);

/** The messages of a preview; null on the sandbox's page. */
const told = byId("told") && JSON.parse(byId("told").textContent);

/** Makes an element: properties that begin with "aria-" or "data-" and "role" become attributes. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name in element && !name.includes("-")) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const isWeb = (address) => /^https?:\/\//i.test(address ?? "");

function link(href, properties, ...children) {
  return make("a", { href, target: "_blank", rel: "noreferrer", ...properties }, ...children);
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const time = (at) => make("time", { dateTime: new Date(at).toISOString() }, clock.format(at));

// ---- what a thumb does ----

async function send(path, body = {}) {
  if (told) return;
  const notice = byId("notice");
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    notice.textContent = answer.ok ? "" : `That did not work (${answer.status}).`;
  } catch {
    notice.textContent = "The sandbox does not answer.";
  }
}

async function press(button, path, body) {
  button.setAttribute("aria-busy", "true");
  await send(path, body);
  button.removeAttribute("aria-busy");
}

for (const service of told ? [] : ["telegram", "messenger"]) {
  const phone = byId(service);
  phone.addEventListener("click", (event) => {
    const button = event.target.closest("[data-deed]");
    if (!button) return;
    button.closest("details")?.removeAttribute("open");
    press(button, `/${service}/${button.dataset.deed}`);
    if (button.matches(".start, .unblock")) phone.querySelector("input").focus();
  });
  phone.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const input = event.target.elements.text;
    const text = input.value.trim();
    if (text) send(`/${service}/say`, { text });
    input.value = "";
  });
}
byId("publish")?.addEventListener("click", (event) => press(event.target, "/publish"));
byId("shop")?.addEventListener("click", (event) => {
  const button = event.target.closest("[data-shop]");
  if (!button) return;
  button.closest("details").removeAttribute("open");
  press(button, `/shop/${button.dataset.shop}`);
});

// A menu closes when something else is touched, or on Escape.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// ---- rich text ----

const WRAPPERS = {
  bold: () => make("b"),
  italic: () => make("i"),
  underline: () => make("u"),
  strikethrough: () => make("s"),
  code: () => make("code"),
  pre: () => make("pre"),
  blockquote: () => make("blockquote"),
  expandable_blockquote: () => make("blockquote", {
    className: "folded", tabIndex: 0,
    onclick() { this.classList.toggle("folded"); },
    onkeydown(event) { if (event.key === "Enter") this.classList.toggle("folded"); },
  }),
  text_link: (entity) => (isWeb(entity.url) ? link(entity.url, {}) : make("span")),
  url: (_, text) => link(isWeb(text) ? text : `https://${text}`, {}),
  spoiler: () => make("button", {
    type: "button", className: "spoiler", "aria-pressed": "false", "aria-label": "Show hidden text",
    onclick() {
      const shown = this.getAttribute("aria-pressed") !== "true";
      this.setAttribute("aria-pressed", String(shown));
      if (shown) this.removeAttribute("aria-label");
      else this.setAttribute("aria-label", "Show hidden text");
    },
  }),
};
const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);

/**
 * Text with entities as nodes. Offsets are UTF-16 units, as JavaScript counts; entities nest, and
 * one that sticks out of another is cut at its end.
 */
function rich(text, entities) {
  const sorted = [...(entities ?? [])].sort((a, b) => a.offset - b.offset || b.length - a.length);
  let next = 0;
  const build = (from, to, parent) => {
    let at = from;
    const plain = (end) => {
      let piece = text.slice(at, end);
      // A block stands on lines of its own: the line breaks beside it are its edges.
      if (parent.lastChild?.dataset?.block) piece = piece.replace(/^\n/, "");
      if (sorted[next]?.offset === end && BLOCKS.has(sorted[next].type)) {
        piece = piece.replace(/\n$/, "");
      }
      parent.append(...linked(piece));
      at = end;
    };
    while (next < sorted.length && sorted[next].offset < to) {
      const entity = sorted[next];
      const start = Math.max(entity.offset, at);
      const end = Math.min(entity.offset + entity.length, to);
      if (start > at) plain(start);
      next += 1;
      if (end <= start) continue;
      const wrap = WRAPPERS[entity.type] ?? (() => make("span", { className: "word" }));
      const element = wrap(entity, text.slice(start, end));
      if (BLOCKS.has(entity.type)) element.dataset.block = "1";
      const inner = entity.type === "spoiler" ? element.appendChild(make("span")) : element;
      at = start;
      build(start, end, inner);
      parent.append(element);
      at = end;
    }
    if (at < to) plain(to);
  };
  const fragment = document.createDocumentFragment();
  build(0, text.length, fragment);
  return fragment;
}

/** Plain text with its web addresses as links. */
function linked(text) {
  return text.split(/(https?:\/\/[^\s<>"”)]+)/gi).filter(Boolean)
    .map((piece) => (isWeb(piece) ? link(piece, {}, piece) : document.createTextNode(piece)));
}

// ---- drawing a chat ----

/** Brings the list to `lines`, each `{ key, draw }`; what has not changed is left alone. */
function draw(log, lines, hello) {
  const isFirst = !log.dataset.drawn;
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  log.dataset.drawn = "1";
  const old = new Map([...log.children].map((child) => [child.dataset.key, child]));
  let place = log.firstElementChild;
  for (const line of lines.length ? lines : [hello]) {
    let element = old.get(line.key);
    old.delete(line.key);
    if (!element) {
      element = line.draw();
      element.dataset.key = line.key;
      if (!isFirst) element.classList.add("fresh");
    }
    if (element === place) place = place.nextElementSibling;
    else log.insertBefore(element, place);
  }
  for (const element of old.values()) element.remove();
  if (isFirst || atEnd) toEnd(log);
}

function toEnd(log) {
  log.scrollTop = log.scrollHeight;
  // Pictures take their height from the style, but a late one may still push.
  for (const image of log.querySelectorAll("img")) {
    if (!image.complete) {
      image.addEventListener("load", () => { log.scrollTop = log.scrollHeight; }, { once: true });
    }
  }
}

// ---- files ----

/** Pictures and videos as one block. */
function album(items) {
  return make("div", { className: "album", role: "group", "aria-label": "Album" }, ...items);
}

const picture = (address, properties = {}) =>
  make("img", { src: address, alt: "Picture", ...properties });

function film(address, poster) {
  return make("video", {
    className: "film", src: address, controls: true, preload: "metadata", "aria-label": "Video",
    poster: isWeb(poster) ? poster : undefined,
  });
}

const length = (seconds) => (seconds
  ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` : "");

/** What an address ends with: the name of a file that has none. */
function nameIn(address) {
  try {
    const last = new URL(address).pathname.split("/").filter(Boolean).pop();
    return last ? decodeURIComponent(last) : new URL(address).hostname;
  } catch {
    return "file";
  }
}

function sound(address, { title, performer, seconds } = {}) {
  const words = [performer, length(seconds)].filter(Boolean).join(" · ");
  return make("div", { className: "sound" },
    make("div", {}, make("strong", {}, title || nameIn(address)),
      words ? make("span", {}, words) : null),
    make("audio", { src: address, controls: true, preload: "none", "aria-label": "Sound" }));
}

function paper(address, name) {
  return link(address, { className: "paper" },
    make("span", {}, name || nameIn(address), make("small", {}, "File")));
}

/** What stands in an empty chat; other words are another drawing. */
const hello = (title, words) => ({
  key: `hello ${words}`,
  draw: () => make("li", { className: "hello" }, make("b", {}, title), ...linked(words)),
});

/** Brings the buttons above the composer to `offers`, each `{ text, about, press }`. */
function offer(hints, offers) {
  const kept = JSON.stringify(offers.map((one) => [one.text, one.about, one.href]));
  if (!hints || hints.dataset.kept === kept) return;
  hints.dataset.kept = kept;
  hints.replaceChildren(...offers.map((one) => (one.href ? link(one.href, {}, one.text)
    : make("button", { type: "button", title: one.about, onclick: one.press }, one.text))));
}

// ---- Telegram ----

/** Whose phone it is; a preview is nobody's. */
function sign(phone, { owner }) {
  const place = phone.querySelector(".owner");
  if (place) place.textContent = owner ?? "";
}

function drawTelegram(state) {
  const phone = byId("telegram");
  sign(phone, state);
  phone.dataset.standing = state.standing;
  phone.querySelector(".state").textContent = state.standing === "blocked" ? "blocked" : "bot";
  const given = state.commands.map((one) => ({ text: `/${one.command}`, about: one.description }));
  const commands = given.length ? given : [{ text: "/start" }, { text: "/stop" }];
  offer(phone.querySelector(".hints"), commands.map((one) => ({
    ...one, press() { press(this, "/telegram/say", { text: one.text }); },
  })));
  const lines = albums(state.history).map(([entry, ...more]) => ({
    // An edited or deleted message is another drawing, and so is an album that grew.
    key: [entry.from, entry.message_id, ...[entry, ...more]
      .map((one) => `${one.edited_at ?? ""}${one.is_deleted ? "x" : ""}`)].join("-"),
    draw: () => (entry.from === "bot" ? telegramMessage(entry, more) : myLine(entry)),
  }));
  draw(phone.querySelector(".log"), lines,
    hello("What can this bot do?",
      state.description || "It brings the news of the demo blog. Press Start."));
}

function myLine(entry) {
  return make("li", { className: "line mine" },
    make("div", { className: "bubble" }, ...linked(entry.text), " ", time(entry.at)));
}

/** The messages with the items of each album together. */
function albums(history) {
  const groups = [];
  for (const entry of history) {
    const last = groups.at(-1);
    if (entry.album && last?.[0].album === entry.album) last.push(entry);
    else groups.push([entry]);
  }
  return groups;
}

function telegramMessage(entry, more) {
  const bubble = make("div", { className: "bubble" });
  const all = [entry, ...more];
  const { preview } = entry;
  if (more.length) bubble.append(album(all.map((one) => telegramFile(one.media))));
  else if (entry.media) bubble.append(telegramFile(entry.media));
  else if (isWeb(entry.photo)) bubble.append(picture(entry.photo));
  else if (preview?.show_above_text && isWeb(preview.url)) {
    // What stands there may be a page, which only the service looks into.
    bubble.append(picture(preview.url, { onerror() { this.replaceWith(webpage(preview.url)); } }));
  }
  const said = all.find((one) => one.text) ?? entry;
  if (entry.rich) bubble.append(make("div", { className: "rich" }, richHtml(entry.rich)));
  if (said.text) bubble.append(rich(said.text, said.entities));
  if (isWeb(preview?.url) && !preview.show_above_text) bubble.append(webpage(preview.url));
  const notes = [entry.edited_at ? "edited" : "", entry.is_protected ? "protected" : "",
    entry.is_silent ? "no sound" : ""].filter(Boolean).join(", ");
  if (said.text || entry.rich) {
    const shown = time(entry.at);
    if (notes) shown.prepend(`${notes} `);
    bubble.append(" ", shown);
  }
  const line = make("li", { className: "line theirs" }, bubble);
  if (all.every((one) => one.is_deleted)) {
    line.classList.add("deleted");
    line.setAttribute("aria-label", "Deleted message");
  }
  if (entry.photo || entry.media || entry.rich || entry.keyboard.length) line.classList.add("keyed");
  if (entry.keyboard.length) {
    line.append(make("div", { className: "keys", role: "group", "aria-label": "Buttons" },
      ...entry.keyboard.map((row) => make("div", {}, ...row.map((key) => telegramKey(entry, key))))));
  }
  return line;
}

/** A page that is shown with a message, as far as its address tells. */
const webpage = (address) => link(address, { className: "webpage" }, new URL(address).hostname);

function telegramFile(media) {
  const { kind, address, name, title, performer, seconds } = media;
  if (!isWeb(address)) return make("span", { className: "word" }, `[${kind}]`);
  return {
    photo: () => picture(address),
    video: () => film(address),
    animation: () => film(address),
    audio: () => sound(address, { title, performer, seconds }),
  }[kind]?.() ?? paper(address, name);
}

/** Elements of a rich message that are drawn as what they are; of others, what is in them. */
const DRAWN = new Set(["B", "STRONG", "I", "EM", "U", "INS", "S", "DEL", "CODE", "PRE", "MARK", "SUB",
  "SUP", "P", "H1", "H2", "H3", "H4", "H5", "H6", "UL", "OL", "LI", "BLOCKQUOTE", "HR", "BR", "TABLE",
  "TR", "TD", "TH", "CAPTION", "DETAILS", "SUMMARY", "FIGURE", "FIGCAPTION"]);

/** A rich message as nodes: parsed where nothing runs or loads, and built anew. */
function richHtml(html) {
  const build = (from, into) => {
    for (const node of from.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) into.append(node.data);
      if (node.nodeType !== Node.ELEMENT_NODE) continue;
      const address = node.getAttribute("href") ?? node.getAttribute("src");
      let element = into;
      if (node.tagName === "A" && isWeb(address)) element = link(address, {});
      else if (node.tagName === "IMG" && isWeb(address)) element = picture(address);
      else if (node.tagName === "VIDEO" && isWeb(address)) element = film(address);
      else if (node.tagName === "AUDIO" && isWeb(address)) element = sound(address);
      else if (node.tagName === "TG-SPOILER") element = WRAPPERS.spoiler();
      else if (DRAWN.has(node.tagName)) element = make(node.tagName.toLowerCase());
      if (node.tagName === "OL" && node.start) element.start = node.start;
      build(node, element.matches?.(".spoiler") ? element.appendChild(make("span")) : element);
      if (element !== into) into.append(element);
    }
    return into;
  };
  return build(new DOMParser().parseFromString(html, "text/html").body,
    document.createDocumentFragment());
}

function telegramKey(entry, key) {
  const style = ["primary", "success", "danger"].includes(key.style) ? key.style : "";
  if (isWeb(key.url)) return link(key.url, { className: style }, key.text);
  const copied = key.copy_text?.text;
  if (copied !== undefined) {
    return make("button", {
      type: "button", className: `copies ${style}`, title: copied,
      onclick() { navigator.clipboard?.writeText(copied); },
    }, key.text);
  }
  return make("button", {
    type: "button",
    className: style,
    disabled: key.callback_data === undefined,
    onclick() {
      press(this, "/telegram/tap", { message_id: entry.message_id, data: key.callback_data });
    },
  }, key.text);
}

// ---- Messenger ----

/** Messages further apart than this get a time between them. */
const PAUSE = 5 * 60 * 1000;

function drawMessenger(state) {
  const phone = byId("messenger");
  sign(phone, state);
  phone.dataset.standing = state.standing;
  const until = state.window_until && clock.format(state.window_until);
  if (!told) phone.querySelector(".state").textContent = {
    new: "page",
    blocked: "blocked",
    open: state.window_open ? `may write to you until ${until} tomorrow`
      : "may not write: 24 hours have passed",
  }[state.standing];
  // Questions stand in an empty chat, the menu in one that has begun.
  const offers = (state.history.length ? state.menu : state.questions) ?? [];
  offer(phone.querySelector(".hints"), offers.map((one) => ({
    text: one.title ?? one.question,
    href: isWeb(one.url) ? one.url : undefined,
    press() { press(this, "/messenger/tap", { data: one.payload }); },
  })));
  const lines = [];
  let before = 0;
  state.history.forEach((entry, index) => {
    if (entry.at - before > PAUSE) {
      lines.push({
        key: `stamp-${entry.message_id}`,
        draw: () => make("li", { className: "stamp" }, time(entry.at)),
      });
    }
    before = entry.at;
    const isLast = index === state.history.length - 1;
    // Quick replies go when anything follows: then the message is another drawing.
    const replies = (isLast && entry.message?.quick_replies) || [];
    lines.push({
      key: `${entry.from}-${entry.message_id}-${replies.length}`,
      draw: () => (entry.from === "page" ? messengerMessage(entry, replies) : mySaying(entry)),
    });
  });
  draw(phone.querySelector(".log"), lines,
    hello("Sandbox", state.greeting || "You have not written to this page yet."));
}

function mySaying(entry) {
  return make("li", { className: "line mine" },
    make("div", { className: "bubble", title: clock.format(entry.at) }, ...linked(entry.text)));
}

function messengerMessage(entry, replies) {
  const line = make("li", { className: "line theirs" });
  const { text, attachment, attachments } = entry.message;
  const payload = attachment?.payload ?? {};
  const [address] = entry.media ?? [];
  const bubble = (...children) =>
    make("div", { className: "bubble", title: clock.format(entry.at) }, ...children);
  if (text) {
    line.append(bubble(...linked(text)));
  } else if (attachments) {
    line.append(album((entry.media ?? []).filter(isWeb).map((one) => picture(one))));
  } else if (payload.template_type === "button") {
    line.append(make("div", { className: "bubble template" },
      make("p", {}, ...linked(payload.text)), choices(payload.buttons)));
  } else if (payload.template_type === "image_grid") {
    line.append(grid(payload.elements[0]));
  } else if (payload.template_type === "media") {
    const [element] = payload.elements;
    const shown = isWeb(address) ? address : element.url;
    line.append(make("div", { className: "bubble template" },
      element.media_type === "video" ? film(shown) : picture(shown, { className: "picture" }),
      element.buttons ? choices(element.buttons) : null));
  } else if (payload.elements) {
    line.classList.add("carousel");
    line.append(make("ul", { className: "cards", tabIndex: 0, "aria-label": "Cards" },
      ...payload.elements.map(card)));
  } else if (isWeb(address)) {
    line.append({
      image: () => picture(address, { className: "picture" }),
      video: () => film(address),
      audio: () => bubble(sound(address)),
      file: () => bubble(paper(address)),
    }[attachment?.type]?.() ?? bubble(`[${attachment?.type}]`));
  } else {
    line.append(bubble(`[${attachment?.type ?? "message"}]`));
  }
  if (entry.is_silent) line.classList.add("silent");
  if (replies.length) {
    line.append(make("div", { className: "replies", role: "group", "aria-label": "Quick replies" },
      ...replies.map(tapped)));
  }
  return line;
}

/** A few images, each of which may open something, with words and buttons below. */
function grid(element) {
  const image = ({ url, action }) => {
    if (isWeb(action?.url)) return link(action.url, {}, picture(url));
    if (!action) return picture(url);
    return make("button", {
      type: "button", "aria-label": "Picture",
      onclick() { press(this, "/messenger/tap", { data: action.payload }); },
    }, picture(url));
  };
  const words = [];
  if (element.title) words.push(make("strong", {}, element.title));
  if (element.subtitle) words.push(make("span", {}, element.subtitle));
  return make("div", { className: "bubble template" },
    album(element.images.filter(({ url }) => isWeb(url)).map(image)),
    words.length ? make("p", {}, ...words) : null,
    element.buttons ? choices(element.buttons) : null);
}

function card(element) {
  const words = [make("strong", {}, element.title ?? "")];
  if (element.subtitle) words.push(make("span", {}, element.subtitle));
  const address = element.default_action?.url;
  return make("li", {},
    isWeb(element.image_url) ? make("img", { src: element.image_url, alt: "" }) : null,
    isWeb(address) ? link(address, { className: "words" }, ...words)
      : make("div", { className: "words" }, ...words),
    element.buttons ? choices(element.buttons) : null);
}

function choices(buttons) {
  return make("div", { className: "choices", role: "group", "aria-label": "Buttons" },
    ...buttons.map((one) => (isWeb(one.url) ? link(one.url, {}, one.title) : tapped(one))));
}

function tapped(one) {
  return make("button", {
    type: "button",
    onclick() { press(this, "/messenger/tap", { data: one.payload }); },
  }, one.title);
}

// ---- the strip ----

let strip = null;

function ago(at) {
  const seconds = Math.max(0, Math.round((Date.now() - at) / 1000));
  return seconds < 2 ? "just now" : seconds < 120 ? `${seconds} s ago`
    : `${Math.round(seconds / 60)} min ago`;
}

function drawStrip() {
  for (const status of document.querySelectorAll(".clock")) {
    status.textContent = clock.format(Date.now());
  }
  if (!strip || told) return;
  byId("blog").href = strip.blog;
  byId("posts").textContent = strip.posts;
  byId("newest").textContent = strip.newest ?? "none yet";
  byId("newest").title = strip.newest ?? "";
  byId("polls").textContent = strip.polls;
  byId("polled").textContent = strip.last_poll_at
    ? `${ago(strip.last_poll_at)}: ${strip.last_poll_status === 304 ? "nothing new" : "it changed"}`
    : "not yet";
  for (const service of ["telegram", "messenger"]) {
    byId(`${service}-accepted`).textContent = strip[service].accepted;
    const { throttled } = strip[service];
    byId(`${service}-note`).textContent = throttled ? `asked for patience ${throttled} times` : "";
  }
}

drawStrip();

// ---- what comes ----

const shows = {
  telegram: drawTelegram,
  messenger: drawMessenger,
  strip: (state) => {
    strip = state;
    drawStrip();
  },
};

if (told) {
  for (const [name, state] of Object.entries(told)) shows[name](state);
} else {
  setInterval(drawStrip, 1000);
  const events = new EventSource("/events");
  for (const [name, show] of Object.entries(shows)) {
    events.addEventListener(name, (event) => show(JSON.parse(event.data)));
  }
  events.onopen = () => {
    document.body.dataset.link = "up";
    byId("notice").textContent = "";
  };
  events.onerror = () => {
    document.body.dataset.link = "down";
    byId("notice").textContent = "The sandbox has stopped, or is starting again.";
  };
}
