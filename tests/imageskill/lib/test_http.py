"""Who is calling: addresses behind proxies, and the networks that limits count by."""

import pytest
from django.test import RequestFactory

from imageskill.lib.http import client_ip, network_of, networks_of


class TestClientIp:
    @pytest.mark.parametrize(
        ("forwarded", "address"),
        [
            ("203.0.113.7", "203.0.113.7"),
            ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
            ("203.0.113.7:1234", "203.0.113.7"),
            ("[2001:db8::7]:1234", "2001:db8::7"),
            ("2001:db8::7", "2001:db8::7"),
            ("nonsense", "10.0.0.1"),
            ("", "10.0.0.1"),
        ],
    )
    def test_is_the_last_hop_before_trusted_proxies(self, settings, forwarded, address):
        settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
        request = RequestFactory().get(
            "/", REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": forwarded}
        )
        assert client_ip(request) == address

    def test_is_the_socket_where_nobody_is_trusted(self, settings):
        settings.TRUSTED_PROXIES = []
        request = RequestFactory().get(
            "/", REMOTE_ADDR="192.0.2.1", headers={"X-Forwarded-For": "203.0.113.7"}
        )
        assert client_ip(request) == "192.0.2.1"


class TestNetworks:
    def test_of_version_4_is_the_address(self):
        assert networks_of("192.0.2.1") == ["192.0.2.1"]
        assert networks_of("::ffff:192.0.2.1") == ["192.0.2.1"]

    def test_of_version_6_are_three_prefixes(self):
        assert networks_of("2001:db8:1:2345::1") == [
            "2001:db8:1:2345::/64",
            "2001:db8:1:2300::/56",
            "2001:db8:1::/48",
        ]
        assert network_of("2001:db8:1:2345::1") == "2001:db8:1:2345::/64"
