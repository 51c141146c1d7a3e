// The drawing: bases where ViennaRNA's layout puts them, pseudoknots as curves.

rnass.drawing = (record, panel) => {
  const { svg } = rnass;
  const radius = 26; // in the layout's quarters, of which 60 lie between neighbours
  const x = (k) => record.xy[2 * k];
  const y = (k) => -record.xy[2 * k + 1];
  const xs = [], ys = [];
  for (let k = 0; k < record.length; k++) {
    xs.push(x(k));
    ys.push(y(k));
  }
  const [left, right] = rnass.range(xs), [top, bottom] = rnass.range(ys);
  // of the numbers beside the chain, which on a small screen are large in these units
  const room = (extent, pixels) => (68 * pixels + 34 * extent) / (pixels - 68);
  const margin = Math.max(160, (right - left) / 30, room(right - left, Math.max(200, panel.clientWidth)), room(bottom - top, 560));
  const box = { x: left - margin, y: top - margin, width: right - left + 2 * margin, height: bottom - top + 2 * margin };

  const picture = svg("svg", {
    ...rnass.PICTURE, class: "drawing",
    "aria-label": `Drawing of ${record.id}: ${rnass.counted(record.length, "base")}, ${rnass.counted(record.pairs.length, "pair")}. Arrow keys move from base to base, plus and minus zoom.`,
  });
  const strands = record.nick === null ? [[0, record.length]] : [[0, record.nick], [record.nick, record.length]];
  const chain = strands.map(([from, to]) => "M" + Array.from({ length: to - from }, (_, k) => `${x(from + k)} ${y(from + k)}`).join("L")).join("");
  const lines = [svg("path", { class: "chain", d: chain })];
  const straight = record.pairs.filter((pair) => pair[2] === 0).map(([i, j]) => `M${x(i)} ${y(i)}L${x(j)} ${y(j)}`).join("");
  lines.push(svg("path", { class: "nested", d: straight }));
  const bows = record.pairs.filter((pair) => pair[2] > 0).map(([i, j]) => {
    const [dx, dy] = [x(j) - x(i), y(j) - y(i)];
    return `M${x(i)} ${y(i)}Q${(x(i) + x(j)) / 2 + 0.2 * dy} ${(y(i) + y(j)) / 2 - 0.2 * dx} ${x(j)} ${y(j)}`;
  }).join("");
  lines.push(svg("path", { class: "knot", d: bows }));

  const discs = svg("g", { "stroke-width": 2 });
  for (let k = 0; k < record.length; k++) discs.append(svg("circle", { cx: x(k), cy: y(k), r: radius, "data-base": k }));
  const paint = (by) => {
    [...discs.children].forEach((disc, k) => {
      if (by === "confidence") disc.setAttribute("fill", rnass.CONFIDENCE(record.confidence[k] / 100));
      else disc.removeAttribute("fill");
      disc.setAttribute("class", by === "confidence" ? "" : "plain");
    });
    legend.hidden = by !== "confidence";
    zoom.again();
  };
  const letters = svg("g", { "pointer-events": "none" });
  const numbers = svg("g", { "pointer-events": "none" });
  const here = svg("circle", { class: "here", "vector-effect": "non-scaling-stroke", visibility: "hidden" });
  picture.append(...lines, discs, numbers, letters, here);

  const view = rnass.element("div", { class: "view" }, picture);
  const status = rnass.element("p", { class: "status", role: "status" });
  const tip = rnass.tip(view);
  let colour = record.confidence ? "confidence" : "plain";
  let scale = null;
  // Letters are made for what can be seen, once they are large enough to read.
  const showLetters = (seen, pixel) => {
    letters.replaceChildren();
    if (36 / pixel < 5) return;
    for (let k = 0; k < record.length; k++) {
      if (x(k) < seen.x || x(k) > seen.x + seen.width || y(k) < seen.y || y(k) > seen.y + seen.height) continue;
      const shade = colour === "confidence" ? (record.confidence[k] > 60 ? "dark" : "light") : "";
      letters.append(svg("text", { x: x(k), y: y(k) + 13, "text-anchor": "middle", "font-size": 36, class: shade }, record.bases[k]));
    }
  };
  const zoom = rnass.panZoom(picture, box, (seen, pixel) => {
    picture.setAttribute("viewBox", `${seen.x} ${seen.y} ${seen.width} ${seen.height}`);
    // lines, discs and numbers of a long RNA stay large enough to be seen
    lines.forEach((line) => line.setAttribute("stroke-width", Math.max(7, 1.2 * pixel)));
    discs.style.setProperty("--r", `${Math.max(radius, 1.8 * pixel)}px`);
    discs.style.strokeWidth = pixel > 8 ? 0 : null;
    here.setAttribute("r", Math.max(radius + 8, 6 * pixel));
    if (scale !== pixel) numbers.replaceChildren(...rnass.numbers(record, x, y, pixel));
    scale = pixel;
    showLetters(seen, pixel);
  });
  discs.addEventListener("pointerover", (event) => {
    if (event.target.dataset.base) tip.show(event, rnass.described(record, Number(event.target.dataset.base)));
  });
  discs.addEventListener("pointerout", tip.hide);
  rnass.baseKeys(picture, record, status, (k) => {
    for (const [name, value] of [["cx", x(k)], ["cy", y(k)], ["visibility", "visible"]]) here.setAttribute(name, value);
    zoom.reveal(x(k), y(k));
  });
  const legend = rnass.legend("confidence", rnass.CONFIDENCE);
  const choice = rnass.element("select", {
    "aria-label": "colour of bases",
    onchange: (event) => { colour = event.target.value; paint(colour); },
  }, ...(record.confidence ? [rnass.element("option", { value: "confidence" }, "colour: confidence")] : []),
  rnass.element("option", { value: "plain" }, "colour: none"));
  const save = rnass.saveSvg(picture, box, zoom, `${record.name}.svg`);
  panel.append(rnass.element("div", { class: "tools" }, ...zoom.buttons, choice, save, legend), view, status);
  zoom.fit();
  paint(colour);
};

rnass.range = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);

/** Numbers of bases, as large as 12 pixels, beside the chain and on nothing else; where there is no room, none. */
rnass.numbers = (record, x, y, pixel) => {
  const placed = [];
  const every = [10, 20, 50, 100, 200, 500, 1000].find((number) => number > 1.2 * pixel) ?? 1000; // 72 pixels of the chain
  const size = Math.max(12 * pixel, 20);
  const reachOf = size / 32;
  const disc = Math.max(26, 1.8 * pixel);
  const side = 90 * reachOf;
  const cells = new Map();
  const cell = (px, py) => `${Math.floor(px / side)} ${Math.floor(py / side)}`;
  const put = (px, py) => cells.set(cell(px, py), [...(cells.get(cell(px, py)) ?? []), [px, py]]);
  for (let k = 0; k < record.length; k++) put(x(k), y(k));
  for (const [i, j] of record.pairs) put((x(i) + x(j)) / 2, (y(i) + y(j)) / 2);
  const isFree = (px, py) => {
    for (let dx = -1; dx <= 1; dx++) {
      for (let dy = -1; dy <= 1; dy++) {
        for (const [qx, qy] of cells.get(cell(px + side * dx, py + side * dy)) ?? []) {
          if (Math.abs(qx - px) < disc + 36 * reachOf && Math.abs(qy - py) < disc + 20 * reachOf) return false;
        }
      }
    }
    return true;
  };
  const label = (k, text) => {
    for (const reach of [75, 100, 135].map((far) => far * (1 + reachOf) / 2)) {
      for (let turn = 0; turn < 16; turn++) {
        const [px, py] = [x(k) + reach * Math.cos(turn * Math.PI / 8), y(k) + reach * Math.sin(turn * Math.PI / 8)];
        if (!isFree(px, py)) continue;
        placed.push(rnass.svg("text", { class: "number", x: px, y: py + 0.35 * size, "font-size": size, "text-anchor": "middle" }, text));
        for (const beside of [-30, 0, 30]) put(px + beside * reachOf, py);
        return;
      }
    }
  };
  const starts = record.nick === null ? [0] : [0, record.nick];
  for (const start of starts) label(start, "5\u2032");
  for (const end of [...starts.slice(1), record.length]) label(end - 1, "3\u2032");
  for (let k = 0; k < record.length; k++) if (record.number(k) % every === 0) label(k, String(record.number(k)));
  return placed;
};

/** A button that saves a picture whole, in the colours of paper. */
rnass.saveSvg = (picture, box, zoom, name) => rnass.element("button", {
  type: "button",
  onclick: () => {
    zoom.whole();
    const copy = picture.cloneNode(true);
    const radius = parseFloat(getComputedStyle(picture.querySelector("[data-base]") ?? picture).r);
    for (const disc of copy.querySelectorAll("[data-base]")) disc.setAttribute("r", radius);
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("viewBox", `${box.x} ${box.y} ${box.width} ${box.height}`);
    copy.prepend(rnass.svg("style", {}, "svg{background:#fff}.chain{fill:none;stroke:#aab2b8}.nested{stroke:#4d565e;fill:none}" +
      ".knot{stroke:#c04f00;fill:none;stroke-dasharray:12 8}.plain{fill:#e4e8eb}circle{stroke:#8a949b}text{font-family:sans-serif;fill:#222}" +
      ".number{fill:#555}.dark{fill:#fff}.here{display:none}"));
    zoom.again();
    rnass.download(name, new XMLSerializer().serializeToString(copy));
  },
}, "save as SVG");
