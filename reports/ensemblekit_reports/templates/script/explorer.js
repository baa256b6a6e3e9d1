// The explorer: any score against any cost, over all tables or on one. Without script the drawing in its place stands as it is.
const explorer = document.getElementById("explorer");
const DRAWING = "http://www.w3.org/2000/svg";
const shape = (parent, tag, attributes, text = "") => {
  const made = document.createElementNS(DRAWING, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  parent.append(made);
  return made;
};

// What can be drawn, what not and why, and which points no complete model beats on both.
const pointsOf = (table, score, cost) => {
  const all = data.models.map((model, i) => ({
    model,
    score: table.cells[i][score.index],
    cost: table.cells[i][cost.index],
    complete: table.finished[i] === table.folds,
    note: table.finished[i] === table.folds ? "" : `${table.finished[i]} of ${table.folds} folds`,
  }));
  const drawn = all.filter(p => p.score && p.cost);
  const loss = p => (score.higher ? -1 : 1) * p.score[0], price = p => (cost.higher ? -1 : 1) * p.cost[0];
  for (const p of drawn) {
    p.front = p.complete && !drawn.some(o => o.complete && loss(o) <= loss(p) && price(o) <= price(p) && (loss(o) < loss(p) || price(o) < price(p)));
  }
  drawn.sort((a, b) => price(a) - price(b));
  const missing = all.filter(p => !p.score || !p.cost);
  for (const p of missing) p.why = !p.score ? "failed" : "not measured";
  return { drawn, missing };
};

const scoreLimits = (drawn, q) => {
  const factor = q.share ? 100 : 1;
  const values = drawn.map(p => p.score[0] * factor);
  const ends = drawn.flatMap(p => p.score.filter(end => end !== null)).map(end => end * factor);
  const least = Math.min(...values), most = Math.max(...values);
  const reach = Math.max(most - least, 1e-3 * Math.max(Math.abs(least), Math.abs(most)), 1e-9);
  // One wide interval must not squeeze the scores together.
  const low = Math.max(Math.min(...ends), least - reach), high = Math.min(Math.max(...ends), most + reach);
  const pad = 0.08 * (high - low) || reach;
  return [low - pad, high + pad];
};
const niceTicks = (low, high, wanted) => {
  const rough = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(s => s * power).find(s => s >= rough);
  const ticks = [];
  for (let tick = Math.ceil(low / step); tick * step <= high; tick += 1) ticks.push(tick * step);
  return { ticks, places: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
};
const logTicks = (low, high, narrow) => {
  const span = Math.log10(high / low);
  const steps = span > 3.5 || narrow && span > 1.8 ? [1] : span > 1 || narrow ? [1, 3] : [1, 2, 5];
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    ticks.push(...steps.map(step => step * 10 ** power).filter(tick => tick >= low && tick <= high));
  }
  return ticks;
};

const MARKS = {
  mixture: (x, y, r) => `M${x} ${y - r}L${x + r} ${y}L${x} ${y + r}L${x - r} ${y}z`,
  ensemble: (x, y, r) => `M${x - 0.8 * r} ${y - 0.8 * r}h${1.6 * r}v${1.6 * r}h${-1.6 * r}z`,
  single: (x, y, r) => `M${x - 0.85 * r} ${y}a${0.85 * r} ${0.85 * r} 0 1 0 ${1.7 * r} 0a${0.85 * r} ${0.85 * r} 0 1 0 ${-1.7 * r} 0z`,
};
const pen = document.createElement("canvas").getContext("2d");
const widthOf = (text, bold) => {
  pen.font = `${bold ? 600 : 400} 13px ${getComputedStyle(document.body).fontFamily}`;
  return pen.measureText(text).width + 2;
};

const drawChart = (table, score, cost, { drawn, missing }, width) => {
  const narrow = width < 560, height = narrow ? 360 : 430;
  const frame = { left: 56, right: width - 12, top: 30, bottom: height - 52 };
  const svg = document.createElementNS(DRAWING, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${score.label} against ${cost.label.toLowerCase()}, ${table.name}; the numbers are in the table beneath.`);
  const factor = score.share ? 100 : 1;
  const prices = drawn.flatMap(p => p.cost.filter(end => end > 0));
  const dearest = Math.max(...prices, Number.MIN_VALUE), cheapest = Math.min(...prices, dearest);
  const [left, right] = [Math.log(cheapest / 1.5), Math.log(dearest * (narrow ? 1.7 : 2.2))];
  const along = value => (Math.log(Math.max(value, cheapest / 1.4)) - left) / (right - left);
  const x = value => frame.left + (cost.higher ? 1 - along(value) : along(value)) * (frame.right - frame.left);
  const [low, high] = scoreLimits(drawn, score);
  const up = value => (value - low) / (high - low);
  const y = value => frame.bottom - Math.min(1, Math.max(0, score.higher ? up(value * factor) : 1 - up(value * factor))) * (frame.bottom - frame.top);

  const { ticks, places } = niceTicks(low, high, 8);
  for (const tick of ticks) {
    const level = y(tick / factor);
    shape(svg, "path", { d: `M${frame.left} ${level}H${frame.right}`, stroke: "var(--grid)" });
    shape(svg, "text", { x: frame.left - 8, y: level + 4, "text-anchor": "end", class: "quiet-text" }, written(tick, places));
  }
  for (const tick of logTicks(Math.exp(left), Math.exp(right), narrow)) {
    shape(svg, "path", { d: `M${x(tick)} ${frame.top}V${frame.bottom}`, stroke: "var(--grid)" });
    shape(svg, "text", { x: x(tick), y: frame.bottom + 18, "text-anchor": "middle", class: "quiet-text" }, textOf(tick, cost));
  }
  shape(svg, "text", { x: frame.left, y: 16, class: "quiet-text" }, `${score.label}${score.share ? ", %" : ""}   ↖ better and cheaper`);
  const direction = cost.higher ? "log scale, more to the left" : "log scale";
  shape(svg, "text", { x: (frame.left + frame.right) / 2, y: height - 10, "text-anchor": "middle", class: "quiet-text" }, `${cost.label} (${direction})`);

  const front = drawn.filter(p => p.front), corners = [];
  front.forEach((p, i) => {
    if (i) corners.push([x(p.cost[0]), y(front[i - 1].score[0])]);
    corners.push([x(p.cost[0]), y(p.score[0])]);
  });
  if (front.length) corners.push([frame.right, corners[corners.length - 1][1]]);
  const line = shape(svg, "path", { d: `M${corners.map(corner => corner.join(" ")).join("L")}`, class: "steps" });
  if (!corners.length) line.remove();
  const obstacles = corners.slice(1).map(([x1, y1], i) => ({
    left: Math.min(x1, corners[i][0]) - 2, right: Math.max(x1, corners[i][0]) + 2,
    top: Math.min(y1, corners[i][1]) - 2, bottom: Math.max(y1, corners[i][1]) + 2,
  }));
  const marks = [...drawn].sort((a, b) => b.front - a.front).map(p => {
    const text = p.model.label + (p.note ? ` (${p.note})` : "");
    return { p, text, x: x(p.cost[0]), y: y(p.score[0]), width: widthOf(text, p.front), height: 17 };
  });
  for (const { p, x: across, y: level } of [...marks].reverse()) {
    const colour = p.front ? `var(--${p.model.colour})` : "var(--faint)", bar = { stroke: colour, class: p.front ? "reach front" : "reach" };
    if (p.score[1] !== null) {
      shape(svg, "path", { d: `M${across} ${y(p.score[1])}V${y(p.score[2])}`, ...bar });
      obstacles.push({ left: across - 2, right: across + 2, top: Math.min(y(p.score[1]), y(p.score[2])), bottom: Math.max(y(p.score[1]), y(p.score[2])) });
    }
    if (p.cost[1] !== null && p.cost[1] !== p.cost[2]) {
      shape(svg, "path", { d: `M${x(p.cost[1])} ${level}H${x(p.cost[2])}`, ...bar });
      obstacles.push({ left: Math.min(x(p.cost[1]), x(p.cost[2])), right: Math.max(x(p.cost[1]), x(p.cost[2])), top: level - 2, bottom: level + 2 });
    }
    const mark = shape(svg, "path", { d: MARKS[p.model.family](across, level, p.front ? 8 : 6), stroke: p.complete ? "var(--ground)" : colour,
      fill: p.complete ? colour : "var(--ground)", "stroke-width": 1.4 });
    shape(mark, "title", {}, `${p.model.label}: ${valueText(p.score, score)} at ${valueText(p.cost, cost)}`);
  }
  placeLabels(marks, frame, obstacles).forEach(({ box, far }, i) => {
    const { p, text, x: across, y: level } = marks[i], middle = (box.left + box.right) / 2;
    if (far) {
      const toX = Math.min(Math.max(across, box.left), box.right), toY = Math.min(Math.max(level, box.top), box.bottom);
      shape(svg, "path", { d: `M${across} ${level}L${toX} ${toY}`, stroke: "var(--faint)", "stroke-width": 0.8 });
    }
    shape(svg, "text", { x: middle, y: box.bottom - 4, "text-anchor": "middle", class: p.front ? "front-text" : "quiet-text" }, text);
  });
  return svg;
};

const fillTable = (score, cost, { drawn, missing }) => {
  const table = document.getElementById("explorer-table");
  const head = table.tHead.rows[0];
  head.replaceChildren(...["model", score.label, "95 % interval", cost.label, "range", "remark"].map((text, i) =>
    element("th", text, i && i < 5 ? { scope: "col", class: "n" } : { scope: "col" })));
  table.tBodies[0].replaceChildren(...drawn.map(p => {
    const row = element("tr");
    row.append(element("th", element("bdi", p.model.label), { scope: "row" }));
    for (const text of [valueText(p.score, score), rangeText(p.score, score), valueText(p.cost, cost), rangeText(p.cost, cost)]) {
      row.append(element("td", text || "–", { class: "n" }));
    }
    row.append(element("td", p.front ? "on the front" : p.note));
    return row;
  }), ...missing.map(p => {
    const row = element("tr");
    row.append(element("th", element("bdi", p.model.label), { scope: "row" }), element("td", `✕ ${p.why}`, { colspan: 5 }));
    return row;
  }));
};

if (explorer) {
  const [scoreBox, costBox, tableBox] = ["score", "cost", "table-choice"].map(name => document.getElementById(`explorer-${name}`));
  const chart = document.getElementById("explorer-chart"), front = document.getElementById("explorer-front");
  const draw = () => {
    const score = quantities[scoreBox.value], cost = quantities[costBox.value], table = data.tables[Number(tableBox.value)];
    const points = pointsOf(table, score, cost);
    const width = Math.max(300, Math.min(1024, chart.clientWidth));
    chart.replaceChildren(points.drawn.length ? drawChart(table, score, cost, points, width) : element("p", "No model has both a score and this cost."));
    const best = points.drawn.filter(p => p.front).map(p => `${p.model.label} (${valueText(p.score, score)} at ${valueText(p.cost, cost)})`);
    const crossed = points.missing.map(p => `✕ ${p.model.label}: ${p.why}`);
    front.textContent = `On the front, cheapest first: ${best.join(", ") || "no complete model"}. ${crossed.join(". ")}`;
    fillTable(score, cost, points);
  };
  for (const box of [scoreBox, costBox, tableBox]) box.addEventListener("change", draw);
  document.getElementById("explorer-controls").hidden = false;
  draw();
  let seen = chart.clientWidth;
  new ResizeObserver(() => { if (Math.abs(chart.clientWidth - seen) > 8) { seen = chart.clientWidth; draw(); } }).observe(chart);
}
