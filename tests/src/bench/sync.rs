//! A wallet that comes back to two thousand blocks of a real bitcoind, a hundred of which pay it.

use super::{Figure, lab, said};
use crate::main_job::until;
use crate::world;
use causeway_contract::{Empty, HistoryRequest, NetworkId, Phase, ReceiveRequest, WalletQuickStart};
use daemon::Daemon;
use std::time::Instant;

#[path = "../../../crates/peers/tests/bitcoin/daemon.rs"]
#[allow(dead_code, reason = "the tests of peers also stop and crash it")]
mod daemon;

const ROUNDS: u32 = 100;
const BETWEEN: u32 = 19;
const BUDGET: f64 = 1.5;

pub(super) async fn measure() -> Result<Figure, String> {
    let dir = tempfile::tempdir().map_err(said)?;
    let app = world::open(dir.path(), lab::realm(lab::closed_door()?)?).await?;
    app.wallet_quick_start(WalletQuickStart { name: "Bench".into() }).await.map_err(said)?;
    let request = ReceiveRequest {
        network: NetworkId::Bitcoin,
        amount: None,
        asset: None,
        explicit: false,
        label: String::new(),
        again: false,
    };
    let address = app.receive(request).await.map_err(said)?.address;
    app.close().await;
    drop(app);
    let address: bitcoin::Address<bitcoin::address::NetworkUnchecked> = address.parse().map_err(said)?;
    let script = address.assume_checked().script_pubkey();
    let nobody = bitcoin::ScriptBuf::new_op_return([]);
    let (daemon, height) = tokio::task::spawn_blocking(move || {
        let daemon = Daemon::start(&[]);
        for _ in 0..ROUNDS {
            daemon.mine(BETWEEN, &nobody);
            daemon.mine(1, &script);
        }
        let height = daemon.height();
        (daemon, height)
    })
    .await
    .map_err(said)?;

    let realm = lab::realm(daemon.p2p)?;
    // Counted from before the profile is opened, and so from before the first connection.
    let start = Instant::now();
    let app = world::open(dir.path(), realm).await?;
    until(&app, async || {
        let networks = app.networks(Empty {}).await.map_err(said)?;
        let synced = |n: &causeway_contract::NetworkView| n.phase == Phase::Synced && n.scanned_to == Some(height);
        Ok(networks.iter().any(|n| n.network == NetworkId::Bitcoin && synced(n)).then_some(()))
    })
    .await?;
    let took = start.elapsed();
    let request = HistoryRequest { network: Some(NetworkId::Bitcoin), asset: None, search: None, cursor: None, limit: 1 };
    let found = app.history(request).await.map_err(said)?.total;
    app.close().await;
    if (height, found) != (ROUNDS * (BETWEEN + 1), ROUNDS) {
        return Err(format!("{found} transactions found in {height} blocks"));
    }
    let name = "2,000 Bitcoin blocks with 100 wallet transactions synced, from the opening of the profile";
    Ok(Figure::new(name, "s", took.as_secs_f64(), BUDGET, "the budget", 1.0))
}
