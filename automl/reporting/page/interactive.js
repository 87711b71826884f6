// The interactive report. Text of the study is only ever set as text, never as markup.
"use strict";
const study = JSON.parse(document.getElementById("data").textContent);
const app = document.getElementById("app");
const NS = "http://www.w3.org/2000/svg";
const all = study.experiments;
// `epoch`: where lengths differ, the values of the epoch that most experiments have in common are compared at first
const state = { epoch: study.common, text: "", brushes: new Map(), picked: [], sort: { column: 3, up: false }, final: false };
const marks = new Map(all.map((run) => [run.number, []]));

function make(parent, name, attributes, text) {
  const svg = name === "svg" || parent.namespaceURI === NS;
  const node = svg ? document.createElementNS(NS, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.appendChild(node);
  return node;
}

// The value that is compared: the experiment's own, or that after so many epochs; null where it has none.
function compared(run) {
  if (state.epoch === null || run.final) return run.place === null ? null : { text: run.value, place: run.place };
  const rung = run.after.find((each) => each[0] === state.epoch);
  return rung ? { text: rung[1], place: rung[2] } : null;
}

function valueTicks() {
  return state.epoch === null || state.final ? study.value.ticks : study.after[state.epoch] || [];
}

function valueName() {
  return state.epoch === null || state.final ? study.metric : `${study.metric}, epoch ${state.epoch}`;
}

function isShown(run) {
  if (run.final !== state.final) return false;
  if (state.epoch !== null && !run.final && !compared(run)) return false;
  const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
  const text = [run.number, run.state, run.is, ...study.axes.map((axis, i) => `${axis.name}=${run.values[i]}`)];
  const line = text.join(" ").toLowerCase();
  if (!words.every((word) => line.includes(word))) return false;
  for (const [axis, [low, high]] of state.brushes) {
    const value = compared(run);
    const place = axis === study.axes.length ? value && value.place : run.at[axis];
    if (place === null || place < low || place > high) return false;
  }
  return true;
}

function kind(run) {
  return run.is ? `run ${run.is}` : "run";
}

function link(node, run) {
  marks.get(run.number).push(node);
  node.addEventListener("pointerenter", () => light(run, true));
  node.addEventListener("pointerleave", () => light(run, false));
  node.addEventListener("click", () => pick(run));
}

function light(run, on) {
  for (const node of marks.get(run.number)) {
    node.classList.toggle("hot", on);
    if (on && node.namespaceURI === NS && node.parentNode.lastChild !== node) node.parentNode.appendChild(node);
  }
  hint.textContent = on ? describe(run) : counts();
}

function describe(run) {
  const values = study.axes.map((axis, i) => run.values[i] && `${axis.name} ${run.values[i]}`).filter(Boolean);
  const value = compared(run);
  return `experiment ${run.number}, ${run.state}, ${run.epochs} epochs, ${valueName()}: ${value ? value.text : "-"}; ${values.join(", ")}`;
}

function counts() {
  const shown = all.filter(isShown).length;
  return `${shown} of ${all.filter((run) => run.final === state.final).length} experiments shown. ` +
    "Drag along an axis to filter, click an axis to clear it; click two experiments to compare them.";
}

function pick(run) {
  const at = state.picked.indexOf(run);
  if (at >= 0) state.picked.splice(at, 1);
  else state.picked = [...state.picked.slice(-1), run];
  refresh();
}

// -- the tools above the plots
const tools = make(app, "div", { class: "tools" });
const filter = make(make(tools, "label", {}, "Filter "), "input", { type: "search", placeholder: "e.g. stopped optimizer=sgd" });
filter.addEventListener("input", () => { state.text = filter.value; refresh(); });
if (study.epochs.length > 1) {
  const choice = make(make(tools, "label", {}, "Compare after "), "select");
  make(choice, "option", { value: "" }, "each one's last epoch");
  for (const epoch of Object.keys(study.after)) make(choice, "option", { value: epoch }, `${epoch} epoch${epoch === "1" ? "" : "s"}`);
  choice.value = state.epoch === null ? "" : state.epoch;
  choice.addEventListener("change", () => { state.epoch = choice.value ? Number(choice.value) : null; state.brushes.delete(study.axes.length); draw(); });
}
if (all.some((run) => run.final)) {
  const label = make(tools, "label");
  const box = make(label, "input", { type: "checkbox" });
  label.append(" final judgement");
  box.addEventListener("change", () => { state.final = box.checked; draw(); });
}
const clear = make(tools, "button", { type: "button" }, "Clear");
clear.addEventListener("click", () => {
  state.text = filter.value = "";
  state.brushes.clear();
  state.picked = [];
  draw();
});
const hint = make(app, "p", { class: "hint" });
const compareBox = make(app, "div");
const plots = make(app, "div");
const tableBox = make(make(app, "section"), "div", { class: "table-box" });

function figure(title, width, height) {
  const box = make(plots, "figure", { class: "full" });
  make(box, "h3", {}, title);
  const scroll = make(box, "div", { class: "scroll wide" });
  return make(scroll, "svg", { viewBox: `0 0 ${width} ${height}`, class: "plot", role: "img", "aria-label": title, style: `--w:${width}px` });
}

function draw() {
  plots.textContent = "";
  for (const list of marks.values()) list.length = 0;
  const runs = all.filter((run) => run.final === state.final);
  parallel(runs);
  history(runs);
  curves(runs);
  table(runs);
  refresh();
}

const W = 980;

function parallel(runs) {
  const H = 340, top = 48, bottom = 30, side = 60;
  const svg = figure("Parallel coordinates", W, H);
  const axes = [...study.axes, { name: valueName(), full: valueName(), ticks: valueTicks() }];
  const x = (i) => side + (axes.length > 1 ? i * (W - 2 * side) / (axes.length - 1) : 0);
  const y = (place) => top + (1 - place) * (H - top - bottom);
  const group = make(svg, "g");
  for (const run of runs) {
    const value = compared(run);
    if (!value) continue;
    const points = [...run.at, value.place].map((place, i) => `${x(i).toFixed(1)},${(place === null ? H - 10 : y(place)).toFixed(1)}`);
    link(make(group, "polyline", { points: points.join(" "), class: kind(run) }), run);
  }
  axes.forEach((axis, i) => {
    make(svg, "line", { x1: x(i), x2: x(i), y1: y(1), y2: y(0), class: "axis" });
    const title = make(svg, "text", { x: x(i), y: 20, "text-anchor": "middle", class: "name" }, axis.name.length > 16 ? `${axis.name.slice(0, 11)}…${axis.name.slice(-4)}` : axis.name);
    make(title, "title", {}, axis.full || axis.name);
    for (const [place, text] of axis.ticks) {
      make(svg, "rect", { x: x(i) + 3, y: y(place) - 7, width: 6.9 * text.length + 4, height: 14, class: "ground", "pointer-events": "none" });
      make(svg, "text", { x: x(i) + 5, y: y(place) + 4, class: "halo", "pointer-events": "none" }, text);
    }
    if (runs.some((run) => i < study.axes.length && run.at[i] === null)) {
      make(svg, "text", { x: x(i) + 5, y: H - 6, class: "halo", "pointer-events": "none" }, "not used");
    }
    brush(svg, i, x(i), y, top, H - bottom);
  });
}

function brush(svg, axis, x, y, top, foot) {
  const rect = make(svg, "rect", { x: x - 8, y: top, width: 16, height: 0, class: "brush" });
  const show = () => {
    const range = state.brushes.get(axis);
    rect.setAttribute("y", range ? y(range[1]) : top);
    rect.setAttribute("height", range ? Math.max(2, y(range[0]) - y(range[1])) : 0);
  };
  const hit = make(svg, "rect", { x: x - 14, y: top - 8, width: 28, height: foot - top + 16, class: "hit" });
  const place = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse()).y;
    return Math.min(1, Math.max(0, 1 - (at - top) / (foot - top)));
  };
  let from = null;
  hit.addEventListener("pointerdown", (event) => { from = place(event); hit.setPointerCapture(event.pointerId); });
  hit.addEventListener("pointermove", (event) => {
    if (from === null) return;
    const to = place(event);
    if (Math.abs(to - from) < 0.01) return;
    state.brushes.set(axis, [Math.min(from, to), Math.max(from, to)]);
    show();
    refresh();
  });
  hit.addEventListener("pointerup", (event) => {
    if (from !== null && Math.abs(place(event) - from) < 0.01) state.brushes.delete(axis);
    from = null;
    show();
    refresh();
  });
  show();
}

function frame(svg, H, xTicks, xName, yTicks) {
  const left = 52, right = 14, top = 14, bottom = 40;
  const x = (place) => left + place * (W - left - right);
  const y = (place) => top + (1 - place) * (H - top - bottom);
  for (const [place, text] of yTicks) {
    make(svg, "line", { x1: left, x2: W - right, y1: y(place), y2: y(place), class: "grid" });
    make(svg, "text", { x: left - 6, y: y(place) + 4, "text-anchor": "end" }, text);
  }
  make(svg, "line", { x1: left, x2: W - right, y1: y(0), y2: y(0), class: "axis" });
  for (const [place, text] of xTicks) make(svg, "text", { x: x(place), y: y(0) + 17, "text-anchor": "middle" }, text);
  make(svg, "text", { x: W - right, y: H - 5, "text-anchor": "end", class: "name" }, xName);
  return { x, y };
}

function wholeTicks(low, high, most) {
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((each) => (high - low) / each <= most) || 1000;
  const ticks = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) ticks.push(at);
  return ticks;
}

function history(runs) {
  const H = 280, low = Math.min(...runs.map((run) => run.number)) - 0.5, high = Math.max(...runs.map((run) => run.number)) + 0.5;
  const at = (n) => (n - low) / (high - low);
  const svg = figure(`Optimization history: ${valueName()}`, W, H);
  const { x, y } = frame(svg, H, wholeTicks(low, high, 16).map((n) => [at(n), String(n)]), "experiment", valueTicks());
  const group = make(svg, "g");
  for (const run of runs) {
    const value = compared(run);
    if (value) link(make(group, "circle", { cx: x(at(run.number)), cy: y(value.place), r: run.is ? 6 : 4.5, class: kind(run) }), run);
  }
}

function curves(runs) {
  const H = 300, last = Math.max(1, ...runs.flatMap((run) => run.curve.map((point) => point[0])));
  const at = (epoch) => (epoch - 1 + 0.3) / (last - 1 + 0.6);
  const svg = figure(`Learning curves: ${study.metric}`, W, H);
  const { x, y } = frame(svg, H, wholeTicks(1, last, 16).map((n) => [at(n), String(n)]), "epoch", study.value.ticks);
  const group = make(svg, "g");
  for (const run of runs) {
    const points = run.curve.filter((point) => point[1] !== null).map((point) => [x(at(point[0])), y(point[1])]);
    if (points.length > 1) link(make(group, "polyline", { points: points.join(" "), class: kind(run) }), run);
    else if (points.length) link(make(group, "circle", { cx: points[0][0], cy: points[0][1], r: 3.5, class: kind(run) }), run);
  }
}

const columns = ["no.", "state", "epochs", study.metric, ...study.axes.map((axis) => axis.name)];

function key(run, column) {
  const value = compared(run);
  if (column === 3) return value ? (study.goal === "minimize" ? -value.place : value.place) : -2;
  if (column > 3) return run.at[column - 4] === null ? -2 : run.at[column - 4];
  return [run.number, run.state, run.epochs][column];
}

function table(runs) {
  tableBox.textContent = "";
  const grid = make(tableBox, "table", { class: "experiments" });
  const head = make(make(grid, "thead"), "tr");
  columns.forEach((name, column) => {
    const cell = make(head, "th", { "data-sort": column, class: `${column === 1 ? "" : "number"}${state.sort.column === column ? ` sorted${state.sort.up ? " up" : ""}` : ""}` }, column === 3 ? valueName() : name);
    cell.addEventListener("click", () => {
      state.sort = { column, up: state.sort.column === column ? !state.sort.up : false };
      draw();
    });
  });
  const sign = state.sort.up ? 1 : -1;
  const sorted = [...runs].sort((a, b) => {
    const [one, two] = [key(a, state.sort.column), key(b, state.sort.column)];
    return one === two ? a.number - b.number : (one < two ? -1 : 1) * sign;
  });
  const body = make(grid, "tbody");
  for (const run of sorted) {
    const row = make(body, "tr", { class: run.is === "best" ? "best-row" : "", tabindex: 0 });
    const value = compared(run);
    const first = make(row, "th", { class: "number", scope: "row" });
    if (run.log) make(first, "a", { href: run.log }, run.number).addEventListener("click", (event) => event.stopPropagation());
    else first.textContent = run.number;
    make(row, "td", { class: run.state === "failed" ? "failed-text" : "" }, run.is ? `${run.state} (${run.is})` : run.state);
    make(row, "td", {}, run.epochs);
    make(row, "td", {}, value ? value.text : "–");
    run.values.forEach((text) => make(row, "td", {}, text || "–"));
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") pick(run); });
    link(row, run);
  }
}

function compare() {
  compareBox.textContent = "";
  if (!state.picked.length) return;
  const box = make(compareBox, "div", { class: "compare" });
  make(box, "h3", {}, state.picked.length > 1 ? "Compare" : "Selected (click another experiment to compare)");
  const grid = make(make(box, "div", { class: "scroll", style: "--under:var(--panel)" }), "table");
  const head = make(make(grid, "thead"), "tr");
  make(head, "th");
  for (const run of state.picked) make(head, "th", { class: "number" }, `experiment ${run.number}${run.is ? ` (${run.is})` : ""}`);
  const body = make(grid, "tbody");
  const line = (name, texts) => {
    const row = make(body, "tr");
    make(row, "th", { scope: "row" }, name);
    const differs = new Set(texts).size > 1;
    for (const text of texts) make(row, "td", { class: differs ? "number differs" : "number" }, text);
  };
  line(valueName(), state.picked.map((run) => { const value = compared(run); return value ? value.text : "–"; }));
  line("state", state.picked.map((run) => run.state));
  line("epochs", state.picked.map((run) => String(run.epochs)));
  study.axes.forEach((axis, i) => line(axis.full, state.picked.map((run) => run.values[i] || "–")));
  for (const run of state.picked) {
    const details = make(box, "details");
    make(details, "summary", {}, `why experiment ${run.number}`);
    const list = make(details, "ul");
    for (const reason of run.why) make(list, "li", {}, reason);
  }
}

function refresh() {
  for (const run of all) {
    const shown = isShown(run);
    for (const node of marks.get(run.number)) {
      const picked = state.picked.includes(run);
      node.classList.toggle("picked", picked);
      if (node.namespaceURI === NS) node.classList.toggle("off", !shown && !picked);
      else node.hidden = !shown;
    }
  }
  compare();
  hint.textContent = counts();
}

draw();
