// The head of the page and the table of records.

rnass.data = JSON.parse(document.getElementById("data").textContent);
rnass.packed = JSON.parse(document.getElementById("packed").textContent);

rnass.columns = () => rnass.data.columns.map(([field, title, number]) => {
  const column = rnass.column(rnass.data.rows, field, title, number);
  if (field === "id") {
    column.formatter = rnass.whole((text, cell) => {
      const { record } = cell.getRow().getData();
      const name = text || "(no id)";
      if (record === null) return rnass.element("span", {}, name);
      return rnass.element("button", {
        type: "button", class: "open", "aria-label": `open ${name}`,
        onclick: (event) => { event.stopPropagation(); rnass.openRecord(rnass.packed[record], document.getElementById("detail")); },
      }, name);
    });
  }
  if (field === "status") {
    column.formatter = rnass.whole((text) => rnass.element("span", { class: text === "ok" ? "" : "failed" }, text));
  }
  return column;
});

/** The focus to the button that opens the record of that name, if it is on this page of the table. */
rnass.focusOpener = (name) => [...document.querySelectorAll("button.open")].find((button) => button.textContent === name)?.focus();

rnass.start = () => {
  const { data, element } = rnass;
  const records = data.facts.find(([name]) => name === "records");
  document.title = `rnass: ${data.title}`;
  document.getElementById("heading").textContent = `${data.title}: ${records[1]}`;
  rnass.head(data.facts, data.warnings);
  rnass.table = new Tabulator("#table", {
    data: data.rows,
    columns: rnass.columns(),
    layout: "fitDataStretch",
    pagination: true,
    paginationSize: 25,
    paginationSizeSelector: [10, 25, 100, true],
    movableColumns: true,
    placeholder: "no record passes the filters",
    index: "place",
    nestedFieldSeparator: false, // a dot in the name of a column is one
  });
  const shown = document.getElementById("shown");
  rnass.table.on("dataFiltered", (_, rows) => { shown.textContent = `${rows.length} of ${rnass.counted(data.rows.length, "record")}`; });
  rnass.table.on("rowClick", (_, row) => {
    const { record } = row.getData();
    if (record !== null) rnass.openRecord(rnass.packed[record], document.getElementById("detail"));
  });
  let held = null; // the button with the focus, which a table that is drawn anew drops
  rnass.table.on("renderStarted", () => { held = document.activeElement?.matches("button.open") ? document.activeElement.textContent : null; });
  rnass.table.on("renderComplete", () => { if (held !== null) rnass.focusOpener(held); });
  rnass.table.on("tableBuilt", () => {
    rnass.sortByKey(rnass.table, document.getElementById("table"));
    rnass.printWhole(rnass.table);
    document.body.dataset.ready = "true";
  });
};

rnass.start();
