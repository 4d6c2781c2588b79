"use strict";
// Draws every sweep of the chosen machine, numpy and commit, log-log, as SVG.

const { sweeps } = JSON.parse(document.getElementById("data").textContent);
const all = Object.values(sweeps).flat();
const WIDTH = 460, HEIGHT = 334, LEFT = 80, RIGHT = 14, TOP = 10, BOTTOM = 48;

function element(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function duration(seconds) {
  for (const [unit, scale] of [["s", 1], ["ms", 1e-3], ["µs", 1e-6], ["ns", 1e-9], ["ps", 1e-12]])
    if (seconds >= scale * 0.9999) return `${+(seconds / scale).toPrecision(3)}\u00a0${unit}`;
  return `${seconds}\u00a0s`;
}

function coefficient(value, what) {
  return value === null ? `per ${what} not identified` : `${duration(value)} per ${what}`;
}

// Each order has its colour, a lighter one on dark pages.
function colour(order) {
  return `var(--${order})`;
}

function legend(shown) {
  const list = document.createElement("ul");
  list.className = "legend";
  for (const series of [...shown].reverse()) { // loss-first before input-first
    const item = document.createElement("li");
    item.style.color = colour(series.order);
    item.textContent = `● ${series.order}: ${coefficient(series.call, "product")}, ${coefficient(series.multiplication, "multiplication")}`;
    list.append(item);
  }
  return list;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : Math.sqrt(sorted[middle - 1] * sorted[middle]);
}

function brief(value) {
  return value >= 10 ? Math.round(value).toLocaleString("en") : value.toPrecision(2);
}

// The finding in numbers: ratios of asv's medians, beside those of multiplications.
function finding(shown) {
  const ratios = [];
  for (const loss of shown.filter((s) => s.order === "loss-first")) {
    const inputs = shown.find((s) => s.order === "input-first" && s.sweep === loss.sweep);
    loss.points.forEach(([size, time], i) => {
      const j = inputs ? inputs.points.findIndex(([other]) => other === size) : -1;
      if (j >= 0) ratios.push([inputs.points[j][1] / time, inputs.multiplications[j] / loss.multiplications[i]]);
    });
  }
  if (!ratios.length) return "At this commit no chain was timed in both orders.";
  return `In the middle of ${ratios.length} chains input-first took ${brief(median(ratios.map(([t]) => t)))} times as long as loss-first, where multiplications say ${brief(median(ratios.map(([, m]) => m)))}.`;
}

// A logarithmic scale from [low, high] to [from, to].
function scale(low, high, from, to) {
  const a = Math.log(low), b = Math.log(high);
  return (value) => from + ((Math.log(value) - a) / (b - a)) * (to - from);
}

function ticks(low, high, base) {
  const found = [];
  for (let k = Math.ceil(Math.log(low) / Math.log(base) - 1e-9); base ** k <= high * 1.0001; k++)
    found.push(base ** k);
  return found;
}

function axes(svg, x, y, xs, ys) {
  const every = Math.ceil(ticks(...xs, 2).length / 7);
  ticks(...xs, 2).forEach((tick, index) => {
    if (index % every) return;
    svg.append(element("line", { class: "grid", x1: x(tick), x2: x(tick), y1: TOP, y2: HEIGHT - BOTTOM }));
    const place = { class: "muted", x: x(tick), y: HEIGHT - BOTTOM + 17, "text-anchor": "middle" };
    svg.append(element("text", place, String(tick)));
  });
  for (const tick of ticks(...ys, 10)) {
    svg.append(element("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) }));
    const place = { class: "muted", x: LEFT - 7, y: y(tick) + 4, "text-anchor": "end" };
    svg.append(element("text", place, duration(tick)));
  }
}

function drawOrder(svg, series, x, y) {
  const stroke = `stroke: ${colour(series.order)}`;
  const path = series.line.map(([size, t], i) => `${i ? "L" : "M"}${x(size)} ${y(t)}`).join("");
  svg.append(element("path", { class: "formula", "data-order": series.order, d: path, style: stroke }));
  for (const [size, t, low, high] of series.points) {
    const bar = { class: "interval", x1: x(size), x2: x(size), y1: y(low), y2: y(high), style: stroke };
    svg.append(element("line", bar));
    const dot = element("circle", { class: "point", cx: x(size), cy: y(t), r: 4.2, style: `fill: ${colour(series.order)}` });
    const spread = low < high ? ` (${duration(low)} to ${duration(high)})` : "";
    dot.append(element("title", {}, `${series.order}, ${size}: ${duration(t)}${spread}`));
    svg.append(dot);
  }
}

function draw(name, shown) {
  const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const points = shown.flatMap((series) => series.points);
  const times = points.flatMap(([, , low, high]) => [low, high]).concat(shown.flatMap((s) => s.line.map((p) => p[1])));
  const sizes = points.map(([size]) => size);
  const xs = [Math.min(...sizes) / 1.25, Math.max(...sizes) * 1.25];
  const ys = [Math.min(...times) / 1.6, Math.max(...times) * 1.6];
  const x = scale(...xs, LEFT, WIDTH - RIGHT), y = scale(...ys, HEIGHT - BOTTOM, TOP);
  svg.setAttribute("aria-label", `Time per evaluation over the swept size, ${name}`);
  axes(svg, x, y, xs, ys);
  svg.append(element("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM }));
  for (const series of [...shown].reverse()) drawOrder(svg, series, x, y);
  const side = `rotate(-90) translate(${-(TOP + HEIGHT - BOTTOM) / 2} 12)`;
  svg.append(element("text", { class: "muted", transform: side, "text-anchor": "middle" }, "time per evaluation"));
  const unit = name === "depth" ? "layers" : "elements";
  svg.append(element("text", { class: "muted", x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, unit));
  return svg;
}

function options(id, values, labels) {
  const select = document.getElementById(id);
  const before = select.value;
  select.replaceChildren(...values.map((value) => new Option(labels?.get(value) ?? value, value)));
  if (values.includes(before)) select.value = before;
  return select.value;
}

function distinct(series, key) {
  return [...new Set(series.map((item) => item[key]))];
}

function update() {
  const machine = options("machine", distinct(all, "machine").sort());
  const here = all.filter((s) => s.machine === machine);
  const numpy = options("numpy", distinct(here, "numpy").sort((a, b) => b.localeCompare(a, "en", { numeric: true })));
  const there = here.filter((s) => s.numpy === numpy).sort((a, b) => (a.date < b.date ? 1 : -1));
  const labels = new Map(there.map((s) => [s.commit, `${s.commit.slice(0, 8)}, ${s.date.slice(0, 16).replace("T", " ")}`]));
  const commit = options("commit", distinct(there, "commit"), labels);
  const chosen = (s) => s.machine === machine && s.numpy === numpy && s.commit === commit;
  const measured = Object.entries(sweeps).flatMap(([sweep, series]) => series.filter(chosen).map((s) => ({ ...s, sweep })));
  document.getElementById("finding").textContent = finding(measured);
  for (const place of document.querySelectorAll(".drawing")) {
    const name = place.dataset.sweep;
    const shown = sweeps[name].filter(chosen);
    const missing = document.createElement("p");
    missing.textContent = "Not measured at this commit.";
    place.replaceChildren(...(shown.length ? [legend(shown), draw(name, shown)] : [missing]));
  }
}

for (const id of ["machine", "numpy", "commit"]) document.getElementById(id).addEventListener("change", update);
if (all.length) update();
