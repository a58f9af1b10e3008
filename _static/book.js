// Two things that a style sheet cannot do: formulas that fit the screen, and a page that prints whole.
(function () {
  const SMALLEST = 0.65; // of the usual size of a formula

  function fitFormulas() {
    document.querySelectorAll(".bd-article mjx-container").forEach(function (formula) {
      const column = formula.closest("p, li, td, dd, div");
      formula.classList.remove("wide");
      formula.removeAttribute("tabindex");
      formula.style.zoom = "";
      const shrink = column.clientWidth / formula.scrollWidth;
      if (shrink < 1) formula.style.zoom = Math.max(shrink, SMALLEST);
      // Letters that lean over their box are no reason to scroll: hence the margin of 16 pixels.
      if (formula.scrollWidth > column.clientWidth + 16) {
        formula.classList.add("wide");
        formula.tabIndex = 0; // so that arrow keys scroll it
      }
    });
  }

  window.addEventListener("load", function () {
    if (!window.MathJax || !MathJax.startup) return;
    MathJax.startup.promise.then(fitFormulas);
    window.addEventListener("resize", fitFormulas);
  });

  // On paper: light, and with every solution and folded output open. Afterwards as it was.
  const root = document.documentElement;
  let before = null;
  window.addEventListener("beforeprint", function () {
    if (before) return;
    const folded = document.querySelectorAll(".bd-article details:not([open])");
    before = { theme: root.dataset.theme, folded: folded };
    root.dataset.theme = "light";
    fitFormulas();
    folded.forEach(function (details) { details.open = true; });
  });
  window.addEventListener("afterprint", function () {
    if (!before) return;
    root.dataset.theme = before.theme;
    before.folded.forEach(function (details) { details.open = false; });
    before = null;
  });
})();
