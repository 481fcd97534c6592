// The verdict, the totals, the findings and the filters.

function chip(words, level, title) {
  const item = make("li", "chip " + level);
  const sign = make("span", "sign", {good: "✓", warn: "!", bad: "✗", none: "–"}[level]);
  sign.setAttribute("aria-hidden", "true");
  item.append(sign, words);
  if (title) item.title = title;
  return item;
}

function drawVerdicts() {
  const {checks, classes} = story;
  const made = [story.is_complete ? chip("Complete", "good") : chip("Not complete", "bad")];
  recordClasses.forEach((name, i) => {
    const [isReadable, promised, present] = classes[i];
    if (!promised && !isReadable) return;
    if (!isReadable) made.push(chip(`${name} not read`, "none"));
    else made.push(chip(`${name} ${countWords(present)}/${countWords(promised)}`, present === promised ? "good" : "bad"));
  });
  const count = (words, value, level, title) => made.push(chip(`${words} ${countWords(value)}`, value ? level : "good", title));
  count("gaps", checks.missing, "bad", "events that no number explains");
  if (checks.explained) count("told gaps", checks.explained, "warn", "events the gateway says were not delivered");
  count("duplicates", checks.duplicates, "warn");
  if (checks.conflicts) count("conflicts", checks.conflicts, "bad");
  count("reordered", checks.reordered, "warn", checks.displacement ? `by ${checks.displacement} at most` : "");
  for (const [words, value, level] of [["late", checks.late, "warn"], ["skewed", checks.skewed, "warn"], ["orphans", checks.orphans, "warn"],
    ["unfinished", checks.unfinished, "warn"], ["damaged", checks.damaged, "bad"]]) {
    if (value) count(words, value, level);
  }
  if (checks.evidence_checked) {
    const ok = checks.evidence_checked - checks.evidence_mismatches;
    made.push(chip(`evidence verified ${countWords(ok)} of ${countWords(checks.evidence_checked)}`, checks.evidence_mismatches ? "bad" : "good"));
  } else {
    made.push(chip("evidence not verified", "none"));
  }
  byId("verdicts").replaceChildren(...made);
}

function drawTotals() {
  const {totals} = story;
  const facts = [
    [countWords(totals.steps), totals.steps === 1 ? "step" : "steps"], [lanes.length, lanes.length === 1 ? "agent" : "agents"],
    [durationWords(totals.ended - totals.started), "in all"], [countWords(totals.inferences), totals.inferences === 1 ? "model call" : "model calls"],
    [countWords(totals.tool_calls), totals.tool_calls === 1 ? "tool call" : "tool calls"], [countWords(totals.errors), "failed"],
    [shortCount(totals.tokens_prompt + totals.tokens_completion), "tokens"],
  ];
  const made = facts.map(([value, name]) => {
    const item = make("span", "figure");
    item.append(make("b", "", String(value)), " " + name);
    return item;
  });
  if (totals.started) made.unshift(make("span", "figure quiet", storyDate(totals.started).slice(0, 19) + " UTC"));
  if (rowsCount < story.steps_total) made.push(make("span", "figure warn-text", `this page shows ${countWords(rowsCount)} of them`));
  if (story.aliases.length) made.push(make("span", "figure quiet", "with " + harmlessLine(story.aliases.join(", "))));
  byId("totals").replaceChildren(...made);
}

function drawBudget() {
  const {totals} = story;
  const box = byId("budget");
  const words = make("p", "budget-words");
  words.append(make("b", "", dollars(totals.cost)));
  if (totals.budget === null) {
    words.append(make("span", "quiet", " spent, no budget told"));
    box.replaceChildren(words);
    return;
  }
  const share = totals.budget > 0 ? totals.cost / totals.budget : 1;
  words.append(make("span", "quiet", ` of ${dollars(totals.budget)} · ${Math.round(share * 100)} %` +
    (totals.budget_left === null ? "" : ` · ${dollars(totals.budget_left)} left`)));
  const bar = make("div", "budget-bar" + (share >= 1 ? " over" : share > 0.8 ? " near" : ""));
  const part = make("div", "budget-part");
  part.style.width = Math.min(share, 1) * 100 + "%";
  bar.append(part);
  box.replaceChildren(words, bar);
}

let findingAt = -1;
const findingsFirst = 100;

function drawFindings() {
  const title = byId("findings-title");
  title.textContent = "Findings ";
  title.append(make("span", "count", countWords(story.findings_total)));
  const listing = byId("findings");
  const made = findings.slice(0, findingsFirst).map(findingLine);
  if (findings.length === 0) made.push(make("li", "none", "Nothing wrong, nothing odd."));
  if (story.findings_total > findingsFirst) {
    made.push(make("li", "none", `And ${countWords(story.findings_total - findingsFirst)} more; n goes through ${findings.length < story.findings_total ? "the first " + countWords(findings.length) : "all of them"}.`));
  }
  listing.replaceChildren(...made);
}

function findingLine(finding) {
  const item = make("li", "finding " + finding.severity);
  const button = make("button", "finding-button");
  button.type = "button";
  const label = finding.signal ? "L" + finding.signal : finding.kind.replaceAll("_", " ");
  button.append(make("span", "severity", finding.severity), make("span", "finding-kind", label),
    make("span", "finding-text", harmlessLine(finding.text)),
    make("span", "finding-step quiet", !finding.first ? "session" : finding.last > finding.first ? `${finding.first}–${finding.last}` : `${finding.first}`));
  button.addEventListener("click", () => goToFinding(finding.index));
  item.append(button);
  return item;
}

function goToFinding(index) {
  if (findings.length === 0) {
    say("No findings.");
    return;
  }
  findingAt = (index + findings.length) % findings.length;
  const finding = findings[findingAt];
  byId("findings").querySelectorAll("button").forEach((button, i) => button.classList.toggle("current", i === findingAt));
  byId("findings").children[findingAt]?.scrollIntoView({block: "nearest"});
  if (finding.first > 0 && rowsCount) choose(rowNear(finding.first), true);
  say(`${finding.severity}: ${harmlessLine(finding.text)}`);
}

function option(value, words) {
  const made = make("option", "", words);
  made.value = value;
  return made;
}

function counted(of) {
  const counts = new Map();
  for (let row = 0; row < rowsCount; ++row) {
    const value = of(row);
    if (value !== "") counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]);
}

function fillFilters() {
  const cut = (words) => harmlessLine(words.length > 48 ? words.slice(0, 47) + "…" : words);
  byId("agent").append(option("-1", "All agents"), ...lanes.map((lane, i) => option(String(i), `${cut(lane.name)} (${countWords(lane.steps)})`)));
  byId("tool").append(option("", "All tools"), ...counted(toolOf).slice(0, 500).map(([name, count]) => option(name, `${cut(name)} (${countWords(count)})`)));
  byId("class").append(option("", "All classes"), ...recordClasses.flatMap((name, i) => [
    option(name + ":seen", `with ${name}`), ...(raw.classes[i][1] > raw.classes[i][2] ? [option(name + ":lost", `${name} promised, not here`)] : [])]));
  byId("mark").append(option("", "All steps"), ...Object.entries(marks).map(([key, {name}]) => option(key, name)));
  const counts = new Map(counted((row) => groupOfLetter.get(story.kind[row])));
  kindGroups.forEach((group, i) => {
    const button = make("button", "kind-button");
    button.type = "button";
    button.title = [...group.letters].map((letter) => `${letter} ${kindNames[letter]}`).join(", ") + ` (${i + 1})`;
    const letters = make("span", "badge " + kindClass(group.letters[0]), group.letters[0]);
    letters.setAttribute("aria-hidden", "true");
    button.append(letters, make("span", "kind-label", group.name), make("span", "count", shortCount(counts.get(i) ?? 0)));
    button.disabled = !counts.has(i);
    if (button.disabled) button.children[1].className = "unseen";
    button.addEventListener("click", () => toggleKind(i));
    byId("kinds").append(button);
  });
}

function toggleKind(index) {
  if (!kindGroups[index] || byId("kinds").children[index].disabled) return;
  if (!state.hiddenKinds.delete(index)) state.hiddenKinds.add(index);
  collectItems();
  say(`${kindGroups[index].name} ${state.hiddenKinds.has(index) ? "hidden" : "shown"}. ${many(shownCount, "step")}.`);
}

function drawFilters() {
  kindGroups.forEach((_, i) => byId("kinds").children[i].setAttribute("aria-pressed", String(!state.hiddenKinds.has(i))));
  byId("fold").setAttribute("aria-pressed", String(state.folds));
  byId("fold").hidden = foldsOfStory.length === 0;
  byId("clear").hidden = !isFiltered();
  byId("matches").textContent = isFiltered() ? `${countWords(shownCount)} of ${countWords(rowsCount)}${isSearching ? " …" : ""}` : `${countWords(rowsCount)}`;
}

function clearFilters() {
  Object.assign(state, {agent: -1, tool: "", recordClass: "", mark: ""});
  state.hiddenKinds.clear();
  for (const id of ["agent", "tool", "class", "mark"]) byId(id).selectedIndex = 0;
  byId("search").value = "";
  search("");
}

function toggleFolds() {
  state.folds = !state.folds;
  state.opened.clear();
  collectItems();
  tell("row");
  say(state.folds ? "Loops folded." : "Loops unfolded.");
}

function startFilters() {
  fillFilters();
  let waiting = 0;
  byId("search").addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => search(event.target.value), rowsCount > 20000 ? 220 : 40);
  });
  byId("search").addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.target.value = "";
      search("");
      list.focus();
    } else if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      if (items.length) choose(rowOfItem(items[0]));
      list.focus();
    }
  });
  for (const [id, name] of [["agent", "agent"], ["tool", "tool"], ["class", "recordClass"], ["mark", "mark"]]) {
    byId(id).addEventListener("change", (event) => {
      state[name] = name === "agent" ? +event.target.value : event.target.value;
      collectItems();
    });
  }
  byId("fold").addEventListener("click", toggleFolds);
  byId("clear").addEventListener("click", clearFilters);
  on("items", drawFilters);
}
