// The page of a comparison or an evaluation.

rnass.data = JSON.parse(document.getElementById("data").textContent);

rnass.start = () => {
  const { data, element } = rnass;
  const body = document.getElementById("body");
  document.title = `rnass: ${data.title}`;
  document.getElementById("heading").textContent = data.title;
  rnass.head(data.facts, data.notes);
  if (data.text) body.append(element("h2", {}, "Summary"), element("pre", {}, data.text));
  let open = data.tables.length;
  for (const { name, columns, rows } of data.tables) {
    const place = element("div", { class: "table", "data-table": name });
    const shown = element("p", { class: "hint", "aria-live": "polite" });
    body.append(element("h2", {}, name), place, shown);
    const table = new Tabulator(place, {
      data: rows,
      columns: columns.map((column) => rnass.column(rows, ...column)),
      layout: "fitDataStretch",
      pagination: true,
      paginationSize: 25,
      paginationSizeSelector: [10, 25, 100, true],
      placeholder: "no row passes the filters",
    });
    table.on("dataFiltered", (_, left) => { shown.textContent = `${left.length} of ${rnass.counted(rows.length, "row")}`; });
    table.on("tableBuilt", () => {
      rnass.sortByKey(table, place);
      rnass.printWhole(table);
      open -= 1;
      if (open === 0) document.body.dataset.ready = "true";
    });
  }
  if (data.figures.length) body.append(element("h2", {}, "Figures"));
  data.figures.forEach(([name, url], k) => {
    const details = element("details", {}, element("summary", {}, name));
    const show = () => { if (details.open && !details.querySelector("img")) details.append(element("img", { src: url, alt: `figure ${name}` })); };
    details.addEventListener("toggle", show);
    body.append(details);
    if (k === 0) details.open = true;
  });
};

rnass.start();
