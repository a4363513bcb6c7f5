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
