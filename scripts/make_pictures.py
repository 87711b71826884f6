"""Makes the pictures of the README: docs/run.svg, a search in a terminal, and docs/report.png, the top of its report.

    python scripts/make_pictures.py [--browser chromium]

It runs what the README says, `automl init` and `automl run` with the seed of that study file, in a terminal of its own
and a folder that it removes: a few minutes on two cores. The picture of the report needs a browser of Chromium's
kind. Times and, on another machine, values differ from those of an earlier picture.
"""

from __future__ import annotations

import argparse
import io
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.text import Text

DOCS = Path(__file__).parents[1] / "docs"
COLUMNS, LINES = 116, 34
SHOWN = 0.6  # of the search: how far it is in the picture
REPORT_SIZE = 1120, 1010  # pixels
_AGAIN = re.compile(r"\r?(?:\x1b\[2K)?(?:\x1b\[1A\x1b\[2K)+")  # with which a live view goes back to its first line


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--browser", default="chromium", help="a program of Chromium's kind; default: chromium")
    browser = shutil.which(parser.parse_args().browser)
    if browser is None:
        sys.exit("no such browser on PATH; name one with --browser")
    automl = str(Path(sys.executable).with_name("automl"))
    with tempfile.TemporaryDirectory(prefix="automl-pictures-") as folder:
        subprocess.run([automl, "init", "first.yaml"], cwd=folder, check=True)
        printed = in_terminal([automl, "run", "first.yaml", "-j", "2"], Path(folder))
        draw_terminal(frame(printed).replace(folder, "~"))
        photograph(browser, Path(folder) / "first" / "report.html")


def in_terminal(command: list[str], folder: Path) -> str:
    """What a command prints in a terminal of COLUMNS and LINES. Raises CalledProcessError when it fails."""
    own, its = pty.openpty()
    size = {"COLUMNS": str(COLUMNS), "LINES": str(LINES), "TERM": "xterm-256color"}
    parts = []
    with subprocess.Popen(command, cwd=folder, stdin=its, stdout=its, stderr=its, env=os.environ | size) as process:
        os.close(its)
        try:
            while part := os.read(own, 65536):
                parts.append(part)
        except OSError:  # on Linux the end of a terminal is an error
            pass
        os.close(own)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return b"".join(parts).decode(errors="replace")


def frame(printed: str) -> str:
    """The live view as it stood after SHOWN of its refreshes."""
    frames = [text for text in _AGAIN.split(printed) if text.count("\n") > 5]
    return frames[int(SHOWN * (len(frames) - 1))].rstrip()


def draw_terminal(text: str) -> None:
    """Writes docs/run.svg."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(text.replace("\r", "")))
    svg = console.export_svg(title="automl run first.yaml", unique_id="run")
    # fonts are loaded from nowhere: a picture in a README may not, and every system has a font of one width
    svg = re.sub(r"@font-face\s*{[^}]*}", "", svg).replace("Fira Code", "DejaVu Sans Mono")
    (DOCS / "run.svg").write_text(svg.replace("<!-- Generated with Rich https://www.textualize.io -->", ""))


def photograph(browser: str, page: Path) -> None:
    """Writes docs/report.png: the top of a report, in the light."""
    target = DOCS / "report.png"
    width, height = REPORT_SIZE
    words = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={width},{height}"]
    words += ["--blink-settings=preferredColorScheme=1", f"--screenshot={target}", page.as_uri()]
    subprocess.run([browser, *words], check=True, capture_output=True)
    with Image.open(target) as image:
        image.convert("P", palette=Image.Palette.ADAPTIVE, colors=256).save(target, optimize=True)


if __name__ == "__main__":
    main()
