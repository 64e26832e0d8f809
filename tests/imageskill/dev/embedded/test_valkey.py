import time

import pytest
import redis

from imageskill.dev.embedded import folders
from imageskill.dev.embedded.valkey import Valkey


def connect(server: Valkey) -> redis.Redis:
    return redis.Redis.from_url(server.url(), decode_responses=True)


class TestValkey:
    def test_keeps_its_data_over_a_restart(self, own_valkey):
        connect(own_valkey).set("kept", "yes")
        own_valkey.stop()

        began = time.monotonic()
        own_valkey.start()

        assert time.monotonic() - began < 5
        assert connect(own_valkey).get("kept") == "yes"

    def test_keeps_what_it_confirmed_a_second_before_it_was_killed(self, own_valkey):
        connect(own_valkey).set("kept", "yes")
        time.sleep(1.2)  # appendfsync everysec
        own_valkey.kill()

        own_valkey.start()

        assert connect(own_valkey).get("kept") == "yes"

    def test_listens_on_no_network_address(self, own_valkey):
        assert connect(own_valkey).config_get("port") == {"port": "0"}

    def test_a_second_launcher_is_refused(self, own_valkey, server_folder):
        with pytest.raises(folders.FolderInUse):
            Valkey(server_folder).start()

    def test_stops_a_server_that_outlived_its_launcher(self, server_folder):
        orphan = Valkey(server_folder)
        orphan.start()
        connect(orphan).set("kept", "yes")
        orphan._lock.release()

        server = Valkey(server_folder)
        server.start()

        assert orphan.pid is None
        assert connect(server).get("kept") == "yes"
        server.stop()

    def test_a_long_path_gets_a_short_socket(self, server_folder):
        server = Valkey(server_folder / ("a" * 120), throwaway=True)

        server.start()

        assert connect(server).ping()
        server.stop()

    def test_a_throwaway_one_writes_nothing(self, server_folder):
        server = Valkey(server_folder, throwaway=True)
        server.start()
        connect(server).set("kept", "no")
        server.stop()

        assert [path.name for path in server.data.iterdir()] == []
