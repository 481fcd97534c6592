// What the reader looks at: filters, folds, the chosen step. Parts of the page listen for changes.

const state = {
  row: 0,
  view: "list",
  tab: "input",
  axis: "wall",
  query: "",
  hiddenKinds: new Set(),
  agent: -1,
  tool: "",
  recordClass: "",
  mark: "",
  folds: raw.folds,
  opened: new Set(),  // loops unfolded one by one
  zoom: null,  // {from, to} in units of the axis; null: all
};

const listeners = new Map();
function on(names, listener) {
  for (const name of names.split(" ")) listeners.set(name, [...(listeners.get(name) ?? []), listener]);
}
function tell(name) {
  for (const listener of listeners.get(name) ?? []) listener();
}

// Kinds that belong together share a key and a filter; each letter has its own colour and pattern.
const kindGroups = [
  {letters: "D", name: "decisions"},
  {letters: "I", name: "inferences"},
  {letters: "TRQ", name: "tools"},
  {letters: "H", name: "handoffs"},
  {letters: "PX", name: "policies"},
  {letters: "SCV", name: "state"},
  {letters: "E[].", name: "other"},
];
const kindNames = {
  "[": "start", D: "decision", I: "inference", T: "tool", R: "retry", H: "handoff", P: "policy", S: "state",
  Q: "retrieval", V: "evaluation", C: "cost", E: "error", X: "termination", "]": "end", ".": "other",
};
const groupOfLetter = new Map(kindGroups.flatMap((group, index) => [...group.letters].map((letter) => [letter, index])));

// Colours are named by a word, since a letter may be a bracket.
const kindClass = (letter) => "k-" + (kindNames[letter] ?? "other");

const toolOfList = factByList("tool_name");
const toolOf = (row) => toolOfList[story.facts[row]];

// The loops that fold: outermost ones, which do not overlap. Their first two steps stay.
const shownOfFold = 2;
const foldsOfStory = [];
for (const loop of [...loops].sort((a, b) => a.first - b.first || b.last - a.last)) {
  const before = foldsOfStory.at(-1);
  if (before && loop.first <= before.loop.last) continue;
  const first = rowNear(loop.first);
  const last = rowUpTo(loop.last);
  if (last - (first + shownOfFold) >= 2) foldsOfStory.push({loop, first: first + shownOfFold, last});
}

// What a search finds; null: nothing is searched. Content is searched behind, block by block.
let found = null;
let isSearching = false;

const marks = {
  failed: {name: "Failed steps", holds: (row) => story.isFailed(row)},
  state: {name: "State changes", holds: (row) => story.changesState(row)},
  loop: {name: "Steps in loops", holds: (row) => story.loop[row] !== 0},
  flagged: {name: "Marked steps", holds: (row) => story.flags[row] !== 0},
  unfinished: {name: "Unfinished steps", holds: (row) => story.isUnfinished(row)},
  costly: {name: "Steps that cost", holds: (row) => story.cost[row] > 0},
};
const recordClasses = ["operational", "detail", "evidence"];

function hasClass(row) {
  const [name, isSeen] = state.recordClass.split(":");
  const bit = 1 << recordClasses.indexOf(name);
  proofOf(row);
  return isSeen === "seen" ? (proof.seen[row] & bit) !== 0 : (proof.promised[row] & ~proof.seen[row] & bit) !== 0;
}

function isShown(row) {
  if (state.hiddenKinds.size && state.hiddenKinds.has(groupOfLetter.get(story.kind[row]))) return false;
  if (state.agent >= 0 && story.lane[row] !== state.agent) return false;
  if (state.tool && toolOf(row) !== state.tool) return false;
  if (state.mark && !marks[state.mark].holds(row)) return false;
  if (state.recordClass && !hasClass(row)) return false;
  return !found || found[row] === 1;
}

const isFiltered = () => !!(state.query || state.hiddenKinds.size || state.agent >= 0 || state.tool || state.recordClass || state.mark);

// The list's lines: a row, or -1 - n for the n-th fold.
let items = new Int32Array(0);
let shownCount = rowsCount;

function collectItems() {
  const made = new Int32Array(rowsCount);
  let count = 0;
  shownCount = 0;
  const folds = state.folds && !found ? foldsOfStory : [];
  let next = 0;
  for (let row = 0; row < rowsCount; ++row) {
    while (next < folds.length && folds[next].last < row) ++next;
    if (!isShown(row)) continue;
    ++shownCount;
    const fold = folds[next];
    if (fold && row >= fold.first && row <= fold.last && !state.opened.has(fold.loop.index)) {
      if (count === 0 || made[count - 1] !== -1 - next) made[count++] = -1 - next;
      continue;
    }
    made[count++] = row;
  }
  items = made.subarray(0, count);
  tell("items");
}

const foldOf = (item) => foldsOfStory[-1 - item];
const rowOfItem = (item) => item >= 0 ? item : foldOf(item).first;

// The line that shows the row, or the last one before it.
function indexOfRow(row) {
  let low = 0;
  for (let high = items.length; low < high;) {
    const middle = (low + high) >> 1;
    if (rowOfItem(items[middle]) <= row) low = middle + 1;
    else high = middle;
  }
  return Math.max(low - 1, 0);
}

function choose(row, opensFold = false) {
  if (rowsCount === 0) return;
  state.row = Math.max(0, Math.min(row, rowsCount - 1));
  if (opensFold) {
    const item = items[indexOfRow(state.row)];
    if (item < 0 && foldOf(item).first < state.row) setOpened(foldOf(item).loop.index, true);
    else if (item < 0 && foldOf(item).last >= state.row) setOpened(foldOf(item).loop.index, true);
  }
  tell("row");
}

function setOpened(loop, isOpen) {
  if (isOpen) state.opened.add(loop);
  else state.opened.delete(loop);
  collectItems();
}

// To the next line of the list, up or down.
function move(by) {
  if (items.length === 0) return;
  const at = indexOfRow(state.row);
  const isOn = rowOfItem(items[at]) === state.row || items[at] < 0;
  const next = isOn || by < 0 ? at + by : at + 1;
  choose(rowOfItem(items[Math.max(0, Math.min(next, items.length - 1))]));
}

function nextRow(from, by, holds) {
  for (let row = from + by; row >= 0 && row < rowsCount; row += by) if (holds(row)) return row;
  return -1;
}

let searchNumber = 0;
function search(query) {
  state.query = query;
  const number = ++searchNumber;
  const wanted = query.trim().toLowerCase();
  if (!wanted) {
    found = null;
    isSearching = false;
    collectItems();
    return;
  }
  const holds = texts.map((text) => text.toLowerCase().includes(wanted));
  const lists = raw.fact_lists.map((list) => list.some((value, i) => i % 2 === 1 && holds[value]));
  const inLane = lanes.map((lane) => lane.name.toLowerCase().includes(wanted) || lane.id.toLowerCase().includes(wanted));
  const isHex = /^[0-9a-f]{6,}$/.test(wanted);
  found = new Uint8Array(rowsCount);
  for (let row = 0; row < rowsCount; ++row) {
    const is = holds[story.what[row]] || holds[story.flags[row]] || holds[story.error[row]] || holds[story.after[row]] ||
      lists[story.facts[row]] || inLane[story.lane[row]] || ownTexts.some((name) => holds[ownColumn(name, 0)[row]]) ||
      (isHex && Object.values(proofOf(row)).some((value) => typeof value === "string" && value.includes(wanted)));
    if (is) found[row] = 1;
  }
  isSearching = contentBlocks.length > 0;
  collectItems();
  if (isSearching) searchContent(number, wanted);
}

// A few blocks, then the reader's turn. Texts told before are known by their places.
async function searchContent(number, wanted) {
  const placesHold = [];
  let until = performance.now() + 12;
  for (const one of contentBlocks) {
    const block = await decoded(one);
    if (performance.now() > until) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      until = performance.now() + 12;
    }
    if (number !== searchNumber) return;
    for (const text of block.places) {
      placesHold.push((typeof text === "string" ? text : text[0]).toLowerCase().includes(wanted));
    }
    let place = block.place;
    block.rows.forEach((content, i) => {
      if (!content) return;
      let is = false;
      for (const text of content.slice(2, 5)) {
        if (text !== "") is = placesHold[typeof text === "number" ? text : place++] || is;
      }
      if (is) found[block.first + i] = 1;
    });
  }
  isSearching = false;
  collectItems();
}
