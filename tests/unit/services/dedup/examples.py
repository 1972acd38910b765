"""Complaints and features for tests of dedup's domain."""

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from services.dedup.domain.features import Features
from services.dedup.domain.normalising import features_of
from shared.contracts.complaint import SanitisedComplaint


def complaint(**fields: Any) -> SanitisedComplaint:
    """A complaint with these fields, its incident's days as `first` and `last`."""
    return SanitisedComplaint.model_validate({"channel": "phone", "narrative": "-", **fields}, strict=False)


def features(source_group: str = "one", **fields: Any) -> Features:
    return features_of(complaint(**fields), source_group)


_DAYS = st.dates(date(2020, 1, 1), date(2020, 3, 1))
_SUBJECTS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(["Smith", "Smyth", "Ann Jones", "A Jones", "DC"]),
            "unit": st.sampled_from(["Ashford", "Dover"]),
            "collar_number": st.sampled_from(["12", "34"]),
        },
    ),
    max_size=3,
)
FEATURES = st.builds(
    lambda begin, length, subjects: features(
        incident={"from": begin, "to": begin + timedelta(length), "force": "kent", "place": "Dover"},
        subjects=subjects,
    ),
    _DAYS,
    st.integers(0, 40),
    _SUBJECTS,
)
"""Features that often have something in common."""
