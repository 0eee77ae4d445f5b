"""The documentation page in a real browser: it chooses among the documents, and "Try it out" works with a bearer key."""

import shutil
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from tests.launch import serving

KEY = "tl-browser-key"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SCREENSHOTS = Path(__file__).parents[2] / "reports"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
]

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    directory = tmp_path_factory.mktemp("docs")
    (directory / "keys").write_text(KEY + "\n")
    with serving(directory, "--api-key-file", str(directory / "keys")) as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, guarded):
    """The documentation page; it may load nothing from anywhere else, and may log no error."""
    page = browser.new_page(viewport={"width": 1280, "height": 1600})
    foreign, errors = [], []
    page.on(
        "request",
        lambda request: None if request.url.startswith((guarded.url, "data:")) else foreign.append(request.url),
    )
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{guarded.url}/docs")
    yield page
    page.close()
    assert foreign == []
    assert errors == []


@pytest.mark.parametrize(
    ("document", "operation"),
    [("openai", "/chat/completions"), ("ollama", "/api/chat"), ("server", "/v1/tokenize")],
)
def test_each_document_can_be_chosen_and_is_rendered(document, operation, page):
    chooser = page.locator("select#select")
    labels = chooser.locator("option").all_inner_texts()
    (label,) = [text for text in labels if document.lower() in text.lower()]
    chooser.select_option(label=label)
    expect(page.locator(f'.opblock-summary-path[data-path="{operation}"]').first).to_be_visible()
    expect(page.get_by_text("Unable to render")).to_have_count(0)


def test_try_it_out_answers_with_a_bearer_key_and_not_without(page):
    block = page.locator("#operations-Models-listModels")
    block.locator(".opblock-summary").first.click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    status = block.locator(".live-responses-table tbody .response-col_status").first
    expect(status).to_contain_text("401")

    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".auth-container input").fill(KEY)
    page.locator(".auth-btn-wrapper button.authorize").click()
    page.locator(".auth-btn-wrapper button.btn-done").click()
    block.get_by_role("button", name="Execute").click()
    expect(status).to_contain_text("200")
    expect(block.locator(".live-responses-table .microlight").first).to_contain_text("trueline-demo")
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "docs.png")


def test_a_chat_can_be_tried_out(page):
    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".auth-container input").fill(KEY)
    page.locator(".auth-btn-wrapper button.authorize").click()
    page.locator(".auth-btn-wrapper button.btn-done").click()
    block = page.locator("#operations-Chat-createChatCompletion")
    block.locator(".opblock-summary").first.click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table tbody .response-col_status").first).to_contain_text(
        "200", timeout=30_000
    )
    expect(block.locator(".live-responses-table .microlight").first).to_contain_text("chat.completion")


def test_the_page_names_no_other_host(guarded):
    page = httpx.get(f"{guarded.url}/docs").text
    assert "https://" not in page
    assert "//cdn" not in page
