-- One row per fact about the profile itself.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE wallets (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,  -- never reused
    name        TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    accounts    TEXT,                               -- public account keys, JSON; null when only watching
    bitcoin     TEXT NOT NULL,                      -- descriptors, one per line
    sidechain   TEXT NOT NULL,
    birthday    INTEGER,
    backed_up   INTEGER NOT NULL,
    no_password INTEGER NOT NULL,
    tries       TEXT NOT NULL                       -- rate limit of wrong passwords, JSON
) STRICT;

-- What the wallets know, as change sets that are merged in order.
CREATE TABLE changes (
    wallet  INTEGER NOT NULL REFERENCES wallets(id) ON DELETE CASCADE,
    network TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    data    TEXT NOT NULL,
    PRIMARY KEY (wallet, network, seq)
) STRICT, WITHOUT ROWID;

-- Verified headers of the best chain, as they cross the wire.
CREATE TABLE headers (network TEXT NOT NULL, height INTEGER NOT NULL, raw BLOB NOT NULL, PRIMARY KEY (network, height)) STRICT, WITHOUT ROWID;
CREATE TABLE scanned (network TEXT PRIMARY KEY, height INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE operations (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    wallet   INTEGER NOT NULL REFERENCES wallets(id) ON DELETE CASCADE,
    machine  TEXT NOT NULL,
    kind     TEXT NOT NULL,
    label    TEXT NOT NULL,
    started  INTEGER NOT NULL,
    finished INTEGER
) STRICT;
CREATE INDEX operations_open ON operations(finished, id);
CREATE TABLE journal (
    operation INTEGER NOT NULL REFERENCES operations(id) ON DELETE CASCADE,
    seq       INTEGER NOT NULL,
    time      INTEGER NOT NULL,
    entry     TEXT NOT NULL,
    PRIMARY KEY (operation, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE operation_transactions (
    network   TEXT NOT NULL,
    txid      TEXT NOT NULL,
    operation INTEGER NOT NULL REFERENCES operations(id) ON DELETE CASCADE,
    role      TEXT NOT NULL,
    PRIMARY KEY (network, txid, operation)
) STRICT, WITHOUT ROWID;

CREATE TABLE drafts (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    wallet  INTEGER NOT NULL REFERENCES wallets(id) ON DELETE CASCADE,
    network TEXT NOT NULL,
    expires INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;
CREATE TABLE reserved (
    network  TEXT NOT NULL,
    outpoint TEXT NOT NULL,
    draft    INTEGER NOT NULL REFERENCES drafts(id) ON DELETE CASCADE,
    PRIMARY KEY (network, outpoint, draft)
) STRICT, WITHOUT ROWID;

CREATE TABLE labels (
    wallet    INTEGER NOT NULL REFERENCES wallets(id) ON DELETE CASCADE,
    network   TEXT NOT NULL,
    kind      TEXT NOT NULL,
    reference TEXT NOT NULL,
    text      TEXT NOT NULL,
    PRIMARY KEY (wallet, network, kind, reference)
) STRICT, WITHOUT ROWID;
CREATE TABLE frozen (
    wallet   INTEGER NOT NULL REFERENCES wallets(id) ON DELETE CASCADE,
    network  TEXT NOT NULL,
    outpoint TEXT NOT NULL,
    PRIMARY KEY (wallet, network, outpoint)
) STRICT, WITHOUT ROWID;
CREATE TABLE payees (
    wallet  INTEGER NOT NULL REFERENCES wallets(id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    times   INTEGER NOT NULL,
    PRIMARY KEY (wallet, address)
) STRICT, WITHOUT ROWID;

-- Contracts of assets: text that hashes to what the asset id commits to.
CREATE TABLE contracts (asset TEXT PRIMARY KEY, contract TEXT NOT NULL, prevout TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Verdicts on the confidential proofs of transactions that pay us.
CREATE TABLE proofs (txid TEXT PRIMARY KEY, verdict TEXT NOT NULL, height INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- What the faces have been told; the numbers order the notices.
CREATE TABLE outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, tags TEXT NOT NULL) STRICT;
