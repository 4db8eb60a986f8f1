//! The side that pays.

use crate::Step;
use crate::streaming::transaction::{FLOOR_FEE, REFUND_VSIZE};
use crate::streaming::{Acceptance, Message, Proposal, Settlement, Terms, Wrong};
use crate::taproot;
use bitcoin::key::Keypair;
use bitcoin::secp256k1::schnorr::Signature;
use bitcoin::{OutPoint, Transaction, TxOut};
use causeway_vocab::{Atoms, Code, Height, Refusal};
use serde::{Deserialize, Serialize};

/// Where the payer's channel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PayerPhase {
    /// Nobody has answered the proposal. Nothing is at stake.
    Proposed,
    /// The terms stand; the coin is not made.
    Agreed,
    /// The coin is made; the payee waits for its confirmations.
    Funded,
    /// Payments flow.
    Open,
    /// A settlement is signed; no further payment follows.
    Closing,
    /// The expiry has passed: everything can be taken back.
    Refunding,
}

/// What the payer asks of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayerEffect {
    /// Send it to the payee.
    Send(Message),
    /// Make this output and report its outpoint with [`Payer::funded`], in the transaction that makes the coin durable.
    Fund(TxOut),
    /// Broadcast it.
    Broadcast(Transaction),
    /// Build the [refund](Payer::refund) and broadcast it.
    Refund,
}

/// A settlement that the payer signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Closing {
    fee: Atoms,
    signature: Signature,
}

/// The payer's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payer {
    proposal: Proposal,
    terms: Option<Terms>,
    phase: PayerPhase,
    height: Height,
    coin: Option<OutPoint>,
    /// The newest total and the signature that gives it away.
    signed: Option<(Atoms, Signature)>,
    acknowledged: Atoms,
    closing: Option<Closing>,
    spent: Option<(Settlement, Height)>,
}

/// A step of the payer.
pub type PayerStep = Step<Payer, PayerEffect>;

fn not_ready() -> Refusal {
    Refusal::new(Code::NotReady).with("what", "channel")
}

impl Payer {
    /// Proposes a channel at a height.
    pub fn propose(proposal: Proposal, height: Height) -> Result<PayerStep, Refusal> {
        proposal.check().map_err(|wrong| match wrong {
            Wrong::Term(field) => Refusal::new(Code::BadRequest).with("field", field),
            wrong => wrong.into(),
        })?;
        if proposal.expiry <= height {
            return Err(Refusal::new(Code::BadRequest).with("field", "expiry"));
        }
        let payer = Payer {
            proposal,
            terms: None,
            phase: PayerPhase::Proposed,
            height,
            coin: None,
            signed: None,
            acknowledged: Atoms::ZERO,
            closing: None,
            spent: None,
        };
        Ok(payer.stepped_with_resume())
    }

    /// Where it stands.
    pub fn phase(&self) -> PayerPhase {
        self.phase
    }

    /// The terms, once both halves are known.
    pub fn terms(&self) -> Option<&Terms> {
        self.terms.as_ref()
    }

    /// The coin, once it is made.
    pub fn coin(&self) -> Option<OutPoint> {
        self.coin
    }

    /// The total that was signed away: what the payee can settle at most.
    pub fn total(&self) -> Atoms {
        self.signed.map_or(Atoms::ZERO, |(total, _)| total)
    }

    /// The part of it that the payee has said it holds.
    pub fn acknowledged(&self) -> Atoms {
        self.acknowledged
    }

    /// What can still be paid.
    pub fn left(&self) -> Atoms {
        self.terms.as_ref().and_then(|terms| terms.most().checked_sub(self.total())).unwrap_or_default()
    }

    /// How the coin was spent and in which block, if it was.
    pub fn spent(&self) -> Option<(Settlement, Height)> {
        self.spent
    }

    /// What must be carried out again after a restart.
    pub fn resume(&self) -> Vec<PayerEffect> {
        let Some(terms) = &self.terms else { return vec![PayerEffect::Send(Message::Open(self.proposal.clone()))] };
        let channel = terms.id();
        let send = |message| vec![PayerEffect::Send(message)];
        match (self.phase, self.coin, self.signed, self.closing) {
            _ if self.spent.is_some() => vec![],
            (PayerPhase::Refunding, ..) => vec![PayerEffect::Refund],
            (_, None, ..) if self.is_late() => vec![],
            (_, None, ..) => vec![PayerEffect::Fund(terms.funding())],
            (PayerPhase::Funded, Some(coin), ..) => send(Message::Funded(channel, coin)),
            (PayerPhase::Closing, _, _, Some(Closing { fee, signature })) => {
                send(Message::Close { channel, total: self.total(), fee, signature })
            }
            (PayerPhase::Open, _, Some((total, signature)), _) if total > self.acknowledged => {
                send(Message::Pay { channel, total, signature })
            }
            _ => vec![],
        }
    }

    /// The coin was made by a transaction that is ready to be broadcast.
    ///
    /// Until the payee serves it may be called again, for a replacement of that transaction. Refused with `Expired` (`channel`) from the
    /// deadline on: then the transaction must be thrown away, for nothing could be paid and the coin would only come back by the refund.
    pub fn funded(&self, coin: OutPoint) -> Result<PayerStep, Refusal> {
        if self.coin.is_none() && self.is_late() {
            return Err(Refusal::new(Code::Expired).with("what", "channel"));
        }
        if !matches!(self.phase, PayerPhase::Agreed | PayerPhase::Funded) {
            return Err(Refusal::new(Code::NotFound).with("what", "channel"));
        }
        Ok(Payer { phase: PayerPhase::Funded, coin: Some(coin), ..self.clone() }.stepped_with_resume())
    }

    /// Pays `amount` more.
    ///
    /// Refused with `NotReady` before the payee serves, `Expired` from the terms' deadline on, `Dust` (`least`) for a first payment that
    /// no transaction could carry, `BadAmount` for nothing and `InsufficientFunds` beyond the capacity.
    ///
    /// # Panics
    /// When `key` is not the payer's.
    pub fn pay(&self, amount: Atoms, key: &Keypair) -> Result<PayerStep, Refusal> {
        let (PayerPhase::Open, Some(terms), Some(coin), None) = (self.phase, &self.terms, self.coin, self.spent) else {
            return Err(not_ready());
        };
        if self.is_late() {
            return Err(Refusal::new(Code::Expired).with("what", "channel"));
        }
        if amount == Atoms::ZERO {
            return Err(Refusal::new(Code::BadAmount).with("precision", 8));
        }
        let short =
            || Refusal::new(Code::InsufficientFunds).with("asset", "btc").with("available", self.left()).with("needed", amount);
        let total = self.total().checked_add(amount).ok_or_else(short)?;
        terms.check_total(total).map_err(|wrong| match wrong {
            Wrong::Dust { least } => Refusal::new(Code::Dust).with("least", least),
            _ => short(),
        })?;
        let signature = self.sign(terms, coin, total, terms.proposal.fee, key);
        Ok(Payer { signed: Some((total, signature)), ..self.clone() }.stepped_with_resume())
    }

    /// Asks to settle the newest total now, with a fee of the payer's choice. May be called again with a higher fee.
    ///
    /// Refused with `NotReady` before the payee serves and with `FeeTooLow` or `InsufficientFee` for a fee that cannot be paid. The payee
    /// may stay silent: then it settles alone or the refund opens at the expiry.
    ///
    /// # Panics
    /// When `key` is not the payer's.
    pub fn close(&self, fee: Atoms, key: &Keypair) -> Result<PayerStep, Refusal> {
        let (PayerPhase::Open | PayerPhase::Closing, Some(terms), Some(coin), None) =
            (self.phase, &self.terms, self.coin, self.spent)
        else {
            return Err(not_ready());
        };
        let least = self.closing.map_or(FLOOR_FEE, |closing| Atoms(closing.fee.0.saturating_add(FLOOR_FEE.0)));
        if fee < least {
            return Err(Refusal::new(Code::FeeTooLow).with("least", least));
        }
        let available = Atoms(terms.proposal.capacity.0.saturating_sub(self.total().0));
        if fee > available {
            return Err(Refusal::new(Code::InsufficientFee).with("needed", fee).with("available", available));
        }
        if terms.settlement(coin, self.total(), fee).output.is_empty() {
            return Err(Refusal::new(Code::FeeTooHigh).with("percent", 100).with("limit", 100));
        }
        let signature = self.sign(terms, coin, self.total(), fee, key);
        let closing = Some(Closing { fee, signature });
        Ok(Payer { phase: PayerPhase::Closing, closing, ..self.clone() }.stepped_with_resume())
    }

    /// The payee said something.
    pub fn receive(&self, message: &Message) -> Result<PayerStep, Wrong> {
        if let (None, Message::Accept(acceptance)) = (&self.terms, message) {
            return self.accepted(acceptance);
        }
        let terms = self.terms.as_ref().ok_or(Wrong::OutOfTurn)?;
        let mut next = self.clone();
        let mut effects = vec![];
        let ours = |channel: &_| if *channel == terms.id() { Ok(()) } else { Err(Wrong::Channel) };
        match (message, self.phase) {
            (Message::Accept(again), _) if *again == terms.acceptance => {}
            (Message::Ready(channel), PayerPhase::Funded) => {
                ours(channel)?;
                next.phase = PayerPhase::Open;
            }
            (Message::Ready(channel), PayerPhase::Open | PayerPhase::Closing | PayerPhase::Refunding) => {
                ours(channel)?;
                effects = self.resume();
            }
            (Message::Paid { channel, total }, PayerPhase::Open | PayerPhase::Closing | PayerPhase::Refunding) => {
                ours(channel)?;
                if *total > self.total() {
                    return Err(Wrong::Overdrawn { got: *total, most: self.total() });
                }
                // Answers may overtake each other; only the newest counts.
                next.acknowledged = self.acknowledged.max(*total);
            }
            (Message::Closed { channel, signature }, PayerPhase::Closing | PayerPhase::Refunding) => {
                ours(channel)?;
                effects.push(PayerEffect::Broadcast(self.closed(terms, signature)?));
            }
            _ => return Err(Wrong::OutOfTurn),
        }
        Ok(Step::new(next, effects))
    }

    fn accepted(&self, acceptance: &Acceptance) -> Result<PayerStep, Wrong> {
        let terms = Terms::new(self.proposal.clone(), acceptance.clone(), self.height)?;
        Ok(Payer { phase: PayerPhase::Agreed, terms: Some(terms), ..self.clone() }.stepped_with_resume())
    }

    fn closed(&self, terms: &Terms, payee: &Signature) -> Result<Transaction, Wrong> {
        let (Some(coin), Some(Closing { fee, signature })) = (self.coin, self.closing) else { return Err(Wrong::OutOfTurn) };
        let tx = terms.settlement(coin, self.total(), fee);
        if !taproot::is_signed(&terms.settlement_message(&tx), payee, &terms.acceptance.payee) {
            return Err(Wrong::Signature);
        }
        Ok(terms.complete(tx, &signature, payee))
    }

    /// The chain has a new tip.
    ///
    /// A height below an earlier one is a reorganisation and changes nothing that was begun.
    pub fn at_height(&self, height: Height) -> PayerStep {
        let mut next = Payer { height, ..self.clone() };
        let refunds = self.coin.is_some() && self.spent.is_none() && self.phase != PayerPhase::Refunding;
        if refunds && height >= self.proposal.expiry {
            next.phase = PayerPhase::Refunding;
            return next.stepped_with_resume();
        }
        Step::new(next, vec![])
    }

    /// The transaction that takes the coin back. `NotReady` before the expiry, `FeeTooLow` or `InsufficientFee` for a fee that cannot be paid.
    ///
    /// # Panics
    /// When `key` is not the payer's.
    pub fn refund(&self, fee: Atoms, key: &Keypair) -> Result<Transaction, Refusal> {
        let (Some(terms), Some(coin)) = (&self.terms, self.coin) else { return Err(not_ready()) };
        if self.height < self.proposal.expiry {
            return Err(not_ready());
        }
        if fee < Atoms(REFUND_VSIZE) {
            return Err(Refusal::new(Code::FeeTooLow).with("least", REFUND_VSIZE));
        }
        self.own(key);
        let short = || Refusal::new(Code::InsufficientFee).with("needed", fee).with("available", self.proposal.capacity);
        terms.refund(coin, fee, key).ok_or_else(short)
    }

    /// A block holds a transaction that spends the coin. Others are ignored.
    pub fn spent_in(&self, tx: &Transaction, height: Height) -> PayerStep {
        let mut next = self.clone();
        if let (Some(terms), Some(coin)) = (&self.terms, self.coin) {
            next.spent = terms.spent_by(coin, tx).map(|how| (how, height)).or(self.spent);
        }
        Step::new(next, vec![])
    }

    /// A reorganisation undid every block above `height`.
    pub fn rolled_back(&self, height: Height) -> PayerStep {
        let mut next = self.clone();
        if self.spent.is_some_and(|(_, at)| at > height) {
            next.spent = None;
            return next.stepped_with_resume();
        }
        Step::new(next, vec![])
    }

    fn stepped_with_resume(self) -> PayerStep {
        let effects = self.resume();
        Step::new(self, effects)
    }

    fn is_late(&self) -> bool {
        self.terms.as_ref().is_some_and(|terms| self.height >= terms.deadline())
    }

    fn own(&self, key: &Keypair) {
        assert_eq!(key.x_only_public_key().0, self.proposal.payer, "BUG: another channel's key");
    }

    fn sign(&self, terms: &Terms, coin: OutPoint, total: Atoms, fee: Atoms, key: &Keypair) -> Signature {
        self.own(key);
        taproot::sign(&terms.settlement_message(&terms.settlement(coin, total, fee)), key)
    }
}
