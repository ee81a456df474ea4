"""Small real media files of each format, to make hostile ones of."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

_BUNDLED = ("jpg", "png", "pdf", "mp4", "txt", "md", "html")
_MADE = ("gif", "webp", "tiff", "bmp")


def sample_media(folder: Path) -> list[Path]:
    """The smallest two of each format in the bundled collection, and one of each other format made of them.

    Args:
        folder: Where those are written that are made; it must not exist. WebM is left out where PyAV has
            no encoder for it.

    Returns:
        Paths of JPEG, PNG, PDF, MP4, text, Markdown, HTML, GIF, WebP, TIFF, BMP and WebM files.
    """
    import PIL.Image

    folder.mkdir(parents=True)
    collection = Path(str(resources.files("ponder") / "demo" / "collection"))
    found: list[Path] = []
    for suffix in _BUNDLED:
        found += sorted(collection.rglob(f"*.{suffix}"), key=lambda path: (path.stat().st_size, path))[:2]
    with PIL.Image.open(next(path for path in found if path.suffix == ".jpg")) as picture:
        for suffix in _MADE:
            picture.convert("RGB").resize((96, 96)).save(folder / f"made.{suffix}")
    _write_clip(folder / "made.webm")
    return [*found, *sorted(folder.iterdir())]


def _write_clip(path: Path) -> None:
    import av
    import numpy as np

    if "libvpx" not in av.codecs_available:
        return
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=8)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for number in range(16):
            pixels = np.full((64, 64, 3), number * 16, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
