from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageskill.lib.errors import ApiError, InvalidArguments
from jobs import registry
from jobs.planning.budget import BudgetExceeded, BudgetRequiresConfirmation
from jobs.planning.request import OutputSpec
from tests.jobs.plans import EVERYBODY, edit, plan, reference, runnable

WIRED = [model for model in registry.models() if model.is_wired]


class TestPlan:
    @pytest.mark.parametrize("model", WIRED, ids=lambda model: model.id)
    def test_every_wired_model_takes_the_simplest_request(self, model):
        planned = plan(**runnable(model))
        assert planned.model is model
        assert planned.cost.credits >= 1
        assert planned.aspect_ratio == {"create": "1:1", "edit": "auto"}[planned.operation]

    @pytest.mark.parametrize("model", WIRED, ids=lambda model: model.id)
    def test_every_ratio_that_a_model_lists_is_taken_and_no_other(self, model):
        references = (reference(),) if model.aspect_ratio.only_with_references else ()
        for ratio in model.aspect_ratio.values:
            assert plan(**runnable(model, aspect_ratio=ratio, references=references))
        with pytest.raises(InvalidArguments) as error:
            plan(**runnable(model, aspect_ratio="7:5"))
        assert error.value.details[0]["field"] == "aspect_ratio"

    @pytest.mark.parametrize("model", WIRED, ids=lambda model: model.id)
    def test_outputs_are_counted_against_the_models_limit(self, model):
        most = model.output.max_count
        assert plan(**runnable(model, output_count=most)).output_count == most
        with pytest.raises(InvalidArguments) as error:
            plan(**runnable(model, output_count=most + 1))
        assert error.value.details[0]["field"] == "output_count"

    @given(
        model=st.sampled_from(WIRED),
        count=st.integers(0, 12),
        ratio=st.sampled_from(["1:1", "auto", "16:9", "9:21", "x"]),
        output=st.builds(
            OutputSpec,
            format=st.none() | st.sampled_from(["png", "jpeg", "webp", "gif"]),
            width=st.none() | st.integers(1, 5000),
            height=st.none() | st.integers(1, 5000),
            max_width=st.none() | st.integers(1, 5000),
            min_height=st.none() | st.integers(1, 5000),
        ),
        accept=st.booleans(),
        guard=st.none() | st.decimals("0", "1", places=3),
        parameters=st.dictionaries(
            st.sampled_from(["seed", "resolution", "size", "quality", "n", "x"]),
            st.sampled_from([1, "1K", "1k", "auto", "low", None]),
            max_size=2,
        ),
    )
    def test_a_request_is_planned_within_its_guards_or_refused_by_name(
        self, model, count, ratio, output, accept, guard, parameters
    ):
        request = runnable(
            model,
            output_count=count,
            aspect_ratio=ratio,
            output=output,
            accept_unknown_cost=accept,
            max_estimated_usd_per_image=guard,
            model_parameters=parameters,
        )
        refusal = planned = None
        try:
            planned = plan(**request)
        except ApiError as error:
            refusal = error
        if planned is None:
            assert refusal.status in {409, 415, 422}
            return
        assert plan(**request) == planned
        assert accept or planned.cost.estimated_usd is not None
        assert guard is None or planned.cost.planned_usd_per_image <= guard
        assert set(planned.parameters) <= set(model.executable_parameters)


class TestPrompt:
    def test_a_promptless_model_takes_none(self):
        planned = edit(model="fal.flux-dev-redux", prompt=None, accept_unknown_cost=True)
        assert planned.prompt == ""
        with pytest.raises(InvalidArguments) as error:
            edit(model="fal.flux-dev-redux", prompt="a kite", accept_unknown_cost=True)
        assert error.value.details == [
            {"field": "prompt", "message": "is not accepted by fal.flux-dev-redux"}
        ]

    @pytest.mark.parametrize(
        ("model", "prompt"),
        [
            ("fal.nano-banana-pro", "ab"),
            ("fal.kling-image-v3-text-to-image", "a" * 2501),
            ("fal.flux-dev", None),
            ("fal.flux-dev", ""),
        ],
    )
    def test_a_prompt_outside_the_models_limits_is_refused(self, model, prompt):
        with pytest.raises(InvalidArguments) as error:
            plan(model=model, prompt=prompt)
        assert error.value.details[0]["field"] == "prompt"

    def test_the_limits_themselves_are_taken(self):
        plan(model="fal.kling-image-v3-text-to-image", prompt="a" * 2500)
        plan(model="fal.flux-dev", prompt="a" * 32_000)


class TestGuards:
    def test_an_unknown_cost_needs_confirmation_whatever_the_guard(self):
        with pytest.raises(BudgetRequiresConfirmation):
            plan(model="openai.gpt-image-2", max_estimated_usd_per_image="5")

    def test_an_accepted_unknown_cost_is_held_to_the_guard_by_its_fallback(self):
        accepted = {"model": "openai.gpt-image-2-edit", "accept_unknown_cost": True}
        with pytest.raises(BudgetExceeded, match=r"\$0\.26072"):
            edit(**accepted, max_usd=Decimal("0.26"))
        assert edit(**accepted, max_usd=Decimal("0.27")).cost.credits == 44

    def test_the_guard_is_per_image(self):
        planned = plan(
            model="xai.grok-imagine-image-quality",
            output_count=2,
            max_estimated_usd_per_image="0.05",
        )
        assert planned.cost.estimated_usd == Decimal("0.10")

    @pytest.mark.parametrize(
        ("guards", "flag"),
        [
            ({"max_estimated_usd_per_image": "0.049"}, "--max-estimated-usd-per-image"),
            ({"max_usd": "0.09"}, "--max-usd"),
        ],
    )
    def test_the_refusal_names_the_guard(self, guards, flag):
        with pytest.raises(BudgetExceeded) as error:
            plan(model="xai.grok-imagine-image-quality", output_count=2, **guards)
        assert error.value.recovery == {"required_flag": flag}


class TestOutput:
    @pytest.mark.parametrize(
        ("model", "wanted", "settled"),
        [
            ("fal.flux-dev", None, "jpeg"),
            ("fal.flux-dev", "png", "png"),
            ("openai.gpt-image-2", "webp", "webp"),
            ("xai.grok-imagine-image", None, None),
            ("fal.dreamo", "jpeg", "jpeg"),
            ("local.sketch", "jpeg", "jpeg"),
        ],
    )
    def test_the_format_is_settled(self, model, wanted, settled):
        planned = plan(model=model, output=OutputSpec(format=wanted), accept_unknown_cost=True)
        assert planned.output_format == settled

    @pytest.mark.parametrize(
        ("model", "wanted"),
        [("fal.flux-dev", "webp"), ("fal.dreamo", "png"), ("xai.grok-imagine-image", "png")],
    )
    def test_a_format_that_can_not_be_promised_is_refused(self, model, wanted):
        with pytest.raises(InvalidArguments) as error:
            plan(model=model, output=OutputSpec(format=wanted))
        assert error.value.details[0]["field"] == "output.format"

    def test_the_format_stands_for_the_models_parameter(self):
        planned = plan(
            model="openai.gpt-image-2",
            output=OutputSpec(format="jpeg"),
            model_parameters={"output_compression": 60, "quality": "low"},
        )
        assert planned.parameters["output_format"] == "jpeg"

    def test_two_formats_are_refused(self):
        with pytest.raises(InvalidArguments):
            plan(
                model="openai.gpt-image-2",
                output=OutputSpec(format="jpeg"),
                model_parameters={"output_format": "png", "quality": "low"},
            )

    @pytest.mark.parametrize(
        ("model", "value"),
        [("fal.flux-dev", {"width": 640, "height": 512}), ("openai.gpt-image-2", "1280x768")],
    )
    def test_width_and_height_stand_for_the_models_size(self, model, value):
        size = (640, 512) if isinstance(value, dict) else (1280, 768)
        planned = plan(
            model=model,
            output=OutputSpec(width=size[0], height=size[1]),
            accept_unknown_cost=True,
        )
        assert planned.size == size
        assert value in planned.parameters.values()

    @pytest.mark.parametrize(
        ("model", "output"),
        [
            ("fal.flux-dev", OutputSpec(width=640)),
            ("xai.grok-imagine-image", OutputSpec(width=640, height=512)),
            ("fal.flux-dev", OutputSpec(max_width=1000)),
            ("fal.flux-dev", OutputSpec(min_height=1025)),
            ("xai.grok-imagine-image", OutputSpec(min_width=1)),
        ],
    )
    def test_a_size_that_can_not_be_promised_is_refused(self, model, output):
        with pytest.raises(InvalidArguments) as error:
            plan(model=model, output=output)
        assert error.value.details[0]["field"].startswith("output")

    def test_a_size_within_its_constraints_is_taken(self):
        limits = OutputSpec(max_width=1024, min_height=1024)
        assert plan(model="fal.flux-dev", output=limits).size == (1024, 1024)


class TestAspectRatio:
    def test_xai_keeps_the_inputs_ratio_unless_there_are_references(self):
        model = "xai.grok-imagine-image-edit"
        with pytest.raises(InvalidArguments) as error:
            edit(model=model, aspect_ratio="16:9")
        assert "references" in error.value.details[0]["message"]
        assert edit(model=model, aspect_ratio="16:9", references=(reference(),))

    def test_a_ratio_nobody_has_is_refused_by_the_default_too(self):
        with pytest.raises(InvalidArguments):
            plan(EVERYBODY, aspect_ratio="17:3")


class TestWarnings:
    def test_a_model_on_its_way_out_says_so(self):
        planned = plan(model="openai.gpt-image-1.5", model_parameters={"quality": "low"})
        assert "openai.gpt-image-2 replaces it" in planned.warnings[0]

    def test_others_say_nothing(self):
        assert plan(model="fal.flux-dev").warnings == ()
