// The chosen step: what went in and came out, its state, why it happened, and what proves it.

const tabs = [
  ["input", "Input"], ["output", "Output"], ["state", "State"], ["why", "Why"], ["raw", "Raw"], ["integrity", "Integrity"],
];

function pairsOf(entries) {
  const listing = make("dl", "pairs");
  for (const [name, value, className] of entries) {
    if (value === undefined || value === null || value === "") continue;
    listing.append(make("dt", "", name));
    const told = make("dd", className);
    if (value instanceof Node) told.append(value);
    else told.textContent = harmlessLine(String(value));
    listing.append(told);
  }
  return listing;
}

// A button that goes to a step.
function toStep(number, words) {
  const button = make("button", "link", words ?? `step ${number}`);
  button.type = "button";
  button.addEventListener("click", () => choose(rowNear(number), true));
  return button;
}

// JSON told apart by colour; any other text as it is. Long texts stay plain: colour is a help, not
// worth a wait.
const jsonWord = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
function jsonText(source) {
  const box = make("pre", "text-box");
  let text = source;
  let isJson = false;
  if (/^\s*[[{]/.test(source)) {
    try {
      text = JSON.stringify(unwrapped(JSON.parse(source)), null, 2);
      isJson = true;
    } catch {
      // Cut or none: shown as stored.
    }
  }
  text = harmless(text);
  if (!isJson || text.length > 60000) {
    box.textContent = text;
    return box;
  }
  let at = 0;
  for (const word of text.matchAll(jsonWord)) {
    box.append(text.slice(at, word.index));
    const kind = word[2] ? "j-key" : word[1] ? "j-text" : word[3] ? "j-word" : "j-number";
    box.append(make("span", kind, word[1] ?? word[0]));
    if (word[2]) box.append(word[2]);
    at = word.index + word[0].length;
  }
  box.append(text.slice(at));
  return box;
}

// JSON kept as text inside JSON is shown as what it is; one level, as libraries do it.
function unwrapped(value) {
  if (typeof value === "string" && /^\s*[[{]/.test(value)) {
    try {
      return JSON.parse(value);
    } catch {
      return value;
    }
  }
  if (Array.isArray(value)) return value.map(unwrapped);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, unwrapped(of)]));
  return value;
}

// Messages of a model's talk, when that is what the text is: [{role, words}].
function messagesOf(source) {
  if (!/^\s*[[{]/.test(source)) return null;
  let value;
  try {
    value = JSON.parse(source);
  } catch {
    return null;
  }
  const list = Array.isArray(value) ? value : Array.isArray(value?.messages) ? value.messages : null;
  if (!list?.length || !list.every((one) => one && typeof one === "object" && typeof one.role === "string")) return null;
  return list.map((one) => ({role: one.role, words: wordsOf(one.parts ?? one.content ?? one.text ?? one.tool_calls ?? "")}));
}

function wordsOf(content) {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return JSON.stringify(content, null, 2);
  return content.map((part) => {
    const text = part?.text ?? part?.content;
    return typeof part === "string" ? part : typeof text === "string" ? text : JSON.stringify(part, null, 2);
  }).join("\n");
}

function textPanel({text: source, bytes}) {
  const box = make("div", "content");
  const messages = bytes ? null : messagesOf(source);
  if (messages) {
    const talk = make("ol", "talk");
    for (const {role, words} of messages) {
      const entry = make("li", "said");
      entry.append(make("span", "role", harmlessLine(role)), make("div", "words", harmless(words)));
      talk.append(entry);
    }
    box.append(talk);
  } else {
    box.append(jsonText(source));
  }
  if (bytes) box.append(make("p", "quiet cut", `Cut here: the whole text has ${bytesWords(bytes)}. The command shows it all.`));
  return box;
}

const noteWords = {
  "none recorded": "Its record names none.",
  "not found": "Its detail record was promised and is not there.",
  "not stored": "No detail record is promised for it.",
  restricted: "Detail was not read, or may not be with these rights.",
  "left out": "This page was made without inputs and outputs.",
};

async function contentPanel(row, side) {
  const content = await contentOf(row);
  const parts = [content[side]].filter((part) => part?.text);
  const made = parts.map(textPanel);
  if (side === "output" && content.error?.text) {
    made.push(make("h3", "", "Error"), textPanel(content.error));
  }
  const source = content.source ? `From the ${content.source} record.` : "";
  if (made.length === 0) {
    const note = content.note || (contentBlocks.length === 0 ? "left out" : "none recorded");
    return [make("p", "empty", side === "input" ? "No input to show." : "No output to show."), make("p", "quiet", noteWords[note] ?? harmlessLine(note) + ".")];
  }
  return [make("p", "quiet source", [source, content.note && (noteWords[content.note] ?? harmlessLine(content.note) + ".")].filter(Boolean).join(" ")), ...made];
}

function statePanel(row) {
  const before = texts[story.before[row]];
  const after = texts[story.after[row]];
  if (!before && !after) return [make("p", "empty", "No state is told up to this step.")];
  const first = story.after.indexOf(story.after[row]);
  const earlier = nextRow(row, -1, story.changesState);
  const later = nextRow(row, 1, story.changesState);
  return [
    make("p", "verdict-line", story.changesState(row) ? "This step changes the state." : "The state stays as it was."),
    pairsOf([
      ["before", before || "not told", "mono"],
      ["after", after || "not told", "mono"],
      ["first seen", first >= 0 && after ? toStep(story.number[first]) : ""],
      ["change before", earlier >= 0 ? toStep(story.number[earlier]) : "none"],
      ["next change", later >= 0 ? toStep(story.number[later]) : "none"],
    ]),
  ];
}

function decisionOf(facts) {
  const chosen = facts.get("decision_chosen");
  const options = (facts.get("decision_options") ?? "").split("\u001f").filter(Boolean);
  if (!chosen && options.length === 0) return [];
  const listing = make("ul", "options");
  for (const option of options.length ? options : [chosen]) {
    const isChosen = option === chosen;
    const entry = make("li", isChosen ? "taken" : "left", harmlessLine(option));
    entry.append(make("span", "quiet", isChosen ? " chosen" : " not taken"));
    listing.append(entry);
  }
  return [make("h3", "", "Decision"), listing];
}

function loopOf(row) {
  if (!story.loop[row]) return [];
  const loop = loops[story.loop[row] - 1];
  const words = make("p");
  words.append(`Part of ${loop.name.replaceAll("_", " ")} (L${loop.signal}), ×${loop.repeats}, steps ${loop.first}–${loop.last}: ` +
    `${durationWords(loop.took)}, ${dollars(loop.cost)}${loop.isStateUnchanged ? ", no state change" : ""}. `);
  if (loop.stop) words.append("Ended by ", toStep(loop.stop), ` (${harmlessLine(rowOf(loop.stop) >= 0 ? whatOf(rowOf(loop.stop)) : "not shown")}).`);
  else words.append("Nothing told ended it.");
  return [make("h3", "", "Loop"), words];
}

function whyPanel(row) {
  const facts = factsOf(row);
  const of = (name) => facts.get(name);
  const ended = loops.filter((loop) => loop.stop === story.number[row]);
  const made = [...decisionOf(facts), ...loopOf(row)];
  for (const loop of ended) made.push(make("p", "verdict-line", `This step ended the loop of steps ${loop.first}–${loop.last}.`));
  const near = story.parent[row] ? toStep(story.parent[row]) : "";
  const attempt = facts.get("attempt");
  made.push(pairsOf([
    ["policy", [of("policy_source"), of("policy_decision")].filter(Boolean).join(": ")],
    ["guardrail", [of("guardrail_name"), of("guardrail_triggered") && "triggered: " + of("guardrail_triggered")].filter(Boolean).join(", ")],
    ["handoff", of("handoff_target") ? `${of("handoff_source") ?? agentOf(row)} → ${of("handoff_target")}` : ""],
    ["ends because", of("termination_reason")],
    ["error", texts[story.error[row]]],
    ["outcome", of("outcome")],
    ["HTTP status", of("http_status")],
    ["finish reason", of("finish_reason")],
    ["attempt", attempt > 0 ? `retry ${attempt}${of("retry_max") ? ` of ${of("retry_max")}` : ""}` : ""],
    ["repeats", of("attempt_of") ? toStep(of("attempt_of")) : ""],
    ["evaluation", [of("eval_name"), of("eval_score"), of("eval_label")].filter((part) => part !== undefined).join(" ")],
    ["guard", [of("signal"), of("severity"), of("repeat_count") && "×" + of("repeat_count")].filter(Boolean).join(" ")],
    ["told by gateway", [of("reason"), of("alias_session_id"), of("alias_reason")].filter(Boolean).join(" ")],
    ["caused by", near],
    ["pairs with", of("paired") ? toStep(of("paired")) : ""],
    ["model", [of("provider"), of("model")].filter(Boolean).join(" ")],
    ["tool", of("tool_name")],
    ["tokens", tokenWords(facts)],
    ["cost", Number.isNaN(story.cost[row]) ? "" : `${dollars(story.cost[row])}${of("cost_source") ? ` (${of("cost_source")})` : ""}, ${dollars(story.costSum[row])} so far`],
    ["budget left", Number.isNaN(story.budget[row]) ? "" : dollars(story.budget[row])],
    ["first token", of("ttft") ? durationWords(of("ttft") * 1000) : ""],
    ["operation", [of("operation"), of("step"), of("caller_step") && "called by " + of("caller_step")].filter(Boolean).join(", ")],
    ["run", of("run_id")], ["workflow", of("workflow_id")], ["turn", of("turn_id")], ["task", of("task_id")],
    ["service", [of("service_name"), of("env")].filter(Boolean).join(", ")], ["user", of("user_ref")],
  ]));
  return made;
}

function tokenWords(facts) {
  const counts = [["tokens_prompt", "in"], ["tokens_completion", "out"], ["tokens_cache_read", "from cache"],
    ["tokens_cache_write", "to cache"], ["tokens_reasoning", "reasoning"]];
  return counts.filter(([name]) => facts.has(name)).map(([name, words]) => `${countWords(facts.get(name))} ${words}`).join(", ");
}

// The step as this page holds it.
async function stepJson(row) {
  const content = await contentOf(row);
  const side = (part) => part?.text ? part.bytes ? {head: part.text, bytes: part.bytes} : part.text : undefined;
  const given = (value) => value === "" || Number.isNaN(value) || value === -1 ? undefined : value;
  const own = proofOf(row);
  return {
    session_id: story.session,
    tenant_id: story.tenant,
    step: story.number[row],
    kind: kindNames[story.kind[row]],
    what: whatOf(row),
    agent: agentOf(row),
    started_at: new Date((story.start[row] + raw.start) / 1000).toISOString(),
    duration_ms: story.duration[row] / 1000,
    cost_usd: given(story.cost[row]),
    cost_sum_usd: +story.costSum[row].toPrecision(10),
    tokens: given(story.tokens[row]),
    tokens_sum: story.tokensSum[row],
    budget_left: given(story.budget[row]),
    state_before: given(texts[story.before[row]]),
    state_after: given(texts[story.after[row]]),
    error_class: given(texts[story.error[row]]),
    flags: flagsOf(row),
    ...Object.fromEntries([...factsOf(row)].map(([name, value]) =>
      [name === "step" ? "step_name" : name, name === "decision_options" ? value.split("\u001f") : value])),
    input: side(content.input),
    output: side(content.output),
    error: side(content.error),
    integrity: Object.fromEntries(Object.entries(own).filter(([name, value]) => value !== "" && name !== "received" && name !== "lag")),
  };
}

async function rawPanel(row) {
  const made = [];
  const {record} = await contentOf(row);
  if (record) made.push(make("h3", "", "Detail record, as stored"), jsonText(record));
  made.push(make("h3", "", "The step, as this page holds it"), jsonText(JSON.stringify(await stepJson(row))));
  return made;
}

function integrityPanel(row) {
  const own = proofOf(row);
  const facts = factsOf(row);
  const classes = recordClasses.map((name, i) => (own.promised & (1 << i)) === 0 ? null :
    `${name} ${(own.seen & (1 << i)) !== 0 ? "✓ read" : raw.classes[i][0] ? "✗ not found" : "– not read"}`).filter(Boolean);
  const concerned = findings.filter(({kind, first, last}) => kind !== "loop" && first > 0 && first <= story.number[row] && Math.max(first, last) >= story.number[row]);
  const made = concerned.map((finding) => make("p", "finding-line " + finding.severity, `${finding.kind.replaceAll("_", " ")}: ${harmlessLine(finding.text)}`));
  if (concerned.length === 0) made.push(make("p", "verdict-line", "No check of completeness or order concerns this step."));
  made.push(pairsOf([
    ["records", classes.join(" · ")],
    ["place", own.offset >= 0 ? `partition ${own.partition}, offset ${countWords(own.offset)}` : "not from a partition"],
    ["number", `${own.gateway_seq} of ${own.gateway_id || "?"}, epoch ${own.gateway_epoch}`],
    ["received", `${storyDate(own.received + raw.start)} (${own.lag} ms after its end)`],
    ["time from", facts.get("time_source")], ["made from", facts.get("source")], ["event type", facts.get("event_type")],
    ["event id", own.event_id, "mono"], ["trace id", own.trace_id, "mono"], ["span id", own.span_id, "mono"], ["parent span", own.parent_span_id, "mono"],
    ["arguments", own.args_digest, "mono"], ["result", own.result_digest, "mono"],
    ["evidence", own.evidence_commitment || "none committed", "mono"],
    ["redactions", facts.get("redactions")],
    ["hash chain", "not in version 1"],
  ]));
  return made;
}

const panels = {input: (row) => contentPanel(row, "input"), output: (row) => contentPanel(row, "output"), state: statePanel, why: whyPanel, raw: rawPanel, integrity: integrityPanel};

function showTab(name, takesFocus = false) {
  state.tab = name;
  tell("tab");
  if (takesFocus) byId("tab-" + name).focus();
}

let detailNumber = 0;
async function drawDetail() {
  if (!isVisible("detail-panel")) return;
  const panel = byId("tab-panel");
  for (const [name] of tabs) {
    const tab = byId("tab-" + name);
    tab.setAttribute("aria-selected", String(state.tab === name));
    tab.tabIndex = state.tab === name ? 0 : -1;
  }
  panel.setAttribute("aria-labelledby", "tab-" + state.tab);
  const line = byId("detail-line");
  if (rowsCount === 0) {
    panel.replaceChildren(make("p", "empty", "There is no step to show."));
    return;
  }
  const row = state.row;
  const letter = story.kind[row];
  byId("detail-title").textContent = `Step ${story.number[row]}`;
  const badge = make("span", "badge " + kindClass(letter), letter);
  badge.setAttribute("aria-hidden", "true");
  const what = make("bdi", "what", harmlessLine(whatOf(row)));
  const flags = make("span", "flags");
  fillFlags(flags, flagsOf(row));
  line.replaceChildren(badge, what, make("span", "quiet", [kindNames[letter], harmlessLine(agentOf(row)), clockWords(story.start[row]),
    story.duration[row] > 0 && durationWords(story.duration[row])].filter(Boolean).join(" · ")), flags);
  // Content is unpacked meanwhile; only the last one that was asked for is shown.
  const number = ++detailNumber;
  const made = await panels[state.tab](row);
  if (number !== detailNumber) return;
  panel.replaceChildren(...made);
  panel.scrollTop = 0;
}

let detailFrame = 0;
function drawDetailSoon() {
  detailFrame ||= requestAnimationFrame(() => {
    detailFrame = 0;
    drawDetail();
  });
}

function arrowsWithin(holder, selector, act) {
  holder.addEventListener("keydown", (event) => {
    const by = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
    const all = [...holder.querySelectorAll(selector)].filter((one) => !one.hidden);
    const at = all.indexOf(event.target);
    const next = event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : by ? (at + by + all.length) % all.length : -1;
    if (at < 0 || next < 0) return;
    event.preventDefault();
    event.stopPropagation();
    act(all[next]);
    all[next].focus();
  });
}

function startDetail() {
  for (const [name, label] of tabs) {
    const tab = make("button", "tab", label);
    tab.type = "button";
    tab.id = "tab-" + name;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", "tab-panel");
    tab.addEventListener("click", () => showTab(name));
    byId("tabs").append(tab);
  }
  arrowsWithin(byId("tabs"), "[role=tab]", (tab) => showTab(tab.id.slice(4)));
  byId("copy-json").addEventListener("click", copyStep);
  byId("copy-command").addEventListener("click", copyCommand);
  on("row tab", drawDetailSoon);
}

async function copyStep() {
  if (rowsCount === 0) return;
  await copy(JSON.stringify(await stepJson(state.row), null, 2));
  say(`Step ${story.number[state.row]} copied as JSON.`);
}

const quoted = (word) => /^[A-Za-z0-9_.:@/+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

// The command that shows in a terminal what the reader sees here.
function commandOf() {
  const words = [story.command || `spangate replay ${quoted(story.session)}`];
  if (state.hiddenKinds.size) {
    const shown = kindGroups.flatMap((group, i) => state.hiddenKinds.has(i) ? [] : [...group.letters].map((letter) => kindNames[letter]));
    words.push("--only " + shown.join(","));
  }
  if (state.query.trim()) words.push("--grep " + quoted(state.query.trim()));
  if (rowsCount) words.push("--goto " + story.number[state.row]);
  return words.join(" ");
}

async function copyCommand() {
  await copy(commandOf());
  say(`Copied: ${commandOf()}`);
}
