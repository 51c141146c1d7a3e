// Zoom and pan of a picture: by wheel and pointer, buttons, and keys (+ - 0, shift and arrows).

/** A picture that takes keys: screen readers hand an "application" the arrow keys, an "img" not. */
rnass.PICTURE = { role: "application", "aria-roledescription": "picture", tabindex: "0" };

/**
 * `box` is {x, y, width, height} of all there is; `show` is called with what is to be seen, and with how much of it is
 * one pixel wide. `keep` keeps the proportions of the element. Gives the buttons, and handles keys of `node`; others are
 * left alone.
 */
rnass.panZoom = (node, box, show, keep = true) => {
  let seen = { ...box };
  const shape = () => {
    const area = node.getBoundingClientRect();
    return area.height ? area.width / area.height : 1;
  };
  const pixel = (part) => part.width / Math.max(node.getBoundingClientRect().width, 1);
  const apply = () => show({ ...seen }, pixel(seen));
  let whole = true; // as `fit` left it
  let frame = 0; // moves of the pointer may come faster than a long RNA can be shown
  const soon = () => { frame ||= requestAnimationFrame(() => { frame = 0; apply(); }); };
  const fit = () => {
    seen = { ...box };
    if (keep) {
      const wanted = shape();
      if (seen.width / seen.height < wanted) {
        const width = seen.height * wanted;
        seen.x -= (width - seen.width) / 2;
        seen.width = width;
      } else {
        const height = seen.width / wanted;
        seen.y -= (height - seen.height) / 2;
        seen.height = height;
      }
    }
    whole = true;
    apply();
  };
  const zoom = (factor, sx = 0.5, sy = 0.5, then = apply) => {
    const width = Math.min(Math.max(seen.width / factor, box.width / 400), box.width * 4);
    const scale = width / seen.width;
    seen.x += seen.width * sx * (1 - scale);
    seen.y += seen.height * sy * (1 - scale);
    seen.width = width;
    seen.height *= scale;
    whole = false;
    then();
  };
  const pan = (dx, dy, then = apply) => {
    seen.x += dx * seen.width;
    seen.y += dy * seen.height;
    whole = false;
    then();
  };
  const share = (event) => {
    const area = node.getBoundingClientRect();
    return [(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height];
  };
  node.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (!event.deltaY) return; // sideways
    zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, ...share(event), soon);
  }, { passive: false });
  let held = null;
  node.addEventListener("pointerdown", (event) => {
    held = share(event);
    node.setPointerCapture(event.pointerId);
  });
  node.addEventListener("pointermove", (event) => {
    if (!held) return;
    const now = share(event);
    pan(held[0] - now[0], held[1] - now[1], soon);
    held = now;
  });
  node.addEventListener("pointerup", () => { held = null; });
  const arrows = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };
  node.addEventListener("keydown", (event) => {
    const { key } = event;
    if (key === "+" || key === "=") zoom(1.3);
    else if (key === "-") zoom(1 / 1.3);
    else if (key === "0") fit();
    else if (event.shiftKey && arrows[key]) pan(...arrows[key]);
    else return;
    event.preventDefault();
  });
  // the element may change its size, with the window or when it is printed
  let before = "";
  new ResizeObserver(() => {
    const { width, height } = node.getBoundingClientRect();
    const now = `${width} ${height}`;
    if (!width || now === before) return; // hidden
    before = now;
    if (whole) return fit();
    if (keep) {
      const changed = seen.width / shape() - seen.height;
      seen.y -= changed / 2;
      seen.height += changed;
    }
    return apply();
  }).observe(node);
  const button = (text, label, onclick) => rnass.element("button", { type: "button", "aria-label": label, title: label, onclick }, text);
  return {
    fit,
    share,
    seen: () => seen,
    again: apply,
    whole: () => show({ ...box }, pixel(box)),
    /** Move so that a point is seen, and not at the edge. */
    reveal: (px, py) => {
      const [sx, sy] = [(px - seen.x) / seen.width, (py - seen.y) / seen.height];
      if (Math.min(sx, sy) > 0.05 && Math.max(sx, sy) < 0.95) return;
      Object.assign(seen, { x: px - seen.width / 2, y: py - seen.height / 2 });
      whole = false;
      apply();
    },
    buttons: [
      button("+", "zoom in", () => zoom(1.5)),
      button("\u2212", "zoom out", () => zoom(1 / 1.5)),
      button("fit", "show all", fit),
    ],
  };
};

/** A label that follows the pointer within `view`. */
rnass.tip = (view) => {
  const label = rnass.element("div", { class: "tip", "aria-hidden": "true" });
  label.hidden = true;
  view.append(label);
  return {
    show: (event, text) => {
      const area = view.getBoundingClientRect();
      label.textContent = text;
      label.hidden = false;
      label.style.left = `${Math.min(event.clientX - area.left + 14, area.width - label.offsetWidth - 4)}px`;
      label.style.top = `${Math.max(event.clientY - area.top - 30, 2)}px`;
    },
    hide: () => { label.hidden = true; },
  };
};

/** Left and right move from base to base; what is known of each is told in `status`. */
rnass.baseKeys = (node, record, status, mark) => {
  let base = -1;
  node.addEventListener("keydown", (event) => {
    if (event.shiftKey) return;
    const moves = { ArrowRight: base + 1, ArrowLeft: base - 1, Home: 0, End: record.length - 1 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    base = Math.min(Math.max(moves[event.key], 0), record.length - 1);
    status.textContent = rnass.described(record, base);
    mark(base);
  });
};
