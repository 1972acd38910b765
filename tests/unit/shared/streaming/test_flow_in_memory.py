"""Relay and follower over the broker in memory keep what every flow promises."""

from tests.unit.shared.streaming.conformance import FlowConformance


class TestFlowInMemory(FlowConformance):
    pass
