// Going through the session by itself, and by keys.

const speeds = [1, 2, 5, 10, 25, 100];  // steps a second
let isPlaying = false;
let playTimer = 0;

let sayTimer = 0;
// For screen readers; the last of several in a short time.
function say(words) {
  clearTimeout(sayTimer);
  sayTimer = setTimeout(() => { byId("said").textContent = words; }, 120);
}

function positionWords() {
  if (rowsCount === 0) return "no steps";
  const row = state.row;
  return `Step ${countWords(story.number[row])} of ${countWords(story.steps_total)}`;
}

let saidAt = -Infinity;
function drawPosition() {
  const scrubber = byId("scrubber");
  const row = state.row;
  scrubber.max = String(Math.max(rowsCount, 1));
  scrubber.value = String(row + 1);
  const budget = rowsCount && !Number.isNaN(story.budget[row]) ? ` · ${dollars(story.budget[row])} left` : "";
  const spent = rowsCount ? ` · ${clockWords(story.start[row])} · ${dollars(story.costSum[row])}${budget}` : "";
  byId("position").textContent = positionWords() + spent;
  scrubber.setAttribute("aria-valuetext", positionWords() + spent.replaceAll(" · ", ", "));
  // While it plays, not every step is told: one in two seconds can be listened to.
  if (rowsCount === 0 || (isPlaying && performance.now() - saidAt < 2000)) return;
  saidAt = performance.now();
  if (hasStarted) say(`${positionWords()}: ${kindNames[story.kind[row]]}, ${harmlessLine(agentOf(row))}, ${harmlessLine(whatOf(row))}`);
}

function setPlaying(plays) {
  const wasPlaying = isPlaying;
  isPlaying = plays && rowsCount > 0;
  clearTimeout(playTimer);
  saidAt = -Infinity;  // where it begins and where it stops is told
  const button = byId("play");
  button.setAttribute("aria-pressed", String(isPlaying));
  button.textContent = isPlaying ? "Pause" : "Play";
  if (!isPlaying) {
    if (wasPlaying) drawPosition();
    return;
  }
  if (indexOfRow(state.row) >= items.length - 1) choose(rowOfItem(items[0] ?? 0));
  playOn();
}

function playOn() {
  playTimer = setTimeout(() => {
    const before = indexOfRow(state.row);
    move(1);
    if (indexOfRow(state.row) === before || before >= items.length - 1) setPlaying(false);
    else playOn();
  }, 1000 / +byId("speed").value);
}

function startPlayer() {
  byId("speed").append(...speeds.map((speed) => option(String(speed), `${speed} step${speed > 1 ? "s" : ""}/s`)));
  byId("speed").value = "2";
  byId("play").addEventListener("click", () => setPlaying(!isPlaying));
  byId("back").addEventListener("click", () => move(-1));
  byId("ahead").addEventListener("click", () => move(1));
  byId("scrubber").addEventListener("input", (event) => choose(+event.target.value - 1));
  byId("help-open").addEventListener("click", openHelp);
  on("row", drawPosition);
}

const keyHelp = [
  ["↓ ↑  or  J K", "next and previous step"], ["Page, Home, End", "further"], ["Enter", "open the step, or a fold"], ["Esc", "back to the list"],
  ["/", "search"], ["n N", "next and previous finding"], ["] [", "next and previous change of state"], ["l", "fold or unfold loops"],
  ["1 … 7", "show or hide a kind: " + kindGroups.map(({name}) => name).join(", ")],
  ["W S", "zoom in and out"], ["A D", "move along the time"], ["F", "fit the whole session"], ["T", "time axis: wall, busy, step"],
  ["Space", "play and pause"], ["C", "copy the step as JSON"], ["?", "this help"],
];

let usesKeys = true;

function openHelp() {
  const help = byId("help");
  if (!help.firstChild) {
    const title = make("h2", "", "Keys");
    title.id = "help-title";
    const table = make("dl", "pairs keys");
    for (const [keys, words] of keyHelp) {
      const name = make("dt");
      name.append(make("kbd", "", keys));
      table.append(name, make("dd", "", words));
    }
    const legend = make("p", "help-kinds");
    for (const [letter, name] of Object.entries(kindNames)) {
      const entry = make("span", "entry");
      entry.append(make("span", "badge " + kindClass(letter), letter), name);
      legend.append(entry);
    }
    const label = make("label", "keys-on");
    const box = make("input");
    box.type = "checkbox";
    box.checked = usesKeys;
    box.addEventListener("change", () => { usesKeys = box.checked; });
    label.append(box, " Single keys are commands");
    const close = make("button", "", "Close");
    close.type = "button";
    close.addEventListener("click", () => help.close());
    help.append(title, table, make("h3", "", "Kinds of steps"), legend, label, close);
  }
  help.showModal();
}

function stateChange(by) {
  const row = nextRow(state.row, by, story.changesState);
  if (row < 0) say("No further change of state.");
  else choose(row, true);
}

function nextAxis() {
  const names = Object.keys(axisNames);
  setAxis(names[(names.indexOf(state.axis) + 1) % names.length]);
  say(axisNames[state.axis]);
}

const page = () => Math.max(1, Math.floor(listScroll.clientHeight / rowHeight) - 2);
const commands = {
  ArrowDown: () => move(1), ArrowUp: () => move(-1), j: () => move(1), k: () => move(-1),
  PageDown: () => move(page()), PageUp: () => move(-page()),
  Home: () => items.length && choose(rowOfItem(items[0])), End: () => items.length && choose(rowOfItem(items.at(-1))),
  Enter: openChosen, "/": () => { showView("list"); byId("search").focus(); },
  n: () => goToFinding(findingAt + 1), N: () => goToFinding(findingAt - 1),
  "]": () => stateChange(1), "[": () => stateChange(-1), l: toggleFolds,
  w: () => zoomBy(0.6), s: () => zoomBy(1 / 0.6), a: () => panBy(-0.2), d: () => panBy(0.2), f: fit, t: nextAxis,
  " ": () => setPlaying(!isPlaying), c: copyStep, "?": openHelp,
};
kindGroups.forEach((_, i) => { commands[String(i + 1)] = () => toggleKind(i); });

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  const at = event.target;
  if (at.matches("input, select, textarea")) return;
  if (event.key === "Escape") {
    setPlaying(false);
    showView("list");
    list.focus();
    return;
  }
  const isPressable = at.matches("a, button");
  if (isPressable && (event.key === "Enter" || event.key === " ")) return;
  // The panel of a step and the lanes scroll by these.
  const scrolls = /^(Arrow|Page|Home|End)/.test(event.key) || event.key === " ";
  if (scrolls && (at === byId("tab-panel") || at === byId("lanes-scroll"))) return;
  const key = event.key.length === 1 && event.key !== "N" ? event.key.toLowerCase() : event.key;
  if (event.key.length === 1 && !usesKeys && event.key !== "?") return;
  const command = commands[key];
  if (!command) return;
  event.preventDefault();
  command();
}
