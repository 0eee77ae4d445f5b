"""A picture's pixels are what a viewer shows; a broken file is an error in words."""

import io

import numpy as np
import pytest
from PIL import Image

from engine.worker.pictures import FORMATS, BrokenPicture, pixels_of

ORIENTATION = 0x0112
RED, WHITE = [255, 0, 0], [255, 255, 255]


def saved(picture, form="PNG", **options):
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_rows_of_red_green_blue(form):
    pixels = pixels_of(saved(Image.new("RGB", (3, 2), "red"), form))
    assert pixels.shape == (2, 3, 3)
    assert np.abs(pixels.astype(int) - RED).max() <= 2


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_pixel_becomes_red_green_blue(mode):
    form = "JPEG" if mode == "CMYK" else "PNG"
    assert pixels_of(saved(Image.new(mode, (3, 2)), form)).shape == (2, 3, 3)


def test_sixteen_bits_of_grey_are_as_bright_in_eight():
    grey = Image.fromarray(np.array([[0, 0x5555, 0xAAAA, 0xFFFF]], dtype=np.uint16))
    assert pixels_of(saved(grey))[0, :, 0].tolist() == [0, 0x55, 0xAA, 0xFF]


def test_what_is_transparent_is_white():
    picture = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    picture.putpixel((0, 0), (255, 0, 0, 255))
    assert pixels_of(saved(picture)).tolist() == [[RED, WHITE]]


def test_a_photograph_is_turned_the_right_way_up():
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    assert pixels_of(saved(Image.new("RGB", (3, 2)), "JPEG", exif=exif)).shape == (3, 2, 3)


def test_of_several_pictures_the_first_counts():
    frames = [Image.new("RGB", (2, 2), colour) for colour in ("red", "white")]
    pixels = pixels_of(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert pixels[0, 0].tolist() == RED


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_a_file_that_is_cut_off_is_an_error_in_words(form):
    whole = saved(Image.effect_noise((60, 60), 90).convert("RGB"), form)
    with pytest.raises(BrokenPicture, match=r"\w"):
        pixels_of(whole[: len(whole) // 2])


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_an_error_in_words(content):
    with pytest.raises(BrokenPicture, match=r"\w"):
        pixels_of(content)


def test_a_picture_larger_than_wanted_is_made_smaller_in_its_proportions():
    content = saved(Image.new("RGB", (300, 200)))
    assert pixels_of(content, 150).shape == (100, 150, 3)
    assert pixels_of(content, 300).shape == (200, 300, 3)
