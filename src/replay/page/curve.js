// What was spent over time, and the hands on the drawings.

function drawCurve() {
  if (!isVisible("lanes-panel")) return;
  const {context, width, height} = canvasOf(byId("curve"));
  if (rowsCount === 0) return;
  const left = laneGutter();
  const view = viewOfAxis();
  const {axis} = view;
  const x = (at) => left + chartInset + (at - view.from) / (view.to - view.from) * (width - left - 2 * chartInset);
  const top = 8;
  const bottom = height - 4;
  // A budget far above what was spent would press the curve flat: it then has a scale of its own.
  const budgetMax = story.totals.budget ?? 0;
  const spentMax = Math.max(story.costSum[rowsCount - 1], 1e-9);
  const costMax = budgetMax > 5 * spentMax ? spentMax : Math.max(budgetMax, spentMax);
  const tokensMax = Math.max(story.tokensSum[rowsCount - 1], 1);
  const yCost = (usd) => bottom - Math.max(0, Math.min(usd / costMax, 1)) * (bottom - top);
  const yBudget = (usd) => bottom - Math.max(0, Math.min(usd / Math.max(budgetMax, usd), 1)) * (bottom - top);
  const yTokens = (count) => bottom - count / tokensMax * (bottom - top);
  drawAxis(context, view, x, left, width, 0, height);
  context.save();
  context.beginPath();
  context.rect(left, 0, width - left, height);
  context.clip();
  for (const loop of loops) {
    const range = rowRange(axis, loop);
    if (!range) continue;
    context.globalAlpha = 0.3;
    context.fillStyle = hatchOf(context);
    context.fillRect(x(range.from), 0, Math.max(x(range.to) - x(range.from), 2), height);
    context.globalAlpha = 1;
  }
  const first = Math.max(firstPlace(axis, view.from) - 1, 0);
  // One point a pixel: what stood at its right edge.
  const points = [];
  for (let i = first, lastX = -Infinity; i < rowsCount; ++i) {
    const row = axis.order[i];
    const at = x(axis.from[row]);
    const point = [at, yCost(story.costSum[row]), yTokens(story.tokensSum[row]), story.budget[row]];
    if (Math.floor(at) === lastX) points[points.length - 1] = point;
    else points.push(point);
    lastX = Math.floor(at);
    if (at > width) break;
  }
  const trace = (value) => {
    context.beginPath();
    let isOpen = false;
    let y = 0;
    for (const point of points) {
      const next = value(point);
      if (Number.isNaN(next)) continue;
      if (isOpen) context.lineTo(point[0], y);
      context[isOpen ? "lineTo" : "moveTo"](point[0], next);
      isOpen = true;
      y = next;
    }
    if (isOpen) context.lineTo(width, y);
    return y;
  };
  trace((point) => point[1]);
  context.lineTo(width, bottom);
  context.lineTo(points[0]?.[0] ?? left, bottom);
  context.globalAlpha = 0.14;
  context.fillStyle = theme.accent;
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 1.75;
  context.strokeStyle = theme.accent;
  trace((point) => point[1]);
  context.stroke();
  context.lineWidth = 1.25;
  context.strokeStyle = theme.quiet;
  context.setLineDash([1, 2]);
  trace((point) => point[2]);
  context.stroke();
  context.setLineDash([6, 3]);
  context.strokeStyle = theme.good;
  trace((point) => Number.isNaN(point[3]) ? NaN : yBudget(point[3]));
  context.stroke();
  context.setLineDash([]);
  drawPolicies(context, axis, view, x, first, width);
  drawGaps(context, x, 0, height, axis);
  drawChosen(context, view, x, 0, Math.min(height, 69));
  context.restore();
  context.fillStyle = theme.line;
  context.fillRect(left - 1, 0, 1, height);
  text(context, dollars(costMax), 2, top + 6, theme.quiet, 10.5);
  text(context, costMax === budgetMax ? "budget" : "spent", 2, top + 19, theme.quiet, 10.5);
  text(context, "$0", 2, bottom - 1, theme.quiet, 10.5);
}

function drawPolicies(context, axis, view, x, first, width) {
  let lastX = -Infinity;
  for (let i = first; i < rowsCount; ++i) {
    const row = axis.order[i];
    const at = x(axis.from[row]);
    if (at > width) break;
    if ((story.kind[row] !== "P" && story.kind[row] !== "X") || at - lastX < 3) continue;
    lastX = at;
    context.fillStyle = theme.kinds[story.kind[row]].fill;
    context.beginPath();
    context.moveTo(at - 5, 0);
    context.lineTo(at + 5, 0);
    context.lineTo(at, 8);
    context.fill();
    context.fillRect(at - 0.5, 0, 1, 60);
  }
}

function sayDrawings() {
  const laneWords = lanes.slice(0, 12).map((lane) => `${harmlessLine(lane.name)}: ${many(lane.steps, "step")}, ${dollars(lane.cost)}`);
  if (lanes.length > 12) laneWords.push(`and ${lanes.length - 12} more`);
  const handoffWords = handoffs.slice(0, 8).map(({number, from, to}) =>
    `${harmlessLine(lanes[from]?.name ?? "?")} to ${harmlessLine(lanes[to]?.name ?? "?")} at step ${number}`);
  const loopWords = loops.slice(0, 8).map((loop) =>
    `L${loop.signal} ${loop.name.replaceAll("_", " ")}, steps ${loop.first} to ${loop.last}${loop.stop ? `, ended by step ${loop.stop}` : ""}`);
  byId("lanes").setAttribute("aria-label", `Steps by agent over time. ${laneWords.join(". ") || "No agents"}. ` +
    `Handoffs: ${handoffWords.join("; ") || "none"}. Loops: ${loopWords.join("; ") || "none"}. The list of steps tells all of it.`);
  const {totals, checks} = story;
  byId("overview").setAttribute("aria-label", `The whole session, ${durationWords(totals.ended - totals.started)}: ` +
    `${many(totals.errors, "failed step")}, ${many(totals.loops, "loop")}, ${many(checks.missing, "missing event")}.`);
  const budget = totals.budget === null ? "no budget told" : `of a budget of ${dollars(totals.budget)}` +
    (totals.budget_left === null ? "" : `, ${dollars(totals.budget_left)} left`);
  byId("curve").setAttribute("aria-label", `Cost over time: ${dollars(totals.cost)} in all, ${budget}; ` +
    `${countWords(totals.tokens_prompt + totals.tokens_completion)} tokens; ${many(totals.policies, "policy intervention")}.`);
  const legend = byId("curve-legend");
  const entry = (name, words) => {
    const item = make("span", "entry");
    item.append(make("i", "swatch s-" + name), words);
    return item;
  };
  legend.replaceChildren(entry("cost", "Σ cost"), entry("tokens", "tokens"));
  if (totals.budget_left !== null) legend.append(entry("left", "budget left"));
  if (loops.length) legend.append(entry("loop", "loop"));
  if (totals.policies) legend.append(entry("policy", "policy"));
  if (gapFindings.length) legend.append(entry("gap", "gap"));
}

let brush = null;  // {from, to}: pixels, while the pointer is down on the overview
const xWithin = (canvas, event) => event.clientX - canvas.getBoundingClientRect().left;

function rowAt(axis, at) {
  let best = 0;
  let low = 0;
  for (let high = rowsCount; low < high;) {
    const middle = (low + high) >> 1;
    if (axis.from[axis.order[middle]] <= at) {
      best = axis.order[middle];
      low = middle + 1;
    } else high = middle;
  }
  return best;
}

function startOverview() {
  const canvas = byId("overview");
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    brush = {from: xWithin(canvas, event), to: xWithin(canvas, event)};
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!brush) return;
    brush.to = xWithin(canvas, event);
    drawSoon();
  });
  canvas.addEventListener("pointerup", () => {
    if (!brush) return;
    const {from, to} = brush;
    brush = null;
    const axis = axisOf(state.axis);
    const at = (x) => axis.begin + x / canvas.clientWidth * (axis.end - axis.begin);
    if (Math.abs(to - from) < 4) choose(rowAt(axis, at(from)), true);
    else setZoom(at(Math.min(from, to)), at(Math.max(from, to)));
    drawSoon();
  });
  canvas.addEventListener("dblclick", fit);
}

function startLanes() {
  const canvas = byId("lanes");
  let dragged = null;
  const atOf = (event) => {
    const {from, to} = viewOfAxis();
    return from + (xWithin(canvas, event) - laneGutter() - chartInset) / (canvas.clientWidth - laneGutter() - 2 * chartInset) * (to - from);
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    dragged = {x: event.clientX, hasMoved: false};
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    const by = event.clientX - dragged.x;
    if (!dragged.hasMoved && Math.abs(by) < 4) return;
    panBy(-by / (canvas.clientWidth - laneGutter()));
    dragged = {x: event.clientX, hasMoved: true};
  });
  canvas.addEventListener("pointerup", (event) => {
    if (dragged && !dragged.hasMoved) chooseOnLanes(canvas, event, atOf(event));
    dragged = null;
  });
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoomBy(event.deltaY > 0 ? 1.25 : 0.8, atOf(event));
  }, {passive: false});
}

// The step under the pointer, else the nearest one of the lane.
function chooseOnLanes(canvas, event, at) {
  const y = event.clientY - canvas.getBoundingClientRect().top;
  const lane = laneTop.findLastIndex((top) => y >= top - 4);
  const {axis, from, to} = viewOfAxis();
  const reach = (to - from) / canvas.clientWidth * 6;
  let best = -1;
  let bestAway = Infinity;
  for (let i = firstPlace(axis, from); i < rowsCount; ++i) {
    const row = axis.order[i];
    if (axis.from[row] > at + (to - from)) break;
    if (story.lane[row] !== lane) continue;
    const isOn = axis.from[row] - reach <= at && axis.to[row] + reach >= at;
    const away = (isOn ? 0 : Math.abs(axis.from[row] - at)) + Math.abs(subOf[row] * subHeight + laneTop[lane] + 7 - y) * reach / 6;
    if (away < bestAway) [best, bestAway] = [row, away];
  }
  if (best >= 0) choose(best, true);
}

const fit = () => setZoom(-Infinity, Infinity);

let drawFrame = 0;
function drawSoon() {
  drawFrame ||= requestAnimationFrame(() => {
    drawFrame = 0;
    drawOverview();
    drawLanes();
    drawCurve();
  });
}
