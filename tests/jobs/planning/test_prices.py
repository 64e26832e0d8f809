from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import registry
from jobs.planning import prices
from jobs.planning.prices import Cost, cost_document, count_output_tokens
from tests.jobs.plans import edit, image, plan, reference

TOKENS_2 = {
    "low": (196, 158, 158, 134, 139, 397, 205, 371, 371),
    "medium": (1756, 1372, 1372, 1204, 1243, 3568, 1843, 3336, 3336),
    "high": (7024, 5488, 5488, 4815, 5063, 14272, 7370, 13342, 13342),
}
USD_2 = {
    "low": "0.00588 0.00474 0.00474 0.00402 0.00417 0.01191 0.00615 0.01113 0.01113",
    "medium": "0.05268 0.04116 0.04116 0.03612 0.03729 0.10704 0.05529 0.10008 0.10008",
    "high": "0.21072 0.16464 0.16464 0.14445 0.15189 0.42816 0.2211 0.40026 0.40026",
}
CREDITS_2 = {
    "low": (1, 1, 1, 1, 1, 2, 2, 2, 2),
    "medium": (9, 7, 7, 7, 7, 18, 10, 17, 17),
    "high": (36, 28, 28, 25, 26, 72, 37, 67, 67),
}
SIZES_2 = [
    "1024x1024",
    "1024x1536",
    "1536x1024",
    "1024x768",
    "1792x1024",
    "2048x2048",
    "2560x1440",
    "3840x2160",
    "2160x3840",
]
SIZES_15 = ("1024x1024", "1024x1536", "1536x1024")
TOKENS_15 = {
    "low": (272, 408, 400),
    "medium": (1056, 1584, 1568),
    "high": (4160, 6240, 6208),
}
USD_15 = {
    "low": "0.008704 0.013056 0.0128",
    "medium": "0.033792 0.050688 0.050176",
    "high": "0.13312 0.19968 0.198656",
}
CREDITS_15 = {"low": (2, 3, 3), "medium": (6, 9, 9), "high": (23, 34, 34)}


def table(sizes, tokens, usd, credits):
    return [
        (
            quality,
            size,
            tokens[quality][at],
            Decimal(usd[quality].split()[at]),
            credits[quality][at],
        )
        for quality in tokens
        for at, size in enumerate(sizes)
    ]


class TestTokens:
    @pytest.mark.parametrize(
        ("quality", "size", "tokens", "usd", "credits"),
        table(SIZES_2, TOKENS_2, USD_2, CREDITS_2),
    )
    def test_gpt_image_2_by_the_formula(self, quality, size, tokens, usd, credits):
        rule = registry.get("openai.gpt-image-2").price.rule
        width, height = map(int, size.split("x"))
        assert count_output_tokens(rule, quality=quality, size=(width, height)) == tokens
        cost = plan(
            model="openai.gpt-image-2", model_parameters={"quality": quality, "size": size}
        ).cost
        assert (cost.estimated_usd, cost.credits) == (usd, credits)

    @pytest.mark.parametrize(
        ("quality", "size", "tokens", "usd", "credits"),
        table(SIZES_15, TOKENS_15, USD_15, CREDITS_15),
    )
    def test_gpt_image_15_by_the_table(self, quality, size, tokens, usd, credits):
        rule = registry.get("openai.gpt-image-1.5").price.rule
        width, height = map(int, size.split("x"))
        assert count_output_tokens(rule, quality=quality, size=(width, height)) == tokens
        cost = plan(
            model="openai.gpt-image-1.5", model_parameters={"quality": quality, "size": size}
        ).cost
        assert (cost.estimated_usd, cost.credits) == (usd, credits)

    @pytest.mark.parametrize("model", ["openai.gpt-image-1.5", "openai.gpt-image-2"])
    @pytest.mark.parametrize(
        "parameters", [{}, {"quality": "auto"}, {"quality": "low", "size": "auto"}]
    )
    def test_auto_can_not_be_priced_beforehand(self, model, parameters):
        cost = plan(model=model, model_parameters=parameters, accept_unknown_cost=True).cost
        assert (cost.confidence, cost.estimated_usd) == ("unknown", None)
        assert cost.is_usage_priced

    def test_the_ratio_makes_the_size_concrete(self):
        cost = plan(
            model="openai.gpt-image-2", aspect_ratio="2:3", model_parameters={"quality": "high"}
        ).cost
        assert cost.estimated_usd == Decimal("0.16464")

    @pytest.mark.parametrize(
        ("model", "parameters", "usd", "credits"),
        [
            ("openai.gpt-image-2-edit", {}, "0.26072", 44),
            ("openai.gpt-image-2-edit", {"quality": "low", "size": "1024x1024"}, "0.05588", 10),
            ("openai.gpt-image-2-edit", {"quality": "medium"}, "0.10268", 18),
            ("openai.gpt-image-1.5-edit", {}, "0.24968", 42),
            ("openai.gpt-image-1.5-edit", {"quality": "high", "size": "1024x1024"}, "0.18312", 31),
        ],
    )
    def test_an_edit_holds_its_output_tokens_and_five_cents(self, model, parameters, usd, credits):
        cost = edit(model=model, model_parameters=parameters, accept_unknown_cost=True).cost
        assert (cost.estimated_usd, cost.fallback_usd) == (None, Decimal(usd))
        assert cost.credits == credits
        assert cost.is_usage_priced


class TestPerImage:
    @pytest.mark.parametrize(
        ("model", "parameters", "usd", "credits"),
        [
            ("fal.flux-pro-v1-1-ultra", {}, "0.06", 10),
            ("fal.bytedance-seedream-v4-5-text-to-image", {}, "0.04", 7),
            ("fal.bytedance-seedream-v5-lite-text-to-image", {}, "0.035", 6),
            ("fal.nano-banana-2", {"resolution": "0.5K"}, "0.06", 10),
            ("fal.nano-banana-2", {}, "0.08", 14),
            ("fal.nano-banana-2", {"resolution": "2K"}, "0.12", 20),
            ("fal.nano-banana-2", {"resolution": "4K"}, "0.16", 27),
            ("fal.nano-banana-pro", {"resolution": "2K"}, "0.15", 25),
            ("fal.nano-banana-pro", {"resolution": "4K"}, "0.30", 50),
            ("fal.gemini-3-pro-image-preview", {}, "0.15", 25),
            ("fal.gemini-3-pro-image-preview", {"resolution": "4K"}, "0.30", 50),
            ("fal.kling-image-o3-text-to-image", {}, "0.028", 5),
            ("fal.kling-image-v3-text-to-image", {}, "0.028", 5),
            ("xai.grok-imagine-image", {}, "0.02", 4),
            ("xai.grok-imagine-image-quality", {}, "0.05", 9),
            ("xai.grok-imagine-image-quality", {"resolution": "2k"}, "0.07", 12),
            ("local.sketch", {}, "0.005", 1),
        ],
    )
    def test_a_create_costs_what_the_provider_lists(self, model, parameters, usd, credits):
        cost = plan(model=model, model_parameters=parameters).cost
        assert (cost.estimated_usd, cost.credits) == (Decimal(usd), credits)
        assert (cost.confidence, cost.is_usage_priced) == ("known", False)

    @pytest.mark.parametrize(
        ("model", "parameters", "usd", "credits"),
        [
            ("fal.flux-pro-kontext", {}, "0.04", 7),
            ("fal.flux-pro-kontext-max", {}, "0.08", 14),
            ("fal.bytedance-seedream-v4-5-edit", {}, "0.04", 7),
            ("fal.bytedance-seedream-v5-lite-edit", {}, "0.035", 6),
            ("fal.nano-banana-pro-edit", {"resolution": "4K"}, "0.30", 50),
            ("fal.gemini-3-pro-image-preview-edit", {}, "0.15", 25),
            ("xai.grok-imagine-image-edit", {}, "0.022", 4),
            ("xai.grok-imagine-image-quality-edit", {}, "0.06", 10),
            ("xai.grok-imagine-image-quality-edit", {"resolution": "2k"}, "0.08", 14),
        ],
    )
    def test_an_edit_of_a_listed_price_is_known(self, model, parameters, usd, credits):
        cost = edit(model=model, model_parameters=parameters).cost
        assert (cost.estimated_usd, cost.credits) == (Decimal(usd), credits)
        assert cost.confidence == "known"

    def test_each_picture_that_goes_in_is_billed_where_the_provider_does(self):
        references = (reference(index=0), reference(index=1))
        cost = edit(model="xai.grok-imagine-image-quality-edit", references=references).cost
        assert cost.estimated_usd == Decimal("0.08")

    @pytest.mark.parametrize(
        ("model", "parameters", "usd", "credits"),
        [
            ("fal.nano-banana-2-edit", {}, "0.08", 14),
            ("fal.nano-banana-2-edit", {"resolution": "4K"}, "0.16", 27),
            ("fal.kling-image-o1", {}, "0.028", 5),
            ("fal.kling-image-o3-image-to-image", {}, "0.028", 5),
            ("fal.kling-image-v3-image-to-image", {}, "0.028", 5),
            ("local.sketch-remix", {}, "0.02", 4),
        ],
    )
    def test_an_unknown_price_holds_the_list_price(self, model, parameters, usd, credits):
        cost = edit(model=model, model_parameters=parameters, accept_unknown_cost=True).cost
        assert (cost.estimated_usd, cost.confidence) == (None, "unknown")
        assert (cost.fallback_usd, cost.credits) == (Decimal(usd), credits)

    def test_only_metered_models_are_priced_by_usage_afterwards(self):
        fal = edit(model="fal.nano-banana-2-edit", accept_unknown_cost=True).cost
        remix = edit(model="local.sketch-remix", accept_unknown_cost=True).cost
        assert (fal.is_usage_priced, remix.is_usage_priced) == (False, True)

    @pytest.mark.parametrize(("count", "credits"), [(1, 12), (2, 24), (3, 35), (10, 117)])
    def test_several_outputs_are_debited_together(self, count, credits):
        cost = plan(
            model="xai.grok-imagine-image-quality",
            model_parameters={"resolution": "2k"},
            output_count=count,
        ).cost
        assert cost.estimated_usd == count * Decimal("0.07")
        assert cost.planned_usd_per_image == Decimal("0.07")
        assert cost.credits == credits


class TestMegapixels:
    @pytest.mark.parametrize(
        ("model", "parameters", "usd", "credits"),
        [
            ("fal.flux-dev", {"image_size": "square_hd"}, "0.025", 5),
            ("fal.flux-dev", {"image_size": "square"}, "0.025", 5),
            ("fal.flux-dev", {"image_size": {"width": 1025, "height": 1024}}, "0.05", 9),
            ("fal.dreamo", {"image_size": {"width": 1280, "height": 720}}, "0.05", 9),
            ("fal.dreamo", {}, "0.05", 9),
            ("fal.z-image-turbo", {}, "0.005", 1),
            ("fal.z-image-turbo", {"image_size": {"width": 2048, "height": 1024}}, "0.01", 2),
            ("fal.z-image-turbo", {"image_size": "square"}, "0.00125", 1),
        ],
    )
    def test_a_known_size_has_a_known_price(self, model, parameters, usd, credits):
        cost = plan(model=model, model_parameters=parameters).cost
        assert (cost.estimated_usd, cost.credits) == (Decimal(usd), credits)

    def test_the_size_of_the_ratio_counts(self):
        cost = plan(model="fal.z-image-turbo", aspect_ratio="16:9").cost
        assert cost.estimated_usd == Decimal("0.0028125")

    def test_auto_is_unknown_and_holds_by_the_input(self):
        large = image(width=2048, height=1024)
        cost = edit(
            model="fal.z-image-turbo-image-to-image", input_asset_id=large, accept_unknown_cost=True
        ).cost
        assert (cost.estimated_usd, cost.fallback_usd) == (None, Decimal("0.01"))

    def test_an_edit_with_a_size_is_known(self):
        cost = edit(model="fal.z-image-turbo-image-to-image", aspect_ratio="1:1").cost
        assert cost.estimated_usd == Decimal("0.005")

    @pytest.mark.parametrize("name", ["dev", "krea", "schnell"])
    def test_a_variation_holds_a_megapixel(self, name):
        cost = edit(model=f"fal.flux-{name}-redux", prompt=None, accept_unknown_cost=True).cost
        assert (cost.estimated_usd, cost.fallback_usd) == (None, Decimal("0.025"))
        assert cost.credits == 5


class TestCost:
    def test_it_is_read_back_as_it_was_stored(self):
        for cost in (
            plan(model="openai.gpt-image-2", accept_unknown_cost=True).cost,
            plan(model="fal.flux-dev").cost,
        ):
            assert Cost.from_json(MappingProxyType(cost.stored())) == cost

    def test_a_plan_is_written_with_the_hold(self):
        cost = plan(model="xai.grok-imagine-image-quality").cost
        assert cost_document(cost) == {
            "estimated_usd": Decimal("0.05"),
            "provider_reported_usd": None,
            "credit_pricing": {
                "credit_unit_usd": Decimal("0.01"),
                "credits_required": 9,
                "estimated_provider_cost_usd": Decimal("0.05"),
                "estimated_revenue_usd": Decimal("0.09"),
                "pricing_confidence": "known",
                "target_gross_margin": Decimal("0.40"),
                "pricing_source": "the provider's list price",
                "fallback_provider_cost_usd": None,
            },
        }

    def test_a_run_is_written_with_the_captured_debit(self):
        cost = edit(model="local.sketch-remix", accept_unknown_cost=True).cost
        written = cost_document(cost, credits_captured=1, reported_usd=Decimal("0.005"))
        assert written["provider_reported_usd"] == Decimal("0.005")
        assert written["credit_pricing"]["credits_required"] == 1
        assert written["credit_pricing"]["estimated_revenue_usd"] == Decimal("0.01")

    @given(
        width=st.integers(41, 240).map(lambda n: 16 * n),
        height=st.integers(41, 240).map(lambda n: 16 * n),
    )
    def test_a_higher_quality_never_costs_less(self, width, height):
        rule = registry.get("openai.gpt-image-2").price.rule
        low, medium, high = (
            prices.count_output_tokens(rule, quality=quality, size=(width, height))
            for quality in ("low", "medium", "high")
        )
        assert 0 <= low <= medium <= high
