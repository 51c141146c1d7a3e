// What pages of all kinds have: a head, and tables whose columns sort and filter.

/** Numbers: a value, or < <= > >= = with one; what is only begun, such as "> -", passes all. */
rnass.matches = (asked, value) => {
  const plain = asked.replace(/\s/g, "").replace("\u2264", "<=").replace("\u2265", ">=").replace("\u2212", "-");
  const [, sign, text] = /^(<=|>=|<|>|=)?(.*)$/.exec(plain);
  if (["", "-", ".", "-."].includes(text)) return true;
  if (value === null || value === undefined) return false;
  const number = Number(text);
  return { "<": value < number, "<=": value <= number, ">": value > number, ">=": value >= number }[sign] ?? value === number;
};

/** Text that contains what is asked for, in any case. */
rnass.contains = (asked, value) => String(value ?? "").toLowerCase().includes(asked.trim().toLowerCase());

/** The numbers of a column with as many decimals as the longest has, so that they stand below each other. */
rnass.aligned = (field, rows) => {
  let decimals = 0;
  for (const row of rows) decimals = Math.max(decimals, /\.(\d+)$/.exec(row[field])?.[1].length ?? 0);
  return (cell) => (Number.isFinite(cell.getValue()) && !/e/.test(cell.getValue()) ? cell.getValue().toFixed(decimals) : cell.getValue());
};

/** A formatter of text, which `make` puts into an element; a cell that cuts it has the whole as its tooltip. */
rnass.whole = (make) => (cell) => {
  const text = String(cell.getValue() ?? "");
  cell.getElement().title = text;
  return make(text, cell);
};

rnass.column = (rows, field, title, number) => {
  const column = {
    field, title,
    titleFormatter: () => rnass.element("span", {}, title), // Tabulator takes a title as HTML
    headerFilter: "input",
    headerFilterParams: { elementAttributes: { "aria-label": `filter ${title}` } },
    headerFilterFunc: rnass.contains,
    sorter: number ? "number" : "string",
    hozAlign: number ? "right" : "left",
    minWidth: field === "id" ? 140 : 90,
    frozen: title === "id",
    maxInitialWidth: title === "id" ? 280 : 600, // else one long text hides the other columns
    formatter: rnass.whole((text) => rnass.element("span", {}, text)),
  };
  if (number) Object.assign(column, { formatter: rnass.aligned(field, rows), headerFilterFunc: rnass.matches, sorterParams: { alignEmptyValues: "bottom" } });
  return column;
};

/** How the run was made, and what its reader must know. */
rnass.head = (facts, warnings) => {
  const { element } = rnass;
  const run = document.getElementById("run");
  run.hidden = !facts.length;
  for (const [name, value] of facts) document.getElementById("facts").append(element("dt", {}, name), element("dd", {}, value));
  if (warnings.length) document.getElementById("warnings").append(element("ul", {}, ...warnings.map((text) => element("li", {}, text))));
  window.addEventListener("beforeprint", () => {
    run.open = true;
    for (const table of document.querySelectorAll(".tabulator")) {
      const columns = [...table.querySelectorAll(".tabulator-header .tabulator-col")];
      const width = columns.reduce((sum, column) => sum + column.offsetWidth, 0);
      table.style.setProperty("--fit", Math.min(0.6, 640 / width)); // 640 pixels fit on A4 and letter paper
    }
  });
};

/** On paper all rows that pass the filters, not those of one page; afterwards the page that was there. */
rnass.printWhole = (table) => {
  let before = null;
  window.addEventListener("beforeprint", () => {
    before ??= [table.getPageSize(), table.getPage()];
    table.setPageSize(true);
  });
  window.addEventListener("afterprint", () => {
    if (before === null) return;
    table.setPageSize(before[0]);
    table.setPage(before[1]);
    before = null;
  });
};

/** Headings that can be reached by Tab, and sort by Enter. */
rnass.sortByKey = (table, place) => {
  for (const head of place.querySelectorAll(".tabulator-col[role=columnheader]")) {
    const title = head.querySelector(".tabulator-col-content");
    title.tabIndex = 0;
    title.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target !== title) return;
      const turned = head.getAttribute("aria-sort") === "ascending" ? "desc" : "asc";
      table.setSort(head.getAttribute("tabulator-field"), turned);
    });
  }
};
