// Chromium as all stories here start it: headless, still, and gone when the story ends.

import { chromium } from "playwright-core";

/** Runs `story` with a browser; ends the process when it takes longer than `longest` milliseconds. */
export async function withBrowser(longest, story) {
  setTimeout(() => {
    console.error("the story took too long");
    process.exit(1);
  }, longest).unref();
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
  try {
    await story(browser);
  } finally {
    await browser.close();
  }
}

/** Waits until pictures are drawn and what moves has come to rest. */
export async function rest(page) {
  await page.evaluate(async () => {
    await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
    await Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {})));
  });
}

/** By how many pixels the page is wider than its window; not at all at 0 or less. */
export async function tooWide(page) {
  return page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
