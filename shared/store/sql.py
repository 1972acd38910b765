"""The SQL of `PostgresStore`, in one room. Parameters are arrays: one round trip a table and batch."""

# Of `events`, in the order in which they are written, by COPY (half the cost of `unnest`), and read.
COLUMNS = ["position", "stream_id", "version", "event_id", "type", "schema_version", "slot", "slot_sequence",
           "data", "metadata", "recorded_on"]  # fmt: skip
EVENT_COLUMNS = ", ".join(COLUMNS)

NOW = "SELECT now()"

# What destroys goes by this day, never by a replica's.
_TODAY = "(now() AT TIME ZONE 'Europe/London')::date"
DAY = f"SELECT {_TODAY}"

PAGE_BYTES = 2 * 2**20
"""A page of events ends where they have so many bytes, however many were asked for; it has at least one."""

# Rows of a page in the order of a key; `fits` holds for those within its budget, and what is long is NULL in
# the others. The size of a value that is stored out of line is known without reading it.
_FITS = f"sum({{size}}) OVER (ORDER BY {{key}} ROWS UNBOUNDED PRECEDING) - {{size}} < {PAGE_BYTES}"


def _page_of_events(key: str, where: str) -> str:
    fits = _FITS.format(size="pg_column_size(data)", key=key)
    columns = EVENT_COLUMNS.replace("data", f"CASE WHEN {fits} THEN data END AS data", 1)
    return f"SELECT {columns} FROM events WHERE {where} ORDER BY {key}"


LOCK_KEY = 0x686F746C  # "hotl"

# A statement of its own, before the heads are read: in one statement with the lock, or under REPEATABLE
# READ, the snapshot would be older than the lock and the heads stale.
LOCK = f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({LOCK_KEY})"

# A commit waits for the synchronous standbys to have all of the write-ahead log up to its own end, if it has
# written anything at all. This writes a few bytes, and needs no privilege.
WAIT_FOR_STANDBY = "SELECT pg_logical_emit_message(true, 'hotline', '')"

# Relies on events_pkey, events_stream_id_version_key, events_slot_slot_sequence_key, inbox_applied_no_key,
# inbox_waiting and the primary keys. Each array answers its parameters in their order; the last two are
# what was appended in a window of positions. Last comes why nothing may be appended.
HEADS = """
SELECT
    (SELECT coalesce(max(position), 0) FROM events),
    CASE WHEN $13 THEN (SELECT coalesce(max(applied_no), 0) FROM inbox) ELSE 0 END,
    ARRAY(SELECT coalesce((SELECT version FROM events WHERE stream_id = asked
                           ORDER BY version DESC LIMIT 1), 0)
          FROM unnest($1::text[]) WITH ORDINALITY AS _(asked, n) ORDER BY n),
    ARRAY(SELECT coalesce((SELECT slot_sequence FROM events WHERE slot = asked
                           ORDER BY slot_sequence DESC LIMIT 1), 0)
          FROM unnest($2::smallint[]) WITH ORDINALITY AS _(asked, n) ORDER BY n),
    ARRAY(SELECT value FROM unnest($3::text[], $4::bytea[]) WITH ORDINALITY AS _(k, asked, n)
          LEFT JOIN claims ON kind = k AND key = asked ORDER BY n),
    ARRAY(SELECT coalesce(at, 0) FROM unnest($5::text[], $6::smallint[]) WITH ORDINALITY AS _(of, asked, n)
          LEFT JOIN cursors ON source = of AND slot = asked ORDER BY n),
    ARRAY(SELECT coalesce(epoch, 0) FROM unnest($7::text[]) WITH ORDINALITY AS _(asked, n)
          LEFT JOIN leases ON name = asked ORDER BY n),
    ARRAY(SELECT (SELECT count(*) FROM (SELECT FROM inbox WHERE source = of AND subject = asked
                                        AND state IN ('parked', 'queued') LIMIT enough) AS first)
          FROM unnest($8::text[], $9::text[], $16::int[]) WITH ORDINALITY AS _(of, asked, enough, n)
          ORDER BY n),
    ARRAY(SELECT state FROM unnest($10::text[], $11::smallint[], $12::bigint[])
          WITH ORDINALITY AS _(of, in_slot, asked, n)
          LEFT JOIN inbox ON source = of AND slot = in_slot AND slot_sequence = asked ORDER BY n),
    ARRAY(SELECT slot FROM events
          WHERE position > $14 AND position <= $15 AND slot IS NOT NULL ORDER BY position),
    ARRAY(SELECT slot_sequence FROM events
          WHERE position > $14 AND position <= $15 AND slot IS NOT NULL ORDER BY position),
    (SELECT reason FROM halts ORDER BY witness LIMIT 1)
"""

# The columns of alembic_version as JSON: `oldest_code` is not there before the migration that brings it.
READ_REVISION = "SELECT version_num, to_jsonb(alembic_version)->>'oldest_code' FROM alembic_version"

LOOK = f"""
SELECT current_setting('transaction_read_only') = 'on', revision.*
FROM ({READ_REVISION}) AS revision
"""

MOVE_CURSORS = """
INSERT INTO cursors (source, slot, at) SELECT * FROM unnest($1::text[], $2::smallint[], $3::bigint[])
ON CONFLICT (source, slot) DO UPDATE SET at = excluded.at
"""

INSERT_INBOX = """
INSERT INTO inbox (source, slot, slot_sequence, event_id, subject, type, event, state, reason,
                   applied_no, after_position)
SELECT * FROM unnest($1::text[], $2::smallint[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::json[],
                     $8::text[], $9::text[], $10::bigint[], $11::bigint[])
"""

MOVE_INBOX = """
UPDATE inbox SET state = new_state, reason = new_reason, applied_no = new_no, after_position = new_after
FROM unnest($1::text[], $2::smallint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[])
     AS _(of, in_slot, at, new_state, new_reason, new_no, new_after)
WHERE source = of AND slot = in_slot AND slot_sequence = at
"""

# How far both are; of one snapshot, for what follows from an entry is committed with it.
READ_MOMENT = """
SELECT (SELECT coalesce(max(position), 0) FROM events), (SELECT coalesce(max(applied_no), 0) FROM inbox)
"""

_FITS_INBOX = _FITS.format(size="coalesce(pg_column_size(event), 0)", key="{key}")

# Those of some types, and the window's last one in any case: a reader sees how far it has read. Relies on
# inbox_applied_no_key; applied numbers have no gaps.
READ_APPLIED = f"""
SELECT source, slot, slot_sequence, event_id, subject, type, CASE WHEN fits THEN event END AS event,
       applied_no, after_position, fits
FROM (SELECT *, {_FITS_INBOX.format(key="applied_no")} AS fits FROM inbox
      WHERE applied_no > $1 AND applied_no <= $2 AND (type = ANY($3::text[]) OR applied_no = $2)) AS page
ORDER BY applied_no
"""

KNOWN_EVENTS = "SELECT event_id, position FROM events WHERE event_id = ANY($1::uuid[])"

READ_STREAM = f"SELECT {EVENT_COLUMNS} FROM events WHERE stream_id = $1 AND version > $2 ORDER BY version"

# Positions have no gaps, so a window of positions bounds the scan even where nothing in it is public.
READ_LOG = _page_of_events("position", "position > $1 AND position <= $2")

# With the head at which the window ends, of one snapshot; of a window without public events, the head alone.
_PUBLIC_PAGE = _page_of_events(
    "position", "position > $1 AND position <= least($1 + $2, head.head) AND slot IS NOT NULL"
)
READ_PUBLIC = f"""
SELECT head.head, page.* FROM (SELECT coalesce(max(position), 0) FROM events) AS head (head)
    LEFT JOIN LATERAL ({_PUBLIC_PAGE}) AS page ON true
ORDER BY page.position
"""

READ_SLOT = _page_of_events("slot_sequence", "slot = $1 AND slot_sequence > $2") + " LIMIT $3"

HEAD = "SELECT coalesce(max(position), 0) FROM events"

SLOT_HEADS = """
SELECT slot, head FROM generate_series(0, $1::int - 1) AS _(slot),
    LATERAL (SELECT max(slot_sequence) AS head FROM events WHERE events.slot = _.slot) AS of_slot
WHERE head IS NOT NULL
"""

READ_HALTS = "SELECT witness, slot, slot_sequence, event_id, reason FROM halts ORDER BY witness"

READ_HALTED = "SELECT coalesce((SELECT reason FROM halts ORDER BY witness LIMIT 1), '')"

# Not where the event was adopted while its witness was asked.
HALT = """
INSERT INTO halts (witness, slot, slot_sequence, event_id, reason)
SELECT $1::text, $2::smallint, $3::bigint, $4::uuid, $5::text
WHERE NOT EXISTS (SELECT FROM events WHERE slot = $2 AND slot_sequence = $3 AND event_id = $4)
ON CONFLICT (witness) DO UPDATE SET slot = excluded.slot, slot_sequence = excluded.slot_sequence,
                                    event_id = excluded.event_id, reason = excluded.reason
"""

# These, and those whose event the log has by now. Relies on events_slot_slot_sequence_key.
LIFT_HALTS = """
DELETE FROM halts
WHERE (witness, event_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
    OR EXISTS (SELECT FROM events WHERE events.slot = halts.slot
               AND events.slot_sequence = halts.slot_sequence AND events.event_id = halts.event_id)
"""

END_HALTS = "DELETE FROM halts"

READ_CURSORS = "SELECT slot, at FROM cursors WHERE source = $1"

READ_CLAIM = "SELECT value FROM claims WHERE kind = $1 AND key = $2"

READ_DATA_KEYS = "SELECT key_id, kek_id, wrapped FROM data_keys WHERE key_id = ANY($1::uuid[])"

_WAITING_COLUMNS = "source, slot, slot_sequence, event_id, subject, type, event, state, reason"

# Relies on inbox_waiting.
READ_WAITING = f"""
SELECT {_WAITING_COLUMNS} FROM inbox
WHERE source = $1 AND subject = $2 AND state IN ('parked', 'queued') ORDER BY slot_sequence LIMIT $3
"""

# For a recovery, which keeps all that waits.
READ_ALL_WAITING = f"""
SELECT {_WAITING_COLUMNS} FROM inbox
WHERE state IN ('parked', 'queued') ORDER BY source, slot, slot_sequence
"""

# Without the events, which are large and nobody's to see here. Relies on inbox_parked.
READ_PARKED = """
SELECT source, slot, slot_sequence, event_id, subject, type, NULL AS event, state, reason FROM inbox
WHERE state = 'parked' AND (source, slot, slot_sequence) > ($1, $2, $3)
ORDER BY source, slot, slot_sequence LIMIT $4
"""

# The nil UUID stands for a number that its owner could not serve. Relies on inbox_pkey.
READ_REACHED = """
SELECT slot, last.slot_sequence, last.event_id FROM cursors, LATERAL (
    SELECT slot_sequence, event_id FROM inbox
    WHERE inbox.source = cursors.source AND inbox.slot = cursors.slot
        AND event_id <> '00000000-0000-0000-0000-000000000000'
    ORDER BY slot_sequence DESC LIMIT 1) AS last
WHERE source = $1
"""

READ_CONSUMED = f"""
SELECT slot_sequence, CASE WHEN fits THEN event END AS event, fits
FROM (SELECT slot_sequence, event, {_FITS_INBOX.format(key="slot_sequence")} AS fits FROM inbox
      WHERE source = $1 AND slot = $2 AND slot_sequence > $3
          AND event_id <> '00000000-0000-0000-0000-000000000000'
      ORDER BY slot_sequence LIMIT $4) AS page
ORDER BY slot_sequence
"""

# Relies on events_pkey.
COUNT_UNPUBLISHED = """
WITH published AS (SELECT coalesce((SELECT position FROM relay WHERE topic = $1), 0) AS position)
SELECT count(*) FROM events, published
WHERE events.position > published.position AND events.position <= published.position + 100000
    AND slot IS NOT NULL
"""

# An event's time is the midnight of its day, and stands before all that others may write in it: `->>` fails
# on some of what `json` takes, and one such event would leave all without a figure. A number that its owner
# does not have has no time, and is counted with the earlier ones. Relies on inbox_parked.
COUNT_PARKED = """
SELECT source, count(*) AS parked, count(*) FILTER (
    WHERE coalesce(substring(event::text FROM '"time": ?"([^"]{10})'), '') < $1) AS earlier
FROM inbox WHERE state = 'parked' GROUP BY source
"""

KEEP_UNREADABLE = f"""
INSERT INTO unreadable (topic, partition, at_offset, reason, record, received_on)
VALUES ($1, $2, $3, $4, $5, {_TODAY}) ON CONFLICT DO NOTHING
"""

DESTROY_UNREADABLE = f"DELETE FROM unreadable WHERE received_on < {_TODAY} - 7"
