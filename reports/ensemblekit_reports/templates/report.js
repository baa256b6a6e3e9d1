"use strict";
// Click or Enter on a column's head sorts by it, once more turns it round. Without script the tables stand as ranked.
const value = cell => {
  const number = parseFloat(cell.dataset.value);
  return cell.dataset.value === undefined ? cell.textContent.trim() : number;
};
const before = (a, b) => {
  if (typeof a === "string") return a.localeCompare(b);
  return Number.isNaN(a) - Number.isNaN(b) || a - b;
};
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows];
      const key = row => value(row.cells[column]);
      rows.sort((x, y) => {
        const a = key(x), b = key(y);
        // What is missing stays last in either direction.
        return Number.isNaN(a) || Number.isNaN(b) ? before(a, b) : (down ? -1 : 1) * before(a, b);
      });
      table.tBodies[0].append(...rows);
    });
  });
}
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(d => { d.open = true; }));
