"""Pictures and sound through the real server with the official clients: the answer depends on them; what is bad is refused by its place."""

import base64
import io
import struct
import wave

import httpx
import numpy as np
import ollama
import openai
import pytest
from PIL import Image

from engine import BUNDLED_MODEL
from tests.launch import DEMO_MODEL, serving
from tools.bench_model import projectors
from tools.bench_model.projectors import PROJECTORS, write_projector
from tools.bench_model.shapes import PRESETS
from tools.make_bench_model import write_model


@pytest.fixture(scope="module")
def seeing(tmp_path_factory):
    """A server with a model that sees and hears, and one that does neither."""
    directory = tmp_path_factory.mktemp("media")
    write_model(directory / "seeing.gguf", PRESETS["test-attention"], name="seeing")
    write_projector(directory / "mmproj-seeing-F16.gguf", PROJECTORS["omni"], model_width=64)
    models = ("--model", str(directory / "seeing.gguf"), "--model", str(BUNDLED_MODEL))
    with serving(directory, *models, "--max-media", "3", "--max-audio-seconds", "5") as running:
        yield running


@pytest.fixture(scope="module")
def client(seeing):
    with openai.OpenAI(base_url=f"{seeing.url}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def native(seeing):
    client = ollama.Client(seeing.url)
    yield client
    client.close()


def picture(seed, form="PNG"):
    pixels = np.random.default_rng(seed).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def sound(seed, seconds=1):
    samples = np.random.default_rng(seed).normal(0, 3000, 8000 * seconds).astype(np.int16)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, 8000, len(samples), "NONE", ""))
        writer.writeframes(samples.tobytes())
    return file.getvalue()


def encoded(content):
    return base64.b64encode(content).decode()


def image_part(content, **detail):
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded(content)}", **detail}}


def audio_part(content, claim="wav"):
    return {"type": "input_audio", "input_audio": {"data": encoded(content), "format": claim}}


def ask(client, *parts, model="seeing", **changes):
    content = [{"type": "text", "text": "What is it?"}, *parts, {"type": "text", "text": "Tell me."}]
    values = {"model": model, "temperature": 0, "max_tokens": 6, "logprobs": True, **changes}
    return client.chat.completions.create(messages=[{"role": "user", "content": content}], **values)


def drawn(completion):
    return [entry.logprob for entry in completion.choices[0].logprobs.content]


def test_the_same_picture_gives_the_same_answer_and_another_another(client):
    answers = [ask(client, image_part(picture(n), detail="low")) for n in (1, 1, 2)]
    assert drawn(answers[0]) == pytest.approx(drawn(answers[1]), abs=0.02)
    assert drawn(answers[0]) != pytest.approx(drawn(answers[2]), abs=0.02)
    usage = answers[0].usage
    assert usage.prompt_tokens_details.image_tokens == 64
    assert usage.prompt_tokens > 64


def test_a_streamed_answer_is_the_whole_one(client):
    whole = ask(client, image_part(picture(1)))
    stream = ask(client, image_part(picture(1)), stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage.prompt_tokens == whole.usage.prompt_tokens


def test_a_response_looks_at_the_same_picture_as_a_chat_in_messages_and_in_outputs_of_tools(client):
    picked = {"type": "input_image", "image_url": image_part(picture(1))["image_url"]["url"], "detail": "low"}
    content = [{"type": "input_text", "text": "What is it?"}, picked, {"type": "input_text", "text": "Tell me."}]
    asked = {"model": "seeing", "temperature": 0, "max_output_tokens": 16, "include": ["message.output_text.logprobs"]}
    response = client.responses.create(input=[{"role": "user", "content": content}], **asked)
    whole = ask(client, image_part(picture(1), detail="low"), max_tokens=16)
    tokens = [each for item in response.output for part in item.content for each in part.logprobs]
    assert [each.logprob for each in tokens] == pytest.approx(drawn(whole), abs=0.02)
    assert response.usage.input_tokens == whole.usage.prompt_tokens
    call = {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "call_1", "output": [picked]}
    seen = client.responses.create(input=[{"role": "user", "content": "Look."}, call, output], **asked)
    assert seen.usage.input_tokens > 64


def test_sound_is_taken_by_its_content_whatever_it_is_called(client):
    one, same, other = (ask(client, audio_part(sound(n), claim)) for n, claim in ((1, "wav"), (1, "mp3"), (2, "wav")))
    assert drawn(one) == pytest.approx(drawn(same), abs=0.02)
    assert drawn(one) != pytest.approx(drawn(other), abs=0.02)
    assert one.usage.prompt_tokens_details.audio_tokens == 25


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_every_format_is_read(client, form):
    assert ask(client, image_part(picture(3, form))).usage.prompt_tokens_details.image_tokens == 64


def bomb():
    """A PNG file of a hundred bytes that says it has ten thousand million pixels."""
    whole = bytearray(picture(1))
    whole[16:24] = struct.pack(">II", 100_000, 100_000)
    return bytes(whole)


@pytest.mark.parametrize(
    ("part", "complaint"),
    [
        (image_part(bomb()), "PNG|pixels"),
        (image_part(picture(1)[:-1500]), "truncated"),
        (image_part(b"nothing of the kind"), "expected a PNG"),
        (image_part(sound(1)), "expected a PNG"),
        (audio_part(picture(1)), "expected WAV or MP3"),
        (audio_part(sound(1, seconds=6)), "at most 5"),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}, "empty"),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,%%%"}}, "base64"),
        ({"type": "image_url", "image_url": {"url": "http://169.254.169.254/latest/meta-data"}}, "fetches nothing"),
        ({"type": "file", "file": {"file_data": "aGk="}}, "planned"),
    ],
)
def test_what_cannot_be_taken_is_refused_by_its_place(client, part, complaint):
    with pytest.raises(openai.BadRequestError, match=complaint) as refusal:
        ask(client, part)
    assert refusal.value.param == "messages[0].content[1]"


def broken_files():
    """Whole files with some bytes of others, at their beginnings or anywhere."""
    files = [
        *((image_part, picture(3, form)) for form in ("PNG", "JPEG", "GIF", "BMP", "WEBP")),
        (audio_part, sound(1)),
    ]
    for seed in range(60):
        draw = np.random.default_rng(seed)
        part, whole = files[seed % len(files)]
        content = bytearray(whole)
        for _ in range(draw.integers(1, 12)):
            content[draw.integers(0, 100 if seed % 2 else len(content))] = draw.integers(0, 256)
        yield part(bytes(content))


def test_no_broken_file_costs_more_than_its_own_request(seeing):
    workers = seeing.workers()
    refusals = []
    for part in broken_files():
        body = {"model": "seeing", "max_tokens": 1, "messages": [{"role": "user", "content": [part]}]}
        answer = httpx.post(f"{seeing.url}/v1/chat/completions", json=body, timeout=60)
        assert answer.status_code in {200, 400}, answer.text
        if answer.status_code == 400:
            refusals.append(answer.json()["error"]["param"])
    assert 0 < len(refusals) < 60
    assert set(refusals) == {"messages[0].content[0]"}
    assert seeing.workers() == workers


def test_more_pictures_than_allowed_are_refused_at_the_first_too_many(client):
    with pytest.raises(openai.BadRequestError, match="at most 3") as refusal:
        ask(client, *(image_part(picture(1)) for _ in range(4)))
    assert refusal.value.param == "messages[0].content[4]"


@pytest.mark.parametrize("part", [image_part(picture(1)), audio_part(sound(1))])
def test_a_model_without_a_projector_refuses_by_the_part(client, part):
    with pytest.raises(openai.BadRequestError, match="takes no") as refusal:
        ask(client, part, model=DEMO_MODEL)
    assert refusal.value.param == "messages[0].content[1]"


def test_the_ollama_client_shows_pictures(native):
    options = {"temperature": 0, "num_predict": 6}
    messages = [{"role": "user", "content": "What is it?", "images": [picture(1)]}]
    with_picture = native.chat(model="seeing", messages=messages, options=options)
    without = native.chat(model="seeing", messages=[{"role": "user", "content": "What is it?"}], options=options)
    assert with_picture.prompt_eval_count == without.prompt_eval_count + 64
    generated = native.generate(model="seeing", prompt="What is it?", images=[picture(1)], options=options)
    assert generated.response == with_picture.message.content
    assert generated.prompt_eval_count == with_picture.prompt_eval_count


def test_ollamas_errors_name_the_picture(native):
    with pytest.raises(ollama.ResponseError, match=r"messages\[0\]\.images\[1\]: expected a PNG"):
        native.chat(model="seeing", messages=[{"role": "user", "content": "?", "images": [picture(1), b"no picture"]}])
    with pytest.raises(ollama.ResponseError, match=r"images\[0\]: the model .* takes no pictures"):
        native.generate(model=DEMO_MODEL, prompt="?", images=[picture(1)])
    with pytest.raises(ollama.ResponseError, match="images: cannot be given together with raw"):
        native.generate(model="seeing", prompt="?", images=[picture(1)], raw=True)


def test_models_say_truly_what_they_take(native):
    assert {"vision", "audio"} <= set(native.show("seeing").capabilities)
    assert not {"vision", "audio"} & set(native.show(DEMO_MODEL).capabilities)


def test_a_crash_of_the_encoder_costs_its_request_a_clear_error(tmp_path, monkeypatch):
    """A projector that contradicts itself: libmtmd ends its process when it is to encode with it."""
    monkeypatch.setattr(projectors, "_WHISPER_FRAMES", 10)
    write_model(tmp_path / "deaf.gguf", PRESETS["test-attention"], name="deaf")
    write_projector(tmp_path / "mmproj.gguf", PROJECTORS["audio"], model_width=64)
    with (
        serving(tmp_path, "--model", str(tmp_path / "deaf.gguf"), GGML_NO_BACKTRACE="1") as running,
        openai.OpenAI(base_url=f"{running.url}/v1", api_key="none", max_retries=0) as client,
    ):
        with pytest.raises(openai.InternalServerError, match="SIGABRT") as failure:
            ask(client, audio_part(sound(1)), model="deaf")
        assert failure.value.code == "worker_died"
        assert ask(client, model="deaf").usage.completion_tokens > 0


def test_no_picture_is_fetched_from_a_private_address(tmp_path_factory):
    directory = tmp_path_factory.mktemp("fetching")
    write_model(directory / "seeing.gguf", PRESETS["test-attention"], name="seeing")
    write_projector(directory / "mmproj.gguf", PROJECTORS["vision"], model_width=64)
    with serving(directory, "--model", str(directory / "seeing.gguf"), "--remote-media", "*") as running:
        for host in ("127.0.0.1", "localhost", "[::1]"):
            part = {"type": "image_url", "image_url": {"url": f"http://{host}:{running.port}/docs"}}
            body = {"model": "seeing", "messages": [{"role": "user", "content": [part]}]}
            answer = httpx.post(f"{running.url}/v1/chat/completions", json=body, timeout=60)
            assert answer.status_code == 400
            assert "is not on the public internet" in answer.json()["error"]["message"]
