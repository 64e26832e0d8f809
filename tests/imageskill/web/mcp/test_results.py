import base64

import pytest

from imageskill.web.mcp import menus, results, suggestions, text

JOB = {"job_id": "job_1", "status": "completed"}


def asset(number, content_length=1_300_000):
    asset_id = f"image_{number}"
    return {
        "asset_id": asset_id,
        "url": f"http://media/a/{asset_id}.png",
        "mime_type": "image/png",
        "content_length": content_length,
    }


def envelope(**data):
    return {
        "ok": True,
        "command": "image-skill create",
        "trace_id": "trace_1",
        "actor": None,
        "data": data,
        "warnings": [],
        "error": None,
    }


def build(answer, fetched, sizes=None):
    def fetch(url):
        fetched.append(url)
        return b"x" * (sizes or {}).get(url, 20_000)

    return results.build_result(answer, fetch, is_showing=True)


class TestBuildResult:
    def test_four_large_images_fit_as_previews_and_links(self):
        fetched = []

        result = build(envelope(assets=[asset(n) for n in range(4)]), fetched)

        assert results.size(result.model_dump(mode="json", exclude_none=True)) < 100_000
        assert fetched[0] == "http://media/t/image_0.webp"
        previews = [one for one in result.content if one.type == "image"]
        assert {one.mime_type for one in previews} == {"image/webp"}
        assert len(previews) == 2
        links = [one.uri for one in result.content if one.type == "resource_link"]
        assert links == [f"http://media/a/image_{n}.png" for n in range(4)]

    def test_a_small_image_is_its_own_preview(self):
        fetched = []

        result = build(envelope(assets=[asset(1, content_length=20_000)]), fetched)

        assert fetched == ["http://media/a/image_1.png"]
        [preview] = [one for one in result.content if one.type == "image"]
        assert preview.mime_type == "image/png"
        assert len(base64.b64decode(preview.data)) == 20_000

    def test_an_image_that_can_not_be_fetched_is_linked(self):
        answer = envelope(asset=asset(1))

        result = results.build_result(answer, lambda url: None, is_showing=True)

        assert [one.type for one in result.content] == ["text", "resource_link"]

    def test_says_nothing_twice_as_json(self):
        result = build(envelope(job=JOB), [])

        [content] = result.content
        assert content.text == "job: job_id job_1, status completed"
        assert result.structured_content["data"] == {"job": JOB}

    def test_leaves_out_what_is_null(self):
        assert set(build(envelope(), []).structured_content) == {
            *("ok", "command", "trace_id", "data", "warnings"),
        }

    def test_cuts_a_list_that_is_too_long_and_says_so(self):
        rows = [{"id": n, "text": "x" * 500} for n in range(400)]

        result = results.build_result(envelope(jobs=rows), lambda url: None, is_showing=False)

        assert results.size(result.structured_content) <= results.MAX_STRUCTURED_BYTES
        cut = result.structured_content["truncated"]
        assert (cut["list"], cut["total"]) == ("jobs", 400)
        assert cut["shown"] == len(result.structured_content["data"]["jobs"]) > 50

    def test_the_text_is_short_however_long_the_answer(self):
        rows = [{"id": n, "text": "x" * 100} for n in range(400)]

        shown = text.summarize(envelope(jobs=rows))

        assert len(shown) < text.MAX_LENGTH + 100
        assert shown.endswith("the rest is in the structured content.")

    def test_an_error_is_told_first(self):
        failed = envelope() | {
            "ok": False,
            "data": None,
            "error": {"code": "TIMEOUT", "message": "Too slow.", "retryable": True},
        }

        result = build(failed, [])

        assert result.is_error
        assert result.content[0].text.startswith("TIMEOUT: Too slow.\n")


class TestAsToolCalls:
    def calls(self, value, *, runs_locally=False):
        return suggestions.as_tool_calls(value, runs_locally=runs_locally)

    def test_a_suggestion_names_tool_and_arguments(self):
        command = (
            "image-skill create --prompt PROMPT --output-count 2 --model-parameters-json "
            "'{\"seed\": 1}' --accept-unknown-cost --json"
        )

        assert self.calls({"suggested_command": command, "idempotency_key": "k"}) == {
            "tool": "create",
            "arguments": {
                "prompt": "PROMPT",
                "output_count": 2,
                "model_parameters": {"seed": 1},
                "accept_unknown_cost": True,
            },
            "idempotency_key": "k",
        }

    def test_other_commands_become_calls_too(self):
        part = {"next": [{"quote_command": "image-skill credits quote --credits 500 --json"}]}

        assert self.calls(part) == {
            "next": [{"quote_call": {"tool": "credits_quote", "arguments": {"credits": 500}}}]
        }

    def test_what_is_no_tool_is_left_to_a_shell(self):
        part = {"suggested_command": "image-skill doctor --json"}

        assert self.calls(part) == {}
        assert self.calls(part, runs_locally=True) == part

    def test_other_texts_stay(self):
        part = {"message": "image-skill is no command --json", "command": "image-skill create"}

        assert self.calls(part) == part


ROWS = [
    {
        "id": f"model.{n}",
        "display_name": f"Model {n}",
        "supports": ["create"],
        "operations": ["image.generate"],
        "status": "available" if n % 2 else "unavailable",
        "availability_reason": None if n % 2 else "no key",
        "credits_required": 4,
        "model_parameters": {"properties": {}},
    }
    for n in range(45)
]


class TestPage:
    def page(self, **arguments):
        answer = envelope(models=ROWS, summary={"defaults": {"create": "model.1"}})
        return menus.page("models_list", answer, arguments)["data"]

    def test_is_a_menu_of_what_can_run_first(self):
        data = self.page()

        assert data["models"][0] == {
            "id": "model.1",
            "name": "Model 1",
            "makes": ["create"],
            "credits": 4,
            "available": True,
        }
        assert (len(data["models"]), data["total"], data["next_cursor"]) == (20, 45, "20")
        assert data["defaults"] == {"create": "model.1"}

    def test_says_what_it_leaves_out(self):
        summary = {"left_out": {"count": 6, "suggested_command": "image-skill models list"}}
        data = menus.page("models_list", envelope(models=ROWS, summary=summary), {})["data"]
        assert data["left_out"]["count"] == 6
        assert "catalog_only" in data["left_out"]["how_to_list"]

    def test_pages_hold_every_row_once(self):
        found, cursor = [], None
        while True:
            data = self.page(limit=10, cursor=cursor)
            found += [row["id"] for row in data["models"]]
            cursor = data["next_cursor"]
            if cursor is None:
                break

        assert sorted(found) == sorted(row["id"] for row in ROWS)

    @pytest.mark.parametrize(
        "arguments", [{"limit": 0}, {"limit": 51}, {"limit": "5"}, {"cursor": "x"}]
    )
    def test_a_page_that_is_none_is_refused(self, arguments):
        with pytest.raises(menus.InvalidPage):
            menus.without_page("models_list", arguments)

    def test_the_command_gets_what_is_its_own(self):
        assert menus.without_page("models_list", {"limit": 5, "query": "fal"}) == {"query": "fal"}
        assert menus.without_page("jobs_list", {"limit": 5}) == {"limit": 5}
