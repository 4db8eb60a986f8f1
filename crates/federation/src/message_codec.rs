//! The bytes of messages.

use crate::evidence::{Evidence, Statement, StatementKind};
use crate::functionary::MAX_MEMBERS;
use crate::message::{BlockShare, Body, Certificate, Envelope, MAX_MESSAGE, Proposal, Signature, Vote};
use crate::watchman::{BatchPlan, BatchShare, BatchVeto, MAX_BATCH};
use crate::wire::{Reader, WireFault, Writer};
use bitcoin::hashes::Hash as _;
use elements::BlockHash;

/// First byte of every message; another one is another format.
const VERSION: u8 = 1;

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

impl BatchPlan {
    fn write(&self, to: &mut Writer) {
        to.u64(self.fee_rate);
        to.list(&self.inputs, write_outpoint);
        to.list(&self.pegouts, write_pegout);
    }

    fn read(from: &mut Reader<'_>) -> Result<BatchPlan, WireFault> {
        Ok(BatchPlan {
            fee_rate: from.u64()?,
            inputs: from.list(MAX_BATCH, read_outpoint)?,
            pegouts: from.list(MAX_BATCH, read_pegout)?,
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
