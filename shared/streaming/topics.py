"""The topics: one a service, in which it publishes."""

from collections.abc import Mapping

TOPICS: Mapping[str, str] = {
    "intake": "hotline.complaints.v1",
    "dedup": "hotline.matches.v1",
    "referral": "hotline.referrals.v1",
}
