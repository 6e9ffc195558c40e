"""Draw the pictures of the README from a real run of the demo: its page and a terminal.

python benchmarks/readme_pictures.py docs/images
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tulu_data.mixture.mixture import find

PAGE = (1120, 860)
COLUMNS = 120
SHOWN = ("ngram_decontamination", "minhash_dedup")


def run(folder: Path, *words: str) -> str:
    """The output of a command in a terminal with colours."""
    colours = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "tulu_data", *words]
    return subprocess.run(command, cwd=folder, env=colours, capture_output=True, text=True, check=True).stdout


def terminal(folder: Path) -> str:
    """An SVG of commands and their output."""
    console = Console(width=COLUMNS, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for stage in SHOWN:
        (row,) = json.loads(run(folder, "removed", "sft_mix", "--stage", stage, "--limit", "1", "--json"))
        words = ["explain", "sft_mix", row["id"][:12]]
        console.print(Text(f"$ tulu-data {' '.join(words)}", style="bold"))
        console.print(Text.from_ansi(run(folder, *words)))
    drawn = console.export_svg(title="tulu-data explain", theme=MONOKAI, unique_id="terminal")
    # Fonts are not loaded from elsewhere.
    return re.sub(r"\s*@font-face \{.*?\}", "", drawn, flags=re.DOTALL)


def main(images: Path) -> None:
    browser = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
    if browser is None:
        sys.exit("no chromium here; apt-get install chromium")
    recipe = Path(__file__).parents[1] / "recipes" / "sft_mix.yaml"
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), "build", str(recipe))
        mixture = find("sft_mix", Path(folder) / "mixtures")
        flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
        picture = f"--screenshot={images.resolve() / 'report.png'}"
        page = (mixture.folder / "report.html").as_uri()
        subprocess.run([browser, *flags, f"--window-size={PAGE[0]},{PAGE[1]}", picture, page], check=True)
        (images / "terminal.svg").write_text(terminal(Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
