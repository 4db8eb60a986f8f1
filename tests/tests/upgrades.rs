//! Profiles that earlier versions wrote still open, with everything in them.
//!
//! Each folder of `tests/upgrades` is a profile after the main job (`cargo xtask demo`), named by the schema version that wrote it, with
//! the realm it belongs to and `face.txt`: what its users saw. Never changed; a new schema version adds a folder.

use causeway_app::App;
use causeway_contract::*;
use causeway_vocab::Realm;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

fn profiles() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("upgrades");
    let mut found: Vec<_> = std::fs::read_dir(root).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    found.sort();
    found
}

/// The realm of a frozen profile, with nobody at its addresses.
fn realm(profile: &Path) -> Realm {
    let text = std::fs::read_to_string(profile.join("realm.toml")).expect("a realm");
    let mut realm = Realm::from_toml(&text).expect("a realm");
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    realm.bitcoin.peers = vec![nobody];
    realm.sidechain.peers = vec![nobody];
    realm.testbed = None;
    realm
}

/// What the users of a profile see of their money.
async fn face(app: &App) -> String {
    let mut face = String::new();
    let mut line = |line: String| writeln!(face, "{line}").expect("BUG: a string takes everything");
    for wallet in app.app_state(Empty {}).await.expect("a state").wallets {
        line(format!("{} {} {}", wallet.id, wallet.name, wallet.fingerprint));
        app.wallet_select(WalletRef { wallet: wallet.id }).await.expect("selects");
        for balance in app.overview(Empty {}).await.expect("an overview").balances {
            let (asset, network, known) = (balance.asset.id, balance.network, balance.known);
            line(format!("  {network:?} {asset}: {} in {} coins, {known:?}", balance.confirmed, balance.coins));
        }
        for operation in app.operations(OperationsRequest { open: None, limit: 100 }).await.expect("operations") {
            line(format!("  {} {:?} {:?}", operation.operation, operation.kind, operation.status));
        }
        let request = HistoryRequest { network: None, asset: None, search: None, cursor: None, limit: 100 };
        for row in app.history(request).await.expect("a history").rows {
            let height = row.height.unwrap_or_default();
            line(format!("  {:?} {} {:?} at {height}, fee {}, {:?}", row.network, row.txid, row.kind, row.fee, row.known));
        }
    }
    face
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_of_every_earlier_version_opens_with_everything_in_it() {
    let profiles = profiles();
    assert!(!profiles.is_empty());
    for profile in profiles {
        let dir = tempfile::tempdir().expect("a folder");
        for file in ["profile.db", "wallet-1.vault", "wallet-2.vault"] {
            std::fs::copy(profile.join(file), dir.path().join(file)).expect("copies");
        }
        let seen = std::fs::read_to_string(profile.join("face.txt")).expect("what was seen");
        // The second time it is a profile of this version.
        for _ in 0..2 {
            let app = App::open(dir.path(), realm(&profile), causeway_app::Options::default()).await.expect("opens");
            assert_eq!(face(&app).await, seen, "{}", profile.display());
            // Its vaults open too.
            for wallet in [1, 2] {
                app.unlock(WalletUnlock { wallet, password: String::new() }).await.expect("unlocks");
            }
            app.close().await;
        }
    }
}
