// Forms on somebody else's page, as the daemon serves them, in headless Chromium: beside hostile
// styles and under a strict policy, closed and not seen again, by the keyboard, in the reader's
// language and colours; and the page on which they are made.
//
// Usage: node forms.mjs '{"origin":…,"editor":…}'
// With SHOTS=FOLDER in the environment it leaves pictures there.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { rest, tooWide, withBrowser } from "./browser.mjs";

const world = JSON.parse(process.argv[2]);
const shots = process.env.SHOTS;
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const hostile = `
* { all: unset !important; display: none !important; visibility: hidden !important; opacity: 0 !important;
    color: red !important; font: 2px monospace !important; z-index: -1 !important; pointer-events: none !important;
    --paper: red !important; --ink: red !important; }
html, body, p, h1 { display: block !important; visibility: visible !important; opacity: 1 !important;
    color: #222 !important; font: 16px serif !important; }
html { font-size: 2px !important; transform: translateX(0) !important; }
.war { display: block !important; visibility: visible !important; opacity: .9 !important; position: fixed !important;
    inset: 0 !important; z-index: 2147483647 !important; background: #8fd !important; }
div, dialog, a, button, h2 { display: none !important; transform: scale(0) !important; }
`;

// The other site: its policy allows one address of scripts and, for its own style, one hash.
const sites = createServer((request, response) => {
  const url = new URL(request.url, "http://site");
  const form = url.searchParams.get("form");
  const isHostile = url.searchParams.has("hostile");
  const style = isHostile ? `<link rel="stylesheet" href="/style.css">` : "";
  if (url.pathname === "/style.css") {
    response.writeHead(200, { "content-type": "text/css" }).end(hostile);
    return;
  }
  const tag = `<script async src="${world.origin}/embed.js?form=${form}"></script>`;
  const long = "<p>The quay is quiet, and the ferry is late.</p>".repeat(80);
  response.writeHead(200, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": `default-src 'none'; script-src ${world.origin}; style-src 'self'; img-src data:; ` +
      "require-trusted-types-for 'script'; trusted-types 'none'; base-uri 'none'",
    "cross-origin-embedder-policy": "require-corp",
  });
  response.end(`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Somebody’s shop</title>
<link rel="icon" href="data:,">${style}</head><body>
<main><h1>Somebody’s shop</h1><p><input id="field" aria-label="A field"></p>
${url.searchParams.has("place") ? `<section data-tidings-form="${form}"></section>` : ""}
${tag}${long}</main>${isHostile ? `<div class="war"></div>` : ""}</body></html>`);
});
await new Promise((ready) => sites.listen(0, "127.0.0.1", ready));
const site = `http://127.0.0.1:${sites.address().port}`;

await withBrowser(240_000, async (browser) => {
  const faults = [];
  const look = async (options = {}, isOpen = true) => {
    const context = await browser.newContext({
      viewport: { width: 1180, height: 800 }, locale: "en-GB", colorScheme: "light", ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (entry) => entry.type() === "error" && faults.push(entry.text()));
    // A closed tree shows itself to nobody: tests look into it all the same.
    if (isOpen) {
      await page.addInitScript(() => {
        const attach = Element.prototype.attachShadow;
        Element.prototype.attachShadow = function (init) {
          window.askedMode = init.mode;
          return attach.call(this, { ...init, mode: "open" });
        };
      });
    }
    return { page, context };
  };
  const check = async (page, name) => {
    // The checker may run where the page's policy lets nothing run.
    const { violations } = await page.evaluate(
      `(async () => { ${axe}; return axe.run(document, { resultTypes: ["violations"] }); })()`);
    const told = violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0].html}`);
    assert.deepEqual(told, [], `axe on ${name}`);
  };
  const shot = async (page, name) => {
    await rest(page).catch(() => {});
    if (shots) await page.screenshot({ path: `${shots}/form-${name}.png` });
  };
  const seen = (page, name) => page.getByRole("link", { name });

  // Each shape, beside styles that hide and paint over everything, light and dark, wide and narrow.
  for (const form of ["popup", "corner", "bar", "topbar"]) {
    for (const [colorScheme, width] of [["light", 1180], ["dark", 360]]) {
      const name = `${form}-${colorScheme}-${width}`;
      const { page, context } = await look({ colorScheme, viewport: { width, height: 800 } });
      await page.goto(`${site}/?form=${form}&hostile`);
      const door = seen(page, "Subscribe on Telegram");
      await door.waitFor();
      await rest(page);
      const box = await door.boundingBox();
      assert.ok(box.height >= 44 && box.width >= 120, `${name}: ${JSON.stringify(box)}`);
      // What is under the pointer there is the link: nothing of the site is above it.
      const isOnTop = await door.evaluate((link) => {
        const { x, y, width, height } = link.getBoundingClientRect();
        const host = link.getRootNode().host;
        const top = document.elementFromPoint(x + width / 2, y + height / 2);
        const inside = link.getRootNode().elementFromPoint(x + width / 2, y + height / 2);
        return top === host && (inside === link || link.contains(inside));
      });
      assert.ok(isOnTop, `${name}: something is above it`);
      const style = await door.evaluate((link) => {
        const { fontSize, opacity, visibility, color, backgroundColor } = getComputedStyle(link);
        return { fontSize, opacity, visibility, color, backgroundColor };
      });
      assert.deepEqual(style, {
        fontSize: "16px", opacity: "1", visibility: "visible", color: "rgb(255, 255, 255)",
        backgroundColor: "rgb(194, 65, 12)",
      }, name);
      const paper = await page.locator(".box").evaluate((one) => getComputedStyle(one).backgroundColor);
      assert.equal(paper, colorScheme === "dark" ? "rgb(27, 30, 37)" : "rgb(255, 255, 255)", name);
      const frame = await page.locator(".box").boundingBox();
      assert.ok(frame.x >= 0 && frame.x + frame.width <= width && frame.y >= 0, `${name} is in sight`);
      await shot(page, `${name}-hostile`);
      await context.close();
    }
  }

  // On an ordinary page the checker finds nothing, and the tree is closed.
  for (const form of ["popup", "corner", "bar", "button"]) {
    const { page, context } = await look();
    await page.goto(`${site}/?form=${form}`);
    await seen(page, "Subscribe on Messenger").waitFor();
    await rest(page);
    assert.equal(await page.evaluate(() => window.askedMode), "closed");
    await check(page, form);
    assert.ok(await tooWide(page) <= 0);
    const href = await seen(page, "Subscribe on Telegram").getAttribute("href");
    assert.equal(href, `https://t.me/sandbox_bot?start=newsFROMFORM${form}`);
    assert.deepEqual(await context.cookies(), []);
    await shot(page, form);
    await context.close();
  }
  {
    const { page, context } = await look({}, false);
    await page.goto(`${site}/?form=popup`);
    await page.waitForFunction(() => document.documentElement.lastElementChild.localName === "div");
    const tree = await page.evaluate(() => document.documentElement.lastElementChild.shadowRoot);
    assert.equal(tree, null, "the page can't look into it");
    assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), [], "nothing is kept yet");
    await context.close();
  }

  // The keyboard: the pop-up has the focus and keeps it, Escape closes it, and it does not come again.
  {
    const { page, context } = await look();
    await page.goto(`${site}/?form=popup`);
    await page.getByRole("dialog", { name: "News & <i>offers</i>" }).waitFor();
    const focused = () => page.evaluate(() => {
      const at = document.activeElement.shadowRoot?.activeElement;
      return at ? at.textContent || at.getAttribute("aria-label") : document.activeElement.localName;
    });
    assert.match(await focused(), /News/, "the dialog itself, and no link");
    const round = [];
    for (let step = 0; step < 9; step++) {
      await page.keyboard.press("Tab");
      round.push(await focused());
    }
    const stops = ["Subscribe on Telegram", "Subscribe on Messenger", "How we treat your data", "×"];
    assert.deepEqual(round, [...stops, ...stops, stops[0]]);
    await page.keyboard.press("Shift+Tab");
    assert.equal(await focused(), "×");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.reload();
    await page.waitForTimeout(1_200);
    assert.equal(await page.getByRole("dialog").count(), 0, "not again after closing");
    // After its time it comes again; what was kept is one number.
    const kept = await page.evaluate(() => ({ ...localStorage }));
    assert.deepEqual(Object.keys(kept), ["tidings popup"]);
    assert.ok(Number(kept["tidings popup"]) > Date.now() + 29 * 86_400_000);
    await page.evaluate(() => localStorage.setItem("tidings popup", Date.now() - 1));
    await page.reload();
    await page.getByRole("dialog").waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await context.close();
  }

  // Nobody is interrupted while they write; a click beside the pop-up closes it.
  {
    const { page, context } = await look();
    await page.goto(`${site}/?form=popup`, { waitUntil: "commit" });
    await page.locator("#field").focus();
    await page.keyboard.type("I write");
    await page.waitForTimeout(1_200);
    assert.equal(await page.getByRole("dialog").count(), 0);
    assert.equal(await page.locator("#field").inputValue(), "I write");
    await page.locator("#field").blur();
    await page.getByRole("dialog").waitFor();
    await page.mouse.click(20, 700);
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await context.close();
  }

  // Where a browser keeps nothing it comes all the same, and nothing fails.
  {
    const { page, context } = await look();
    await page.addInitScript(() => {
      Object.defineProperty(window, "localStorage", { get() { throw new Error("refused"); } });
    });
    await page.goto(`${site}/?form=popup`);
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await context.close();
  }

  // Scrolling and leaving bring it.
  {
    const { page, context } = await look();
    await page.goto(`${site}/?form=scrolled`);
    await page.waitForTimeout(600);
    assert.equal(await page.locator(".box").count(), 0);
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight * 0.3));
    await page.waitForTimeout(300);
    assert.equal(await page.locator(".box").count(), 0, "not far enough");
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight * 0.7));
    await seen(page, "Subscribe on Telegram").waitFor();
    await context.close();
  }
  {
    const { page, context } = await look();
    await page.goto(`${site}/?form=leaving`);
    await page.waitForFunction((name) => window[name], "tidings leaving");
    await page.evaluate(() => document.documentElement.dispatchEvent(new MouseEvent("mouseleave", { clientY: 200 })));
    assert.equal(await page.locator(".box").count(), 0, "by the side");
    await page.evaluate(() => document.documentElement.dispatchEvent(new MouseEvent("mouseleave", { clientY: -2 })));
    await seen(page, "Subscribe on Telegram").waitFor();
    await context.close();
  }

  // A button stands where its tag does, or where the page has a place for it.
  {
    const { page, context } = await look({ locale: "ro-RO" });
    await page.goto(`${site}/?form=button`);
    await seen(page, "Abonează-te pe Telegram").waitFor();
    assert.equal(await page.evaluate(() => document.querySelector("main script").nextElementSibling.localName), "div");
    await page.goto(`${site}/?form=button&place`);
    await seen(page, "Abonează-te pe Telegram").waitFor();
    assert.equal(await page.evaluate(() => document.querySelector("section").childElementCount), 1);
    assert.equal(await page.locator("main > div").count(), 0);
    await shot(page, "button-ro");
    await context.close();
  }

  // In a language of the editor's, and still without motion for who wants none.
  {
    const { page, context } = await look({ locale: "uk-UA", reducedMotion: "reduce" });
    await page.goto(`${site}/?form=popup`);
    await page.getByRole("dialog", { name: "Новини порту" }).waitFor();
    const name = await page.locator(".box").evaluate((one) => getComputedStyle(one).animationName);
    assert.equal(name, "none");
    await context.close();
  }

  // The page on which forms are made.
  {
    const { page, context } = await look({ viewport: { width: 1240, height: 1100 } });
    await page.goto(world.editor);
    const preview = page.frameLocator("#preview");
    await preview.getByRole("link", { name: "Subscribe on Telegram" }).waitFor();
    await page.getByLabel("Begin with").selectOption("topbar");
    await preview.locator(".top-bar").waitFor();
    await page.getByLabel("Begin with").selectOption("");
    // The pop-ups that come meanwhile in the preview do not take the focus away.
    await page.getByLabel("Name", { exact: true }).fill("");
    await page.getByLabel("Name", { exact: true }).pressSequentially("spring", { delay: 400 });
    assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "spring");
    await page.getByLabel("Position").selectOption("bottom-left");
    await page.getByLabel("Title").fill('Fresh "fish" & <chips>\\');
    await page.getByLabel("news", { exact: false }).first().check();
    await page.getByLabel("Language").selectOption("ro");
    assert.equal(await page.getByLabel("Title").inputValue(), "");
    await page.getByLabel("Title").fill("Pește proaspăt");
    await preview.getByRole("dialog", { name: "Pește proaspăt" }).waitFor();
    await preview.getByRole("link", { name: "Abonează-te pe Telegram" }).waitFor();
    await page.getByLabel("Per cent of the page scrolled").fill("40");
    await page.getByLabel("When the pointer leaves").check();
    await page.getByLabel("Colour", { exact: true }).fill("#ffcc00");
    await page.waitForFunction(() => document.getElementById("toml").value.includes("colour"));
    const lines = (await page.getByLabel("The lines for your settings").inputValue()).trim().split("\n");
    assert.deepEqual(lines, [
      "[forms.spring]", 'position = "bottom-left"', 'topics = ["news"]',
      'title = { en = "Fresh \\"fish\\" & <chips>\\\\", ro = "Pește proaspăt" }',
      'colour = "#ffcc00"', "scroll = 0.4", "exit = true",
    ]);
    const tag = await page.getByLabel("The tag for your site").inputValue();
    assert.equal(tag, `<script async src="${world.origin}/embed.js?form=spring"></script>`);
    await page.getByText(/The script has \d\.\d kB/).waitFor();
    // The frame has nothing of the page's, and the daemon is not changed.
    const [, frame] = page.frames();
    assert.equal(await frame.evaluate(() => origin), "null");
    assert.equal((await fetch(`${world.origin}/embed.js?form=spring`)).status, 404);
    await check(page, "the editor");
    if (shots) await page.screenshot({ path: `${shots}/form-editor.png`, fullPage: true });
    // What is wrong is said in the words of `tidings check`.
    await page.getByLabel("Name", { exact: true }).fill("My form");
    await page.getByText("A name has small letters a-z").waitFor();
    assert.equal(await page.getByLabel("The tag for your site").inputValue(), "");
    await context.close();
  }
  for (const colorScheme of ["dark"]) {
    const { page, context } = await look({ viewport: { width: 380, height: 900 }, colorScheme });
    await page.goto(world.editor);
    await page.getByText(/The script has/).waitFor();
    assert.ok(await tooWide(page) <= 0, "the editor fits a phone");
    await check(page, "the editor, dark");
    if (shots) await page.screenshot({ path: `${shots}/form-editor-dark.png`, fullPage: true });
    await context.close();
  }

  assert.deepEqual(faults, []);
}).finally(() => sites.close());
