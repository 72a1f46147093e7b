// Runs before the page is painted, so that a chosen theme never flashes.
(() => {
  "use strict";
  const chosen = localStorage.getItem("zhian-theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
})();
