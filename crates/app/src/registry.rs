//! Asset registries: asking what they say, checking it, and registering what was issued here.

use crate::memory::Core;
use crate::money::outpoint_text;
use crate::names::{domain_proof_url, is_deceptive};
use crate::profile::Profile;
use causeway_contract::{
    AssetLabel, AssetRef, ClaimWarning, Failure, RegistryAnswer, RegistryClaim, RegistryInterface, RegistryPublished,
};
use causeway_peers::registry::{Entry, Interface, PublishFault, Registry};
use causeway_peers::source::{SourceFault, Trust};
use causeway_sidechain::consensus::contract::Contract;
use causeway_vocab::{Code, Refusal};
use elements::AssetId;

fn interface(interface: Interface) -> RegistryInterface {
    match interface {
        Interface::V1 => RegistryInterface::V1,
        Interface::V2 => RegistryInterface::V2,
    }
}

fn read_id(text: &str) -> Result<AssetId, Refusal> {
    text.parse().map_err(|_| Refusal::new(Code::UnknownAsset).with("asset", text))
}

fn trouble(registry: &Registry, fault: SourceFault) -> Refusal {
    Refusal::new(Code::RegistryUnreachable).with("registry", registry.name()).with("why", fault.word())
}

/// Checks an answer. Refused with `RegistryLies` when it is about another asset, or its contract is not the one that the asset's id commits to.
fn claim(core: &Core, asset: AssetId, registry: &str, entry: &Entry) -> Result<RegistryClaim, Refusal> {
    let lies = |why: &str| Refusal::new(Code::RegistryLies).with("registry", registry).with("why", why);
    if entry.asset.parse() != Ok(asset) {
        return Err(lies("asset"));
    }
    let contract = Contract::parse(&entry.contract).map_err(|_| lies("contract"))?;
    let seen = core.selected().ok().and_then(|wallet| wallet.sidechain.issued_asset(&asset)).map(|issued| issued.prevout);
    let named = core.names.get(&asset);
    let prevout = seen.or(named.map(|named| named.prevout)).or(entry.prevout).ok_or_else(|| lies("issuance"))?;
    if AssetId::from_entropy(AssetId::generate_asset_entropy(prevout, contract.hash())) != asset {
        return Err(lies("contract-hash"));
    }
    let (ticker, name) = (contract.ticker().unwrap_or_default(), contract.name().unwrap_or_default());
    let domain = contract.domain().unwrap_or_default();
    let deceptive = [ticker, name, domain].into_iter().any(is_deceptive);
    let mut warnings = Vec::new();
    if core.names.resembles(ticker, name, &asset) {
        warnings.push(ClaimWarning::LookAlike);
    }
    warnings.extend(deceptive.then_some(ClaimWarning::Deceptive));
    warnings.extend(entry.warned.then_some(ClaimWarning::Warned));
    // What deceives is shown with its odd characters replaced.
    let shown = |text: &str| -> String {
        let seen = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '\u{fffd}' };
        text.chars().take(255).map(seen).collect()
    };
    Ok(RegistryClaim {
        registry: registry.to_owned(),
        interface: interface(entry.interface),
        label: AssetLabel {
            id: asset.to_string(),
            ticker: shown(ticker),
            name: shown(name),
            precision: contract.precision().unwrap_or_default(),
            named: !deceptive,
        },
        domain: shown(domain),
        domain_proof_url: domain_proof_url(&shown(domain), &asset),
        contract: contract.canonical().to_owned(),
        issuance_prevout: outpoint_text(prevout),
        taken: named.is_some_and(|named| named.hash == contract.hash()),
        warnings,
    })
}

impl Profile {
    fn registries(&self) -> Result<Vec<Registry>, Refusal> {
        let trust = Trust::public();
        let all: Vec<_> = self.realm.sidechain.registries.iter().filter_map(|base| Registry::new(base, &trust)).collect();
        if all.is_empty() {
            return Err(Refusal::new(Code::NotOffered).with("what", "registry"));
        }
        Ok(all)
    }

    pub(crate) async fn registry_lookup(&self, request: AssetRef) -> Result<RegistryAnswer, Failure> {
        let asset = read_id(&request.asset)?;
        let registries = self.registries()?;
        let names = registries.iter().map(|registry| registry.name().to_owned()).collect();
        let mut answer = RegistryAnswer { asset: request.asset, registries: names, claim: None };
        let mut unreachable = None;
        for registry in &registries {
            match registry.lookup(&asset).await {
                Ok(entry) => {
                    answer.claim = Some(claim(&self.core(), asset, registry.name(), &entry)?);
                    return Ok(answer);
                }
                Err(SourceFault::NotFound) => {}
                Err(fault) => unreachable = Some(trouble(registry, fault)),
            }
        }
        unreachable.map_or(Ok(answer), Err)
    }

    pub(crate) async fn registry_publish(&self, request: AssetRef) -> Result<RegistryPublished, Failure> {
        let asset = read_id(&request.asset)?;
        let json = {
            let core = self.core();
            let named = core.names.get(&asset).ok_or_else(|| Refusal::new(Code::BadContract).with("field", "contract"))?;
            named.json.clone()
        };
        let bad = || Refusal::new(Code::BadContract).with("field", "contract");
        let contract = Contract::parse(&json).map_err(|_| bad())?;
        let value: serde_json::Value = serde_json::from_str(contract.canonical()).map_err(|_| bad())?;
        let issuer = value.get("issuer_pubkey").and_then(serde_json::Value::as_str).map(str::to_owned);
        let mut last = None;
        for registry in &self.registries()? {
            match registry.publish(&asset, &value, issuer.as_deref()).await {
                Ok(through) => {
                    return Ok(RegistryPublished { registry: registry.name().to_owned(), interface: interface(through) });
                }
                Err(PublishFault::Refused(status)) => {
                    let refused = Refusal::new(Code::RegistryRefused).with("registry", registry.name());
                    last = Some(refused.with("status", status));
                }
                Err(PublishFault::Source(fault)) => last = last.or(Some(trouble(registry, fault))),
            }
        }
        Err(last.expect("BUG: there is a registry, and it did not say yes"))
    }
}
