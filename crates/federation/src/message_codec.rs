//! The bytes of messages.

use crate::evidence::{DoubleSign, Evidence, Statement, StatementKind};
use crate::functionary::MAX_MEMBERS;
use crate::message::{BlockShare, Body, Certificate, Envelope, MAX_MESSAGE, Proposal, Signature, Vote};
use crate::watchman::{BatchPlan, BatchShare, BatchVeto, MAX_BATCH};
use crate::wire::{Reader, WireFault, Writer};
use bitcoin::ScriptBuf;
use bitcoin::hashes::Hash as _;
use bitcoin::secp256k1::PublicKey;
use elements::BlockHash;

/// First byte of every message; another one is another format.
const VERSION: u8 = 2;
/// Longest output script that change may have: a witness program.
const MAX_PROGRAM: usize = 42;

impl Envelope {
    /// The bytes that [`Envelope::decode`] reads. Frames them with whatever tells their length, at most [`MAX_MESSAGE`].
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.u8(VERSION);
        writer.u8(self.from);
        writer.bytes(&self.signature.0);
        self.body.write(&mut writer);
        writer.0
    }

    /// Reads a message; total. Says nothing about its signature: the machines check that.
    pub fn decode(bytes: &[u8]) -> Result<Envelope, WireFault> {
        if bytes.len() > MAX_MESSAGE {
            return Err(WireFault::TooLong);
        }
        let mut reader = Reader(bytes);
        if reader.u8()? != VERSION {
            return Err(WireFault::Malformed);
        }
        let from = reader.u8()?;
        let signature = Signature(reader.array()?);
        let body = Body::read(&mut reader)?;
        reader.end()?;
        Ok(Envelope { from, body, signature })
    }
}

impl Body {
    pub(crate) fn write(&self, to: &mut Writer) {
        match self {
            Body::Proposal(proposal) => {
                to.u8(0);
                to.u32(proposal.round);
                to.block(&proposal.block);
                to.option(proposal.polka.as_ref(), |to, polka| polka.write(to));
            }
            Body::Prevote(vote) => {
                to.u8(1);
                vote.write(to);
            }
            Body::Precommit(vote, polka) => {
                to.u8(2);
                vote.write(to);
                polka.write(to);
            }
            Body::Share(share) => {
                to.u8(3);
                to.u32(share.height);
                to.bytes(&share.hash.to_byte_array());
                to.bytes(&share.share.0);
                share.precommits.write(to);
            }
            Body::Status { height, round } => {
                to.u8(4);
                to.u32(*height);
                to.u32(*round);
            }
            Body::Want { height, hash } => {
                to.u8(5);
                to.u32(*height);
                to.bytes(&hash.to_byte_array());
            }
            Body::Candidate(block) => {
                to.u8(6);
                to.block(block);
            }
            Body::Finished(block) => {
                to.u8(7);
                to.block(block);
            }
            Body::Evidence(evidence) => {
                to.u8(8);
                evidence.write(to);
            }
            Body::DoubleSign(proof) => {
                to.u8(12);
                proof.write(to);
            }
            Body::Batch(plan) => {
                to.u8(9);
                plan.write(to);
            }
            Body::BatchShare(share) => {
                to.u8(10);
                share.plan.write(to);
                to.list(&share.signatures, |to, signature| to.option(*signature, |to, signature| to.bytes(&signature.0)));
            }
            Body::BatchVeto(veto) => {
                to.u8(11);
                veto.plan.write(to);
                to.list(&veto.inputs, write_outpoint);
                to.list(&veto.pegouts, write_pegout);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Body, WireFault> {
        Ok(match from.u8()? {
            0 => Body::Proposal(Proposal { round: from.u32()?, block: from.block()?, polka: from.option(Certificate::read)? }),
            1 => Body::Prevote(Vote::read(from)?),
            2 => Body::Precommit(Vote::read(from)?, Certificate::read(from)?),
            3 => Body::Share(BlockShare {
                height: from.u32()?,
                hash: BlockHash::from_byte_array(from.array()?),
                share: Signature(from.array()?),
                precommits: Certificate::read(from)?,
            }),
            4 => Body::Status { height: from.u32()?, round: from.u32()? },
            5 => Body::Want { height: from.u32()?, hash: BlockHash::from_byte_array(from.array()?) },
            6 => Body::Candidate(from.block()?),
            7 => Body::Finished(from.block()?),
            8 => Body::Evidence(Box::new(Evidence::read(from)?)),
            12 => Body::DoubleSign(Box::new(DoubleSign::read(from)?)),
            9 => Body::Batch(BatchPlan::read(from)?),
            10 => Body::BatchShare(BatchShare {
                plan: BatchPlan::read(from)?,
                signatures: from.list(MAX_BATCH, |from| from.option(|from| from.array().map(Signature)))?,
            }),
            11 => Body::BatchVeto(BatchVeto {
                plan: BatchPlan::read(from)?,
                inputs: from.list(MAX_BATCH, read_outpoint)?,
                pegouts: from.list(MAX_BATCH, read_pegout)?,
            }),
            _ => return Err(WireFault::Malformed),
        })
    }
}

impl Vote {
    fn write(&self, to: &mut Writer) {
        to.u32(self.height);
        to.u32(self.round);
        to.bytes(&self.hash.to_byte_array());
    }

    fn read(from: &mut Reader<'_>) -> Result<Vote, WireFault> {
        Ok(Vote { height: from.u32()?, round: from.u32()?, hash: BlockHash::from_byte_array(from.array()?) })
    }
}

impl Certificate {
    fn write(&self, to: &mut Writer) {
        to.u32(self.round);
        to.list(&self.votes, |to, (member, signature)| {
            to.u8(*member);
            to.bytes(&signature.0);
        });
    }

    fn read(from: &mut Reader<'_>) -> Result<Certificate, WireFault> {
        let round = from.u32()?;
        let votes = from.list(MAX_MEMBERS, |from| Ok((from.u8()?, Signature(from.array()?))))?;
        Ok(Certificate { round, votes })
    }
}

impl Evidence {
    /// The bytes that [`Evidence::from_bytes`] reads: an exported proof.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        self.write(&mut writer);
        writer.0
    }

    /// Reads an exported proof; total. Whether it proves anything is for [`Evidence::verify`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Evidence, WireFault> {
        let mut reader = Reader(bytes);
        let evidence = Evidence::read(&mut reader)?;
        reader.end()?;
        Ok(evidence)
    }

    fn write(&self, to: &mut Writer) {
        to.u8(self.member);
        for (statement, signature) in [&self.first, &self.second] {
            to.u8(match statement.kind {
                StatementKind::Proposal => 0,
                StatementKind::Prevote => 1,
                StatementKind::Precommit => 2,
                StatementKind::Share => 3,
            });
            statement.vote.write(to);
            to.bytes(&signature.0);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Evidence, WireFault> {
        let member = from.u8()?;
        let mut statement = || {
            let kind = match from.u8()? {
                0 => StatementKind::Proposal,
                1 => StatementKind::Prevote,
                2 => StatementKind::Precommit,
                3 => StatementKind::Share,
                _ => return Err(WireFault::Malformed),
            };
            Ok((Statement { kind, vote: Vote::read(from)? }, Signature(from.array()?)))
        };
        Ok(Evidence { member, first: statement()?, second: statement()? })
    }
}

/// Longest bytes of a [`DoubleSign`]: two headers with full parameters and proposals of 255 authorisation keys.
pub const MAX_DOUBLE_SIGN: usize = 200_000;

impl DoubleSign {
    /// The bytes that [`DoubleSign::from_bytes`] reads: what is gossiped and exported.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        self.write(&mut writer);
        writer.0
    }

    /// Reads a proof; total. Whether it proves anything is for [`DoubleSign::verify`].
    pub fn from_bytes(bytes: &[u8]) -> Result<DoubleSign, WireFault> {
        if bytes.len() > MAX_DOUBLE_SIGN {
            return Err(WireFault::TooLong);
        }
        let mut reader = Reader(bytes);
        let proof = DoubleSign::read(&mut reader)?;
        reader.end()?;
        Ok(proof)
    }

    fn write(&self, to: &mut Writer) {
        to.bytes(&self.key.serialize());
        for (header, signature) in [&self.first, &self.second] {
            to.header(header);
            to.bytes(&signature.0);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<DoubleSign, WireFault> {
        let key = PublicKey::from_slice(from.bytes(33)?).map_err(|_| WireFault::Malformed)?;
        let mut side = || Ok((from.header()?, Signature(from.array()?)));
        Ok(DoubleSign { key, first: side()?, second: side()? })
    }
}

impl BatchPlan {
    fn write(&self, to: &mut Writer) {
        to.u64(self.fee_rate);
        to.list(&self.inputs, write_outpoint);
        to.list(&self.pegouts, write_pegout);
        to.list(self.change.as_bytes(), |to, byte| to.u8(*byte));
    }

    fn read(from: &mut Reader<'_>) -> Result<BatchPlan, WireFault> {
        Ok(BatchPlan {
            fee_rate: from.u64()?,
            inputs: from.list(MAX_BATCH, read_outpoint)?,
            pegouts: from.list(MAX_BATCH, read_pegout)?,
            change: ScriptBuf::from_bytes(from.list(MAX_PROGRAM, Reader::u8)?),
        })
    }
}

fn write_outpoint(to: &mut Writer, outpoint: &bitcoin::OutPoint) {
    to.bytes(&outpoint.txid.to_byte_array());
    to.u32(outpoint.vout);
}

fn read_outpoint(from: &mut Reader<'_>) -> Result<bitcoin::OutPoint, WireFault> {
    Ok(bitcoin::OutPoint { txid: bitcoin::Txid::from_byte_array(from.array()?), vout: from.u32()? })
}

fn write_pegout(to: &mut Writer, outpoint: &elements::OutPoint) {
    to.bytes(&outpoint.txid.to_byte_array());
    to.u32(outpoint.vout);
}

fn read_pegout(from: &mut Reader<'_>) -> Result<elements::OutPoint, WireFault> {
    Ok(elements::OutPoint { txid: elements::Txid::from_byte_array(from.array()?), vout: from.u32()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functionary::tests::{federation, keys};
    use bitcoin::OutPoint;
    use proptest::prelude::*;

    fn chain() -> BlockHash {
        BlockHash::from_byte_array([1; 32])
    }

    fn examples() -> Vec<Envelope> {
        let text = include_str!("../../../tests/fixtures/elements/chain.json");
        let fixture: serde_json::Value = serde_json::from_str(text).expect("fixture is JSON");
        let header = fixture["headers"][21]["header"].as_str().expect("hex");
        let header: elements::BlockHeader =
            elements::encode::deserialize(&<Vec<u8> as bitcoin::hex::FromHex>::from_hex(header).expect("hex")).expect("a header");
        let block = Box::new(elements::Block { header, txdata: Vec::new() });
        let hash = block.block_hash();
        let vote = Vote { height: 7, round: 2, hash };
        let certificate = Certificate { round: 2, votes: vec![(0, Signature([3; 64])), (4, Signature([9; 64]))] };
        let statement = |round| Statement { kind: StatementKind::Precommit, vote: Vote { round, ..vote } };
        let evidence =
            Evidence { member: 3, first: (statement(0), Signature([1; 64])), second: (statement(1), Signature([2; 64])) };
        let double = DoubleSign::new(
            keys(1).member().block,
            (block.header.clone(), Signature([4; 64])),
            (block.header.clone(), Signature([5; 64])),
        );
        let pegout = elements::OutPoint::new(elements::Txid::from_byte_array([8; 32]), 1);
        let plan = BatchPlan {
            fee_rate: 3,
            inputs: vec![OutPoint::null()],
            pegouts: vec![pegout],
            change: ScriptBuf::from_bytes(vec![0, 32, 7]),
        };
        let bodies = [
            Body::Proposal(crate::message::Proposal { round: 1, block: block.clone(), polka: Some(certificate.clone()) }),
            Body::Prevote(vote),
            Body::Precommit(vote, certificate.clone()),
            Body::Share(BlockShare { height: 7, hash, share: Signature([5; 64]), precommits: certificate }),
            Body::Status { height: 7, round: 2 },
            Body::Want { height: 7, hash },
            Body::Candidate(block.clone()),
            Body::Finished(block),
            Body::Evidence(Box::new(evidence)),
            Body::DoubleSign(Box::new(double)),
            Body::Batch(plan.clone()),
            Body::BatchShare(BatchShare { plan: plan.clone(), signatures: vec![None, Some(Signature([6; 64]))] }),
            Body::BatchVeto(BatchVeto { plan, inputs: vec![OutPoint::null()], pegouts: vec![pegout] }),
        ];
        bodies.into_iter().map(|body| Envelope::sign(chain(), 2, &keys(2), body)).collect()
    }

    #[test]
    fn every_message_reads_back_as_it_was_written_and_no_shorter() {
        for envelope in examples() {
            let bytes = envelope.encode();
            assert_eq!(Envelope::decode(&bytes).as_ref(), Ok(&envelope));
            for cut in 0..bytes.len() {
                assert!(Envelope::decode(&bytes[..cut]).is_err());
            }
            assert_eq!(Envelope::decode(&[&bytes[..], &[0]].concat()), Err(WireFault::Malformed));
        }
        assert_eq!(Envelope::decode(&vec![0; MAX_MESSAGE + 1]), Err(WireFault::TooLong));
    }

    #[test]
    fn a_signature_holds_for_one_sender_one_chain_and_one_content() {
        let federation = federation(0, 5, 3);
        let examples = examples();
        for envelope in &examples {
            assert!(envelope.is_genuine(&chain(), &federation));
            assert!(!envelope.is_genuine(&BlockHash::from_byte_array([2; 32]), &federation));
            assert!(!Envelope { from: 1, ..envelope.clone() }.is_genuine(&chain(), &federation));
            assert!(!Envelope { from: 9, ..envelope.clone() }.is_genuine(&chain(), &federation));
            for other in examples.iter().filter(|other| other.body != envelope.body) {
                let swapped = Envelope { body: other.body.clone(), ..envelope.clone() };
                assert!(!swapped.is_genuine(&chain(), &federation));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..400), which in 0..13_usize, at: prop::sample::Index) {
            let _ = Envelope::decode(&bytes);
            let mut real = examples()[which].encode();
            let start = at.index(real.len());
            for (old, new) in real[start..].iter_mut().zip(bytes) {
                *old = new;
            }
            if let Ok(envelope) = Envelope::decode(&real) {
                prop_assert_eq!(envelope.encode(), real);
            }
        }
    }
}
