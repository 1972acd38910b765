"""The SQL of intake. Complaints themselves are read from the log: nothing of them lies anywhere else, but for
the queue of those that wait for their release."""

from typing import Final

from shared.store.requests import Table

RELEASES: Final = Table(
    "releases",
    {"complaint_id": "uuid", "state": "text", "is_later": "boolean", "recorded_on": "date"},
    ("complaint_id",),
)

# The last event of a stream that waits has its text. In one statement with the key: whoever changes the text
# destroys the key of the one before. Without its own key a complaint is erased.
_WAITING = """
SELECT r.complaint_id, r.state, e.version, e.event_id, e.data, k.key_id, k.kek_id, k.wrapped
FROM releases r
JOIN LATERAL (
    SELECT version, event_id, data FROM events WHERE stream_id = 'release-' || r.complaint_id
    ORDER BY version DESC LIMIT 1
) AS e ON true
JOIN data_keys k ON k.key_id = (e.data->'clear'->>'key_id')::uuid
JOIN data_keys own ON own.key_id = r.complaint_id
"""

# Relies on releases_pkey, events_stream_id_version_key and data_keys_pkey.
READ_WAITING = f"{_WAITING} WHERE r.complaint_id = $1"

# Relies on releases_queue, whose order is this one.
LIST_WAITING = f"""
{_WAITING}
WHERE r.state = $1 AND (r.is_later, r.recorded_on, r.complaint_id) > ($2, $3, $4)
ORDER BY r.is_later, r.recorded_on, r.complaint_id LIMIT $5
"""

# Relies on events_stream_id_version_key.
WAS_HELD = "SELECT EXISTS (SELECT FROM events WHERE stream_id = $1)"

# For a recovery: what was published waits no more. Rely on events_stream_id_version_key and releases_pkey.
DESTROY_TEXTS = """
DELETE FROM data_keys WHERE key_id IN (
    SELECT (data->'clear'->>'key_id')::uuid FROM events
    WHERE stream_id = ANY($1::text[]) AND type = 'release.held')
"""
END_WAITING = "DELETE FROM releases WHERE complaint_id = ANY($1::uuid[])"

# Whatever of today there is, a contact moves. Relies on releases_queue.
COUNT_WAITING = """
SELECT state, count(*) AS all_days, count(*) FILTER (WHERE recorded_on < $1) AS earlier,
       min(recorded_on) FILTER (WHERE recorded_on < $1) AS oldest
FROM releases GROUP BY state
"""

# Two replicas make the secret of a new day at once: the first one counts.
MAKE_DAY_SECRET = """
INSERT INTO day_secrets (day, kek_id, wrapped) VALUES ($1, $2, $3) ON CONFLICT (day) DO NOTHING
"""

READ_DAY_SECRET = "SELECT kek_id, wrapped FROM day_secrets WHERE day = $1"

DESTROY_DAY_SECRETS = "DELETE FROM day_secrets WHERE day < $1"

# A claim's value begins with its day. Relies on claims_pkey.
DROP_OLD_CLAIMS = "DELETE FROM claims WHERE kind = $1 AND value < $2"
