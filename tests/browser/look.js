// Run inside a page: returns what a reader with weak eyes or a screen reader would stumble over.
() => {
  const problems = [];
  const say = (problem) => problems.push(problem);

  // Contrast as WCAG 2 defines it, over whatever stands behind the text.
  const parse = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const linear = (value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const over = (below, [r, g, b, a = 1]) => [r, g, b].map((value, i) => value * a + below[i] * (1 - a));
  const behind = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour[3] !== 0) layers.push(colour);
      if (colour.length === 3) break;
    }
    return layers.reverse().reduce(over, [255, 255, 255]);
  };

  for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
    if (!field.closest("#swagger") && !field.labels?.length && !field.getAttribute("aria-label")) say("no label: " + field.outerHTML.slice(0, 80));
  for (const control of document.querySelectorAll("button, a[href]"))
    if (!control.textContent.trim() && !control.getAttribute("aria-label") && !control.closest("#swagger")) say("no name: " + control.outerHTML.slice(0, 80));
  for (const image of document.querySelectorAll("img:not([alt])")) say("no alt: " + image.src);
  const headings = document.querySelectorAll("main h1, .gate h1").length;
  if (headings !== 1 && !document.getElementById("swagger")) say("main headings: " + headings);

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || element.closest("svg, script, .hidden, .skip, #swagger, :disabled, option")) continue;
    if (!element.checkVisibility({ visibilityProperty: true }) || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const ground = behind(element);
    const [high, low] = [light(over(ground, parse(style.color))), light(ground)].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 24;
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < (large ? 3 : 4.5)) say(`contrast ${ratio.toFixed(2)}: ${text.slice(0, 20)} ${style.color}`);
  }
  return [...new Set(problems)].slice(0, 8);
}
