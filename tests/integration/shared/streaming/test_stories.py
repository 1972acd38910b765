"""The stories once more, on PostgreSQL and over a real protocol.

What the embedded broker cannot do is skipped by name on it, and runs on Kafka and on the one in memory.
"""

from tests.unit.shared.streaming.test_a_client_cancels_its_caller import (
    test_a_stop_in_the_moment_of_a_failure_is_a_stop,
)
from tests.unit.shared.streaming.test_a_follower_arrives_after_an_erasure import (
    test_catch_up_says_erased_too,
    test_the_record_says_erased_and_is_kept_unapplied,
)
from tests.unit.shared.streaming.test_a_gap_while_the_owner_is_away import (
    test_it_delays_its_slot_and_stops_nothing_else,
)
from tests.unit.shared.streaming.test_a_retry_races_arrivals import (
    test_a_retry_that_dies_in_the_middle_leaves_nothing_unseen,
    test_the_queue_drains_and_the_order_holds,
)
from tests.unit.shared.streaming.test_a_subscription_hangs import test_it_is_started_anew
from tests.unit.shared.streaming.test_a_zombie_consumer_wakes import (
    test_a_member_that_was_expelled_applies_nothing_more,
    test_what_a_zombie_decided_is_refused,
)
from tests.unit.shared.streaming.test_members_come_and_go import test_under_load_everything_is_applied_once
from tests.unit.shared.streaming.test_partitions_are_added import (
    test_a_follower_that_comes_after_the_growth_puts_both_together,
    test_a_slot_that_changes_its_partition_stays_in_order,
)
from tests.unit.shared.streaming.test_poison import (
    test_bytes_that_are_no_envelope_are_kept_for_a_look_and_the_event_comes_from_its_owner,
    test_effects_that_can_never_be_written_park_their_event,
    test_several_of_one_subject_may_fail_and_the_partition_goes_on,
    test_twenty_in_a_row_stop_the_follower,
)
from tests.unit.shared.streaming.test_records_that_its_source_did_not_sign import (
    test_neither_the_check_nor_the_relay_takes_one_for_a_lost_tail,
    test_one_that_says_that_it_was_erased_drops_nothing,
    test_records_of_others_behind_it_do_not_hide_a_lost_tail,
    test_the_first_relay_that_signs_publishes_what_is_no_evidence_yet_again,
)
from tests.unit.shared.streaming.test_the_broker_is_wiped import (
    test_a_relay_that_died_on_the_new_topic_does_not_hide_the_loss,
    test_a_running_relay_notices_by_the_next_offset,
    test_a_topic_made_anew_with_fewer_partitions_is_published_again,
    test_an_idle_relay_notices_too,
    test_the_relay_publishes_again_what_the_new_topic_lacks,
    test_under_load_everything_arrives_all_the_same,
)
from tests.unit.shared.streaming.test_the_last_event_of_a_slot_is_lost import (
    test_it_is_found_by_comparing_with_the_owners_heads,
)
from tests.unit.shared.streaming.test_the_log_lost_its_tail import (
    test_a_number_above_the_head_halts_the_store,
    test_another_event_at_a_known_number_halts_the_store,
)
from tests.unit.shared.streaming.test_the_relay_repeats import (
    test_what_a_relay_published_before_it_died_is_published_again_and_applied_once,
)
from tests.unit.shared.streaming.test_two_relays_interleave import (
    test_an_old_leader_that_wakes_repeats_and_moves_nothing,
)

__all__ = [
    "test_a_follower_that_comes_after_the_growth_puts_both_together",
    "test_a_member_that_was_expelled_applies_nothing_more",
    "test_a_number_above_the_head_halts_the_store",
    "test_a_relay_that_died_on_the_new_topic_does_not_hide_the_loss",
    "test_a_retry_that_dies_in_the_middle_leaves_nothing_unseen",
    "test_a_running_relay_notices_by_the_next_offset",
    "test_a_slot_that_changes_its_partition_stays_in_order",
    "test_a_stop_in_the_moment_of_a_failure_is_a_stop",
    "test_a_topic_made_anew_with_fewer_partitions_is_published_again",
    "test_an_idle_relay_notices_too",
    "test_an_old_leader_that_wakes_repeats_and_moves_nothing",
    "test_another_event_at_a_known_number_halts_the_store",
    "test_bytes_that_are_no_envelope_are_kept_for_a_look_and_the_event_comes_from_its_owner",
    "test_catch_up_says_erased_too",
    "test_effects_that_can_never_be_written_park_their_event",
    "test_it_delays_its_slot_and_stops_nothing_else",
    "test_it_is_found_by_comparing_with_the_owners_heads",
    "test_it_is_started_anew",
    "test_neither_the_check_nor_the_relay_takes_one_for_a_lost_tail",
    "test_one_that_says_that_it_was_erased_drops_nothing",
    "test_records_of_others_behind_it_do_not_hide_a_lost_tail",
    "test_several_of_one_subject_may_fail_and_the_partition_goes_on",
    "test_the_first_relay_that_signs_publishes_what_is_no_evidence_yet_again",
    "test_the_queue_drains_and_the_order_holds",
    "test_the_record_says_erased_and_is_kept_unapplied",
    "test_the_relay_publishes_again_what_the_new_topic_lacks",
    "test_twenty_in_a_row_stop_the_follower",
    "test_under_load_everything_arrives_all_the_same",
    "test_under_load_everything_is_applied_once",
    "test_what_a_relay_published_before_it_died_is_published_again_and_applied_once",
    "test_what_a_zombie_decided_is_refused",
]
