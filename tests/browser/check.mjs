// Opens every page of the built book in headless Chromium and lists what a reader would trip over:
//
//     npm install --no-package-lock --prefix tests/browser
//     node tests/browser/check.mjs _build/html [PAGE ...]
//
// The network is refused. Every page is seen light and dark, wide and on a phone, and on paper. Listed are requests
// that leave the machine or fail, messages on the console, findings of axe-core, what sticks out of the screen,
// boxes that scroll sideways, pages above 2 MB, and a search for "posterior ratio" that finds nothing. The exit status is 1 if anything is listed.
// Chromium is /usr/bin/chromium, or what the variable CHROMIUM names.

import { createReadStream, readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { chromium } from "playwright-core";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
const SHEET = { width: 700, height: 1000 }; // A4 between its margins, in pixels
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png" };

const folder = process.argv[2];
const written = readdirSync(folder, { recursive: true })
  .filter((name) => name.endsWith(".html") && !name.startsWith("_static"))
  .sort();
const pages = process.argv.length > 3 ? process.argv.slice(3) : [...written, "search.html?q=posterior+ratio"];

const server = createServer((request, response) => {
  const file = join(folder, decodeURIComponent(new URL(request.url, "http://x").pathname));
  const found = statSync(file, { throwIfNoEntry: false })?.isFile();
  response.writeHead(found ? 200 : 404, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
  found ? createReadStream(file).pipe(response) : response.end();
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const site = `http://127.0.0.1:${server.address().port}/`;

// A sentence for every outermost element that ends right of the screen, and for every box that scrolls sideways.
function tooWide() {
  const scrolls = (element) => /(auto|scroll)/.test(getComputedStyle(element).overflowX);
  const reached = (element) => element && (scrolls(element) || reached(element.parentElement));
  const describe = (kind, element, pixels) =>
    `${kind} ${element.tagName.toLowerCase()}.${element.className} by ${Math.round(pixels)} px: ${element.textContent.trim().slice(0, 70)}`;
  const lines = [];
  const past = document.documentElement.scrollWidth - innerWidth;
  if (past > 0) lines.push(`the page scrolls sideways by ${past} px`);
  for (const element of document.querySelectorAll(".bd-article, .bd-article *, .bd-sidebar-secondary *")) {
    if (!element.checkVisibility() || element.closest("mjx-assistive-mml, .headerlink, svg")) continue;
    const over = (box) => box.getBoundingClientRect().right - innerWidth;
    if (over(element) > 1 && over(element.parentElement) <= 1 && !reached(element.parentElement)) lines.push(describe("sticks out:", element, over(element)));
    // A formula also holds its text for screen readers, which may be wider than what is seen.
    const seen = element.querySelector(":scope > mjx-math")?.getBoundingClientRect().width ?? element.scrollWidth;
    if (seen > element.clientWidth + 1 && scrolls(element)) lines.push(describe("scrolls:", element, seen - element.clientWidth));
  }
  return lines;
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
let found = 0;
for (const [i, name] of pages.entries()) {
  process.stderr.write(`\r${i + 1} of ${pages.length}: ${name}\x1b[K`); // progress
  const tell = (look, line) => {
    found += 1;
    process.stderr.write("\r\x1b[K");
    console.log(`${name} (${look}): ${line.replace(/\s+/g, " ")}`);
  };
  // A reader who was never here before.
  const context = await browser.newContext({ viewport: WIDE, colorScheme: "light", reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(300_000); // for a busy machine
  let bytes = 0;
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && tell("console", message.text()));
  page.on("pageerror", (error) => tell("console", error.message));
  page.on("requestfailed", (request) => tell("network", `failed: ${request.url()}`));
  page.on("response", async (response) => {
    if (response.status() >= 400) tell("network", `${response.status()} ${response.url()}`);
    if (/document|image/.test(response.request().resourceType())) bytes += (await response.body().catch(() => "")).length;
  });
  await page.route(/.*/, (route) =>
    route.request().url().startsWith(site) || /^(data|blob):/.test(route.request().url()) ? route.continue() : route.abort(),
  );

  await page.goto(site + name, { waitUntil: "load" });
  if (name === "index.html") await page.waitForURL(/book\/index/); // it only leads on
  if (name.includes("?q=")) await page.waitForSelector("#search-results li").catch(() => tell("search", "finds nothing"));
  await page.evaluate(() => window.MathJax?.startup?.promise);
  await page.evaluate(() => {
    document.querySelectorAll("img").forEach((image) => (image.loading = "eager"));
    document.querySelectorAll("details").forEach((element) => (element.open = true));
    document.querySelectorAll(".toggle-hidden > .admonition-title").forEach((title) => title.click()); // solutions
  });
  await page.addScriptTag({ path: AXE });

  const axe = async (look) => {
    await page.waitForTimeout(600); // colours fade, and the theme mends its page a moment after loading
    const { violations } = await page.evaluate(() => axe.run());
    for (const { id, impact, nodes } of violations)
      tell(look, `axe ${impact} ${id}, ${nodes.length} times: ${nodes[0].html.slice(0, 160)} ${nodes[0].failureSummary}`);
  };
  const widths = async (look) => {
    await page.waitForTimeout(300);
    for (const line of await page.evaluate(tooWide)) tell(look, line);
  };
  await axe("light");
  await widths("wide");
  await page.evaluate(() => (document.documentElement.dataset.theme = "dark"));
  await axe("dark");
  await page.setViewportSize(PHONE);
  await axe("dark phone");
  await widths("phone");
  await page.setViewportSize(SHEET);
  await page.emulateMedia({ media: "print" });
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  await widths("paper");
  if ((await page.evaluate(() => document.documentElement.dataset.theme)) !== "light") tell("paper", "prints dark");
  if (bytes > 2e6) tell("size", `${bytes} bytes of page and images`);
  await context.close();
}
process.stderr.write("\r\x1b[K");
await browser.close();
server.close();
console.log(`${pages.length} pages: ${found} findings`);
process.exit(found ? 1 : 0);
