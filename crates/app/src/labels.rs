//! Labels, and their BIP329 files.

use crate::memory::{Core, Wallet, stale};
use crate::money::{label_kind, read_outpoint};
use crate::profile::Profile;
use causeway_contract::{Empty, Failure, LabelSet, LabelsImported, Tag, TextFile, TextIn};
use causeway_vocab::{Code, NetworkId, Refusal};
use serde::{Deserialize, Serialize};

/// Longest label, characters (BIP329 recommends to take 255).
const LONGEST: usize = 255;
/// Largest file that is read, bytes.
const MAX_FILE: usize = 1 << 20;

/// A line of a BIP329 file.
#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    spendable: Option<bool>,
}

fn too_long(label: &str) -> bool {
    label.chars().count() > LONGEST || label.chars().any(char::is_control)
}

impl Profile {
    pub(crate) async fn label_set(&self, request: LabelSet) -> Result<Empty, Failure> {
        let text = request.text.trim();
        if too_long(text) || request.reference.len() > 200 {
            return Err(Refusal::new(Code::BadRequest).with("field", "text"));
        }
        self.change(|core, write| {
            let id = core.selected()?.row.id;
            write.set_label(id, request.network, label_kind(request.kind), &request.reference, text)?;
            Ok(Empty {})
        })
    }

    pub(crate) async fn labels_export(&self, _: Empty) -> Result<TextFile, Failure> {
        self.read(|core, reader| {
            let wallet = core.selected()?;
            let mut lines = Vec::new();
            for row in reader.labels(wallet.row.id)? {
                lines.push(Line { kind: row.kind, reference: row.reference, label: Some(row.text), spendable: None });
            }
            for network in NetworkId::ALL {
                for outpoint in reader.frozen(wallet.row.id, network)? {
                    lines.push(Line { kind: "output".into(), reference: outpoint, label: None, spendable: Some(false) });
                }
            }
            let line = |line: &Line| serde_json::to_string(line).expect("BUG: a label is JSON") + "\n";
            Ok(TextFile { name: "causeway-labels.jsonl".into(), text: lines.iter().map(line).collect() })
        })
    }

    pub(crate) async fn labels_import(&self, request: TextIn) -> Result<LabelsImported, Failure> {
        if request.text.len() > MAX_FILE {
            return Err(Refusal::new(Code::BadRequest).with("field", "text"));
        }
        self.change(|core, write| {
            let id = core.selected()?.row.id;
            let (mut taken, mut skipped) = (0, 0);
            for text in request.text.lines().filter(|line| !line.trim().is_empty()) {
                let line = serde_json::from_str::<Line>(text).ok();
                let known = line.and_then(|line| network_of(core, core.selected().ok()?, &line).map(|network| (network, line)));
                let Some((network, line)) = known.filter(|(_, line)| !line.label.as_deref().is_some_and(too_long)) else {
                    skipped += 1;
                    continue;
                };
                if let Some(label) = line.label.as_deref().map(str::trim) {
                    write.set_label(id, network, &line.kind, &line.reference, label)?;
                }
                if let (Some(spendable), "output") = (line.spendable, line.kind.as_str()) {
                    write.set_frozen(id, network, &line.reference, !spendable)?;
                }
                taken += 1;
            }
            stale(write, &[Tag::History, Tag::Coins, Tag::Addresses]);
            Ok(LabelsImported { taken, skipped })
        })
    }
}

/// On which network the wallet knows what a line names; `None` when it knows nothing of it.
fn network_of(core: &Core, wallet: &Wallet, line: &Line) -> Option<NetworkId> {
    let text = line.reference.as_str();
    match line.kind.as_str() {
        "tx" => knows_tx(wallet, text),
        "output" => {
            let outpoint = read_outpoint(text).ok()?;
            knows_tx(wallet, &outpoint.txid.to_string())
        }
        "addr" => {
            if causeway_bitcoin_wallet::parse_address(text, &core.realm).is_ok() {
                return Some(NetworkId::Bitcoin);
            }
            let optional = causeway_sidechain::wallet::Confidentiality::Optional;
            let address = causeway_sidechain::wallet::parse_address(text, &core.realm.sidechain, optional);
            address.is_ok().then_some(NetworkId::Sidechain)
        }
        _ => None,
    }
}

fn knows_tx(wallet: &Wallet, txid: &str) -> Option<NetworkId> {
    if txid.parse().is_ok_and(|txid| wallet.bitcoin.transaction(txid).is_some()) {
        return Some(NetworkId::Bitcoin);
    }
    txid.parse().is_ok_and(|txid| wallet.sidechain.history_entry(&txid).is_some()).then_some(NetworkId::Sidechain)
}
