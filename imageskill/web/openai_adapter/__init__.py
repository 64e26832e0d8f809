"""Images by the routes and shapes of OpenAI's API, for tools that speak no other.

Each call becomes requests to our own API, so that grants, prices, limits, holds and events are
those of the endpoint behind it.
"""
