"""Decoding. Videos are made and read by PyAV, where it is installed; GIFs and folders always."""

import importlib.util
import io
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from mmtrain.errors import ConfigError
from mmtrain.modality import VideoModality
from mmtrain.modality.cell import UnreadableError
from mmtrain.modality.clip import Form, read_clip, spaced
from mmtrain.table import Table

FORM = Form((4, 6, 3), "stretch")
GREY = Form((4, 6, 1), "stretch")
needs_av = pytest.mark.skipif(importlib.util.find_spec("av") is None, reason="PyAV is not installed")


def animation(shades: list[int], form: str = "GIF", **options: Any) -> bytes:
    file = io.BytesIO()
    pictures = [Pillow.new("RGB", (6, 4), (shade, shade, shade)) for shade in shades]
    pictures[0].save(file, form, save_all=True, append_images=pictures[1:], **options)
    return file.getvalue()


def video(
    pictures: list[np.ndarray], container: str = "mp4", codec: str = "mpeg4", times: list[int] | None = None, **options: str
) -> bytes:
    """A film of these pictures, (height, width, 3) uint8, at ten a second, or at these tenths of a second."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format=container, options=options) as output:
        stream: Any = output.add_stream(codec, rate=10)
        stream.height, stream.width, stream.pix_fmt = *pictures[0].shape[:2], "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 10)
        for time, picture in zip(times or range(len(pictures)), pictures, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 10)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return file.getvalue()


def shaded(shades: list[int]) -> list[np.ndarray]:
    return [np.full((32, 48, 3), shade, np.uint8) for shade in shades]


def read(content: bytes, count: int = 100, form: Form = GREY) -> np.ndarray:
    return read_clip(io.BytesIO(content), "'it'", count, form)


def means(frames: np.ndarray) -> list[float]:
    return frames.mean((1, 2, 3)).tolist()


@pytest.mark.parametrize(
    ("total", "count", "places"),
    [(10, 5, [1, 3, 5, 7, 9]), (9, 3, [1, 4, 7]), (7, 3, [1, 3, 5]), (3, 5, [0, 1, 2]), (1, 5, [0]), (5, 1, [2]), (0, 4, [])],
)
def test_frames_are_the_middles_of_equal_parts(total: int, count: int, places: list[int]) -> None:
    assert spaced(total, count) == places


@pytest.mark.parametrize(("form", "options"), [("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {})])
def test_animations_need_no_decoder_of_videos(form: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    content = animation([0, 50, 100, 150, 200, 250], form, **options)
    np.testing.assert_allclose(means(read(content)), [0, 50, 100, 150, 200, 250], atol=1)
    np.testing.assert_allclose(means(read(content, 2)), [50, 200], atol=1)


def test_a_single_picture_is_a_clip_of_one_frame() -> None:
    assert means(read(animation([90], "PNG"))) == [90]
    assert means(read(animation([90]))) == [90]


def test_what_is_transparent_is_laid_on_white() -> None:
    file = io.BytesIO()
    pictures = [Pillow.new("RGBA", (6, 4), (shade, 0, 0, opacity)) for shade, opacity in ((255, 255), (0, 0))]
    pictures[0].save(file, "WEBP", save_all=True, append_images=pictures[1:], lossless=True)
    found = read(file.getvalue(), form=FORM)
    assert (found[0] == [255, 0, 0]).all()
    assert (found[1] == 255).all()


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    for number, name in enumerate(("1.png", "2.png", "10.jpg", "11.BMP")):
        Pillow.new("L", (6, 4), 60 * number).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".DS_Store").write_text("nor this")
    return tmp_path


def test_a_folder_holds_frames_in_natural_order(frames: Path) -> None:
    np.testing.assert_allclose(means(read_clip(frames, "'it'", 9, GREY)), [0, 60, 120, 180], atol=2)
    np.testing.assert_allclose(means(read_clip(frames, "'it'", 2, GREY)), [60, 180], atol=2)


def test_a_frame_in_a_folder_is_turned_upright(tmp_path: Path) -> None:
    orientation = Pillow.Exif()
    orientation[0x0112] = 6
    Pillow.fromarray(np.array([[0, 255]], np.uint8)).save(tmp_path / "0.png", exif=orientation)
    assert read_clip(tmp_path, "'it'", 1, Form((2, 1, 1), "stretch")).flatten().tolist() == [0, 255]


def test_a_broken_frame_is_named(frames: Path) -> None:
    (frames / "2.png").write_text("no picture")
    with pytest.raises(UnreadableError, match=r"^frame '2\.png' of 'it' is not a picture of a known format$"):
        read_clip(frames, "'it'", 9, GREY)


def test_a_folder_without_frames(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"^'it' holds no frame$"):
        read_clip(tmp_path, "'it'", 4, GREY)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_an_animation_that_is_cut_off(share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (4, 32, 32, 3), np.uint8)
    for form in ("GIF", "WEBP", "PNG"):
        file = io.BytesIO()
        pictures = [Pillow.fromarray(picture) for picture in noise]
        pictures[0].save(file, form, save_all=True, append_images=pictures[1:])
        with pytest.raises(UnreadableError, match=r"^'it' cannot be decoded as a clip: "):
            read(file.getvalue()[: int(len(file.getvalue()) * share)], 1)


@needs_av
@pytest.mark.parametrize(
    ("container", "codec"),
    [("mp4", "mpeg4"), ("mp4", "libx264"), ("matroska", "libx264"), ("webm", "libvpx-vp9"), ("avi", "mpeg4"), ("mpegts", "mpeg2video")],
)
def test_a_video_gives_its_frames(container: str, codec: str) -> None:
    shades = [20, 60, 100, 140, 180, 220]
    content = video(shaded(shades), container, codec)
    np.testing.assert_allclose(means(read(content)), shades, atol=4)
    np.testing.assert_allclose(means(read(content, 3)), shades[1::2], atol=4)


@needs_av
def test_frames_at_uneven_times_are_counted_alike() -> None:
    content = video(shaded([20, 60, 100, 140]), "matroska", "libx264", times=[0, 1, 30, 31])
    np.testing.assert_allclose(means(read(content, 2)), [60, 140], atol=4)


@needs_av
def test_colours_come_through() -> None:
    picture = np.zeros((32, 48, 3), np.uint8)
    picture[:, :16], picture[:, 16:32], picture[:, 32:] = (200, 30, 30), (30, 200, 30), (30, 30, 200)
    found = read(video([picture]), form=Form((1, 12, 3), "stretch"))[0, 0, 2::4]
    np.testing.assert_allclose(found, picture[0, ::16], atol=8)


@needs_av
def test_a_large_frame_looks_as_its_full_conversion() -> None:
    """Shrinking it before colours are converted must not be seen."""
    ramp = np.linspace(0, 250, 640).astype(np.uint8)
    picture = np.stack([np.broadcast_to(ramp, (480, 640)), np.broadcast_to(ramp[::-1], (480, 640)), np.full((480, 640), 90)], 2).astype(
        np.uint8
    )
    full = Pillow.fromarray(picture).resize((16, 12), Pillow.Resampling.BILINEAR)
    np.testing.assert_allclose(read(video([picture]), form=Form((12, 16, 3), "stretch"))[0], np.asarray(full), atol=9)


@needs_av
@pytest.mark.parametrize(("quarters", "a", "b"), [(1, 0, 1), (2, -1, 0), (3, 0, -1)])
def test_a_video_is_turned_upright(quarters: int, a: int, b: int) -> None:
    """By the matrix in its track's header, [[a, b], [c, d]] of 16.16 fixed point: x' = ax + cy, y' = bx + dy. QuickTime File Format."""
    picture = np.full((32, 48, 3), 20, np.uint8)
    picture[:16, :24] = 230
    content = bytearray(video([picture]))
    numbers = [a, b, 0, -b, a, 0, 0, 0, 0]
    matrix = content.index(b"tkhd") + 44
    assert content[matrix : matrix + 4] == (1 << 16).to_bytes(4)
    content[matrix : matrix + 36] = b"".join((number << 16).to_bytes(4, signed=True) for number in numbers[:8]) + (1 << 30).to_bytes(4)
    found = read(bytes(content), form=Form((2, 2, 1), "stretch"))[0, :, :, 0] > 100
    np.testing.assert_array_equal(found, np.rot90([[True, False], [False, False]], -quarters))  # clockwise


@needs_av
@pytest.mark.parametrize(("container", "codec"), [("mp4", "mpeg4"), ("matroska", "libx264"), ("webm", "libvpx-vp9"), ("avi", "mpeg4")])
@pytest.mark.parametrize("share", [0.4, 0.95])
def test_a_video_that_is_cut_off(container: str, codec: str, share: float, capfd: pytest.CaptureFixture[str]) -> None:
    content = video(list(np.random.default_rng(0).integers(0, 255, (20, 32, 48, 3), np.uint8)), container, codec)
    with pytest.raises(
        UnreadableError, match=r"^'it' (is cut off|holds no video|cannot be decoded as a clip: Invalid data found when processing input$)"
    ):
        read(content[: int(len(content) * share)])
    assert capfd.readouterr() == ("", "")


@needs_av
def test_a_cut_matroska_file_is_known_by_its_header() -> None:
    content = video(list(np.random.default_rng(0).integers(0, 255, (20, 32, 48, 3), np.uint8)), "matroska", "libx264")
    with pytest.raises(UnreadableError, match=rf"^'it' is cut off: its header announces {len(content):,} bytes, it has 9,000$"):
        read(content[:9000])
    size = content.index(b"\x18\x53\x80\x67") + 4
    assert len(read(content[:size] + b"\x01" + 7 * b"\xff" + content[size + 8 :])) == 20  # a stream whose length nobody knew


@needs_av
def test_a_sound_holds_no_video(capfd: pytest.CaptureFixture[str]) -> None:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.zeros(1000), 8000, format="WAV")
    with pytest.raises(UnreadableError, match=r"^'it' holds no video that can be decoded$"):
        read(file.getvalue())
    with pytest.raises(UnreadableError, match=r"^'it' cannot be decoded as a clip: Invalid data found when processing input$"):
        read(b"These are words, not a video.")
    assert capfd.readouterr() == ("", "")


@needs_av
def test_the_cover_of_a_record_is_no_video() -> None:
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream: Any = output.add_stream("mjpeg", rate=1)
        stream.height, stream.width, stream.pix_fmt = 32, 32, "yuvj420p"
        stream.disposition = av.stream.Disposition.attached_pic.value  # before version 18 a number is wanted
        output.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        output.mux(stream.encode())
    with pytest.raises(UnreadableError, match=r"^'it' holds no video that can be decoded$"):
        read(file.getvalue())


def test_without_the_decoder_it_is_told_before_anything_is_decoded(
    table: Callable[..., Table], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "a.gif").write_bytes(animation([1, 2]))
    (tmp_path / "b.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    modality = VideoModality(column="clip", height=2, width=2)
    modality.fit(table(clip=["a.gif", None, "missing.mp4"]))
    rows = table(clip=["a.gif", None, "b.mp4"])
    message = r"^video modality: 'b\.mp4' needs PyAV, which is not installed; pip install \"mmtrain\[video\]\""
    for call in (modality.fit, modality.encode):
        with pytest.raises(ConfigError, match=message):
            call(rows)
    assert rows.bad == []
