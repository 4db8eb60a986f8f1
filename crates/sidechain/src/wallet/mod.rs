//! Our coins and assets: descriptors, unblinding, coin selection, blinding and building.
