// Makes the pictures of the README: of the sandbox at work, and of a preview, light and dark.
//
// Usage: node screenshots.mjs BINARY FOLDER

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { rest, withBrowser } from "./browser.mjs";

const [binary, folder] = process.argv.slice(2).map((path) => resolve(path));
// Above this a picture is made again with fewer details.
const BYTES_MAX = 150_000;

const home = mkdtempSync(join(tmpdir(), "tidings-screenshots-"));
const sandbox = spawn(binary, ["sandbox", "--listen", "127.0.0.1:0", "--interval", "3"],
  { stdio: ["ignore", "pipe", "ignore"] });

async function shot(page, name) {
  await rest(page);
  const devtools = await page.context().newCDPSession(page);
  for (let quality = 82; ; quality -= 12) {
    const { data } = await devtools.send("Page.captureScreenshot", { format: "webp", quality });
    const bytes = Buffer.from(data, "base64");
    if (bytes.length > BYTES_MAX && quality > 30) continue;
    writeFileSync(join(folder, `${name}.webp`), bytes);
    return;
  }
}

await withBrowser(300_000, async (browser) => {
  const [line] = await Promise.race([
    new Promise((found) => {
      createInterface({ input: sandbox.stdout }).once("line", (line) => found([line]));
    }),
    new Promise((_, failed) => sandbox.once("exit", () => failed(new Error("no sandbox")))),
  ]);
  const address = line.match(/http:\/\/\S+/)[0];
  const page = await browser.newPage({
    viewport: { width: 1240, height: 960 }, colorScheme: "light", locale: "en-GB",
  });
  page.setDefaultTimeout(60_000);

  // The sandbox: both have started, posts have come.
  await page.goto(address);
  const tg = page.getByRole("region", { name: "Telegram phone" });
  const me = page.getByRole("region", { name: "Messenger phone" });
  await tg.getByRole("button", { name: "Start", exact: true }).click();
  await me.getByRole("button", { name: "Get started" }).click();
  await tg.getByRole("log").getByRole("link", { name: /Read/ }).nth(2).waitFor();
  await me.getByRole("log").getByRole("link", { name: /Read/ }).nth(2).waitFor();
  // One that came with a picture stands last: the picture is made for it.
  await page.locator("#telegram .log > li:last-child img").waitFor();
  await page.locator("#messenger .log > li:last-child").getByRole("link", { name: /Read/ }).waitFor();
  await shot(page, "sandbox");
  const blog = await page.locator("#blog").getAttribute("href");

  // A preview, of a message with all that a layout can say.
  mkdirSync(join(home, "layouts"));
  mkdirSync(join(home, "data"));
  writeFileSync(join(home, "tidings.toml"), 'layouts = "layouts"\ndata_dir = "data"\n');
  writeFileSync(join(home, "layouts/harbour.html"), `{% for item in items %}
<album><img src="${blog}/pictures/1.png" alt="The bay"><img src="${blog}/pictures/2.png" alt="The quay">
<img src="${blog}/pictures/4.png" alt="The night ferry"></album>
<p><b>{{ item.title }}</b></p>
{{ item.summary }}
<button href="{{ item.link }}" style="primary">Read more</button>
<button copy="HARBOUR20">Copy the code</button>
<carousel>
<card title="Ferry to the islands" subtitle="From 12 €" image="${blog}/pictures/3.png" href="${blog}/">
<button href="${blog}/">Book</button></card>
<card title="Night crossing" subtitle="From 29 €, with a bunk" image="${blog}/pictures/5.png" href="${blog}/">
<button href="${blog}/">Book</button></card>
</carousel>
<reply postback="latest">Latest</reply><reply postback="stop">Stop</reply>
{% endfor %}
`);
  writeFileSync(join(home, "feed.xml"), `<rss version="2.0"><channel><title>Harbour</title><item>
<title>The new quay is open</title><link>https://harbour.example/quay</link>
<description><![CDATA[<p>After <i>two winters</i> of work the ferries tie up at the new quay.</p>
<blockquote>“It does not even creak”, said the harbour master.</blockquote>
<ul><li>four berths, one for <b>night ferries</b></li><li>a café with a view 🌊</li></ul>]]></description>
</item></channel></rss>`);
  execFileSync(binary, ["preview", "harbour", "--config", join(home, "tidings.toml"),
    "--from", join(home, "feed.xml"), "--html", join(home, "preview.html")],
  { stdio: ["ignore", "inherit", "ignore"] });
  await page.goto(`file://${join(home, "preview.html")}`);
  await me.getByRole("log").getByRole("listitem").first().waitFor();
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width: 1240, height: Math.min(height, 1600) });
  await shot(page, "preview");
  await page.getByText("Dark", { exact: true }).click();
  await shot(page, "preview-dark");
}).finally(() => {
  sandbox.kill("SIGINT");
  rmSync(home, { recursive: true, force: true });
});
