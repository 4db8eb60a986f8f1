//! Planning: from what the user wants to a draft that holds its coins.

use super::body::{Body, LIFE, Purpose, Unsigned};
use crate::cores;
use crate::guard::Meaning;
use crate::memory::{Core, Verdict, Wallet, put_bitcoin, put_sidechain, stale};
use crate::money::{new_sidechain_address, outpoint_text, read_outpoint};
use crate::names::{read_contract, write_contract};
use crate::operations::{self, Start, peg_in};
use crate::profile::{Profile, now};
use causeway_bitcoin_wallet::{FeeRate, PaymentUri, Plan as BitcoinPlan};
use causeway_contract::{
    AmountView, Atoms, BumpPlan, BurnPlan, DraftKind, DraftView, Empty, Failure, IssuePlan, OperationView, PegInPlan, PegOutPlan,
    ReissuePlan, SendPlan, Tag,
};
use causeway_sidechain::consensus::federation::Fedpeg;
use causeway_sidechain::consensus::tweak::deposit_script;
use causeway_sidechain::wallet::address::Confidentiality;
use causeway_sidechain::wallet::build::{Drain, Purpose as OutputPurpose, Recipient};
use causeway_sidechain::wallet::descriptor::{Chain, KeyPath};
use causeway_sidechain::wallet::{Action, Intent, Plan};
use causeway_store::{DraftRow, Reader, Write};
use causeway_vocab::{AssetId, Code, Draft, NetworkId, Refusal};
use std::collections::{BTreeMap, BTreeSet};

/// The contract's issuer key is derived here: the last index, which no address is ever handed out at.
const ISSUER_KEY: KeyPath = KeyPath { chain: Chain::External, index: (1 << 31) - 1 };
/// A peg-in is refused when less than this share of an epoch is left until its script may expire.
const EXPIRY_SHARE: u32 = 10;

/// Terms of a sidechain plan.
pub(crate) struct Terms {
    pub(crate) kind: DraftKind,
    pub(crate) action: Action,
    pub(crate) fee_rate: u64,
    pub(crate) coins: BTreeSet<elements::OutPoint>,
    /// Coins that are spent besides, though they are held for this very plan.
    pub(crate) include: BTreeSet<elements::OutPoint>,
    pub(crate) allow_explicit: bool,
    pub(crate) label: String,
    pub(crate) payees: Vec<String>,
}

fn bad_asset(text: &str) -> Refusal {
    Refusal::new(Code::UnknownAsset).with("asset", text)
}

fn some_amount(amount: Atoms, precision: u8) -> Result<u64, Refusal> {
    match amount.0 {
        0 => Err(Refusal::new(Code::BadAmount).with("precision", precision)),
        amount => Ok(amount),
    }
}

impl Profile {
    pub(crate) async fn send_plan(&self, request: SendPlan) -> Result<DraftView, Failure> {
        if request.recipients.is_empty() {
            return Err(Code::NoRecipients.into());
        }
        let drain = match request.drain {
            Some(index) if (index as usize) < request.recipients.len() => Some(index as usize),
            Some(_) => return Err(Refusal::new(Code::BadRequest).with("field", "drain")),
            None => None,
        };
        let rate = self.rate_or_normal(request.network, request.fee_rate).await;
        match request.network {
            NetworkId::Bitcoin => self.send_bitcoin(request, drain, rate),
            NetworkId::Sidechain => self.send_sidechain(request, drain, rate),
        }
    }

    fn send_bitcoin(&self, request: SendPlan, drain: Option<usize>, rate: u64) -> Result<DraftView, Failure> {
        let mut intent = self.bitcoin_intent(request.coins.as_deref(), rate)?;
        let mut payees = Vec::new();
        for (index, recipient) in request.recipients.iter().enumerate() {
            if let Some(asset) = recipient.asset.as_deref().filter(|asset| *asset != "btc") {
                return Err(bad_asset(asset));
            }
            let address = PaymentUri::parse(&recipient.address, &self.realm)?.address;
            payees.push(address.to_string());
            let script = address.script_pubkey();
            if drain == Some(index) {
                intent.drain_to = Some(script);
            } else {
                let amount = Atoms(some_amount(recipient.amount, 8)?);
                intent.recipients.push(causeway_bitcoin_wallet::Recipient { script, amount });
            }
        }
        self.plan_bitcoin(DraftKind::Send, intent, request.label, payees, |_| Purpose::Plain)
    }

    fn send_sidechain(&self, request: SendPlan, drain: Option<usize>, fee_rate: u64) -> Result<DraftView, Failure> {
        let params = &self.realm.sidechain;
        let confidentiality = if request.allow_explicit { Confidentiality::Optional } else { Confidentiality::Required };
        let mut recipients = Vec::new();
        for (index, recipient) in request.recipients.iter().enumerate() {
            let uri = causeway_sidechain::wallet::PaymentUri::parse(&recipient.address, params, confidentiality)?;
            let asset = match recipient.asset.as_deref() {
                Some(text) => text.parse().map_err(|_| bad_asset(text))?,
                None => uri.asset.unwrap_or(params.policy_asset),
            };
            let amount = if drain == Some(index) { 0 } else { some_amount(recipient.amount, 8)? };
            recipients.push(Recipient { address: uri.address, asset, amount });
        }
        self.read(|core, reader| {
            for Recipient { address, asset, .. } in &recipients {
                if crate::holders::frozen(core, reader, asset)?.contains(&address.script_pubkey()) {
                    return Err(Refusal::new(Code::HolderFrozen).with("address", address));
                }
            }
            Ok(())
        })?;
        let payees = recipients.iter().map(|recipient| recipient.address.to_string()).collect();
        let coins = request.coins.unwrap_or_default().iter().map(|text| read_outpoint(text)).collect::<Result<_, _>>()?;
        let terms = Terms {
            kind: DraftKind::Send,
            action: Action::Send { recipients, drain: drain.map_or(Drain::No, Drain::To) },
            fee_rate,
            coins,
            include: BTreeSet::new(),
            allow_explicit: request.allow_explicit,
            label: request.label,
            payees,
        };
        self.plan_sidechain(terms, |_| Ok(Purpose::Plain))
    }

    pub(crate) async fn bump_plan(&self, request: BumpPlan) -> Result<DraftView, Failure> {
        let txid = request.txid.parse().map_err(|_| Refusal::new(Code::NotReplaceable))?;
        let rate = FeeRate(u64::from(request.fee_rate));
        self.change(|core, write| {
            core.not_halted(NetworkId::Bitcoin)?;
            bump_bitcoin(core, write, txid, rate, request.child)
        })
    }

    /// The intent of a Bitcoin payment without its recipients.
    pub(crate) fn bitcoin_intent(&self, coins: Option<&[String]>, rate: u64) -> Result<causeway_bitcoin_wallet::Intent, Refusal> {
        let read = |text: &String| text.parse().map_err(|_| Refusal::new(Code::CoinUnavailable).with("outpoint", text));
        Ok(causeway_bitcoin_wallet::Intent {
            recipients: Vec::new(),
            drain_to: None,
            rate: FeeRate(rate),
            coins: coins.unwrap_or_default().iter().map(read).collect::<Result<_, _>>()?,
            exclude: BTreeSet::new(),
        })
    }

    fn plan_bitcoin(
        &self,
        kind: DraftKind,
        intent: causeway_bitcoin_wallet::Intent,
        label: String,
        payees: Vec<String>,
        purpose: impl FnOnce(&BitcoinPlan) -> Purpose,
    ) -> Result<DraftView, Failure> {
        self.change(|core, write| plan_bitcoin(core, write, kind, intent, label, payees, purpose))
    }

    pub(crate) fn plan_sidechain(
        &self,
        terms: Terms,
        purpose: impl FnOnce(&Plan) -> Result<Purpose, Refusal>,
    ) -> Result<DraftView, Failure> {
        self.change(|core, write| {
            core.not_halted(NetworkId::Sidechain)?;
            let wallet = core.selected()?;
            let mut exclude = excluded_sidechain(core, wallet, write)?;
            exclude.retain(|outpoint| !terms.include.contains(outpoint));
            let intent = Intent {
                action: terms.action,
                fee_rate: terms.fee_rate,
                discount: true,
                coins: terms.coins,
                include: terms.include,
                exclude,
                allow_explicit: terms.allow_explicit,
            };
            let plan = wallet.sidechain.plan(&intent, &mut rand::thread_rng())?;
            let purpose = purpose(&plan)?;
            let draft = Draft::Sidechain(Box::new(cores::blind(&plan, &mut rand::thread_rng())));
            let view = sidechain_view(core, terms.kind, &plan, &purpose, &terms.label);
            let wallet = core.selected_mut()?;
            wallet.sidechain.absorb(&plan.changes);
            put_sidechain(write, wallet.row.id, &plan.changes)?;
            if let Purpose::PegOut { destination, .. } = &purpose
                && wallet.bitcoin.peek_address().script == *destination
            {
                // Our own next address comes into use with the draft, or not at all.
                let (_, changes) = wallet.bitcoin.next_address();
                put_bitcoin(write, wallet.row.id, Some(&changes))?;
            }
            let body = Body {
                kind: terms.kind,
                network: NetworkId::Sidechain,
                unsigned: Unsigned::of(&draft),
                view,
                label: terms.label,
                payees: terms.payees,
                purpose,
            };
            keep(core, write, body)
        })
        .inspect(|_| self.watch_new())
    }

    /// The federation script that a deposit made now should pay, from a header chain that is verified to its tip.
    pub(crate) fn fedpeg(&self) -> Result<Fedpeg, Refusal> {
        let params = &self.realm.sidechain;
        self.core().not_halted(NetworkId::Sidechain)?;
        self.pegs_rest(true)?;
        if self.clients.sidechain.state().phase != causeway_peers::Phase::Synced {
            return Err(Code::NotSynced.into());
        }
        let (tip, fedpegs) =
            self.clients.sidechain.with_chain(|chain| (chain.tip(), chain.state().fedpegs_for_next_block(params)));
        let fedpeg = fedpegs.into_iter().next().ok_or(Code::NotSynced)?;
        let left = fedpeg.guaranteed_valid_until_height(params).saturating_sub(tip.height);
        if left < params.epoch_length / EXPIRY_SHARE {
            return Err(Refusal::new(Code::PegPaused).with("why", "federation-script-expires"));
        }
        Ok(fedpeg)
    }

    pub(crate) async fn peg_in_plan(&self, request: PegInPlan) -> Result<DraftView, Failure> {
        let rate = self.rate_or_normal(NetworkId::Bitcoin, request.fee_rate).await;
        let mut intent = self.bitcoin_intent(request.coins.as_deref(), rate)?;
        let amount = if request.drain { None } else { Some(Atoms(some_amount(request.amount, 8)?)) };
        let fedpeg = self.fedpeg()?;
        // The claim's address comes into use with the draft, or not at all.
        self.change(|core, write| {
            let deposit = new_deposit(core, write, &fedpeg)?;
            let script = deposit.script.clone();
            match amount {
                None => intent.drain_to = Some(script),
                Some(amount) => intent.recipients.push(causeway_bitcoin_wallet::Recipient { script, amount }),
            }
            plan_bitcoin(core, write, DraftKind::PegIn, intent, String::new(), Vec::new(), |plan| {
                let paid = plan.psbt.unsigned_tx.output.iter().find(|output| output.script_pubkey == deposit.script);
                let amount = paid.map_or(0, |output| output.value.to_sat());
                let Deposit { claim_script, script, address, valid_until } = deposit;
                Purpose::PegIn { claim_script, deposit_script: script, address, amount, valid_until }
            })
        })
        .inspect(|_| self.watch_new())
    }

    pub(crate) async fn peg_in_address(&self, _: Empty) -> Result<OperationView, Failure> {
        let fedpeg = self.fedpeg()?;
        let id = self.change(|core, write| {
            let Deposit { claim_script, script, address, valid_until } = new_deposit(core, write, &fedpeg)?;
            let order = peg_in::Order {
                funding: None,
                claim_script,
                deposit_script: script,
                address,
                amount: None,
                valid_until,
                depth: self.realm.sidechain.pegin_confirmation_depth,
                time: now(),
            };
            let wallet = core.selected()?.row.id;
            operations::start(core, write, wallet, DraftKind::PegIn, "", Start::PegIn(order))
        })?;
        // Watched before it is shown.
        self.watch_new();
        self.read(|core, reader| operations::operation_view(core, reader, id))
    }

    pub(crate) async fn peg_out_plan(&self, request: PegOutPlan) -> Result<DraftView, Failure> {
        self.pegs_rest(false)?;
        let wanted = request.destination.as_deref();
        let (address, authorisation) = match (self.pak_list(), wanted) {
            (Some(list), _) => {
                let (entry, authorisation) = self.authorised_destination(wanted, &list).await?;
                (entry.address, Some(authorisation))
            }
            (None, Some(text)) => (PaymentUri::parse(text, &self.realm)?.address, None),
            (None, None) => (self.core().selected()?.bitcoin.peek_address().address, None),
        };
        let fee_rate = self.rate_or_normal(NetworkId::Sidechain, request.fee_rate).await;
        let destination = address.script_pubkey();
        let amount = if request.drain { 0 } else { some_amount(request.amount, 8)? };
        let action = Action::PegOut { amount, drain: request.drain, destination: destination.clone(), authorisation };
        let terms = plain(DraftKind::PegOut, action, fee_rate);
        self.plan_sidechain(terms, |plan| {
            let out = plan.outputs.iter().find(|output| output.purpose == OutputPurpose::PegOut);
            let amount = out.map_or(0, |output| output.amount);
            Ok(Purpose::PegOut { destination, address: address.to_string(), amount })
        })
    }

    pub(crate) async fn issue_plan(&self, request: IssuePlan) -> Result<DraftView, Failure> {
        let amount = some_amount(request.amount, request.precision)?;
        let fee_rate = self.rate_or_normal(NetworkId::Sidechain, request.fee_rate).await;
        let key = {
            let core = self.core();
            let derived = core.selected()?.sidechain.account().derive(ISSUER_KEY);
            derived.and_then(|derived| derived.key_origins().into_iter().next()).map(|(key, _)| key.to_string())
        };
        let key = key.ok_or_else(|| Refusal::new(Code::NotOffered).with("what", "issue"))?;
        let json = write_contract(&request.ticker, &request.name, &request.domain, request.precision, &key)?;
        let (_, contract) = read_contract(&json)?;
        let action = Action::Issue { amount, tokens: u64::from(request.reissuable), contract, blinded: request.blinded };
        self.plan_sidechain(plain(DraftKind::Issue, action, fee_rate), |plan| {
            let issuing = plan.inputs.iter().find_map(|input| Some((input.prevout, input.issuance.as_ref()?.asset)));
            let (prevout, asset) = issuing.expect("BUG: a plan to issue issues");
            Ok(Purpose::Issue { asset: asset.to_string(), contract: json, prevout: outpoint_text(prevout) })
        })
    }

    pub(crate) async fn reissue_plan(&self, request: ReissuePlan) -> Result<DraftView, Failure> {
        let told = request.entropy.as_deref().map(|text| text.trim().parse::<elements::AssetEntropy>());
        let told = told.transpose().map_err(|_| Refusal::new(Code::BadRequest).with("field", "entropy"))?;
        let asset: elements::AssetId = match told {
            Some(entropy) if request.asset.is_empty() => elements::AssetId::from_entropy(entropy),
            _ => request.asset.parse().map_err(|_| bad_asset(&request.asset))?,
        };
        let amount = some_amount(request.amount, 8)?;
        let fee_rate = self.rate_or_normal(NetworkId::Sidechain, request.fee_rate).await;
        let entropy = {
            let core = self.core();
            let named = core.names.get(&asset).map(|named| elements::AssetId::generate_asset_entropy(named.prevout, named.hash));
            named.or(told)
        };
        let action = Action::Reissue { asset, amount, entropy };
        self.plan_sidechain(plain(DraftKind::Reissue, action, fee_rate), |_| Ok(Purpose::Plain))
    }

    pub(crate) async fn burn_plan(&self, request: BurnPlan) -> Result<DraftView, Failure> {
        let asset: elements::AssetId = request.asset.parse().map_err(|_| bad_asset(&request.asset))?;
        let amount = some_amount(request.amount, 8)?;
        let fee_rate = self.rate_or_normal(NetworkId::Sidechain, request.fee_rate).await;
        let terms = Terms { label: request.label, ..plain(DraftKind::Burn, Action::Burn { asset, amount }, fee_rate) };
        self.plan_sidechain(terms, |_| Ok(Purpose::Plain))
    }
}

pub(crate) fn plain(kind: DraftKind, action: Action, fee_rate: u64) -> Terms {
    Terms {
        kind,
        action,
        fee_rate,
        coins: BTreeSet::new(),
        include: BTreeSet::new(),
        allow_explicit: false,
        label: String::new(),
        payees: Vec::new(),
    }
}

/// A claim script that is new, with the Bitcoin script and address to be paid for it.
struct Deposit {
    claim_script: elements::Script,
    script: bitcoin::ScriptBuf,
    address: String,
    /// Sidechain height until which a claim is guaranteed.
    valid_until: u32,
}

fn new_deposit(core: &mut Core, write: &mut Write<'_>, fedpeg: &Fedpeg) -> Result<Deposit, Refusal> {
    let (_, derived) = new_sidechain_address(core, write)?;
    let unusable = || Refusal::new(Code::PegPaused).with("why", "federation-script");
    let script = deposit_script(fedpeg, &derived.script).map_err(|_| unusable())?;
    let address = bitcoin::Address::from_script(&script, core.realm.bitcoin.network).map_err(|_| unusable())?;
    let valid_until = fedpeg.guaranteed_valid_until_height(&core.realm.sidechain);
    Ok(Deposit { claim_script: derived.script, script, address: address.to_string(), valid_until })
}

/// Plans a faster confirmation of a Bitcoin transaction and keeps it as a draft.
pub(crate) fn bump_bitcoin(
    core: &mut Core,
    write: &mut Write<'_>,
    txid: bitcoin::Txid,
    rate: FeeRate,
    child: bool,
) -> Result<DraftView, Refusal> {
    if !child && core.operations.is_stake(&txid.to_string()) {
        return Err(Code::NotReplaceable.into());
    }
    let exclude = excluded_bitcoin(core, core.selected()?, write)?;
    let old = core.selected()?.bitcoin.transaction(txid);
    let rng = &mut rand::thread_rng();
    if child {
        let plan = core.selected_mut()?.bitcoin.plan_child(txid, rate, &exclude, rng)?;
        return keep_bitcoin(core, write, DraftKind::Bump, &plan, String::new(), Vec::new(), Purpose::Plain);
    }
    let ordered = old.filter(|tx| !causeway_colored::guard::protocols(tx).is_empty());
    let (plan, meaning) = match ordered {
        None => (core.selected_mut()?.bitcoin.plan_bump(txid, rate, &exclude, rng)?, Meaning::default()),
        Some(old) => {
            let meaning = core.meaning_of(&old)?;
            let change = core.bitcoin_change(&old).ok_or(Code::NotReplaceable)?;
            let plan = core.selected_mut()?.bitcoin.plan_arranged_bump(txid, change, rate, &exclude)?;
            if !causeway_colored::guard::keeps_order(&old, &plan.psbt.unsigned_tx) {
                return Err(Code::NotReplaceable.into());
            }
            (plan, meaning)
        }
    };
    let purpose = Purpose::Replace { txid: txid.to_string(), meaning };
    keep_bitcoin(core, write, DraftKind::Bump, &plan, String::new(), Vec::new(), purpose)
}

/// Plans a Bitcoin payment and keeps it as a draft.
pub(crate) fn plan_bitcoin(
    core: &mut Core,
    write: &mut Write<'_>,
    kind: DraftKind,
    intent: causeway_bitcoin_wallet::Intent,
    label: String,
    payees: Vec<String>,
    purpose: impl FnOnce(&BitcoinPlan) -> Purpose,
) -> Result<DraftView, Refusal> {
    core.not_halted(NetworkId::Bitcoin)?;
    core.not_guarded(&intent.coins)?;
    let intent = causeway_bitcoin_wallet::Intent { exclude: excluded_bitcoin(core, core.selected()?, write)?, ..intent };
    let plan = core.selected_mut()?.bitcoin.plan(&intent, &mut rand::thread_rng())?;
    let purpose = purpose(&plan);
    keep_bitcoin(core, write, kind, &plan, label, payees, purpose)
}

/// Bitcoin coins that no plan may touch: frozen, held by a draft, or coins that hold or may hold assets.
pub(crate) fn excluded_bitcoin(
    core: &Core,
    wallet: &Wallet,
    reader: &Reader<'_>,
) -> Result<BTreeSet<bitcoin::OutPoint>, Refusal> {
    let mut excluded = core.guarded(wallet);
    let held = wallet.excluded(reader, NetworkId::Bitcoin)?;
    excluded.extend(held.iter().filter_map(|text| text.parse::<bitcoin::OutPoint>().ok()));
    excluded.extend(core.operations.staked(wallet.row.id));
    Ok(excluded)
}

/// Sidechain coins that no plan may touch by itself: frozen, held by a draft or an offer, waiting for the redemption desk, or of a transaction
/// whose proofs do not hold.
pub(crate) fn excluded_sidechain(
    core: &Core,
    wallet: &Wallet,
    reader: &Reader<'_>,
) -> Result<BTreeSet<elements::OutPoint>, Refusal> {
    let held = wallet.excluded(reader, NetworkId::Sidechain)?;
    let has_failed = |outpoint: &elements::OutPoint| core.proofs.get(&outpoint.txid) == Some(&Verdict::Failed);
    let failed = wallet.sidechain.coins().map(|coin| coin.outpoint).filter(has_failed);
    let mut all: BTreeSet<_> = held.iter().filter_map(|text| read_outpoint(text).ok()).chain(failed).collect();
    all.extend(core.operations.offered(wallet.row.id));
    all.extend(crate::redemption::undecided(core, reader, wallet)?);
    Ok(all)
}

/// Keeps a Bitcoin plan as a draft, if it does with assets what it is meant to.
pub(crate) fn keep_bitcoin(
    core: &mut Core,
    write: &mut Write<'_>,
    kind: DraftKind,
    plan: &BitcoinPlan,
    label: String,
    payees: Vec<String>,
    purpose: Purpose,
) -> Result<DraftView, Refusal> {
    let body = Body {
        kind,
        network: NetworkId::Bitcoin,
        unsigned: Unsigned::of(&Draft::Bitcoin(plan.psbt.clone())),
        view: bitcoin_view(core, kind, plan, &label, &purpose)?,
        label,
        payees,
        purpose,
    };
    core.check_colours(&plan.psbt, &body.meaning())?;
    let wallet = core.selected_mut()?;
    // The change address of this draft is not given to the next one.
    wallet.bitcoin.hold(plan);
    put_bitcoin(write, wallet.row.id, plan.changes.as_ref())?;
    keep(core, write, body)
}

fn bitcoin_view(core: &Core, kind: DraftKind, plan: &BitcoinPlan, label: &str, purpose: &Purpose) -> Result<DraftView, Refusal> {
    let outputs = &plan.psbt.unsigned_tx.output;
    let change = plan.change.map_or(0, |(_, amount)| amount.0);
    let total: u64 = outputs.iter().map(|output| output.value.to_sat()).sum();
    let btc = |amount| AmountView { asset: core.names.label(AssetId::Bitcoin), amount: Atoms(amount) };
    let leaves = total.saturating_sub(change);
    let mut view = DraftView {
        draft: 0,
        kind,
        network: NetworkId::Bitcoin,
        fee: plan.fee,
        fee_rate: per_kvb(plan.fee.0, plan.vsize),
        vsize: small(plan.vsize),
        fee_share: share(plan.fee.0, leaves),
        leaves: if leaves > 0 { vec![btc(leaves)] } else { Vec::new() },
        comes_back: if change > 0 { vec![btc(change)] } else { Vec::new() },
        coins: small(plan.psbt.unsigned_tx.input.len() as u64),
        expires: now().saturating_add(LIFE),
        replaces_fee: plan.replaces.map(|replaced| replaced.fee),
        asset: None,
        domain_proof: String::new(),
        signed: false,
        exported: false,
        label: label.to_owned(),
    };
    if let Purpose::Coloured { meaning, asset } = purpose {
        view.asset.clone_from(asset);
        core.show_meaning(&mut view, plan, meaning)?;
    }
    Ok(view)
}

/// Writes a draft down; its coins are held from now on.
pub(crate) fn keep(core: &Core, write: &mut Write<'_>, body: Body) -> Result<DraftView, Refusal> {
    let text = serde_json::to_string(&body).expect("BUG: a draft is JSON");
    let row = DraftRow { id: 0, wallet: core.selected()?.row.id, expires: body.view.expires, body: text };
    let draft = write.add_draft(&row, body.network, &body.unsigned.coins()?)?;
    stale(write, &[Tag::Drafts, Tag::Coins, Tag::Addresses]);
    Ok(DraftView { draft, ..body.view })
}

fn sidechain_view(core: &Core, kind: DraftKind, plan: &Plan, purpose: &Purpose, label: &str) -> DraftView {
    let (mut leaves, mut comes_back) = (BTreeMap::new(), BTreeMap::new());
    for output in &plan.outputs {
        let sums = match output.purpose {
            OutputPurpose::Fee | OutputPurpose::Balance => continue,
            _ if output.path.is_some() => &mut comes_back,
            _ => &mut leaves,
        };
        *sums.entry(output.asset).or_insert(0u64) += output.amount;
    }
    let policy = core.realm.sidechain.policy_asset;
    let issued = plan.inputs.iter().find_map(|input| input.issuance.as_ref().map(|issuance| issuance.asset));
    let asset = issued.or_else(|| leaves.keys().next().copied().filter(|_| kind == DraftKind::Burn));
    let domain_proof = match purpose {
        Purpose::Issue { asset, contract, .. } => {
            read_contract(contract).map(|(c, _)| domain_proof(c.domain(), asset)).unwrap_or_default()
        }
        _ => String::new(),
    };
    let names = purpose.names(core);
    let views = |sums: &BTreeMap<elements::AssetId, u64>| {
        sums.iter()
            .map(|(asset, amount)| AmountView { asset: names.label(AssetId::Elements(*asset)), amount: Atoms(*amount) })
            .collect()
    };
    DraftView {
        draft: 0,
        kind,
        network: NetworkId::Sidechain,
        fee: Atoms(plan.fee),
        fee_rate: per_kvb(plan.fee, plan.vsize as u64),
        vsize: small(plan.vsize as u64),
        fee_share: share(plan.fee, leaves.get(&policy).copied().unwrap_or(0)),
        leaves: views(&leaves),
        comes_back: views(&comes_back),
        coins: small(plan.inputs.len() as u64),
        expires: now().saturating_add(LIFE),
        replaces_fee: None,
        asset: asset.map(|asset| asset.to_string()),
        domain_proof,
        signed: false,
        exported: false,
        label: label.to_owned(),
    }
}

/// The text that links an asset to its issuer's domain, as Liquid's asset registry reads it.
pub(crate) fn domain_proof(domain: &str, asset: &str) -> String {
    format!("Authorize linking the domain name {domain} to the Liquid asset {asset}")
}

pub(crate) fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Satoshi per 1000 virtual bytes.
pub(crate) fn per_kvb(fee: u64, vsize: u64) -> u32 {
    small(fee.saturating_mul(1000).checked_div(vsize).unwrap_or(0))
}

/// Hundredths of a percent.
pub(crate) fn share(fee: u64, leaves: u64) -> Option<u32> {
    fee.saturating_mul(10_000).checked_div(leaves).map(small)
}
