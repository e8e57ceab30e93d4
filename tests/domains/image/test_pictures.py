"""Files of every kind as pictures; photographs cropped, digits put in place."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core.errors import InputError
from domains.image import pictures
from domains.image.pictures import crop, digit, open_picture, prepare

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
PLAIN = {"channels": 3, "size": 2, "mean": [0, 0, 0], "std": [1, 1, 1], "fit": "crop"}


def encoded(picture, form, **settings):
    file = io.BytesIO()
    picture.save(file, form, **settings)
    return file.getvalue()


def opened(content):
    return open_picture(io.BytesIO(content), "it")


def one(mode, value):
    return Image.new(mode, (2, 1), value)


@pytest.mark.parametrize(
    ("picture", "form", "colour"),
    [
        (one("1", 1), "PNG", (255, 255, 255)),
        (one("L", 77), "PNG", (77, 77, 77)),
        (one("LA", (0, 51)), "PNG", (204, 204, 204)),
        (one("RGB", (1, 2, 3)), "PNG", (1, 2, 3)),
        (one("RGB", (1, 2, 3)), "PPM", (1, 2, 3)),
        (one("RGBA", (9, 9, 9, 0)), "PNG", (255, 255, 255)),
        (one("RGBA", (255, 0, 0, 51)), "WEBP", (255, 204, 204)),
        (one("RGB", (0, 128, 0)).quantize(2), "GIF", (0, 128, 0)),
        (one("CMYK", (0, 255, 255, 0)), "TIFF", (255, 0, 0)),
        (one("CMYK", (0, 0, 0, 255)), "JPEG", (0, 0, 0)),
        (one("I;16", 100 * 257), "PNG", (100, 100, 100)),
        (one("I;16", 65535), "TIFF", (255, 255, 255)),
    ],
    ids=str,
)
def test_every_mode_becomes_rgb(picture, form, colour):
    found = opened(encoded(picture, form, **({"lossless": True} if form == "WEBP" else {})))
    assert (found.mode, found.size) == ("RGB", (2, 1))
    assert found.getpixel((1, 0)) == pytest.approx(colour, abs=1)


def test_a_palette_with_a_transparent_colour_lies_on_white():
    palette = Image.new("P", (1, 1), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    assert opened(encoded(palette, "PNG", transparency=1)).getpixel((0, 0)) == (255, 255, 255)
    assert opened(encoded(palette, "PNG", transparency=0)).getpixel((0, 0)) == (10, 20, 30)


@pytest.mark.parametrize(
    ("samples", "grey"),
    [
        (np.array([[0, 257, 65535]], np.int32), [0, 1, 255]),
        (np.array([[-1000, 0, 1000]], np.int32), [0, 128, 255]),
        (np.array([[0, 50_000, 100_000]], np.int32), [0, 128, 255]),
        (np.array([[0, 100, 255]], np.int32), [0, 100, 255]),
        (np.array([[0, 1, 2]], np.int32), [0, 1, 2]),
        (np.array([[0, 257, 514]], np.uint16), [0, 1, 2]),
        (np.array([[0, 0.25, 0.5]], np.float32), [0, 64, 128]),
        (np.array([[0.5, 0.75, 1]], np.float32), [128, 191, 255]),
        (np.array([[2, 6, 10]], np.float32), [0, 128, 255]),
        (np.array([[-0.5, 0, 0.5]], np.float32), [0, 128, 255]),
        (np.array([[np.nan, np.inf, 1]], np.float32), [0, 0, 255]),
        (np.zeros((1, 3), np.float32), [0, 0, 0]),
    ],
)
def test_deep_samples_are_brought_to_eight_bits(samples, grey):
    found = np.asarray(opened(encoded(Image.fromarray(samples), "TIFF")))
    assert found[0, :, 0].tolist() == grey


# How an upright picture lies in a file whose orientation says so: Exif 2.3, table 6, tag 274.
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
def test_a_camera_held_sideways(orientation, form):
    upright = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](upright)))
    exif = Image.Exif()
    exif[274] = orientation
    more = {"lossless": True} if form == "WEBP" else {}
    found = opened(encoded(stored, form, exif=exif, **more))
    np.testing.assert_array_equal(np.asarray(found), upright)


@pytest.mark.parametrize("exif", [b"Exif\0\0not exif", b"Exif\0\0MM\0*\xff\xff\xff\xff"])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_picture_whose_exif_data_are_damaged(form, exif):
    content = encoded(Image.new("RGB", (3, 2)), form, exif=exif)
    assert opened(content).size == (3, 2)


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_frame_of_an_animation(form):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "lime", "blue")]
    content = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    assert opened(content).getpixel((0, 0)) == pytest.approx((255, 0, 0), abs=3)


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM"])
def test_a_picture_that_is_cut_off(form):
    content = encoded(NOISE, form)
    for share in (0.1, 0.5, 0.9):
        with pytest.raises(InputError, match=r"^it: .*") as caught:
            opened(content[: int(len(content) * share)])
        assert "\n" not in str(caught.value)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"]), st.data())
def test_a_damaged_picture_is_read_or_refused_in_one_line(form, data):
    content = bytearray(encoded(NOISE, form))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert opened(bytes(content)).mode == "RGB"
    except InputError as error:
        assert str(error).startswith("it: ")
        assert "\n" not in str(error)


def png(width, height):
    """A PNG that says it is so large, and holds almost nothing."""

    def chunk(kind, content):
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def iptc(content):
    """An IPTC file that holds this as its JPEG."""

    def field(record, number, value):
        return struct.pack(">BBBH", 0x1C, record, number, len(value)) + value

    head = field(3, 60, b"\1\0") + field(3, 20, b"\x09") + field(3, 30, b"\x09")
    return head + field(3, 120, b"\5") + field(8, 10, content) + bytes(5)


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it: an empty file"),
        (b"hello, I am a text\n", "it: not a picture that can be read"),
        (EPS, "it: not a picture"),
        (iptc(EPS), "it: not a picture"),
        (png(10_000, 10_001), "it: more than 100,000,000 pixels"),
        (png(100_000, 100_000), "it: more than 100,000,000 pixels"),
    ],
)
def test_what_is_no_picture(content, message):
    with pytest.raises(InputError, match=message):
        opened(content)


def test_places_without_a_picture(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"absent\.png: no such file"):
        open_picture(tmp_path / "absent.png")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        open_picture(tmp_path)
    with pytest.raises(InputError, match="null"):
        open_picture(tmp_path / "a\0b")
    (tmp_path / "large.png").write_bytes(encoded(NOISE, "PNG"))
    assert open_picture(tmp_path / "large.png").size == (16, 16)
    assert open_picture(str(tmp_path / "large.png")).size == (16, 16)
    with pytest.raises(InputError, match=r"nowhere\.png: no such file"):
        open_picture(str(tmp_path / "nowhere.png"))
    monkeypatch.setattr(pictures, "MAX_BYTES", 100)
    with pytest.raises(InputError, match=r"large\.png: more than 100 bytes"):
        open_picture(tmp_path / "large.png")


def test_a_picture_of_the_networks_size_is_taken_as_it_is():
    picture = Image.fromarray(np.array([[[0, 51, 255], [255, 0, 0]], [[0] * 3, [102] * 3]], "u1"))
    settings = {**PLAIN, "mean": [0.5, 0, 0], "std": [0.5, 1, 0.2], "resize": 3}
    found = prepare(picture, settings)
    assert (found.dtype, found.shape) == (np.float32, (3, 2, 2))
    np.testing.assert_allclose(found[0], [[-1, 1], [-1, -0.2]], atol=1e-6)
    np.testing.assert_allclose(found[1], [[0.2, 0], [0, 0.4]], atol=1e-6)
    np.testing.assert_allclose(found[2], [[5, 0], [0, 2]], atol=1e-6)
    grey = prepare(picture, {**PLAIN, "channels": 1, "mean": [0], "std": [1]})
    expected = [[0.587 * 51 + 0.114 * 255, 0.299 * 255], [0, 102]]
    np.testing.assert_allclose(grey, np.array([expected]) / 255, atol=0.6 / 255)


def test_the_middle_of_a_wide_picture_is_seen():
    stripes = Image.new("RGB", (300, 100), "red")
    stripes.paste("lime", (100, 0, 200, 100))
    for picture in (stripes, stripes.transpose(Image.Transpose.ROTATE_90)):
        found = np.asarray(crop(picture, 10))
        assert (found[..., 1] > 200).all()  # antialiasing reaches over the edge
        assert (found[1:-1, 1:-1] == (0, 255, 0)).all()


def test_what_lies_outside_the_crop_is_not_seen():
    framed = Image.new("RGB", (256, 256), "red")
    framed.paste("lime", (16, 16, 240, 240))  # 224 of 256
    assert (np.asarray(crop(framed, 56, 64))[1:-1, 1:-1] == (0, 255, 0)).all()
    assert (np.asarray(crop(framed, 60, 64))[0] == (255, 0, 0)).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_resizing_is_the_antialiased_one_of_torch(side, size, seed):
    array = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    planes = torch.from_numpy(array).permute(2, 0, 1)[None].float()
    expected = torch.nn.functional.interpolate(
        planes, (size, size), mode="bilinear", antialias=True, align_corners=False
    )
    found = prepare(Image.fromarray(array), {**PLAIN, "size": size})
    np.testing.assert_allclose(found * 255, expected[0].numpy(), atol=1.5)


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1), (3, 2)])
def test_odd_shapes_have_an_answer(size):
    found = prepare(Image.new("RGB", size, (255, 0, 0)), {**PLAIN, "size": 224, "resize": 256})
    assert found.shape == (3, 224, 224)
    assert (found[0] == 1).all()
    assert not found[1:].any()


def page(size, ink, paper=255, pen=0):
    """A page with rectangles of ink: (left, top, right, bottom)."""
    picture = Image.new("RGB", size, (paper,) * 3)
    for box in ink:
        picture.paste((pen,) * 3, box)
    return picture


def placed(picture):
    return np.asarray(digit(picture))


@given(st.binary(min_size=26 * 26, max_size=26 * 26))
def test_one_of_mnists_digits_stays_as_it_is(inside):
    array = np.zeros((28, 28), np.uint8)
    array[1:-1, 1:-1] = np.frombuffer(inside, np.uint8).reshape(26, 26)
    np.testing.assert_array_equal(placed(Image.fromarray(array).convert("RGB")), array)
    np.testing.assert_array_equal(placed(Image.fromarray(255 - array).convert("RGB")), array)


def test_a_stroke_by_hand():
    """40 x 100 pixels of ink become 8 x 20, their middle on pixel 14, 14."""
    expected = np.zeros((28, 28), np.uint8)
    expected[4:24, 10:18] = 255
    found = placed(page((200, 300), [(150, 190, 190, 290)]))
    assert np.abs(np.argwhere(found).mean(axis=0) - 14).max() <= 0.5
    assert sorted(found.sum(axis=0)) == sorted(expected.sum(axis=0))
    assert sorted(found.sum(axis=1)) == sorted(expected.sum(axis=1))


@settings(deadline=None)
@given(
    st.integers(10, 60), st.integers(10, 60), st.integers(1, 3),
    st.sampled_from([(255, 0), (0, 255), (230, 20), (180, 120), (60, 110)]),
)  # fmt: skip
def test_neither_place_nor_scale_nor_paper_matters(left, top, scale, colours):
    """An L of 20 x 20 strokes, wherever and however it is drawn."""
    ink = [(0, 0, 4, 20), (4, 16, 20, 20)]
    boxes = [
        (left + a * scale, top + b * scale, left + c * scale, top + d * scale)
        for a, b, c, d in ink
    ]  # fmt: skip
    found = placed(page((140, 130), boxes, *colours))
    l_shape = np.zeros((20, 20), np.uint8)
    l_shape[:, :4] = l_shape[16:] = 255
    rows, columns = np.nonzero(found)
    box = found[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    np.testing.assert_array_equal(box, l_shape)
    weights = found / found.sum()
    mass = [(weights.sum(axis=axis) * np.arange(28)).sum() for axis in (1, 0)]
    assert np.abs(np.array(mass) - 14).max() <= 0.5


def test_a_thin_pen_on_a_large_page_is_still_seen():
    found = placed(page((1000, 1000), [(300, 100, 304, 900)]))
    assert found.max() == 255
    assert (found > 0).sum() == 20


@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_blank_page_stays_blank(level):
    rough = np.random.default_rng(1).integers(-4, 5, (50, 40, 3)) + level
    for blank in (np.full((50, 40, 3), level), np.clip(rough, 0, 255)):
        assert not placed(Image.fromarray(blank.astype(np.uint8))).any()


DIGITS = {"channels": 1, "size": 28, "mean": [0.25], "std": [0.5], "fit": "digit"}


@pytest.mark.parametrize("size", [(28, 28), (50, 40), (1, 1)])
@pytest.mark.parametrize("level", [0, 90, 255])
def test_no_digit_is_on_a_blank_page(size, level):
    rough = np.random.default_rng(1).integers(-4, 5, size) + level
    for blank in (np.full(size, level), np.clip(rough, 0, 255)):
        with pytest.raises(InputError, match="the picture is blank"):
            prepare(Image.fromarray(blank.astype(np.uint8)), DIGITS)
    assert prepare(Image.new("L", size, level), {**DIGITS, "fit": "crop"}).shape == (1, 28, 28)


def test_digits_as_the_network_sees_them():
    found = prepare(page((100, 100), [(40, 40, 60, 60)]), DIGITS)
    assert found.shape == (1, 28, 28)
    assert set(np.unique(found).tolist()) == {-0.5, 1.5}
    assert (found > 0).sum() == 400
