"""The page of `replay --format html` in a real browser: alone, by keyboard, without script, hostile.

The pages are of made sessions (tests/replay/page_samples.cc); Chromium is Debian's.
"""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import subprocess
import time
from typing import Any, Callable, Iterator

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from gateway import binary

KIB = 1024
MIB = 1024 * KIB
AXE = pathlib.Path(axe_playwright_python.__file__).with_name("axe.min.js")
WIDE = (1440, 900)
NARROW = (420, 900)
# Runs before the page's own script, whatever its policy says.
WATCH = """window.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    directory = tmp_path_factory.mktemp("pages")
    program = binary().parent / "tests" / "replay" / "replay_page_samples"
    subprocess.run([program, directory], check=True, timeout=120)
    return directory


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium, "chromium is missing: make deps installs it (deploy/deps/packages.txt)"
    with sync_playwright() as playwright:
        # Root has no sandbox of its own to give.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


OpenPage = Callable[..., Page]


@pytest.fixture()
def open_page(pages: pathlib.Path, browser: Browser) -> Iterator[OpenPage]:
    """open_page(name, …): with the network off; faults of the page fail the test."""
    contexts = []
    faults: list[str] = []

    def opened(name: str, fragment: str = "", size: tuple[int, int] = WIDE, **options: Any) -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, offline=True, **options
        )
        contexts.append(context)
        context.add_init_script(WATCH)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text))
        page.goto((pages / f"{name}.html").as_uri() + fragment)
        if options.get("java_script_enabled", True):
            wait_until(page, "!!document.documentElement.dataset.ready")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


def position(page: Page) -> str:
    return page.locator("#position").inner_text()


def step(page: Page) -> int:
    return int(re.match(r"Step ([\d,]+) of", position(page))[1].replace(",", ""))


def wait_until(page: Page, script: str) -> None:
    """Playwright's own waiting evaluates a text in the page, which the policy refuses."""
    deadline = time.monotonic() + 30
    while not page.evaluate(script):
        assert time.monotonic() < deadline, script
        page.wait_for_timeout(20)


def wait_for_text(page: Page, selector: str, begin: str) -> None:
    wait_until(page, f"document.querySelector('{selector}').textContent.startsWith({json.dumps(begin)})")


def wait_for_step(page: Page, number: int | str) -> None:
    wait_for_text(page, "#position", f"Step {number} of")


def wait_for_fragment(page: Page, part: str) -> None:
    wait_until(page, f"location.hash.includes({json.dumps(part)})")


@pytest.mark.parametrize("name", ["payment", "empty", "hostile", "steps-1000"])
def test_it_asks_nobody_for_anything(pages: pathlib.Path, browser: Browser, name: str) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})  # the network is on
    context.add_init_script(WATCH)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((pages / f"{name}.html").as_uri())
    wait_until(page, "!!document.documentElement.dataset.ready")
    for tab in ("Output", "State", "Why", "Raw", "Integrity"):
        page.get_by_role("tab", name=tab).click()
    assert asked == [page.url.split("#")[0]]
    assert page.evaluate("violations") == []
    context.close()


def test_its_policy_refuses_what_it_does_not_hold(pages: pathlib.Path, browser: Browser) -> None:
    context = browser.new_context()
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto((pages / "empty.html").as_uri())
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert policy.startswith("default-src 'none';") and "unsafe" not in policy
    told = page.evaluate(
        """async () => {
          const script = document.createElement("script");
          script.textContent = "window.hacked = 1";
          document.body.append(script);
          const sent = await fetch("http://127.0.0.1:9/").then(() => true, () => false);
          return [window.hacked === undefined, sent];
        }"""
    )
    assert told == [True, False]
    wait_until(page, "violations.length >= 2")
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing(open_page: OpenPage, theme: str, size: tuple[int, int]) -> None:
    page = open_page("payment", "#step=4&tab=why", size, color_scheme=theme)
    page.evaluate(AXE.read_text())
    for view in ["Steps", "Lanes", "Step"] if size == NARROW else [None]:
        if view:
            page.get_by_role("tab", name=view, exact=True).click()
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        told = [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in result["violations"]]
        assert told == []


def test_everything_goes_by_keyboard(open_page: OpenPage) -> None:
    page = open_page("payment")
    keys = page.keyboard
    keys.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    keys.press("Enter")
    keys.press("j")
    keys.press("ArrowDown")
    keys.press("k")
    wait_for_step(page, 2)
    keys.press("n")  # the finding: the loop, which begins at step 4
    wait_for_step(page, 4)
    keys.press("j")
    keys.press("j")  # on the fold
    wait_for_step(page, 6)
    assert page.locator("#list .chosen").inner_text().strip().startswith("▸")
    keys.press("Enter")
    wait_until(page, "document.querySelector('#list .chosen td').textContent === '6'")
    keys.press("End")
    wait_for_step(page, 16)
    keys.press("[")
    wait_for_step(page, 15)
    keys.press("[")
    wait_for_step(page, 2)
    keys.press("Enter")
    assert page.evaluate("document.activeElement.id") == "tab-panel"
    keys.press("Escape")
    assert page.evaluate("document.activeElement.id") == "list"
    keys.press("/")
    keys.type("human approval")
    wait_until(page, "document.querySelector('#matches').textContent.startsWith('2 of 16')")
    keys.press("Enter")
    wait_for_step(page, 13)
    keys.press("/")
    keys.press("Escape")
    wait_until(page, "document.querySelector('#matches').textContent === '16'")
    keys.press("3")
    assert page.locator("#kinds button").nth(2).get_attribute("aria-pressed") == "false"
    keys.press("3")
    keys.press("?")
    assert page.get_by_role("dialog").is_visible()
    keys.press("Escape")
    assert not page.get_by_role("dialog").is_visible()
    for key in "wasdft":
        keys.press(key)
    assert page.locator("#axis [aria-checked=true]").inner_text() == "Step"
    keys.press("l")
    assert page.locator("#fold").get_attribute("aria-pressed") == "false"


def test_the_list_is_a_grid_that_tells_its_rows(open_page: OpenPage) -> None:
    page = open_page("steps-1000")
    grid = page.get_by_role("grid")
    lines = int(grid.get_attribute("aria-rowcount"))
    assert lines == 1000 - 10 + 1 + 1  # a loop of 12 folded behind its first two; the head
    assert page.get_by_role("columnheader").all_inner_texts()[0] == "#"
    assert grid.get_by_role("row").count() < 80
    page.keyboard.press("End")
    wait_for_step(page, "1,000")
    assert page.locator("#list .chosen").get_attribute("aria-rowindex") == str(lines)
    chosen = page.locator("#list .chosen")
    assert chosen.get_attribute("id") == grid.get_attribute("aria-activedescendant")


def test_an_address_opens_its_step(open_page: OpenPage) -> None:
    page = open_page("payment", "#step=8&view=lanes&tab=why&axis=step")
    assert step(page) == 8  # which is folded: its loop opens
    assert page.locator("#list .chosen td").first.inner_text() == "8"
    assert page.get_by_role("tab", name="Why").get_attribute("aria-selected") == "true"
    assert page.locator("#axis-step").get_attribute("aria-checked") == "true"
    assert "Ended by step 11" in page.locator("#tab-panel").inner_text()
    page.keyboard.press("End")
    wait_for_fragment(page, "step=16&view=lanes&tab=why&axis=step")
    page.evaluate("location.hash = '#step=3'")
    wait_for_step(page, 3)


def test_search_looks_into_words_content_and_ids(open_page: OpenPage) -> None:
    page = open_page("steps-1000")

    def matches(query: str) -> str:
        page.fill("#search", query)
        page.wait_for_timeout(150)  # the page lets a typing hand finish
        wait_until(page, "!document.querySelector('#matches').textContent.includes('…')")
        return page.locator("#matches").inner_text()

    assert matches("TIMEOUT").endswith("of 1,000")
    assert matches("quarter 822 revenue") == "1 of 1,000"  # said by a tool's input only
    assert matches("no such words") == "0 of 1,000"
    assert page.locator("#nothing").inner_text() == "No step matches."
    assert matches("e50000000000000000000000000003e8") == "1 of 1,000"  # an event id
    page.keyboard.press("Enter")
    wait_for_step(page, "1,000")
    page.locator("#clear").click()
    page.select_option("#agent", label=page.locator("#agent option").nth(1).inner_text())
    page.select_option("#mark", "failed")
    shown = page.locator("#matches").inner_text()
    assert 0 < int(shown.split()[0]) < 10
    page.locator("#clear").click()
    assert page.locator("#matches").inner_text() == "1,000"


def test_playback_tells_where_it_is(open_page: OpenPage) -> None:
    page = open_page("payment", reduced_motion="reduce")
    assert page.evaluate("getComputedStyle(document.querySelector('.budget-part')).transitionDuration") == "0s"
    page.select_option("#speed", "10")
    page.focus("#list")
    page.keyboard.press("Space")
    wait_until(page, "document.querySelector('#said').textContent.startsWith('Step ')")
    wait_for_step(page, 16)
    wait_until(page, "document.querySelector('#play').textContent === 'Play'")
    slider = page.get_by_role("slider")
    assert slider.get_attribute("aria-valuetext").startswith("Step 16 of 16, 04:10.7, $0.80")
    slider.fill("3")
    wait_for_step(page, 3)


def test_a_step_tells_input_output_state_reason_and_proof(open_page: OpenPage) -> None:
    page = open_page("payment", "#step=4")
    panel = page.locator("#tab-panel")
    assert '"invoice": 17' in panel.inner_text()
    page.get_by_role("tab", name="Output").click()
    assert '"ambiguous"' in panel.inner_text()
    page.get_by_role("tab", name="Integrity").click()
    assert "partition 0, offset 3" in panel.inner_text()
    assert "e5000000000000000000000000000004" in panel.inner_text()
    page.get_by_role("tab", name="Raw").click()
    assert "gen_ai.tool.call.result" in panel.inner_text()
    page.keyboard.press("[")
    page.get_by_role("tab", name="Why").click()
    told = panel.inner_text()
    assert "validator chosen" in told and "refund not taken" in told


def test_the_copied_step_is_json_and_the_command_is_whole(open_page: OpenPage) -> None:
    page = open_page("payment", "#step=4", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy as JSON").click()
    wait_until(page, "document.querySelector('#said').textContent.includes('copied')")
    told = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert told["step"] == 4 and told["tool_name"] == "stripe_api.get_status"
    assert told["integrity"]["args_digest"] == "e2ee:0011"
    page.get_by_role("button", name="Copy command").click()
    wait_until(page, "document.querySelector('#said').textContent.includes('--goto')")
    command = page.evaluate("navigator.clipboard.readText()")
    assert command == "spangate replay sess_8921 --goto 4"


def test_hostile_texts_stay_texts(open_page: OpenPage) -> None:
    page = open_page("hostile")
    for number in range(1, 6):
        for tab in ("Input", "Output", "State", "Why", "Raw", "Integrity"):
            page.get_by_role("tab", name=tab).click()
            page.wait_for_timeout(20)
            shown = page.locator("body").inner_text()
            assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
        if number == 3:
            page.get_by_role("tab", name="Output").click()
            assert "the whole text has 1.0 MiB" in page.locator("#tab-panel").inner_text()
        page.keyboard.press("Escape")
        page.keyboard.press("j")
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("document.querySelectorAll('img, svg, textarea, b:not(#app b, header b)').length") == 0
    assert "<script>window.hacked=1</script>" in page.title()
    assert "\\u202e" in page.locator("h1").inner_text()


def test_without_script_it_is_a_text(open_page: OpenPage) -> None:
    page = open_page("payment", java_script_enabled=False)
    text = page.locator("body").inner_text()
    assert "budget gate: stop" in text and "stripe_api.get_status was called 7 times" in text
    assert "Contains operational and detail records" in text
    assert page.locator("noscript tbody tr, main.text tbody tr").count() == 16
    assert page.locator("#app").is_hidden()


def test_on_paper_stand_findings_and_the_list(open_page: OpenPage) -> None:
    page = open_page("payment")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("#print tbody tr").count() == 12  # five of the loop's steps are folded
    assert page.locator("#print").is_visible() and page.locator("#findings").is_visible()
    assert page.locator("#lanes").is_hidden() and page.locator(".player").is_hidden()


def test_the_files_keep_their_budgets(pages: pathlib.Path) -> None:
    assert (pages / "steps-1000.html").stat().st_size <= 400 * KIB
    assert (pages / "steps-100000.html").stat().st_size <= 40 * MIB


def test_a_hundred_thousand_steps_open_and_scroll(open_page: OpenPage) -> None:
    page = open_page("steps-100000")
    ready_ms = int(page.evaluate("document.documentElement.dataset.ready"))
    print(f"100,000 steps ready in {ready_ms} ms")
    assert ready_ms < 30_000  # 3 s on a machine of its own; this one is shared
    page.keyboard.press("End")
    wait_for_step(page, "100,000")
    assert page.locator("#list .chosen td").first.inner_text() == "100000"
    page.fill("#search", "sql.query")
    wait_until(page, "/^[1-9][\\d,]+ of 100,000$/.test(document.querySelector('#matches').textContent)")
