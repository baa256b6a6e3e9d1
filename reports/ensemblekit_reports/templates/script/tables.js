// Click or Enter on a column's head sorts by it, once more turns it round; what a head means is shown while it has the pointer or the
// focus. Without script the tables stand as ranked.
const said = document.getElementById("said");
const sortValue = cell => cell.dataset.v === undefined ? cell.textContent.trim() : parseFloat(cell.dataset.v);
const before = (a, b) => {
  if (typeof a === "string") return a.localeCompare(b);
  return Number.isNaN(a) - Number.isNaN(b) || a - b;
};
const sortBy = (table, heads, column) => {
  const head = heads[column], down = head.getAttribute("aria-sort") === "ascending";
  heads.forEach(other => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = row => sortValue(row.cells[column]);
  const rows = [...table.tBodies[0].rows].sort((x, y) => {
    const a = key(x), b = key(y);
    // What is missing stays last in either direction.
    return Number.isNaN(a) || Number.isNaN(b) ? before(a, b) : (down ? -1 : 1) * before(a, b);
  });
  table.tBodies[0].append(...rows);
  said.textContent = `Sorted by ${head.textContent.trim()}, ${down ? "falling" : "rising"}.`;
};

const tip = element("div", "", { id: "tip", role: "tooltip", hidden: "" });
document.body.append(tip);
const hideTip = () => { tip.hidden = true; };
const showTip = (button, text) => {
  tip.textContent = text;
  tip.hidden = false;
  const place = button.getBoundingClientRect();
  tip.style.left = `${Math.max(8, Math.min(place.left, innerWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${place.bottom + 6}px`;
};
addEventListener("keydown", event => { if (event.key === "Escape") hideTip(); });
addEventListener("scroll", hideTip, { passive: true });

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = element("button", "", { type: "button" });
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sortBy(table, heads, column));
    const meaning = document.getElementById(head.getAttribute("aria-describedby"));
    if (!meaning) return;
    head.removeAttribute("title");
    head.removeAttribute("aria-describedby");
    button.setAttribute("aria-describedby", meaning.id);
    for (const event of ["focus", "pointerenter"]) button.addEventListener(event, () => showTip(button, meaning.textContent));
    for (const event of ["blur", "pointerleave"]) button.addEventListener(event, hideTip);
  });
}
addEventListener("beforeprint", () => document.querySelectorAll("details:not(.picker)").forEach(d => { d.open = true; }));
