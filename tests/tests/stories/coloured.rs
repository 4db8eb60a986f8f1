//! Coloured coins: issued, split, issued again, paid back and destroyed, and never spent by accident.

use crate::world::{Desk, refused, story};
use causeway_contract::*;

const BITCOIN: NetworkId = NetworkId::Bitcoin;

fn issue(protocol: AssetProtocol, amount: u64) -> ColouredIssue {
    ColouredIssue {
        protocol,
        amount: Atoms(amount),
        divisibility: 0,
        reissuable: true,
        aggregation: None,
        definition: String::new(),
        fee_rate: None,
        label: String::new(),
    }
}

fn to(address: String, amount: u64) -> ColouredPayment {
    ColouredPayment { address, amount: Atoms(amount) }
}

fn send(asset: &str, recipients: Vec<ColouredPayment>) -> ColouredSend {
    ColouredSend { asset: asset.into(), recipients, allow_plain: true, fee_rate: None, label: String::new() }
}

fn burn(asset: &str, amount: u64) -> ColouredBurn {
    ColouredBurn { asset: asset.into(), amount: Atoms(amount), fee_rate: None, label: String::new() }
}

impl Desk {
    async fn coloured(&self) -> Vec<ColouredAsset> {
        self.app.coloured_assets(Empty {}).await.expect("a list")
    }

    /// Units of an asset that are certain and in blocks.
    async fn units(&self, asset: &str) -> u64 {
        self.coloured().await.iter().find(|held| held.asset.id == asset).map_or(0, |held| held.confirmed.0)
    }

    async fn has_units(&self, asset: &str, amount: u64) {
        self.until(async |desk| desk.units(asset).await == amount).await;
    }

    /// Issues, and waits until a block holds the units. Gives the asset.
    async fn issues(&self, request: ColouredIssue) -> String {
        let amount = request.amount;
        let draft = self.app.coloured_issue_plan(request).await.expect("a plan");
        let asset = draft.asset.clone().expect("an asset");
        let review = self.review(&draft).await.expect("a review");
        let created: Vec<_> = review.creates.iter().map(|made| (made.asset.id.clone(), made.amount)).collect();
        assert_eq!((review.kind, created), (DraftKind::Issue, vec![(asset.clone(), amount)]));
        assert!(review.destroys.is_empty(), "{review:?}");
        let operation = self.sign(&draft).await;
        assert_eq!(operation.amount.map(|moved| (moved.asset.id, moved.amount)), Some((asset.clone(), amount)));
        self.has_units(&asset, amount.0).await;
        asset
    }

    async fn pays_units(&self, asset: &str, recipients: Vec<ColouredPayment>) {
        let draft = self.app.coloured_send_plan(send(asset, recipients)).await.expect("a transfer");
        let review = self.review(&draft).await.expect("a review");
        assert!(review.creates.is_empty() && review.destroys.is_empty(), "{review:?}");
        self.sign(&draft).await;
    }
}

/// Issues, splits among two, pays back; gives the issuer, a holder and the asset. The issuer keeps 400 of 1,000, the holder has 300.
async fn split(request: ColouredIssue) -> (Desk, Desk, Desk, String) {
    let (issuer, (holder, other)) = tokio::join!(Desk::with(400_000, 0), async { tokio::join!(Desk::new(), Desk::new()) });
    let asset = issuer.issues(request).await;
    let shares = vec![to(holder.address(BITCOIN).await, 350), to(other.address(BITCOIN).await, 250)];
    issuer.pays_units(&asset, shares).await;
    issuer.has_units(&asset, 400).await;
    // Neither wallet saw the issuance: its ancestors come from the blocks.
    holder.has_units(&asset, 350).await;
    other.has_units(&asset, 250).await;
    let held = holder.coloured().await;
    assert_eq!((held[0].known, held[0].issued_here, held[0].coins), (Known::Verified, false, 1));
    (issuer, holder, other, asset)
}

/// A holder's ordinary business leaves the coin alone.
async fn stays(holder: &Desk, asset: &str, amount: u64) {
    holder.fund(60_000).await;
    let coins = holder.coins(BITCOIN).await;
    let coin = coins.iter().find(|coin| !coin.holds.is_empty()).expect("a coin with units");
    assert_eq!(coin.guarded.as_ref().map(|refusal| refusal.code), Some(Code::HoldsAssets));
    assert_eq!((coin.holds[0].asset.id.as_str(), coin.holds[0].amount), (asset, Atoms(amount)));
    let away = holder.address(BITCOIN).await;
    let chosen = SendPlan { coins: Some(vec![coin.outpoint.clone()]), drain: Some(0), ..Desk::payment(BITCOIN, &away, 0) };
    assert_eq!(refused(holder.app.send_plan(chosen).await), Code::HoldsAssets);
    let drain = SendPlan { drain: Some(0), ..Desk::payment(BITCOIN, &away, 0) };
    let draft = holder.app.send_plan(drain).await.expect("a plan");
    assert_eq!(draft.coins, 1, "only the coin that holds bitcoin alone");
    holder.sign(&draft).await;
    holder.until(async |desk| desk.coins(BITCOIN).await.iter().all(|coin| coin.height.is_some())).await;
    assert_eq!(holder.units(asset).await, amount);
}

async fn close(desks: impl IntoIterator<Item = Desk>) {
    for desk in desks {
        desk.close().await;
    }
}

/// Holders as addresses see them: amounts, the largest first, and whether the desk is one.
async fn holders(desk: &Desk, asset: &str) -> Vec<(u64, bool)> {
    let view = desk.app.coloured_holders(ColouredRef { asset: asset.into() }).await.expect("holders");
    assert_eq!(view.total.0, view.holders.iter().map(|holder| holder.amount.0).sum::<u64>());
    view.holders.iter().map(|holder| (holder.amount.0, holder.ours)).collect()
}

/// More is issued, holders are listed and paid, units come back and are destroyed.
async fn whole_life(protocol: AssetProtocol) {
    let (issuer, holder, other, asset) = split(issue(protocol, 1_000)).await;
    stays(&holder, &asset, 350).await;
    assert_eq!(holders(&issuer, &asset).await, [(400, true), (350, false), (250, false)]);

    let more = ColouredReissue { asset: asset.clone(), amount: Atoms(500), fee_rate: None };
    assert_eq!(refused(holder.app.coloured_reissue_plan(more.clone()).await), Code::NoToken, "not his to issue");
    let draft = issuer.app.coloured_reissue_plan(more).await.expect("more");
    assert_eq!(issuer.review(&draft).await.expect("a review").creates[0].amount, Atoms(500));
    issuer.sign(&draft).await;
    issuer.has_units(&asset, 900).await;

    let before = (holder.balance(BITCOIN).await, other.balance(BITCOIN).await);
    let pays =
        DividendPlan { asset: asset.clone(), pays: None, amount: Atoms(60_000), all: true, fee_rate: None, label: String::new() };
    issuer.sign(&issuer.app.dividend_plan(pays).await.expect("a dividend")).await;
    holder.until(async |desk| desk.balance(BITCOIN).await == before.0 + 35_000).await;
    other.until(async |desk| desk.balance(BITCOIN).await == before.1 + 25_000).await;

    // The holder's own units come back to him in part; the issuer destroys what it gets.
    holder.pays_units(&asset, vec![to(issuer.address(BITCOIN).await, 200)]).await;
    issuer.has_units(&asset, 1_100).await;
    holder.has_units(&asset, 150).await;
    assert_eq!(refused(issuer.app.coloured_burn_plan(burn(&asset, 1_101)).await), Code::InsufficientFunds);
    let draft = issuer.app.coloured_burn_plan(burn(&asset, 200)).await.expect("a burn");
    let review = issuer.review(&draft).await.expect("a review");
    assert_eq!((review.kind, review.destroys[0].amount), (DraftKind::Burn, Atoms(200)));
    issuer.sign(&draft).await;
    issuer.has_units(&asset, 900).await;
    assert_eq!(holders(&other, &asset).await.iter().map(|holder| holder.0).sum::<u64>(), 1_300);
    close([issuer, holder, other]).await;
}

#[test]
fn an_open_asset_lives_its_whole_life() {
    story(whole_life(AssetProtocol::OpenAssets));
}

#[test]
fn a_colu_asset_lives_its_whole_life() {
    story(whole_life(AssetProtocol::Colu));
}

#[test]
fn an_epobc_colour_is_issued_once_split_and_paid_back() {
    story(async {
        let (issuer, holder, other, asset) = split(issue(AssetProtocol::Epobc, 1_000)).await;
        stays(&holder, &asset, 350).await;
        let more = ColouredReissue { asset: asset.clone(), amount: Atoms(500), fee_rate: None };
        assert_eq!(refused(issuer.app.coloured_reissue_plan(more).await), Code::NoToken);
        assert_eq!(refused(issuer.app.coloured_burn_plan(burn(&asset, 1)).await), Code::NotOffered);
        holder.pays_units(&asset, vec![to(issuer.address(BITCOIN).await, 350)]).await;
        issuer.has_units(&asset, 750).await;
        assert_eq!(holder.units(&asset).await, 0);
        close([issuer, holder, other]).await;
    });
}

#[test]
fn a_locked_colu_asset_is_never_issued_again_and_survives_a_restart() {
    story(async {
        let issuer = Desk::with(200_000, 0).await;
        let locked = ColouredIssue { reissuable: false, divisibility: 3, ..issue(AssetProtocol::Colu, 5_000) };
        let asset = issuer.issues(locked).await;
        let held = issuer.coloured().await;
        assert_eq!((held[0].asset.precision, held[0].issued_here, held[0].can_reissue), (3, true, false));
        let more = ColouredReissue { asset: asset.clone(), amount: Atoms(1), fee_rate: None };
        assert_eq!(refused(issuer.app.coloured_reissue_plan(more).await), Code::NoToken);
        let issuer = issuer.restart().await;
        assert_eq!(issuer.units(&asset).await, 5_000);
        issuer.close().await;
    });
}

#[test]
fn an_ordinary_address_gets_open_assets_only_when_the_user_vouches_for_it() {
    story(async {
        let issuer = Desk::with(200_000, 0).await;
        let asset = issuer.issues(issue(AssetProtocol::OpenAssets, 10)).await;
        let mine = issuer.address(BITCOIN).await;
        let plain = ColouredSend { allow_plain: false, ..send(&asset, vec![to(mine, 4)]) };
        assert_eq!(refused(issuer.app.coloured_send_plan(plain).await), Code::PlainAddress);
        // An address of Open Assets says it by itself.
        let theirs = "bWvePLsBsf6nThU3pWVZVWjZbcJCYQxHCpE".to_owned();
        let draft = issuer.app.coloured_send_plan(send(&asset, vec![to(theirs, 4)])).await.expect("a plan");
        let review = issuer.review(&draft).await.expect("a review");
        let leaves: Vec<_> = review.leaves.iter().filter(|line| line.asset.id == asset).map(|line| line.amount.0).collect();
        assert_eq!(leaves, [4]);
        issuer.discard(&draft).await;
        for (asset, code) in [("btc", Code::UnknownAsset), ("ALn3aK1fSuG27N96UGYB1kUYUpGKRhBuBC", Code::UnknownAsset)] {
            let outcome = issuer.app.coloured_send_plan(send(asset, vec![to(String::new(), 1)])).await;
            assert_eq!(refused(outcome), code, "{asset}");
        }
        issuer.close().await;
    });
}

fn says(deed: LedgerDeed, asset: &str, amount: u64, source: &str) -> LedgerPlan {
    LedgerPlan {
        deed,
        asset: asset.into(),
        amount: Atoms(amount),
        source: Some(source.into()),
        to: None,
        pays: None,
        price: None,
        escrow: None,
        blocks: None,
        offer: None,
        ownership: None,
        sends: None,
        coin: None,
        divisible: false,
        lock: false,
        text: String::new(),
        fee_rate: None,
        composed: None,
        ask: None,
    }
}

impl Desk {
    /// What the ledger's server says of an asset: by address, and bound to coins.
    async fn ledger(&self, asset: &str) -> Vec<(String, Option<String>, u64)> {
        let rows = self.app.ledger_balances(Empty {}).await.expect("an answer");
        assert!(rows.iter().all(|row| row.known == Known::Reported), "a server proves nothing");
        let rows = rows.into_iter().filter(|row| row.asset.id == asset);
        rows.map(|row| (row.address, row.coin, row.amount.0)).collect()
    }

    /// Sends a message and waits until a block holds it.
    async fn tells(&self, plan: LedgerPlan) -> String {
        let draft = self.app.ledger_plan(plan).await.expect("a plan");
        let operation = self.sign(&draft).await;
        self.until(async |desk| {
            let steps = desk.operation(operation.operation).await.steps;
            steps.iter().any(|step| step.step == StepName::Confirmed && step.state == StepState::Done)
        })
        .await;
        operation.bitcoin_txid.expect("a transaction")
    }
}

#[test]
fn units_of_a_ledger_are_issued_sent_bound_to_a_coin_and_destroyed() {
    story(async {
        let (issuer, holder) = tokio::join!(Desk::with(400_000, 0), Desk::with(50_000, 0));
        let there = holder.coins(BITCOIN).await[0].address.clone();
        let here = issuer.coins(BITCOIN).await[0].address.clone();
        issuer.tells(LedgerPlan { source: None, text: "berths".into(), ..says(LedgerDeed::Issue, "", 1_000, "") }).await;
        let rows = issuer.app.ledger_balances(Empty {}).await.expect("an answer");
        let asset = rows[0].asset.id.clone();
        let name = asset.strip_prefix("counterparty:").expect("of the ledger").to_owned();
        assert_eq!(issuer.ledger(&asset).await, [(here.clone(), None, 1_000)]);

        issuer
            .tells(LedgerPlan { to: Some(there.clone()), text: "rent".into(), ..says(LedgerDeed::Send, &name, 300, &here) })
            .await;
        assert_eq!(holder.ledger(&asset).await, [(there.clone(), None, 300)]);
        // Somebody else cannot issue more of it, whatever he signs.
        holder.tells(says(LedgerDeed::Issue, &name, 5, &there)).await;
        issuer.tells(says(LedgerDeed::Issue, &name, 100, &here)).await;
        assert_eq!(issuer.ledger(&asset).await, [(here.clone(), None, 800)]);
        assert_eq!(holder.ledger(&asset).await, [(there.clone(), None, 300)]);

        // Bound to a coin: guarded at once, before any server is asked.
        let txid = issuer.tells(says(LedgerDeed::Attach, &name, 250, &here)).await;
        let coins = issuer.coins(BITCOIN).await;
        let coin = coins.iter().find(|coin| coin.outpoint == format!("{txid}:0")).expect("the coin");
        assert_eq!(coin.guarded.as_ref().map(|refusal| refusal.code), Some(Code::ColourUnknown));
        let bound = issuer.ledger(&asset).await;
        assert!(bound.contains(&(coin.address.clone(), Some(coin.outpoint.clone()), 250)), "{bound:?}");
        let away = SendPlan { coins: Some(vec![coin.outpoint.clone()]), drain: Some(0), ..Desk::payment(BITCOIN, &there, 0) };
        assert_eq!(refused(issuer.app.send_plan(away).await), Code::ColourUnknown);
        // It is let go of, and its units return to its address.
        let detach = LedgerPlan { coin: Some(coin.outpoint.clone()), source: None, ..says(LedgerDeed::Detach, "", 0, "") };
        issuer.tells(detach).await;
        assert!(issuer.ledger(&asset).await.contains(&(coin.address.clone(), None, 250)));
        assert!(issuer.coins(BITCOIN).await.iter().all(|coin| coin.guarded.is_none()), "what comes back holds bitcoin alone");

        issuer.tells(LedgerPlan { pays: Some(name.clone()), ..says(LedgerDeed::Dividend, &name, 1, &here) }).await;
        assert_eq!(holder.ledger(&asset).await, [(there.clone(), None, 600)]);
        holder.tells(says(LedgerDeed::Destroy, &name, 600, &there)).await;
        assert_eq!(holder.ledger(&asset).await, []);
        assert_eq!(refused(holder.app.ledger_plan(says(LedgerDeed::Send, "lower", 1, &there)).await), Code::NoRecipients);
        close([issuer, holder]).await;
    });
}

#[test]
fn a_transaction_that_a_server_composed_is_taken_only_if_it_does_what_was_asked() {
    story(async {
        let (issuer, holder) = tokio::join!(Desk::with(400_000, 0), Desk::new());
        let here = issuer.coins(BITCOIN).await[0].address.clone();
        let there = holder.address(BITCOIN).await;
        let name = "HARBOUR";
        issuer.tells(says(LedgerDeed::Issue, name, 1_000, &here)).await;
        let send = LedgerPlan { to: Some(there.clone()), ..says(LedgerDeed::Send, name, 300, &here) };
        // What an honest server would answer is what is planned here.
        let draft = issuer.app.ledger_plan(send.clone()).await.expect("a plan");
        let psbt = issuer.app.draft_export(DraftRef { draft: draft.draft }).await.expect("a file").text;
        issuer.discard(&draft).await;
        let honest = psbt.parse::<bitcoin::Psbt>().expect("a PSBT").unsigned_tx;
        let asked = |tx: &bitcoin::Transaction| LedgerPlan {
            composed: Some(bitcoin::consensus::encode::serialize_hex(tx)),
            ..send.clone()
        };

        let mut elsewhere = honest.clone();
        elsewhere.output.last_mut().expect("change").script_pubkey =
            there.parse::<bitcoin::Address<_>>().expect("an address").assume_checked().script_pubkey();
        let mut costly = honest.clone();
        costly.output.last_mut().expect("change").value -= bitcoin::Amount::from_sat(100_000);
        let mut locked = honest.clone();
        locked.lock_time = bitcoin::absolute::LockTime::from_consensus(500);
        let mut silent = honest.clone();
        silent.output.retain(|output| !output.script_pubkey.is_op_return());
        for lie in [&elsewhere, &costly, &locked, &silent] {
            assert_eq!(refused(issuer.app.ledger_plan(asked(lie)).await), Code::DraftLies);
        }
        let mut foreign = honest.clone();
        foreign.input[0].previous_output.vout ^= 1;
        assert_eq!(refused(issuer.app.ledger_plan(asked(&foreign)).await), Code::CoinUnavailable);
        let more = LedgerPlan { amount: Atoms(301), ..asked(&honest) };
        assert_eq!(refused(issuer.app.ledger_plan(more).await), Code::DraftLies, "another amount than was asked");

        issuer.tells(asked(&honest)).await;
        let id = format!("counterparty:{name}");
        assert_eq!(holder.ledger(&id).await, [(there, None, 300)]);
        close([issuer, holder]).await;
    });
}

/// A number of its own for an asset, so that stories do not meet.
async fn issues_units(issuer: &Desk, name: &str, amount: u64, source: &str) {
    issuer.tells(says(LedgerDeed::Issue, name, amount, source)).await;
}

impl Desk {
    /// What the ledger's server reports of this wallet's newest message.
    async fn newest(&self) -> (String, Option<bool>) {
        let events = self.app.ledger_history(Empty {}).await.expect("a history");
        assert!(events.iter().all(|event| event.known == Known::Reported));
        events.first().map(|event| (event.kind.clone(), event.valid)).expect("a message")
    }

    async fn ledger_offers(&self) -> Vec<(bool, u64, u64, bool)> {
        let offers = self.app.ledger_offers(Empty {}).await.expect("offers");
        offers.iter().map(|offer| (offer.dispenser, offer.left.0, offer.price.0, offer.open)).collect()
    }
}

#[test]
fn orders_meet_on_the_ledger_and_what_is_left_is_taken_back() {
    story(async {
        let (ada, bert) = tokio::join!(Desk::with(400_000, 0), Desk::with(400_000, 0));
        let (hers, his) = (ada.coins(BITCOIN).await[0].address.clone(), bert.coins(BITCOIN).await[0].address.clone());
        tokio::join!(issues_units(&ada, "PEARLS", 1_000, &hers), issues_units(&bert, "SHELLS", 1_000, &his));
        let order = |give: &str, amount, get: &str, price, source: &str| LedgerPlan {
            pays: Some(get.into()),
            price: Some(Atoms(price)),
            blocks: Some(500),
            ..says(LedgerDeed::Order, give, amount, source)
        };
        let txid = ada.tells(order("PEARLS", 100, "SHELLS", 500, &hers)).await;
        assert_eq!(ada.ledger_offers().await, [(false, 100, 500, true)]);
        // A server composes it; what it composed is compared with what is written here.
        bert.tells(LedgerPlan { ask: Some(true), ..order("SHELLS", 200, "PEARLS", 40, &his) }).await;
        assert_eq!(bert.newest().await, ("order".into(), Some(true)));
        let (pearls, shells) = ("counterparty:PEARLS", "counterparty:SHELLS");
        assert_eq!(bert.ledger(pearls).await, [(his.clone(), None, 40)]);
        assert_eq!(ada.ledger(shells).await, [(hers.clone(), None, 200)]);
        assert_eq!(ada.ledger_offers().await, [(false, 60, 300, true)]);
        // Nobody else takes it back.
        let back = |source: &str| LedgerPlan { offer: Some(txid.clone()), ..says(LedgerDeed::Cancel, "", 0, source) };
        bert.tells(back(&his)).await;
        assert_eq!(bert.newest().await, ("cancel".into(), Some(false)));
        ada.tells(back(&hers)).await;
        assert_eq!(ada.ledger(pearls).await, [(hers.clone(), None, 960)]);
        assert!(!ada.ledger_offers().await[0].3, "it stands no more");
        let nothing = LedgerPlan { offer: Some("no transaction".into()), ..says(LedgerDeed::Cancel, "", 0, &hers) };
        assert_eq!(refused(ada.app.ledger_plan(nothing).await), Code::BadRequest);
        close([ada, bert]).await;
    });
}

#[test]
fn a_dispenser_sells_portions_and_many_are_sent_to_and_an_address_is_swept() {
    story(async {
        let (ada, bert) = tokio::join!(Desk::with(400_000, 0), Desk::with(400_000, 0));
        let (hers, his) = (ada.coins(BITCOIN).await[0].address.clone(), bert.coins(BITCOIN).await[0].address.clone());
        issues_units(&ada, "MUSSELS", 1_000, &hers).await;
        let mussels = "counterparty:MUSSELS";
        let opens = LedgerPlan {
            price: Some(Atoms(3_000)),
            escrow: Some(Atoms(100)),
            ..says(LedgerDeed::Dispenser, "MUSSELS", 10, &hers)
        };
        let little = LedgerPlan { escrow: Some(Atoms(9)), ..opens.clone() };
        assert_eq!(refused(ada.app.ledger_plan(little).await), Code::BadRequest);
        ada.tells(LedgerPlan { ask: Some(true), ..opens }).await;
        assert_eq!(ada.ledger_offers().await, [(true, 100, 3_000, true)]);
        let before = ada.balance(BITCOIN).await;
        let buys = LedgerPlan { to: Some(hers.clone()), price: Some(Atoms(7_000)), ..says(LedgerDeed::Buy, "", 0, &his) };
        bert.tells(LedgerPlan { ask: Some(true), ..buys }).await;
        assert_eq!(bert.ledger(mussels).await, [(his.clone(), None, 20)]);
        ada.until(async |desk| desk.balance(BITCOIN).await == before + 7_000).await;
        ada.tells(says(LedgerDeed::CloseDispenser, "MUSSELS", 0, &hers)).await;
        assert_eq!(ada.ledger(mussels).await, [(hers.clone(), None, 980)]);

        let (third, fourth) = (bert.address(BITCOIN).await, ada.address(BITCOIN).await);
        let share = |to: &str, amount| LedgerShare { to: to.into(), asset: "MUSSELS".into(), amount: Atoms(amount) };
        let many = LedgerPlan {
            sends: Some(vec![share(&third, 30), share(&fourth, 50)]),
            ask: Some(true),
            ..says(LedgerDeed::SendMany, "", 0, &hers)
        };
        let twice = LedgerPlan { sends: Some(vec![share(&third, 1), share(&third, 2)]), ..many.clone() };
        assert_eq!(refused(ada.app.ledger_plan(twice).await), Code::BadRequest);
        ada.tells(many).await;
        assert_eq!(ada.newest().await, ("mpma".into(), Some(true)));
        assert!(bert.ledger(mussels).await.contains(&(third.clone(), None, 30)));
        assert!(ada.ledger(mussels).await.contains(&(fourth, None, 50)));

        let all = LedgerPlan { to: Some(third.clone()), ownership: Some(true), ..says(LedgerDeed::Sweep, "", 0, &hers) };
        ada.tells(LedgerPlan { ask: Some(true), ..all }).await;
        assert!(bert.ledger(mussels).await.contains(&(third.clone(), None, 930)));
        // Who swept it away issues no more of it.
        ada.tells(says(LedgerDeed::Issue, "MUSSELS", 5, &hers)).await;
        assert_eq!(ada.newest().await, ("issuance".into(), Some(false)));
        // A server that cannot says why.
        let unasked = LedgerPlan { ask: Some(true), ..says(LedgerDeed::Attach, "MUSSELS", 5, &hers) };
        assert_eq!(refused(ada.app.ledger_plan(unasked).await), Code::BadRequest);
        close([ada, bert]).await;
    });
}
