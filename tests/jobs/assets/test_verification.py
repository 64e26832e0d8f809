"""A restored copy: images that are missing or altered are found, whatever their rows say."""

import io
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db.migrations.recorder import MigrationRecorder

from jobs.assets import storage, verification
from jobs.models import Asset
from tests.jobs.sample_images import noise, upload_of


@pytest.fixture
def stored(api, agent, db):
    """Three images with the paths of their files."""
    for seed in range(3):
        answer = api.post("/v1/upload", token=agent.token, json=upload_of(noise(seed=seed)))
        assert answer.status == 200, answer.envelope
    assets = Asset.objects.order_by("pk")
    return [(asset, Path(storages["default"].path(asset.storage_key))) for asset in assets]


def problems(size=None):
    found = verification.find_problems(verification.sample(size))
    return {problem.asset: problem.message for problem in found}


class TestFiles:
    def test_each_that_is_there_as_it_was_is_well(self, stored):
        assert len(list(verification.sample(None))) == 3
        assert problems() == {}

    def test_missing_altered_and_cut_off_are_told(self, stored):
        (missing, path), (altered, other), (cut, third) = stored
        path.unlink()
        other.write_bytes(b"\0" * altered.content_length)
        third.write_bytes(third.read_bytes()[:-1])
        told = problems()
        assert "can't be read" in told[missing.public_id]
        assert "SHA-256" in told[altered.public_id]
        assert f"instead of {cut.content_length}" in told[cut.public_id]

    def test_a_hash_that_agrees_with_bytes_that_are_no_image_is_told(self, stored):
        asset, path = stored[0]
        facts = storage.measure(io.BytesIO(b"no image"))
        path.write_bytes(b"no image")
        Asset.objects.filter(pk=asset.pk).update(
            sha256=facts.sha256, content_length=facts.content_length
        )
        assert "can't be opened" in problems()[asset.public_id]

    def test_a_sample_has_the_newest_and_is_bounded(self, stored):
        chosen = list(verification.sample(2))
        assert stored[-1][0] in chosen
        assert len(chosen) <= 2
        Asset.objects.all().update(state=Asset.State.DELETED)
        assert list(verification.sample(2)) == []


class TestRestoreCheck:
    def test_says_that_all_is_there(self, stored, capsys):
        call_command("restore_check", "--all")
        assert "3 images looked at.\nThe copy is complete." in capsys.readouterr().out

    def test_ends_with_what_is_not(self, stored, capsys):
        asset, path = stored[2]
        path.unlink()
        with pytest.raises(CommandError, match="1 problems"):
            call_command("restore_check", "--sample", "2")
        assert f"images: {asset.public_id}" in capsys.readouterr().out

    def test_tells_a_copy_of_another_release(self, db, capsys):
        applied = MigrationRecorder.Migration.objects
        newest = applied.filter(app="feedback").order_by("-name").first()
        applied.filter(pk=newest.pk).update(name="9999_of_tomorrow")
        with pytest.raises(CommandError):
            call_command("restore_check")
        told = capsys.readouterr().out
        assert "feedback.9999_of_tomorrow is of another release" in told
        assert "is not applied: run bootstrap" in told
