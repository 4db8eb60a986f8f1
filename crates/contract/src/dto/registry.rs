//! What asset registries say. Names are claims: only an id that commits to a contract proves one.

use crate::AssetLabel;

records! {
    /// What the realm's registries say about an asset.
    pub struct RegistryAnswer {
        /// The asset that was asked about.
        #[ts(type = "AssetId")]
        pub asset: String,
        /// Registries that were asked.
        pub registries: Vec<String>,
        /// What the first one that knows it says; absent when none knows it.
        pub claim: Option<RegistryClaim>,
    }

    /// A claim about an asset whose id commits to the contract that comes with it.
    pub struct RegistryClaim {
        /// Who says so.
        pub registry: String,
        /// Through which interface.
        pub interface: RegistryInterface,
        /// Ticker, name and decimal places of the contract.
        pub label: AssetLabel,
        /// Domain of the contract.
        pub domain: String,
        /// Where the domain proves it.
        pub domain_proof_url: String,
        /// The contract, JSON.
        pub contract: String,
        /// The outpoint that the issuance spent.
        pub issuance_prevout: String,
        /// This wallet uses this contract already.
        pub taken: bool,
        /// What to beware of.
        pub warnings: Vec<ClaimWarning>,
    }

    /// An asset was registered.
    pub struct RegistryPublished {
        /// Where.
        pub registry: String,
        /// Through which interface.
        pub interface: RegistryInterface,
    }
}

choices! {
    /// An interface of asset registries.
    pub enum RegistryInterface {
        /// The first.
        V1,
        /// The second.
        V2,
    }

    /// What is odd about a claim.
    pub enum ClaimWarning {
        /// Its ticker or name looks like that of another asset or coin.
        LookAlike,
        /// Its ticker or name holds characters that cannot be seen or are not ASCII. It is never used as a name.
        Deceptive,
        /// The registry itself warns of it or has taken it off its list.
        Warned,
    }
}
