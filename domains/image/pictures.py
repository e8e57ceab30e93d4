"""Pictures as the networks want them: any file that Pillow reads, brought to one size.

Two ways to fit a picture: a photograph is cropped, a digit is put in place as MNIST's were.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import InputError

MAX_BYTES = 2**28
"""A file of more bytes is refused."""
MAX_PIXELS = 100_000_000
"""A picture of more pixels is refused before it is unpacked, where no lower bound is given."""
SUFFIXES = {
    *(".png", ".jpg", ".jpeg", ".jfif", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff"),
    *(".jp2", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".ico"),
}
"""Of the files that are taken for pictures in a folder."""

UNSAFE = ("EPS", "FITS", "IPTC")
"""EPS runs Ghostscript, FITS of older Pillows unpacks without bound, IPTC may hold either."""

FAINTEST = 16  # grey levels between ink and paper: with less, a page is blank
INK = 0.25  # of the strongest ink: what has more belongs to the digit

RANGES = {"u": (2**16 - 1,), "i": (2**8 - 1, 2**16 - 1), "f": (1,)}
"""What deep samples run up to, by NumPy's kind of number: the first that holds them all."""

Grey = NDArray[np.float32]

warnings.filterwarnings("ignore", module=r"PIL\.")  # of odd headers; bad ones raise


def open_picture(
    source: str | Path | IO[bytes], name: str | None = None, most_pixels: int = MAX_PIXELS
) -> Image.Image:
    """The first frame of a picture, at a path or in a file, in mode RGB, upright, on white where it
    is transparent.

    Grey of more than 8 bits is brought to 8, see `eight_bits`. Errors call the picture `name`.
    Raises InputError where the source is missing, empty, larger than the bounds, cut off, or no
    picture.
    """
    if isinstance(source, str):
        source = Path(source)
    name = name or str(source if isinstance(source, Path) else getattr(source, "name", "picture"))
    try:
        if isinstance(source, Path):
            with source.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        else:
            content = source.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"{name}: no such file") from None
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # a null character in the path
        raise InputError(f"{name!r}: {error}") from None
    if not content:
        raise InputError(f"{name}: an empty file")
    if len(content) > MAX_BYTES:
        raise InputError(f"{name}: more than {MAX_BYTES:,} bytes")
    return _decoded(content, name, most_pixels)


def prepare(picture: Image.Image, preprocessing: Mapping[str, Any]) -> NDArray[np.float32]:
    """What a network sees of an RGB picture: `(channels, size, size)`, (v / 255 - mean) / std.

    `preprocessing` is a released card's: "channels" (1 or 3), "size", "mean" and "std" (one number
    a channel), "fit" ("crop" or "digit"), and for a crop "resize", as `crop` takes it. Raises
    InputError where a digit is asked for and the picture is blank.
    """
    size, channels, how = (preprocessing[key] for key in ("size", "channels", "fit"))
    fitted = fit(picture, size, channels, how, preprocessing.get("resize"))
    if how == "digit" and np.ptp(fitted) < FAINTEST:
        raise InputError("the picture is blank")
    mean, std = (np.array(preprocessing[key], np.float32) for key in ("mean", "std"))
    values: NDArray[np.float32] = np.divide(fitted, 255, dtype=np.float32)
    return (values - mean[:, None, None]) / std[:, None, None]


def fit(
    picture: Image.Image, size: int, channels: int, how: str, resize: int | None = None
) -> NDArray[np.uint8]:
    """`(channels, size, size)` of a picture: its middle by `crop`, or by `digit` a digit in it."""
    fitted = digit(picture, size) if how == "digit" else crop(picture, size, resize)
    return planes(fitted, channels)


def planes(picture: Image.Image, channels: int) -> NDArray[np.uint8]:
    """A picture's samples, `(channels, H, W)`: grey for one channel, red, green and blue for three.

    Grey is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601).
    """
    samples = np.asarray(picture.convert("L" if channels == 1 else "RGB"))
    return samples.reshape(*samples.shape[:2], channels).transpose(2, 0, 1)


def crop(picture: Image.Image, size: int, resize: int | None = None) -> Image.Image:
    """The `size` x `size` pixels in the middle of a picture whose shorter side is made `resize`
    long (`size`, unless given), antialiased. One of that size already is taken as it is.
    """
    if picture.size == (size, size):
        return picture
    side = min(picture.size) * size / (resize or size)
    left, top = ((length - side) / 2 for length in picture.size)
    box = (left, top, left + side, top + side)
    return picture.resize((size, size), Image.Resampling.BILINEAR, box)


def digit(picture: Image.Image, size: int = 28) -> Image.Image:
    """A grey picture of light ink on black, `size` x `size`, made as MNIST's digits were.

    Dark ink on light paper, as the border tells, is inverted; a picture of that size already is
    else taken as it is. Any other is cut to its ink, brought into a box of 20 x 20 for a `size` of
    28, its proportions kept and antialiased, and its centre of mass is put on pixel 14, 14. A blank
    page stays blank. LeCun and others, "Gradient-Based Learning Applied to Document Recognition",
    1998, section III.A.
    """
    values = planes(picture, 1)[0].astype(np.float32)
    border = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
    if np.median(border) > 127:
        values, border = 255 - values, 255 - border
    if picture.size != (size, size):
        values = _in_place(np.clip(values - np.median(border), 0, None), size)
    return Image.fromarray(np.rint(values).astype(np.uint8))


def _in_place(ink: Grey, size: int) -> Grey:
    field = np.zeros((size, size), np.float32)
    if ink.max() < FAINTEST:
        return field
    written = ink > INK * ink.max()
    rows, columns = (np.flatnonzero(written.any(axis)) for axis in (1, 0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = size * 20 // 28 / max(ink.shape)
    height, width = (max(1, round(length * scale)) for length in ink.shape)
    small = Image.fromarray(ink).resize((width, height), Image.Resampling.BOX)
    box = np.asarray(small) * (255 / np.asarray(small).max())
    mass = box.sum()
    down = (box.sum(axis=1) @ np.arange(height)) / mass
    across = (box.sum(axis=0) @ np.arange(width)) / mass
    top = int(np.clip(round(size / 2 - down), 0, size - height))
    left = int(np.clip(round(size / 2 - across), 0, size - width))
    field[top : top + height, left : left + width] = box
    return field


def _decoded(content: bytes, name: str, most_pixels: int) -> Image.Image:
    Image.init()
    formats = [kind for kind in Image.OPEN if kind not in UNSAFE]
    try:
        with Image.open(BytesIO(content), formats=formats) as picture:
            if picture.width * picture.height > most_pixels:
                raise Image.DecompressionBombError
            picture.load()
            return _rgb(_upright(picture))
    except UnidentifiedImageError:
        raise InputError(f"{name}: not a picture that can be read") from None
    except Image.DecompressionBombError:
        raise InputError(f"{name}: more than {most_pixels:,} pixels") from None
    except Exception as error:  # Pillow's readers raise whatever a damaged file makes them meet
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{name}: damaged, or of an unknown kind: {reason}") from None


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # Exif data that are damaged say nothing of the picture
        return picture


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith(("I", "F")):
        picture = Image.fromarray(eight_bits(np.asarray(picture)))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")


def eight_bits(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Grey samples of 16 bits, of 32 bits, or floating, as 8 bits of the same shape.

    16 bits run from 0 to 65,535. Of 32 bits a file doesn't say how many serve: those from 0 to 255
    stay, those up to 65,535 are 16 bits. Floating ones run from 0 to 1. Samples outside of these
    ranges are stretched from their least to their greatest. What is no finite number counts as 0.
    """
    values = np.nan_to_num(samples.astype(np.float64), nan=0, posinf=0, neginf=0)
    low, high = values.min(), values.max()
    most = next((most for most in RANGES[samples.dtype.kind] if low >= 0 and high <= most), None)
    if most:
        low, high = 0, most
    grey: NDArray[np.float64] = (values - low) * (255 / max(high - low, 1e-30))
    return np.rint(grey).astype(np.uint8)
