"""The tables of dedup and their SQL, in one room."""

from uuid import UUID

from shared.store.requests import Table

INDEXED = Table(
    "indexed",
    {
        "complaint_id": "uuid",
        "key_id": "uuid",
        "own_incident": "uuid",
        "features": "bytea",
        "forces": "jsonb",
        "number": "bigint",
    },
    ("complaint_id",),
    insert_only=True,
)
HELD = Table("held", {"complaint_id": "uuid"}, ("complaint_id",))
"""The complaints `only_with_another` that no pattern has released yet."""
BLOCKED = Table(
    "blocked",
    {"key": "bigint", "complaint": "bigint"},
    ("key", "complaint"),
    insert_only=True,
    listed="key",
)
"""Blocking keys, hashed, and the numbers of complaints (`number_of`)."""
BLOCKING_KEYS = Table(
    "blocking_keys", {"key": "bytea", "complaint_id": "uuid", "key_id": "text"}, ("key", "complaint_id")
)
"""The same as releases up to revision 0008 wrote it; a rebuild empties it."""
MATCHES = Table(
    "matches",
    {
        "match_id": "uuid",
        "complaint_id": "uuid",
        "subject": "smallint",
        "other_complaint_id": "uuid",
        "other_subject": "smallint",
        "kind": "text",
        "zone": "text",
        "decided": "boolean",
    },
    ("match_id",),
)
WAITING_MATCHES = Table(
    "waiting_matches",
    {
        "match_id": "uuid",
        "kind": "text",
        "complaint_id": "uuid",
        "subject": "smallint",
        "other_complaint_id": "uuid",
        "other_subject": "smallint",
    },
    ("match_id",),
)
INCIDENT_MEMBERS = Table(
    "incident_members", {"complaint_id": "uuid", "incident_id": "uuid"}, ("complaint_id",)
)
PATTERN_MEMBERS = Table(
    "pattern_members",
    {
        "member": "text",
        "complaint_id": "uuid",
        "subject": "smallint",
        "pattern_id": "uuid",
        "own_pattern": "uuid",
    },
    ("member",),
)
PATTERNS = Table(
    "patterns",
    {"pattern_id": "uuid", "complaints": "integer", "incidents": "integer", "reached": "integer"},
    ("pattern_id",),
)


def member_key(complaint_id: UUID, subject: int) -> str:
    return f"{complaint_id}:{subject}"


def number_of(complaint_id: UUID) -> int:
    """A `bigint` for an id: half the size, and a tenth of the time to look at. That any two of a million
    random ids have the same one has a chance of 3 in a hundred million."""
    return ((complaint_id.int >> 64) ^ complaint_id.int) % (1 << 64) - (1 << 63)


# Index-only on blocked_pkey: for each key so many complaints, the lowest numbers first, so that a truncated
# key gives the same ones to everybody. One more than the cap tells that there are more.
CANDIDATES = """
SELECT asked.key, found.complaints
FROM unnest($1::bigint[]) AS asked (key),
LATERAL (
    SELECT array_agg(complaint) AS complaints
    FROM (
        SELECT complaint FROM blocked WHERE blocked.key = asked.key ORDER BY complaint LIMIT $2
    ) AS lowest
) AS found
WHERE found.complaints IS NOT NULL
"""

# Relies on indexed_pkey and data_keys_pkey.
FEATURES = """
SELECT complaint_id, features, kek_id, wrapped
FROM indexed JOIN data_keys USING (key_id)
WHERE complaint_id = ANY($1::uuid[])
"""

# Relies on indexed_number and data_keys_pkey.
FEATURES_BY_NUMBER = """
SELECT complaint_id, features, kek_id, wrapped
FROM indexed JOIN data_keys USING (key_id)
WHERE number = ANY($1::bigint[])
"""

KNOWN_MATCHES = "SELECT match_id FROM matches WHERE match_id = ANY($1::uuid[])"

_MATCH = "match_id, complaint_id, subject, other_complaint_id, other_subject, kind, zone, decided"

MATCH = f"SELECT {_MATCH} FROM matches WHERE match_id = $1"

# Relies on matches_complaint and matches_other_complaint.
MATCHES_OF = f"""
SELECT {_MATCH} FROM matches WHERE complaint_id = ANY($1::uuid[])
UNION
SELECT {_MATCH} FROM matches WHERE other_complaint_id = ANY($1::uuid[])
"""

_ASKED = "unnest($1::uuid[], $2::smallint[]) AS asked (id, of_subject)"

# The other ends of the accepted matches of these nodes, each once. Relies on matches_complaint and
# matches_other_complaint.
NEIGHBOURS = f"""
SELECT other_complaint_id, other_subject
FROM {_ASKED} JOIN matches ON complaint_id = id AND subject = of_subject
WHERE zone = 'accepted' AND kind = ANY($3::text[])
UNION
SELECT complaint_id, subject
FROM {_ASKED} JOIN matches ON other_complaint_id = id AND other_subject = of_subject
WHERE zone = 'accepted' AND kind = ANY($3::text[])
"""

# Each match whose lower complaint is one of these. Relies on matches_complaint.
MATCHES_FROM = f"""
SELECT {_MATCH} FROM matches WHERE complaint_id = ANY($1::uuid[]) AND kind = ANY($2::text[])
"""

# The grey zone, what a rule accepted without effect, and what a rule accepted where the release of a
# complaint waits for a person's word on it. Relies on matches_review, waiting_matches_pkey, matches_complaint
# and matches_other_complaint.
REVIEWS = f"""
WITH waiting AS (
    SELECT match_id FROM held JOIN matches USING (complaint_id)
    WHERE zone = 'accepted' AND NOT decided AND kind = 'same_officer' AND match_id > $1
    UNION
    SELECT match_id FROM held JOIN matches ON held.complaint_id = other_complaint_id
    WHERE zone = 'accepted' AND NOT decided AND kind = 'same_officer' AND match_id > $1
    UNION
    (SELECT match_id FROM (SELECT match_id FROM waiting_matches) AS without_effect
     JOIN matches USING (match_id)
     WHERE zone = 'accepted' AND NOT decided AND match_id > $1 ORDER BY match_id LIMIT $2)
), listed AS (
    (SELECT match_id FROM matches WHERE zone = 'review' AND match_id > $1 ORDER BY match_id LIMIT $2)
    UNION ALL
    (SELECT match_id FROM waiting ORDER BY match_id LIMIT $2)
)
SELECT {_MATCH} FROM listed JOIN matches USING (match_id) ORDER BY match_id LIMIT $2
"""

WITHOUT_EFFECT = "SELECT match_id FROM waiting_matches WHERE match_id = ANY($1::uuid[])"

HELD_OF = "SELECT complaint_id FROM held WHERE complaint_id = ANY($1::uuid[])"

# Relies on waiting_matches_complaint and waiting_matches_other_complaint.
WAITING_OF = """
SELECT match_id, complaint_id, subject, other_complaint_id, other_subject FROM waiting_matches
WHERE kind = ANY($2::text[]) AND (complaint_id = ANY($1::uuid[]) OR other_complaint_id = ANY($1::uuid[]))
"""

# What the rule accepted between these pairs of complaints. Relies on matches_complaint.
ACCEPTED_BETWEEN = f"""
SELECT {_MATCH} FROM unnest($1::uuid[], $2::uuid[]) AS asked (one, other)
JOIN matches ON complaint_id = one AND other_complaint_id = other
WHERE zone = 'accepted' AND NOT decided AND kind = ANY($3::text[])
"""

# The first event of a match's stream is always `match.proposed`. Relies on events_stream_id_version_key.
PROPOSALS = "SELECT stream_id, event_id, data FROM events WHERE stream_id = ANY($1::text[]) AND version = 1"

IS_INDEXED = "SELECT EXISTS (SELECT FROM indexed WHERE complaint_id = $1)"

# Those of these complaints' incidents, whole. Relies on incident_members_incident.
FELLOWS = """
SELECT complaint_id, incident_id FROM incident_members
WHERE incident_id IN (SELECT incident_id FROM incident_members WHERE complaint_id = ANY($1::uuid[]))
"""

# The members of an incident; of one that nothing was ever matched with, the complaint itself.
INCIDENT = """
SELECT complaint_id FROM incident_members WHERE incident_id = $1
UNION ALL
SELECT complaint_id FROM indexed
WHERE own_incident = $1
  AND NOT EXISTS (SELECT FROM incident_members WHERE incident_members.complaint_id = indexed.complaint_id)
ORDER BY complaint_id
"""

INCIDENTS_OF = "SELECT complaint_id, incident_id FROM incident_members WHERE complaint_id = ANY($1::uuid[])"

# Relies on pattern_members_pattern and pattern_members_pkey.
PATTERN_FELLOWS = """
SELECT complaint_id, subject, pattern_id FROM pattern_members
WHERE pattern_id IN (SELECT pattern_id FROM pattern_members WHERE member = ANY($1::text[]))
"""

# Relies on pattern_members_complaint.
SUBJECTS_IN_PATTERNS = """
SELECT complaint_id, subject, pattern_id FROM pattern_members WHERE complaint_id = ANY($1::uuid[])
ORDER BY complaint_id, subject
"""

# The pattern that has a member from which it takes its id, or would without others. Relies on
# pattern_members_own_pattern.
PATTERN_OF_OWN = "SELECT pattern_id FROM pattern_members WHERE own_pattern = $1"

# Relies on pattern_members_pattern.
MEMBERS_OF_PATTERNS = """
SELECT complaint_id, subject, pattern_id FROM pattern_members WHERE pattern_id = ANY($1::uuid[])
ORDER BY complaint_id, subject
"""

# Patterns by each of their members, in the order of the ids that they might have for who may not see all of
# them. What is seen of a pattern has no more incidents and forces than the whole. Relies on
# pattern_members_own_pattern, patterns_pkey, pattern_members_pattern and indexed_pkey.
LIST_PATTERNS_BY_MEMBER = """
SELECT own_pattern, patterns.pattern_id FROM pattern_members JOIN patterns USING (pattern_id)
WHERE own_pattern > $1 AND incidents >= $2
  AND ($3::text IS NULL
       OR EXISTS (SELECT FROM pattern_members AS of_pattern JOIN indexed USING (complaint_id)
                  WHERE of_pattern.pattern_id = patterns.pattern_id
                    AND indexed.forces ->> of_pattern.subject::text = $3))
ORDER BY own_pattern LIMIT $4
"""

FORCES_OF = "SELECT complaint_id, forces FROM indexed WHERE complaint_id = ANY($1::uuid[])"

# Relies on inbox_subject and data_keys_pkey: of an erased one there is no key.
BODIES = """
SELECT key_id, event, kek_id, wrapped
FROM unnest($1::uuid[], $2::text[]) AS asked (key_id, subject)
JOIN inbox ON inbox.subject = asked.subject AND inbox.type = $3 AND state = 'applied'
JOIN data_keys USING (key_id)
"""

PATTERNS_BY_ID = """
SELECT pattern_id, complaints, incidents, reached FROM patterns WHERE pattern_id = ANY($1::uuid[])
"""

# Relies on patterns_pkey, pattern_members_pattern and indexed_pkey.
LIST_PATTERNS = """
SELECT pattern_id, complaints, incidents FROM patterns
WHERE pattern_id > $1 AND incidents >= $2
  AND ($3::text IS NULL
       OR EXISTS (SELECT FROM pattern_members AS of_pattern JOIN indexed USING (complaint_id)
                  WHERE of_pattern.pattern_id = patterns.pattern_id
                    AND indexed.forces ->> of_pattern.subject::text = $3))
ORDER BY pattern_id LIMIT $4
"""

# For a rebuild

# Relies on pattern_members_pkey.
MEMBERS = "SELECT complaint_id, subject, pattern_id FROM pattern_members WHERE member = ANY($1::text[])"

# A complaint is indexed in the first of two steps, and its event is applied in the second. Its index key is
# written with the row and destroyed with it, so a row that has its key and no event is on its way.
INDEXED_AHEAD = """
WITH ahead AS (
    INSERT INTO indexed
    SELECT live.* FROM public.indexed AS live JOIN data_keys USING (key_id)
    WHERE NOT EXISTS (SELECT FROM indexed AS made WHERE made.complaint_id = live.complaint_id)
    RETURNING complaint_id, number
), held_ahead AS (
    INSERT INTO held
    SELECT live.* FROM public.held AS live JOIN ahead USING (complaint_id) ON CONFLICT DO NOTHING
)
INSERT INTO blocked
SELECT live.* FROM public.blocked AS live JOIN ahead ON complaint = number ON CONFLICT DO NOTHING
"""

# For a recovery

# Relies on incident_members_pkey.
LEAVE_INCIDENTS = "DELETE FROM incident_members WHERE complaint_id = ANY($1::uuid[])"

READ_RESOLVED = "SELECT at FROM cursors WHERE source = $1 AND slot = 0"

PUT_RESOLVED = """
INSERT INTO cursors (source, slot, at) VALUES ($1, 0, $2) ON CONFLICT (source, slot) DO UPDATE SET at = $2
"""

# Relies on events_pkey.
READ_FACT = "SELECT data->'clear' FROM events WHERE position = $1 AND type = $2"

# A complaint's own key comes with the second of two steps, as its pair facts do; an erased one has a
# tombstone. Relies on data_keys_pkey and claims_pkey.
CONSUMED = """
SELECT complaint_id, claims.key IS NOT NULL AS is_erased FROM unnest($1::uuid[]) AS named (complaint_id)
LEFT JOIN claims ON kind = $2 AND key = uuid_send(complaint_id)
LEFT JOIN data_keys ON key_id = complaint_id
WHERE claims.key IS NOT NULL OR key_id IS NOT NULL
"""
