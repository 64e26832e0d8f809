"""Mails: words from one template, sent as text and as HTML of the same words.

A letter's template starts with its subject, then a blank line, then its paragraphs. The link
and the small print are given apart, so that both forms show them well.
"""

from dataclasses import dataclass, field
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

_JOINER = "\N{WORD JOINER}"


@dataclass(frozen=True, slots=True)
class MailMessage:
    """What one mail says."""

    subject: str
    paragraphs: list[str]
    link: str = ""
    link_label: str = ""
    code: str = ""  # shown large: what to type, not what to follow
    small_print: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The letter as plain text."""
        parts = list(self.paragraphs)
        if self.code:
            parts.append(f"    {self.code}")
        if self.link:
            parts.append(f"{self.link_label}:\n{self.link}")
        if self.small_print:
            parts.append("-- \n" + "\n".join(self.small_print))
        return "\n\n".join(parts) + "\n"

    @property
    def html(self) -> str:
        """The letter as HTML, every word escaped."""
        return render_to_string("emails/mail.html", {"letter": self})


def render(name: str, facts: dict[str, Any], **more: Any) -> MailMessage:
    """Fill `templates/emails/<name>.txt` with the facts; `more` are the letter's other fields."""
    subject, _, body = render_to_string(f"emails/{name}.txt", facts).strip().partition("\n\n")
    paragraphs = [" ".join(part.split()) for part in body.split("\n\n") if part.strip()]
    return MailMessage(subject=" ".join(subject.split()), paragraphs=paragraphs, **more)


def build_message(
    letter: MailMessage, *, to: str, headers: dict[str, str] | None = None
) -> EmailMultiAlternatives:
    """Make the mail of a letter."""
    mail = EmailMultiAlternatives(letter.subject, letter.text, to=[to], headers=headers)
    mail.attach_alternative(letter.html, "text/html")
    return mail


def neutralize_links(words: str) -> str:
    """Write somebody else's words so that no mail program makes a link of them."""
    for sign in ".@:/":
        words = words.replace(sign, sign + _JOINER)
    return " ".join(words.split())
