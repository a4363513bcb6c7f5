CREATE TABLE token (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    serial TEXT NOT NULL,
    label BLOB NOT NULL CHECK (length(label) = 32),
    instance BLOB NOT NULL CHECK (length(instance) = 16),
    epoch INTEGER NOT NULL
) STRICT;

CREATE TABLE pin (
    role INTEGER PRIMARY KEY CHECK (role IN (0, 1)),
    tries INTEGER NOT NULL CHECK (tries BETWEEN 0 AND 4294967295),
    salt BLOB CHECK (length(salt) = 16),
    memory_kib INTEGER,
    passes INTEGER,
    lanes INTEGER,
    pepper INTEGER CHECK (pepper IN (0, 1)),
    sealed_master BLOB
) STRICT;

CREATE TABLE epoch (
    number INTEGER PRIMARY KEY,
    sealed_key BLOB NOT NULL
) STRICT;

CREATE TABLE object (
    slot INTEGER PRIMARY KEY CHECK (slot >= 0),
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    version INTEGER NOT NULL,
    class INTEGER NOT NULL,
    key_type INTEGER,
    private INTEGER NOT NULL CHECK (private IN (0, 1)),
    epoch INTEGER NOT NULL,
    data_key BLOB NOT NULL,
    sealed BLOB NOT NULL,
    clear BLOB NOT NULL
) STRICT;

CREATE INDEX object_by_class ON object (class, key_type, private, id);

CREATE TABLE free_slot (
    slot INTEGER PRIMARY KEY CHECK (slot >= 0)
) STRICT;

CREATE TABLE search (
    attribute INTEGER NOT NULL,
    value BLOB NOT NULL,
    slot INTEGER NOT NULL,
    PRIMARY KEY (attribute, value, slot)
) STRICT, WITHOUT ROWID;

CREATE INDEX search_by_slot ON search (slot);

CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    generation INTEGER NOT NULL,
    size INTEGER NOT NULL,
    root BLOB NOT NULL CHECK (length(root) = 32),
    frontier BLOB NOT NULL,
    last_at INTEGER NOT NULL,
    last_len INTEGER NOT NULL,
    checkpoint TEXT NOT NULL,
    state_root BLOB NOT NULL CHECK (length(state_root) = 32),
    room INTEGER NOT NULL,
    slots INTEGER NOT NULL,
    audit_public BLOB NOT NULL CHECK (length(audit_public) = 32),
    sealed_audit_key BLOB NOT NULL
) STRICT;

CREATE TABLE state (
    place INTEGER PRIMARY KEY,
    nodes BLOB NOT NULL
) STRICT;

CREATE TABLE lane (
    id INTEGER PRIMARY KEY,
    records INTEGER NOT NULL
) STRICT;

CREATE TABLE pending (
    slot INTEGER PRIMARY KEY,
    before BLOB
) STRICT;

CREATE TABLE pending_leaf (
    number INTEGER PRIMARY KEY,
    leaf BLOB NOT NULL
) STRICT;
