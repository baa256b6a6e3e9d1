// Which columns the leaderboard shows, and what is on screen as CSV.
const board = document.querySelector("table.leaderboard");
if (board) {
  const heads = [...board.tHead.rows[0].cells];
  const tools = document.getElementById("leaderboard-tools");
  const boxes = tools.querySelector("fieldset");
  heads.forEach((head, column) => {
    if (!head.dataset.name) return;
    const box = element("input", "", { type: "checkbox" });
    box.checked = !head.hidden;
    const label = element("label", box);
    label.append(` ${head.textContent.trim()}`);
    boxes.append(label);
    box.addEventListener("change", () => {
      for (const row of board.rows) row.cells[column].hidden = !box.checked;
      said.textContent = `${head.textContent.trim()} is ${box.checked ? "shown" : "hidden"}.`;
    });
  });

  // A spreadsheet takes a text that begins so for a formula, and runs it.
  const inert = text => /^ *[=+\-@\t\r\n|%\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
  const cell = value => typeof value === "number" ? String(value) : `"${inert(String(value ?? "")).replaceAll('"', '""')}"`;
  const csv = () => {
    const shown = heads.filter(head => head.dataset.name && !head.hidden).map(head => quantities[head.dataset.name]);
    const columns = shown.flatMap(q => [q.name, `${q.name}_low`, `${q.name}_high`]);
    const rows = [...board.tBodies[0].rows].map(row => {
      const model = Number(row.dataset.model);
      const numbers = shown.flatMap(q => data.tables[0].cells[model][q.index] || [null, null, null]);
      return [row.cells[0].textContent.trim(), data.models[model].label, ...numbers];
    });
    return [["rank", "model", ...columns], ...rows].map(row => row.map(cell).join(",")).join("\r\n") + "\r\n";
  };
  tools.querySelector("button").addEventListener("click", () => {
    const link = element("a", "", { download: "leaderboard.csv" });
    link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
    link.click();
    URL.revokeObjectURL(link.href);
    said.textContent = "The leaderboard was saved as leaderboard.csv.";
  });
  tools.hidden = false;
}
