//! The side that is paid.

use crate::Step;
use crate::streaming::transaction::FLOOR_FEE;
use crate::streaming::{Acceptance, ChannelId, Message, Proposal, Settlement, Terms, Wrong};
use crate::taproot;
use bitcoin::key::Keypair;
use bitcoin::secp256k1::schnorr::Signature;
use bitcoin::{OutPoint, Transaction, TxOut};
use causeway_vocab::{Atoms, Height};
use serde::{Deserialize, Serialize};

/// Which proposals a payee takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The only network.
    pub network: bitcoin::Network,
    /// Least capacity, satoshi.
    pub least_capacity: Atoms,
    /// Least fee of a commitment, satoshi: too little and the settlement may be stuck when it matters.
    pub least_fee: Atoms,
    /// Least number of blocks between the first payment and the deadline.
    pub least_service: u32,
}

/// Where the payee's channel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PayeePhase {
    /// The coin is not deep enough, or was undone by a reorganisation. Nothing is taken.
    Waiting,
    /// Payments are taken.
    Serving,
    /// The newest total goes to the chain. Nothing more is taken.
    Settling,
}

/// What the payee asks of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayeeEffect {
    /// Send it to the payer.
    Send(Message),
    /// Follow this coin; report with [`Payee::funding_seen`], [`Payee::spent_in`] and [`Payee::rolled_back`].
    Watch(OutPoint, TxOut),
    /// Broadcast it.
    Broadcast(Transaction),
    /// Build the [settlement](Payee::settlement) and broadcast it.
    Settle,
}

/// The newest total with the payer's signature: what the payee holds in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Paid since the beginning.
    pub total: Atoms,
    /// The payer's signature under the commitment of that total.
    pub signature: Signature,
}

/// The payee's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payee {
    terms: Terms,
    id: ChannelId,
    phase: PayeePhase,
    height: Height,
    coin: Option<OutPoint>,
    /// Block of the coin.
    confirmed: Option<Height>,
    receipt: Option<Receipt>,
    /// A settlement that both signed at the payer's wish, with its fee.
    closing: Option<(Atoms, Transaction)>,
    spent: Option<(Settlement, Height)>,
}

/// A step of the payee.
pub type PayeeStep = Step<Payee, PayeeEffect>;

impl Payee {
    /// Answers a proposal at a height. `acceptance` holds fresh keys.
    pub fn answer(proposal: Proposal, acceptance: Acceptance, policy: &Policy, height: Height) -> Result<PayeeStep, Wrong> {
        let check = |holds: bool, term| if holds { Ok(()) } else { Err(Wrong::Term(term)) };
        check(proposal.network == policy.network, "network")?;
        check(proposal.capacity >= policy.least_capacity, "capacity")?;
        check(proposal.fee >= policy.least_fee, "fee")?;
        let terms = Terms::new(proposal, acceptance, height)?;
        let service = terms.deadline().saturating_sub(height).saturating_sub(terms.acceptance.depth);
        check(service >= policy.least_service, "expiry")?;
        let payee = Payee {
            id: terms.id(),
            terms,
            phase: PayeePhase::Waiting,
            height,
            coin: None,
            confirmed: None,
            receipt: None,
            closing: None,
            spent: None,
        };
        Ok(payee.stepped_with_resume())
    }

    /// Where it stands.
    pub fn phase(&self) -> PayeePhase {
        self.phase
    }

    /// The terms.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The coin that the payer named.
    pub fn coin(&self) -> Option<OutPoint> {
        self.coin
    }

    /// The newest total in hand.
    pub fn total(&self) -> Atoms {
        self.receipt.map_or(Atoms::ZERO, |receipt| receipt.total)
    }

    /// How the coin was spent and in which block, if it was.
    pub fn spent(&self) -> Option<(Settlement, Height)> {
        self.spent
    }

    /// What must be carried out again after a restart.
    pub fn resume(&self) -> Vec<PayeeEffect> {
        let mut effects = vec![];
        if let Some(coin) = self.coin {
            effects.push(PayeeEffect::Watch(coin, self.terms.funding()));
        }
        let send = |message| PayeeEffect::Send(message);
        match (self.phase, self.coin, self.receipt, &self.closing) {
            _ if self.spent.is_some() => {}
            (PayeePhase::Waiting, None, ..) => effects.push(send(Message::Accept(self.terms.acceptance.clone()))),
            (PayeePhase::Waiting, ..) => {}
            (PayeePhase::Serving, _, None, _) => effects.push(send(Message::Ready(self.id))),
            (PayeePhase::Serving, _, Some(receipt), _) => {
                effects.push(send(Message::Paid { channel: self.id, total: receipt.total }));
            }
            (PayeePhase::Settling, _, receipt, Some((fee, tx))) if receipt.is_none() || !self.outbids(*fee) => {
                effects.push(PayeeEffect::Broadcast(tx.clone()));
            }
            (PayeePhase::Settling, _, Some(_), _) => effects.push(PayeeEffect::Settle),
            (PayeePhase::Settling, ..) => {}
        }
        effects
    }

    /// The payer said something. `key` signs when the payer closes.
    ///
    /// # Panics
    /// When `key` is not the payee's.
    pub fn receive(&self, message: &Message, key: &Keypair) -> Result<PayeeStep, Wrong> {
        let ours = |channel: &ChannelId| if *channel == self.id { Ok(()) } else { Err(Wrong::Channel) };
        match message {
            Message::Open(again) if *again == self.terms.proposal => Ok(self.clone().stepped_with_resume()),
            Message::Funded(channel, coin) => ours(channel).and_then(|()| self.funded(*coin)),
            Message::Pay { channel, total, signature } => {
                ours(channel)?;
                self.paid(Receipt { total: *total, signature: *signature })
            }
            Message::Close { channel, total, fee, signature } => {
                ours(channel)?;
                self.close(*total, *fee, signature, key)
            }
            _ => Err(Wrong::OutOfTurn),
        }
    }

    fn funded(&self, coin: OutPoint) -> Result<PayeeStep, Wrong> {
        if self.coin == Some(coin) {
            return Ok(self.clone().stepped_with_resume());
        }
        // With a receipt in hand the coin is settled upon: its signatures hold for no other.
        if self.phase != PayeePhase::Waiting || self.confirmed.is_some() || self.receipt.is_some() {
            return Err(Wrong::OutOfTurn);
        }
        Ok(Payee { coin: Some(coin), ..self.clone() }.stepped_with_resume())
    }

    fn paid(&self, receipt: Receipt) -> Result<PayeeStep, Wrong> {
        let (PayeePhase::Serving, Some(coin), None) = (self.phase, self.coin, self.spent) else { return Err(Wrong::OutOfTurn) };
        if self.height >= self.terms.deadline() {
            return Err(Wrong::TooLate);
        }
        self.terms.check_total(receipt.total)?;
        if receipt.total < self.total() {
            return Err(Wrong::OldState { got: receipt.total, newest: self.total() });
        }
        if receipt.total == self.total() {
            return Ok(self.clone().stepped_with_resume());
        }
        let tx = self.terms.settlement(coin, receipt.total, self.terms.proposal.fee);
        self.check_signature(&tx, &receipt.signature)?;
        let paid = Message::Paid { channel: self.id, total: receipt.total };
        Ok(Step::new(Payee { receipt: Some(receipt), ..self.clone() }, vec![PayeeEffect::Send(paid)]))
    }

    fn close(&self, total: Atoms, fee: Atoms, payer: &Signature, key: &Keypair) -> Result<PayeeStep, Wrong> {
        let (PayeePhase::Serving | PayeePhase::Settling, Some(coin), None) = (self.phase, self.coin, self.spent) else {
            return Err(Wrong::OutOfTurn);
        };
        if total < self.total() {
            return Err(Wrong::OldState { got: total, newest: self.total() });
        }
        // A payment that was never taken cannot come in by the back door.
        if total > self.total() {
            return Err(Wrong::Overdrawn { got: total, most: self.total() });
        }
        if fee < FLOOR_FEE || fee.0 > self.terms.proposal.capacity.0.saturating_sub(total.0) {
            return Err(Wrong::Term("fee"));
        }
        let tx = self.terms.settlement(coin, total, fee);
        if tx.output.is_empty() {
            return Err(Wrong::Term("fee"));
        }
        self.check_signature(&tx, payer)?;
        let signature = self.sign(&tx, key);
        let tx = self.terms.complete(tx, payer, &signature);
        let mut next = Payee { phase: PayeePhase::Settling, ..self.clone() };
        let mut effects = vec![PayeeEffect::Send(Message::Closed { channel: self.id, signature })];
        if self.closing.as_ref().is_none_or(|(before, _)| fee >= *before) {
            effects.push(PayeeEffect::Broadcast(tx.clone()));
            next.closing = Some((fee, tx));
        }
        Ok(Step::new(next, effects))
    }

    /// Settles alone, now: the newest total goes to the chain and nothing more is taken.
    pub fn settle(&self) -> PayeeStep {
        Payee { phase: PayeePhase::Settling, ..self.clone() }.stepped_with_resume()
    }

    /// The newest transaction that both signed, complete; `None` while nothing was paid. The same bytes each time.
    ///
    /// # Panics
    /// When `key` is not the payee's.
    pub fn settlement(&self, key: &Keypair) -> Option<Transaction> {
        let (coin, receipt) = (self.coin?, self.receipt?);
        let tx = self.terms.settlement(coin, receipt.total, self.terms.proposal.fee);
        let signature = self.sign(&tx, key);
        Some(self.terms.complete(tx, &receipt.signature, &signature))
    }

    /// The coin stands in a block. Refused when it is not what was agreed; other coins are ignored.
    pub fn funding_seen(&self, coin: OutPoint, output: &TxOut, height: Height) -> Result<PayeeStep, Wrong> {
        if self.coin != Some(coin) {
            return Ok(Step::new(self.clone(), vec![]));
        }
        if *output != self.terms.funding() {
            return Err(Wrong::Funding);
        }
        let next = Payee { confirmed: Some(height), ..self.clone() };
        Ok(next.at_height(self.height.max(height)))
    }

    /// The chain has a new tip.
    pub fn at_height(&self, height: Height) -> PayeeStep {
        let mut next = Payee { height, ..self.clone() };
        let deep =
            self.confirmed.is_some_and(|at| u64::from(height) + 1 >= u64::from(at) + u64::from(self.terms.acceptance.depth));
        let late = height >= self.terms.deadline();
        next.phase = match self.phase {
            PayeePhase::Waiting | PayeePhase::Serving if late && self.receipt.is_some() => PayeePhase::Settling,
            PayeePhase::Waiting if deep && !late => PayeePhase::Serving,
            phase => phase,
        };
        let crossed = late && self.height < self.terms.deadline() && next.phase == PayeePhase::Settling;
        if next.phase != self.phase || crossed { next.stepped_with_resume() } else { Step::new(next, vec![]) }
    }

    /// From the deadline on a cooperative settlement with a lower fee than the commitment's gives way to it.
    fn outbids(&self, fee: Atoms) -> bool {
        self.height >= self.terms.deadline() && fee < self.terms.proposal.fee
    }

    /// A block holds a transaction that spends the coin. Others are ignored.
    pub fn spent_in(&self, tx: &Transaction, height: Height) -> PayeeStep {
        let how = self.coin.and_then(|coin| self.terms.spent_by(coin, tx));
        Step::new(Payee { spent: how.map(|how| (how, height)).or(self.spent), ..self.clone() }, vec![])
    }

    /// A reorganisation undid every block above `height`.
    ///
    /// A coin that was undone is waited for again; receipts are kept, for they hold again when it comes back.
    pub fn rolled_back(&self, height: Height) -> PayeeStep {
        let mut next = self.clone();
        next.confirmed = self.confirmed.filter(|at| *at <= height);
        next.spent = self.spent.filter(|(_, at)| *at <= height);
        if next.confirmed.is_none() && next.phase == PayeePhase::Serving {
            next.phase = PayeePhase::Waiting;
        }
        if next.spent == self.spent { Step::new(next, vec![]) } else { next.stepped_with_resume() }
    }

    fn stepped_with_resume(self) -> PayeeStep {
        let effects = self.resume();
        Step::new(self, effects)
    }

    fn check_signature(&self, tx: &Transaction, signature: &Signature) -> Result<(), Wrong> {
        let message = self.terms.settlement_message(tx);
        let signed = taproot::is_signed(&message, signature, &self.terms.proposal.payer);
        if signed { Ok(()) } else { Err(Wrong::Signature) }
    }

    fn sign(&self, tx: &Transaction, key: &Keypair) -> Signature {
        assert_eq!(key.x_only_public_key().0, self.terms.acceptance.payee, "BUG: another channel's key");
        taproot::sign(&self.terms.settlement_message(tx), key)
    }
}
