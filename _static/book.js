// What a style sheet cannot do: formulas and tables that fit the screen, figures that open at their natural size, and
// a page that prints whole.
(function () {
  const SMALLEST = 0.55; // of the usual size

  const width = (element) => element.getBoundingClientRect().width;

  // Shrink a thing to its column. What is too wide even at the smallest size scrolls inside its box.
  function fit(thing, column, drawing) {
    thing.style.zoom = "";
    // Letters do not shrink in exact proportion: hence 4 pixels less.
    if (column && width(drawing) > column) thing.style.zoom = Math.max((column - 4) / width(drawing), SMALLEST);
    return !column || width(drawing) <= column + 1;
  }

  function fitAll() {
    document.querySelectorAll(".bd-article table").forEach(function (table) {
      fit(table, table.parentElement.clientWidth, table);
    });
    document.querySelectorAll(".bd-article mjx-container").forEach(function (formula) {
      formula.classList.remove("wide");
      formula.removeAttribute("tabindex");
      const box = formula.closest("p, li, td, dd, div");
      const number = box.querySelector(":scope > .eqno"); // beside the formula
      const column = box.clientWidth - (number ? width(number) + 8 : 0);
      // The container also holds the formula for screen readers, which is wider: so the drawing is measured.
      if (!fit(formula, column, formula.querySelector("mjx-math"))) {
        formula.classList.add("wide");
        formula.tabIndex = 0; // so that arrow keys scroll it
      }
    });
  }

  window.addEventListener("load", function () {
    fitAll();
    if (window.MathJax && MathJax.startup) MathJax.startup.promise.then(fitAll);
  });
  window.addEventListener("resize", fitAll);
  // Tables in folded cells have no width before they are opened.
  document.addEventListener("toggle", fitAll, true);

  // A figure that is shown smaller than it is becomes a button, which opens it in a window of its own.
  const dialog = document.createElement("dialog");
  dialog.className = "natural";
  dialog.innerHTML = '<form method="dialog"><button class="btn btn-sm btn-outline-secondary">Close</button></form><div tabindex="0"></div>';
  dialog.setAttribute("aria-label", "Figure at its natural size");
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());

  function openAtNaturalSize(image) {
    const copy = image.cloneNode();
    copy.removeAttribute("class");
    dialog.lastElementChild.replaceChildren(copy);
    dialog.showModal();
  }

  function offerNaturalSize() {
    document.querySelectorAll(".bd-article .cell_output img[width]").forEach(function (image) {
      const shrunk = image.clientWidth > 0 && image.clientWidth < Number(image.getAttribute("width")) - 1;
      if (!shrunk || image.closest("button, a")) return;
      const button = document.createElement("button");
      button.className = "enlarge";
      button.title = "Open at natural size";
      button.addEventListener("click", () => openAtNaturalSize(image));
      image.replaceWith(button);
      button.append(image);
    });
  }
  window.addEventListener("load", function () {
    document.body.append(dialog);
    offerNaturalSize();
  });
  window.addEventListener("resize", offerNaturalSize);
  document.addEventListener("toggle", offerNaturalSize, true);

  // On paper: light, and with every solution and folded output open. Afterwards as it was.
  const root = document.documentElement;
  let before = null;
  window.addEventListener("beforeprint", function () {
    if (before) return;
    const folded = document.querySelectorAll(".bd-article details:not([open])");
    before = { theme: root.dataset.theme, folded: folded };
    root.dataset.theme = "light";
    folded.forEach(function (details) { details.open = true; });
    fitAll();
  });
  window.addEventListener("afterprint", function () {
    if (!before) return;
    root.dataset.theme = before.theme;
    before.folded.forEach(function (details) { details.open = false; });
    before = null;
    fitAll();
  });
})();
