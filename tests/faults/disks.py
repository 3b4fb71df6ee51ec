"""Small disks of a test's own, and how they are filled to the last byte; needs the right to mount, as root has it."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.embedded.account import home_for, unprivileged


@contextmanager
def mounted(wanted: Path, size: str) -> Iterator[Path]:
    """A memory disk of this size where servers of ours may live; gone afterwards."""
    place = home_for(wanted, unprivileged("nobody"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0711", "anze", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
        shutil.rmtree(place, ignore_errors=True)


def filled(path: Path) -> None:
    """A file that takes every byte there is; deleting it gives the room back."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 12))
        except OSError:
            return
