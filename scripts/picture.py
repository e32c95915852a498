"""Draws docs/map.jpg, the README's picture: the map page of a running service, over the core of the sample city."""

import sys

from playwright.sync_api import sync_playwright

from core.settings import ROOT

VIEW = "#15.05/43.8525/126.5640"


def main(url: str) -> None:
    """Take the picture of the service at `url`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--enable-unsafe-swiftshader"]
        )
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(f"{url}/map?lang=zh{VIEW}")
        page.wait_for_selector("body[data-ready=true]", timeout=60_000)
        page.screenshot(path=ROOT / "docs" / "map.jpg", type="jpeg", quality=82)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:5000")
