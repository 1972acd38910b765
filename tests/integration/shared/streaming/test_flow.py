"""Relay and follower on PostgreSQL and over a real protocol keep what every flow promises."""

from tests.unit.shared.streaming.conformance import FlowConformance


class TestFlow(FlowConformance):
    pass
