"""The pages in a real browser, at desktop and phone width, light and dark, with their scripts."""

import asyncio
import threading

import pytest

import programs
from headend.web.test_nnaps import street
from headend.web.test_watch import watched
from meterway.headend.live import Happening
from meterway.headend.web.server import serve

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.covers("F1b", "SEC-11")]

__all__ = ["street", "watched"]
PAGES = ("/", "/figure", "/meters", "/meters/M0001", "/events", "/audit", "/login")
GASP = Happening("push", "M0003", "<i>last gasp</i>", 0.0, {})
WIDTHS = {"desktop": (1280, 800), "phone": (390, 844)}


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=str(programs.find("chromium")), args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


class Served:
    """The pages served by a loop in a thread of its own."""

    def __init__(self, head_end):
        self._head_end = head_end
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server = self._await(serve(head_end, port=0))
        self.address = self._server.address.rstrip("/")

    def _await(self, step):
        return asyncio.run_coroutine_threadsafe(step, self._loop).result(30)

    def tell(self, happening):
        self._loop.call_soon_threadsafe(self._head_end.live.tell, happening)

    def stop(self):
        self._await(self._server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def served(head_end):
    one = Served(head_end)
    yield one
    one.stop()


@pytest.fixture(params=[("desktop", "light"), ("desktop", "dark"), ("phone", "light"), ("phone", "dark")], ids="-".join)
def tab(request, browser):
    """A tab and what its console complained of."""
    size, scheme = request.param
    width, height = WIDTHS[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, timezone_id="Pacific/Auckland"
    )
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda line: page.complaints.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.scheme = scheme
    yield page
    context.close()


def brightness(page, name):
    colour = page.evaluate(f"getComputedStyle(document.body).{name}")
    return sum(float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3])


def test_every_page_fits_its_window_without_complaint_in_the_colours_wanted(served, tab):
    for path in PAGES:
        tab.goto(served.address + path)
        too_wide = tab.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not too_wide, path
        is_dark = brightness(tab, "backgroundColor") < brightness(tab, "color")
        assert is_dark == (tab.scheme == "dark")
    assert tab.complaints == []


def test_the_load_curve_is_drawn_and_its_span_chosen(served, tab):
    tab.goto(served.address + "/meters/M0001")
    tab.wait_for_selector("#curve canvas")
    painted = """() => {
        const canvas = document.querySelector("#curve canvas");
        const octets = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return octets.some(octet => octet !== 0);
    }"""
    tab.wait_for_function(painted)
    with tab.expect_response(lambda answer: "/curve?" in answer.url) as asked:
        tab.click("text=Month")
    assert len(asked.value.json()["times_s"]) == 31 * 96
    tab.wait_for_function(painted)
    assert tab.complaints == []


def test_the_list_of_meters_is_searched_while_typing(served, tab):
    tab.goto(served.address + "/meters")
    tab.fill("#q", "0002")
    tab.wait_for_function("() => document.querySelectorAll('#meters tbody tr').length === 1")
    assert "q=0002" in tab.url
    assert tab.complaints == []


def test_what_happens_is_shown_as_it_happens(served, tab):
    served.tell(Happening("push", "M0002", "before the page was asked for", 0.0, {}))
    tab.route("**/live?**", lambda route: (served.tell(GASP), route.continue_()))  # before its stream is there
    tab.goto(served.address + "/")
    tab.wait_for_selector("#ticker li.push >> text=<i>last gasp</i>")
    assert tab.locator("#ticker li.push").count() == 2
    assert tab.query_selector("#ticker i") is None
    assert tab.complaints == []


def test_read_now_shows_its_result_in_place(served, head_end, tab, monkeypatch):
    async def collected(_):
        return {"cause": "ok", "error": "", "values": 96}

    monkeypatch.setattr(head_end, "collect_now", collected)
    tab.goto(served.address + "/meters/M0001")
    tab.click("text=Read now")
    tab.wait_for_selector("#now >> text=96 values stored")
    assert tab.locator("#registers").count() == 1
    assert tab.complaints == []


def test_a_command_that_fails_says_so_in_place(served, tab):
    tab.goto(served.address + "/meters/M0001")
    tab.fill("#object", "nonsense")
    tab.click("button:text-is('Read')")
    tab.wait_for_selector("#answer >> text=neither an OBIS code nor a known name")
    assert tab.complaints == []


def test_the_figure_shows_the_layout_that_fits(served, tab):
    tab.goto(served.address + "/figure")
    is_wide = tab.viewport_size["width"] > 640
    assert tab.locator(".reference.wide").is_visible() == is_wide
    assert tab.locator(".reference.narrow").is_visible() != is_wide
    inside = """() => [...document.querySelectorAll(".reference .entity")]
        .filter(one => one.getClientRects().length)
        .every(one => {
            const box = one.querySelector("rect").getBoundingClientRect();
            return [...one.querySelectorAll("text")].map(text => text.getBoundingClientRect()).every(at =>
                at.left >= box.left && at.right <= box.right && at.top >= box.top && at.bottom <= box.bottom);
        })"""
    assert tab.evaluate(inside)


@pytest.mark.covers("E-HES-12", "E-HES-5")
def test_a_concentrator_shows_its_losses_and_an_alarm_is_acknowledged_in_place(watched, tab):
    one = Served(watched)
    try:
        tab.goto(f"{one.address}/nnaps/N%3C1%3E")
        assert not tab.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert tab.locator("svg.losses:visible .bar.beyond").count() == 3
        assert tab.locator("svg.losses:visible").count() == 1
        tab.locator("#alarms button").first.click()
        tab.locator("#alarms button").nth(1).wait_for(state="detached")
        tab.locator("#alarms button").click()
        tab.locator("#alarms button").wait_for(state="detached")
        assert tab.complaints == []
    finally:
        one.stop()
