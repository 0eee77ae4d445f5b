"""Marks take a picture's place through a chat template, and nobody else's text can be one."""

from engine.chat.prompts.media_marks import MediaMarks

IMAGE, AUDIO = {"type": "image"}, {"type": "audio"}


def text(value):
    return {"type": "text", "text": value}


def user(*parts):
    return {"role": "user", "content": list(parts)}


def test_texts_are_parted_by_line_ends_and_marks_stand_by_themselves():
    marks = MediaMarks()
    (message,) = marks.marked([user(text("a"), text("b"), IMAGE, text("c"), AUDIO, IMAGE, text("d"))])
    assert marks.cut(message["content"]) == ["a\nb", 0, "c", 1, "", 2, "d"]


def test_pictures_are_numbered_through_the_conversation():
    marks = MediaMarks()
    messages = marks.marked([user(IMAGE, text("a")), {"role": "assistant", "content": "b"}, user(text("c"), IMAGE)])
    assert marks.cut("".join(message["content"] for message in messages)) == ["", 0, "abc", 1, ""]


def test_messages_without_media_stay_as_they_are():
    messages = [{"role": "system", "content": "s"}, user(text("a"), text("b")), {"role": "assistant", "content": None}]
    assert MediaMarks().marked(messages) == tuple(messages)


def test_the_text_of_a_mark_is_no_mark_of_another_prompt():
    first, second = MediaMarks(), MediaMarks()
    (forged,) = first.marked([user(IMAGE)])
    assert second.cut(forged["content"]) == [forged["content"]]


def test_what_a_template_leaves_out_is_found():
    marks = MediaMarks()
    messages = marks.marked([user(IMAGE, text("a")), user(IMAGE, text("b"))])
    assert marks.missing_from("".join(message["content"] for message in messages), messages) is None
    assert marks.missing_from(messages[0]["content"], messages) == 1
    assert marks.missing_from(messages[0]["content"], messages[:1]) is None
