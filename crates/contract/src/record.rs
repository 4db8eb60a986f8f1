//! Derives shared by everything that crosses the wire.

/// Declares structs that cross the wire; field names stay as written.
macro_rules! records {
    ($($item:item)*) => { $(
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, ts_rs::TS)]
        #[serde(deny_unknown_fields)]
        $item
    )* };
}

/// Declares enums that cross the wire; variants are kebab-case.
macro_rules! choices {
    ($($item:item)*) => { $(
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, ts_rs::TS)]
        #[serde(rename_all = "kebab-case")]
        $item
    )* };
}
