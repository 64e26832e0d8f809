import pytest

from imageskill.lib.errors import InvalidArguments
from jobs import registry
from jobs.images import conversions
from jobs.planning import references
from jobs.planning.inputs import InputPolicyDenied
from tests.jobs.plans import IMAGES, edit, image, plan, reference

KLING = registry.get("fal.kling-image-o3-text-to-image")
KLING_EDITS = [
    registry.get(name) for name in ("fal.kling-image-o1", "fal.kling-image-o3-image-to-image")
]
DREAMO = registry.get("fal.dreamo")
XAI = registry.get("xai.grok-imagine-image-edit")


def frontal(index=0, **fields):
    return reference("element_frontal", index, **fields)


def beside(index=0, reference_index=0, **fields):
    return reference("element_reference", index, reference_index=reference_index, **fields)


def refused(model, *asked):
    with pytest.raises(InvalidArguments) as error:
        references.check(model, asked, IMAGES)
    return [(detail["field"], detail["message"]) for detail in error.value.details]


class TestElements:
    def test_ten_elements_of_four_pictures_are_taken(self):
        asked = [frontal(index) for index in range(10)]
        asked += [beside(index, slot) for index in range(10) for slot in range(3)]
        references.check(KLING, tuple(asked), IMAGES)

    def test_an_element_needs_its_frontal(self):
        assert refused(KLING, frontal(0), beside(1))[0][1].startswith("each element needs")

    def test_two_frontals_of_one_element_are_refused(self):
        assert "same role and index" in refused(KLING, frontal(0), frontal(0))[0][1]

    def test_an_eleventh_element_is_refused(self):
        asked = [frontal(index) for index in range(11)]
        assert ("references.10.index", "must be from 0 to 9") in refused(KLING, *asked)

    @pytest.mark.parametrize("slot", [-1, 3, None])
    def test_a_slot_is_from_0_to_2(self, slot):
        found = refused(KLING, frontal(0), beside(0, slot))
        assert ("references.1.reference_index", "must be from 0 to 2") in found

    def test_slots_are_contiguous(self):
        assert "contiguous" in refused(KLING, frontal(0), beside(0, 1))[0][1]

    def test_indexes_are_contiguous_from_0(self):
        assert "contiguous" in refused(KLING, frontal(1))[0][1]
        assert "contiguous" in refused(KLING, frontal(0), frontal(2))[0][1]

    def test_a_frontal_has_no_slot_and_no_task(self):
        found = dict(refused(KLING, frontal(0, reference_index=0, reference_task="id")))
        assert set(found) == {"references.0.reference_index", "references.0.reference_task"}

    def test_flat_references_are_refused(self):
        found = refused(KLING, reference("reference_image", 0))
        assert found[0] == ("references.0.role", "must be element_frontal or element_reference")

    @pytest.mark.parametrize("model", KLING_EDITS)
    def test_an_input_takes_the_place_of_the_tenth(self, model):
        asked = [frontal(index) for index in range(9)]
        asked += [beside(index, slot) for index in range(9) for slot in range(3)]
        references.check(model, tuple(asked), IMAGES)

        found = refused(model, *asked, frontal(9))

        assert ("references.36.index", "must be from 0 to 8") in found

    def test_forty_entries_are_the_most(self):
        asked = [frontal(index) for index in range(10)]
        asked += [beside(index, slot) for index in range(10) for slot in range(3)]
        found = refused(KLING, *asked, beside(0, 0))
        assert any("at most 40" in message for _, message in found)


class TestPictures:
    @pytest.mark.parametrize("task", [None, "ip", "id", "style"])
    def test_dreamo_takes_two_with_a_task(self, task):
        references.check(
            DREAMO, (reference(index=0, reference_task=task), reference(index=1)), IMAGES
        )

    def test_an_unknown_task_is_refused(self):
        found = refused(DREAMO, reference(index=0, reference_task="face"))
        assert found == [("references.0.reference_task", "must be ip or id or style")]

    def test_xai_takes_two_and_no_task(self):
        references.check(XAI, (reference(index=0), reference(index=1)), IMAGES)
        found = refused(XAI, reference(index=0, reference_task="id"))
        assert found == [("references.0.reference_task", "is not accepted by this model")]

    @pytest.mark.parametrize("model", [DREAMO, XAI])
    def test_a_third_is_refused(self, model):
        found = refused(model, *(reference(index=index) for index in range(3)))
        assert ("references.2.index", "must be from 0 to 1") in found

    def test_a_model_without_references_takes_none(self):
        found = refused(registry.get("fal.flux-dev"), reference())
        assert found == [("references", "are not accepted by fal.flux-dev")]


class TestAssets:
    @pytest.mark.parametrize(
        ("facts", "word"),
        [
            ({"mime_type": "image/gif"}, "image/gif"),
            ({"content_length": 10_485_761}, "10485760"),
            ({"content_length": 0}, "0 bytes"),
            ({"width": 299}, "300"),
            ({"height": 299}, "300"),
            ({"width": 300, "height": 751}, "0.40"),
            ({"width": 2561}, "2.50"),
        ],
    )
    def test_a_picture_that_is_no_good_is_refused(self, facts, word):
        with pytest.raises(InputPolicyDenied) as error:
            references.check(DREAMO, (reference(asset_id=image(**facts)),), IMAGES)
        assert word in error.value.text
        assert error.value.details[0]["field"] == "references.0.asset_id"

    @pytest.mark.parametrize(
        "facts",
        [
            {"content_length": 10_485_760},
            {"width": 300, "height": 300},
            {"width": 400, "height": 1000},
            {"width": 2560, "height": 1024},
            {"mime_type": "image/webp"},
        ],
    )
    def test_the_limits_themselves_are_taken(self, facts):
        references.check(DREAMO, (reference(asset_id=image(**facts)),), IMAGES)


class TestInputs:
    def test_an_edit_needs_an_input(self):
        with pytest.raises(InvalidArguments) as error:
            edit(model="fal.flux-pro-kontext", input_asset_id=None)
        assert error.value.details[0]["field"] == "input_asset_id"

    def test_a_create_takes_none(self):
        with pytest.raises(InvalidArguments):
            plan(model="fal.flux-dev", input_asset_id=image())

    @pytest.mark.parametrize(
        ("model", "facts"),
        [
            ("xai.grok-imagine-image-edit", {"content_length": 0}),
            ("fal.kling-image-o1", {"width": 299}),
            ("fal.kling-image-v3-image-to-image", {"width": 2561}),
        ],
    )
    def test_an_input_beyond_its_provider_is_refused(self, model, facts):
        with pytest.raises(InputPolicyDenied):
            edit(model=model, input_asset_id=image(**facts), accept_unknown_cost=True)

    @pytest.mark.parametrize(
        ("facts", "words"),
        [
            ({"content_length": 10_485_760}, None),
            ({"content_length": 10_485_761}, "compressed or scaled down so that its file has at"),
            ({"width": 4096, "height": 4096}, None),
            ({"width": 8000, "height": 6000}, "it is scaled to 4729x3547"),
            ({"width": 14_143, "height": 1000}, "it is scaled to 14142x999"),
            ({"mime_type": "image/gif", "width": 1600, "height": 1638}, None),
            ({"mime_type": "image/gif", "width": 1600, "height": 1639}, "may be compressed or"),
        ],
    )
    def test_what_is_too_large_for_its_provider_is_made_smaller_and_told(self, facts, words):
        planned = edit(
            model="xai.grok-imagine-image-edit",
            input_asset_id=image(**facts),
            accept_unknown_cost=True,
        )

        told = [one for one in planned.warnings if "scaled" in one]
        assert [words in one for one in told] == ([True] if words else [])

    @pytest.mark.parametrize("mime_type", ["image/gif", "image/avif"])
    @pytest.mark.parametrize("model", ["openai.gpt-image-2-edit", "xai.grok-imagine-image-edit"])
    def test_a_type_that_a_provider_does_not_know_is_converted_and_told(self, model, mime_type):
        planned = edit(
            model=model, input_asset_id=image(mime_type=mime_type), accept_unknown_cost=True
        )

        [warning] = [one for one in planned.warnings if "is changed" in one]
        assert warning.startswith("The image of input_asset_id is changed for the provider: ")
        assert f"sent as PNG or JPEG, as the model does not take {mime_type}" in warning

    def test_a_type_that_it_knows_leaves_as_it_is(self):
        planned = edit(model="openai.gpt-image-2-edit", accept_unknown_cost=True)

        assert not any("is changed" in warning for warning in planned.warnings)

    @pytest.mark.parametrize(
        ("conversion", "words"),
        [
            (conversions.TURNED, "it is turned upright"),
            (conversions.FIRST_FRAME, "only its first frame is sent"),
            (conversions.COLORS, "its colors are converted to RGB of 8 bits"),
            (conversions.PROFILE, "its color profile is too large"),
        ],
    )
    def test_whatever_is_changed_is_told_of_every_image(self, conversion, words):
        changed = image(conversions=(conversion,))

        planned = edit(
            model="xai.grok-imagine-image-edit",
            input_asset_id=changed,
            references=(reference(index=0), reference(index=1, asset_id=changed)),
            accept_unknown_cost=True,
        )

        told = [warning for warning in planned.warnings if words in warning]
        fields = ("input_asset_id", "references.1.asset_id")
        assert [warning.split(" is changed")[0] for warning in told] == [
            f"The image of {field}" for field in fields
        ]

    def test_the_local_one_takes_every_upload(self):
        edit(
            model="local.sketch-remix",
            input_asset_id=image(mime_type="image/gif"),
            accept_unknown_cost=True,
        )


class TestMasks:
    def test_ideogram_needs_one(self):
        with pytest.raises(InvalidArguments) as error:
            edit(model="fal.ideogram-v2-edit", accept_unknown_cost=True)
        assert error.value.details[0]["field"] == "mask_asset_id"

    def test_a_mask_of_the_inputs_size_is_taken(self):
        edit(model="fal.ideogram-v2-edit", mask_asset_id=image(), accept_unknown_cost=True)

    def test_a_mask_of_another_size_is_refused(self):
        with pytest.raises(InputPolicyDenied, match="512x1024"):
            edit(
                model="fal.ideogram-v2-edit",
                mask_asset_id=image(width=512),
                accept_unknown_cost=True,
            )

    def test_openai_takes_a_small_png(self):
        model = "openai.gpt-image-2-edit"
        edit(model=model, mask_asset_id=image(), accept_unknown_cost=True)
        large = image(content_length=4_000_001)
        planned = edit(model=model, mask_asset_id=large, accept_unknown_cost=True)
        [told] = [one for one in planned.warnings if "mask_asset_id" in one]
        assert "its file has at most 4000000 bytes" in told
        with pytest.raises(InputPolicyDenied):
            edit(model=model, mask_asset_id=image(min_alpha=255), accept_unknown_cost=True)

    @pytest.mark.parametrize(
        ("model", "facts", "word"),
        [
            ("openai.gpt-image-1.5-edit", {"min_luma": 0, "min_alpha": 128}, "transparent"),
            ("openai.gpt-image-2-edit", {"min_luma": 0, "min_alpha": 255}, "transparent"),
            ("fal.ideogram-v2-edit", {"min_luma": 128, "min_alpha": 0}, "black"),
        ],
    )
    def test_a_mask_that_marks_nothing_is_refused_before_it_costs(self, model, facts, word):
        with pytest.raises(InputPolicyDenied, match=f"no {word} pixels") as error:
            edit(model=model, mask_asset_id=image(**facts), accept_unknown_cost=True)
        assert error.value.details[0]["field"] == "mask_asset_id"

    @pytest.mark.parametrize(
        ("model", "facts"),
        [
            ("openai.gpt-image-2-edit", {"min_luma": 255, "min_alpha": 127}),
            ("fal.ideogram-v2-edit", {"min_luma": 127, "min_alpha": 255}),
        ],
    )
    def test_a_mask_that_marks_something_is_taken(self, model, facts):
        edit(model=model, mask_asset_id=image(**facts), accept_unknown_cost=True)

    def test_each_model_with_masks_says_what_marks_in_them(self):
        assert {one.id: one.mask.needs for one in registry.models() if one.mask} == {
            "openai.gpt-image-1.5-edit": "transparency",
            "openai.gpt-image-2-edit": "transparency",
            "fal.ideogram-v2-edit": "black",
        }

    def test_a_model_without_masks_takes_none(self):
        with pytest.raises(InvalidArguments) as error:
            edit(model="fal.flux-pro-kontext", mask_asset_id=image())
        assert error.value.details[0]["message"] == "is not accepted by fal.flux-pro-kontext"
