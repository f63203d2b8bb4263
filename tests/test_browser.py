"""The notebooks as a user sees them: in JupyterLab, in headless Chromium."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from dss.data import make_dataset, read_annotations
from dss.train import train

ROOT = Path(__file__).parents[1]
SCREENSHOTS = ROOT / "tests" / "screenshots"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SETTINGS = {
    "ServerApp.token": "",
    "ServerApp.password": "",
    "LabApp.news_url": "",
    "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    "LabApp.expose_app_in_browser": "True",  # to know when the kernel is there
}
PATIENCE_SECONDS = 300  # on a busy machine
IS_CONNECTED = """() => {
    const kernel = window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel;
    return kernel?.connectionStatus === "connected" && kernel.status === "idle";
}"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's package chromium is not here")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with copies of the notebooks and the recordings."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "data", folder / "data")
    (folder / "notebooks").mkdir()
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        shutil.copy(notebook, folder / "notebooks")
    return folder


@pytest.fixture(scope="module")
def lab(folder):
    """The address of a JupyterLab that serves the folder."""
    pytest.importorskip("jupyterlab")
    settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
    command = ["jupyterlab", "--allow-root", *settings, f"--ServerApp.root_dir={folder}"]
    with serving(folder, *command, "--ip=127.0.0.1", answers_at="/api") as address:
        yield address


@pytest.fixture(scope="module")
def apps(folder):
    """The address of a Voila that serves the notebooks as apps."""
    pytest.importorskip("voila")
    with serving(folder, "voila", "notebooks", answers_at="/") as address:
        yield address


@contextmanager
def serving(folder, module, *arguments, answers_at):
    """A server in a folder; its address, once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", module, *arguments, "--no-browser", f"--port={port}"]
    environment = {**os.environ, "HOME": str(folder), "JUPYTER_CONFIG_DIR": str(folder / "config")}
    with (folder / f"{module}.log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        answers = _within(lambda: _answers(address + answers_at))
        assert answers, f"{module} does not answer"
        yield address
    finally:
        server.terminate()
        server.wait()


def _answers(address):
    try:
        urllib.request.urlopen(address).close()
    except OSError:
        return False
    return True


@pytest.fixture
def errors():
    """Errors in the pages of a test; there should be none."""
    errors = []
    yield errors
    assert errors == []


@pytest.fixture
def browser(errors):
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        context = chromium.new_context(viewport={"width": 1300, "height": 2600})
        context.on("weberror", lambda error: errors.append(str(error.error)))
        yield context
        chromium.close()


def open_page(browser, address):
    """A page with a long timeout."""
    page = browser.new_page()
    page.set_default_timeout(1000 * PATIENCE_SECONDS)
    page.goto(address)
    return page


def run_all_cells(browser, lab, name):
    """Open a notebook and run it; returns the page once all cells are done."""
    page = open_notebook(browser, lab, name)
    run_cells(page, "Run All Cells")
    wait_for_cells(page, name)
    return page


def open_notebook(browser, lab, name):
    """The page of a notebook whose kernel is connected; no cell has run yet."""
    page = open_page(browser, f"{lab}/lab/tree/notebooks/{name}.ipynb?reset")
    page.locator(".jp-CodeCell").first.wait_for()
    page.wait_for_function(IS_CONNECTED)  # before, JupyterLab drops what it is told to run
    return page


def run_cells(page, how):
    """Run cells with an entry of the Run menu."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text(how, exact=True).click()


def wait_for_cells(page, name):
    """Wait until all cells have run; none may show an error."""
    prompts = page.locator(".jp-CodeCell .jp-InputPrompt")
    ended = _within(lambda: re.search(r"\[\d+\]", prompts.last.inner_text()))
    keep_screenshot(page, name)
    assert ended, "the last cell was not run"
    assert (
        page.locator("[data-mime-type='application/vnd.jupyter.stderr'] >> text=Error").count() == 0
    )
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0


def _within(condition, seconds=PATIENCE_SECONDS):
    """Whether a condition becomes true within this many seconds."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        if condition():
            return True
        time.sleep(0.25)
    return False


def keep_screenshot(page, name):
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def picture(page):
    """The picture in the first viewer of a page."""
    return page.locator(".dss-picture img").first.get_attribute("src")


def changes_the_picture(page, action):
    before = picture(page)
    action()
    assert _within(lambda: picture(page) != before)


def test_the_recordings_are_shown_scrolled_zoomed_and_annotated(browser, lab, folder):
    page = run_all_cells(browser, lab, "1_inspect_data")
    page.locator(".dss-form", has_text="No problems found").wait_for()
    page.locator("td", has_text="8.02").first.wait_for()  # seconds of the first recording
    page.locator(".dss-picture img").nth(1).wait_for()  # a recording and a dataset
    page.locator(".jp-RenderedImage img").nth(3).wait_for()  # examples, durations, alignment, ...
    for title in ("zoom in", "zoom out", "show the whole recording"):  # faster than it is drawn
        page.locator(f"button[title='{title}']").first.click()
    start, length = (page.locator(".widget-hslider", has_text=t).first for t in ("start", "length"))
    start.locator(".slider[disabled]").wait_for()  # all is shown
    page.wait_for_timeout(2000)  # and stays: a browser may send back what it was set to
    assert start.locator(".slider[disabled]").count() == 1
    assert length.locator(".widget-readout").inner_text() == "8.02"
    changes_the_picture(page, page.locator("button[title='zoom in']").first.click)
    for title in (
        "next annotation",
        "back",
        "zoom in",
        "zoom out",
        "show the whole recording",
        "next recording",
    ):
        changes_the_picture(page, page.locator(f"button[title='{title}']").first.click)
    page.locator("button[title='zoom in']").first.click()
    check = page.locator(".widget-checkbox", has_text="log frequency").locator("input").first
    changes_the_picture(page, check.click)
    contrast = page.locator(".widget-hslider", has_text="dB").locator(".noUi-handle").nth(0)
    automatic = (
        page.locator(".widget-checkbox", has_text="automatic contrast").locator("input").first
    )
    beside = page.locator(".widget-hslider", has_text="Hz").locator(".noUi-handle").nth(0)

    def is_set_by_hand():
        """Drag the handle again if it moved away from the mouse while the page was growing."""
        contrast.drag_to(beside)
        return _within(lambda: not automatic.is_checked(), 10)

    assert _within(is_set_by_hand)
    page.locator("button[title='play the stretch in view']").first.click()
    page.locator("audio").wait_for()
    keep_screenshot(page, "1_inspect_data")
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    jumps_from_the_table(page)
    names_on_the_map(page)
    annotates_by_hand(page, folder)


def jumps_from_the_table(page):
    """A click on a row of the table of annotations, and an arrow key, show other annotations."""
    page.get_by_text("All annotations: 34", exact=True).first.click()
    rows = page.locator(".dss-events-body .dss-events-row")
    page.get_by_role("button", name="duration (ms)").first.click()
    changes_the_picture(page, rows.nth(2).click)
    changes_the_picture(page, lambda: page.keyboard.press("ArrowDown"))
    assert "dss-events-pointed" in rows.nth(3).get_attribute("class")


def names_on_the_map(page):
    """Choose a song type on the map, see its segments, rename them, and undo that."""
    segments = page.locator(".dss-form", has=page.locator(".dss-map"))
    segments.locator(".dss-map-key button", has_text="a · 48").click()
    segments.locator("figure img").nth(20).wait_for()
    page.keyboard.press("2")
    segments.get_by_text("Not saved yet: 48 segments.").wait_for()
    segments.locator(".dss-map-key button", has_text="b · 96").wait_for()
    keep_screenshot(page, "1_inspect_data_map")
    page.keyboard.press("Control+z")
    segments.locator(".dss-map-key button", has_text="a · 48").wait_for()


def annotates_by_hand(page, folder):
    """Annotate other recordings with mouse and keys."""
    own = shutil.copytree(folder / "data" / "finch", folder / "data" / "own")
    page.locator(".dss-form .widget-text").first.locator("input").fill("../data/own")
    viewer = page.locator(".dss-form", has=page.locator(".dss-picture")).first
    length = viewer.locator(".widget-hslider", has_text="length").locator(".widget-readout")
    changes_the_picture(page, page.get_by_role("button", name="Look").click)
    # The picture may have changed for what was asked before: the new folder opens with 3 seconds.
    assert _within(lambda: float(length.inner_text()) == 3)
    viewer.get_by_text("Annotate by hand", exact=True).first.click()
    image = viewer.locator(".dss-picture img")
    image.scroll_into_view_if_needed()
    box = image.bounding_box()
    high = box["y"] + 60
    marked = viewer.get_by_text(re.compile(r"\d s: \d+.\d ms"))

    def drag():
        page.mouse.move(box["x"] + 0.3 * box["width"], high)
        page.mouse.down()
        page.mouse.move(box["x"] + 0.4 * box["width"], high, steps=5)
        page.mouse.up()
        marked.wait_for()

    drag()
    text = marked.inner_text()
    changes_the_picture(
        page, lambda: page.mouse.dblclick(box["x"] + 0.35 * box["width"], high, delay=50)
    )
    assert marked.inner_text() == text
    keep_screenshot(page, "1_inspect_data_marked")
    changes_the_picture(page, lambda: page.keyboard.press("2"))
    viewer.get_by_text("Not saved yet: bird1_01.wav").wait_for()
    changes_the_picture(page, lambda: page.keyboard.press("Control+z"))
    marked.wait_for(state="detached")
    drag()
    name = viewer.get_by_placeholder("song type")
    name.fill("c")
    changes_the_picture(page, lambda: name.press("Enter"))
    keep_screenshot(page, "1_inspect_data_by_hand")
    viewer.get_by_text("Propose song", exact=True).click()
    changes_the_picture(page, viewer.locator(".widget-toggle-button", has_text="Propose").click)
    viewer.get_by_text(re.compile(r"\d+ in the recording")).wait_for()
    slider = viewer.locator(".widget-hslider", has_text="threshold (dB)")
    threshold = slider.locator(".widget-readout").inner_text()
    line = viewer.locator(".dss-line").bounding_box()
    page.mouse.move(line["x"] + 50, line["y"] + 1)
    page.mouse.down()
    page.mouse.move(line["x"] + 50, line["y"] - 20)
    page.mouse.up()
    assert _within(lambda: slider.locator(".widget-readout").inner_text() != threshold)
    keep_screenshot(page, "1_inspect_data_proposed")
    viewer.get_by_role("button", name="Save").click()
    viewer.get_by_text("Saved bird1_01_annotations.csv.").wait_for()
    before = read_annotations(folder / "data" / "finch" / "bird1_01_annotations.csv")["name"]
    after = read_annotations(own / "bird1_01_annotations.csv")["name"]
    assert after.value_counts()["c"] == before.value_counts()["c"] + 1
    assert len(after) == len(before) + 1


def test_a_form_says_what_is_wrong_and_its_button_makes_a_dataset(browser, lab):
    page = run_all_cells(browser, lab, "2_make_dataset")
    button = page.get_by_role("button", name="Make dataset")
    button.and_(page.locator(":enabled")).wait_for()
    field = page.locator(".widget-text", has_text="Validation fraction").locator("input")
    field.fill("2")
    field.press("Tab")
    page.get_by_text("'2' should be less than 1").wait_for()
    button.and_(page.locator(":disabled")).wait_for()
    keep_screenshot(page, "2_make_dataset_wrong")
    field.fill("0.3")
    page.get_by_role("button", name="Preview").click()
    page.locator(".dss-form td", has_text="18.5 s").wait_for()
    page.locator(".dss-problem", has_text="with other settings (Validation fraction)").wait_for()
    page.locator(".widget-checkbox", has_text="Overwrite").locator("input").click()
    page.get_by_text("work/finch.npy will be replaced.").wait_for()
    faded = page.locator(".dss-stale", has_text="The dataset is in work/finch.npy")
    faded.wait_for()  # it is the one of before
    button.click()
    faded.wait_for(state="detached")
    page.locator(".dss-form", has_text="The dataset is in work/finch.npy").wait_for()
    keep_screenshot(page, "2_make_dataset")


def test_a_notebook_is_an_app(browser, apps):
    page = open_page(browser, f"{apps}/voila/render/2_make_dataset.ipynb")
    page.get_by_role("button", name="Preview").click()
    page.locator(".dss-form td", has_text="12.2 s").first.wait_for()
    page.locator(".dss-form img").wait_for()
    keep_screenshot(page, "2_make_dataset_app")
    assert page.locator("pre", has_text="error").count() == 0


def test_other_recordings_are_chosen_and_looked_at_in_an_app(browser, apps):
    page = open_page(browser, f"{apps}/voila/render/1_inspect_data.ipynb")
    page.locator(".dss-picture img").nth(1).wait_for()
    page.locator(".dss-form .widget-text").first.locator("input").fill("../data/fly")
    page.get_by_text("6 recordings; pulse, sine.").wait_for()
    changes_the_picture(page, page.get_by_role("button", name="Look").click)
    page.locator("option", has_text="fly1.wav").wait_for(state="attached")
    page.locator("th", has_text="pulse").first.wait_for()  # the table follows
    page.locator("th", has_text="bird1_01.wav").first.wait_for(state="detached")
    page.locator(".dss-form", has_text="fly1.wav, fly2.wav").wait_for()
    images = page.locator(".jp-RenderedImage img")
    assert images.count() == 5  # examples, durations, alignment, a dataset: counts, beginnings
    assert all(image.evaluate("image => image.naturalWidth") > 500 for image in images.all())
    keep_screenshot(page, "1_inspect_data_app")
    assert page.get_by_text("Error displaying widget").count() == 0


def test_a_network_is_trained_by_hand(browser, lab, folder):
    store = folder / "notebooks" / "work" / "finch.npy"
    small = {"train_fraction": 0.2, "val_fraction": 0.1}
    make_dataset(folder / "data" / "finch", store_dir=store, overwrite=True, **small)
    page = open_notebook(browser, lab, "3_train")
    page.locator(".jp-CodeCell", has_text="await form").click()
    run_cells(page, "Run All Above Selected Cell")
    page.get_by_text("are chosen from the data when you press Train").wait_for()
    page.get_by_role("button", name="Suggest").click()
    weights = page.get_by_text(re.compile(r"\d,\d{3} weights")).first
    weights.wait_for()
    of_suggested = page.get_by_text(re.search(r"[\d,]+ weights", weights.inner_text())[0])
    page.locator(".widget-text", has_text="Number of TCN blocks").locator("input").fill("1")
    of_suggested.wait_for(state="detached")
    page.get_by_text("Script for another machine").first.click()
    page.locator(".widget-text", has_text="Script").locator("input").last.fill("work/job.sh")
    page.get_by_role("button", name="Write script").click()
    page.locator(".dss-form pre", has_text="dss train").wait_for()
    assert (folder / "notebooks" / "work" / "job.sh").is_file()
    page.locator(".widget-text", has_text="Number of epochs").locator("input").fill("5000")
    page.get_by_role("button", name="Train", exact=True).click()
    page.locator(".dss-form", has_text=re.compile(r"epoch \d+ of 5000")).wait_for()
    keep_screenshot(page, "3_train_running")
    page.locator(".jp-CodeCell", has_text="await form").click()
    run_cells(page, "Run Selected Cell and All Below")
    page.locator(".jp-CodeCell", has_text="await form").get_by_text("[*]").wait_for()
    page.get_by_role("button", name="Stop").click()  # while that cell waits: it would take hours
    page.locator(".dss-form", has_text="The run is work/finch.res/").wait_for()
    wait_for_cells(page, "3_train")
    page.locator(".jp-RenderedImage img").nth(1).wait_for()  # losses, confusion matrix
    page.locator("td", has_text="needed to annotate").first.wait_for()


@pytest.fixture(scope="module")
def trained(folder):
    """A network in the folder, trained for a few seconds."""
    work = folder / "notebooks" / "work"
    store = make_dataset(
        folder / "data" / "finch", store_dir=work / "finch.npy", test_fraction=0.2, overwrite=True
    )
    look = {"nb_pre_conv": 5, "nb_hist": 8192, "nb_filters": 24, "kernel_size": 7, "nb_conv": 1}
    return train(data_dir=store, nb_epoch=8, batch_size=4, learning_rate=0.005, **look)


def test_recordings_are_annotated_and_thresholds_moved(browser, lab, trained):
    page = run_all_cells(browser, lab, "4_predict")
    form, viewer = page.locator(".dss-form").first, page.locator(".dss-form").last
    viewer.get_by_text("that the network did not learn from").wait_for()
    scores = viewer.locator("table", has_text="precision")
    doubtful = viewer.locator("option", has_text=" at 0:")
    before = scores.inner_text(), doubtful.all_inner_texts()
    slider = page.locator(".widget-hslider", has_text="Segment threshold").locator(".noUi-handle")
    changes_the_picture(page, lambda: slider.press("Home"))  # nearly everything is song
    assert _within(lambda: scores.inner_text() != before[0])
    assert _within(lambda: doubtful.all_inner_texts() != before[1])  # a new list takes no clicks
    changes_the_picture(page, doubtful.nth(4).click)
    page.get_by_role("button", name="Save annotations").click()
    viewer.get_by_text("8 files in work/annotated").wait_for()
    form.locator(".widget-text", has_text="Save folder").locator("input").fill("work/again")
    page.get_by_role("button", name="Annotate", exact=True).click()
    form.get_by_text("The annotations of 8 recordings are in work/again").wait_for()
    keep_screenshot(page, "4_predict")
