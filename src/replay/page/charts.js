// What the drawings share: colours of the theme, patterns of kinds, the time axis and its zoom.

const theme = {};
function readTheme() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["ink", "quiet", "line", "paper", "panel", "accent", "bad", "warn", "loop", "good"]) {
    theme[name] = style.getPropertyValue("--" + name).trim();
  }
  theme.kinds = {};
  for (const [letter, name] of Object.entries(kindNames)) {
    theme.kinds[letter] = {
      fill: style.getPropertyValue(`--k-${name}`).trim(), ink: style.getPropertyValue(`--k-${name}-ink`).trim(),
    };
  }
  theme.font = style.getPropertyValue("--font").trim();
  patterns.clear();
  hatch = null;
}

// A canvas as large as its place, drawn in CSS pixels.
function canvasOf(canvas, height) {
  const width = canvas.clientWidth;
  const ratio = devicePixelRatio || 1;
  const tall = height ?? canvas.clientHeight;
  if (height !== undefined) canvas.style.height = height + "px";
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(tall * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(tall * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, tall);
  return {context, width, height: tall};
}

// Kinds differ in colour, letter and pattern: lines drawn over the colour, told by two digits (which
// lines, how far apart).
const patternOfKind = {
  "[": "", D: "", I: "/", T: "", R: "x", H: "|", P: "\\", S: "-", Q: ".", V: "+", C: "-", E: "x", X: "\\", "]": "", ".": ".",
};
const patterns = new Map();
function patternOf(context, letter) {
  const known = patterns.get(letter);
  if (known) return known;
  const size = 6 * (devicePixelRatio || 1);
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const brush = tile.getContext("2d");
  brush.scale(size / 6, size / 6);
  brush.fillStyle = theme.kinds[letter].fill;
  brush.fillRect(0, 0, 6, 6);
  brush.strokeStyle = brush.fillStyle = theme.kinds[letter].ink;
  brush.globalAlpha = 0.28;
  brush.lineWidth = 1;
  const line = (x0, y0, x1, y1) => {
    brush.beginPath();
    brush.moveTo(x0, y0);
    brush.lineTo(x1, y1);
    brush.stroke();
  };
  const shape = patternOfKind[letter];
  if (shape === "/" || shape === "x") for (const x of [-6, 0, 6]) line(x - 1, 7, x + 7, -1);
  if (shape === "\\" || shape === "x") for (const x of [-6, 0, 6]) line(x - 1, -1, x + 7, 7);
  if (shape === "|" || shape === "+") line(3, 0, 3, 6);
  if (shape === "-" || shape === "+") line(0, 3, 6, 3);
  if (shape === ".") brush.fillRect(2, 2, 2, 2);
  const pattern = context.createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix().scale(6 / size));
  patterns.set(letter, pattern);
  return pattern;
}

let hatch = null;
function hatchOf(context) {
  if (hatch) return hatch;
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const brush = tile.getContext("2d");
  brush.strokeStyle = theme.loop;
  brush.lineWidth = 1.2;
  for (const x of [-8, 0, 8]) {
    brush.beginPath();
    brush.moveTo(x - 1, 9);
    brush.lineTo(x + 9, -1);
    brush.stroke();
  }
  return hatch = context.createPattern(tile, "repeat");
}

// Rows by their start: the story's order, but for children that start before their parents.
const byStart = Uint32Array.from({length: rowsCount}, (_, row) => row);
if (story.start.some((at, row) => row > 0 && at < story.start[row - 1])) {
  byStart.sort((a, b) => story.start[a] - story.start[b] || a - b);
}

// A run's begin and end are moments, however long the run.
const isMoment = (row) => story.kind[row] === "[" || story.kind[row] === "]";

// Stretches without any step, longer than is worth drawing: [{from, to}].
const idle = [];
const idleLeast = rowsCount ? Math.max(2e6, (endOf(rowsCount - 1) - story.start[0]) / 100) : 0;
const idleDrawn = idleLeast / 4;
let idleSum = 0;
for (let i = 0, busyUntil = NaN; i < rowsCount; ++i) {
  const row = byStart[i];
  if (story.start[row] - busyUntil > idleLeast) {
    idle.push({from: busyUntil, to: story.start[row]});
    idleSum += story.start[row] - busyUntil;
  }
  const end = isMoment(row) ? story.start[row] : endOf(row);
  busyUntil = busyUntil > end ? busyUntil : end;
}

function busyTime(at) {
  let cut = 0;
  for (const {from, to} of idle) {
    if (at <= from) break;
    cut += at >= to ? to - from - idleDrawn : (at - from) * (1 - idleDrawn / (to - from));
  }
  return at - cut;
}

// Where each row stands on an axis, made when the axis is first used.
const axisNames = {wall: "Wall time", busy: "Busy time", step: "Step"};
// A session that mostly waits is better read without its waits.
const firstAxis = rowsCount && idleSum > (endOf(rowsCount - 1) - story.start[0]) / 2 ? "busy" : "wall";
state.axis = firstAxis;
const axes = {};
function axisOf(name) {
  if (axes[name]) return axes[name];
  const from = new Float64Array(rowsCount);
  const to = new Float64Array(rowsCount);
  for (let row = 0; row < rowsCount; ++row) {
    const end = isMoment(row) ? story.start[row] : endOf(row);
    if (name === "step") {
      from[row] = row;
      to[row] = row + 1;
    } else if (name === "wall" || idle.length === 0) {
      from[row] = story.start[row];
      to[row] = end;
    } else {
      from[row] = busyTime(story.start[row]);
      to[row] = busyTime(end);
    }
  }
  const order = name === "step" ? Uint32Array.from({length: rowsCount}, (_, row) => row) : byStart;
  let end = 0;
  let begin = rowsCount ? from[order[0]] : 0;
  // The furthest end up to each place in the order: where a view must begin to look.
  const reach = new Float64Array(rowsCount);
  for (let i = 0; i < rowsCount; ++i) reach[i] = end = Math.max(i ? end : -Infinity, to[order[i]], from[order[i]]);
  begin = Math.min(begin, 0);
  if (!(end > begin)) end = begin + 1;
  return axes[name] = {from, to, order, reach, begin, end};
}

// The first place in the order whose steps may reach into the view.
function firstPlace(axis, at) {
  let low = 0;
  for (let high = rowsCount; low < high;) {
    const middle = (low + high) >> 1;
    if (axis.reach[middle] < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

function viewOfAxis() {
  const axis = axisOf(state.axis);
  const {from, to} = state.zoom ?? {from: axis.begin, to: axis.end};
  return {axis, from, to};
}

function setZoom(from, to) {
  const axis = axisOf(state.axis);
  const whole = axis.end - axis.begin;
  const least = state.axis === "step" ? 4 : Math.min(whole, 1e3);
  let span = Math.max(to - from, least);
  if (span >= whole * 0.999) state.zoom = null;
  else {
    let begin = Math.max(axis.begin, Math.min((from + to - span) / 2, axis.end - span));
    state.zoom = {from: begin, to: begin + span};
  }
  tell("zoom");
}

function zoomBy(factor, around) {
  const {axis, from, to} = viewOfAxis();
  const chosen = rowsCount ? axis.from[state.row] : 0;
  const at = around ?? (chosen >= from && chosen <= to ? chosen : (from + to) / 2);
  setZoom(at - (at - from) * factor, at + (to - at) * factor);
}

function panBy(share) {
  const {axis, from, to} = viewOfAxis();
  if (!state.zoom) return;
  const by = (to - from) * share;
  const kept = Math.max(axis.begin - from, Math.min(by, axis.end - to));
  setZoom(from + kept, to + kept);
}

function setAxis(name) {
  state.axis = name;
  state.zoom = null;
  tell("axis");
  tell("zoom");
}

// «01:02.1» or a step's number, and steps of 1, 2, 5, 10, 15, 30, 60 … that leave room for them.
function ticksOf(from, to, width) {
  const most = Math.max(2, Math.floor(width / 90));
  const steps = state.axis === "step" ? [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6]
    : [1e2, 1e3, 1e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 1.5e7, 3e7, 6e7, 1.2e8, 3e8, 6e8, 9e8, 1.8e9, 3.6e9, 7.2e9, 2.16e10, 4.32e10, 8.64e10, 6.048e11];
  const step = steps.find((size) => (to - from) / size <= most) ?? steps.at(-1) * Math.ceil((to - from) / steps.at(-1) / most);
  const ticks = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    const words = state.axis === "step" ? String(story.number[at] ?? "") : step < 1e5 ? (at / 1e6).toFixed(step < 1e3 ? 4 : 3) + "s" : clockWords(at);
    ticks.push({at, words});
  }
  return ticks;
}
