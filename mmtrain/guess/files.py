"""Columns whose cells are paths or encoded files: what kind of file, and what a few of them are like."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from PIL import Image

from mmtrain.table import Table

SUFFIXES = {
    "image": {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"},
    "audio": {".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif", ".au", ".opus"},
    "video": {".mp4", ".mkv", ".avi", ".webm", ".mov", ".m4v", ".mpg", ".mpeg"},
    "series": {".csv", ".tsv"},
    "vector": {".npy"},
}
STARTS = {  # of encoded files, at a place
    "image": [(0, b"\x89PNG"), (0, b"\xff\xd8\xff"), (0, b"GIF8"), (8, b"WEBP"), (0, b"BM"), (0, b"P5 "), (0, b"P6 ")],
    "audio": [(8, b"WAVE"), (0, b"fLaC"), (0, b"OggS"), (0, b"ID3"), (0, b"\xff\xfb")],
    "video": [(4, b"ftyp"), (0, b"\x1aE\xdf\xa3"), (8, b"AVI ")],
    "vector": [(0, b"\x93NUMPY")],
}
MOST = 0.95  # of the cells have to agree
OPENED = 20  # files that are opened
PIXELS, HERTZ, SECONDS = 64, 16000, 10.0  # sides, rate and length that the modalities take unless told otherwise


@dataclass(frozen=True)
class Found:
    """A kind, what was seen, and options of the modality that suit it.

    `nulls` are words among numbers that stand for a missing one; with `absent` some of the files are not there.
    """

    kind: str
    seen: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    nulls: frozenset[str] = frozenset()
    absent: bool = False


def files_of(table: Table, cells: Sequence[str]) -> Found | None:
    """What these paths name; None where they are no paths. Where not a single file is there, they are `nothing`."""
    suffixes = [Path(cell.replace("\\", "/")).suffix.lower() for cell in cells]
    counts = {kind: sum(suffix in known for suffix in suffixes) for kind, known in SUFFIXES.items()}
    kind = max(counts, key=lambda name: counts[name])
    if counts[kind] < MOST * len(cells):
        if sum(counts.values()) >= MOST * len(cells):
            return Found("nothing", "paths of files of several kinds")
        folders = all(_is(table, cell, _holds_pictures) for cell in cells[:OPENED])
        return Found("video", f"folders of pictures, {_of(table, cells, Path.is_dir)}") if folders else None
    there = [cell for cell in cells if _is(table, cell, Path.is_file)]
    shown = f"paths of {', '.join(sorted(set(filter(None, suffixes)))[:3])} files"
    if not there:
        return Found("nothing", f"{shown}, but none of {len(cells)} that were looked for is there")
    found = opened(kind, [table.path(cell) for cell in there[:OPENED]])
    seen = (
        f"{shown}, {len(there)} of {len(cells)} looked for are there; {found.seen}" if len(there) < len(cells) else f"{shown}; {found.seen}"
    )
    return Found(found.kind, seen, found.options, absent=len(there) < len(cells))


def content_of(cells: Sequence[bytes]) -> Found | None:
    """What these encoded files hold; None where they are of no kind that is known."""
    for kind, starts in STARTS.items():
        fitting = [cell for cell in cells if any(cell[place:].startswith(start) for place, start in starts)]
        if len(fitting) >= MOST * len(cells):
            found = opened(kind, [BytesIO(cell) for cell in fitting[:OPENED]])
            return Found(found.kind, f"encoded files; {found.seen}", found.options)
    return None


def opened(kind: str, files: Sequence[Path | BytesIO]) -> Found:
    """Look into a few files of a kind."""
    looks: dict[str, Callable[[Sequence[Path | BytesIO]], Found]] = {"image": _pictures, "audio": _sounds, "vector": _arrays}
    return looks[kind](files) if kind in looks else Found(kind, {"video": "clips"}.get(kind, "tables of numbers"))


def _pictures(files: Sequence[Path | BytesIO]) -> Found:
    sizes, modes, moving = [], set(), 0
    for file in files:
        with suppress(Exception), Image.open(file) as picture:  # on a broken file a decoder may raise anything
            sizes.append(picture.size)
            modes.add(picture.mode)
            moving += getattr(picture, "is_animated", False)
    if not sizes:
        return Found("image", "none of those opened is a picture")
    width, height = (max(size[axis] for size in sizes) for axis in (0, 1))
    options: dict[str, Any] = {"height": height, "width": width} if max(width, height) < PIXELS else {}
    options |= {"channels": 1} if modes <= {"L", "1", "I;16"} else {}
    if moving > len(sizes) / 2:
        return Found("video", "animations", options)
    alike = "" if len(set(sizes)) == 1 else "up to "
    return Found("image", f"{alike}{width} x {height} pixels, {'grey' if 'channels' in options else 'colour'}", options)


def _sounds(files: Sequence[Path | BytesIO]) -> Found:
    rates, seconds = [], []
    for file in files:
        with suppress(soundfile.SoundFileError, TypeError), soundfile.SoundFile(file) as sound:
            rates.append(sound.samplerate)
            seconds.append(sound.frames / sound.samplerate)
    if not rates:
        return Found("audio", "none of those opened is a sound")
    options: dict[str, Any] = {"sample_rate": max(rates)} if 1000 <= max(rates) < HERTZ else {}
    options |= {"max_seconds": ceil(max(seconds))} if max(seconds) > SECONDS else {}
    return Found("audio", f"{max(rates):,} Hz, up to {max(seconds):.3g} s", options)


def _arrays(files: Sequence[Path | BytesIO]) -> Found:
    shapes = set()
    for file in files:
        with suppress(Exception):  # on a broken file numpy may raise anything
            shapes.add(np.load(file, mmap_mode="r" if isinstance(file, Path) else None, allow_pickle=False).shape)
    if len(shapes) == 1 and len(next(iter(shapes))) == 1:
        return Found("vector", f"{next(iter(shapes))[0]} numbers each")
    return Found("series", "arrays of several lengths" if shapes else "none of those opened is an array")


def _holds_pictures(folder: Path) -> bool:
    return folder.is_dir() and any(item.suffix.lower() in SUFFIXES["image"] for item in folder.iterdir())


def _is(table: Table, cell: str, test: Callable[[Path], bool]) -> bool:
    try:
        return test(table.path(cell))
    except (OSError, ValueError):  # a name that is too long, or holds a null character
        return False


def _of(table: Table, cells: Sequence[str], test: Callable[[Path], bool]) -> str:
    return f"{sum(_is(table, cell, test) for cell in cells)} of {len(cells)} looked for are there"
