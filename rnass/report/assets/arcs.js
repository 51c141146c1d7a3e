// Arcs over the sequence: rnass above, ViennaRNA's MFE structure below where it is known.

rnass.arcs = (record, panel) => {
  const { svg } = rnass;
  const step = 10, gap = record.nick === null ? 0 : 30;
  const x = (k) => step * k + (record.nick !== null && k >= record.nick ? gap : 0);
  const width = x(record.length - 1) + step;
  const below = record.mfe ? rnass.pairsOf(record.mfe) : [];
  const widest = Math.max(step, ...[...record.pairs, ...below].map(([i, j]) => x(j) - x(i)));
  // As in figures/arc_panels.py: half ellipses of height k (j - i)^p, p from 1/2 to 1, never cross unless pairs do.
  const tallest = Math.min(widest / 2, Math.max(width * 0.23, 160));
  const hairpin = 10 * step;
  const power = widest <= hairpin ? 1
    : Math.min(1, Math.max(0.5, Math.log(tallest / Math.max(hairpin / 2, tallest / 27)) / Math.log(widest / hairpin)));
  const height = (reach) => tallest * (reach / widest) ** power;
  const highest = (pairs) => Math.max(0, ...pairs.map(([i, j]) => height(x(j) - x(i))));

  const picture = svg("svg", {
    ...rnass.PICTURE,
    "aria-label": `Arcs of ${record.id}: ${rnass.counted(record.pairs.length, "pair")} of rnass above${record.mfe ? `, ${below.length} of ViennaRNA's MFE structure below` : ""}.`,
  });
  const draw = (pairs, side, colour) => {
    const group = svg("g", { fill: "none" });
    for (const pair of [...pairs].sort((one, other) => one[2] - other[2])) {
      const [i, j] = pair;
      const [from, to] = [x(i), x(j)];
      const d = `M${from} 0A${(to - from) / 2} ${height(to - from)} 0 0 ${side > 0 ? 1 : 0} ${to} 0`;
      group.append(svg("path", { d, stroke: colour(pair), "data-i": i, "data-j": j, "data-side": side }));
    }
    picture.append(group);
    return group;
  };
  const over = draw(record.pairs, 1, ([i, j, order]) => {
    if (!record.map) return order ? "#d55e00" : "#6a7781";
    return (order ? rnass.KNOTTED : rnass.NESTED)(record.probability(i, j));
  });
  const same = new Set(record.pairs.map(([i, j]) => i * record.length + j));
  const under = draw(below, -1, ([i, j]) => (same.has(i * record.length + j) ? "#004a8f" : "#9a9a9a"));

  const strands = record.nick === null ? [[0, record.length - 1]] : [[0, record.nick - 1], [record.nick, record.length - 1]];
  const chain = svg("path", { class: "chain", d: strands.map(([from, to]) => `M${x(from)} 0H${x(to)}`).join("") });
  const labels = svg("g", { "text-anchor": "middle", "pointer-events": "none" });
  picture.append(chain, labels);
  // Letters where they can be read, else a line; numbers of 12 pixels; and as much room for them as that takes.
  const label = (seen, pixel) => {
    const lettered = step / pixel >= 5;
    const size = 12 * pixel;
    const line = (lettered ? 12 : 0) + 1.1 * size;
    const every = [10, 20, 50, 100, 200, 500, 1000].find((number) => number * step > 4.5 * size) ?? 1000;
    labels.replaceChildren();
    for (let k = 0; k < record.length; k++) {
      if (x(k) < seen.x - 4 * size || x(k) > seen.x + seen.width + 4 * size) continue;
      if (lettered) labels.append(svg("text", { x: x(k), y: 10, "font-size": 10 }, record.bases[k]));
      if (record.number(k) % every && record.number(k) !== 1) continue;
      labels.append(svg("text", { class: "number", x: x(k), y: line, "font-size": size }, record.number(k)));
    }
    chain.setAttribute("stroke-width", lettered ? 0 : pixel);
    under.setAttribute("transform", `translate(0 ${line + 0.5 * size})`);
    for (const group of [over, under]) group.setAttribute("stroke-width", 1.6 * pixel);
  };

  const [up, down] = [highest(record.pairs), highest(below)];
  const beside = Math.max(2 * step, width / 60);
  const box = { x: -beside, y: -up - 10, width: width - step + 2 * beside, height: up + down + Math.max(34, width / 45) + 20 };
  const view = rnass.element("div", { class: "view" }, picture);
  const tip = rnass.tip(view);
  const zoom = rnass.panZoom(picture, box, (seen, pixel) => {
    picture.setAttribute("viewBox", `${seen.x} ${seen.y} ${seen.width} ${seen.height}`);
    label(seen, pixel);
  });
  picture.addEventListener("pointerover", (event) => {
    const { i, j, side } = event.target.dataset;
    if (i === undefined) return;
    const [a, b] = [Number(i), Number(j)];
    const whose = side === "1" ? "rnass" : "ViennaRNA MFE";
    const known = record.map ? `, rnass's probability ${record.probability(a, b).toFixed(3)}` : "";
    tip.show(event, `${whose}: ${record.number(a)} ${record.bases[a]} \u2013 ${record.number(b)} ${record.bases[b]}${known}`);
  });
  picture.addEventListener("pointerout", tip.hide);
  const status = rnass.element("p", { class: "status", role: "status" });
  rnass.baseKeys(picture, record, status, (k) => zoom.reveal(x(k), 0));
  const legends = record.map ? [rnass.legend("pairing probability (rnass)", rnass.NESTED)] : [];
  if (record.map && record.pairs.some((pair) => pair[2])) legends.push(rnass.legend("the same, pseudoknotted", rnass.KNOTTED));
  if (record.mfe) {
    const energy = record.mfe_energy ? ` ${record.mfe_energy} kcal/mol` : "";
    legends.push(rnass.element("span", { class: "legend" }, `Below: ViennaRNA MFE${energy}; green: rnass has the pair too`));
  }
  panel.append(rnass.element("div", { class: "tools" }, ...zoom.buttons, rnass.saveSvg(picture, box, zoom, `${record.name}.arcs.svg`), ...legends), view, status);
  zoom.fit();
};
