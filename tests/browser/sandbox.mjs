// The sandbox as its user sees it: the real daemon answers, and sends what the blog gains.
//
// Usage: node sandbox.mjs ADDRESS
// With SHOTS=FOLDER in the environment it leaves pictures there.

import assert from "node:assert/strict";
import { withBrowser } from "./browser.mjs";

const shots = process.env.SHOTS;

await withBrowser(240_000, async (browser) => {
  const page = await browser.newPage({ viewport: { width: 1180, height: 900 }, locale: "en-GB" });
  page.setDefaultTimeout(60_000);
  await page.goto(process.argv[2]);
  const shot = async (name) => {
    if (shots) await page.screenshot({ path: `${shots}/${name}.png` });
  };
  const tg = page.getByRole("region", { name: "Telegram phone" });
  const me = page.getByRole("region", { name: "Messenger phone" });

  // Whose phones these are.
  await tg.getByText("Ana", { exact: true }).waitFor();
  await me.getByText("Mihai", { exact: true }).waitFor();

  // Both start, and both are welcomed by the daemon.
  await tg.getByRole("button", { name: "Start", exact: true }).click();
  await me.getByRole("button", { name: "Get started" }).click();
  await tg.getByRole("log").getByText("Welcome aboard!").waitFor();
  await me.getByRole("log").getByText("Welcome aboard!").waitFor();

  // A new post of the blog comes to both, with its button.
  await tg.getByRole("log").getByRole("link", { name: /Read/ }).first().waitFor();
  await me.getByRole("log").getByRole("link", { name: /Read/ }).first().waitFor();
  await tg.getByRole("log").getByText("Brought to Ana by the Gazette").first().waitFor();
  await me.getByRole("log").getByText("Brought to Mihai by the Gazette").first().waitFor();
  await shot("posts");

  // A word that nobody understands, and the button that stops.
  await tg.getByLabel("Message on Telegram").fill("what is this?");
  await page.keyboard.press("Enter");
  await tg.getByRole("log").getByText("I only carry the news.").waitFor();
  await tg.getByRole("log").getByRole("button", { name: "Stop" }).last().click();
  await tg.getByRole("log").getByText("Goodbye, and fair winds.").waitFor();
  await me.getByLabel("Message on Messenger").fill("stop");
  await me.getByRole("button", { name: "Send on Messenger" }).click();
  await me.getByRole("log").getByText("Goodbye, and fair winds.").waitFor();
  await shot("stopped");

  // And back again by the button below the goodbye.
  await me.getByRole("log").getByRole("button", { name: "Start again" }).last().click();
  const welcomes = me.getByRole("log").getByText("Welcome aboard!");
  await welcomes.nth(1).waitFor();
  assert.equal(await welcomes.count(), 2);
});
