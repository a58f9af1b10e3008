// A table of the built book: what a reader waits for, and how much of a page is code.
//
//     npm install --no-package-lock --prefix tests/browser
//     [SLOW=1] [LINES=1] node tests/browser/measure.mjs _build/html [PAGE ...]
//
// Per page: bytes of everything that the browser loads, without compression; with SLOW, seconds until the first paint
// and until all is loaded on a line of 1.6 Mbit/s with 150 ms of delay; share of the height that visible code takes; lines of visible code that wrap on
// a wide screen (LINES prints them). Times depend on the machine, so nothing here is a test except the code: the exit status is 1 if a
// chapter shows more of it than LIMIT allows, or a line wraps. Chromium is /usr/bin/chromium, or CHROMIUM.

import { createReadStream, readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { chromium } from "playwright-core";

const LIMIT = (name) => (/\/0[2-7]_/.test(name) ? 0.35 : 0.25); // in chapters 2 to 7 the code is the lesson
const LINE = { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 1e6 / 8 };
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png" };

const folder = process.argv[2];
const written = readdirSync(join(folder, "book")).filter((name) => name.endsWith(".html")).map((name) => `book/${name}`);
const pages = process.argv.length > 3 ? process.argv.slice(3) : written.filter((name) => statSync(join(folder, name)).size > 2000).sort();

const server = createServer((request, response) => {
  const file = join(folder, decodeURIComponent(new URL(request.url, "http://x").pathname));
  const found = statSync(file, { throwIfNoEntry: false })?.isFile();
  response.writeHead(found ? 200 : 404, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
  found ? createReadStream(file).pipe(response) : response.end();
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const site = `http://127.0.0.1:${server.address().port}/`;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });

async function open(name, slow) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: "light", reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(300_000);
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  let bytes = 0;
  const inside = new Set(); // pictures that the page itself holds
  session.on("Network.requestWillBeSent", ({ requestId, request }) => request.url.startsWith("data:") && inside.add(requestId));
  session.on("Network.dataReceived", ({ requestId, dataLength }) => inside.has(requestId) || (bytes += dataLength));
  if (slow) await session.send("Network.emulateNetworkConditions", LINE);
  await page.goto(site + name, { waitUntil: "load" });
  if (!slow) {
    await page.evaluate(() => document.querySelectorAll("img").forEach((image) => (image.loading = "eager")));
    await page.evaluate(() => window.MathJax?.startup?.promise);
    await page.waitForTimeout(300);
  }
  return { page, context, bytes: () => bytes };
}

// Seconds until something is painted, and until all is loaded, on the slow line.
async function seconds(name) {
  const { page, context } = await open(name, true);
  const times = await page.evaluate(() => [
    performance.getEntriesByName("first-contentful-paint")[0]?.startTime / 1000,
    performance.getEntriesByType("navigation")[0].loadEventStart / 1000,
  ]);
  await context.close();
  return times;
}

// How high the article is, how high its visible code, and which of its lines are wider than their box.
function code() {
  const article = document.querySelector("article.bd-article");
  const boxes = [...article.querySelectorAll("div.cell_input, div[class*=highlight-python]:not(.cell_input div)")];
  const seen = boxes.filter((box) => box.checkVisibility());
  const height = seen.reduce((sum, box) => sum + box.getBoundingClientRect().height, 0);
  const wrapped = [];
  for (const pre of seen.flatMap((box) => [...box.querySelectorAll("pre")])) {
    const style = getComputedStyle(pre);
    const width = pre.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const ruler = document.createElement("span");
    ruler.style.cssText = "position:absolute;visibility:hidden;white-space:pre";
    pre.append(ruler);
    for (const line of pre.textContent.split("\n")) {
      ruler.textContent = line;
      if (ruler.getBoundingClientRect().width > width + 0.5) wrapped.push(line);
    }
    ruler.remove();
  }
  return { share: height / article.getBoundingClientRect().height, height: article.getBoundingClientRect().height, wrapped };
}

let found = 0;
console.log("page | bytes | first paint, s | load, s | height, px | code, % | lines that wrap");
for (const name of pages) {
  const { page, context, bytes } = await open(name, false);
  const { share, height, wrapped } = await page.evaluate(code);
  await context.close();
  const [paint, load] = process.env.SLOW ? await seconds(name) : [NaN, NaN];
  const chapter = /\/(\d\d|speed)/.test(name);
  const bad = chapter && (share > LIMIT(name) || wrapped.length > 0);
  found += bad;
  console.log([name, bytes(), paint.toFixed(1), load.toFixed(1), Math.round(height), (100 * share).toFixed(0) + (bad ? " !" : ""), wrapped.length].join(" | "));
  if (process.env.LINES) wrapped.forEach((line) => console.log("    " + line));
}
await browser.close();
server.close();
process.exit(found ? 1 : 0);
