"""The picture of the report in the README: the top of the page of a real mixture, in a headless Chromium.

python benchmarks/report_picture.py mixtures/sft_mix/*/report.html docs/images/report.png
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

SIZE = (1120, 860)


def main(page: str, picture: str) -> None:
    browser = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
    if browser is None:
        sys.exit("no chromium here; apt-get install chromium")
    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
    size = f"--window-size={SIZE[0]},{SIZE[1]}"
    subprocess.run([browser, *flags, size, f"--screenshot={picture}", Path(page).resolve().as_uri()], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
