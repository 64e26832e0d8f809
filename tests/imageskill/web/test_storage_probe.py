"""The verdict of health checks on storage: by a real write, and never by waiting for one."""

import threading
import time

import pytest
from django.core.files.storage import FileSystemStorage

from imageskill.web import storage_probe
from imageskill.web.storage_probe import StorageProbe


class Hanging(FileSystemStorage):
    """Answers nothing until it is let go."""

    let_go = threading.Event()

    def save(self, *args, **options):
        self.let_go.wait(20)
        return super().save(*args, **options)


class Full(FileSystemStorage):
    """Can be asked for files, and takes none."""

    def save(self, *args, **options):
        raise OSError(28, "No space left on device")


@pytest.fixture
def kept_in(settings, tmp_path):
    """Have outputs wait in a storage of that class."""

    def use(storage):
        settings.STORAGES = {
            **settings.STORAGES,
            "default": {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": tmp_path / "images"},
            },
            "kept": {
                "BACKEND": f"{__name__}.{storage.__name__}",
                "OPTIONS": {"location": tmp_path / "kept"},
            },
        }

    return use


def test_what_can_be_written_and_read_works_and_nothing_is_left(kept_in, tmp_path):
    kept_in(FileSystemStorage)

    assert StorageProbe().works()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_one_that_takes_nothing_is_down_and_the_log_says_why(kept_in, caplog):
    kept_in(Full)

    assert not StorageProbe().works()
    assert "'storage': 'kept'" in caplog.text
    assert "'errno': 28" in caplog.text


def test_one_that_hangs_holds_no_request(kept_in, monkeypatch):
    monkeypatch.setattr(storage_probe, "WAIT_S", 0.2)
    kept_in(Hanging)
    probe = StorageProbe()
    began = time.monotonic()

    assert not probe.works()
    assert not probe.works()
    assert time.monotonic() - began < 2

    Hanging.let_go.set()
    assert probe._is_done.wait(10)
    assert probe.works()


def test_a_verdict_is_kept_for_a_while_and_then_tried_again(kept_in, monkeypatch):
    kept_in(FileSystemStorage)
    probe = StorageProbe()
    assert probe.works()
    kept_in(Full)
    assert probe.works(), "tried a moment ago"

    monkeypatch.setattr(storage_probe, "EVERY_S", 0)
    give_up_at = time.monotonic() + 10
    while probe.works() and time.monotonic() < give_up_at:
        time.sleep(0.01)
    assert not probe.works()


def test_a_verdict_that_is_overdue_counts_as_bad(kept_in, monkeypatch):
    kept_in(FileSystemStorage)
    probe = StorageProbe()
    assert probe.works()
    Hanging.let_go.clear()
    kept_in(Hanging)

    for name in ("EVERY_S", "OVERDUE_S", "WAIT_S"):
        monkeypatch.setattr(storage_probe, name, 0)

    assert not probe.works()
    Hanging.let_go.set()


def test_after_a_while_in_which_nobody_asked_the_next_waits_for_a_new_one(kept_in):
    kept_in(FileSystemStorage)
    probe = StorageProbe()
    assert probe.works()

    probe._at -= 3600

    assert probe.works()
