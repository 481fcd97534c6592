// The drawings: the whole session as a strip, a lane for each agent, and what was spent. They add to
// the list, they never replace it: each tells in words what it shows.

const laneGutter = () => isNarrow() ? 84 : 132;
const subHeight = 19;
const subsMax = 4;
const axisHeight = 20;
const chartInset = 9;

// Steps of one lane that overlap stand below each other.
const subOf = new Uint8Array(rowsCount);
const subsOfLane = new Uint8Array(lanes.length).fill(1);
{
  const ends = lanes.map(() => [-Infinity]);
  for (const row of byStart) {
    const used = ends[story.lane[row]];
    if (!used) continue;
    let sub = used.findIndex((end) => end <= story.start[row]);
    if (sub < 0) sub = used.length < subsMax ? used.length : subsMax - 1;
    subOf[row] = sub;
    used[sub] = isMoment(row) ? story.start[row] : endOf(row);
    subsOfLane[story.lane[row]] = Math.max(subsOfLane[story.lane[row]], sub + 1);
  }
}

const laneTop = [];
let lanesHeight = axisHeight;
for (const subs of subsOfLane) {
  laneTop.push(lanesHeight);
  lanesHeight += subs * subHeight + 12;
}

function rowRange(axis, loop) {
  const first = rowNear(loop.first);
  const last = rowUpTo(loop.last);
  return last < first ? null : {first, last, from: axis.from[first], to: Math.max(axis.to[last], axis.from[last])};
}

function text(context, words, x, y, color, size = 11, weight = "") {
  context.font = `${weight} ${size}px ${theme.font}`;
  context.fillStyle = color;
  context.fillText(words, x, y);
}

function clipped(context, words, width) {
  if (context.measureText(words).width <= width) return words;
  let low = 0;
  for (let high = words.length; low < high;) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(words.slice(0, middle) + "…").width <= width) low = middle;
    else high = middle - 1;
  }
  return low ? words.slice(0, low) + "…" : "";
}

function diamond(context, x, y, size) {
  context.beginPath();
  context.moveTo(x, y - size);
  context.lineTo(x + size, y);
  context.lineTo(x, y + size);
  context.lineTo(x - size, y);
  context.closePath();
}

// Lines across, with their times above.
function drawAxis(context, view, x, left, width, top, bottom) {
  for (const {at, words} of ticksOf(view.from, view.to, width - left)) {
    context.fillStyle = theme.line;
    context.fillRect(Math.round(x(at)), top, 1, bottom - top);
    if (top > 0 && state.axis !== "busy") text(context, words, x(at) + 4, top - 7, theme.quiet, 10.5);
  }
  if (state.axis !== "busy") return;
  for (const {from, to} of idle) {
    const at = x(busyTime((from + to) / 2));
    if (at < left || at > width) continue;
    context.setLineDash([2, 3]);
    context.strokeStyle = theme.quiet;
    context.strokeRect(at, top, 0, bottom - top);
    context.setLineDash([]);
    if (top > 0) text(context, durationWords(to - from) + " idle", at + 4, top - 7, theme.quiet, 10.5);
  }
}

function drawLoops(context, view, x, left, width) {
  for (const loop of loops) {
    const range = rowRange(view.axis, loop);
    if (!range || range.to < view.from || range.from > view.to) continue;
    const lane = story.lane[range.first];
    if (laneTop[lane] === undefined) continue;
    const x0 = Math.max(left, x(range.from) - 2);
    const x1 = Math.min(width, Math.max(x(range.to) + 2, x0 + 4));
    const top = laneTop[lane] - 5;
    const height = subsOfLane[lane] * subHeight + 10;
    const isFolded = state.folds && !state.opened.has(loop.index);
    context.globalAlpha = isFolded ? 0.5 : 0.2;
    context.fillStyle = hatchOf(context);
    context.fillRect(x0, top, x1 - x0, height);
    context.globalAlpha = 1;
    context.strokeStyle = theme.loop;
    context.lineWidth = 1;
    context.strokeRect(x0 + 0.5, top + 0.5, x1 - x0 - 1, height - 1);
  }
}

function drawStep(context, row, x0, x1, y, isDense) {
  const letter = story.kind[row];
  const colors = theme.kinds[letter] ?? theme.kinds["."];
  const height = subHeight - 4;
  if (story.isUnfinished(row)) {
    context.setLineDash([3, 2]);
    context.strokeStyle = colors.fill;
    context.lineWidth = 1.5;
    context.strokeRect(x0 + 1, y + 1, Math.max(x1 - x0, 18) - 2, height - 2);
    context.setLineDash([]);
    if (x1 - x0 >= 14 || !isDense) text(context, letter, x0 + 5, y + 11, theme.ink, 10, "600");
    return;
  }
  if (letter === "D" && !isDense && x1 - x0 < 40) {
    context.fillStyle = colors.fill;
    diamond(context, x0 + 1, y + height / 2, 7);
    context.fill();
    text(context, letter, x0 - 2.5, y + 11, colors.ink, 9.5, "700");
    return;
  }
  const width = Math.max(x1 - x0 - 0.5, 2);
  if (width < 4) {
    context.fillStyle = story.isFailed(row) ? theme.bad : colors.fill;
    context.fillRect(x0, y, width, height);
    return;
  }
  context.fillStyle = width >= 8 ? patternOf(context, letter) : colors.fill;
  context.beginPath();
  context.roundRect(x0, y, width, height, Math.min(3, width / 2));
  context.fill();
  if (width >= 13) {
    context.fillStyle = colors.fill;
    context.beginPath();
    context.roundRect(x0 + 1, y + 1, 11, height - 2, 2);
    context.fill();
    text(context, letter, x0 + 3, y + 11, colors.ink, 10, "700");
  }
  if (width >= 64) {
    context.font = `11px ${theme.font}`;
    const words = clipped(context, harmlessLine(whatOf(row)), width - 22);
    if (words) {
      context.fillStyle = colors.fill;
      context.fillRect(x0 + 13, y + 1, context.measureText(words).width + 6, height - 2);
      text(context, words, x0 + 16, y + 11, colors.ink, 11);
    }
  }
  if (story.isFailed(row)) {
    context.fillStyle = theme.bad;
    context.fillRect(x0, y + height - 1, width, 3);
  }
}

// One pass over the steps in sight. Of steps that fall into one pixel the first is drawn, and a
// failed one over it.
function drawSteps(context, view, x, left, width) {
  const painted = lanes.map(() => new Float64Array(subsMax).fill(-Infinity));
  const {axis} = view;
  let drawn = 0;
  for (let i = firstPlace(axis, view.from); i < rowsCount; ++i) {
    const row = axis.order[i];
    if (axis.from[row] > view.to) break;
    if (axis.to[row] < view.from && axis.from[row] < view.from) continue;
    const lane = story.lane[row];
    const sub = state.axis === "step" ? 0 : subOf[row];
    if (!painted[lane]) continue;
    let x0 = x(axis.from[row]);
    const x1 = Math.min(width + 4, Math.max(x(axis.to[row]), x0 + 2));
    const y = laneTop[lane] + sub * subHeight;
    const before = painted[lane][sub];
    if (x1 <= before + 0.5) {
      if (!story.isFailed(row)) continue;
      context.fillStyle = theme.bad;
      context.fillRect(x0, y + subHeight - 5, 2, 3);
      continue;
    }
    const isDense = before > x0 - 10 && before > -Infinity;
    x0 = Math.max(x0, before, left - 4);
    drawStep(context, row, x0, x1, y, isDense);
    painted[lane][sub] = x1;
    ++drawn;
  }
  return drawn;
}

function drawHandoffs(context, view, x, left, width) {
  const seen = [];
  let lastX = -Infinity;
  for (const {number, from, to} of handoffs) {
    const row = rowOf(number);
    if (row < 0 || from < 0 || to < 0 || from === to) continue;
    const at = x(view.axis.from[row]);
    if (at < left || at > width || at - lastX < 2) continue;
    lastX = at;
    seen.push({at, from, to});
  }
  // Where they crowd, they stay behind what they join.
  context.globalAlpha = seen.length > 40 ? 0.35 : 1;
  for (const {at, from, to} of seen) {
    const y0 = laneTop[from] + subHeight / 2 - 2;
    const y1 = laneTop[to] + subHeight / 2 - 2 + (to > from ? -9 : 9);
    const bend = Math.min(22, Math.max(8, Math.abs(y1 - y0) / 3));
    context.strokeStyle = context.fillStyle = theme.kinds.H.fill;
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(at, y0);
    context.bezierCurveTo(at + bend, y0, at + bend, y1, at + 3, y1);
    context.stroke();
    context.beginPath();
    context.moveTo(at + 1, y1);
    context.lineTo(at + 9, y1 - 4);
    context.lineTo(at + 9, y1 + 4);
    if (seen.length <= 40) context.fill();
  }
  context.globalAlpha = 1;
}

const gapFindings = findings.filter(({kind, first}) => (kind === "gap" || kind === "explained_gap") && first > 0);
function drawGaps(context, x, top, bottom, axis) {
  for (const {kind, first} of gapFindings) {
    const row = rowNear(first);
    const at = Math.round(x(axis.from[row])) - 1;
    context.fillStyle = kind === "gap" ? theme.bad : theme.warn;
    if (kind === "gap") context.fillRect(at, top, 2, bottom - top);
    else for (let y = top; y < bottom; y += 6) context.fillRect(at, y, 2, 3);
  }
}

function drawGutter(context, left, height) {
  context.fillStyle = theme.panel;
  context.fillRect(0, 0, left, height);
  context.fillStyle = theme.line;
  context.fillRect(left - 1, 0, 1, height);
  lanes.forEach((lane, i) => {
    context.font = `600 12px ${theme.font}`;
    const words = clipped(context, harmlessLine(lane.name), left - 14);
    const color = story.lane[state.row] === i ? theme.accent : theme.ink;
    text(context, words, 2, laneTop[i] + 10, color, 12, "600");
    if (subsOfLane[i] > 1) text(context, shortCount(lane.steps) + " steps", 2, laneTop[i] + 24, theme.quiet, 10.5);
  });
}

function drawLanes() {
  if (!isVisible("lanes-panel")) return;
  const {context, width, height} = canvasOf(byId("lanes"), lanesHeight + 2);
  const left = laneGutter();
  const view = viewOfAxis();
  const x = (at) => left + chartInset + (at - view.from) / (view.to - view.from) * (width - left - 2 * chartInset);
  for (let i = 0; i < lanes.length; ++i) {
    context.fillStyle = theme.line;
    context.fillRect(0, laneTop[i] + subsOfLane[i] * subHeight + 4, width, 1);
  }
  drawAxis(context, view, x, left, width, axisHeight - 2, height);
  drawLoops(context, view, x, left, width);
  drawSteps(context, view, x, left, width);
  drawHandoffs(context, view, x, left, width);
  drawGaps(context, x, axisHeight - 2, height, view.axis);
  if (rowsCount) drawChosen(context, view, x, axisHeight - 2, height);
  drawGutter(context, left, height);
}

function drawChosen(context, view, x, top, bottom) {
  const at = x(view.axis.from[state.row]);
  context.fillStyle = theme.accent;
  context.fillRect(Math.round(at) - 0.75, top, 1.5, bottom - top);
  const y = laneTop[story.lane[state.row]] + (state.axis === "step" ? 0 : subOf[state.row]) * subHeight;
  context.strokeStyle = theme.accent;
  context.lineWidth = 2;
  const wide = Math.max(x(view.axis.to[state.row]) - at, 4);
  if (bottom > 70) context.strokeRect(at - 1, y - 2, wide + 2, subHeight);
}

// The whole session: activity by agent, failures above, loops below, gaps across, and what the lanes
// show of it.
function drawOverview() {
  const {context, width, height} = canvasOf(byId("overview"));
  const axis = axisOf(state.axis);
  const x = (at) => (at - axis.begin) / (axis.end - axis.begin) * (width - 2) + 1;
  const laneHeight = Math.max(1.5, Math.min(9, (height - 18) / Math.max(lanes.length, 1)));
  const lastX = lanes.map(() => -1);
  for (const loop of loops) {
    const range = rowRange(axis, loop);
    if (!range) continue;
    context.globalAlpha = 0.45;
    context.fillStyle = hatchOf(context);
    context.fillRect(x(range.from), 9, Math.max(x(range.to) - x(range.from), 2), height - 12);
    context.globalAlpha = 1;
    context.fillStyle = theme.loop;
    context.fillRect(x(range.from), height - 3, Math.max(x(range.to) - x(range.from), 2), 3);
  }
  for (let i = 0; i < rowsCount; ++i) {
    const row = axis.order[i];
    const lane = story.lane[row];
    const x0 = x(axis.from[row]);
    const x1 = Math.max(x(axis.to[row]), x0 + 1.2);
    if (x1 > lastX[lane] + 0.4 && laneHeight * lane < height) {
      context.fillStyle = theme.kinds[story.kind[row]].fill;
      context.fillRect(x0, 11 + lane * laneHeight, x1 - x0, Math.max(laneHeight - 1.5, 1));
      lastX[lane] = x1;
    }
    if (story.isFailed(row)) {
      context.fillStyle = theme.bad;
      context.fillRect(Math.round(x0), 1, 2, 7);
    }
  }
  drawGaps(context, x, 0, height, axis);
  const {from, to} = viewOfAxis();
  if (state.zoom || brush) {
    const [a, b] = brush ? [Math.min(brush.from, brush.to), Math.max(brush.from, brush.to)] : [x(from), x(to)];
    context.globalAlpha = 0.55;
    context.fillStyle = theme.paper;
    context.fillRect(0, 0, a, height);
    context.fillRect(b, 0, width - b, height);
    context.globalAlpha = 1;
    context.strokeStyle = theme.accent;
    context.lineWidth = 1.5;
    context.strokeRect(a, 0.75, b - a, height - 1.5);
  }
  if (rowsCount) {
    context.fillStyle = theme.accent;
    context.fillRect(Math.round(x(axis.from[state.row])) - 0.75, 0, 1.5, height);
  }
}
