"""Makes automl/trainers/data/fashion_mnist.npz, the pictures of the default example, from Debian's package.

    apt-get install dataset-fashion-mnist
    python scripts/make_fashion_mnist.py            # writes the file
    python scripts/make_fashion_mnist.py --check    # compares the arrays with the file that is there

Nothing is drawn: the first pictures of each class are taken, in the order of the official files, so the parts are
stratified and anyone can make them again. Training and validation come from the official training part, the held-out
part from the official test part. The zip's time stamps are fixed, so the same zlib gives the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]

SOURCE = Path("/usr/share/datasets/fashion-mnist")  # where Debian's dataset-fashion-mnist puts it
TARGET = Path(__file__).parent.parent / "automl" / "trainers" / "data" / "fashion_mnist.npz"
CLASSES = 10
PARTS = {  # name: (official part, pictures of each class that are passed over, pictures of each class that are taken)
    "train": ("train", 0, 450),
    "validation": ("train", 450, 150),
    "held_out": ("t10k", 0, 200),
}


def main() -> int:
    """Writes or compares the file; 1 when it differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, default=SOURCE, help="folder of the four official .gz files")
    parser.add_argument("--target", type=Path, default=TARGET, help="the .npz file")
    parser.add_argument("--check", action="store_true", help="write nothing; compare the arrays")
    options = parser.parse_args()
    arrays = chosen(options.source)
    if not options.check:
        options.target.write_bytes(npz(arrays))
        print(f"{options.target}: {options.target.stat().st_size} bytes")
        return 0
    with np.load(options.target, allow_pickle=False) as stored:
        wrong = [name for name in arrays if not np.array_equal(stored[name], arrays[name])]
    print(f"differs: {', '.join(wrong)}" if wrong else f"{options.target}: as it should be")
    return 1 if wrong else 0


def chosen(source: Path) -> dict[str, Pictures]:
    """Arrays <part>_images, uint8 (n, 28, 28), and <part>_labels, uint8 (n,)."""
    arrays: dict[str, Pictures] = {}
    for name, (official, passed_over, taken) in PARTS.items():
        labels = _idx(source / f"{official}-labels-idx1-ubyte.gz")
        rows = np.sort(
            np.concatenate([np.flatnonzero(labels == c)[passed_over : passed_over + taken] for c in range(CLASSES)])
        )
        arrays[f"{name}_images"] = _idx(source / f"{official}-images-idx3-ubyte.gz")[rows]
        arrays[f"{name}_labels"] = labels[rows]
    return arrays


def npz(arrays: dict[str, Pictures]) -> bytes:
    """As numpy.savez_compressed, but with fixed time stamps and the smallest deflate."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.external_attr = 0o644 << 16
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
            archive.writestr(member, content.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)
    return buffer.getvalue()


def _idx(path: Path) -> Pictures:
    """An IDX file of unsigned bytes: two zeros, the type 8, the rank, the big-endian lengths, the values."""
    data = gzip.decompress(path.read_bytes())
    zeros, kind, rank = data[:2], data[2], data[3]
    if zeros != b"\0\0" or kind != 8:
        raise ValueError(f"{path} is not an IDX file of unsigned bytes")
    shape = np.frombuffer(data, ">i4", count=rank, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(tuple(int(length) for length in shape))


if __name__ == "__main__":
    sys.exit(main())
