"""What a contact moves is told in steps of fifty, so that no scrape shows one contact."""

from functools import partial

import pytest
from prometheus_client import Counter, Histogram, generate_latest
from prometheus_client.registry import Collector

from shared.web.metrics import Metrics, _Timeless


def text(collector: Collector) -> str:
    return generate_latest(collector).decode()


@pytest.mark.parametrize(("count", "told"), [(0, 0), (1, 0), (49, 0), (50, 50), (99, 50), (100, 100)])
def test_contacts_are_rounded_down_to_fifty(count: int, told: int) -> None:
    metrics = Metrics()
    contacts = metrics.contact_counter("hotline_contacts", "Contacts")
    for _ in range(count):
        contacts.add()
    assert f"hotline_contacts_total {float(told)}\n" in text(metrics.registry)


def test_one_contact_more_changes_nothing_that_a_scrape_shows() -> None:
    metrics = Metrics()
    contacts = metrics.contact_counter("hotline_contacts", "Contacts", ["channel"])
    contacts.add("phone", count=60)
    before = text(metrics.registry)
    contacts.add("phone")
    contacts.add("partner")
    assert text(metrics.registry) == before
    assert 'channel="phone"} 50.0' in before
    assert "partner" not in before


def test_a_label_is_neither_forgotten_nor_added() -> None:
    contacts = Metrics().contact_counter("hotline_contacts", "Contacts", ["channel"])
    with pytest.raises(ValueError, match="channel"):
        contacts.add()


def test_the_time_at_which_a_counter_first_moved_is_not_told() -> None:
    metrics = Metrics()
    Counter("hotline_restarts", "Restarts", ["why"], registry=metrics.registry).labels("lease").inc()
    Histogram("hotline_batch", "Batch", registry=metrics.registry).observe(3)
    assert "_created" in text(metrics.registry)  # what the library does by itself
    told = text(_Timeless(metrics.registry))
    assert "_created" not in told
    assert 'hotline_restarts_total{why="lease"} 1.0' in told
    assert "hotline_batch_count 1.0" in told


def test_a_gauge_that_contacts_move_is_told_down_to_fifty_and_left_out_where_unknown() -> None:
    metrics, lag = Metrics(), {"intake": 149, "dedup": 49}
    for source in ("intake", "dedup", "referral"):
        metrics.contact_gauge("hotline_lag", "Lag", partial(lag.get, source), source=source)
    before = text(metrics.registry)
    assert 'hotline_lag{source="intake"} 100.0' in before
    assert 'hotline_lag{source="dedup"} 0.0' in before
    assert "referral" not in before
    lag["intake"], lag["dedup"] = 101, 1
    assert text(metrics.registry) == before
    lag["dedup"] = 50
    assert 'hotline_lag{source="dedup"} 50.0' in text(metrics.registry)


def test_a_state_is_told_as_it_is() -> None:
    metrics = Metrics()
    metrics.gauge("hotline_leading", "Leads", lambda: 1)
    assert "hotline_leading 1.0\n" in text(metrics.registry)
