from datetime import date

import pytest

from imageskill.lib.errors import InvalidArguments
from jobs import registry
from jobs.planning import selection
from jobs.planning.budget import BudgetExceeded, BudgetRequiresConfirmation
from jobs.planning.parameters import ModelParameterInvalid
from jobs.planning.selection import ModelUnavailable
from jobs.providers.failures import ProviderUnavailable
from jobs.registry.unavailability import NO_CREDENTIALS, Availability
from tests.jobs.plans import (
    EVERYBODY,
    broken,
    edit,
    image,
    only,
    plan,
    reference,
    request,
    without,
)

XAI = "xai.grok-imagine-image-quality"


class TestRanking:
    @pytest.mark.parametrize(
        ("providers", "model_id", "parameters"),
        [
            (("xai", "openai", "fal", "local"), XAI, {"resolution": "1k"}),
            (("openai", "fal", "local"), "openai.gpt-image-2", {"quality": "medium"}),
            (("fal", "local"), "fal.nano-banana-pro", {"resolution": "1K"}),
            (("local",), "local.sketch", {}),
        ],
    )
    def test_the_strongest_available_is_chosen(self, providers, model_id, parameters):
        planned = plan(only(*providers))
        assert (planned.model.id, planned.parameters) == (model_id, parameters)

    def test_the_name_default_leaves_the_choice_open(self):
        assert plan(model="default").model.id == XAI

    def test_it_goes_on_down_when_models_are_switched_off(self):
        off = without(XAI, "openai.gpt-image-2", "fal.nano-banana-pro")
        assert plan(off).model.id == "fal.flux-dev"

    def test_a_modality_that_no_model_makes_here_is_unavailable(self):
        assert plan(modality="image").model.id == XAI
        with pytest.raises(ModelUnavailable, match="modality video"):
            plan(modality="video")

    @pytest.mark.parametrize("intent", ["video", "audio", "image-to-3d"])
    def test_an_intent_that_names_other_media_makes_no_image(self, intent):
        with pytest.raises(ModelUnavailable, match="modality"):
            plan(intent=intent)
        assert plan(intent=intent, model=XAI).model.id == XAI
        assert plan(intent=f"a {intent} cover").model.id == XAI

    def test_nobody_available_is_said_so(self):
        with pytest.raises(ModelUnavailable):
            plan(only())

    def test_a_provider_narrows_the_choice(self):
        assert plan(provider="fal").model.id == "fal.nano-banana-pro"
        assert edit(provider="openai", accept_unknown_cost=True).model.id == (
            "openai.gpt-image-2-edit"
        )

    def test_an_unknown_provider_is_refused(self):
        with pytest.raises(InvalidArguments) as error:
            plan(provider="midjourney")
        assert error.value.details[0]["field"] == "provider"

    def test_a_model_that_does_not_take_the_request_is_passed_by_saying_so(self):
        planned = plan(model_parameters={"seed": 1234}, max_estimated_usd_per_image="0.05")
        assert planned.model.id == "fal.flux-dev"
        assert planned.parameters == {"seed": 1234}
        assert f"passed by {XAI} (does not take this request)" in planned.selection.reason

    def test_a_long_way_down_is_told_short(self):
        planned = edit(
            model_parameters={"expand_prompt": False},
            mask_asset_id=image(),
            accept_unknown_cost=True,
        )
        assert planned.model.id == "fal.ideogram-v2-edit"
        assert planned.selection.reason.count("does not take this request") == 5
        assert planned.selection.reason.endswith("1 more")

    def test_the_ratio_and_count_decide_too(self):
        assert plan(aspect_ratio="21:9").model.id == "fal.nano-banana-pro"
        assert plan(only("fal", "local"), output_count=3).model.id == "local.sketch"

    def test_references_find_a_model_that_takes_them(self):
        assert plan(references=(reference(),)).model.id == "fal.dreamo"

    def test_the_refusal_of_the_closest_is_the_answer(self):
        with pytest.raises(ModelParameterInvalid):
            plan(model_parameters={"nobody_knows_this": 1})


class TestBudget:
    @pytest.mark.parametrize(
        ("guard", "model_id"),
        [
            ("0.05", XAI),
            ("0.049", "fal.flux-dev"),
            ("0.02", "xai.grok-imagine-image"),
            ("0.01", "local.sketch"),
        ],
    )
    def test_the_strongest_within_the_guard_is_chosen(self, guard, model_id):
        providers = only("xai", "fal", "local")
        planned = plan(providers, max_estimated_usd_per_image=guard)
        assert planned.model.id == model_id

    def test_the_total_guard_counts_all_outputs(self):
        planned = plan(only("xai"), max_usd="0.10", output_count=3)
        assert planned.model.id == "xai.grok-imagine-image"
        assert f"{XAI} (above the budget)" in planned.selection.reason

    def test_nobody_within_the_guard_names_the_cheapest(self):
        with pytest.raises(BudgetExceeded, match=r"local\.sketch would cost \$0\.005 per image"):
            plan(max_estimated_usd_per_image="0.001")


class TestIntent:
    @pytest.mark.parametrize("intent", ["final", "Finalize", "product shot", "HERO image!"])
    def test_a_finishing_intent_takes_the_higher_tier_that_the_guard_allows(self, intent):
        planned = plan(intent=intent, max_estimated_usd_per_image="0.07")
        assert (planned.model.id, planned.parameters) == (XAI, {"resolution": "2k"})
        assert planned.cost.credits == 12

    @pytest.mark.parametrize("guard", [None, "0.05"])
    def test_without_a_guard_that_allows_it_the_lower_tier_stays(self, guard):
        planned = plan(intent="final", max_estimated_usd_per_image=guard)
        assert (planned.model.id, planned.parameters) == (XAI, {"resolution": "1k"})
        assert "lower tier" in planned.selection.reason

    @pytest.mark.parametrize("intent", [None, "explore", "finally something", "producer"])
    def test_other_intents_keep_the_ordinary_tier(self, intent):
        planned = plan(intent=intent, max_estimated_usd_per_image="1")
        assert planned.parameters == {"resolution": "1k"}
        assert "tier" not in planned.selection.reason

    def test_a_draft_is_a_draft(self):
        assert plan(only("openai"), intent="draft").parameters == {"quality": "low"}

    def test_a_parameter_of_the_callers_is_never_replaced(self):
        planned = plan(
            intent="final",
            max_estimated_usd_per_image="0.07",
            model_parameters={"resolution": "1k"},
        )
        assert planned.parameters == {"resolution": "1k"}


class TestEdit:
    def test_the_default_asks_for_confirmation_rather_than_choose_a_lesser_one(self):
        with pytest.raises(BudgetRequiresConfirmation) as error:
            edit()
        assert "fal.nano-banana-2-edit" in error.value.text
        assert error.value.recovery == {"required_flag": "--accept-unknown-cost"}

    def test_confirmed_it_runs(self):
        planned = edit(accept_unknown_cost=True)
        assert planned.model.id == "fal.nano-banana-2-edit"
        assert planned.selection.policy == "hosted_default_edit_v1"

    def test_without_credentials_the_local_one_runs(self):
        assert edit(only("local"), accept_unknown_cost=True).model.id == "local.sketch-remix"

    def test_a_mask_finds_a_model_that_takes_one(self):
        planned = edit(mask_asset_id=image(), accept_unknown_cost=True)
        assert planned.model.id == "openai.gpt-image-2-edit"

    def test_a_picture_that_only_one_takes_finds_it(self):
        narrow = image(width=200, height=4000)
        planned = edit(input_asset_id=narrow, accept_unknown_cost=True)
        assert edit(input_asset_id=image(mime_type="image/gif"), accept_unknown_cost=True).model.id
        assert planned.model.input_image.min_edge <= 200

    def test_a_missing_prompt_is_no_wish_for_a_variation(self):
        with pytest.raises(InvalidArguments) as error:
            edit(prompt=None, accept_unknown_cost=True)
        assert error.value.details[0]["field"] == "prompt"


class TestNamed:
    def test_it_is_never_replaced(self):
        with pytest.raises(ModelUnavailable, match="no credentials"):
            plan(only("local"), model=XAI)

    @pytest.mark.parametrize("name", ["openai.gpt-image-2", "gpt-image-2"])
    def test_names_within_a_provider_are_understood(self, name):
        planned = plan(model=name, provider="openai", model_parameters={"quality": "low"})
        assert planned.model.id == "openai.gpt-image-2"

    def test_an_unknown_one_is_refused_with_near_matches(self):
        with pytest.raises(InvalidArguments) as error:
            plan(model="fal.flux-dv")
        assert "fal.flux-dev" in error.value.details[0]["message"]
        assert error.value.recovery == {
            "suggested_command": "image-skill models show fal.flux-dev --json"
        }

    def test_one_of_another_provider_is_refused(self):
        with pytest.raises(InvalidArguments) as error:
            plan(model="fal.flux-dev", provider="openai")
        assert error.value.details[0]["field"] == "provider"

    def test_one_of_another_modality_is_refused(self):
        with pytest.raises(InvalidArguments) as error:
            plan(model="fal.ltx-video-13b-distilled", modality="image")
        assert error.value.details[0]["message"] == "is for video, not for image"

    def test_an_edit_is_no_create(self):
        with pytest.raises(InvalidArguments, match="not valid") as error:
            plan(model="fal.flux-pro-kontext")
        assert "is for edit" in error.value.details[0]["message"]

    @pytest.mark.parametrize("name", ["imagen4", "fal.ltx-video-13b-distilled"])
    def test_a_cataloged_one_is_refused(self, name):
        with pytest.raises(ModelUnavailable, match="cataloged"):
            plan(model=name)

    def test_a_switched_off_one_is_refused(self):
        with pytest.raises(ModelUnavailable, match="switched off"):
            plan(without("fal.flux-dev"), model="fal.flux-dev")


class TestBreaker:
    def test_an_open_one_refuses_at_once_and_says_when(self):
        with pytest.raises(ProviderUnavailable) as error:
            plan(broken("fal.flux-dev", retry_after_s=17), model="fal.flux-dev")
        assert error.value.recovery == {"retry_after_seconds": 17}

    def test_the_default_passes_it_by_saying_so(self):
        planned = plan(broken(XAI))
        assert planned.model.id == "openai.gpt-image-2"
        assert f"{XAI} (its provider is failing)" in planned.selection.reason

    def test_with_nobody_else_it_is_the_answer(self):
        broken_alone = Availability((*only("xai").unavailable, *broken(XAI).unavailable))
        planned = plan(broken_alone)
        assert planned.model.id == "xai.grok-imagine-image"
        unavailable = (*broken_alone.unavailable, ("xai.grok-imagine-image", NO_CREDENTIALS))
        with pytest.raises(ProviderUnavailable):
            plan(Availability(unavailable))


class TestReceipt:
    def test_it_reads_as_the_contract_has_it(self):
        planned = plan(intent="explore", max_estimated_usd_per_image="0.05")
        assert planned.selection.document() == {
            "policy": "hosted_default_create_v1",
            "reason": "hosted default selected the strongest currently available quality-first "
            "create model",
            "intent": "explore",
            "capability": {"id": "is.image.generate.xai-grok-imagine-image-quality.v1"},
            "model_parameters": {
                "keys": ["resolution"],
                "defaults_applied": ["resolution=1k"],
                "source": "default_policy",
            },
            "output": {
                "resolution_class": "1k",
                "expected_width": None,
                "expected_height": None,
                "expected_min_short_edge": 1024,
            },
        }
        assert planned.capability_id == "is.image.generate.preview.v1"

    def test_a_named_model_is_its_own_capability(self):
        planned = plan(model="fal.flux-dev", model_parameters={"seed": 7}, aspect_ratio="4:3")
        receipt = planned.selection.document()
        assert planned.capability_id == "is.image.generate.fal-flux-dev.v1"
        assert receipt["policy"] == "explicit_model"
        assert receipt["model_parameters"] == {
            "keys": ["seed"],
            "defaults_applied": [],
            "source": "request",
        }
        assert receipt["output"] == {
            "resolution_class": None,
            "expected_width": 1024,
            "expected_height": 768,
            "expected_min_short_edge": 768,
        }

    def test_a_default_of_the_model_is_told_as_such(self):
        receipt = plan(model=XAI).selection
        assert receipt.defaults_applied == ("resolution=1k",)
        assert receipt.parameter_source == "model_defaults"

    def test_a_tier_says_nothing_of_the_edges_of_other_ratios(self):
        receipt = plan(model=XAI, aspect_ratio="16:9").selection
        assert (receipt.resolution_class, receipt.expected_min_short_edge) == ("1k", None)


class TestRetired:
    gone = Availability(retired=frozenset({XAI}))

    def test_one_that_its_provider_has_retired_is_passed_over(self):
        assert plan(availability=self.gone).model.id != XAI
        assert selection.default_model("create", self.gone).id != XAI

    def test_who_names_it_gets_it(self):
        assert plan(availability=self.gone, model=XAI).model.id == XAI

    def test_the_day_of_the_row_decides(self):
        model = registry.find(XAI)
        assert not model.is_retired(date(2026, 11, 1))
        assert model.is_retired(date(2026, 11, 2))
        assert not registry.find("openai.gpt-image-2").is_retired(date(2030, 1, 1))


class TestDefaultModel:
    def test_it_is_what_a_plain_request_gets(self):
        for availability in (EVERYBODY, only("fal"), only("local"), without(XAI)):
            default = selection.default_model("create", availability)
            assert plan(availability).model is default

    def test_it_is_the_head_of_the_ranking_when_nobody_can_run(self):
        assert selection.default_model("create", only()).id == XAI
        assert request().effective_aspect_ratio == "1:1"
