"""The published skills: one text, under its own name and under those that agents search for.

Installers find them by `index.json` (agent skills discovery 0.2.0) and read the name and the
description from the front matter of each.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.template.loader import render_to_string

from imageskill.web.documents import tables

DISCOVERY_PATH = "/.well-known/agent-skills/"
_DISCOVERY_SCHEMA = "https://schemas.agentskills.io/discovery/0.2.0/schema.json"


class Skill(NamedTuple):
    """A name under which the skill can be installed, and what an agent reads before it opens it."""

    name: str
    description: str

    @property
    def path(self) -> str:
        """Return where its text is served."""
        return f"{DISCOVERY_PATH}{self.name}/SKILL.md"


MAIN = Skill(
    "image-skill",
    "Create, edit and manage images for an agent's task through Image Skill: a command line, an "
    "HTTP API and MCP tools with prices known in advance. Use it when a task needs an image to be "
    "created, edited, priced or downloaded, or to buy credits, check a job or send feedback.",
)
SKILLS = (
    MAIN,
    Skill(
        "image-generation",
        "Generate images from a prompt through Image Skill: illustrations, photos, product images "
        "and concept art, by many models, each with its price known in advance. Use it when a task "
        "needs a new image.",
    ),
    Skill(
        "image-edit",
        "Edit images through Image Skill: change, restyle, extend, mask or combine images by a "
        "prompt. Use it when a task has an image that must be changed.",
    ),
    Skill(
        "ai-image-generation",
        "Text to image through Image Skill, without an account at any vendor of models: one token, "
        "credits, and prices known in advance. Use it when a task asks for an AI-generated image.",
    ),
    Skill(
        "agent-image-generation",
        "Image generation for agents that run on their own: signup without a person, dry runs with "
        "prices, jobs that survive an interruption. Use it when an agent needs images and has no "
        "key of its own.",
    ),
)


def index() -> dict[str, Any]:
    """Return the index of the skills, with the digest of each text."""
    context = tables.template_context()
    return {"$schema": _DISCOVERY_SCHEMA, "skills": [_entry(skill, context) for skill in SKILLS]}


def render(skill: Skill, context: Mapping[str, Any] | None = None) -> str:
    """Return the text of a skill, YAML front matter and Markdown."""
    # In YAML plain text can't contain a colon; a JSON string is valid YAML.
    matter = {"name": skill.name, "description": json.dumps(skill.description)}
    whole = {**(context or tables.template_context()), **matter}
    return render_to_string("documents/skill.md", whole)


def _entry(skill: Skill, context: Mapping[str, Any]) -> dict[str, str]:
    digest = hashlib.sha256(render(skill, context).encode()).hexdigest()
    return {
        "name": skill.name,
        "type": "skill-md",
        "description": skill.description,
        "url": skill.path,
        "digest": f"sha256:{digest}",
    }
