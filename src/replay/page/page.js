// Puts the page together: views, the address, the print, and the begin.

const narrow = matchMedia("(max-width: 900px)");
const isNarrow = () => narrow.matches;
const views = {list: "Steps", lanes: "Lanes", detail: "Step"};
const panelOfView = {list: ["findings-panel", "steps-panel"], lanes: ["lanes-panel"], detail: ["detail-panel"]};

const isVisible = (id) => !isNarrow() || panelOfView[state.view].includes(id);

// On a narrow screen one view at a time; on a wide one all are there, and the address tells which
// was asked for.
function showView(name) {
  if (!views[name]) return;
  state.view = name;
  tell("view");
}

function drawView() {
  document.body.dataset.view = state.view;
  for (const name of Object.keys(views)) {
    const tab = byId("view-" + name);
    tab.setAttribute("aria-selected", String(state.view === name));
    tab.tabIndex = state.view === name ? 0 : -1;
  }
  sizeList();
  drawSoon();
  drawDetailSoon();
}

function startViews() {
  for (const [name, label] of Object.entries(views)) {
    const tab = make("button", "tab", label);
    tab.type = "button";
    tab.id = "view-" + name;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panelOfView[name].at(-1));
    tab.addEventListener("click", () => showView(name));
    byId("views").append(tab);
  }
  arrowsWithin(byId("views"), "[role=tab]", (tab) => showView(tab.id.slice(5)));
  on("view", drawView);
}

function startAxis() {
  for (const [name, label] of Object.entries(axisNames)) {
    const button = make("button", "", label);
    button.type = "button";
    button.id = "axis-" + name;
    button.setAttribute("role", "radio");
    button.addEventListener("click", () => setAxis(name));
    byId("axis").append(button);
  }
  arrowsWithin(byId("axis"), "[role=radio]", (button) => setAxis(button.id.slice(5)));
  on("axis", () => {
    for (const name of Object.keys(axisNames)) {
      byId("axis-" + name).setAttribute("aria-checked", String(state.axis === name));
      byId("axis-" + name).tabIndex = state.axis === name ? 0 : -1;
    }
  });
  byId("zoom-in").addEventListener("click", () => zoomBy(0.6));
  byId("zoom-out").addEventListener("click", () => zoomBy(1 / 0.6));
  byId("fit").addEventListener("click", fit);
}

// #step=14&view=lanes&tab=why&axis=busy&find=refund
function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const row = rowNear(+asked.get("step") || 1);
  if (panels[asked.get("tab")]) state.tab = asked.get("tab");
  if (axisNames[asked.get("axis")]) state.axis = asked.get("axis");
  if (views[asked.get("view")]) state.view = asked.get("view");
  const query = asked.get("find") ?? "";
  if (query !== state.query) {
    byId("search").value = query;
    search(query);
  }
  tell("axis");
  tell("view");
  choose(Math.max(row, 0), asked.has("step"));
}

let written = "";
let addressTimer = 0;
function writeAddress() {
  clearTimeout(addressTimer);
  addressTimer = setTimeout(() => {
    const told = new URLSearchParams();
    if (rowsCount) told.set("step", String(story.number[state.row]));
    told.set("view", state.view);
    if (state.tab !== "input") told.set("tab", state.tab);
    if (state.axis !== firstAxis) told.set("axis", state.axis);
    if (state.query) told.set("find", state.query);
    written = "#" + told;
    try {
      history.replaceState(null, "", written);
    } catch {
      location.replace(written);
    }
  }, 150);
}

// Paper has no scrolling: a plain table of the list, as it is filtered.
const printedMost = 5000;
function fillPrint() {
  const table = make("table", "printed");
  const head = make("tr");
  for (const [, label] of columns) head.append(make("th", "", label));
  table.createTHead().append(head);
  const body = table.createTBody();
  for (const item of items.slice(0, printedMost)) {
    const {line, cells} = makeLine();
    if (item >= 0) fillStep({line, cells, badge: cells[3].firstChild, kind: cells[3].lastChild}, item);
    else fillFold({line, cells, badge: cells[3].firstChild, kind: cells[3].lastChild}, foldOf(item));
    body.append(line);
  }
  byId("print").replaceChildren(table);
  if (items.length > printedMost) byId("print").append(make("p", "", `The first ${countWords(printedMost)} of ${countWords(items.length)} lines.`));
}

let hasStarted = false;
function begin() {
  readTheme();
  startViews();
  startList();
  startDetail();
  startFilters();
  startPlayer();
  startAxis();
  startOverview();
  startLanes();
  byId("app").hidden = false;
  drawVerdicts();
  drawTotals();
  drawBudget();
  drawFindings();
  sayDrawings();
  on("row zoom items axis", drawSoon);
  collectItems();
  readAddress();
  on("row view tab axis items", writeAddress);
  document.addEventListener("keydown", onKey);
  addEventListener("hashchange", () => location.hash !== written && location.hash.includes("=") && readAddress());
  addEventListener("resize", () => tell("view"));
  narrow.addEventListener("change", () => tell("view"));
  addEventListener("beforeprint", fillPrint);
  addEventListener("afterprint", () => byId("print").replaceChildren());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    readTheme();
    drawSoon();
  });
  hasStarted = true;
  // After the first drawing, which waits in the same frame.
  requestAnimationFrame(() => { document.documentElement.dataset.ready = String(Math.round(performance.now())); });
}

begin();
