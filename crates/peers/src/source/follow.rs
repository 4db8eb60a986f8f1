//! What is done with sources: follow a federation, verify a payment, compare branches. None of it believes any of them.

use super::{HeaderSource, MOST_HEADERS, SourceFault};
use crate::SidechainClient;
use causeway_sidechain::consensus::merkle;
use causeway_sidechain::consensus::signature::Signers;
use causeway_sidechain::consensus::skip::Skip;
use causeway_vocab::{Code, Fault, Height, NetworkId, Refusal};
use elements::{BlockHash, BlockHeader, Transaction, Txid};

/// A transaction in a block that the federation signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The transaction. Its proofs are for the caller to check.
    pub tx: Transaction,
    /// The header of its block.
    pub header: BlockHeader,
    /// Who signed that.
    pub signers: Signers,
}

/// What several sources say of one height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreement {
    /// All that answered name the same signed header; how many they were.
    Agreed(BlockHash, usize),
    /// Two headers of one height, both signed by the federation: it has made two branches. Each with the source that named it.
    Branches(Vec<(String, BlockHeader)>),
    /// Nobody named a header that verifies.
    Nobody,
}

fn bad(source: &dyn HeaderSource, why: &str) -> Fault {
    let refusal = Refusal::new(Code::BadPeer).with("peer", source.name()).with("why", why);
    Fault { network: NetworkId::Sidechain, refusal }
}

/// Fetches and takes whatever `skip` wants, from the first source that has it. Gives the faults of those that did not.
///
/// Fails with [`Code::NoPeers`] when none has what is wanted; what has been taken until then stays. `now` is the clock in Unix seconds.
pub async fn follow(skip: &mut Skip, sources: &[Box<dyn HeaderSource>], now: u64) -> Result<Vec<Fault>, Fault> {
    let mut faults = Vec::new();
    while let Some(wanted) = skip.wanted() {
        let count = wanted.end() - wanted.start() + 1;
        let mut taken = false;
        for source in sources {
            match fetch(source.as_ref(), *wanted.start(), count).await {
                Ok(headers) => match skip.take(&headers, now) {
                    Ok(()) => {
                        taken = true;
                        break;
                    }
                    Err(_) => faults.push(bad(source.as_ref(), "bad-header")),
                },
                Err(fault) => faults.push(bad(source.as_ref(), fault.word())),
            }
        }
        if !taken {
            skip.retreat();
            return Err(Fault { network: NetworkId::Sidechain, refusal: Code::NoPeers.into() });
        }
    }
    Ok(faults)
}

/// Has a client follow its chain through a source: for times without peers. Gives how many headers were offered.
///
/// The client verifies each as if a peer had sent it; it follows a longer branch and none other. Fails where the source fails, where it is on no
/// branch that the client could follow, and at the first header that does not hold; those before it count. Blocks and filters still come
/// from peers only, so nothing is searched meanwhile.
pub async fn extend(client: &SidechainClient, source: &dyn HeaderSource) -> Result<u32, Fault> {
    let of = |fault: SourceFault| bad(source, fault.word());
    let claimed = source.tip().await.map_err(of)?;
    let base = SidechainClient::base(client).height;
    let mut common = SidechainClient::tip(client).height.min(claimed);
    let mut step = 1;
    loop {
        let ours = client.at(common).ok_or_else(|| bad(source, "not-found"))?;
        // Nobody need have the genesis block: that the next header builds on it is checked.
        if common == base || source.headers(common, 1).await.map_err(of)?[0].block_hash() == ours.hash {
            break;
        }
        common = common.saturating_sub(step).max(base);
        step *= 2;
    }
    let (mut next, mut offered) = (common + 1, 0);
    while next <= claimed {
        let headers = source.headers(next, MOST_HEADERS.min(claimed - next + 1)).await.map_err(of)?;
        let count = u32::try_from(headers.len()).map_err(|_| bad(source, SourceFault::Oversized.word()))?;
        client.offer(headers).await.map_err(|why| bad(source, why))?;
        (next, offered) = (next + count, offered + count);
    }
    Ok(offered)
}

/// All of these headers, though a source gives fewer at a time.
async fn fetch(source: &dyn HeaderSource, first: Height, count: u32) -> Result<Vec<BlockHeader>, SourceFault> {
    let mut headers = Vec::new();
    while (headers.len() as u64) < u64::from(count) {
        let have = u32::try_from(headers.len()).map_err(|_| SourceFault::Oversized)?;
        headers.extend(source.headers(first + have, count - have).await?);
    }
    Ok(headers)
}

/// Verifies that a transaction is in a signed block: header by the parameters of its epoch, branch by its merkle root.
pub async fn payment(skip: &Skip, source: &dyn HeaderSource, txid: Txid, height: Height) -> Result<Payment, Fault> {
    let of = |fault: SourceFault| bad(source, fault.word());
    let header = source.headers(height, 1).await.map_err(of)?.remove(0);
    let signers = skip.verify(&header).map_err(|_| bad(source, "bad-header"))?;
    let inclusion = source.inclusion(txid, height).await.map_err(of)?;
    let found = merkle::check_branch(&header, &inclusion.tx, inclusion.position, &inclusion.branch);
    if found != Ok(txid) {
        return Err(bad(source, "bad-branch"));
    }
    Ok(Payment { tx: inclusion.tx, header, signers })
}

/// Asks every source for its header at a height. Headers that do not verify count for nothing: whoever sent one is told in the faults.
pub async fn compare(skip: &Skip, sources: &[Box<dyn HeaderSource>], height: Height) -> (Agreement, Vec<Fault>) {
    let mut named: Vec<(String, BlockHeader)> = Vec::new();
    let mut faults = Vec::new();
    for source in sources {
        match source.headers(height, 1).await {
            Ok(mut headers) => {
                let header = headers.remove(0);
                match skip.verify(&header) {
                    Ok(_) => named.push((source.name(), header)),
                    Err(_) => faults.push(bad(source.as_ref(), "bad-header")),
                }
            }
            // One that is behind has not contradicted anybody.
            Err(SourceFault::NotFound) => {}
            Err(fault) => faults.push(bad(source.as_ref(), fault.word())),
        }
    }
    let agreement = match named.first() {
        None => Agreement::Nobody,
        Some((_, first)) => {
            let hash = first.block_hash();
            if named.iter().all(|(_, header)| header.block_hash() == hash) {
                Agreement::Agreed(hash, named.len())
            } else {
                Agreement::Branches(named)
            }
        }
    };
    (agreement, faults)
}
