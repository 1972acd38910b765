-- The tables of an event store, the same in each service's database.

-- The log, which is the outbox too. Never updated, never deleted from. Positions, versions and slot
-- sequences are given under the store's advisory lock and have no gaps. `recorded_on` is a day by promise:
-- the hour of a contact is in the telephone records as well.
CREATE TABLE events (
    position       bigint   PRIMARY KEY,
    stream_id      text     NOT NULL,
    version        integer  NOT NULL,
    event_id       uuid     NOT NULL UNIQUE,
    type           text     NOT NULL,
    schema_version smallint NOT NULL,
    slot           smallint,
    slot_sequence  bigint,
    data           json     NOT NULL,
    metadata       json     NOT NULL,
    recorded_on    date     NOT NULL,
    UNIQUE (stream_id, version),
    UNIQUE (slot, slot_sequence),
    CHECK ((slot IS NULL) = (slot_sequence IS NULL))
);
-- Sealed payloads are base64 of ciphertext: trying to compress them costs a sixth of an insert for nothing.
ALTER TABLE events ALTER COLUMN data SET STORAGE EXTERNAL;

-- Keys that only one request may ever take.
CREATE TABLE claims (
    kind  text  NOT NULL,
    key   bytea NOT NULL,
    value text  NOT NULL,
    PRIMARY KEY (kind, key)
);

-- How far each (source, slot) was consumed; moved in the same transaction as the effects.
CREATE TABLE cursors (
    source text     NOT NULL,
    slot   smallint NOT NULL,
    at     bigint   NOT NULL,
    PRIMARY KEY (source, slot)
) WITH (fillfactor = 50);

-- What this service consumed. `applied_no` has no gaps; together with `after_position` (the log's head
-- before the effects) it tells the one order in which events were appended and inbox entries applied.
CREATE TABLE inbox (
    source         text     NOT NULL,
    slot           smallint NOT NULL,
    slot_sequence  bigint   NOT NULL,
    event_id       uuid     NOT NULL,
    subject        text     NOT NULL,
    type           text     NOT NULL,
    event          json,
    state          text     NOT NULL CHECK (state IN ('applied', 'parked', 'queued', 'dropped')),
    reason         text     NOT NULL,
    applied_no     bigint   UNIQUE,
    after_position bigint,
    PRIMARY KEY (source, slot, slot_sequence),
    CHECK ((state = 'applied') = (applied_no IS NOT NULL))
);
ALTER TABLE inbox ALTER COLUMN event SET STORAGE EXTERNAL;
CREATE INDEX inbox_waiting ON inbox (source, subject, slot_sequence) WHERE state IN ('parked', 'queued');
CREATE INDEX inbox_parked ON inbox (source, slot, slot_sequence) WHERE state = 'parked';

-- Leaders by lease, on the database's clock. A takeover raises the epoch, under the store's lock.
CREATE TABLE leases (
    name    text        PRIMARY KEY,
    epoch   bigint      NOT NULL,
    holder  uuid        NOT NULL,
    expires timestamptz NOT NULL
);

-- Data keys, wrapped under the service's key-encryption key `kek_id`. Deleting a row erases what it opens.
CREATE TABLE data_keys (
    key_id  uuid  PRIMARY KEY,
    kek_id  text  NOT NULL,
    wrapped bytea NOT NULL
);

-- How far the relay has published, and in each partition the last record that the broker acknowledged: read
-- back at start, it tells whether the topic is still the one that was published to.
CREATE TABLE relay (
    topic    text   PRIMARY KEY,
    epoch    bigint NOT NULL,
    position bigint NOT NULL
);
CREATE TABLE relay_marks (
    topic     text   NOT NULL,
    partition int    NOT NULL,
    at_offset bigint NOT NULL,
    event_id  uuid   NOT NULL,
    position  bigint NOT NULL,
    PRIMARY KEY (topic, partition)
);

-- Records without a readable envelope, cut at 256 KiB, kept for a look and gone after seven days.
CREATE TABLE unreadable (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic       text   NOT NULL,
    partition   int    NOT NULL,
    at_offset   bigint NOT NULL,
    reason      text   NOT NULL,
    record      bytea  NOT NULL,
    received_on date   NOT NULL,
    UNIQUE (topic, partition, at_offset, received_on)
);
