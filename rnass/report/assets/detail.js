// What is shown of a record that was opened: views that are drawn when first looked at, text to copy, downloads.

rnass.openRecord = async (packed, section) => {
  section.hidden = false;
  section.replaceChildren(rnass.element("p", {}, "opening \u2026"));
  const record = await rnass.unpack(packed);
  const { element } = rnass;
  const heading = element("h2", { tabindex: "-1", id: "opened" }, record.title);
  const leave = () => {
    section.hidden = true;
    section.replaceChildren();
    rnass.focusOpener(record.id || "(no id)");
  };
  section.onkeydown = (event) => { if (event.key === "Escape") leave(); };
  const close = element("button", { type: "button", onclick: leave }, "close");
  section.replaceChildren(heading, element("p", { class: "about" }, `${rnass.counted(record.length, "base")}, ${rnass.counted(record.pairs.length, "pair")}${record.message ? `; ${record.message}` : ""} `, close), rnass.views(record), rnass.texts(record), rnass.downloads(record));
  section.querySelector("[role=tab]").click();
  heading.focus({ preventScroll: true });
  section.scrollIntoView({ block: "start" });
};

/** Tabs; arrow keys move between them. */
rnass.views = (record) => {
  const { element } = rnass;
  const kinds = [["drawing", "Drawing", rnass.drawing], ["arcs", "Arcs", rnass.arcs], ["map", "Map", rnass.map], ["confidence", "Confidence", rnass.confidence]];
  const list = element("div", { role: "tablist", "aria-label": "views" });
  const panels = [];
  const choose = (chosen) => {
    [...list.children].forEach((tab, k) => {
      tab.setAttribute("aria-selected", String(k === chosen));
      tab.tabIndex = k === chosen ? 0 : -1;
      panels[k].hidden = k !== chosen;
    });
    if (!panels[chosen].classList.contains("drawn")) {
      panels[chosen].classList.add("drawn");
      kinds[chosen][2](record, panels[chosen]);
    }
  };
  kinds.forEach(([id, label], k) => {
    list.append(element("button", {
      type: "button", role: "tab", id: `tab-${id}`, "aria-controls": `panel-${id}`,
      onclick: () => choose(k),
      onkeydown: (event) => {
        const next = { ArrowRight: k + 1, ArrowLeft: k - 1 }[event.key];
        if (next === undefined) return;
        const chosen = (next + kinds.length) % kinds.length;
        choose(chosen);
        list.children[chosen].focus();
      },
    }, label));
    const panel = element("div", { role: "tabpanel", id: `panel-${id}`, class: "panel", "data-title": label, "aria-labelledby": `tab-${id}` });
    panel.hidden = true;
    panels.push(panel);
  });
  return element("div", {}, list, ...panels);
};

rnass.texts = (record) => {
  const { element } = rnass;
  const block = (name, text) => {
    const id = `text-${name}`;
    const said = element("span", { class: "status", role: "status" });
    const button = element("button", {
      type: "button", id: `copy-${name}`,
      onclick: async () => { await rnass.copy(text); said.textContent = "copied"; },
    }, `copy ${name}`);
    const area = element("textarea", { id, readonly: "", spellcheck: "false" });
    area.value = text;
    return element("div", {}, element("div", { class: "tools" }, element("label", { for: id }, element("strong", {}, name)), button, said), area);
  };
  return element("div", {}, block("sequence", rnass.marked(record, record.bases)), block("structure", rnass.marked(record, record.dot_bracket)));
};

rnass.downloads = (record) => {
  const { element } = rnass;
  const files = ["ct", "dbn", "bpseq"].map((kind) => [kind, `${record.name}.${kind}`]);
  if (record.map && !record.sparse) files.push(["npy", record.map_file]);
  const buttons = files.map(([kind, name]) => element("button", {
    type: "button", "aria-label": `download ${name}`,
    onclick: () => rnass.download(name, rnass.formats[kind](record)),
  }, name.slice(record.name.length)));
  const note = record.sparse ? ` The map of so long an RNA is sparse: ${record.map_file}, in the results folder.` : record.map ? ` The ${record.map_file} made here holds probabilities of at least ${rnass.data.least}, in thousandths; the file in the results folder is exact.` : "";
  return element("div", { class: "downloads" }, element("div", { class: "tools" }, element("strong", {}, "download"), ...buttons), element("p", { class: "hint" }, note));
};
