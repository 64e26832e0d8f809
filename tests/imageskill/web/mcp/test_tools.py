import pytest
from jsonschema import Draft202012Validator

from imageskill.cli.grammar import reading, table
from imageskill.web.mcp import tools

MODELS = [
    {
        "id": "local.sketch",
        "status": "available",
        "supports": ["create"],
        "model_parameters": {
            "properties": {"seed": {"executable": True}, "raw": {"executable": False}}
        },
    },
    {"id": "far.away", "status": "unavailable", "supports": ["create"]},
]


def listed(*, runs_locally=False):
    return {one.name: one for one in tools.list_tools(MODELS, runs_locally=runs_locally)}


class TestListed:
    @pytest.mark.parametrize("runs_locally", [True, False])
    def test_schemas_are_schemas(self, runs_locally):
        for tool in listed(runs_locally=runs_locally).values():
            Draft202012Validator.check_schema(tool.input_schema)
            assert set(tool.input_schema["required"]) <= set(tool.input_schema["properties"])

    def test_every_operation_of_the_service_is_there(self):
        endpoints = {one.endpoint for one in table.COMMANDS if one.endpoint and not one.is_local}
        named = {tools.tool_name(one): one.endpoint for one in table.COMMANDS}
        assert endpoints <= {named[name] for name in listed() if name != "upload"}

    def test_files_and_tokens_are_for_the_callers_machine(self):
        assert "assets_get" not in listed()
        assert "assets_get" in listed(runs_locally=True)
        assert "prompt_file" not in listed()["create"].input_schema["properties"]
        for tool in listed(runs_locally=True).values():
            assert not {"token", "token_stdin", "api_base_url"} & set(
                tool.input_schema["properties"]
            )

    def test_create_knows_the_models_that_run_and_their_controls(self):
        properties = listed()["create"].input_schema["properties"]
        assert properties["model"]["enum"] == ["local.sketch"]
        assert list(properties["model_parameters"]["properties"]) == ["seed"]

    def test_hints_tell_reading_from_destroying(self):
        assert listed()["whoami"].annotations.read_only_hint
        assert not listed()["create"].annotations.read_only_hint
        assert listed()["assets_delete"].annotations.destructive_hint


class TestCommandLine:
    def read(self, name, **arguments):
        return reading.parse(tools.command_line(name, arguments, runs_locally=False))

    def test_arguments_become_flags_of_the_same_meaning(self):
        call = self.read(
            "create",
            prompt="--a cat",
            dry_run=True,
            max_usd=0.25,
            output_count=2,
            model_parameters={"seed": 1},
            reference_image=["image_1@0", "image_2@1"],
        )
        assert call.given == {
            "json": True,
            "prompt": "--a cat",
            "dry-run": True,
            "max-usd": 0.25,
            "output-count": 2,
            "model-parameters-json": {"seed": 1},
            "reference-image": ["image_1@0", "image_2@1"],
        }

    def test_words_are_joined(self):
        call = self.read("feedback_create", title="t", surface=["cli", "docs"])
        assert call.get("surface") == ["cli", "docs"]

    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            ("paint", {}),
            ("auth_save", {}),
            ("whoami", {"api-base-url": "http://evil.example"}),
            ("whoami", {"api_base_url": "http://evil.example"}),
            ("whoami", {"token": "isk_r_1"}),
            ("create", {"prompt_file": "/etc/passwd"}),
        ],
    )
    def test_what_is_no_tool_or_argument_is_refused(self, name, arguments):
        with pytest.raises(tools.UnknownTool):
            tools.command_line(name, arguments, runs_locally=False)
