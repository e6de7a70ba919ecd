// Looks at a page that people subscribe on, as the daemon serves it, in headless Chromium: light and
// dark, on a screen and on a phone, in three languages, with and without scripts; that it asks nobody
// else for anything, that its policy lets its style in, and that axe finds nothing serious.
//
// Usage: node pages.mjs '{"origin":…,"page":…,"plain":…,"missing":…,"archive":…}'
// With SHOTS=FOLDER in the environment it leaves pictures there.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { rest, tooWide, withBrowser } from "./browser.mjs";

const world = JSON.parse(process.argv[2]);
const shots = process.env.SHOTS;
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

await withBrowser(240_000, async (browser) => {
  const faults = [];
  const open = async (address, options) => {
    const context = await browser.newContext({
      viewport: { width: 1180, height: 900 }, locale: "en-GB", colorScheme: "light", ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (entry) => {
      const isTheAnswer = /status of 404/.test(entry.text());
      if (entry.type() === "error" && !isTheAnswer) faults.push(entry.text());
    });
    page.on("request", (request) => {
      const url = request.url();
      const isOurs = ["/s/", "/t/"].some((path) => url.startsWith(world.origin + path)) || url.startsWith("data:");
      if (!isOurs) faults.push(`asked for ${url}`);
    });
    const answer = await page.goto(address);
    await rest(page).catch(() => {});
    assert.deepEqual(await context.cookies(), [], "no cookies");
    return { page, context, answer };
  };
  const check = async (page, name) => {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    const told = violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0].html}`);
    assert.deepEqual(told, [], `axe on ${name}`);
  };

  for (const address of ["page", "plain"]) {
    for (const colorScheme of ["light", "dark"]) {
      for (const width of [360, 1180]) {
        const name = `${address}-${colorScheme}-${width}`;
        const { page, context, answer } =
          await open(world[address], { colorScheme, viewport: { width, height: 760 } });
        assert.equal(answer.status(), 200);
        assert.ok(await tooWide(page) <= 0, `${name} is too wide`);
        const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        const paper = colorScheme === "dark" ? "rgb(17, 19, 24)" : "rgb(246, 247, 249)";
        assert.equal(background, paper, "the style is in force, and follows the system");
        for (const service of ["Telegram", "Messenger"]) {
          const door = page.getByRole("link", { name: `Subscribe on ${service}` });
          const box = await door.boundingBox();
          assert.ok(box.height >= 48 && box.width >= Math.min(300, width - 60), `${name}: ${service}`);
          assert.ok(width > 400 || box.y + box.height < 760, `${name}: in sight at once`);
          const code = page.getByRole("img", { name: `QR code: ${service}` });
          assert.ok((await code.boundingBox()).width >= 140, `${name}: a code to scan`);
        }
        await check(page, name);
        if (shots) await page.screenshot({ path: `${shots}/page-${name}.png`, fullPage: true });
        await context.close();
      }
    }
  }

  // What was sent, for everybody to read.
  for (const [colorScheme, width] of [["light", 1180], ["dark", 360]]) {
    const { page, context, answer } = await open(world.archive, { colorScheme, viewport: { width, height: 760 } });
    assert.equal(answer.status(), 200);
    assert.equal(await page.locator(".archive li").count(), 3);
    await page.getByRole("link", { name: "Tea & \"cakes\" < 5 lei" }).waitFor();
    assert.ok(await page.getByRole("link", { name: "RSS" }).getAttribute("href").then((it) => it.endsWith("/t/offers/feed.xml")));
    assert.ok(await tooWide(page) <= 0, "the archive is too wide");
    await check(page, `archive-${colorScheme}`);
    if (shots) await page.screenshot({ path: `${shots}/archive-${colorScheme}.png`, fullPage: true });
    await context.close();
  }

  // What settings and feeds hold is words.
  {
    const { page, context } = await open(world.page, {});
    await page.getByRole("heading", { level: 1, name: "News & <i>offers</i>" }).waitFor();
    await page.getByText("</title><script>alert(1)</script>").first().waitFor();
    assert.equal(await page.locator("script").count(), 0);
    assert.equal(await page.locator(".newest li").count(), 3);
    await page.getByRole("link", { name: "Tea & \"cakes\" < 5 lei" }).waitFor();
    const logo = page.locator("img.logo");
    assert.ok(await logo.evaluate((image) => image.complete && image.naturalWidth > 0), "the logo");
    const link = await page.getByRole("link", { name: "Subscribe on Telegram" }).getAttribute("href");
    assert.equal(link, "https://t.me/sandbox_bot?start=newsANDoffersFROMWEBharbour");
    // By the keyboard: the first stop is the first door.
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute("href")), link);
    await context.close();
  }

  // In the language of the reader, and without any script.
  for (const [locale, words] of [["ro-RO", "Abonează-te pe Telegram"], ["de-DE", "Auf Telegram abonnieren"]]) {
    const { page, context } = await open(world.page, { locale, javaScriptEnabled: false });
    await page.getByRole("link", { name: words }).waitFor();
    assert.equal(await page.locator("html").getAttribute("lang"), locale.slice(0, 2));
    if (shots) await page.screenshot({ path: `${shots}/page-${locale}.png`, fullPage: true });
    await context.close();
  }

  {
    const { page, context, answer } = await open(world.missing, { locale: "fr-FR" });
    assert.equal(answer.status(), 404);
    await page.getByRole("heading", { name: "Cette page n’existe pas." }).waitFor();
    await check(page, "missing");
    await context.close();
  }

  assert.deepEqual(faults, []);
});
