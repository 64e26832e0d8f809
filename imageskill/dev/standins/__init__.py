"""Servers on loopback that stand in for vendors, in development and tests only.

No product code imports them; `STANDINS` names those that `make run` starts.
"""
