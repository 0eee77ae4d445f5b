"""Pictures and sounds in a request: base64, data: URLs and addresses."""

import pytest

from handlers.wire.media import MediaSource, decoded, picture_at
from handlers.wire.refusal import InvalidParameter

WHERE = "messages[0].content[1]"


@pytest.mark.parametrize(
    "url",
    [
        "data:image/png;base64,aGk=",
        "data:;base64,aGk=",
        "DATA:image/svg+xml;charset=utf-8;BASE64,aGk=",
        "data:image/png;base64,aG\nk=\r\n",
    ],
)
def test_a_data_url_holds_its_bytes_whatever_type_it_claims(url) -> None:
    assert decoded(picture_at(url, WHERE)) == b"hi"


@pytest.mark.parametrize("url", ["http://example.org/a.png", "HTTPS://example.org/a.png"])
def test_an_address_is_left_to_be_fetched(url) -> None:
    assert picture_at(url, WHERE) == MediaSource("image", WHERE, address=url)


@pytest.mark.parametrize(
    "url", ["", "aGk=", "file:///etc/passwd", "ftp://example.org/a.png", "data:image/png,hi", f"http://{'a' * 9000}"]
)
def test_what_is_neither_is_refused_by_its_place(url) -> None:
    with pytest.raises(InvalidParameter, match=r"^messages\[0\]\.content\[1\]: expected") as refusal:
        picture_at(url, WHERE)
    assert refusal.value.param == WHERE


@pytest.mark.parametrize("text", ["", "a", "@@@@", "aGk", "aGk=aGk=", "äöü="])
def test_what_is_no_base64_is_refused_by_its_place(text) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        decoded(MediaSource("image", WHERE, base64=text))
    assert refusal.value.param == WHERE
