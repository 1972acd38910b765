"""Calls with a known truth: an invented world of officers, what happened in it, and how callers tell it.

`simulate(calls, seed)` is pure: the same number and seed give the same stream, on any machine and day. The
stream is meant to be hard to match: see `deploy.simulation.stream` for what it holds, and
`deploy.simulation.evaluation` for how an answer is measured against the truth. Nobody in it exists.
"""

from deploy.simulation.stream import Simulation, simulate
from deploy.simulation.truth import Truth

__all__ = ["Simulation", "Truth", "simulate"]
