// The map of pairing probabilities, on a canvas that is drawn anew for what is to be seen.

rnass.map = (record, panel) => {
  if (!record.map) {
    panel.append(rnass.element("p", {}, "There is no map of this record, .npy or .npz, in the folder."));
    return;
  }
  const size = record.length;
  const [is, js, ps] = record.map;
  const canvas = rnass.element("canvas", {
    ...rnass.PICTURE,
    "aria-label": `Map of ${record.id}: pairing probabilities above the diagonal, the structure below it.`,
  });
  const view = rnass.element("div", { class: "view square" }, canvas);
  const status = rnass.element("p", { class: "status", role: "status" });
  const tip = rnass.tip(view);
  const edge = 44; // pixels left and above, for numbers
  const colour = rnass.scale([[0, [255, 255, 255]], [0.05, [185, 214, 236]], [0.35, [107, 174, 214]], [0.7, [33, 113, 181]], [1, [8, 48, 107]]]);
  const order = ps.map((_, k) => k).sort((one, other) => ps[one] - ps[other]); // the likeliest on top
  let seen = { x: 0, y: 0, width: size, height: size };
  const layout = () => {
    const area = canvas.getBoundingClientRect();
    const side = Math.max(Math.min(area.width, area.height) - edge - 18, 10);
    return { area, side, scale: side / seen.width };
  };
  const draw = () => {
    const { area, side, scale } = layout();
    const ratio = window.devicePixelRatio || 1;
    canvas.width = area.width * ratio;
    canvas.height = area.height * ratio;
    const pen = canvas.getContext("2d");
    const ink = getComputedStyle(canvas).color;
    pen.scale(ratio, ratio);
    pen.fillStyle = "#ffffff";
    pen.fillRect(edge, edge, side, side);
    pen.save();
    pen.beginPath();
    pen.rect(edge, edge, side, side);
    pen.clip();
    const cell = Math.max(scale, 1.6); // so that no pair of a long RNA vanishes
    const put = (column, row) => pen.fillRect(edge + (column - seen.x) * scale, edge + (row - seen.y) * scale, cell, cell);
    const inView = (i, j) => j >= seen.x - 1 && j <= seen.x + seen.width && i >= seen.y - 1 && i <= seen.y + seen.height;
    for (const k of order) {
      if (!inView(is[k], js[k])) continue;
      pen.fillStyle = colour(ps[k] / 1000);
      put(js[k], is[k]);
    }
    for (const [i, j, level] of record.pairs) {
      pen.fillStyle = level ? "#d55e00" : "#222222";
      put(i, j);
    }
    pen.strokeStyle = "#999999";
    pen.beginPath();
    pen.moveTo(edge - seen.x * scale, edge - seen.y * scale);
    pen.lineTo(edge + (size - seen.x) * scale, edge + (size - seen.y) * scale);
    pen.stroke();
    pen.restore();
    pen.strokeRect(edge, edge, side, side);
    pen.fillStyle = ink;
    pen.font = "11px sans-serif";
    const every = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000].find((number) => number * scale > 42) ?? 5000;
    for (let k = Math.max(0, Math.floor(seen.x)); k < Math.min(size, seen.x + seen.width); k++) {
      if (record.number(k) % every) continue;
      pen.textAlign = "center";
      pen.fillText(record.number(k), edge + (k + 0.5 - seen.x) * scale, edge - 6);
    }
    for (let k = Math.max(0, Math.floor(seen.y)); k < Math.min(size, seen.y + seen.height); k++) {
      if (record.number(k) % every) continue;
      pen.textAlign = "right";
      pen.fillText(record.number(k), edge - 5, edge + (k + 0.5 - seen.y) * scale + 4);
    }
  };
  const zoom = rnass.panZoom(canvas, { ...seen }, (now) => {
    seen = { ...now, height: now.width };
    requestAnimationFrame(draw);
  }, false);
  canvas.addEventListener("pointermove", (event) => {
    const { area, side, scale } = layout();
    const [column, row] = [event.clientX - area.left - edge, event.clientY - area.top - edge];
    if (column < 0 || row < 0 || column > side || row > side) return tip.hide();
    const [i, j] = [Math.floor(seen.y + row / scale), Math.floor(seen.x + column / scale)];
    if (i < 0 || j < 0 || i >= size || j >= size || i === j) return tip.hide();
    const text = `${record.number(Math.min(i, j))} ${record.bases[Math.min(i, j)]} \u2013 ${record.number(Math.max(i, j))} ${record.bases[Math.max(i, j)]}: ${record.probability(i, j).toFixed(3)}`;
    status.textContent = text;
    return tip.show(event, text);
  });
  canvas.addEventListener("pointerleave", tip.hide);
  rnass.baseKeys(canvas, record, status, () => {});
  panel.append(rnass.element("div", { class: "tools" }, ...zoom.buttons, rnass.legend("pairing probability (rnass), above the diagonal; below it the structure, pseudoknots orange", colour)), view, status);
  zoom.fit();
};
