"""Contacts: the normalized email by which they are compared, and the inbox that it reaches."""

_GMAIL = {"gmail.com", "googlemail.com"}  # this provider ignores dots and has two domains


def normalize(text: str) -> str:
    """Return the normalized form of an email, by which contacts are compared."""
    return text.strip().lower()


def inbox_of(address: str) -> str:
    """Return the one spelling that stands for all addresses of an inbox; limits count by it.

    `name+tag@domain` reaches `name@domain` with nearly every provider. Text that is no email is
    returned normalized.
    """
    name, at, domain = normalize(address).rpartition("@")
    if not at:
        return domain
    name = name.partition("+")[0] or name
    if domain in _GMAIL:
        return f"{name.replace('.', '')}@gmail.com"
    return f"{name}@{domain}"
