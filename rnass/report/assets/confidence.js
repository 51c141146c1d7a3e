// Confidence along the sequence: how probable it is that each base is as the structure has it.

rnass.confidence = (record, panel) => {
  if (!record.confidence) {
    panel.append(rnass.element("p", {}, "There is no map of this record, .npy or .npz, in the folder, so no confidence of its bases."));
    return;
  }
  const { svg } = rnass;
  const picture = svg("svg", {
    ...rnass.PICTURE, preserveAspectRatio: "none",
    "aria-label": `Confidence of each base of ${record.id}, from 0 to 1. Arrow keys move from base to base.`,
  });
  const bars = record.confidence.map((value, k) => `M${k} 100V${100 - value}h1V100`).join("");
  const paired = Array.from(record.partner, (partner, k) => (partner < 0 ? "" : `M${k} 104h1v6h-1z`)).join("");
  for (const level of [0, 50, 100]) picture.append(svg("path", { class: "chain", d: `M0 ${level}H${record.length}`, "stroke-width": 0.4 }));
  const mark = svg("rect", { x: 0, y: 0, width: 1, height: 110, fill: "none", class: "here", "vector-effect": "non-scaling-stroke", visibility: "hidden" });
  picture.append(
    svg("path", { d: bars, fill: rnass.NESTED(0.5) }),
    svg("path", { d: paired, class: "nested", "stroke-width": 0, style: "fill: var(--pair)" }),
    mark,
  );
  const view = rnass.element("div", { class: "view low" }, picture);
  const tip = rnass.tip(view);
  const status = rnass.element("p", { class: "status", role: "status" });
  const numbers = rnass.element("div", { class: "numbers", "aria-hidden": "true" });
  const zoom = rnass.panZoom(picture, { x: 0, y: -4, width: record.length, height: 118 }, (seen, pixel) => {
    picture.setAttribute("viewBox", `${seen.x} -4 ${seen.width} 118`);
    const every = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000].find((number) => number > 45 * pixel) ?? 5000;
    numbers.replaceChildren();
    for (let k = Math.max(0, Math.floor(seen.x)); k < Math.min(record.length, seen.x + seen.width); k++) {
      if (record.number(k) % every) continue;
      const number = rnass.element("span", {}, String(record.number(k)));
      number.style.left = `${100 * (k + 0.5 - seen.x) / seen.width}%`;
      numbers.append(number);
    }
  }, false);
  picture.addEventListener("pointermove", (event) => {
    const base = Math.floor(zoom.seen().x + zoom.share(event)[0] * zoom.seen().width);
    if (base < 0 || base >= record.length) tip.hide();
    else tip.show(event, rnass.described(record, base));
  });
  picture.addEventListener("pointerleave", tip.hide);
  rnass.baseKeys(picture, record, status, (k) => {
    mark.setAttribute("x", k);
    mark.setAttribute("visibility", "visible");
  });
  panel.append(
    rnass.element("div", { class: "tools" }, ...zoom.buttons,
      rnass.element("span", { class: "legend" }, "Height: confidence of each base, lines at 0, 0.5 and 1. Marks below: paired bases.")),
    view, numbers, status,
  );
  zoom.fit();
};
