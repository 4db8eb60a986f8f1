-- The audit of the peg: what blocks of each chain show of it, and up to where each chain was read.
CREATE TABLE audit_facts (network TEXT NOT NULL, height INTEGER NOT NULL, facts TEXT NOT NULL, PRIMARY KEY (network, height)) STRICT, WITHOUT ROWID;
CREATE TABLE audit_read (network TEXT PRIMARY KEY, marks TEXT NOT NULL) STRICT, WITHOUT ROWID;
