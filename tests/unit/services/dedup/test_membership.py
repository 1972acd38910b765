"""From what belonged together to what does now: every member that moved is told where it is."""

from collections.abc import Mapping
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.dedup.membership import Change, changes, parts, steps

A, B, C = (UUID(int=number) for number in (1, 2, 3))


def test_nothing_changed_is_no_change() -> None:
    assert changes({1: A, 2: A}, {1: A, 2: A}, [1, 2]) == []


def test_a_new_group_adds_all_its_members() -> None:
    assert changes({}, {1: A, 2: A}, [1, 2]) == [Change(A, (1, 2), (1, 2), ())]


def test_a_group_that_is_no_more_says_into_which_it_went() -> None:
    before, after = {2: B, 3: B, 1: A, 4: A}, {1: A, 2: A, 3: A, 4: A}
    assert changes(before, after, [1, 2, 3, 4]) == [
        Change(A, (1, 2, 3, 4), (2, 3), ()),
        Change(B, (), (), (2, 3), merged_into=A),
    ]


def test_who_leaves_is_added_elsewhere_split_from_where_it_was() -> None:
    assert changes({1: A, 2: A}, {1: A, 2: B}, [1, 2]) == [
        Change(A, (1,), (), (2,)),
        Change(B, (2,), (2,), (), split_from=A),
    ]


_GROUPS = st.dictionaries(st.integers(0, 6), st.sampled_from([A, B, C]))


@given(_GROUPS, _GROUPS)
def test_a_follower_that_takes_the_latest_word_ends_where_we_are(
    before: Mapping[int, UUID], after: Mapping[int, UUID]
) -> None:
    followed = dict(before)
    for change in changes(before, after, range(7)):
        followed |= dict.fromkeys(change.members, change.group_id)
        for member in change.removed:
            if followed.get(member) == change.group_id and member not in after:
                del followed[member]
    assert followed == after


def test_groups_between_which_somebody_moved_are_told_as_one() -> None:
    before, after = {1: A, 2: A, 3: C}, {1: A, 2: B, 3: C, 4: C}
    found = steps(changes(before, after, [1, 2, 3, 4]), before)
    assert [[change.group_id for change in step] for step in found] == [[A, B], [C]]


def test_a_long_change_comes_in_parts_that_add_up_to_it() -> None:
    change = Change(A, (1, 2, 3, 4, 5), (1, 2, 3, 4, 5), (6, 7))
    found = list(parts(change, 2))
    assert [part.added for part in found] == [(1, 2), (3, 4), (5,)]
    assert [part.removed for part in found] == [(6, 7), (), ()]
    assert {part.members for part in found} == {change.members}


def test_a_group_that_is_told_again_is_one_part() -> None:
    change = Change(A, (1, 2), (), ())
    assert list(parts(change, 2)) == [change]


@given(_GROUPS, _GROUPS)
def test_a_step_has_all_groups_that_a_member_left_or_came_to(
    before: Mapping[int, UUID], after: Mapping[int, UUID]
) -> None:
    changed = changes(before, after, range(7))
    found = steps(changed, before)
    assert sorted(each.group_id for step in found for each in step) == sorted(
        each.group_id for each in changed
    )
    step_of = {change.group_id: number for number, step in enumerate(found) for change in step}
    for member in before.keys() & after.keys():
        if before[member] != after[member]:
            assert step_of[before[member]] == step_of[after[member]]
