"use strict";
// Long tables can be sorted by a column and filtered by a text; without this the page is whole.

const LEAST_ROWS = 8;

function key(row, column) {
  const cell = row.cells[column];
  const value = cell.dataset.value;
  return value ? Number(value) : cell.textContent.trim();
}

function compare(a, b) {
  if (typeof a === typeof b) return typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
  return typeof a === "number" ? -1 : 1;
}

function addSorting(table, rows) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      rows.sort((a, b) => sign * compare(key(a, column), key(b, column)));
      table.tBodies[0].append(...rows);
    });
  });
}

function addFilter(table, rows) {
  const label = document.createElement("label"), input = document.createElement("input");
  input.type = "search";
  label.className = "filter";
  label.append("filter rows ", input);
  table.before(label);
  input.addEventListener("input", () => {
    const text = input.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(text);
  });
}

for (const table of document.querySelectorAll(".scroll table")) {
  const rows = [...table.tBodies[0].rows];
  if (rows.length < LEAST_ROWS) continue;
  addSorting(table, rows);
  addFilter(table, rows);
}
