"""Refuses what looks like card data, secrets or payment tokens.

Stripe's own pages collect payment details. Whatever reaches a credits endpoint or command all
the same is refused before anything reads it, and its value is neither answered nor logged.
Looks at field names, at what tokens and keys look like (`imageskill.lib.secrets`), and for
stand-alone card numbers. The idempotency keys that clients make
(`quote-1763700000000-1a2b3c4d`) hold 13 digits; no card starts with 1, and that is why they pass.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from imageskill.lib import secrets
from imageskill.lib.errors import ApiError

PUBLIC_FIELDS = frozenset(
    {
        "checkout_session_id",
        "credits",
        "idempotency_key",
        "pack_id",
        "payment_attempt_id",
        "payment_method",
        "quote_id",
        "receipt_id",
    }
)

_SECRET_FIELDS = frozenset(
    """
    accesstoken accountnumber apikey authorization authtoken bankaccount bearertoken
    billingdetails card cardcode cardcvc cardcvv carddata cardexpiry cardholder cardholdername
    cardnumber cardpin cardtoken clientsecret credential credentials cryptogram cvc cvc2 cvn cvv
    cvv2 expiry expirydate expmonth expyear iban keyphrase mnemonic mpptoken pan passphrase
    password paymentcredential paymentmethoddata paymentrequired paymentresponse paymentsecret
    paymentsignature paymenttoken pin primaryaccountnumber privatekey providerkey providerreceipt
    recoveryphrase routingnumber secret secretkey secretrecoveryphrase securitycode seedphrase
    seedwords sharedpaymenttoken signingkey sortcode spt stripekey stripesecret stripesecretkey
    stripetoken stripewebhooksecret token tokens track1 track2 trackdata walletkey
    walletprivatekey walletsecret webhooksecret xpayment xpaymentheader
    """.split()  # noqa: SIM905
)

_PAYMENT_HEADERS = frozenset({"x-payment", "payment-signature", "x-payment-response"})

# Beside every known token: here the beginning of a secret is refused too, as half of one must
# not be sent either, and what only Stripe or a wallet uses. Elsewhere `0x` and 64 digits are a
# hash, and a payment method's id is no secret.
_PAYMENT_SECRETS = re.compile(
    r"""(?<![A-Za-z0-9])(?:
        (?:sk|rk|ek|pk)_(?:live|test)_[A-Za-z0-9]
      | whsec_[A-Za-z0-9]
      | b?tok_[A-Za-z0-9]
      | pm_card_
      | (?:pm|src|card|ctoken|spt|mpp)_[A-Za-z0-9]{14}
      | (?:pi|seti|cs|payatt)_[A-Za-z0-9_]{1,255}_secret_
      | isk_[a-z]_[A-Za-z0-9]
      | 0x[0-9a-fA-F]{64}(?![0-9A-Za-z])
    )
    | -----BEGIN[ ][A-Z ]{0,40}(?:PRIVATE[ ]KEY|CERTIFICATE)""",
    re.VERBOSE,
)
_PHRASE_WORDS = frozenset({12, 15, 18, 21, 24})
_DIGITS = re.compile(
    r"""(?<![0-9A-Za-z])(?:
        [0-9]{13,19}
      | [0-9]{2,6}(?:[ ./_\u2010-\u2015-]{1,2}[0-9]{2,6}){2,6}
    )(?![0-9A-Za-z])""",
    re.VERBOSE,
)
# Issuers by prefix and length (ISO/IEC 7812). No payment card starts with 1 or 9.
_CARD = re.compile(
    r"""4(?:\d{12}|\d{15}|\d{18})                                 # Visa
      | (?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}   # Mastercard
      | 3[47]\d{13}                                               # American Express
      | (?:6011|64[4-9]\d|65\d{2})\d{12,15}                       # Discover
      | 3(?:0[0-5]|[689]\d)\d{11,16}                              # Diners Club
      | 35(?:2[89]|[3-8]\d)\d{12,15}                              # JCB
      | (?:62|81)\d{14,17}                                        # UnionPay
      | (?:50|5[6-9]|6\d)\d{11,17}                                # Maestro and others
      | 220[0-4]\d{12,15}                                         # Mir
    """,
    re.VERBOSE | re.ASCII,
)


class PaymentCredentialRejected(ApiError):
    """Something like card data or a secret was sent; its value is neither returned nor logged."""

    code = "PAYMENT_CREDENTIAL_REJECTED"
    status = 422
    exit_code = 2
    message = (
        "The request holds what looks like card data, a wallet secret or a token. It was not "
        "read or kept. Payment details belong on Stripe's own page only."
    )


def screen(document: Any) -> None:
    """Refuse a request that holds anything like a payment credential.

    Takes any JSON value: a body, a query as a dict, a command's arguments as a list. Raises
    `PaymentCredentialRejected`, which names a field of the public contract or none at all: the
    name of any other could be the secret.
    """
    for field, text, is_name in _walk_texts(document):
        if (is_name and _is_secret_name(text)) or is_credential(text):
            raise PaymentCredentialRejected(
                details=[
                    {
                        "field": field if field in PUBLIC_FIELDS else "request",
                        "message": "looks like a payment credential; its value was not kept",
                    }
                ]
            )


def screen_headers(names: list[str]) -> None:
    """Refuse a request that carries a payment in a header, as x402 does."""
    for name in names:
        if name.lower() in _PAYMENT_HEADERS:
            raise PaymentCredentialRejected


def screen_arguments(arguments: list[str]) -> None:
    """Refuse a command of the `credits` family by the same rules, flags counting as names."""
    for argument in arguments:
        flag, _, value = argument.partition("=")
        if flag.startswith("-"):
            screen({flag.lstrip("-"): value})
        else:
            screen([argument])


def is_credential(text: str) -> bool:
    """Return whether a text holds a known secret, a card number or the words of a wallet."""
    plain = unicodedata.normalize("NFKC", text)
    if secrets.contains(plain) or _PAYMENT_SECRETS.search(plain):
        return True
    words = plain.split()
    if len(words) in _PHRASE_WORDS and all(re.fullmatch(r"[a-z]{3,8}", word) for word in words):
        return True
    return replace_cards(plain, "") != plain


def replace_cards(text: str, replacement: str) -> str:
    """Return the text with each stand-alone card number replaced, however it is written."""

    def replace(match: re.Match[str]) -> str:
        digits = re.sub(r"[^0-9]", "", match.group())
        return replacement if _CARD.fullmatch(digits) and _passes_luhn(digits) else match.group()

    return _DIGITS.sub(replace, _with_ascii_digits(text))


def _with_ascii_digits(text: str) -> str:
    """Return the text with the digits of all scripts as 0 to 9, as a reader would type them."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.digit(char)) if char.isdigit() and not char.isascii() else char
        for char in text
    )


def _is_secret_name(name: str) -> bool:
    return re.sub(r"[^a-z0-9]", "", name.lower()) in _SECRET_FIELDS


def _passes_luhn(digits: str) -> bool:
    """Check the last digit as card numbers do: double every second one from the right."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _walk_texts(document: Any) -> Iterator[tuple[str, str, bool]]:
    """Yield every text in a JSON value, at any depth, as (field, text, whether it is a name)."""
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        field, item = waiting.pop()
        if isinstance(item, dict):
            for name, value in item.items():
                yield str(name), str(name), True
                waiting.append((str(name), value))
        elif isinstance(item, list | tuple):
            waiting.extend((field, value) for value in item)
        elif isinstance(item, str):
            yield field, item, False
        elif isinstance(item, int) and not isinstance(item, bool):
            yield field, str(item), False
