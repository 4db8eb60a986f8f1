//! Assets: what is held, what was issued here, and contracts.

use crate::drafts::domain_proof;
use crate::memory::{Core, Wallet, stale};
use crate::money::{balances, outpoint_text, read_outpoint};
use crate::names::{Named, domain_proof_url, read_contract};
use crate::profile::Profile;
use causeway_contract::{
    AssetDetail, AssetRef, AssetView, Atoms, BalanceView, ContractImport, Empty, Failure, SupplyEvent, SupplyStep, Tag, TokenHeld,
};
use causeway_sidechain::wallet::state::{IssuedAsset, SupplyEvent as Event};
use causeway_store::ContractRow;
use causeway_vocab::{AssetId, Code, Refusal};
use elements::AssetId as Id;
use std::collections::BTreeMap;

fn read_id(text: &str) -> Result<Id, Refusal> {
    text.parse().map_err(|_| Refusal::new(Code::UnknownAsset).with("asset", text))
}

/// The reissuance token of an asset that is held: which of its two forms, how much, and whether it can be used. Tokens of blinded and of
/// explicit issuances are different assets; which one exists says how the asset was issued.
struct Token {
    id: Option<Id>,
    held: TokenHeld,
    amount: u64,
}

fn token(core: &Core, wallet: &Wallet, id: &Id, issued: Option<&IssuedAsset>) -> Token {
    let forms: Vec<Id> = match issued {
        Some(issued) => vec![issued.token],
        None => core.names.get(id).map_or_else(Vec::new, |named| {
            let entropy = Id::generate_asset_entropy(named.prevout, named.hash);
            [false, true].map(|hidden| Id::reissuance_token_from_entropy(entropy, hidden)).to_vec()
        }),
    };
    let mut token = Token { id: issued.map(|issued| issued.token), held: TokenHeld::None, amount: 0 };
    for coin in wallet.sidechain.coins().filter(|coin| forms.contains(&coin.opening.asset)) {
        token.id = Some(coin.opening.asset);
        token.amount = token.amount.saturating_add(coin.opening.value);
        // The nonce of a reissuance tells the factor of its token; an explicit token has none.
        if coin.output.asset.is_confidential() {
            token.held = TokenHeld::Usable;
        } else if token.held == TokenHeld::None {
            token.held = TokenHeld::Explicit;
        }
    }
    token
}

/// What the list shows of one asset.
fn view(
    core: &Core,
    wallet: &Wallet,
    id: Id,
    balance: Option<BalanceView>,
    issued: Option<&IssuedAsset>,
    issued_all: &[IssuedAsset],
) -> AssetView {
    let token_of = core.names.token_of(&id).or_else(|| issued_all.iter().find(|i| i.token == id).map(|i| i.asset));
    AssetView {
        asset: core.names.label(AssetId::Elements(id)),
        domain: core.names.get(&id).map(|named| named.contract.domain().to_owned()).unwrap_or_default(),
        balance,
        issued_here: issued.is_some_and(|issued| issued.ours),
        can_reissue: token(core, wallet, &id, issued).held == TokenHeld::Usable,
        policy: id == core.realm.sidechain.policy_asset,
        token_of: token_of.map(|asset| asset.to_string()),
        look_alike: core.names.looks_like_another(&id),
    }
}

impl Profile {
    pub(crate) async fn assets(&self, _: Empty) -> Result<Vec<AssetView>, Failure> {
        self.read(|core, reader| {
            let Ok(wallet) = core.selected() else { return Ok(Vec::new()) };
            let issued = wallet.sidechain.issued_assets();
            let mut found: BTreeMap<Id, Option<BalanceView>> = issued.iter().map(|issued| (issued.asset, None)).collect();
            let mut order = Vec::new();
            for balance in balances(core, reader, wallet)? {
                let Ok(AssetId::Elements(id)) = balance.asset.id.parse() else { continue };
                order.push(id);
                found.insert(id, Some(balance));
            }
            order.extend(issued.iter().map(|issued| issued.asset).filter(|id| !order.contains(id)).collect::<Vec<_>>());
            let of = |id: Id| {
                let own = issued.iter().find(|issued| issued.asset == id);
                view(core, wallet, id, found.get(&id).cloned().flatten(), own, &issued)
            };
            Ok(order.into_iter().map(of).collect())
        })
    }

    pub(crate) async fn asset(&self, request: AssetRef) -> Result<AssetDetail, Failure> {
        let id = read_id(&request.asset)?;
        self.read(|core, reader| {
            let wallet = core.selected()?;
            let issued = wallet.sidechain.issued_assets();
            let own = issued.iter().find(|issued| issued.asset == id);
            let wanted = id.to_string();
            let balance = balances(core, reader, wallet)?.into_iter().find(|balance| balance.asset.id == wanted);
            let known = balance.is_some() || own.is_some() || core.names.get(&id).is_some();
            if !known {
                return Err(Refusal::new(Code::UnknownAsset).with("asset", &request.asset));
            }
            Ok(detail(core, wallet, id, view(core, wallet, id, balance, own, &issued), own))
        })
    }

    pub(crate) async fn contract_import(&self, request: ContractImport) -> Result<AssetView, Failure> {
        let id = read_id(&request.asset)?;
        read_contract(&request.contract)?;
        self.change(|core, write| {
            let wallet = core.selected()?;
            let seen = wallet.sidechain.issued_asset(&id);
            let prevout = match (&request.issuance_prevout, &seen) {
                (Some(text), _) => outpoint_text(read_outpoint(text)?),
                (None, Some(issued)) => outpoint_text(issued.prevout),
                (None, None) => return Err(Refusal::new(Code::BadContract).with("field", "issuance_prevout")),
            };
            let row = ContractRow { asset: id.to_string(), contract: request.contract.clone(), prevout };
            core.dirty = true;
            if !core.names.learn(&row) {
                return Err(Refusal::new(Code::BadContract).with("field", "asset"));
            }
            write.put_contract(&row)?;
            stale(write, &[Tag::Assets, Tag::Balances, Tag::History, Tag::Coins]);
            let wallet = core.selected()?;
            let issued = wallet.sidechain.issued_assets();
            let wanted = id.to_string();
            let balance = balances(core, write, wallet)?.into_iter().find(|balance| balance.asset.id == wanted);
            Ok(view(core, wallet, id, balance, issued.iter().find(|issued| issued.asset == id), &issued))
        })
    }
}

fn detail(core: &Core, wallet: &Wallet, id: Id, view: AssetView, issued: Option<&IssuedAsset>) -> AssetDetail {
    let named: Option<&Named> = core.names.get(&id);
    let prevout = issued.map(|issued| issued.prevout).or(named.map(|named| named.prevout));
    let hash = issued.map(|issued| issued.contract_hash).or(named.map(|named| named.hash));
    let entropy = prevout.zip(hash).map(|(prevout, hash)| Id::generate_asset_entropy(prevout, hash));
    let token = token(core, wallet, &id, issued);
    let steps = match issued {
        Some(issued) => issued.steps.clone(),
        None => wallet.sidechain.supply(&id),
    };
    let (mut made, mut burned) = (0u64, 0u64);
    let supply = steps
        .iter()
        .filter_map(|step| {
            let amount = step.amount?;
            let event = match step.event {
                Event::Issue => SupplyEvent::Issue,
                Event::Reissue => SupplyEvent::Reissue,
                Event::Burn => SupplyEvent::Burn,
            };
            *(if event == SupplyEvent::Burn { &mut burned } else { &mut made }) += amount;
            Some(SupplyStep {
                time: step.time,
                height: step.height,
                event,
                amount: Atoms(amount),
                after: Atoms(made.saturating_sub(burned)),
                txid: step.txid.to_string(),
            })
        })
        .collect();
    let domain = view.domain.clone();
    AssetDetail {
        issuance_prevout: prevout.map(outpoint_text).unwrap_or_default(),
        issuance_txid: issued.map(|issued| issued.txid.to_string()).unwrap_or_default(),
        entropy: entropy.map(|entropy| entropy.to_string()).unwrap_or_default(),
        token: token.id.map(|token| token.to_string()).unwrap_or_default(),
        token_held: token.held,
        token_amount: Atoms(token.amount),
        contract_hash: hash.map(|hash| hash.to_string()).unwrap_or_default(),
        contract_json: named.map(|named| named.json.clone()).unwrap_or_default(),
        blinded: issued.is_some_and(|issued| issued.blinded),
        supply,
        supply_known: Atoms(made.saturating_sub(burned)),
        issued: Atoms(made),
        burned: Atoms(burned),
        domain_proof: if domain.is_empty() { String::new() } else { domain_proof(&domain, &id.to_string()) },
        domain_proof_url: if domain.is_empty() { String::new() } else { domain_proof_url(&domain, &id) },
        view,
    }
}
