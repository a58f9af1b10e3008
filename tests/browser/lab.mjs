// Runs chapters in JupyterLab as a reader on Binder does, by the menu, and lists the cells that fail:
//
//     node tests/browser/lab.mjs FOLDER/OF/AN/ENVIRONMENT SCREENSHOTS book/04_sphere.ipynb [CHAPTER ...]
//
// JupyterLab of that environment is started on a copy of the repository. Each chapter's outputs are cleared, and
// "Run > Run All Cells" is chosen. The exit status is 1 if a cell fails or does not run. Pictures go to SCREENSHOTS.
// Chromium is /usr/bin/chromium, or what the variable CHROMIUM names.

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { chromium } from "playwright-core";

const PORT = 8931;
const MINUTES = 60_000;
const [environment, screenshots, ...chapters] = process.argv.slice(2);
const repository = resolve(import.meta.dirname, "../..");
mkdirSync(screenshots, { recursive: true });

// Committed files only, and a home without settings of an earlier visit.
const place = mkdtempSync(join(tmpdir(), "lab-"));
const [copy, home] = [join(place, "copy"), join(place, "home")];
execFileSync("git", ["clone", "--quiet", repository, copy]);
mkdirSync(home);
const lab = spawn(resolve(environment, "bin/jupyter"), [
  "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", `--port=${PORT}`, "--ServerApp.port_retries=0",
  "--IdentityProvider.token=", `--ServerApp.root_dir=${copy}`, "--LabApp.expose_app_in_browser=True",
], { env: { ...process.env, HOME: home }, stdio: "ignore" });
process.on("exit", () => {
  lab.kill();
  rmSync(place, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
const site = `http://127.0.0.1:${PORT}`;
for (let i = 0; !(await fetch(`${site}/api`).catch(() => null))?.ok; i++) {
  if (i > 120 || lab.exitCode !== null) throw new Error(`JupyterLab did not start, or port ${PORT} is taken.`);
  await new Promise((wake) => setTimeout(wake, 1000));
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
let found = 0;
const tell = (line) => {
  found += 1;
  console.log(line);
};
for (const chapter of chapters) {
  const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
  page.setDefaultTimeout(5 * MINUTES);
  page.on("pageerror", (error) => console.log(`${chapter}: JupyterLab says: ${error.stack}`));
  await page.goto(`${site}/lab/tree/${chapter}?reset`);
  // Before the kernel is ready, "Run" would ask for one and run nothing.
  await page.waitForFunction(() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === "idle");
  await page.evaluate(() => jupyterapp.commands.execute("notebook:clear-all-cell-outputs"));
  const start = Date.now();
  await page.click("#jp-MainMenu >> text=Run");
  await page.click('.lm-Menu-item[data-command="runmenu:run-all"]');
  // The model, not the page: cells out of view do not stand in the page.
  await page.waitForFunction(() => {
    const cells = jupyterapp.shell.currentWidget.model.sharedModel.toJSON().cells.filter((cell) => cell.cell_type === "code" && String(cell.source).trim());
    return cells.every((cell) => cell.execution_count) || cells.some((cell) => cell.outputs.some((output) => output.output_type === "error"));
  }, null, { timeout: 30 * MINUTES, polling: 1000 });
  const seconds = Math.round((Date.now() - start) / 1000);
  await page.evaluate(() => jupyterapp.commands.execute("docmanager:save"));
  const cells = await page.evaluate(() => jupyterapp.shell.currentWidget.model.sharedModel.toJSON().cells);
  const code = cells.filter((cell) => cell.cell_type === "code" && String(cell.source).trim());
  const failed = code.filter((cell) => !cell.execution_count || cell.outputs.some((output) => output.output_type === "error"));
  for (const cell of failed) tell(`${chapter}: did not run: ${String(cell.source).slice(0, 200)}`);
  console.log(`${chapter}: ${code.length - failed.length} of ${code.length} cells with code ran, in ${seconds} s`);

  // One picture a screen: the place of each eighth of the cells.
  for (let part = 0; part < 8; part++) {
    await page.evaluate(async (index) => {
      const notebook = jupyterapp.shell.currentWidget.content;
      notebook.activeCellIndex = index;
      await notebook.scrollToItem(index, "start");
    }, Math.floor((part * cells.length) / 8));
    await page.waitForTimeout(2500);
    await page.screenshot({ path: join(screenshots, `${basename(chapter, ".ipynb")}-${part}.png`) });
  }
  await page.close();
}
await browser.close();
process.exit(found ? 1 : 0);
