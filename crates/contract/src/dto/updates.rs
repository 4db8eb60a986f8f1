//! Updates of this program.

records! {
    /// Asks whether a release package is an update of what is installed.
    pub struct UpdateCheck {
        /// The package, JSON as docs/release-packages.md describes it. At most 1 MiB.
        pub package: String,
        /// The file that is to be installed, if it is at hand.
        pub file: Option<UpdateFile>,
    }

    /// A file of a release.
    pub struct UpdateFile {
        /// Its name, without a path.
        pub name: String,
        /// Bytes.
        pub size: u32,
        /// Hash of all of it, hex.
        pub sha256: String,
    }

    /// A package that is newer than what is installed, and that enough of each role have signed.
    pub struct UpdateVerdict {
        /// The version it brings.
        pub version: String,
        /// When it was released, Unix seconds.
        pub released: u32,
        /// How many publishers signed it.
        pub publishers: u32,
        /// How many auditors.
        pub auditors: u32,
        /// How many functionaries.
        pub functionaries: u32,
        /// Its files for this platform.
        pub files: Vec<UpdateFile>,
        /// Which of them the given file is.
        pub verified: Option<String>,
    }
}
