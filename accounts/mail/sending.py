"""Emails: one template, sent as plain text and as HTML.

A template starts with the subject, then a blank line, then paragraphs. The link and the small
print are passed separately, because each format shows them differently.
"""

from dataclasses import dataclass, field
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from imageskill.lib import metrics

_JOINER = "\N{WORD JOINER}"


@dataclass(frozen=True, slots=True)
class MailMessage:
    """The content of one email."""

    subject: str
    paragraphs: list[str]
    rows: list[tuple[str, str]] = field(default_factory=list)  # labels and values
    link: str = ""
    link_label: str = ""
    code: str = ""  # a sign-in code, shown large
    small_print: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The email as plain text."""
        parts = list(self.paragraphs)
        if self.rows:
            parts.append("\n".join(f"{label}: {value}" for label, value in self.rows))
        if self.code:
            parts.append(f"    {self.code}")
        if self.link:
            parts.append(f"{self.link_label}:\n{self.link}")
        if self.small_print:
            parts.append("-- \n" + "\n".join(self.small_print))
        return "\n\n".join(parts) + "\n"

    @property
    def html(self) -> str:
        """The email as HTML, with everything escaped."""
        return render_to_string("emails/mail.html", {"mail": self})


def render(name: str, facts: dict[str, Any], **fields: Any) -> MailMessage:
    """Render `templates/emails/<name>.txt` with the facts; `fields` are the other fields."""
    subject, _, body = render_to_string(f"emails/{name}.txt", facts).strip().partition("\n\n")
    paragraphs = [" ".join(part.split()) for part in body.split("\n\n") if part.strip()]
    return MailMessage(subject=" ".join(subject.split()), paragraphs=paragraphs, **fields)


def build_message(
    mail: MailMessage, *, to: str, headers: dict[str, str] | None = None
) -> EmailMultiAlternatives:
    """Build the message to send."""
    message = EmailMultiAlternatives(mail.subject, mail.text, to=[to], headers=headers)
    message.attach_alternative(mail.html, "text/html")
    return message


def send(mail: MailMessage, *, to: str, headers: dict[str, str] | None = None) -> None:
    """Give the email to the mail server; raises what its connection raises."""
    with metrics.counted(metrics.MAILS):
        build_message(mail, to=to, headers=headers).send()


def neutralize_links(text: str) -> str:
    """Return untrusted text changed so that no mail program turns part of it into a link."""
    for character in ".@:/":
        text = text.replace(character, character + _JOINER)
    return " ".join(text.split())
