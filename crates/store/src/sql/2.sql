-- Addresses that holders of an asset pay back to, one per request.
CREATE TABLE redemptions (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    wallet         INTEGER NOT NULL REFERENCES wallets(id) ON DELETE CASCADE,
    asset          TEXT NOT NULL,
    reference      TEXT NOT NULL,
    address        TEXT NOT NULL,
    return_address TEXT NOT NULL,               -- empty when the holder named none
    created        INTEGER NOT NULL
) STRICT;
CREATE INDEX redemptions_of ON redemptions(wallet, asset, id);
-- What was decided about a payment to such an address, and the transaction that did it.
CREATE TABLE redeemed (
    outpoint   TEXT PRIMARY KEY,
    redemption INTEGER NOT NULL REFERENCES redemptions(id) ON DELETE CASCADE,
    accepted   INTEGER NOT NULL,
    txid       TEXT NOT NULL,
    decided    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What an issuer thinks of the addresses that hold his asset.
CREATE TABLE holders (
    wallet  INTEGER NOT NULL REFERENCES wallets(id) ON DELETE CASCADE,
    asset   TEXT NOT NULL,
    address TEXT NOT NULL,
    frozen  INTEGER NOT NULL,
    PRIMARY KEY (wallet, asset, address)
) STRICT, WITHOUT ROWID;
