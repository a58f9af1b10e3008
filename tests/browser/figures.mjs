// Operates the figures of the built book as a reader does, and prints chapters; see pages.py, which starts it:
//
//     node tests/browser/figures.mjs _build/html EXPECTED.json [CHAPTER.html ...]
//
// Everything is read from the folder, without a server. Listed are numbers that differ from the expected ones by more
// than 1e-6, dots that stand elsewhere than their numbers, sentences that are not said, figures that move for readers
// who asked for rest, what the page asks of the network, and printed pages without content. The exit status is 1 if
// anything is listed.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { inflateSync } from "node:zlib";
import { chromium } from "playwright-core";

const [folder, file, ...chapters] = process.argv.slice(2);
const expected = JSON.parse(readFileSync(file, "utf8"));
const address = (name) => pathToFileURL(resolve(folder, name)).href;
const FIRST = "book/index.html";
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
let found = 0;
let compared = 0;
const check = (good, line) => {
  if (good) return;
  found += 1;
  console.log(line);
};
const near = (a, b, tolerance, line) => {
  compared += 1;
  check(Math.abs(a - b) <= tolerance, `${line}: ${a} instead of ${b}`);
};

async function open(name, settings) {
  const context = await browser.newContext({ reducedMotion: "reduce", ...settings });
  const page = await context.newPage();
  page.on("pageerror", (error) => check(false, `${name}: ${error.message}`));
  page.on("request", (request) => check(/^(file|data|blob):/.test(request.url()), `${name} asks for ${request.url()}`));
  await page.goto(address(name), { waitUntil: "load" });
  return page;
}

// What a reader sees of "Who may choose?": per method the number, the rank at which its dot stands, its place from above.
const read = () => {
  const box = document.querySelector(".who");
  const numbers = [...box.querySelectorAll("svg > text")].slice(0, 7).map((text) => text.getBoundingClientRect());
  const centre = (rectangle) => rectangle.left + rectangle.width / 2;
  const [first, last] = [centre(numbers[0]), centre(numbers[6])];
  return {
    rows: [...box.querySelectorAll(".row")].map((row) => {
      const dot = row.querySelector(".dot").getBoundingClientRect();
      const text = row.querySelector(".value").textContent;
      return { rank: Number(row.dataset.rank), text: Number(text), at: 1 + (6 * (centre(dot) - first)) / (last - first), top: dot.top };
    }),
    said: box.querySelector("output").textContent,
    chosen: box.querySelector("input:checked").value,
    controls: box.querySelector("fieldset").checkVisibility(),
    rests: getComputedStyle(box.querySelector(".dot")).transitionProperty === "none",
    letters: (parseFloat(getComputedStyle(box.querySelector("svg")).fontSize) * box.querySelector("svg").clientWidth) / 480,
    inside: box.getBoundingClientRect().right <= innerWidth && document.documentElement.scrollWidth <= innerWidth,
  };
};

function compare(seen, k, look, scripts = true) {
  const { name, ranks, sentence } = expected.cases[k];
  ranks.forEach((rank, i) => {
    const where = `${look}, ${name}, ${expected.methods[i]}`;
    if (scripts) near(seen.rows[i].rank, rank, 1e-6, `${where}, number`);
    near(seen.rows[i].text, rank, 0.05 + 1e-9, `${where}, text`);
    near(seen.rows[i].at, rank, 1e-3, `${where}, place of the dot`);
  });
  const byPlace = seen.rows.map((row, i) => [row.top, ranks[i]]).sort((a, b) => a[0] - b[0]);
  check(byPlace.every(([, rank], i) => i === 0 || rank >= byPlace[i - 1][1]), `${look}, ${name}: lines are not sorted`);
  check(seen.said === sentence, `${look}, ${name}: says "${seen.said}"`);
}

for (const [look, settings] of Object.entries({
  desktop: { viewport: { width: 1280, height: 900 } },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 } },
})) {
  const page = await open(FIRST, settings);
  const data = JSON.parse(await page.textContent('.who script[type="application/json"]'));
  expected.cases.forEach((one, k) => {
    for (const key of ["ranks", "f1"]) one[key].forEach((value, i) => near(data.cases[k][key][i], value, 1e-6, `${key} of ${one.name}`));
  });
  await page.focus(".who input:checked");
  for (let turn = 0; turn <= expected.cases.length; turn++) {
    const seen = await page.evaluate(read);
    const k = (expected.shown + turn) % expected.cases.length; // arrow keys go round
    check(Number(seen.chosen) === k, `${look}: the arrow key leads to choice ${seen.chosen} instead of ${k}`);
    check(seen.controls && seen.rests && seen.inside, `${look}: controls ${seen.controls}, rests ${seen.rests}, inside ${seen.inside}`);
    check(seen.letters >= 11, `${look}: letters of ${seen.letters} px`);
    compare(seen, k, look);
    await page.keyboard.press("ArrowRight");
  }
  await page.context().close();
}
const still = await open(FIRST, { viewport: { width: 1280, height: 900 }, javaScriptEnabled: false });
const seen = await still.evaluate(read);
check(!seen.controls, "without scripts: controls that do nothing");
compare(seen, expected.shown, "without scripts", false);
await still.context().close();

// "How many rows": what its function computes, what it draws, and what it says.
const readRows = () => {
  const box = document.querySelector(".many");
  const number = (selector, key) => Number(box.querySelector(selector).getAttribute(key));
  const [gaps, bias, rare] = [...box.querySelectorAll("input")].map((input) => Number(input.value));
  return {
    setting: [rare, bias, gaps],
    computed: box.check?.(rare, bias, gaps),
    edge: (number(".edge", "x1") - 122) / 38,
    risk: (236 - number(".now", "cy")) / 1250,
    gaps: (number(".now", "cx") - 40) / 54,
    best: box.querySelector(".best").checkVisibility() ? (number(".best", "cx") - 40) / 54 : null,
    curve: box.querySelector(".curve").getAttribute("d").slice(1).split("L").map((pair) => pair.split(" ").map(Number)),
    said: box.querySelector("output").textContent,
    controls: box.querySelector("fieldset").checkVisibility(),
    sheet: getComputedStyle(box.parentElement.closest(".text_html") ?? box).backgroundColor,
    inside: box.getBoundingClientRect().right <= innerWidth && document.documentElement.scrollWidth <= innerWidth,
    letters: (parseFloat(getComputedStyle(box.querySelector("svg")).fontSize) * box.querySelector("svg").clientWidth) / 320,
  };
};
function compareRows(seen, one, look, scripts = true) {
  const where = `${look}, rows of B, bias and gaps ${one.setting}`;
  check(String(seen.setting) === String(one.setting), `${where}: the sliders are at ${seen.setting}`);
  for (const key of ["boundary", "risk", "best", "least"]) {
    if (!scripts) break;
    if (one[key] === null) check(seen.computed[key] === null, `${where}: ${key} ${seen.computed[key]}`);
    else near(seen.computed[key], one[key], 1e-6, `${where}, ${key}`);
  }
  near(seen.edge, Math.min(one.boundary, 5), 1e-3, `${where}, place of the boundary`);
  near(seen.risk, one.risk, 1e-4, `${where}, height of the dot`);
  near(seen.gaps, one.setting[2], 1e-3, `${where}, place of the dot`);
  const drawn = one.best !== null && one.best <= 5;
  check(drawn === (seen.best !== null), `${where}: the ring is ${drawn ? "missing" : "still there"}`);
  if (drawn) near(seen.best, one.best, 1e-3, `${where}, place of the ring`);
  const [x, y] = seen.curve.reduce((a, b) => (Math.abs(b[0] - 40 - 54 * seen.gaps) < Math.abs(a[0] - 40 - 54 * seen.gaps) ? b : a));
  near(x, 40 + 54 * seen.gaps, 0.01, `${where}, a point of the curve`);
  near((236 - y) / 1250, one.risk, 1e-4, `${where}, height of the curve`);
  check(seen.said === one.sentence, `${where}: says "${seen.said}"`);
  check(seen.inside, `${where}: wider than the screen`);
}
for (const [look, settings] of Object.entries({
  desktop: { viewport: { width: 1280, height: 900 } },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  phone: { viewport: { width: 340, height: 740 }, hasTouch: true },
  "without scripts": { viewport: { width: 1280, height: 900 }, javaScriptEnabled: false },
})) {
  const scripts = settings.javaScriptEnabled !== false;
  const page = await open("book/15_how_many_rows.html", settings);
  const first = await page.evaluate(readRows);
  check(first.controls === scripts, `${look}: controls ${first.controls}`);
  check(first.letters >= 10.5, `${look}: letters of ${first.letters} px`);
  check(look !== "dark" || first.sheet === "rgba(0, 0, 0, 0)", `dark: a sheet of ${first.sheet}`);
  compareRows(first, expected.rows[0], look, scripts);
  for (const one of scripts ? expected.rows.slice(1) : []) {
    const [rare, bias, gaps] = one.setting;
    for (const [name, value] of Object.entries({ rare, bias, gaps })) await page.fill(`.many [name=${name}]`, String(value));
    compareRows(await page.evaluate(readRows), one, look);
  }
  if (scripts) {
    await page.fill(".many [name=gaps]", "1");
    await page.press(".many [name=gaps]", "ArrowRight");
    near((await page.evaluate(readRows)).gaps, 1.05, 1e-3, `${look}: the arrow key moves the dot`);
  }
  await page.context().close();
}

// "The climb": what its function computes, where it draws the ends, what it says, and what can be dragged and clicked.
const readClimb = () => {
  const box = document.querySelector(".climb"), field = box.querySelector("form").elements;
  const marks = (selector) => box.querySelector(selector).getAttribute("d").split("M").length - 1;
  const [, x, y] = box.querySelector(".cross").getAttribute("d").match(/M([\d.-]+),([\d.-]+)m/).map(Number);
  return {
    sliders: Object.fromEntries(["x", "y", "first", "radius", "bandwidth"].map((name) => [name, Number(field[name].value)])),
    end: [(x - 44) / 72 - 3, 2 - (y - 24) / 72],
    counts: [marks(".a"), marks(".b") + 1],
    said: box.querySelector("output").textContent,
    controls: box.querySelector("form").checkVisibility(),
    sheet: getComputedStyle(box.closest(".text_html")).backgroundColor,
    inside: box.getBoundingClientRect().right <= innerWidth && document.documentElement.scrollWidth <= innerWidth,
    letters: (parseFloat(getComputedStyle(box.querySelector("svg")).fontSize) * box.querySelector("svg").clientWidth) / 490,
  };
};
function compareClimb(seen, one, where) {
  seen.end.forEach((value, i) => near(value, one.end[i], 1e-3, `${where}, place of the end`));
  check(seen.said === one.sentence, `${where}: says "${seen.said}"`);
}
for (const [look, settings] of Object.entries({
  desktop: { viewport: { width: 1280, height: 900 } },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  phone: { viewport: { width: 340, height: 740 }, hasTouch: true },
  "without scripts": { viewport: { width: 1280, height: 900 }, javaScriptEnabled: false },
})) {
  const { cases, shown, added } = expected.climb;
  const scripts = settings.javaScriptEnabled !== false;
  const page = await open("book/04_sphere.html", settings);
  const first = await page.evaluate(readClimb);
  check(first.controls === scripts && first.inside, `${look}, climb: controls ${first.controls}, inside ${first.inside}`);
  check(first.letters >= 10.5, `${look}, climb: letters of ${first.letters} px`);
  check(look !== "dark" || first.sheet === "rgba(0, 0, 0, 0)", `dark, climb: a sheet of ${first.sheet}`);
  compareClimb(first, shown, `${look}, climb at first`);
  if (!scripts) {
    await page.context().close();
    continue;
  }
  for (const one of cases) {
    const { first, radius, bandwidth, name, rows } = one.settings;
    const where = `${look}, ${name} climb from ${rows.B[0]}, ${first} degrees`;
    const found = await page.evaluate((settings) => document.querySelector(".climb").check(settings), one.settings);
    for (const key of ["values", "end", "start_value", "value", "best", "n_iter", "degrees"]) {
      [one[key]].flat().forEach((value, i) => near([found[key]].flat()[i], value, 1e-6, `${where}, ${key}`));
    }
    if (rows.A.length < 40 || rows.B.length < 15) continue; // the sliders do not take rows away
    const values = { x: rows.B[0][0], y: rows.B[0][1], first, radius, bandwidth };
    for (const [key, value] of Object.entries(values)) await page.fill(`.climb [name=${key}]`, String(value));
    await page.check(`.climb [value=${name}]`);
    compareClimb(await page.evaluate(readClimb), one, where);
  }

  // The buttons, then a click on an empty place and on the row that it has made.
  const counts = async (majority, minority, what) => {
    const { counts } = await page.evaluate(readClimb);
    check(String(counts) === String([majority, minority]), `${look}: ${counts} rows after ${what}`);
  };
  await page.click(".climb .again");
  compareClimb(await page.evaluate(readClimb), shown, `${look}, climb started again`);
  await page.click(".climb .add");
  compareClimb(await page.evaluate(readClimb), added, `${look}, climb with one row more`);
  await counts(40, 16, "adding one at the end");
  await page.click(".climb .remove");
  compareClimb(await page.evaluate(readClimb), shown, `${look}, climb with that row removed`);
  await page.check(".climb [value=A]");
  await page.$eval(".climb svg", (svg) => svg.scrollIntoView({ block: "center", behavior: "instant" }));
  const frame = await page.locator(".climb svg").boundingBox();
  const at = (x, y) => [frame.x + ((44 + 72 * (x + 3)) / 490) * frame.width, frame.y + ((24 + 72 * (2 - y)) / 490) * frame.width];
  const press = (...place) => (settings.hasTouch ? page.touchscreen.tap(...place) : page.mouse.click(...place));
  await press(...at(2, 1.4));
  await counts(41, 15, "a click on the map");
  await press(...at(2, 1.4));
  await counts(40, 15, "a click on that row");
  compareClimb(await page.evaluate(readClimb), shown, `${look}, climb after two clicks`);

  // What is dragged: the circle, the ring on it, the seed. The arrow keys move a slider.
  const drag = async (from, to, wanted) => {
    await page.mouse.move(...at(...from));
    await page.mouse.down();
    await page.mouse.move(...at(...to), { steps: 3 });
    await page.mouse.up();
    const { sliders } = await page.evaluate(readClimb);
    for (const key in wanted) near(sliders[key], wanted[key], key === "first" ? 1 : 0.015, `${look}: ${key} dragged`);
  };
  const { x, y } = first.sliders;
  await drag([x, y + 0.8], [x, y + 1], { radius: 1, x, y, first: 20 });
  await drag([x + Math.cos(Math.PI / 9), y + Math.sin(Math.PI / 9)], [x, y + 0.5], { first: 90, radius: 1 });
  await drag([x, y], [1, -0.5], { x: 1, y: -0.5, radius: 1, first: 90 });
  await counts(40, 15, "dragging");
  await page.press(".climb [name=bandwidth]", "ArrowRight");
  near((await page.evaluate(readClimb)).sliders.bandwidth, 0.41, 1e-9, `${look}: the arrow key moves the bandwidth`);
  await page.context().close();
}

// "Threshold and costs": its normal distribution, what its function computes, its paths, cells, places and sentence.
const readCosts = () => {
  const box = document.querySelector(".costs"), field = box.querySelector("form").elements;
  const at = (selector) => box.querySelector(selector).getAttribute("transform").match(/-?[\d.]+(e-?\d+)?/g).map(Number);
  const inSquare = ([x, y], left) => [(x - left) / 150, 1 - (y - 230) / 150];
  return {
    boundary: at(".line")[0] / 40 - 3.5,
    slider: Number(field.c.value),
    roc: inSquare(at(".on_roc"), 30),
    pr: inSquare(at(".on_pr"), 270),
    cells: [...box.querySelectorAll("[data-of]")].map((cell) => [cell.dataset.of, cell.textContent]),
    paths: Object.fromEntries([...box.querySelectorAll("path[class]")].map((path) => [path.classList.item(path.classList.length - 1), path.getAttribute("d")])),
    said: box.querySelector("output").textContent,
    controls: box.querySelector("form").checkVisibility(),
    sheet: getComputedStyle(box.closest(".text_html")).backgroundColor,
    inside: box.getBoundingClientRect().right <= innerWidth && document.documentElement.scrollWidth <= innerWidth,
    letters: (parseFloat(getComputedStyle(box.querySelector("svg")).fontSize) * box.querySelector("svg").clientWidth) / 440,
  };
};
function compareCosts(seen, { chosen, found, sentence, paths }, where) {
  near(seen.boundary, Math.min(Math.max(chosen.c, -3.5), 7.5), 1e-3, `${where}, place of the boundary`);
  const rate = found.alarms / (found.alarms + found.passed);
  [...seen.roc, ...seen.pr].forEach((value, i) => near(value, [rate, found.recall, found.recall, found.precision][i], 1e-3, `${where}, points of the curves`));
  for (const [name, text] of seen.cells) near(Number(text), found[name], 0.5001 * 10 ** -text.split(".")[1].length, `${where}, cell of ${name}`);
  for (const name in paths) {
    const [drawn, wanted] = [seen.paths[name], paths[name]].map((path) => path.match(/-?[\d.]+/g).map(Number));
    check(drawn.length === wanted.length && drawn.every((value, i) => Math.abs(value - wanted[i]) < 0.11), `${where}: the path ${name} differs`);
  }
  check(seen.said === sentence, `${where}: says "${seen.said}"`);
}
for (const [look, settings] of Object.entries({
  desktop: { viewport: { width: 1280, height: 900 } },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  phone: { viewport: { width: 340, height: 740 }, hasTouch: true },
  "without scripts": { viewport: { width: 1280, height: 900 }, javaScriptEnabled: false },
})) {
  const { cases, scores, cdf } = expected.costs;
  const scripts = settings.javaScriptEnabled !== false;
  for (const name of ["book/01_imbalance.html", "book/14_thresholds_and_costs.html"]) {
    const page = await open(name, settings);
    const first = await page.evaluate(readCosts);
    check(first.controls === scripts && first.inside, `${look}, ${name}, costs: controls ${first.controls}, inside ${first.inside}`);
    check(first.letters >= 10.5, `${look}, ${name}, costs: letters of ${first.letters} px`);
    check(look !== "dark" || first.sheet === "rgba(0, 0, 0, 0)", `dark, ${name}, costs: a sheet of ${first.sheet}`);
    compareCosts(first, cases[0], `${look}, ${name}, costs at first`);
    if (!scripts || name.includes("01")) {
      await page.context().close();
      continue;
    }
    const probabilities = await page.evaluate((scores) => scores.map(document.querySelector(".costs").cdf), scores);
    probabilities.forEach((value, i) => near(value / cdf[i], 1, 1e-12, `${look}: normal distribution at ${scores[i]}, as a quotient`));
    for (const one of cases) {
      const where = `${look}, costs at ${Object.values(one.sliders)}`;
      for (const { chosen, found } of [one, one.cheapest]) {
        const computed = await page.evaluate((chosen) => document.querySelector(".costs").check(chosen), chosen);
        for (const key in found) near(computed[key], found[key], 1e-6, `${where}, ${key}`);
      }
      for (const [key, value] of Object.entries(one.sliders)) await page.fill(`.costs [name=${key}]`, String(value));
      compareCosts(await page.evaluate(readCosts), one, where);
      await page.click(".costs button");
      compareCosts(await page.evaluate(readCosts), one.cheapest, `${where}, cheapest`);
    }

    // By key, and on the picture itself.
    await page.fill(".costs [name=c]", "1");
    await page.press(".costs [name=c]", "ArrowRight");
    near((await page.evaluate(readCosts)).boundary, 1.05, 1e-3, `${look}: the arrow key moves the boundary`);
    await page.$eval(".costs .map", (map) => map.scrollIntoView({ block: "center", behavior: "instant" }));
    const map = await page.locator(".costs .map").boundingBox();
    const at = (score) => [map.x + ((score + 3.5) / 11) * map.width, map.y + map.height / 2];
    const moved = async (score, what) => {
      const { boundary, slider } = await page.evaluate(readCosts);
      near(boundary, score, 0.051, `${look}: the boundary after ${what}`);
      near(slider, boundary, 1e-9, `${look}: the slider after ${what}`);
    };
    await (settings.hasTouch ? page.touchscreen.tap(...at(3)) : page.mouse.click(...at(3)));
    await moved(3, "a click");
    await page.mouse.move(...at(2));
    await page.mouse.down();
    await page.mouse.move(...at(-1), { steps: 3 });
    await page.mouse.up();
    await page.mouse.move(...at(4));
    await moved(-1, "dragging");
    await page.context().close();
  }
}

// How many letters and pictures stand on every page of a PDF that Chromium wrote.
function contents(pdf) {
  const text = pdf.toString("latin1");
  const objects = new Map([...text.matchAll(/^(\d+) 0 obj\s([^]*?)endobj/gm)].map((match) => [match[1], match]));
  const kids = [...objects.values()].filter((match) => /\/Type \/Page\b(?!s)/.test(match[2]));
  return kids.map((match) => {
    const stream = objects.get(match[2].match(/\/Contents (\d+) 0 R/)[1]);
    const start = stream.index + stream[0].indexOf("stream") + 7;
    const drawn = inflateSync(pdf.subarray(start)).toString("latin1");
    const letters = [...drawn.matchAll(/<([0-9A-Fa-f]+)>/g)].reduce((sum, [, hex]) => sum + Math.floor(hex.length / 4), 0);
    return { letters, pictures: (drawn.match(/ Do\b/g) ?? []).length };
  });
}
for (const name of chapters) {
  const page = await open(name, { viewport: { width: 1280, height: 900 }, colorScheme: "dark", reducedMotion: "no-preference" });
  await page.evaluate(() => window.MathJax?.startup?.promise);
  const pages = contents(await page.pdf({ format: "A4" }));
  check(pages.length > 3, `${name}: only ${pages.length} pages on paper`);
  pages.slice(0, -1).forEach(({ letters, pictures }, i) => check(letters > 300 || pictures > 0, `${name}: page ${i + 1} of ${pages.length} has ${letters} letters`));
  // What fades in prints as nothing: the same page without any animation tells how much there is.
  await page.addStyleTag({ content: "* { animation: none !important; transition: none !important; }" });
  const [printed, whole] = [pages, contents(await page.pdf({ format: "A4" }))].map((all) => all.reduce((sum, { letters }) => sum + letters, 0));
  check(printed >= 0.99 * whole, `${name}: ${printed} of ${whole} letters are printed`);
  console.log(`${name}: ${pages.length} pages on paper, ${printed} of ${whole} letters`);
  await page.context().close();
}
await browser.close();
console.log(`${compared} numbers compared: ${found} findings`);
process.exit(found ? 1 : 0);
