//! Swaps: offers of our coins, and taking those of others after asking the chain whether they are true.

use crate::drafts::{Body, LIFE, Purpose, Terms, Unsigned, excluded_sidechain, keep, plain};
use crate::memory::{Core, put_sidechain};
use crate::money::{new_sidechain_address, outpoint_text, read_outpoint};
use crate::operations;
use crate::profile::{Profile, now};
use causeway_contract::{
    AmountView, Atoms, DraftKind, DraftView, Empty, Failure, OfferPlan, OfferView, OperationRef, OperationsRequest,
    SwapInspection, SwapTake, TextIn,
};
use causeway_sidechain::wallet::Action;
use causeway_sidechain::wallet::build::{Drain, Recipient, Take};
use causeway_sidechain::wallet::swap::{self, Offer};
use causeway_vocab::{AssetId, Code, Draft, NetworkId, Refusal};
use elements::{OutPoint, Transaction};
use std::collections::BTreeSet;

/// Blocks that are searched for an offered coin and its spends. Each is fetched whole, so older coins are not looked for.
const REACH: u32 = 2_000;

fn amount(core: &Core, asset: elements::AssetId, atoms: u64) -> AmountView {
    AmountView { asset: core.names.label(AssetId::Elements(asset)), amount: Atoms(atoms) }
}

impl Profile {
    pub(crate) async fn offer_plan(&self, request: OfferPlan) -> Result<DraftView, Failure> {
        let coin = read_outpoint(&request.coin)?;
        let asset: elements::AssetId =
            request.asset.parse().map_err(|_| Refusal::new(Code::UnknownAsset).with("asset", &request.asset))?;
        self.change(|core, write| {
            core.not_halted(NetworkId::Sidechain)?;
            let wallet = core.selected()?;
            let id = wallet.row.id;
            let unavailable = || Refusal::new(Code::CoinUnavailable).with("outpoint", &request.coin);
            let found = wallet.sidechain.coin(&coin).ok_or_else(unavailable)?;
            if excluded_sidechain(core, core.wallet(id)?, write)?.contains(&coin) {
                return Err(unavailable());
            }
            let made = swap::draft(&wallet.sidechain, &found, asset, request.amount.0, &mut rand::thread_rng())?;
            let wallet = core.selected_mut()?;
            wallet.sidechain.absorb(&made.changes);
            put_sidechain(write, id, &made.changes)?;
            let view = DraftView {
                draft: 0,
                kind: DraftKind::Offer,
                network: NetworkId::Sidechain,
                fee: Atoms::ZERO,
                fee_rate: 0,
                vsize: 0,
                fee_share: None,
                leaves: vec![amount(core, found.opening.asset, found.opening.value)],
                comes_back: vec![amount(core, asset, request.amount.0)],
                coins: 1,
                expires: now().saturating_add(LIFE),
                replaces_fee: None,
                asset: None,
                domain_proof: String::new(),
                signed: false,
                exported: false,
                label: String::new(),
            };
            let body = Body {
                kind: DraftKind::Offer,
                network: NetworkId::Sidechain,
                unsigned: Unsigned::of(&Draft::Sidechain(Box::new(made.draft))),
                view,
                label: String::new(),
                payees: Vec::new(),
                purpose: Purpose::Offer,
            };
            keep(core, write, body)
        })
        .inspect(|_| self.watch_new())
    }

    pub(crate) async fn offers(&self, _: Empty) -> Result<Vec<OfferView>, Failure> {
        let all = OperationsRequest { open: None, limit: 500 };
        let operations = self.operations(all).await?;
        self.read(|core, reader| {
            let mut views = Vec::new();
            for view in operations.into_iter().filter(|view| view.kind == DraftKind::Offer) {
                let order = operations::offer(core, reader, view.operation)?.order;
                views.push(OfferView {
                    operation: view.operation,
                    gives: amount(core, order.gives.0, order.gives.1),
                    gets: amount(core, order.gets.0, order.gets.1),
                    coin: outpoint_text(order.coin),
                    text: order.text,
                    status: view.status,
                });
            }
            Ok(views)
        })
    }

    /// What makes an offer void: its coin goes to ourselves.
    pub(crate) async fn offer_cancel(&self, request: OperationRef) -> Result<DraftView, Failure> {
        let fee_rate = self.rate_or_normal(NetworkId::Sidechain, None).await;
        let terms = self.change(|core, write| {
            let order = operations::offer(core, write, request.operation)?.order;
            let gone = || Refusal::new(Code::CoinUnavailable).with("outpoint", outpoint_text(order.coin));
            if write.reserved(NetworkId::Sidechain)?.contains(&outpoint_text(order.coin)) {
                return Err(gone());
            }
            core.selected()?.sidechain.coin(&order.coin).ok_or_else(gone)?;
            let (_, derived) = new_sidechain_address(core, write)?;
            let recipients =
                vec![Recipient { address: derived.confidential_address(), asset: order.gives.0, amount: order.gives.1 }];
            // The network's own coin pays its own way.
            let own = order.gives.0 == core.realm.sidechain.policy_asset;
            let action = Action::Send { recipients, drain: if own { Drain::To(0) } else { Drain::No } };
            let coins = if own { BTreeSet::from([order.coin]) } else { BTreeSet::new() };
            Ok(Terms { coins, include: BTreeSet::from([order.coin]), ..plain(DraftKind::Send, action, fee_rate) })
        })?;
        self.plan_sidechain(terms, |_| Ok(Purpose::Plain))
    }

    pub(crate) async fn swap_inspect(&self, request: TextIn) -> Result<SwapInspection, Failure> {
        let offer = Offer::parse(&request.text).map_err(Refusal::from)?;
        let (made_by, height) = self.unspent_coin(offer.coin()).await?;
        offer.check(&made_by).map_err(Refusal::from)?;
        let core = self.core();
        Ok(SwapInspection {
            you_get: amount(&core, offer.gives.asset, offer.gives.value),
            you_pay: amount(&core, offer.gets.asset, offer.gets.value),
            coin: outpoint_text(offer.coin()),
            height,
            own: core.selected()?.sidechain.coin(&offer.coin()).is_some(),
        })
    }

    pub(crate) async fn swap_take(&self, request: SwapTake) -> Result<DraftView, Failure> {
        let fee_rate = self.rate_or_normal(NetworkId::Sidechain, request.fee_rate).await;
        let offer = Offer::parse(&request.text).map_err(Refusal::from)?;
        let (made_by, _) = self.unspent_coin(offer.coin()).await?;
        let coin = offer.check(&made_by).map_err(Refusal::from)?;
        let action = Action::Take(Box::new(Take { offer, coin }));
        self.plan_sidechain(plain(DraftKind::Swap, action, fee_rate), |_| Ok(Purpose::Plain))
    }

    /// The transaction that made a coin which no block spends, and its height: walks down from the tip, so that a spend is met before what it
    /// spends. Refused with `CoinUnavailable` when it is spent, and with `NotFound` when no block within reach made it.
    async fn unspent_coin(&self, coin: OutPoint) -> Result<(Transaction, u32), Refusal> {
        let tip = self.clients.sidechain.tip().height;
        for height in (tip.saturating_sub(REACH)..=tip).rev() {
            let Some(at) = self.clients.sidechain.at(height) else { continue };
            let (_, block) = self.clients.sidechain.block(at.hash).await.map_err(|fault| fault.refusal)?;
            let spends = |tx: &Transaction| tx.input.iter().any(|input| !input.is_pegin && input.previous_output == coin);
            if block.txdata.iter().any(spends) {
                return Err(Refusal::new(Code::CoinUnavailable).with("outpoint", outpoint_text(coin)));
            }
            if let Some(tx) = block.txdata.into_iter().find(|tx| tx.txid() == coin.txid) {
                return Ok((tx, height));
            }
        }
        Err(Refusal::new(Code::NotFound).with("what", "transaction"))
    }
}
