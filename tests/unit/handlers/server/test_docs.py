"""The documentation page and its files, as they are served."""

import re
import sys

from tests.unit.handlers.scripted_engine import client


async def test_every_file_that_the_page_names_is_served():
    async with client() as http:
        page = (await http.get("/docs")).text
        named = re.findall(r'(?:src|href)="([^"]+)"', page)
        answers = [await http.get(path) for path in named]
    assert len(named) >= 5
    assert all(path.startswith("/docs/") for path in named)
    assert [answer.status_code for answer in answers] == [200] * len(named)


async def test_the_page_runs_no_script_but_the_servers_files():
    async with client() as http:
        response = await http.get("/docs")
    assert "script-src 'self';" in response.headers["content-security-policy"]
    assert not re.search(r"<script(?![^>]*src=)", response.text)


async def test_a_file_that_the_browser_has_is_not_sent_again():
    async with client() as http:
        first = await http.get("/docs/swagger-ui.css")
        again = await http.get("/docs/swagger-ui.css", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_swagger_ui_is_one_that_reads_3_1():
    async with client() as http:
        bundle = (await http.get("/docs/swagger-ui-bundle.js")).text
    assert "3.1." in bundle


async def test_a_slash_too_many_leads_to_the_page():
    async with client() as http:
        response = await http.get("/docs/")
    assert (response.status_code, response.headers["location"]) == (308, "/docs")


async def test_no_other_file_is_reachable():
    async with client() as http:
        for path in ("/docs/index.html", "/docs/../docs.py", "/docs/__init__.py", "/docs/%2e%2e/docs.py"):
            assert (await http.get(path)).status_code == 404


async def test_each_document_can_be_chosen():
    async with client() as http:
        setup = (await http.get("/docs/setup.js")).text
        for url in re.findall(r'url: "([^"]+)"', setup):
            assert (await http.get(url)).json()["openapi"] == "3.1.0"
    assert setup.count("url: ") == 3
    assert "persistAuthorization: true" in setup
    assert "flask_swagger_ui" not in sys.modules
