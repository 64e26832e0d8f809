import hashlib
import io
import itertools
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from accounts.event_types import EVENT_TYPES
from imageskill.cli.addresses import API_URL, SITE_URL
from imageskill.cli.grammar import table
from imageskill.lib import clock
from imageskill.web.api import api as ninja_api
from imageskill.web.documents import pages, skills, tables
from jobs import registry

DOCUMENTS = ["/skill.md", "/llms.txt", "/cli.md", "/agents.md"]
READERS = {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.safe_load}


@pytest.fixture
def text_of(client, db):
    def get(path):
        response = client.get(path)
        assert response.status_code == 200
        return response.content.decode()

    return get


def front_matter(text):
    """The YAML between the first two lines of dashes, parsed; None where there is none."""
    if not text.startswith("---\n"):
        return None
    return yaml.safe_load(text.split("\n---\n", 1)[0])


class TestDocuments:
    @pytest.mark.parametrize(
        "path", ["/", *DOCUMENTS, "/SKILL.md", "/commands.json", "/image-skill.pyz"]
    )
    def test_are_there_for_everybody(self, client, db, path):
        assert client.get(path).status_code == 200
        assert client.head(path).status_code == 200
        assert client.post(path).status_code == 405

    @pytest.mark.parametrize("path", DOCUMENTS)
    def test_name_this_installation_and_leave_no_holes(self, text_of, settings, path):
        settings.PUBLIC_API_URL = "https://api.example.org"
        text = text_of(path)
        assert "https://api.example.org" in text
        assert "{{" not in text
        assert "&quot;" not in text
        assert "None" not in text

    def test_the_command_reference_has_every_command_and_flag(self, text_of):
        text = text_of("/cli.md")
        for command in table.COMMANDS:
            section = text.split(f"### `{command.label}`")[1].split("\n### ")[0]
            for flag in command.flags:
                assert f"--{flag.name}" in section or flag.is_positional or flag.is_hidden

    def test_promises_of_the_contract_are_those_of_the_settings(self, text_of, settings):
        settings.KEEP_UPLOADS_DAYS, settings.KEEP_UNUSED_UPLOADS_DAYS = 77, 33
        text = text_of("/llms.txt")
        assert "uploads are deleted after 77 days, and after 33 while no job has used them" in text
        assert "permanent" not in text

    def test_the_contract_has_every_code_event_and_model(self, text_of):
        text = text_of("/llms.txt")
        for cls in tables.error_classes():
            assert f"| {cls.code} | {cls.status} | {cls.exit_code} |" in text
        for name in EVENT_TYPES:
            assert f"| {name} |" in text
        for model in registry.models():
            assert f"| {model.id} |" in text
        assert "| starter-500 | 500 | 5.00 USD |" in text

    def test_each_code_has_one_row(self, text_of):
        codes = re.findall(r"^\| ([A-Z_]+) \| \d{3} \|", text_of("/llms.txt"), flags=re.MULTILINE)
        assert len(codes) == len(set(codes)) > 25

    @pytest.mark.parametrize("path", DOCUMENTS)
    def test_tables_are_whole(self, text_of, path):
        lines = text_of(path).splitlines()
        for before, line in itertools.pairwise(lines):
            if line.startswith("|") and before.startswith("|"):
                assert line.count("|") == before.count("|"), line


class TestAgentsGuide:
    def test_every_setup_is_whole_and_leads_here(self, text_of, settings):
        settings.PUBLIC_API_URL = "https://api.example.org"
        text = text_of("/agents.md")
        found = [
            (language, block)
            for language, block in re.findall(r"```(\w+)\n(.*?)```", text, flags=re.DOTALL)
            if language in {"json", "toml", "yaml"}
        ]
        assert [language for language, _ in found] == [*["json"] * 5, "toml", "yaml"]
        for language, block in found:
            setup = READERS[language](block)
            if "image-skill.pyz" in block:
                assert '["/path/to/image-skill.pyz", "mcp"]' in block
            elif language == "yaml":
                parameters = setup["model_list"][0]["litellm_params"]
                assert parameters["api_base"] == "https://api.example.org/openai/v1"
            else:
                assert '"https://api.example.org/mcp"' in block

    def test_the_copy_for_readers_of_the_source_is_the_page(self):
        copy = Path(__file__).parents[3] / "docs" / "agents.md"
        page = pages.render_agents(api_url=API_URL, site_url=SITE_URL)
        assert copy.read_text(encoding="utf-8") == page

    def test_names_only_endpoints_that_there_are(self, text_of):
        named = re.findall(r"`(GET|POST) (/v1/[a-zA-Z_/-]+)`", text_of("/agents.md"))
        assert len(named) >= 4
        for method, path in named:
            endpoint = ninja_api.get_openapi_schema()["paths"][path.replace("JOB_ID", "{job_id}")]
            assert method.lower() in endpoint, path


class TestCommandsAsData:
    def test_every_command_is_there(self, client, db):
        found = client.get("/commands.json").json()["commands"]
        assert [one["label"] for one in found] == [one.label for one in table.COMMANDS]
        create = next(one for one in found if one["label"] == "image-skill create")
        assert create["endpoint"] == "POST /v1/create"
        assert "--prompt PROMPT" in [flag["name"] for flag in create["flags"]]


class TestProbes:
    @pytest.mark.parametrize(
        ("method", "path", "accept"),
        [
            ("GET", "/.well-known/oauth-authorization-server", "*/*"),
            ("GET", "/.well-known/openid-configuration", "text/html"),
            ("GET", "/.well-known/agent-skills/nothing.json", ""),
            ("GET", "/.well-known/security.txt", "text/plain"),
            ("POST", "/register", "application/json"),
        ],
    )
    def test_programs_are_told_in_json_that_nothing_is_there(
        self, client, db, method, path, accept
    ):
        response = client.generic(method, path, headers={"Accept": accept} if accept else {})
        assert response.status_code == 404
        assert response.json()["error"] == "not_found"

    def test_people_get_a_page(self, client, db):
        response = client.get("/nothing-here", headers={"Accept": "text/html,*/*;q=0.8"})
        assert response.status_code == 404
        assert "Page not found" in response.content.decode()


class TestSkillDiscovery:
    def test_the_index_vouches_for_the_text_that_is_served(self, client, db):
        response = client.get("/.well-known/agent-skills/index.json")
        offered = response.json()["skills"]
        assert response["Access-Control-Allow-Origin"] == "*"
        for skill in offered:
            served = client.get(skill["url"]).content
            assert skill["digest"] == "sha256:" + hashlib.sha256(served).hexdigest()
        assert client.get(offered[0]["url"]).content == client.get("/skill.md").content

    def test_the_skill_has_the_names_that_agents_search_for(self, client, db):
        offered = client.get("/.well-known/agent-skills/index.json").json()["skills"]
        names = [skill["name"] for skill in offered]
        assert names[0] == "image-skill"
        assert {"image-generation", "image-edit"} < set(names)
        assert len({skill["description"] for skill in offered}) == len(names)
        body = client.get("/skill.md").content.decode().split("---\n", 2)[2]
        for skill in offered:
            assert client.get(skill["url"]).content.decode().split("---\n", 2)[2] == body

    @pytest.mark.parametrize("path", [*DOCUMENTS, *(skill.path for skill in skills.SKILLS)])
    def test_front_matter_is_yaml_that_installers_take(self, text_of, path):
        matter = front_matter(text_of(path))
        if not path.lower().endswith("/skill.md"):
            assert matter is None
            return
        assert set(matter) <= {"name", "description", "license", "compatibility", "metadata"}
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", matter["name"])
        assert len(matter["name"]) <= 64
        assert 0 < len(matter["description"]) <= 1024
        assert all(isinstance(value, str) for value in matter["metadata"].values())

    def test_the_index_says_the_same_as_the_front_matter(self, client, db):
        for skill in client.get("/.well-known/agent-skills/index.json").json()["skills"]:
            matter = front_matter(client.get(skill["url"]).content.decode())
            assert skill["name"] == matter["name"] == skill["url"].split("/")[-2]
            assert skill["description"] == matter["description"]


class TestClientInOneFile:
    def test_runs_by_itself(self, client, db, tmp_path):
        file = tmp_path / "image-skill.pyz"
        file.write_bytes(client.get("/image-skill.pyz").content)
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(file), "version"], capture_output=True, check=True
        )
        assert json.loads(done.stdout)["data"]["package"] == "image-skill"

    def test_talks_to_the_server_that_it_came_from(self, client, db, settings, tmp_path):
        settings.PUBLIC_API_URL = "http://127.0.0.1:9"
        settings.PUBLIC_SITE_URL = "http://127.0.0.1:9/site"
        file = tmp_path / "image-skill.pyz"
        file.write_bytes(client.get("/image-skill.pyz").content)

        def run(*words, stdin=""):
            done = subprocess.run(
                [sys.executable, "-I", "-S", str(file), *words],
                env={"HOME": str(tmp_path)},
                input=stdin,
                capture_output=True,
                text=True,
                check=False,
            )
            return json.loads(done.stdout)

        assert run("doctor")["data"]["api_base_url"] == "http://127.0.0.1:9"
        docs_url = run("create")["error"]["recovery"]["docs_url"]
        assert docs_url.startswith("http://127.0.0.1:9/site/cli.md")
        ping = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"})
        assert "did not answer" in run("mcp", stdin=f"{ping}\n")["error"]["message"]

    def test_holds_the_command_line_and_nothing_else_of_ours(self, client, db):
        archive = zipfile.ZipFile(io.BytesIO(client.get("/image-skill.pyz").content))
        ours = {name.split("/")[1] for name in archive.namelist() if name.startswith("imageskill/")}
        assert ours - {""} == {"__init__.py", "cli"}


class TestApiDescription:
    def test_the_page_takes_nothing_from_elsewhere(self, client, db):
        text = client.get("/v1/docs").content.decode()
        assert "swagger-ui-bundle" in text
        assert "https://" not in text
        assert client.get("/v1/openapi.json").json()["openapi"].startswith("3.")

    def test_the_page_is_ours_and_fits_a_phone_the_night_and_no_scripts(self, client, db):
        text = client.get("/v1/docs").content.decode()
        assert 'name="viewport"' in text
        assert 'content="light dark"' in text
        assert "<title>Image Skill API reference</title>" in text
        assert "<noscript>" in text

    def test_it_names_this_server_and_one_way_to_authenticate(self, client, db, settings):
        settings.PUBLIC_API_URL = "https://api.example.org"
        document = client.get("/v1/openapi.json").json()
        assert document["servers"] == [{"url": "https://api.example.org"}]
        assert list(document["components"]["securitySchemes"]) == ["Bearer"]
        paths = document["paths"]
        assert paths["/v1/quota"]["get"]["security"] == [{"Bearer": []}]
        assert paths["/v1/create"]["post"]["security"] == [{}, {"Bearer": []}]

    def test_every_answer_is_a_named_envelope_and_errors_are_listed(self, client, db):
        document = client.get("/v1/openapi.json").json()
        schemas = document["components"]["schemas"]
        for path in document["paths"].values():
            for operation in path.values():
                assert {"4XX", "5XX"} < set(operation["responses"])
                for answer in operation["responses"].values():
                    reference = answer["content"]["application/json"]["schema"]["$ref"]
                    assert "trace_id" in schemas[reference.rpartition("/")[2]]["required"]

    def test_every_field_that_callers_send_is_explained(self, client, db):
        document = client.get("/v1/openapi.json").json()
        schemas = document["components"]["schemas"]
        unexplained = []
        for path in document["paths"].values():
            for operation in path.values():
                fields = {one["name"]: one for one in operation.get("parameters", ())}
                content = operation.get("requestBody", {}).get("content", {})
                body = content.get("application/json", {}).get("schema", {})
                body = schemas.get(body.get("$ref", "").rpartition("/")[2], body)
                fields |= body.get("properties", {})
                unexplained += [
                    (operation["operationId"], name)
                    for name, field in fields.items()
                    if not field.get("description")
                ]
        assert unexplained == []

    def test_is_made_once_for_a_server(self, settings):
        first = ninja_api.get_openapi_schema(path_prefix="")
        assert ninja_api.get_openapi_schema(path_prefix="") is first
        settings.PUBLIC_API_URL = "https://other.example.org"
        other = ninja_api.get_openapi_schema(path_prefix="")
        assert other["servers"] == [{"url": "https://other.example.org"}]

    def test_bounds_are_those_of_json_schema(self, client, db):
        text = client.get("/v1/openapi.json").content.decode()
        assert '"ge":' not in text
        assert '"le":' not in text

    def test_the_examples_are_plans_that_charge_nothing(self, api, db):
        document = ninja_api.get_openapi_schema(path_prefix="")
        example = document["components"]["schemas"]["CreateBody"]["example"]
        answer = api.post("/v1/create", json=example)
        assert answer.code in {None, "MODEL_UNAVAILABLE", "BUDGET_EXCEEDED"}

    def test_every_operation_has_a_short_id_of_its_own(self, client, db):
        paths = client.get("/v1/openapi.json").json()["paths"]
        ids = [operation["operationId"] for path in paths.values() for operation in path.values()]
        assert len(set(ids)) == len(ids)
        # Ninja makes ids of a module's path where none is set, and they change when it moves.
        assert [one for one in ids if re.match(r"(accounts|feedback|imageskill|jobs)_", one)] == []
        assert all(re.fullmatch(r"[a-z]+(_[a-z]+){0,4}", one) for one in ids)


def test_security_txt_names_whom_to_tell(client, settings):
    settings.SECURITY_CONTACT = "mailto:security@example.com"
    answer = client.get("/.well-known/security.txt")
    assert answer["Content-Type"].startswith("text/plain")
    lines = dict(line.split(": ", 1) for line in answer.content.decode().splitlines())
    assert lines["Contact"] == "mailto:security@example.com"
    assert lines["Expires"] > clock.now().isoformat()
