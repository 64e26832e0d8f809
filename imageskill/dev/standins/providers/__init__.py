"""Servers that speak as fal, OpenAI and xAI do, states and error bodies included.

They draw a real image of what was asked: size, format and number. A prompt with `[blocked]`
is refused as each provider's moderation would; `[violence]`, `[hate]`, … are flagged by the
moderation endpoint. How long a run takes is `seconds`, by provider; what else goes wrong is in
`imageskill.dev.standins.faults` and, for fal's runs, `Fal.endings`.
"""
