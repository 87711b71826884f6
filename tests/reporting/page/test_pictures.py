"""What the best and the defaults see: pictures of a study that really ran, whose program leaves a PNG at each epoch."""

from __future__ import annotations

import base64
import re
import shutil
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from automl.opening import open_study
from automl.reporting.page import page, pictures
from tests.command_line import automl
from tests.small_network import write_small_study

CAPTION = "Grey is <right> & black is false."
SAVES = '(results / f"model_{epoch}.json").write_text'
DRAWS = '(results / f"seen_{epoch}.png").write_bytes(picture(x, epoch))\n            '
PICTURE = '''
import struct, zlib
def picture(x, epoch):
    """One grey pixel, as light as x, and the epoch in a comment."""
    def part(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    text = part(b"tEXt", b"epoch\\0" + str(epoch).encode())
    pixel = part(b"IDAT", zlib.compress(bytes([0, round(x * 255)])))
    head = part(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\\x89PNG\\r\\n\\x1a\\n" + head + text + pixel + part(b"IEND", b"")
'''


def run(folder: Path, repeats: int = 1, caption: str | None = CAPTION, default: float = 0.1) -> Path:
    """A study whose program draws, run to its end; its folder. default: of train.x, whose best is 0.5."""
    study = f"name: study\nnetwork: small.yaml\nR: 3\nfinal: {{repeats: {repeats}}}\n"
    write_small_study(folder, f"parameters: {{train.x: {{default: {default}}}}}\n", study)
    program = folder / "small.py"
    program.write_text(PICTURE + program.read_text().replace(SAVES, DRAWS + SAVES))
    network = folder / "small.yaml"
    text = network.read_text().replace(
        'pattern: "model_{epoch}.json"', 'pattern: "model_{epoch}.json", also: ["seen_{epoch}.png"]'
    )
    network.write_text(text + (f'pictures: "{caption}"\n' if caption else ""))
    ran = automl("run", "study.yaml", "-j", "2", cwd=folder)
    assert ran.code == 0, ran.err
    return folder / "study"


def seen(study: Path) -> list[tuple[str, bytes]]:
    """Every picture of report.html: its text and its bytes."""
    root = ElementTree.fromstring((study / "report.html").read_text())  # noqa: S314 - our own page
    found = []
    for image in root.iter("img"):
        kind, _, data = image.attrib["src"].partition(",")
        assert kind == "data:image/png;base64"
        found.append((image.attrib["alt"], base64.b64decode(data, validate=True)))
    return found


def grey(png: bytes) -> int:
    (data,) = re.findall(rb"IDAT(.*)....\0\0\0\0IEND", png, re.DOTALL)
    return zlib.decompress(data)[1]


def epoch(png: bytes) -> int:
    (found,) = re.findall(rb"tEXtepoch\0([0-9]+)", png)
    return int(found)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("judged"))


def test_the_defaults_and_the_best_stand_side_by_side_as_they_were_drawn(judged: Path) -> None:
    (default, best) = seen(judged)
    assert grey(default[1]) == round(0.1 * 255)
    assert grey(best[1]) != grey(default[1])
    for text, png in (default, best):
        number, at = map(int, re.findall(r"experiment (\d+), epoch (\d+)", text)[0])
        assert epoch(png) == at == 3
        assert png in [path.read_bytes() for path in judged.glob(f"experiment_{number}/**/checkpoints/{at}/1")]


def test_the_section_says_what_is_shown_and_of_which_training(judged: Path) -> None:
    text = (judged / "report.html").read_text()
    (section,) = re.findall(r'<section id="pictures">.*?</section>', text, re.DOTALL)
    assert "Grey is &lt;right&gt; &amp; black is false." in section
    assert "The defaults, trained anew for the final judgement" in section
    assert "The best, trained anew for it" in section
    assert section.count("score 0.") == 2
    assert 'href="#pictures"' in text


def test_without_a_judgement_they_are_those_of_the_search(tmp_path: Path) -> None:
    study = run(tmp_path, repeats=0)
    text = (study / "report.html").read_text()
    assert "The defaults in the search" in text
    assert "The best of the search" in text
    assert grey(seen(study)[0][1]) == round(0.1 * 255)


@pytest.mark.parametrize("repeats", [0, 1])
def test_defaults_that_are_the_best_are_shown_once(repeats: int, tmp_path: Path) -> None:
    ((_, png),) = seen(run(tmp_path, repeats=repeats, default=0.5))
    assert grey(png) == 128


@pytest.mark.parametrize("spoilt", [b"GIF89a", None], ids=["no PNG", "gone"])
def test_what_is_no_picture_or_gone_is_left_out(spoilt: bytes | None, judged: Path, tmp_path: Path) -> None:
    study = tmp_path / "study"
    shutil.copytree(judged, study)
    (text, _), _ = seen(judged)
    (path,) = study.glob(f"experiment_{re.findall(r'experiment ([0-9]+)', text)[0]}/**/checkpoints/3/1")
    if spoilt is None:
        path.unlink()
    else:
        path.write_bytes(spoilt)
    assert page.render(open_study(str(study))).count("<img") == 1


def test_a_picture_that_is_too_large_is_left_out(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_BYTES", 10)
    assert "<img" not in page.render(open_study(str(judged)))


def test_a_network_without_pictures_has_no_section(tmp_path: Path) -> None:
    study = run(tmp_path, caption=None)
    assert seen(study) == []
    assert 'id="pictures"' not in (study / "report.html").read_text()
