"""Images as bytes: which formats we accept, what they hold, how to open them without risk.

Everything here runs in a child process of limited memory and time (`child`), so these modules
import the standard library and Pillow only.
"""
