//! Stopping: a network whose federation signed what breaks a rule is used no further, and the evidence is kept as a file.

use crate::amounts::FAR;
use crate::faults::{self, Lead};
use crate::memory::{Core, stale};
use crate::profile::Profile;
use causeway_contract::Tag;
use causeway_peers::{Against, Misrule};
use causeway_sidechain::consensus::pinned::Pinned;
use causeway_store::{Reader, Store, Write};
use causeway_vocab::{Code, NetworkId, Refusal};
use elements::{BlockHeader, Txid};

/// The fact that keeps the halt of the sidechain on disk.
const HALTED: &str = "halted-sidechain";

impl Core {
    /// Stops the sidechain: spending and pegging are refused until somebody has looked. The first reason stays, over restarts.
    pub(crate) fn halt(&mut self, write: &mut Write<'_>, why: Refusal) -> Result<(), Refusal> {
        if self.sidechain.halted.is_none() {
            write.set_meta(HALTED, &serde_json::to_string(&why).expect("BUG: a refusal is JSON"))?;
            self.sidechain.halted = Some(why);
        }
        stale(write, &[Tag::Networks]);
        Ok(())
    }
}

impl Core {
    /// Lifts a halt whose cause somebody has looked at, as signed data says.
    pub(crate) fn lift_halt(&mut self, store: &Store, pinned: &Pinned) -> Result<(), Refusal> {
        let Some(why) = &self.sidechain.halted else { return Ok(()) };
        if ["hash", "txid"].iter().filter_map(|name| why.args.get(*name)).any(|what| pinned.resolves(what)) {
            store.commit(|write| write.set_meta(HALTED, ""))?;
            self.sidechain.halted = None;
        }
        Ok(())
    }
}

/// Why the sidechain was stopped, in this run or an earlier one.
pub(crate) fn halted(reader: &Reader<'_>) -> Result<Option<Refusal>, Refusal> {
    Ok(reader.meta(HALTED)?.and_then(|text| serde_json::from_str(&text).ok()))
}

/// What is on disk of the chain up to a block.
struct Kept {
    /// The block from which the chain is followed, unless it is the genesis block.
    root: Option<BlockHeader>,
    /// The headers above it.
    headers: Vec<Vec<u8>>,
}

impl Kept {
    fn lead(&self) -> Lead<'_> {
        Lead { root: self.root.as_ref(), headers: &self.headers }
    }
}

impl Profile {
    /// The federation signed what it must not.
    pub(crate) fn misrule(&self, misrule: &Misrule) -> Result<(), Refusal> {
        let height = match misrule.against {
            Against::Rule => misrule.fork.saturating_add(u32::try_from(misrule.headers.len()).unwrap_or(u32::MAX)),
            Against::Final(_) => misrule.fork.saturating_add(1),
            Against::DoubleSign(_) => misrule.fork,
        };
        tracing::error!(rule = misrule.rule, height, hash = %misrule.hash, "the federation signed what it must not");
        let code = if misrule.against == Against::Rule { Code::BadHeader } else { Code::SignedTwice };
        let mut why = Refusal::new(code).with("height", height).with("rule", misrule.rule).with("hash", misrule.hash);
        if let Some(kept) = self.kept_headers(misrule.fork)? {
            let (params, lead) = (&self.realm.sidechain, kept.lead());
            let text = match &misrule.against {
                Against::Rule => faults::write_header(params, lead, &misrule.headers),
                Against::Final(ours) => faults::write_fork(params, lead, ours, &misrule.headers),
                Against::DoubleSign(proof) => faults::write_double_sign(params, lead, proof),
            };
            why = why.with("evidence", self.keep_evidence(&misrule.hash.to_string(), &text));
        }
        self.change(|core, write| core.halt(write, why))
    }

    /// Keeps the evidence of a transaction in a signed block whose proofs do not hold. The network has been stopped already.
    pub(crate) async fn evidence_of(&self, txid: Txid, height: u32) {
        if let Err(refusal) = self.collect(txid, height).await {
            tracing::error!(code = ?refusal.code, "the evidence of a failed proof could not be collected");
        }
    }

    async fn collect(&self, txid: Txid, height: u32) -> Result<(), Refusal> {
        let gone = || Refusal::new(Code::NotFound).with("what", "block");
        let tip = self.clients.sidechain.at(height).ok_or_else(gone)?;
        let (height, block) = self.clients.sidechain.block(tip.hash).await.map_err(|fault| fault.refusal)?;
        let tx = block.txdata.iter().find(|tx| tx.txid() == txid).ok_or_else(gone)?;
        let parents = self.parents(tx, height, &block.txdata, FAR).await;
        let kept = self.kept_headers(height)?.ok_or_else(gone)?;
        let text = faults::write_block(&self.realm.sidechain, kept.lead(), &block, txid, &parents);
        self.keep_evidence(&txid.to_string(), &text);
        Ok(())
    }

    /// What is kept of the chain up to a height; `None` where some of it is missing.
    fn kept_headers(&self, height: u32) -> Result<Option<Kept>, Refusal> {
        let (first, mut headers) = self.store.read(|reader| reader.headers(NetworkId::Sidechain))?;
        let root = crate::start::root(&self.store)?;
        let base = root.as_ref().map_or(0, |root| root.height);
        if first != base + 1 && height > base {
            return Ok(None);
        }
        headers.truncate(height.saturating_sub(base) as usize);
        Ok(Some(Kept { root, headers }))
    }

    /// Writes an evidence file into the profile and gives its name.
    fn keep_evidence(&self, about: &str, text: &str) -> String {
        let name = format!("evidence-{}.json", &about[..16]);
        if let Err(error) = crate::vault::write_whole(&self.dir.join(&name), text.as_bytes()) {
            tracing::error!(%error, "the evidence could not be written");
        }
        name
    }
}
