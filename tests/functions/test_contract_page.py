"""The contract as it is served, and its page: whole, from here alone, and nothing else."""

import re
import subprocess
import sys
from hashlib import sha256

import httpx
import pytest
import yaml

from local.seed import LOCAL_EC, LOCAL_PLATFORM
from tests.openapi_check import ROOT, contract

DOCS = "http://archive.test/api/docs"
CONTRACT = "http://archive.test/api/openapi.json"


async def test_the_contract_is_served_as_it_was_written(http: httpx.AsyncClient) -> None:
    answer = await http.get(CONTRACT, headers={"Ocp-Apim-Subscription-Key": ""})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == (ROOT / "contract" / "openapi.json").read_bytes()


@pytest.mark.parametrize("url", [CONTRACT, DOCS, f"{DOCS}/page.js"])
async def test_who_has_a_file_already_is_told_so(http: httpx.AsyncClient, url: str) -> None:
    first = await http.get(url)

    again = await http.get(url, headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("url", [DOCS, f"{DOCS}/"])
async def test_the_page_names_files_that_are_there(http: httpx.AsyncClient, url: str) -> None:
    page = await http.get(url)

    names = re.findall('(?:src|href)="([^"]+)"', page.text)
    files = {name: await http.get(str(page.url.join(name))) for name in names if name != "data:,"}
    kinds = {".css": "text/css", ".js": "text/javascript"}
    assert len(files) == 3
    for name, file in files.items():
        assert file.status_code == 200, name
        assert file.headers["content-type"].startswith(kinds[name[name.rindex(".") :]])
        assert file.headers["x-content-type-options"] == "nosniff"


def test_the_page_names_the_key_of_this_machine_and_links_the_guide() -> None:
    document = contract()

    url = document["externalDocs"]["url"]
    folder, _, file = url.partition("/blob/main/")
    assert folder == yaml.safe_load((ROOT / "publiccode.yml").read_text(encoding="utf-8"))["url"]
    assert (ROOT / file).is_file()
    linked = re.findall(r"\]\(([^)]+)\)", document["info"]["description"])
    assert url in linked
    assert [link for link in linked if not (ROOT / link.removeprefix(f"{folder}/blob/main/")).is_file()] == []
    for text in (
        document["info"]["description"],
        document["components"]["securitySchemes"]["subscriptionKey"]["description"],
    ):
        assert f"`{LOCAL_EC.name}`" in text
        assert f"`{LOCAL_PLATFORM.name}`" in text


async def test_the_page_may_load_and_ask_nothing_from_elsewhere(http: httpx.AsyncClient) -> None:
    page = await http.get(DOCS)

    policy = page.headers["content-security-policy"]
    assert page.headers["content-type"].startswith("text/html")
    assert policy == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert page.headers["referrer-policy"] == "no-referrer"
    assert not re.search(r"https?:|//|<style|<script>| on\w+=", page.text)


async def test_what_the_page_starts_names_nothing_elsewhere(http: httpx.AsyncClient) -> None:
    script = (await http.get(f"{DOCS}/page.js")).text
    style = (await http.get(f"{DOCS}/swagger-ui.css")).text

    assert "validatorUrl: null" in script
    assert "persistAuthorization: false" in script
    assert not re.search(r"https?://", script)
    assert "@import" not in style
    assert set(re.findall(r"url\(\s*[\"']?([^\"')]{5})", style)) == {"data:"}


@pytest.mark.parametrize(
    "name",
    [
        "swagger-ui.css.map",
        "page.html",
        "..",
        "%2e%2e",
        "..%2fopenapi.json",
        "..%2f..%2fhost.json",
        "%00",
        "page.js%00",
    ],
)
async def test_another_name_is_no_file(http: httpx.AsyncClient, name: str) -> None:
    answer = await http.get(f"{DOCS}/{name}")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]


def test_importing_the_app_reads_no_file_of_the_page() -> None:
    ask = (
        "import function_app, contract.files as files;"
        "print(files.contract.cache_info().currsize, files._page_file.cache_info().currsize)"
    )

    answer = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (answer.stdout, answer.stderr) == ("0 0\n", "")


def test_the_files_of_swagger_ui_are_those_that_its_readme_names() -> None:
    folder = ROOT / "contract" / "swagger_ui"
    table = dict(
        re.findall(r"^\| `(\S+)` \| `([0-9a-f]{64})` \|$", (folder / "README.md").read_text("utf-8"), re.MULTILINE)
    )

    found = {file.name: sha256(file.read_bytes()).hexdigest() for file in folder.iterdir() if file.name != "README.md"}

    assert found == table
