//! Long work: sends, pegs, issuances.

use causeway_vocab::{Atoms, NetworkId, Refusal};

use crate::{AmountView, DraftKind};

records! {
    /// Which operations to list, newest first.
    pub struct OperationsRequest {
        /// Only those under way (`true`) or finished (`false`); absent: all.
        pub open: Option<bool>,
        /// At most so many.
        pub limit: u32,
    }

    /// Names an operation.
    pub struct OperationRef {
        /// Its number.
        pub operation: u32,
    }

    /// Acts on an operation.
    pub struct OperationAct {
        /// Its number.
        pub operation: u32,
        /// What to do; must be one of its `can`.
        pub action: OperationAction,
    }

    /// An operation as a timeline.
    pub struct OperationView {
        /// Its number.
        pub operation: u32,
        /// What it does.
        pub kind: DraftKind,
        /// Where it stands.
        pub status: OperationStatus,
        /// What it moves.
        pub amount: Option<AmountView>,
        /// The steps in order; exactly one is current while the operation is open.
        pub steps: Vec<OperationStep>,
        /// Index of the first step after which there is no way back; absent: always stoppable.
        pub no_return: Option<u32>,
        /// Blocks or units done and needed in the current step.
        pub done: u32,
        /// See `done`.
        pub of: u32,
        /// Which network's blocks `done` counts.
        #[ts(type = "NetworkId | null")]
        pub counts: Option<NetworkId>,
        /// Seconds until it is finished, about.
        pub eta: Option<u32>,
        /// What the user can still do.
        pub can: Vec<OperationAction>,
        /// Sidechain height until which the peg-in address is guaranteed; peg-in only.
        pub valid_until: Option<u32>,
        /// Address to pay (peg-in from elsewhere) or the destination (peg-out, send).
        pub address: String,
        /// Rows of a QR code for `address`, when it is to be paid.
        pub qr: Vec<String>,
        /// Bitcoin transaction of it.
        pub bitcoin_txid: Option<String>,
        /// Sidechain transaction of it.
        pub sidechain_txid: Option<String>,
        /// What arrives in the end, satoshi, when known.
        #[ts(type = "Atoms | null")]
        pub arrives: Option<Atoms>,
        /// Unix seconds.
        pub started: u32,
        /// Unix seconds.
        pub finished: Option<u32>,
        /// Why it failed or waits.
        #[ts(type = "Failure | null")]
        pub why: Option<Refusal>,
        /// The user's label.
        pub label: String,
    }

    /// A post on the causeway.
    pub struct OperationStep {
        /// Which.
        pub step: StepName,
        /// Its state.
        pub state: StepState,
        /// Unix seconds when it was passed.
        pub time: Option<u32>,
        /// Block in which it happened.
        pub height: Option<u32>,
    }

    /// The pair of keys by which this wallet authorises its peg-outs (PAK).
    pub struct PegOutKeys {
        /// Whether this chain asks for an authorisation.
        pub needed: bool,
        /// What the federation has to list: offline key and online key, 66 bytes, hex.
        pub entry: String,
        /// Whether the list in force has it.
        pub listed: bool,
    }

    /// The bridge and the federation behind it.
    pub struct BridgeView {
        /// Signatures a block needs.
        pub signatures_needed: u32,
        /// Functionaries.
        pub functionaries: u32,
        /// Keys a peg-out needs and has: `k of n`, zero when the script is of an unknown form.
        pub peg_needed: u32,
        /// See `peg_needed`.
        pub peg_keys: u32,
        /// Keys an emergency withdrawal needs and has, zero when the script has no such path.
        pub emergency_needed: u32,
        /// See `emergency_needed`.
        pub emergency_keys: u32,
        /// Bitcoin blocks that a coin must lie still before that.
        pub emergency_delay: u32,
        /// Federation script in force, hex.
        pub fedpegscript: String,
        /// Sidechain height at which it was verified.
        pub verified_at: Option<u32>,
        /// Height until which an address made now is guaranteed.
        pub valid_until: Option<u32>,
        /// Bitcoin confirmations a peg-in needs.
        pub peg_in_depth: u32,
        /// Peg-outs need an authorisation proof.
        pub pak: bool,
        /// Why peg-ins are refused now.
        #[ts(type = "Failure | null")]
        pub peg_in_paused: Option<Refusal>,
        /// Why peg-outs are refused now.
        #[ts(type = "Failure | null")]
        pub peg_out_paused: Option<Refusal>,
    }
}

choices! {
    /// Where an operation stands.
    pub enum OperationStatus {
        /// Under way by itself.
        Running,
        /// Waits for the user.
        Waiting,
        /// Cannot go on without help; says why.
        Stuck,
        /// Done.
        Done,
        /// Stopped by the user before the point of no return.
        Stopped,
        /// Failed for good; nothing was lost.
        Failed,
    }

    /// What a user can do to an operation.
    pub enum OperationAction {
        /// Give up, before the point of no return.
        Stop,
        /// Do not send the claim by itself.
        Hold,
        /// Go on after a hold.
        Resume,
        /// Send again now.
        Retry,
    }

    /// Posts of all operations; the words are the faces'.
    pub enum StepName {
        /// Signed and on disk.
        Signed,
        /// Handed to peers.
        Broadcast,
        /// In a block.
        Confirmed,
        /// Deep enough to count as final.
        Final,
        /// Waiting for a payment to the shown address.
        AwaitingPayment,
        /// The deposit is on Bitcoin.
        Funded,
        /// The deposit is as deep as the federation asks.
        Depth,
        /// The claim was built and signed.
        Claimed,
        /// The claim is in a sidechain block.
        Spendable,
        /// Burned on the sidechain.
        Burned,
        /// The watchmen's payment was seen.
        PaidOnBitcoin,
        /// Blocks hold every transaction of a distribution.
        Distributed,
        /// Somebody took the offer.
        Taken,
        /// The control plane knows the stake.
        Registered,
        /// The committee's signatures over the way out hold.
        Cosigned,
        /// The control plane counts the stake.
        Activated,
        /// The coins of the stake are back.
        Withdrawn,
    }

    /// State of a post.
    pub enum StepState {
        /// Passed.
        Done,
        /// Being worked on.
        Current,
        /// Not yet.
        Ahead,
        /// Never reached.
        Skipped,
    }
}
