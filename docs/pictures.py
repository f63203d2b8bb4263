"""Takes the pictures of the forms and the viewer anew: `python docs/pictures.py`.

Pages and README show them, as a page cannot hold a live form. Needs the extras `apps` and `test`,
Chromium, and the notebooks as they were run when the documentation was built (`docs/tour`).
"""

import math
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).parent
IMAGES = DOCS.parent / "notebooks" / "images"
PATIENCE_SECONDS = 300


def main():
    """Open each notebook as an app, and take what is in it."""
    with serving(DOCS / "tour" / "notebooks") as address, sync_playwright() as driver:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1240, "height": 2000})
        page.set_default_timeout(1000 * PATIENCE_SECONDS)
        forms = page.locator(".dss-form")

        page.goto(f"{address}/voila/render/1_inspect_data.ipynb")
        page.locator(".dss-picture img").nth(1).wait_for()
        take(forms.nth(0), "inspect_form.png")
        annotate(page, forms.nth(1))
        take(forms.nth(1), "annotate.jpg")
        segments = page.locator(".dss-form", has=page.locator(".dss-map"))
        forms.nth(1).locator("button[title^='reset the view to the defaults']").click()
        draw_around(page, segments)
        take(segments, "map.png")
        page.mouse.up()

        page.goto(f"{address}/voila/render/2_make_dataset.ipynb")
        page.get_by_role("button", name="Preview").click()
        page.locator(".dss-form img").first.wait_for()
        take(forms.nth(0), "form.png")

        page.goto(f"{address}/voila/render/3_train.ipynb")
        page.get_by_role("button", name="Suggest").click()
        page.get_by_text(re.compile(r"\d weights")).first.wait_for()
        take(forms.nth(0), "training_form.png")

        page.goto(f"{address}/voila/render/4_predict.ipynb")
        page.locator(".dss-picture img").first.wait_for()
        take(forms.nth(0), "predict_form.png")
        take(forms.last, "viewer.png")
        browser.close()


def annotate(page, viewer):
    """Show a second and a half of song, and choose a syllable in it."""
    viewer.locator("button[title^='reset the view to the defaults']").click()
    for title in ("zoom in", "next annotation"):
        page.wait_for_timeout(1500)
        viewer.locator(f"button[title='{title}']").click()
    viewer.get_by_text("Annotate by hand", exact=True).first.click()  # the help names it, too


def draw_around(page, segments):
    """Choose a song type on the map, and begin to draw around another one."""
    area = segments.locator(".dss-map-points")
    area.scroll_into_view_if_needed()
    page.wait_for_timeout(5000)  # until the map is laid out
    segments.locator(".dss-map-key button").first.click()
    page.wait_for_timeout(3000)
    box = area.bounding_box()
    center_x, center_y = box["x"] + 0.555 * box["width"], box["y"] + 0.93 * box["height"]
    for i in range(25):
        angle = 2 * math.pi * i / 26
        page.mouse.move(center_x + 42 * math.cos(angle), center_y + 28 * math.sin(angle))
        if i == 0:
            page.mouse.down()


def take(element, name):
    """Take a picture of an element once nothing in it moves any more."""
    element.page.wait_for_timeout(3000)
    kind = {"type": "jpeg", "quality": 85} if name.endswith(".jpg") else {"type": "png"}
    element.screenshot(path=IMAGES / name, **kind)
    print(IMAGES / name)


@contextmanager
def serving(folder):
    """A Voila that serves the notebooks of a folder; its address, once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    command = [sys.executable, "-m", "voila", ".", "--no-browser", f"--port={address[17:]}"]
    server = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)
    try:
        for _ in range(PATIENCE_SECONDS):
            try:
                urllib.request.urlopen(address).close()
                break
            except OSError:
                time.sleep(1)
        yield address
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
