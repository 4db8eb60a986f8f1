-- Ancestors of Bitcoin coins, by which their colours are told. Each hashes to its id and was found in a block of the best chain.
CREATE TABLE ancestors (txid TEXT PRIMARY KEY, height INTEGER NOT NULL, raw BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- How far down blocks were searched for the ancestors of a transaction: everything at or above the height.
CREATE TABLE traces (txid TEXT PRIMARY KEY, height INTEGER NOT NULL) STRICT, WITHOUT ROWID;
