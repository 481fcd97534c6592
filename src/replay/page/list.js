// The steps, first of all the ways to read the session: a grid of as many rows as the screen holds,
// in a place as high as all of them.

const columns = [
  ["number", "#"], ["time", "+time"], ["agent", "agent"], ["kind", "kind"], ["what", "what"], ["took", "took"],
  ["cost", "cost $"], ["sum", "sum $"], ["state", "state"], ["flags", "flags"],
];
const listScroll = byId("list-scroll");
const list = byId("list");
const listBody = byId("list-body");
const pool = [];
let rowHeight = 28;
let firstItem = 0;

function fillHead() {
  const line = make("tr");
  line.setAttribute("role", "row");
  line.setAttribute("aria-rowindex", "1");
  columns.forEach(([name, label], i) => {
    const cell = make("th", "c-" + name, label);
    cell.setAttribute("role", "columnheader");
    cell.setAttribute("aria-colindex", String(i + 1));
    cell.scope = "col";
    line.append(cell);
  });
  byId("list-head").append(line);
  list.setAttribute("aria-colcount", String(columns.length));
}

function makeLine() {
  const line = make("tr");
  line.setAttribute("role", "row");
  const cells = columns.map(([name], i) => {
    const cell = make("td", "c-" + name);
    cell.setAttribute("role", "gridcell");
    cell.setAttribute("aria-colindex", String(i + 1));
    line.append(cell);
    return cell;
  });
  const badge = make("span", "badge");
  const kind = make("span", "unseen");
  cells[3].append(badge, kind);
  return {line, cells, badge, kind};
}

function stateWords(row) {
  if (!story.after[row]) return "";
  return (story.changesState(row) ? "→ " : "= ") + harmlessLine(shortHash(texts[story.after[row]]));
}

const flagClass = (flag) => flag.startsWith("LOOP") || flag.startsWith("ENDS") ? "loop" :
  /^(GAP|CONFLICT|CLASS|EVIDENCE|DAMAGED|FAILED|STOP)/.test(flag) ? "bad" : "warn";

function fillFlags(cell, flags) {
  cell.replaceChildren(...flags.map((flag) => make("span", "flag " + flagClass(flag), harmlessLine(flag))));
  cell.title = harmlessLine(flags.join(", "));
}

function fillStep({line, cells, badge, kind}, row) {
  const letter = story.kind[row];
  line.className = (story.isFailed(row) ? "failed " : "") + (story.changesState(row) ? "changes" : "");
  cells[0].textContent = story.number[row];
  cells[1].textContent = clockWords(story.start[row]);
  cells[2].textContent = harmlessLine(agentOf(row));
  badge.className = "badge " + kindClass(letter);
  badge.textContent = letter;
  kind.textContent = kindNames[letter];
  cells[4].textContent = cells[4].title = harmlessLine(whatOf(row));
  cells[5].textContent = story.duration[row] > 0 ? durationWords(story.duration[row]) : "";
  cells[6].textContent = Number.isNaN(story.cost[row]) ? "" : moneyWords(story.cost[row]);
  cells[7].textContent = moneyWords(story.costSum[row]);
  cells[8].textContent = stateWords(row);
  fillFlags(cells[9], flagsOf(row));
}

function foldWords(fold) {
  const spent = story.costSum[fold.last] - story.costSum[fold.first - 1];
  const took = endOf(fold.last) - story.start[fold.first];
  return `${many(fold.last - fold.first + 1, "step")} folded (${story.number[fold.first]}–${story.number[fold.last]}): ` +
    `${fold.loop.name.replaceAll("_", " ")}, ${durationWords(took)}, ${dollars(spent)}` +
    (fold.loop.isStateUnchanged ? ", no state change" : "");
}

function fillFold({line, cells, badge, kind}, fold) {
  line.className = "fold";
  for (const cell of cells) if (cell !== cells[3]) cell.textContent = "";
  cells[0].textContent = "▸";
  badge.className = "badge k-fold";
  badge.textContent = "×" + fold.loop.repeats;
  kind.textContent = "";
  cells[4].textContent = cells[4].title = foldWords(fold);
  fillFlags(cells[9], ["LOOP L" + fold.loop.signal]);
}

function drawList() {
  const height = listScroll.clientHeight;
  const count = Math.min(Math.ceil(height / rowHeight) + 12, items.length);
  firstItem = Math.max(0, Math.min(Math.floor(listScroll.scrollTop / rowHeight) - 5, items.length - count));
  while (pool.length < count) {
    pool.push(makeLine());
    listBody.append(pool.at(-1).line);
  }
  while (pool.length > count) pool.pop().line.remove();
  const chosen = items.length ? indexOfRow(state.row) : -1;
  list.style.marginTop = firstItem * rowHeight + "px";
  list.removeAttribute("aria-activedescendant");
  for (let i = 0; i < count; ++i) {
    const index = firstItem + i;
    const item = items[index];
    const line = pool[i].line;
    if (item >= 0) fillStep(pool[i], item);
    else fillFold(pool[i], foldOf(item));
    const isChosen = index === chosen && (item < 0 || item === state.row);
    line.id = "line-" + index;
    line.setAttribute("aria-rowindex", String(index + 2));
    line.setAttribute("aria-selected", String(isChosen));
    line.classList.toggle("chosen", isChosen);
    if (isChosen) list.setAttribute("aria-activedescendant", line.id);
  }
}

let listFrame = 0;
function drawListSoon() {
  listFrame ||= requestAnimationFrame(() => {
    listFrame = 0;
    drawList();
  });
}

function sizeList() {
  rowHeight = parseFloat(getComputedStyle(list).getPropertyValue("--row")) || 28;
  byId("list-size").style.height = items.length * rowHeight + byId("list-head").offsetHeight + "px";
  list.setAttribute("aria-rowcount", String(items.length + 1));
  const nothing = byId("nothing");
  nothing.hidden = items.length > 0;
  nothing.textContent = rowsCount === 0 ? "This session has no steps to show." : "No step matches.";
  drawListSoon();
}

function keepChosenInSight() {
  const top = indexOfRow(state.row) * rowHeight;
  const room = listScroll.clientHeight - byId("list-head").offsetHeight - rowHeight;
  if (top < listScroll.scrollTop) listScroll.scrollTop = top;
  else if (top > listScroll.scrollTop + room) listScroll.scrollTop = top - room;
  drawListSoon();
  if (isNarrow() && hasStarted && state.view === "list") {
    requestAnimationFrame(() => listBody.querySelector(".chosen")?.scrollIntoView({block: "nearest"}));
  }
}

function startList() {
  fillHead();
  listScroll.addEventListener("scroll", drawListSoon, {passive: true});
  listBody.addEventListener("click", (event) => {
    const at = pool.findIndex(({line}) => line.contains(event.target));
    if (at < 0) return;
    const item = items[firstItem + at];
    if (item < 0) setOpened(foldOf(item).loop.index, true);
    choose(rowOfItem(item));
    if (item >= 0 && isNarrow()) showView("detail");
  });
  on("items", sizeList);
  on("row", keepChosenInSight);
}

// Opens what Enter stands on: a fold's steps, or the step itself.
function openChosen() {
  const item = items[indexOfRow(state.row)];
  if (item === undefined) return;
  if (item < 0) {
    setOpened(foldOf(item).loop.index, true);
    tell("row");
    return;
  }
  if (isNarrow()) showView("detail");
  byId("tab-panel").focus();
}
