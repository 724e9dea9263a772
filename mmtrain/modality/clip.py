"""The frames of a clip: of a video through PyAV, of an animation through Pillow, or the pictures in a folder."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from mmtrain.errors import ConfigError, Problem
from mmtrain.modality.cell import UnreadableError
from mmtrain.modality.image import read_picture, resized

ANIMATION = re.compile(rb"GIF8|\x89PNG|RIFF....WEBP", re.DOTALL)  # how files begin that Pillow reads
MATROSKA, SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


class Form(NamedTuple):
    """What becomes of a frame: its shape (height, width, channels), and how a picture of other proportions is brought to it."""

    shape: tuple[int, int, int]
    fit: str


def read_clip(file: Path | BytesIO, name: str, count: int, form: Form) -> np.ndarray:
    """At most `count` frames, evenly spaced, (T, height, width, channels) uint8; `name` is what messages call the clip.

    Raises:
        UnreadableError: there is no frame, the file is cut off, or it cannot be decoded.
        ConfigError: the file needs PyAV, which is not installed.
    """
    try:
        if isinstance(file, Path) and file.is_dir():
            frames = _folder(file, name, count, form)
        else:
            frames = (_video if needs_av(file) else _animation)(file, name, count, form)
    except (UnreadableError, ConfigError):
        raise
    except UnidentifiedImageError:  # of a file that begins as an animation does
        raise UnreadableError(f"{name} cannot be decoded as a clip: it ends within its header") from None
    except Exception as error:  # on a broken file a decoder may raise anything
        reason = getattr(error, "strerror", None) or error
        raise UnreadableError(f"{name} cannot be decoded as a clip: {reason}") from None
    if not frames:
        raise UnreadableError(f"{name} holds no frame")
    return np.stack(frames)


def count_frames(file: Path | BytesIO, name: str) -> int:
    """How many frames the clip has, in all but rare videos; none is decoded.

    Raises:
        UnreadableError: it cannot be read.
        ConfigError: the file needs PyAV, which is not installed.
    """
    if isinstance(file, Path) and file.is_dir():
        return len(_pictures(file))
    if needs_av(file):
        return _packets(file, name)
    with Pillow.open(file) as picture:
        return getattr(picture, "n_frames", 1)


def needs_av(file: Path | BytesIO) -> bool:
    """Whether the clip is neither an animation nor a folder."""
    if isinstance(file, Path) and file.is_dir():
        return False
    return ANIMATION.match(_head(file)) is None


def import_av(name: str) -> Any:
    """PyAV, the library that decodes videos.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import av
    except ImportError:
        fix = 'pip install "mmtrain[video]"; GIF files and folders of pictures do without'
        raise ConfigError(Problem("video modality", f"{name} needs PyAV, which is not installed", fix)) from None
    return av


def spaced(total: int, count: int) -> list[int]:
    """Which of `total` frames stand for the clip: the middle one of each of `count` equal parts; all, where they are no more."""
    count = min(total, count)
    edges = [part * total // max(count, 1) for part in range(count + 1)]
    return [(start + end) // 2 for start, end in pairwise(edges)]


def _folder(folder: Path, name: str, count: int, form: Form) -> list[np.ndarray]:
    pictures = _pictures(folder)
    chosen = [pictures[place] for place in spaced(len(pictures), count)]
    return [read_picture(file, f"frame '{file.name}' of {name}", form.shape, fit=form.fit) for file in chosen]


def _pictures(folder: Path) -> list[Path]:
    """In the natural order of their names: frame 9 comes before frame 10."""
    known = {suffix for suffix, form in Pillow.registered_extensions().items() if form in Pillow.OPEN}
    return sorted((file for file in folder.iterdir() if file.suffix.lower() in known), key=_natural)


def _natural(file: Path) -> tuple[list[int | str], str]:
    # Of the parts, every second one is a number, so that numbers meet numbers when two names are compared.
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", file.name)], file.name


def _animation(file: Path | BytesIO, name: str, count: int, form: Form) -> list[np.ndarray]:
    frames = []
    with Pillow.open(file) as picture:
        total = getattr(picture, "n_frames", 1)
        for place in spaced(total, count):
            picture.seek(place)
            frames.append(resized(picture, name, form.shape, fit=form.fit))
        picture.seek(total - 1)
        picture.load()  # a file that is cut off breaks at its last frame, which may not have been asked for
    return frames


def _video(file: Path | BytesIO, name: str, count: int, form: Form) -> list[np.ndarray]:
    total = _packets(file, name)
    frames, shown = _decoded(file, name, spaced(total, count), form)
    if shown != total:  # some packets hold no frame to be shown, or several: now it is known how many there are
        frames, _ = _decoded(file, name, spaced(shown, count), form)
    return frames


def _packets(file: Path | BytesIO, name: str) -> int:
    """How many packets the video has, in all but rare formats its frames; read, not decoded."""
    announced = _announced(_head(file))
    size = len(file.getbuffer()) if isinstance(file, BytesIO) else file.stat().st_size
    if size < announced:
        raise UnreadableError(f"{name} is cut off: its header announces {announced:,} bytes, it has {size:,}")
    with _opened(file, name) as (container, stream):
        packets = [packet.is_corrupt for packet in container.demux(stream) if packet.size]
    if any(packets):
        raise UnreadableError(f"{name} is cut off or damaged: of its {len(packets):,} packets {sum(packets):,} are not whole")
    return len(packets)


def _decoded(file: Path | BytesIO, name: str, places: list[int], form: Form) -> tuple[list[np.ndarray], int]:
    """The frames at these places, upright, and how many frames the video has: all are decoded, most depend on those before."""
    frames, shown = [], 0
    with _opened(file, name) as (container, stream):
        for place, frame in enumerate(container.decode(stream)):
            if place in places:
                frames.append(resized(_upright(frame, 2 * max(form.shape[:2])), name, form.shape, fit=form.fit))
            shown = place + 1
    return frames, shown


def _upright(frame: Any, side: int) -> Pillow.Image:
    """The frame as a picture, brought near to `side` pixels a side where it is larger: colours of fewer pixels are converted."""
    factor = max(1, min(frame.height, frame.width) // side)
    picture = frame.to_image(width=frame.width // factor, height=frame.height // factor, interpolation="AREA")
    return picture.rotate(frame.rotation, expand=True)


@contextmanager
def _opened(file: Path | BytesIO, name: str) -> Iterator[tuple[Any, Any]]:
    """The container and its first video stream; the cover of a record is none."""
    av = import_av(name)
    if isinstance(file, BytesIO):
        file.seek(0)
    with av.open(file if isinstance(file, BytesIO) else str(file.absolute())) as container:  # a colon in it starts no protocol then
        cover = av.stream.Disposition.attached_pic
        streams = [stream for stream in container.streams.video if not stream.disposition & cover and stream.codec_context]
        if not streams:
            raise UnreadableError(f"{name} holds no video that can be decoded")
        streams[0].codec_context.thread_count = 1  # many clips are decoded at once
        yield container, streams[0]


def _head(file: Path | BytesIO) -> bytes:
    """The first bytes."""
    if isinstance(file, BytesIO):
        return file.getvalue()[:64]
    with file.open("rb") as opened:
        return opened.read(64)


def _announced(head: bytes) -> int:
    """Bytes that a Matroska (mkv, webm) header says the file has; 0 where it says nothing, or is of another kind.

    Of other containers the decoder itself tells that they are cut off. Source: RFC 8794, sections 4 and 6.
    """
    if not head.startswith(MATROSKA):
        return 0
    size, start = _number(head, len(MATROSKA))
    segment = start + size
    if head[segment : segment + 4] != SEGMENT:
        return 0
    size, start = _number(head, segment + 4)
    unknown = (1 << 7 * (start - segment - 4)) - 1  # all bits set: a stream whose end nobody knew
    return 0 if size == unknown else start + size


def _number(head: bytes, at: int) -> tuple[int, int]:
    """A number of variable width, and where it ends: the zero bits before its first one count the bytes that follow."""
    width = 9 - head[at].bit_length()
    return int.from_bytes(head[at : at + width]) & (1 << 7 * width) - 1, at + width
