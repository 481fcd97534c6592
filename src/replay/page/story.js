// The session, decoded once from its columns. A row is a shown step, from 0; a number is the step's
// place in the session, from 1; 0 or -1 is none. Times are microseconds since the session's begin.

const raw = JSON.parse(byId("story").textContent);
byId("story").textContent = "";

const rowsCount = raw.rows;
const texts = raw.texts;

function dense(column, Type) {
  return Type.from(column ?? []);
}

// A running sum of differences.
function summed(column, Type) {
  const values = new Type(rowsCount);
  for (let i = 0, sum = 0; i < rowsCount; ++i) values[i] = sum += column[i];
  return values;
}

// [rows since, value, …] into a column that is `none` elsewhere.
function spread(column, Type, none) {
  const values = new Type(rowsCount).fill(none);
  for (let i = 0, row = 0; i < column.length; i += 2) {
    row += column[i];
    values[row] = column[i + 1];
  }
  return values;
}

// [rows since, value, …] of changes, each standing until the next.
function carried(column, Type, first) {
  const values = new Type(rowsCount);
  let row = 0;
  let standing = first;
  for (let i = 0; i < column.length; i += 2) {
    const until = row + column[i];
    values.fill(standing, row, until);
    row = until;
    standing = column[i + 1];
  }
  return values.fill(standing, row);
}

function sumOf(column) {
  const sums = new Float64Array(rowsCount);
  for (let i = 0, sum = 0; i < rowsCount; ++i) sums[i] = sum += column[i] > 0 ? column[i] : 0;
  return sums;
}

function statesOf(column) {
  const before = new Uint32Array(rowsCount);
  const after = new Uint32Array(rowsCount);
  let standing = 0;
  for (let i = 0, at = 0, next = column.length ? column[0] : -1; i < rowsCount; ++i) {
    before[i] = after[i] = standing;
    if (i !== next) continue;
    before[i] = column[at + 1];
    after[i] = standing = column[at + 2];
    at += 3;
    next = at < column.length ? next + column[at] : -1;
  }
  return {before, after};
}

const start = summed(raw.at, Float64Array);
const duration = dense(raw.for, Float64Array);
const states = statesOf(raw.state);
const cost = spread(raw.cost, Float64Array, NaN);
const tokens = spread(raw.tokens, Float64Array, -1);
const bits = spread(raw.bits, Uint8Array, 0);

const story = {
  ...raw,
  kind: raw.kind,
  number: raw.number ? summed(raw.number, Uint32Array) : Uint32Array.from({length: rowsCount}, (_, i) => i + 1),
  lane: dense(raw.lane, Uint32Array),
  start,
  duration,
  what: dense(raw.what, Uint32Array),
  isUnfinished: (row) => (bits[row] & 1) !== 0,
  isFailed: (row) => (bits[row] & 2) !== 0,
  changesState: (row) => (bits[row] & 4) !== 0,
  flags: spread(raw.flags, Uint32Array, 0),
  cost,
  costSum: raw.cost_sum ? spread(raw.cost_sum, Float64Array, 0) : sumOf(cost),
  tokens,
  tokensSum: raw.tokens_sum ? dense(raw.tokens_sum, Float64Array) : sumOf(tokens),
  budget: carried(raw.budget, Float64Array, NaN),
  before: states.before,
  after: states.after,
  loop: carried(raw.loop, Uint32Array, 0),
  error: spread(raw.error, Uint32Array, 0),
  parent: spread(raw.parent, Uint32Array, 0),
  facts: dense(raw.facts, Uint32Array),
};

let rowByNumber = null;
function rowOf(number) {
  if (!raw.number) return number >= 1 && number <= rowsCount ? number - 1 : -1;
  if (!rowByNumber) rowByNumber = new Map(Array.from(story.number, (value, row) => [value, row]));
  return rowByNumber.get(number) ?? -1;
}

// The first row at or after the step, for steps that the view left out.
function rowNear(number) {
  let low = 0;
  for (let high = rowsCount; low < high;) {
    const middle = (low + high) >> 1;
    if (story.number[middle] < number) low = middle + 1;
    else high = middle;
  }
  return Math.min(low, rowsCount - 1);
}

// The last row at or before the step; -1 when there is none.
function rowUpTo(number) {
  const row = rowNear(number);
  return row >= 0 && story.number[row] > number ? row - 1 : row;
}

const lanes = raw.lanes.map(([id, name, steps, laneCost]) => ({id, name: name || id || "-", steps, cost: laneCost}));
const loops = raw.loops.map(([first, last, signal, name, severity, repeats, stop, took, isStateUnchanged, loopCost], index) =>
  ({index, first, last, signal, name, severity, repeats, stop, took, isStateUnchanged: !!isStateUnchanged, cost: loopCost}));
const findings = raw.findings.map(([kind, severity, signal, first, last, text], index) =>
  ({index, kind, severity, signal, first, last, text}));
const handoffs = raw.handoffs.map(([number, from, to]) => ({number, from, to}));

const agentOf = (row) => lanes[story.lane[row]]?.name ?? "-";
const whatOf = (row) => texts[story.what[row]];
const flagsOf = (row) => story.flags[row] ? texts[story.flags[row]].split("\u001f") : [];
const endOf = (row) => story.start[row] + story.duration[row];

// Facts by name, those of the step's list first. Columns of their own are spread when first asked.
const ownTexts = ["tool_call_id", "response_id", "turn_id", "attempt_of_id"];
const ownNumbers = ["eval_score", "cost_so_far_usd", "repeat_count", "tokens_prompt", "tokens_completion",
  "tokens_cache_read", "tokens_cache_write", "tokens_reasoning", "ttft", "redactions", "attempt", "attempt_of", "paired"];
const spreadColumns = new Map();
function ownColumn(name, none) {
  if (!spreadColumns.has(name)) spreadColumns.set(name, spread(raw[name], Float64Array, none));
  return spreadColumns.get(name);
}

function factsOf(row) {
  const facts = new Map();
  const list = raw.fact_lists[story.facts[row]];
  for (let i = 0; i < list.length; i += 2) facts.set(raw.fact_names[list[i]], texts[list[i + 1]]);
  for (const name of ownTexts) {
    const text = ownColumn(name, 0)[row];
    if (text) facts.set(name, texts[text]);
  }
  for (const name of ownNumbers) {
    const number = ownColumn(name, NaN)[row];
    if (!Number.isNaN(number)) facts.set(name, number);
  }
  return facts;
}

// One fact of many rows, by fact list: list number → value.
function factByList(name) {
  const wanted = raw.fact_names.indexOf(name);
  return raw.fact_lists.map((list) => {
    for (let i = 0; i < list.length; i += 2) if (list[i] === wanted) return texts[list[i + 1]];
    return "";
  });
}

// What proves the step: keys, numbers, places.
const proof = {};
function proofOf(row) {
  proof.eventIds ??= bytesOf(raw.event_ids);
  proof.spanIds ??= bytesOf(raw.span_ids);
  proof.digests ??= bytesOf(raw.digests);
  proof.seq ??= summed(raw.seq, Float64Array);
  proof.offset ??= summed(raw.offset, Float64Array);
  for (const name of ["gateway", "epoch", "partition", "trace", "promised", "seen"]) {
    proof[name] ??= carried(raw[name], Float64Array, 0);
  }
  for (const name of ["args_digest", "result_digest", "commitment", "parent_span"]) {
    proof[name] ??= spread(raw[name], Float64Array, 0);
  }
  const digest = (number) => number === 0 ? "" : number < 0 ? texts[-number] :
    raw.digest_key + ":" + hexOf(proof.digests.subarray(number * 16 - 16, number * 16));
  const parentRow = rowOf(story.parent[row]);
  const span = (at) => hexOf(proof.spanIds.subarray(at * 8, at * 8 + 8));
  return {
    event_id: hexOf(proof.eventIds.subarray(row * 16, row * 16 + 16)),
    trace_id: texts[proof.trace[row]],
    span_id: span(row),
    parent_span_id: proof.parent_span[row] ? texts[proof.parent_span[row]] : parentRow >= 0 ? span(parentRow) : "",
    gateway_id: texts[proof.gateway[row]],
    gateway_epoch: proof.epoch[row],
    gateway_seq: proof.seq[row],
    partition: proof.partition[row],
    offset: proof.offset[row],
    received: endOf(row) + raw.lag[row] * 1000,
    lag: raw.lag[row],
    promised: proof.promised[row],
    seen: proof.seen[row],
    args_digest: digest(proof.args_digest[row]),
    result_digest: digest(proof.result_digest[row]),
    evidence_commitment: texts[proof.commitment[row]],
  };
}

// What the steps said, in elements of 64 rows, packed; decoded when looked at.
const contentBlocks = Array.from(document.querySelectorAll("script[data-first]"), (element) =>
  ({first: +element.dataset.first, place: +element.dataset.place, element, rows: null, places: null, ready: null}));
const rowsPerBlock = contentBlocks.length > 1 ? contentBlocks[1].first : Infinity;

async function unpack(block) {
  const stream = new Blob([bytesOf(JSON.parse(block.element.textContent))]).stream().pipeThrough(new DecompressionStream("deflate"));
  block.rows = await new Response(stream).json();
  block.element.textContent = "";
  block.places = [];
  for (const content of block.rows) {
    if (!content) continue;
    for (const text of content.slice(2, 5)) if (text !== "" && typeof text !== "number") block.places.push(text);
  }
  return block;
}

const decoded = (block) => block.ready ??= unpack(block);

// Of several blocks that begin at a place the last one holds it.
async function placed(text) {
  if (typeof text !== "number") return text;
  const block = contentBlocks.findLast(({place}) => place <= text);
  return (await decoded(block)).places[text - block.place];
}

const sources = ["", "detail", "evidence"];
// {source, note, input, output, error, record}; a text is {text, bytes}, bytes > 0 when it was cut.
async function contentOf(row) {
  const block = contentBlocks[Math.floor(row / rowsPerBlock)];
  const content = block ? (await decoded(block)).rows[row - block.first] : 0;
  if (!content) return {source: "", note: ""};
  const side = async (at) => {
    const text = await placed(content[at] ?? "");
    return Array.isArray(text) ? {text: text[0], bytes: text[1]} : {text, bytes: 0};
  };
  return {source: sources[content[0]], note: content[1], input: await side(2), output: await side(3), error: await side(4), record: content[5]};
}
