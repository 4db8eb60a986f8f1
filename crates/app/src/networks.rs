//! Networks as their clients see them, and the offers of a testbed.

use crate::memory::{ChainInfo, Core, Verdict};
use crate::profile::Profile;
use causeway_contract::{
    Check, CheckView, Empty, Failure, NetworkRescan, NetworkView, PeerView, Phase, TestbedFund, TestbedFunded, TestbedMine,
};
use causeway_peers::PeerInfo;
use causeway_vocab::realm::Testbed;
use causeway_vocab::{Capability, Code, NetworkId, Refusal};
use serde_json::{Value, json};

/// Most blocks in one request to a testbed.
const MOST_BLOCKS: u32 = 200;

impl Profile {
    pub(crate) async fn networks(&self, _: Empty) -> Result<Vec<NetworkView>, Failure> {
        let signers = self.clients.sidechain.with_chain(|chain| chain.state().signers());
        let core = self.core();
        let view = |network| self.network_view(&core, network, signers);
        Ok(NetworkId::ALL.into_iter().map(view).collect())
    }

    fn network_view(&self, core: &Core, network: NetworkId, signers: Option<(u8, u8)>) -> NetworkView {
        let chain = core.chain(network);
        let (tip_height, tip_time, state) = match network {
            NetworkId::Bitcoin => {
                let tip = self.clients.bitcoin.tip();
                (tip.height, tip.time, self.clients.bitcoin.state())
            }
            NetworkId::Sidechain => {
                let tip = self.clients.sidechain.tip();
                (tip.height, tip.time, self.clients.sidechain.state())
            }
        };
        // What the memory has written down, not what the client is about to tell: answers agree with each other.
        let state = chain.state.unwrap_or(state);
        let phase = phase(chain, state.phase);
        let synced = phase == Phase::Synced;
        let (known, added) = match network {
            NetworkId::Bitcoin => (self.clients.bitcoin.peers(), &core.settings.bitcoin_peers),
            NetworkId::Sidechain => (self.clients.sidechain.peers(), &core.settings.sidechain_peers),
        };
        let peers = peers(known, added);
        NetworkView {
            network,
            phase,
            height: (tip_height > 0).then_some(tip_height),
            tip_time: (tip_height > 0).then_some(tip_time),
            scanned_to: chain.state.map(|state| state.scanned_to),
            peers,
            checks: checks(core, network, synced, state.peers, signers),
            capabilities: match network {
                NetworkId::Bitcoin => vec![Capability::Receive, Capability::Send, Capability::Peg],
                NetworkId::Sidechain => vec![Capability::Receive, Capability::Send, Capability::Issue, Capability::Peg],
            },
            fault: chain.halted.clone().or_else(|| chain.fault.clone()),
            offline_since: state.offline_since.map(|since| u32::try_from(since).unwrap_or(u32::MAX)),
            block_seconds: chain.pace(),
        }
    }

    pub(crate) async fn network_rescan(&self, request: NetworkRescan) -> Result<Empty, Failure> {
        let from = Some(request.from_height.max(1));
        match request.network {
            NetworkId::Bitcoin => self.rescan(from, None)?,
            NetworkId::Sidechain => self.rescan(None, from)?,
        }
        Ok(Empty {})
    }

    pub(crate) async fn testbed_fund(&self, request: TestbedFund) -> Result<TestbedFunded, Failure> {
        let address = self.reveal_bitcoin(true)?.address.to_string();
        let answer = self.testbed("/fund", json!({ "address": address, "sat": request.sat.0 })).await?;
        let txid = answer["txid"].as_str().ok_or_else(|| Refusal::new(Code::BadPeer).with("peer", "testbed"))?;
        Ok(TestbedFunded { txid: txid.to_owned() })
    }

    pub(crate) async fn testbed_mine(&self, request: TestbedMine) -> Result<Empty, Failure> {
        if !(1..=MOST_BLOCKS).contains(&request.blocks) {
            return Err(Refusal::new(Code::BadRequest).with("field", "blocks"));
        }
        self.testbed("/mine", json!({ "network": request.network, "blocks": request.blocks })).await?;
        Ok(Empty {})
    }

    async fn testbed(&self, path: &str, body: Value) -> Result<Value, Failure> {
        let Some(Testbed { control }) = self.realm.testbed else {
            return Err(Refusal::new(Code::NotOffered).with("what", "testbed"));
        };
        let text = causeway_peers::testbed::post(control, path, &body.to_string()).await?;
        serde_json::from_str(&text).map_err(|_| Refusal::new(Code::BadPeer).with("peer", "testbed"))
    }
}

fn phase(chain: &ChainInfo, phase: causeway_peers::Phase) -> Phase {
    use causeway_peers::Phase as Of;
    match phase {
        _ if chain.halted.is_some() => Phase::Halted,
        Of::Connecting => Phase::Connecting,
        Of::Headers => Phase::Headers,
        Of::Filters | Of::Blocks => Phase::Filters,
        // At genesis nothing has been checked yet.
        Of::Synced if chain.height() == 0 => Phase::Headers,
        Of::Synced => Phase::Synced,
        Of::Offline => Phase::Offline,
    }
}

/// The peers that the client knows, and those that were added since it started: they are dialled at the next start.
fn peers(known: Vec<PeerInfo>, added: &[String]) -> Vec<PeerView> {
    let seen = |peer: PeerInfo| PeerView {
        address: peer.address.to_string(),
        connected: peer.connected,
        agent: peer.agent,
        height: peer.height,
    };
    let mut peers: Vec<PeerView> = known.into_iter().map(seen).collect();
    for address in added {
        if peers.iter().all(|peer| peer.address != *address) {
            peers.push(PeerView { address: address.clone(), connected: false, agent: String::new(), height: None });
        }
    }
    peers
}

fn checks(core: &Core, network: NetworkId, synced: bool, peers: u32, signers: Option<(u8, u8)>) -> Vec<CheckView> {
    let chain = core.chain(network);
    let reached = chain.state.is_some_and(|state| state.headers > 0);
    let sound = chain.halted.is_none();
    match network {
        NetworkId::Bitcoin => {
            let needed = u32::from(core.realm.bitcoin.required_peers);
            vec![
                CheckView { check: Check::ProofOfWork, passed: reached && sound, have: chain.height(), of: chain.height() },
                CheckView { check: Check::Filters, passed: synced, have: peers, of: needed },
            ]
        }
        NetworkId::Sidechain => {
            let (k, n) = signers.map_or((0, 0), |(k, n)| (u32::from(k), u32::from(n)));
            let mut counts = (0, 0);
            for wallet in core.wallets.values() {
                // Only what the wallets still know of: a transaction that was undone needs no verdict.
                for entry in wallet.sidechain.history(None).filter(|entry| entry.height.is_some()).take(200) {
                    counts.1 += 1;
                    counts.0 += u32::from(core.proofs.get(&entry.txid) == Some(&Verdict::Passed));
                }
            }
            vec![
                CheckView { check: Check::Signatures, passed: signers.is_some() && sound, have: k, of: n },
                CheckView { check: Check::Federation, passed: reached && sound, have: chain.height(), of: chain.height() },
                CheckView { check: Check::Filters, passed: synced, have: peers, of: 1 },
                CheckView { check: Check::Proofs, passed: counts.0 == counts.1 && sound, have: counts.0, of: counts.1 },
            ]
        }
    }
}
