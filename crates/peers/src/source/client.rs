//! The P2P client as a source: the chain it has verified, and the blocks of its peers.

use super::{Answer, HeaderSource, Inclusion, MOST_HEADERS, SourceFault, in_order};
use crate::SidechainClient;
use causeway_sidechain::consensus::merkle;
use causeway_vocab::{Code, Fault, Height};
use elements::{BlockHeader, Txid};

fn fault(fault: Fault) -> SourceFault {
    if fault.refusal.code == Code::NotFound { SourceFault::NotFound } else { SourceFault::Unreachable }
}

impl HeaderSource for SidechainClient {
    fn name(&self) -> String {
        "p2p".into()
    }

    fn tip(&self) -> Answer<'_, Height> {
        Box::pin(async { Ok(SidechainClient::tip(self).height) })
    }

    /// The last 2,016 are at hand; those before come with their blocks.
    fn headers(&self, first: Height, most: u32) -> Answer<'_, Vec<BlockHeader>> {
        Box::pin(async move {
            let last = SidechainClient::tip(self).height.min(first.saturating_add(most.min(MOST_HEADERS).saturating_sub(1)));
            let mut headers = Vec::new();
            for height in first..=last {
                match self.header(height) {
                    Some(header) => headers.push(header),
                    None => {
                        let hash = self.at(height).ok_or(SourceFault::NotFound)?.hash;
                        headers.push(self.block(hash).await.map_err(fault)?.1.header);
                    }
                }
            }
            in_order(&headers, first, most)?;
            Ok(headers)
        })
    }

    fn inclusion(&self, txid: Txid, height: Height) -> Answer<'_, Inclusion> {
        Box::pin(async move {
            let hash = self.at(height).ok_or(SourceFault::NotFound)?.hash;
            let (_, mut block) = self.block(hash).await.map_err(fault)?;
            let position = block.txdata.iter().position(|tx| tx.txid() == txid).ok_or(SourceFault::NotFound)?;
            let number = u32::try_from(position).map_err(|_| SourceFault::Garbage)?;
            let branch = merkle::branch(&block, number).ok_or(SourceFault::Garbage)?;
            Ok(Inclusion { tx: block.txdata.swap_remove(position), position: number, branch })
        })
    }
}
