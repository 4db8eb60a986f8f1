//! One box for everything: what a pasted text is.

use crate::memory::{Core, Wallet};
use crate::profile::Profile;
use causeway_contract::{Atoms, Failure, Recognised, RecognisedKind, TextIn};
use causeway_sidechain::wallet::{Confidentiality, PaymentUri};
use causeway_store::Reader;
use causeway_vocab::{AssetId, Code, NetworkId, Refusal};

/// Largest text that is looked at, bytes.
const MAX_TEXT: usize = 1 << 20;

fn nothing(kind: RecognisedKind) -> Recognised {
    Recognised {
        kind,
        address: String::new(),
        network: None,
        confidential: false,
        amount: None,
        asset: None,
        label: String::new(),
        paid_before: 0,
        ours: false,
    }
}

impl Profile {
    /// Refused as the reading of an address is, when the text looks like one but cannot be paid here.
    pub(crate) async fn recognise(&self, request: TextIn) -> Result<Recognised, Failure> {
        let text = request.text.trim();
        if text.len() > MAX_TEXT {
            return Err(Refusal::new(Code::BadRequest).with("field", "text"));
        }
        self.read(|core, reader| {
            let wallet = core.selected()?;
            if let Some(found) = file(core, wallet, text) {
                return Ok(found);
            }
            address(core, reader, wallet, text)
        })
    }
}

fn file(core: &Core, wallet: &Wallet, text: &str) -> Option<Recognised> {
    let on = |kind, network| Some(Recognised { network: Some(network), ..nothing(kind) });
    if text.starts_with('{') {
        return text
            .contains("\"causeway-proof-")
            .then(|| Recognised { network: Some(NetworkId::Sidechain), ..nothing(RecognisedKind::Proof) });
    }
    // The magic bytes "psbt\xff" and "pset\xff" in base64 and hex.
    if text.starts_with("cHNidP") || text.starts_with("70736274ff") {
        return on(RecognisedKind::Psbt, NetworkId::Bitcoin);
    }
    if text.starts_with("cHNldP") || text.starts_with("70736574ff") {
        return on(RecognisedKind::Pset, NetworkId::Sidechain);
    }
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    if text.parse().is_ok_and(|txid| wallet.bitcoin.transaction(txid).is_some()) {
        return on(RecognisedKind::Txid, NetworkId::Bitcoin);
    }
    if text.parse().is_ok_and(|txid| wallet.sidechain.history_entry(&txid).is_some()) {
        return on(RecognisedKind::Txid, NetworkId::Sidechain);
    }
    let asset: elements::AssetId = text.parse().ok()?;
    let known = asset == core.realm.sidechain.policy_asset
        || core.names.get(&asset).is_some()
        || wallet.sidechain.balances().contains_key(&asset)
        || wallet.sidechain.issued_asset(&asset).is_some();
    let label = known.then(|| core.names.label(AssetId::Elements(asset)));
    known.then(|| Recognised { network: Some(NetworkId::Sidechain), asset: label, ..nothing(RecognisedKind::Asset) })
}

fn address(core: &Core, reader: &Reader<'_>, wallet: &Wallet, text: &str) -> Result<Recognised, Refusal> {
    let id = wallet.row.id;
    let refusal = match causeway_bitcoin_wallet::PaymentUri::parse(text, &core.realm) {
        Ok(uri) => {
            let address = uri.address.to_string();
            let own = reader.label(id, NetworkId::Bitcoin, "addr", &address)?;
            return Ok(Recognised {
                network: Some(NetworkId::Bitcoin),
                amount: uri.amount,
                asset: Some(core.names.label(AssetId::Bitcoin)),
                label: if own.is_empty() { uri.label.unwrap_or_default() } else { own },
                paid_before: reader.paid_before(id, &address)?,
                ours: wallet.bitcoin.is_mine(&uri.address.script_pubkey()),
                address,
                ..nothing(RecognisedKind::Address)
            });
        }
        Err(refusal) => refusal,
    };
    match PaymentUri::parse(text, &core.realm.sidechain, Confidentiality::Optional) {
        Ok(uri) => {
            let address = uri.address.to_string();
            let own = reader.label(id, NetworkId::Sidechain, "addr", &address)?;
            let asset = uri.asset.unwrap_or(core.realm.sidechain.policy_asset);
            Ok(Recognised {
                network: Some(NetworkId::Sidechain),
                confidential: uri.address.is_blinded(),
                amount: uri.amount.map(Atoms),
                asset: Some(core.names.label(AssetId::Elements(asset))),
                label: if own.is_empty() { uri.label.unwrap_or_default() } else { own },
                paid_before: reader.paid_before(id, &address)?,
                ours: wallet.sidechain.path_of(&uri.address.script_pubkey()).is_some(),
                address,
                ..nothing(RecognisedKind::Address)
            })
        }
        // Both readers name foreign networks; one that says only "bad" has not understood the text.
        Err(other) => match [refusal, other].into_iter().find(|refusal| refusal.code == Code::WrongNetwork) {
            Some(refusal) => Err(refusal),
            None => Ok(nothing(RecognisedKind::Unknown)),
        },
    }
}
