// Drives the page with the phones in headless Chromium. The bot's and the page's side are played
// here too, over the stand-ins' HTTP, so that nothing but the sandbox is looked at.
//
// Usage: node phones.mjs '{"page":…,"bot":…,"graph":…,"pageToken":…,"psid":…,"chat":…,"site":…}'
// With SHOTS=FOLDER in the environment it leaves pictures there.

import assert from "node:assert/strict";
import { rest, tooWide, withBrowser } from "./browser.mjs";

const world = JSON.parse(process.argv[2]);
const shots = process.env.SHOTS;

async function call(address, body, headers = {}) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const json = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(json));
  return json;
}

const telegram = (method, body) => call(`${world.bot}/${method}`, { chat_id: world.chat, ...body });
const messenger = (message) => call(world.graph, {
  recipient: { id: world.psid }, messaging_type: "UPDATE", message,
}, { authorization: `Bearer ${world.pageToken}` });

let offset = 0;
/** Waits for the next update of the bot. */
async function update() {
  const { result } = await call(`${world.bot}/getUpdates`, { offset, limit: 1, timeout: 20 });
  assert.equal(result.length, 1, "an update comes");
  offset = result[0].update_id + 1;
  return result[0];
}

/** Finds entities by the words that they cover. */
function entities(text, ...wanted) {
  return wanted.map(([type, words, more]) => {
    const at = text.indexOf(words);
    assert.notEqual(at, -1, words);
    return { type, offset: at, length: words.length, ...more };
  });
}

await withBrowser(240_000, async (browser) => {
  const page = await browser.newPage({
    viewport: { width: 1180, height: 900 }, colorScheme: "light", locale: "en-GB",
  });
  page.setDefaultTimeout(20_000);
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (entry) => {
    if (entry.type() === "error") faults.push(entry.text());
  });
  page.on("request", (request) => {
    const { hostname } = new URL(request.url());
    if (hostname && hostname !== "127.0.0.1") faults.push(`asked for ${request.url()}`);
  });
  const shot = async (name) => {
    if (!shots) return;
    await rest(page);
    await page.screenshot({ path: `${shots}/${name}.png` });
  };

  await page.goto(world.page);
  const tg = page.getByRole("region", { name: "Telegram phone" });
  const me = page.getByRole("region", { name: "Messenger phone" });
  const tgLog = tg.getByRole("log");
  const meLog = me.getByRole("log");
  await tg.getByText("What can this bot do?").waitFor();
  await shot("empty");

  // Start, and a text by the keyboard alone.
  await tg.getByRole("button", { name: "Start", exact: true }).click();
  assert.equal((await update()).message.text, "/start");
  await tg.getByRole("button", { name: "Start", exact: true }).waitFor({ state: "hidden" });
  const tgField = tg.getByLabel("Message on Telegram");
  assert.ok(await tgField.evaluate((field) => field === document.activeElement), "focus follows");
  await page.keyboard.type("what is new? 🎈 <b>");
  await page.keyboard.press("Enter");
  assert.equal((await update()).message.text, "what is new? 🎈 <b>");
  await tgLog.getByText("what is new? 🎈 <b>").waitFor();
  assert.equal(await tgField.inputValue(), "");

  // Formatting: every entity becomes its element, and text never becomes markup.
  const text = "🎈 Headline of the day\nBold with italic inside, under, strike, code and a link.\n"
    + "A quotation, set apart\nfn main() {}\nThe butler did it. <img src=x> https://a.example/x";
  await telegram("sendMessage", {
    text,
    entities: entities(text,
      ["bold", "Headline of the day"], ["bold", "Bold with italic inside"], ["italic", "italic"],
      ["underline", "under"], ["strikethrough", "strike"], ["code", "code"],
      ["text_link", "a link", { url: "https://link.example/" }],
      ["blockquote", "A quotation, set apart"], ["pre", "fn main() {}"],
      ["spoiler", "The butler did it."]),
    reply_markup: { inline_keyboard: [
      [{ text: "Read it", url: `${world.site}/posts/1` }],
      [{ text: "More", callback_data: "more" }, { text: "Stop", callback_data: "stop" }],
    ] },
  });
  const message = tgLog.getByRole("listitem").last();
  await message.getByText("Headline of the day").waitFor();
  assert.equal(await message.locator("b", { hasText: "italic inside" }).locator("i").innerText(), "italic");
  for (const [tag, words] of [["u", "under"], ["s", "strike"], ["code", "code"],
    ["blockquote", "A quotation, set apart"], ["pre", "fn main() {}"]]) {
    assert.equal(await message.locator(tag).innerText(), words);
  }
  assert.equal(await message.getByRole("link", { name: "a link" }).getAttribute("href"),
    "https://link.example/");
  assert.equal(await message.locator("img").count(), 0, "text stays text");
  await message.getByRole("link", { name: "https://a.example/x" }).waitFor();
  const spoiler = message.getByRole("button", { name: "Show hidden text" });
  await spoiler.click();
  await message.getByRole("button", { name: "The butler did it.", pressed: true }).waitFor();

  // A tap comes to the bot; an address opens by itself.
  await message.getByRole("button", { name: "More" }).click();
  const tap = await update();
  assert.equal(tap.callback_query.data, "more");
  await call(`${world.bot}/answerCallbackQuery`, { callback_query_id: tap.callback_query.id });
  assert.equal(await message.getByRole("link", { name: "Read it" }).getAttribute("href"),
    `${world.site}/posts/1`);

  // A picture with a caption arrives while one looks.
  const caption = "The ferry is early\nIt was simply in a hurry.";
  await telegram("sendPhoto", {
    photo: `${world.site}/pictures/1.png`, caption,
    caption_entities: entities(caption, ["bold", "The ferry is early"]),
    reply_markup: { inline_keyboard: [[{ text: "Read it", url: `${world.site}/posts/2` }]] },
  });
  const picture = tgLog.getByRole("img", { name: "Picture" });
  await picture.waitFor();
  await page.waitForFunction(() => document.querySelector(".telegram .log img")?.naturalWidth === 640);
  await page.waitForFunction(() => {
    const log = document.querySelector(".telegram .log");
    return log.scrollHeight - log.scrollTop - log.clientHeight < 4;
  });

  // Messenger: started, written to in every form.
  await me.getByRole("button", { name: "Get started" }).click();
  await me.getByText(/may write to you until/).waitFor();
  await me.getByLabel("Message on Messenger").fill("Știri, vă rog");
  await me.getByRole("button", { name: "Send on Messenger" }).click();
  await meLog.getByText("Știri, vă rog").waitFor();
  await messenger({ text: "Welcome aboard! ⚓ Here is what is new: https://a.example/new" });
  await messenger({ attachment: { type: "image", payload: { url: `${world.site}/pictures/4.png` } } });
  await messenger({ attachment: { type: "template", payload: {
    template_type: "button", text: "The ferry is early.\nIt was simply in a hurry.",
    buttons: [
      { type: "web_url", title: "Read it", url: `${world.site}/posts/1` },
      { type: "postback", title: "Less often", payload: "LESS" },
    ],
  } } });
  const bays = [1, 2, 3].map((number) => `${world.site}/pictures/${number}.png`);
  await messenger({
    attachments: bays.map((url) => ({ type: "image", payload: { url } })),
  });
  await messenger({ attachment: { type: "template", payload: {
    template_type: "image_grid",
    elements: [{
      images: bays.map((url) => ({ url, action: { type: "postback", payload: "BAY" } })),
      title: "Three bays", subtitle: "One of them is yours",
      buttons: [{ type: "postback", title: "Choose for me", payload: "ANY" }],
    }],
  } } });
  await messenger({
    attachment: { type: "template", payload: {
      template_type: "generic",
      elements: [2, 3, 4].map((number) => ({
        title: `Story ${number} of the harbour`, subtitle: "Told in one line",
        image_url: `${world.site}/pictures/${number}.png`,
        default_action: { type: "web_url", url: `${world.site}/posts/${number}` },
        buttons: [{ type: "web_url", title: "Read it", url: `${world.site}/posts/${number}` }],
      })),
    } },
    quick_replies: [
      { content_type: "text", title: "Latest", payload: "LATEST" },
      { content_type: "text", title: "Stop", payload: "STOP" },
    ],
  });
  const cards = meLog.getByRole("list", { name: "Cards" });
  await cards.waitFor();
  assert.equal(await cards.getByRole("listitem").count(), 3);
  const albums = meLog.getByRole("group", { name: "Album" });
  assert.equal(await albums.count(), 2);
  assert.equal(await albums.first().getByRole("img").count(), 3);
  await meLog.getByText("Three bays").waitFor();
  await meLog.getByRole("button", { name: "Less often" }).click();
  await meLog.getByText("Less often").nth(1).waitFor();
  await meLog.getByRole("button", { name: "Latest" }).waitFor({ state: "detached" });
  await shot("full");

  // The window closes, and opens with the next word.
  await me.getByLabel("More about the Messenger chat").click();
  await me.getByRole("button", { name: "Let 24 hours pass" }).click();
  await me.getByText(/may not write/).waitFor();
  await me.getByLabel("Message on Messenger").fill("hello");
  await page.keyboard.press("Enter");
  await me.getByText(/may write to you until/).waitFor();

  // A block is the bot's to notice, and ends.
  await tg.getByLabel("More about the Telegram chat").click();
  await shot("menu");
  await tg.getByRole("button", { name: "Block the bot" }).click();
  await tg.getByRole("button", { name: "Unblock", exact: true }).waitFor();
  assert.equal((await update()).my_chat_member.new_chat_member.status, "kicked");
  await tg.getByRole("button", { name: "Unblock", exact: true }).click();
  assert.equal((await update()).my_chat_member.new_chat_member.status, "member");

  // The strip counts, and the blog writes when told to.
  await page.getByRole("button", { name: "Publish a post" }).click();
  await page.locator("#posts", { hasText: /^4$/ }).waitFor();
  assert.equal(await page.locator("#telegram-accepted").innerText(), "2");
  assert.equal(await page.locator("#messenger-accepted").innerText(), "6");

  // Dark, and narrow.
  await page.emulateMedia({ colorScheme: "dark" });
  await shot("dark");
  await page.setViewportSize({ width: 400, height: 860 });
  assert.ok(await tooWide(page) <= 0, "too wide on a phone");
  await shot("narrow");

  // Every control has a name, every field a label.
  await page.setViewportSize({ width: 1180, height: 900 });
  const nameless = await page.evaluate(() =>
    [...document.querySelectorAll("button, a, input, summary")]
      .filter((one) => one.checkVisibility())
      .filter((one) => !(one.textContent.trim() || one.getAttribute("aria-label")
        || one.labels?.length))
      .map((one) => one.outerHTML));
  assert.deepEqual(nameless, []);

  assert.deepEqual(faults, []);
});
