//! The control plane's headers, verified: a light client of CometBFT.
//!
//! Trust starts at one block whose hash is pinned or was seen on Bitcoin, and moves forward as long as more than a third of a trusted set
//! signs what comes next. It ends when the trusting period passes without a step, because validators may have taken their stake back by
//! then; it must be well under the control plane's unbonding time.

use std::time::Duration;
use tendermint::block::Header;
use tendermint::block::signed_header::SignedHeader;
use tendermint::validator::Set;
use tendermint::{Hash, Time};
use tendermint_light_client_verifier::errors::VerificationErrorDetail;
use tendermint_light_client_verifier::options::Options;
use tendermint_light_client_verifier::types::{TrustThreshold, TrustedBlockState, UntrustedBlockState};
use tendermint_light_client_verifier::{ProdVerifier, Verdict, Verifier as _};

/// How far a header's time may be ahead of ours.
const CLOCK_DRIFT: Duration = Duration::from_secs(30);

/// A header with its commit and the validators that its hashes name, as a node answers them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LightBlock {
    /// Header and commit.
    pub signed_header: SignedHeader,
    /// Validators of this block.
    pub validators: Set,
    /// Validators of the next.
    pub next_validators: Set,
}

impl LightBlock {
    /// The header.
    pub fn header(&self) -> &Header {
        self.signed_header.header()
    }

    /// Height of the block.
    pub fn height(&self) -> u64 {
        self.header().height.value()
    }

    /// Hash of the header.
    pub fn hash(&self) -> Hash {
        self.header().hash()
    }
}

/// Why a block is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTrusted {
    /// The trusted block is too old: anchor anew, at a pinned block or by a checkpoint on Bitcoin.
    #[error("the trusting period has passed")]
    Expired,
    /// Too few of the trusted validators signed: try a block between the trusted one and this.
    #[error("too far from the trusted block")]
    TooFar,
    /// The block's time is ahead of ours; is the clock right?
    #[error("the block is from the future")]
    Future,
    /// A block of another chain.
    #[error("a block of another chain")]
    OtherChain,
    /// Not above the trusted block.
    #[error("not above the trusted block")]
    Height,
    /// The anchor is not the block that was pinned.
    #[error("not the block that was pinned")]
    OtherAnchor,
    /// Hashes, signatures or validators do not fit.
    #[error("an invalid block: {0}")]
    Invalid(String),
    /// Two nodes show different blocks at one height, both well signed or one of them lying.
    #[error("two blocks at height {0}")]
    Forked(u64),
}

/// A light client and the last block it trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LightClient {
    trusting_period: Duration,
    trusted: LightBlock,
}

impl LightClient {
    /// Starts from a block whose hash is known from elsewhere.
    pub fn new(anchor: LightBlock, pinned: Hash, trusting_period: Duration) -> Result<LightClient, NotTrusted> {
        if anchor.hash() != pinned || anchor.next_validators.hash() != anchor.header().next_validators_hash {
            return Err(NotTrusted::OtherAnchor);
        }
        Ok(LightClient { trusting_period, trusted: anchor })
    }

    /// The last trusted block.
    pub fn trusted(&self) -> &LightBlock {
        &self.trusted
    }

    /// App hash of the last trusted header: it covers the state after the block before it.
    pub fn app_hash(&self) -> &[u8] {
        self.trusted.header().app_hash.as_bytes()
    }

    /// Moves trust to a later block, at `now` in Unix seconds. On [`NotTrusted::TooFar`] first advance to one in between.
    pub fn advance(&mut self, block: LightBlock, now: u32) -> Result<(), NotTrusted> {
        if block.height() <= self.trusted.height() {
            return if block.height() == self.trusted.height() { self.witness(block.header()) } else { Err(NotTrusted::Height) };
        }
        let before = self.trusted.header();
        let trusted = TrustedBlockState {
            chain_id: &before.chain_id,
            header_time: before.time,
            height: before.height,
            next_validators: &self.trusted.next_validators,
            next_validators_hash: before.next_validators_hash,
        };
        let untrusted = UntrustedBlockState {
            signed_header: &block.signed_header,
            validators: &block.validators,
            next_validators: Some(&block.next_validators),
        };
        let options = Options {
            trust_threshold: TrustThreshold::ONE_THIRD,
            trusting_period: self.trusting_period,
            clock_drift: CLOCK_DRIFT,
        };
        let now = Time::from_unix_timestamp(i64::from(now), 0).map_err(|_| NotTrusted::Future)?;
        match ProdVerifier::default().verify_update_header(untrusted, trusted, &options, now) {
            Verdict::Success => {
                self.trusted = block;
                Ok(())
            }
            Verdict::NotEnoughTrust(_) => Err(NotTrusted::TooFar),
            Verdict::Invalid(VerificationErrorDetail::NotWithinTrustPeriod(_)) => Err(NotTrusted::Expired),
            Verdict::Invalid(VerificationErrorDetail::HeaderFromTheFuture(_)) => Err(NotTrusted::Future),
            Verdict::Invalid(VerificationErrorDetail::ChainIdMismatch(_)) => Err(NotTrusted::OtherChain),
            Verdict::Invalid(detail) => Err(NotTrusted::Invalid(detail.to_string())),
        }
    }

    /// Compares a second node's header at the trusted height. Any difference is a fork or a lie and is never decided here.
    pub fn witness(&self, header: &Header) -> Result<(), NotTrusted> {
        if header.height == self.trusted.header().height && header.hash() != self.trusted.hash() {
            return Err(NotTrusted::Forked(self.trusted.height()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
