"""Directories to take the inventory of."""

import os
from pathlib import Path
from random import Random

__all__ = ["grow"]


def grow(root: Path, files: int, seed: int = 0) -> Path:
    """Make so many files, some of them equal, some empty, in nested directories with odd names."""
    random = Random(seed)
    directories = [root]
    for number in range(files // 8 + 1):
        directory = random.choice(directories) / f"d{number}"
        directory.mkdir(parents=True)
        directories.append(directory)
    contents = [b"", b"one", b"two" * 1000, *(random.randbytes(random.randrange(3000)) for _ in range(files))]
    for number in range(files):
        extension = random.choice([".txt", ".PY", ".tar.gz", "", ".x"])
        name = f"f{number}{extension}" if number % 7 else f".f{number} \u00e4\n\x1b[31m{extension}"
        content = contents[random.randrange(4 if number % 2 else len(contents))]
        (random.choice(directories) / name).write_bytes(content)
    if files:
        Path(os.fsdecode(os.fsencode(root) + b"/\xff\xfe.bin")).write_bytes(b"no UTF-8")
        (root / "link").symlink_to(directories[-1], target_is_directory=True)
        (root / "dangling").symlink_to("nowhere")
        os.mkfifo(root / "pipe")
    return root
