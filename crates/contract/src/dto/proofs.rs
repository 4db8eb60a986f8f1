//! Proofs that anybody can check without this wallet.

use causeway_vocab::NetworkId;

use crate::AmountView;

records! {
    /// Exports a proof of a transaction: raw bytes, unblinding data of what is disclosed, merkle branch and headers. On Bitcoin, also of a
    /// transaction that paid a peg-out of this wallet to somebody else.
    pub struct ProofExport {
        /// Where it lives.
        #[ts(type = "NetworkId")]
        pub network: NetworkId,
        /// The transaction.
        pub txid: String,
        /// Outputs to disclose; absent: all this wallet can open.
        pub outputs: Option<Vec<u32>>,
        /// As a link instead of a file: without the proofs of the transaction, so that it can be pasted. Sidechain only.
        pub link: bool,
    }

    /// What an exported proof proves.
    pub struct ProofVerdict {
        /// It proves what it says.
        pub ok: bool,
        /// Each statement with its verdict.
        pub statements: Vec<ProofStatement>,
    }

    /// One statement of a proof.
    pub struct ProofStatement {
        /// What is stated.
        pub kind: ProofKind,
        /// It holds.
        pub ok: bool,
        /// The amount it is about.
        pub amount: Option<AmountView>,
        /// Txid, address, block or rule it is about.
        pub detail: String,
    }
}

choices! {
    /// Kinds of statements.
    pub enum ProofKind {
        /// The transaction hashes to its id.
        Transaction,
        /// An output pays so much.
        Payment,
        /// So much was created.
        Issuance,
        /// So much was destroyed.
        Burn,
        /// So much came from Bitcoin.
        PegIn,
        /// So much left for Bitcoin.
        PegOut,
        /// Range proofs, surjection proofs and balance hold.
        Amounts,
        /// The transaction is in the block.
        Inclusion,
        /// Functionaries signed the block.
        Signatures,
        /// The block and those on top of it carry the work they claim.
        Work,
        /// A block that is signed breaks a rule.
        Fault,
    }
}
