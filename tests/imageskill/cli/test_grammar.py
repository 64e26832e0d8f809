import shlex

import pytest

from imageskill.cli.grammar import reading, requests, table, writing
from tests.imageskill.cli.hosted import ASSET_ID


def read(line: str) -> reading.Call:
    return reading.parse(shlex.split(line))


def refusal(line: str) -> reading.UsageError:
    with pytest.raises(reading.UsageError) as caught:
        read(line)
    return caught.value


class TestReading:
    def test_the_last_words_of_seeds_are_all_commands(self):
        for line in (
            "doctor --json",
            "usage quota --json",
            "quota --json",
            "credits packs list --json",
            "credits fake-purchase --quote-id Q --idempotency-key K --json",
            "models --json",
            "capabilities --json",
            f"assets show {ASSET_ID} --json",
            "jobs wait JOB_ID --timeout-ms 30000 --poll-interval-ms 1000 --json",
        ):
            assert read(line).is_on("json")

    def test_an_alias_keeps_the_words_that_were_typed(self):
        call = read("quota")
        assert call.label == "image-skill quota"
        assert call.command.words == ("usage", "quota")

    def test_older_flag_names_mean_the_newer(self):
        call = read("signup --agent --human-email a@example.com --agent-name n --runtime r")
        assert call.get("agent-contact") == "a@example.com"

    def test_values_come_after_an_equals_sign_too(self):
        assert read("create --prompt=--odd").get("prompt") == "--odd"

    def test_a_switch_can_be_turned_off(self):
        assert not read("create --prompt p --dry-run=false").is_on("dry-run")
        assert not read("create --prompt p --dry-run false").is_on("dry-run")

    def test_nothing_at_all_asks_for_help(self):
        assert read("").command.words == ("help",)

    def test_help_beside_a_command_explains_it(self):
        assert read("create --help").get("command") == ["create"]

    @pytest.mark.parametrize(
        ("line", "flags"),
        [
            ("create", ("prompt", "prompt-file")),
            ("create --prompt a --prompt-file b", ("prompt", "prompt-file")),
            ("create --prompt", ("prompt",)),
            ("create --prompt --json", ("prompt",)),
            ("create --prompt a --output-count two", ("output-count",)),
            ("create --prompt a --output-count 0", ("output-count",)),
            ("create --prompt a --max-usd nan", ("max-usd",)),
            ("create --prompt a --model-parameters-json []", ("model-parameters-json",)),
            ("signup --agent --agent-name n", ("runtime",)),
            ("credits quote", ("pack", "credits")),
            ("credits buy --provider visa --quote-id q --idempotency-key k", ("provider",)),
            ("feedback create", ("title", "body")),
            ("assets show https://example.com/cat.png", ("id",)),
            (
                "signup --agent --agent-contact a@b.c --human-email d@e.f --agent-name n",
                ("agent-contact",),
            ),
        ],
    )
    def test_what_is_wrong_names_its_flags(self, line, flags):
        assert refusal(line).flags == flags

    def test_unknown_commands_and_flags_are_refused_without_their_values(self):
        assert refusal("paint --json").command is None
        assert "isk_r_" not in str(refusal("whoami --isk_r_0123456789"))
        assert "secret" not in str(refusal("whoami secret"))

    def test_half_a_command_tells_its_other_half(self):
        error = refusal("credits --json")
        assert "credits quote" in str(error)


class TestMessages:
    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("jobs", "Missing subcommand; choose from: jobs list, "),
            ("paint", "Unknown command; "),
            ("creat --prompt p", "Unknown command. Did you mean `image-skill create`?"),
            ("balance", "Unknown command. Did you mean `image-skill usage quota`?"),
            ("credits balance", "Unknown subcommand. Did you mean `image-skill usage quota`?"),
            ("generate cat", "Unknown command. Did you mean `image-skill create`?"),
            ("model list", "Unknown command. Did you mean `image-skill models list`?"),
            ("jobs shwo x", "Unknown subcommand. Did you mean `image-skill jobs show`?"),
            ("models lst", "Unknown subcommand. Did you mean `image-skill models list`?"),
            ("models shwo", "Unknown subcommand. Did you mean `image-skill models show`?"),
            ("models gpt-image-2", "Unexpected value; "),
            ("create --promt p", "Unknown option --promt. Did you mean --prompt?"),
            ("whoami --colour red", "Unknown option --colour."),
            ("create --model", "--model needs a value."),
            ("create --dry-run=maybe", "--dry-run takes no value."),
            ("whoami me", "Unexpected value; "),
            ("create", "Missing --prompt or --prompt-file."),
            ("create --prompt a --prompt-file b", "--prompt and --prompt-file can't be used"),
        ],
    )
    def test_say_what_is_wrong_in_words_that_readers_know(self, line, message):
        assert str(refusal(line)).startswith(message)


class TestRequests:
    def test_create_always_says_the_ratio_and_whether_it_is_dry(self):
        body = requests.build(read("create --prompt p")).body
        assert body == {
            "prompt": "p",
            "aspect_ratio": "1:1",
            "dry_run": False,
            "accept_unknown_cost": False,
        }

    def test_the_status_of_nothing_is_the_balance(self):
        assert requests.build(read("credits status")).target == "/v1/quota"
        one = requests.build(read("credits status --quote-id quote_1"))
        assert one.target == "/v1/credit-purchases/status?quote_id=quote_1"

    def test_the_word_for_what_is_made_may_stand_before_create(self):
        assert requests.build(read("image create --prompt p")).body == (
            requests.build(read("create --prompt p")).body
        )
        assert read(f"image edit --input {ASSET_ID}").command.words == ("edit",)
        assert requests.build(read("three-d create --prompt p")).body["modality"] == "3d"
        guide = requests.build(read("video create --guide"))
        assert guide.target == "/v1/guide?operation=create&prompt_present=false&modality=video"

    def test_ids_are_quoted_into_the_path(self):
        assert requests.build(read("models show a/b")).target == "/v1/models/a%2Fb"

    def test_the_url_of_an_asset_stands_for_its_id(self):
        url = f"https://media.example.com/a/{ASSET_ID}.png"
        assert requests.build(read(f"assets show {url}")).target == f"/v1/assets/{ASSET_ID}"

    def test_switches_become_true_in_a_query(self):
        request = requests.build(read("models list --available --operation image.edit"))
        assert request.target == "/v1/models?available=true&operation=image.edit"

    @pytest.mark.parametrize(
        ("flags", "query"),
        [
            ("", "?catalog_only=false"),
            ("--query flux", "?catalog_only=false&query=flux"),
            ("--all", ""),
            ("--catalog-only", "?catalog_only=true"),
            ("--executable", "?executable=true"),
        ],
    )
    def test_models_that_are_only_cataloged_are_listed_when_asked_for(self, flags, query):
        assert requests.build(read(f"models list {flags}")).target == f"/v1/models{query}"

    def test_a_picture_that_is_no_asset_yet_has_no_request(self):
        with pytest.raises(requests.UploadRequired):
            requests.build(read("edit --input ./cat.png --prompt p"))

    def test_references_carry_role_index_slot_and_task(self):
        line = (
            f"create --prompt p --element-frontal {ASSET_ID}@0 "
            f"--element-reference {ASSET_ID}@0:1 --reference-image {ASSET_ID}@0:id"
        )
        assert requests.build(read(line)).body["references"] == [
            {"asset_id": ASSET_ID, "role": "element_frontal", "index": 0},
            {"asset_id": ASSET_ID, "role": "element_reference", "index": 0, "reference_index": 1},
            {"asset_id": ASSET_ID, "role": "reference_image", "index": 0, "reference_task": "id"},
        ]

    def test_reference_pictures_without_an_index_count_up(self):
        line = f"create --prompt p --reference-image {ASSET_ID} --reference-image {ASSET_ID}"
        assert [one["index"] for one in requests.build(read(line)).body["references"]] == [0, 1]


class TestWriting:
    @pytest.mark.parametrize(
        "line",
        [
            "create --prompt 'a \"cat\" & dog' --model-parameters-json '{\"seed\": 1}' --dry-run",
            "create --prompt=--odd --max-usd 0.25 --output-count 2",
            f"edit {ASSET_ID} --reference-image {ASSET_ID}@1 --reference-image {ASSET_ID}@0",
            "feedback create --title t --surface cli,docs",
        ],
    )
    def test_what_is_written_reads_back_the_same(self, line):
        call = read(line)
        words = writing.format_line(call.words, writing.format_arguments(call))
        again = read(words.removeprefix("image-skill "))
        assert again.given == call.given | {"json": True}

    def test_tokens_are_never_written(self):
        assert "isk_r_1" not in writing.format_arguments(read("create --prompt p --token isk_r_1"))


class TestTable:
    def test_flags_of_a_command_have_names_of_their_own(self):
        for command in table.COMMANDS:
            names = [name for flag in command.flags for name in (flag.name, *flag.aliases)]
            assert len(names) == len(set(names)), command.label

    def test_rules_speak_of_flags_that_exist(self):
        for command in table.COMMANDS:
            for rule in command.rules:
                assert all(command.flag(name) for name in rule.flags), command.label

    def test_path_fields_are_filled_by_flags(self):
        for command in table.COMMANDS:
            fields = {flag.field for flag in command.flags}
            path = command.endpoint.path if command.endpoint else ""
            assert all(part[1:-1] in fields for part in path.split("/") if part.startswith("{"))

    def test_examples_can_be_read(self):
        for command in table.COMMANDS:
            for example in command.examples:
                line = example.replace("ASSET_ID", ASSET_ID).rpartition("image-skill ")[2]
                assert read(line).command == command

    def test_commands_that_need_the_machine_name_another_way(self):
        assert all(one.instead for one in table.COMMANDS if one.is_local)
