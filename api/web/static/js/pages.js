// Small behaviours of the pages. Everything works without them but the charts and the keyboard.
(() => {
  "use strict";

  const dark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };

  document.querySelectorAll("[data-theme-switch]").forEach((button) =>
    button.addEventListener("click", () => {
      const next = dark() ? "light" : "dark";
      document.documentElement.dataset.theme = next;
      localStorage.setItem("zhian-theme", next);
      drawCharts();
    }),
  );

  // The menu is open beside a wide page and folded above a narrow one.
  const wide = matchMedia("(min-width: 900px)");
  const fold = () => document.querySelectorAll("[data-nav]").forEach((nav) => (nav.open = wide.matches));
  wide.addEventListener("change", fold);
  fold();

  // On a phone the filters stand behind a button that says how many are set.
  document.querySelectorAll("form.filters").forEach((form) => {
    const set = [...new FormData(form)].filter(([name, value]) => value && name !== "sort").length;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "second filter-toggle";
    button.textContent = set ? `筛选条件（已设 ${set} 项）` : "筛选条件";
    button.setAttribute("aria-expanded", "false");
    form.dataset.folded = "";
    button.addEventListener("click", () => {
      button.setAttribute("aria-expanded", String(form.toggleAttribute("data-folded") === false));
    });
    form.before(button);
  });

  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.who[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    const box = document.getElementById("suggestions");
    if (box && !box.parentElement.contains(event.target)) box.replaceChildren();
  });

  // Enter that ends a pinyin composition must not submit a form.
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Enter" || !(event.isComposing || event.keyCode === 229)) return;
      event.stopPropagation();
      event.preventDefault();
    },
    true,
  );
  document.addEventListener("submit", (event) => {
    // Empty filters stay out of the address, so that a pasted link is short and readable.
    if (event.target.matches("form.filters")) {
      event.target.querySelectorAll("input, select").forEach((field) => {
        if (!field.value) field.disabled = true;
      });
      setTimeout(() => event.target.querySelectorAll(":disabled").forEach((field) => (field.disabled = false)));
    }
    if (event.target.matches("form[method=post]")) {
      event.target.querySelectorAll("button").forEach((button) => setTimeout(() => (button.disabled = true)));
    }
  });
  document.querySelectorAll("form.filters select").forEach((field) =>
    field.addEventListener("change", () => field.form.requestSubmit()),
  );
  document.querySelectorAll("[data-print]").forEach((button) => button.addEventListener("click", () => print()));

  // Charts: the data stand in the page as JSON; text and lines take the page's own colours.
  const instances = [];
  function drawCharts() {
    if (!window.echarts) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    instances.splice(0).forEach((chart) => chart.dispose());
    document.querySelectorAll("[data-chart]").forEach((box) => {
      const option = JSON.parse(document.getElementById(box.dataset.chart).textContent);
      const ink = colour("--ink-2");
      const line = colour("--line");
      const palette = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6"].map(colour);
      const dress = (axis) =>
        [].concat(axis || []).forEach((one) => {
          one.axisLabel = { color: ink, ...one.axisLabel };
          one.axisLine = { lineStyle: { color: line } };
          one.splitLine = { lineStyle: { color: line, opacity: 0.5 }, ...one.splitLine };
        });
      dress(option.xAxis);
      dress(option.yAxis);
      (option.series || []).forEach((series) => {
        if (series.tone) series.itemStyle = { color: colour(series.tone) };
        if (series.type === "graph") series.label = { color: ink, textBorderWidth: 0, ...series.label };
      });
      const chart = echarts.init(box, null, { renderer: "svg" });
      chart.setOption({
        color: palette,
        animation: false,
        aria: { enabled: true, decal: { show: false } },
        textStyle: { color: ink, fontFamily: "inherit" },
        tooltip: {
          trigger: "axis",
          renderMode: "richText",
          confine: true,
          backgroundColor: colour("--paper"),
          borderColor: line,
          textStyle: { color: colour("--ink") },
        },
        grid: { left: 8, right: 24, top: 36, bottom: 4, containLabel: true },
        ...option,
        legend: { top: 0, type: "scroll", textStyle: { color: ink }, ...option.legend },
      });
      chart.on("click", (point) => {
        if (point.data && point.data.href) location.href = point.data.href;
      });
      instances.push(chart);
    });
  }
  drawCharts();
  addEventListener("resize", () => instances.forEach((chart) => chart.resize()));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawCharts);

  // Keyboard work on queues: digits press the numbered buttons, J and K move, U takes back.
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, textarea, select")) return;
    if (!document.querySelector("[data-queue]")) return;
    const key = CSS.escape(event.key.toLowerCase());
    const group = document.querySelector(`[data-cycle="${key}"]`);
    const target = document.querySelector(`[data-key="${key}"]`);
    if (!group && !target) return;
    event.preventDefault();
    if (!group) return target.click();
    // 是 → 否 → 拿不准 → nothing, and round again.
    const choices = [...group.querySelectorAll("input")];
    const now = choices.findIndex((one) => one.checked);
    if (now >= 0) choices[now].checked = false;
    if (now + 1 < choices.length) choices[now + 1].checked = true;
  });

  // Select all the visible rows of a table at once.
  document.querySelectorAll("[data-select-all]").forEach((box) =>
    box.addEventListener("change", () => {
      document.querySelectorAll(`input[name="${box.dataset.selectAll}"]`).forEach((one) => (one.checked = box.checked));
    }),
  );
})();
