"""What must not leave with a report is cut out of it, and what can't be cut out is refused."""

import contextlib
import time

import pytest

from feedback import redaction

PROMPT = "a red fox asleep under a birch while the first snow of the year falls on it"

SECRETS = {
    "ours": "isk_r_" + "Ab1" * 12,
    "stripe": "sk_" + "live_" + "a1B2c3D4e5F6g7H8",
    "stripe webhook": "whsec_" + "a1B2c3D4e5F6g7H8",
    "openai": "sk-" + "proj-" + "a1B2c3D4e5F6g7H8i9J0",
    "xai": "xai-" + "a1B2c3D4e5F6g7H8i9J0",
    "fal": "12345678-1234-1234-1234-123456789abc:" + "0123456789abcdef" * 2,
    "github": "ghp_" + "a1B2c3D4e5F6g7H8i9J0",
    "github fine": "github_pat_" + "a1B2c3D4e5F6g7H8i9J0",
    "aws": "AKIA" + "ABCDEFGHIJKLMNOP",
    "slack": "xoxb-" + "1234567890-abcdef",
    "google": "AIza" + "a" * 35,
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "bearer": "Authorization: Bearer abcdef1234567890",
    "named": 'api_key = "h0tterThanTheSun"',
    "broken line": "sk_" + "live_a1B2c3D4\ne5F6g7H8i9J0",
    "private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----",
    "cloud secret": "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY",
    "cloud secret without a sign": "aws_secret_access_key wJalrXUtnFEMI/K7MDENG/"
    + "bPxRfiCY" * 2
    + "E7",
    "passphrase": "passphrase: correct-horse",
    "said in words": "password is hunter22",
}
PERSONAL = {
    "card": "4242 4242 4242 4242",
    "card with dots": "4242.4242.4242.4242",
    "card in one piece": "378282246310005",
    "card in other digits": "\u0664\u0662\u0664\u0662" * 4,
    "IBAN": "DE89 3704 0044 0532 0130 00",
    "phone": "+49 30 901820",
    "phone in one piece": "+4930901820",
    "phone in brackets": "(415) 555-2671",
    "phone without a country": "415-555-2671",
    "address": "203.0.113.77",
    "address of version 6": "2001:db8:85a3::8a2e:370:7334",
    "mail": "somebody@example.com",
}


class TestSecrets:
    @pytest.mark.parametrize("name", SECRETS)
    def test_each_is_cut_out_and_the_words_around_it_stay(self, name):
        done = redaction.redact(f"before {SECRETS[name]} after")
        core = SECRETS[name].split()[-1].strip('"')
        assert core not in done.text
        assert done.text.startswith("before ")
        assert done.text.endswith(" after")
        assert sum(done.removed.values()) >= 1

    @pytest.mark.parametrize(
        "hidden",
        [
            "sk%5Flive%5Fa1B2c3D4e5F6g7H8i9J0",
            "g h p _ a1B2c3D4e5F6g7H8i9J0K1L2",
            "somebody%40example.com",
            "-----BEGIN PRIVATE KEY----- MIIabc without an end",
            "data:ima\nge/png;base64 iVBORw0KGgo",
        ],
    )
    def test_what_is_split_or_encoded_is_refused(self, hidden):
        with pytest.raises(redaction.UnsafeText):
            redaction.redact(f"look: {hidden}")

    def test_invisible_characters_hide_nothing(self):
        secret = SECRETS["github"]
        done = redaction.redact("\u200b".join(secret) + " and \u202eevil")
        assert secret not in done.text
        assert "\u202e" not in done.text


class TestPersonalData:
    @pytest.mark.parametrize("name", PERSONAL)
    def test_goes(self, name):
        done = redaction.redact(f"before {PERSONAL[name]} after")
        assert PERSONAL[name] not in done.text
        assert done.text.startswith("before [")
        assert done.text.endswith("] after")

    def test_a_cookie_goes_to_the_end_of_its_line(self):
        done = redaction.redact("> Cookie: sessionid=abc; csrftoken=def\nHTTP 403")
        assert done.text == "> [secret removed]\nHTTP 403"

    @pytest.mark.parametrize(
        "text",
        [
            "version 1.2.3.4.5 at 127.0.0.1:8000 on ::1",
            "20:52:24 and 2026-11-30T20:52:24.123456Z took 1500 1600 1700 ms",
            "the token is expired and the password is required",
            "sizes 1024 1536 2048 4096, job_01JDXK3V7Q8W9E2R4T5Y6U7I8O",
            "order 1234 5678 9012 3456",
        ],
    )
    def test_what_only_looks_like_it_stays(self, text):
        assert redaction.redact(text).text == text

    def test_an_unsafe_text_is_not_stored(self):
        done = redaction.redact_at_intake("g h p _ a1B2c3D4e5F6g7H8i9J0K1L2")
        assert done.text.startswith("[removed: ")
        assert done.removed.total() == 1


class TestAddressesAndData:
    def test_mail_addresses_go(self):
        assert "team.lead" not in redaction.redact("ask team.lead@mail.example.com now").text

    def test_a_plain_address_stays(self):
        url = "https://docs.example.com/a/b?page=2#part"
        assert redaction.redact(f"see {url}").text == f"see {url}"

    @pytest.mark.parametrize(
        "url",
        [
            "https://user:secret@host.example/x",
            "postgresql://app:hunter2@db.internal/x",
            "https://bucket.example/k.png?X-Amz-Signature=abc&X-Amz-Expires=3",
            "https://host.example/x?sig=abc",
            "https://host.example/x#access_token=abc",
        ],
    )
    def test_credentials_and_signatures_go_with_the_rest_of_the_address(self, url):
        text = redaction.redact(f"see {url} please").text
        assert "URL removed" in text
        for secret in ("secret", "hunter2", "abc"):
            assert secret not in text

    def test_pictures_as_text_go(self):
        data = "data:image/png;base64," + "iVBORw0KGgo" * 20
        assert redaction.redact(f"it was {data}").text == "it was [data URL removed]"
        long = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ" * 4
        assert long not in redaction.redact(f"raw {long} end").text

    def test_a_ruler_is_no_data(self):
        assert redaction.redact("-" * 90).text == "-" * 90


class TestPrompts:
    def test_a_prompt_is_cut_out_however_it_is_set(self):
        told = f"It refused “{PROMPT.upper()}!” twice"
        done = redaction.redact(told, prompts=[PROMPT])
        assert done.text == "It refused “[prompt removed]!” twice"
        assert done.removed["prompt"] == 1

    def test_a_part_of_a_prompt_is_cut_out_too(self):
        part = " ".join(PROMPT.split()[3:13])
        assert "birch" not in redaction.redact(f"the {part} thing", prompts=[PROMPT]).text

    def test_a_short_prompt_goes_as_a_whole(self):
        assert (
            "fox"
            not in redaction.redact("I said: red fox asleep.", prompts=["Red fox asleep"]).text
        )

    def test_a_prompt_of_a_word_takes_no_words_away(self):
        assert redaction.redact("the cat is wrong", prompts=["cat"]).text == "the cat is wrong"

    def test_prompts_without_spaces_are_known(self):
        prompt = "雪の中で眠る赤い狐と白樺の木"
        assert "赤い狐" not in redaction.redact(f"失敗 {prompt} です", prompts=[prompt]).text

    def test_the_argument_of_a_command_goes_even_when_its_prompt_is_forgotten(self):
        told = redaction.redact('image-skill create --prompt "a fox" --model x').text
        assert told == "image-skill create --prompt [prompt removed] --model x"
        told = redaction.redact('{"prompt": "a \\"red\\" fox", "model": "x"}').text
        assert "fox" not in told
        assert '"model": "x"' in told


HOSTILE = {
    "mail": "a@",
    "mail with dots": "a.",
    "data": "data:",
    "data with parts": "data:a/a;a=",
    "prompt": 'prompt:"\\',
    "arguments": "--prompt ",
    "prompts with spaces": "prompt   ",
    "signature": "https://a/?sig",
    "signature without a sign": "sigsig?",
    "parameters": "?;#&",
    "IBAN": "DE89 3704 ",
    "phone": "+49 30 ",
    "phone without end": "001.",
    "phone in brackets": "(415) 555-",
    "base64 of 40": "aA1/" * 10 + " ",
    "cloud secrets": "aA1/" * 9 + "aA1- ",
    "IPv4": "1.1.",
    "IPv6": "a:",
    "colons": ":::",
    "cookie": "cookie:",
    "base64": "A" * 63 + " ",
    "hex": "a" * 47 + "g",
    "home": "/home/",
    "card": "4242-4242 ",
    "password": "password is ",
    "lines": "secret=\naaaaaaaa",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_linear_time(name):
    start = "https://a/?" if name.startswith(("signature w", "param")) else ""
    for text in (
        start + HOSTILE[name] * (20_000 // len(HOSTILE[name])),
        HOSTILE[name] + " " * 20_000,
    ):
        began = time.process_time()
        with contextlib.suppress(redaction.UnsafeText):
            redaction.redact(text, prompts=["word " * 100])
        assert time.process_time() - began < 0.7
