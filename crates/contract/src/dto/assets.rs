//! Assets of the sidechain.

use causeway_vocab::Atoms;

use crate::{AssetLabel, BalanceView};

records! {
    /// Names an asset.
    pub struct AssetRef {
        /// The asset.
        #[ts(type = "AssetId")]
        pub asset: String,
    }

    /// An asset in the list.
    pub struct AssetView {
        /// Its names.
        pub asset: AssetLabel,
        /// Domain in its contract; empty when unknown.
        pub domain: String,
        /// What this wallet holds.
        pub balance: Option<BalanceView>,
        /// Issued by this wallet.
        pub issued_here: bool,
        /// A reissuance token is held here.
        pub can_reissue: bool,
        /// It is the pegged asset.
        pub policy: bool,
        /// It is a reissuance token of this asset.
        #[ts(type = "AssetId | null")]
        pub token_of: Option<String>,
        /// Its ticker looks like a known one's.
        pub look_alike: bool,
    }

    /// An asset in full.
    pub struct AssetDetail {
        /// As in the list.
        pub view: AssetView,
        /// Outpoint spent by the issuance; empty when unknown.
        pub issuance_prevout: String,
        /// Issuing transaction; empty when unknown.
        pub issuance_txid: String,
        /// Entropy, as RPCs print it.
        pub entropy: String,
        /// Id of its reissuance token.
        pub token: String,
        /// Whether that token is here, and whether it can be used.
        pub token_held: TokenHeld,
        /// Units of it in this wallet.
        #[ts(type = "Atoms")]
        pub token_amount: Atoms,
        /// Contract hash, as RPCs print it.
        pub contract_hash: String,
        /// Canonical JSON that hashes to it; empty when unknown.
        pub contract_json: String,
        /// Issuance amounts are hidden from others.
        pub blinded: bool,
        /// What this wallet knows of the supply, ascending in time.
        pub supply: Vec<SupplyStep>,
        /// Issued and reissued by this wallet, minus burned by it.
        #[ts(type = "Atoms")]
        pub supply_known: Atoms,
        /// Issued and reissued by this wallet.
        #[ts(type = "Atoms")]
        pub issued: Atoms,
        /// Burned by this wallet.
        #[ts(type = "Atoms")]
        pub burned: Atoms,
        /// Text to publish at the domain; empty without one.
        pub domain_proof: String,
        /// Where to publish it.
        pub domain_proof_url: String,
    }

    /// A change of the supply.
    pub struct SupplyStep {
        /// Unix seconds.
        pub time: u32,
        /// Block, absent while unconfirmed.
        pub height: Option<u32>,
        /// What happened.
        pub event: SupplyEvent,
        /// By how much.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
        /// Supply after it.
        #[ts(type = "Atoms")]
        pub after: Atoms,
        /// Transaction.
        pub txid: String,
    }

    /// Exports a proof of one change of a supply that anybody can check, and that tells nothing else.
    pub struct SupplyProof {
        /// The asset.
        #[ts(type = "AssetId")]
        pub asset: String,
        /// The transaction that issued, reissued or destroyed some of it.
        pub txid: String,
        /// As a link instead of a file: without the proofs of the transaction, so that it can be pasted.
        pub link: bool,
    }

    /// An address that holds an asset, as far as this wallet has paid it.
    pub struct AssetHolder {
        /// The address.
        pub address: String,
        /// The asset.
        pub asset: AssetLabel,
        /// The user's label.
        pub label: String,
        /// What this wallet has paid to it in all.
        #[ts(type = "Atoms")]
        pub paid: Atoms,
        /// In so many payments.
        pub times: u32,
        /// When last, Unix seconds.
        pub last: Option<u32>,
        /// The issuer pays it no more: only in this wallet, the chain knows nothing of it.
        pub frozen: bool,
    }

    /// Marks an address for the issuer's own view.
    pub struct HolderMark {
        /// The asset.
        #[ts(type = "AssetId")]
        pub asset: String,
        /// The address.
        pub address: String,
        /// Pay it no more.
        pub frozen: bool,
        /// A label for it; empty for none.
        pub label: String,
    }

    /// Tells the wallet the contract of an asset; refused unless it hashes to the asset's id.
    pub struct ContractImport {
        /// The asset.
        #[ts(type = "AssetId")]
        pub asset: String,
        /// Contract JSON.
        pub contract: String,
        /// Outpoint the issuance spent, `txid:vout`; absent when this wallet saw the issuance.
        pub issuance_prevout: Option<String>,
    }
}

choices! {
    /// Whether the reissuance token of an asset is in this wallet.
    pub enum TokenHeld {
        /// No.
        None,
        /// Yes, and it can be used.
        Usable,
        /// Yes, but everybody sees it: it cannot reissue before it was sent to a blinded address.
        Explicit,
    }

    /// What changed a supply.
    pub enum SupplyEvent {
        /// First supply.
        Issue,
        /// More.
        Reissue,
        /// Less.
        Burn,
    }
}
