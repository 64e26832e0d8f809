import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jobs import registry
from jobs.planning import parameters, sizes
from jobs.planning.parameters import ModelParameterInvalid
from tests.jobs.plans import plan

WIRED = [model for model in registry.models() if model.is_wired]
PRESETS = registry.get("fal.flux-dev").parameters["image_size"]["anyOf"][0]["enum"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)


def values(schema):
    """Draw from the schema of one parameter, as far as our schemas go."""
    if "anyOf" in schema:
        return st.one_of([values(part) for part in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of([_of(kind, schema) for kind in kinds])


def _of(kind, schema):
    low, high = schema.get("minimum"), schema.get("maximum")
    return {
        "null": st.none,
        "boolean": st.booleans,
        "integer": lambda: st.integers(low, high),
        "number": lambda: st.floats(low, high, allow_nan=False),
        "string": lambda: st.from_regex(schema["pattern"], fullmatch=True),
        "object": lambda: st.fixed_dictionaries(
            {name: values(part) for name, part in schema["properties"].items()}
        ),
    }[kind]()


@st.composite
def accepted(draw):
    """Draw a model and parameters that its schema allows, its rules and limits kept."""
    model = draw(st.sampled_from(WIRED))
    names = model.executable_parameters
    wanted = draw(st.sets(st.sampled_from(names))) if names else set()
    given_parameters = {name: draw(values(model.parameters[name])) for name in sorted(wanted)}
    for rule in model.parameter_rules:
        if rule.parameter in given_parameters:
            for name, allowed in rule.needs.items():
                given_parameters[name] = draw(st.sampled_from(sorted(allowed)))
    return model, given_parameters


def is_within_limits(model, given_parameters):
    size = sizes.parse_pixels(model, given_parameters.get(model.size.parameter))
    limits = model.size.limits
    if size is None:
        return True
    short, long = sorted(size)
    return (
        short % limits.multiple_of == 0
        and long % limits.multiple_of == 0
        and limits.min_pixels <= short * long <= (limits.max_pixels or short * long)
        and long <= (limits.max_edge or long)
        and long <= short * (limits.max_ratio or long)
    )


def fields(error):
    return [detail["field"] for detail in error.value.details]


class TestCheck:
    @given(accepted())
    def test_what_the_schemas_allow_is_accepted(self, drawn):
        model, given_parameters = drawn
        # Two rules of one model can ask for formats that exclude each other.
        assume("output_compression" not in given_parameters or "background" not in given_parameters)
        checked = parameters.check(model, given_parameters)
        assert checked == {k: v for k, v in given_parameters.items() if v is not None}

    @given(accepted())
    def test_sizes_are_accepted_within_their_limits_and_nowhere_else(self, drawn):
        model, given_parameters = drawn
        if is_within_limits(model, given_parameters):
            sizes.check(model, given_parameters)
        else:
            with pytest.raises(ModelParameterInvalid):
                sizes.check(model, given_parameters)

    @given(model=st.sampled_from(WIRED), name=st.text(max_size=30), value=JSON)
    def test_any_other_name_is_refused(self, model, name, value):
        assume(name not in model.executable_parameters)
        with pytest.raises(ModelParameterInvalid) as error:
            parameters.check(model, {name: value})
        assert error.value.recovery == {
            "suggested_command": f"image-skill models show {model.id} --json"
        }

    @given(data=st.data(), value=JSON)
    def test_any_other_value_is_refused(self, data, value):
        model = data.draw(st.sampled_from([one for one in WIRED if one.executable_parameters]))
        name = data.draw(st.sampled_from(model.executable_parameters))
        assume(not parameters._validator(model, name).is_valid(value))
        with pytest.raises(ModelParameterInvalid) as error:
            parameters.check(model, {name: value})
        assert fields(error)[0] == f"model_parameters.{name}"

    @pytest.mark.parametrize(
        ("model_id", "name"),
        [
            ("fal.flux-pro-v1-1-ultra", "image_url"),
            ("fal.bytedance-seedream-v4-5-edit", "image_urls"),
            ("fal.bytedance-seedream-v5-lite-edit", "image_urls"),
        ],
    )
    def test_reference_controls_of_the_provider_are_cataloged(self, model_id, name):
        with pytest.raises(ModelParameterInvalid) as error:
            parameters.check(registry.get(model_id), {name: None})
        messages = [one["message"] for one in error.value.details]
        assert any("is cataloged, not executable" in message for message in messages)

    def test_a_cataloged_parameter_is_refused_naming_what_is_allowed(self):
        with pytest.raises(ModelParameterInvalid) as error:
            parameters.check(registry.get("fal.flux-dev"), {"guidance_scale": 7})
        assert error.value.details == [
            {
                "field": "model_parameters.guidance_scale",
                "message": "is cataloged, not executable; fal.flux-dev accepts image_size, seed",
            }
        ]

    @pytest.mark.parametrize(
        ("model", "given_parameters", "message"),
        [
            (
                "xai.grok-imagine-image-quality",
                {"resolution": "4k"},
                "must be one of 1k, 2k",
            ),
            ("local.sketch", {"grain": 1.01}, "must be a number from 0 to 1"),
            ("local.sketch", {"caption": "yes"}, "must be true or false"),
            ("local.sketch", {"seed": 1.5}, "must be a whole number from 0 to 4294967295 or null"),
            (
                "openai.gpt-image-1.5",
                {"size": "1x1"},
                "must be one of auto, 1024x1024, 1024x1536, 1536x1024",
            ),
            (
                "fal.flux-dev",
                {"image_size": {"width": 0, "height": 9}},
                "must be one of " + ", ".join(PRESETS) + ", or an object of width (a whole number "
                "from 1 to 14142) and height (a whole number from 1 to 14142)",
            ),
        ],
    )
    def test_the_message_says_what_is_allowed(self, model, given_parameters, message):
        with pytest.raises(ModelParameterInvalid) as error:
            parameters.check(registry.get(model), given_parameters)
        assert error.value.details[0]["message"] == message

    @pytest.mark.parametrize(
        "name",
        [
            "elements",
            "images",
            "image_url",
            "image_urls",
            "mask_url",
            "frontal_image_url",
            "reference_image_urls",
            "first_image_url",
            "second_image_url",
            "first_reference_task",
            "Second_Reference_Task",
        ],
    )
    def test_the_providers_own_fields_are_refused(self, name):
        with pytest.raises(ModelParameterInvalid) as error:
            parameters.check(registry.get("fal.dreamo"), {name: "x"})
        assert "provider-native field" in error.value.details[0]["message"]

    @pytest.mark.parametrize(
        "value",
        [
            "https://example.com/a.png",
            " HTTP://example.com",
            "//example.com/a.png",
            "data:image/png;base64,AAAA",
            "file:///etc/passwd",
            {"deep": [{"deeper": "ftp://example.com"}]},
        ],
    )
    def test_urls_are_refused_wherever_they_hide(self, value):
        with pytest.raises(ModelParameterInvalid) as error:
            parameters.check(registry.get("local.sketch"), {"palette": value})
        assert "URL" in error.value.details[0]["message"]

    def test_neither_a_value_nor_a_strange_name_is_told_back(self):
        secret = "isk_r_secret value"
        with pytest.raises(ModelParameterInvalid) as error:
            parameters.check(registry.get("local.sketch"), {secret: 1, "palette": secret})
        assert secret not in json.dumps(error.value.details) + error.value.text

    def test_everything_wrong_is_told_at_once(self):
        with pytest.raises(ModelParameterInvalid) as error:
            parameters.check(registry.get("local.sketch"), {"foo": 1, "bar": 2})
        assert fields(error) == ["model_parameters.foo", "model_parameters.bar"]

    def test_null_leaves_a_parameter_to_the_provider(self):
        assert parameters.check(registry.get("fal.flux-dev"), {"seed": None}) == {}

    def test_a_whole_number_may_be_written_with_a_point(self):
        checked = parameters.check(registry.get("fal.flux-dev"), {"seed": 7.0})
        assert json.dumps(checked) == '{"seed": 7}'


class TestRules:
    @pytest.mark.parametrize(
        ("model", "given_parameters"),
        [
            ("openai.gpt-image-2", {"output_compression": 50}),
            ("openai.gpt-image-2", {"output_compression": 50, "output_format": "png"}),
            ("openai.gpt-image-1.5", {"background": "transparent", "output_format": "jpeg"}),
        ],
    )
    def test_parameters_that_exclude_each_other_are_refused(self, model, given_parameters):
        with pytest.raises(ModelParameterInvalid) as error:
            parameters.check(registry.get(model), given_parameters)
        assert "needs output_format" in error.value.details[0]["message"]

    @pytest.mark.parametrize(
        ("model", "given_parameters"),
        [
            ("openai.gpt-image-2", {"output_compression": 50, "output_format": "webp"}),
            ("openai.gpt-image-1.5", {"background": "transparent"}),
            ("openai.gpt-image-1.5", {"background": "opaque", "output_format": "jpeg"}),
        ],
    )
    def test_parameters_that_go_together_are_taken(self, model, given_parameters):
        assert parameters.check(registry.get(model), given_parameters) == given_parameters

    def test_transparency_is_not_of_gpt_image_2(self):
        with pytest.raises(ModelParameterInvalid):
            parameters.check(registry.get("openai.gpt-image-2"), {"background": "transparent"})

    def test_input_fidelity_is_of_the_15_edit_alone(self):
        known = [one.id for one in WIRED if "input_fidelity" in one.executable_parameters]
        assert known == ["openai.gpt-image-1.5-edit"]


class TestSizes:
    @pytest.mark.parametrize(
        ("model", "name", "value", "message"),
        [
            ("openai.gpt-image-2", "size", "1000x1000", "multiples of 16"),
            ("openai.gpt-image-2", "size", "3856x1600", "3840"),
            ("openai.gpt-image-2", "size", "3328x1024", "3 times"),
            ("openai.gpt-image-2", "size", "640x640", "655360"),
            ("openai.gpt-image-2", "size", "3840x3840", "8294400"),
            ("local.sketch", "size", "4096x512", "2048"),
            (
                "fal.bytedance-seedream-v4-5-text-to-image",
                "image_size",
                {"width": 1024, "height": 1024},
                "3686400",
            ),
            ("fal.z-image-turbo", "image_size", {"width": 2049, "height": 2048}, "4194304"),
        ],
    )
    def test_a_size_beyond_the_limits_is_refused(self, model, name, value, message):
        with pytest.raises(ModelParameterInvalid) as error:
            plan(model=model, model_parameters={name: value}, accept_unknown_cost=True)
        assert message in error.value.details[0]["message"]

    @pytest.mark.parametrize(
        ("model", "ratio", "size"),
        [
            ("fal.flux-dev", "16:9", (1024, 576)),
            ("fal.flux-dev", "3:4", (768, 1024)),
            ("fal.dreamo", "1:1", (1024, 1024)),
            ("openai.gpt-image-1.5", "3:2", (1536, 1024)),
            ("openai.gpt-image-2", "16:9", (1536, 864)),
            ("local.sketch", "21:9", (1344, 576)),
            ("xai.grok-imagine-image", "16:9", None),
        ],
    )
    def test_the_ratio_decides_the_size(self, model, ratio, size):
        assert plan(model=model, aspect_ratio=ratio, accept_unknown_cost=True).size == size

    def test_a_size_of_the_callers_wins_over_the_ratio(self):
        planned = plan(
            model="fal.flux-dev", aspect_ratio="1:1", model_parameters={"image_size": "square"}
        )
        assert planned.size == (512, 512)
