"""Pictures of the page's main states into docs/img: `tools/page_screenshots.py http://127.0.0.1:8000`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parents[1] / "docs" / "img"
STATES = {
    "wide-light": (1440, 900, "light"),
    "wide-dark": (1440, 900, "dark"),
    "phone-light": (390, 844, "light"),
    "phone-dark": (390, 844, "dark"),
}


def states(page: Any, address: str) -> None:
    """The search with an explanation open."""
    page.goto(address)
    page.fill("#text", "a bird with bright feathers")
    page.click(".go")
    page.locator("#status", has_text=" hits").wait_for(timeout=120_000)
    page.wait_for_load_state("networkidle")
    page.click(".hit [data-act=explain]")
    page.evaluate("scrollTo(0, 0)")


def main() -> None:
    """Make them all."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    address = sys.argv[1]
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (width, height, scheme) in STATES.items():
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            page = context.new_page()
            states(page, address)
            shots = [
                ("search", address),
                ("collection", f"{address}/collection"),
                ("evaluation", f"{address}/evaluation"),
            ]
            for view, place in shots:
                if view != "search":
                    page.goto(place)
                    page.wait_for_load_state("networkidle")
                raw = OUT / f"page-{view}-{name}.png"
                page.screenshot(path=raw)
                Image.open(raw).convert("RGB").quantize(128).save(raw, optimize=True)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
