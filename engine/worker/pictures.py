"""Owns the way from a picture's file to its pixels. Must not know what becomes of them.

The host has seen the header and refused what is too large. What is decoded here is decoded in a process of its own.
"""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")

Pixels = NDArray[np.uint8]
"""(rows, columns, red-green-blue)"""

Image.MAX_IMAGE_PIXELS = None
"""How many there may be is a setting of the server's."""


class BrokenPicture(ValueError):
    """The file's content is no whole picture; the text says what is wrong with it."""


def pixels_of(content: bytes, most_side_pixels: int | None = None) -> Pixels:
    """The picture as a viewer shows it: the right way up, the first of several, on white where it is transparent; no side longer than
    `most_side_pixels`."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as picture:
            upright = _on_white(_in_eight_bits(ImageOps.exif_transpose(picture)))
            if most_side_pixels is not None:
                upright.thumbnail((most_side_pixels, most_side_pixels))
            return np.asarray(upright)
    except Exception as error:
        # Pillow's decoders raise whatever a broken file brings about.
        raise BrokenPicture(str(error) or type(error).__name__) from error


def _in_eight_bits(picture: Image.Image) -> Image.Image:
    """Of 16 bits of grey Pillow would cut off what is above 255: nearly all would be white."""
    if picture.mode != "I;16":
        return picture
    return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))


def _on_white(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layered = picture.convert("RGBA")
    canvas = Image.new("RGBA", layered.size, "white")
    canvas.alpha_composite(layered)
    return canvas.convert("RGB")
