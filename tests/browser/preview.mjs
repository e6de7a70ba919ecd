// Looks at pages of previews in headless Chromium: that they show every form of message in the look
// of both apps, light and dark, and load nothing but the messages' own files.
//
// Usage: node preview.mjs '{"pages":{"article":"file://…",…},"site":…}'
// With SHOTS=FOLDER in the environment it leaves pictures there.

import assert from "node:assert/strict";
import { rest, tooWide, withBrowser } from "./browser.mjs";

const world = JSON.parse(process.argv[2]);
const shots = process.env.SHOTS;

await withBrowser(240_000, async (browser) => {
  const page = await browser.newPage({
    viewport: { width: 1180, height: 900 }, colorScheme: "light", locale: "en-GB",
  });
  page.setDefaultTimeout(20_000);
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("dialog", (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("console", (entry) => {
    // The sounds and films of these messages stand nowhere.
    if (entry.type() === "error" && !/404|Failed to load resource/.test(entry.text())) {
      faults.push(entry.text());
    }
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith("file:") && !url.startsWith(world.site)) faults.push(`asked for ${url}`);
  });
  const tg = page.getByRole("region", { name: "Telegram phone" });
  const me = page.getByRole("region", { name: "Messenger phone" });
  const visit = async (name) => {
    await page.goto(world.pages[name]);
    await tg.getByRole("log").getByRole("listitem").first().waitFor();
    await me.getByRole("log").getByRole("listitem").first().waitFor();
    for (const theme of ["Light", "Dark"]) {
      await page.getByText(theme, { exact: true }).click();
      if (!shots) continue;
      await rest(page);
      await page.screenshot({ path: `${shots}/preview-${name}-${theme.toLowerCase()}.png`, fullPage: true });
    }
    assert.ok(await tooWide(page) <= 0, `${name} is too wide`);
    assert.equal(await page.locator(".about small").innerText(), "</title><script>alert(1)</script>");
  };
  const background = () => me.locator(".log").evaluate((log) => getComputedStyle(log).backgroundColor);

  // A long article: cut as each channel cuts it, words stay words.
  await visit("article");
  assert.equal(await background(), "rgb(0, 0, 0)", "dark by choice");
  await page.getByText("Auto", { exact: true }).click();
  assert.equal(await background(), "rgb(255, 255, 255)", "light as the system has it");
  await page.emulateMedia({ colorScheme: "dark" });
  assert.equal(await background(), "rgb(0, 0, 0)", "dark as the system has it");
  await page.emulateMedia({ colorScheme: "light" });
  assert.ok(await tg.getByRole("listitem").count() >= 2);
  assert.ok(await me.getByRole("listitem").count() >= 3);
  await tg.locator("blockquote", { hasText: "Quoted <b> words" }).waitFor();
  await tg.locator("pre", { hasText: "let x = 1;" }).waitFor();
  await tg.getByRole("link", { name: /^Read/ }).waitFor();
  await me.getByRole("link", { name: /^Read/ }).waitFor();

  await visit("album");
  assert.equal(await me.getByRole("group", { name: "Album" }).getByRole("img").count(), 5);
  await me.getByRole("group", { name: "Quick replies" }).getByRole("button", { name: "Latest" }).waitFor();

  await visit("carousel");
  assert.equal(await me.getByRole("list", { name: "Cards" }).getByRole("listitem").count(), 4);

  await visit("right");
  const side = (words) => tg.getByText(words).first().evaluate((element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const box = element.closest(".bubble").getBoundingClientRect();
    const { left, right } = range.getClientRects()[0];
    return left - box.left > box.right - right ? "right" : "left";
  });
  assert.equal(await side("שלום"), "right");
  await me.getByText("SAVE20").waitFor();

  await visit("files");
  await me.getByText("Episode 5").first().waitFor();
  assert.equal(await me.locator("audio").count(), 1);
  assert.equal(await me.locator("video").count(), 1);
  await me.getByRole("link", { name: /plan.pdf/ }).waitFor();

  // On a phone.
  await page.setViewportSize({ width: 400, height: 860 });
  await visit("carousel");

  assert.deepEqual(faults, []);
});
