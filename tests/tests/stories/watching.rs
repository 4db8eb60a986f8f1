//! A wallet without keys plans, another profile of the same words signs, and the first one checks and sends.

use crate::world::{Desk, refused, story};
use bitcoin::Psbt;
use causeway_contract::*;
use elements::pset::PartiallySignedTransaction as Pset;

/// A desk with coins on both chains, and another that watches it.
async fn pair() -> (Desk, Desk) {
    let (signer, watcher) = tokio::join!(Desk::with(300_000, 200_000), Desk::new());
    let WalletDescriptors { bitcoin, sidechain, birthday } =
        signer.app.wallet_descriptors(WalletRef { wallet: signer.wallet }).await.expect("descriptors");
    let watch = WalletWatch { name: "Lookout".into(), bitcoin, sidechain, birthday };
    assert!(watcher.app.wallet_watch(watch).await.expect("watched").watch_only);
    watcher.until(async |desk| desk.balance(NetworkId::Bitcoin).await == 300_000).await;
    watcher.until(async |desk| desk.balance(NetworkId::Sidechain).await == 200_000).await;
    (signer, watcher)
}

async fn export(desk: &Desk, draft: u32) -> String {
    desk.app.draft_export(DraftRef { draft }).await.expect("exported").text
}

async fn bring(desk: &Desk, draft: Option<u32>, text: impl ToString) -> Result<DraftView, Failure> {
    desk.app.draft_import(DraftImport { text: text.to_string(), draft }).await
}

async fn drafts(desk: &Desk) -> Vec<DraftView> {
    desk.app.drafts(Empty {}).await.expect("drafts")
}

/// Why a returned file was refused.
async fn lie(desk: &Desk, draft: Option<u32>, text: impl ToString) -> String {
    let refusal = bring(desk, draft, text).await.expect_err("a lie");
    assert_eq!(refusal.code, Code::DraftLies, "{refusal}");
    refusal.args["why"].clone()
}

/// What a signer that lies might return for a PSBT.
async fn psbt_lies(watcher: &Desk, draft: u32, signed: &str) {
    let honest: Psbt = signed.parse().expect("a PSBT");
    let mut dearer = honest.clone();
    dearer.unsigned_tx.output[0].value += bitcoin::Amount::from_sat(1);
    let mut elsewhere = honest.clone();
    elsewhere.unsigned_tx.output.swap(0, 1);
    for text in [dearer, elsewhere] {
        assert_eq!(lie(watcher, Some(draft), &text).await, "transaction");
        // Named or not, it is the draft whose coins it spends.
        assert_eq!(lie(watcher, None, &text).await, "transaction");
    }
    let mut poorer = honest.clone();
    poorer.inputs[0].witness_utxo.as_mut().expect("the output it spends").value -= bitcoin::Amount::from_sat(1);
    assert_eq!(lie(watcher, Some(draft), poorer).await, "input");
    let mut forged = honest;
    let witness = forged.inputs[0].final_script_witness.take().expect("signed").to_vec();
    let mut signature = witness[0].clone();
    signature[20] ^= 1;
    forged.inputs[0].final_script_witness = Some(bitcoin::Witness::from_slice(&[&signature, &witness[1]]));
    assert_eq!(lie(watcher, Some(draft), forged).await, "signature");
}

/// The same for a PSET.
async fn pset_lies(watcher: &Desk, draft: u32, signed: &str) {
    let honest: Pset = signed.parse().expect("a PSET");
    let hidden = honest.outputs().iter().position(|output| output.amount_comm.is_some()).expect("a blinded output");
    let mut dearer = honest.clone();
    *dearer.outputs_mut()[hidden].amount.as_mut().expect("stated") += 1;
    assert_eq!(lie(watcher, Some(draft), dearer).await, "output-amount");
    let mut elsewhere = honest.clone();
    elsewhere.outputs_mut()[hidden].script_pubkey = elements::Script::from(vec![0x51]);
    let mut later = honest.clone();
    later.inputs_mut()[0].sequence = Some(elements::Sequence::from_height(9));
    let fee = honest.outputs().iter().position(|output| output.script_pubkey.is_empty()).expect("a fee");
    let mut tip = honest.clone();
    *tip.outputs_mut()[fee].amount.as_mut().expect("stated") += 1;
    for text in [later, tip] {
        assert_eq!(lie(watcher, Some(draft), &text).await, "transaction");
        assert_eq!(lie(watcher, None, &text).await, "transaction");
    }
    assert_eq!(refused(bring(watcher, Some(draft), elsewhere).await), Code::DraftLies);
    let mut forged = honest;
    let witness = forged.inputs()[0].final_script_witness.clone().expect("signed").to_vec();
    let mut signature = witness[0].clone();
    signature[20] ^= 1;
    forged.inputs_mut()[0].final_script_witness = Some(elements::Witness::from_slice(&[signature, witness[1].clone()]));
    assert_eq!(lie(watcher, Some(draft), forged).await, "signature");
}

async fn signed_elsewhere_and_sent_here(network: NetworkId) {
    let (signer, watcher) = pair().await;
    let payee = Desk::new().await;
    let held = watcher.balance(network).await;
    let plan = Desk::payment(network, payee.address(network).await, 50_000);
    let draft = watcher.app.send_plan(plan).await.expect("a plan");
    let review = watcher.review(&draft).await.expect("a review");
    assert!(review.watch_only && !review.locked && !review.signed, "{review:?}");
    assert_eq!(review.leaves.iter().map(|output| output.amount.0).collect::<Vec<_>>(), [50_000]);
    assert_eq!(review.comes_back.iter().map(|output| output.amount.0).sum::<u64>(), held - 50_000 - draft.fee.0);
    let sign = |review: &Review| DraftSign { draft: review.draft, summary_hash: review.summary_hash.clone() };
    assert_eq!(refused(watcher.app.draft_sign(sign(&review)).await), Code::WatchOnly);
    assert_eq!(refused(watcher.app.draft_sign_only(sign(&review)).await), Code::WatchOnly);

    // Elsewhere: read, reviewed, signed, written down; nothing is sent.
    let taken = bring(&signer, None, export(&watcher, draft.draft).await).await.expect("imported");
    let seen = signer.review(&taken).await.expect("a review");
    assert_eq!((&seen.leaves, seen.fee), (&review.leaves, review.fee), "both see the same payment");
    let unseen = DraftSign { draft: taken.draft, summary_hash: "00".repeat(32) };
    assert_eq!(refused(signer.app.draft_sign_only(unseen).await), Code::ReviewMismatch);
    assert!(signer.app.draft_sign_only(sign(&seen)).await.expect("signed").signed);
    assert_eq!(signer.app.operations(OperationsRequest { open: None, limit: 500 }).await.expect("operations").len(), 0);
    let signed = export(&signer, taken.draft).await;

    // Back here: what differs is refused, what holds completes the draft.
    let before = drafts(&watcher).await;
    match network {
        NetworkId::Bitcoin => psbt_lies(&watcher, draft.draft, &signed).await,
        NetworkId::Sidechain => pset_lies(&watcher, draft.draft, &signed).await,
    }
    assert_eq!(drafts(&watcher).await, before, "a lie leaves the draft as it was");
    let complete = bring(&watcher, None, &signed).await.expect("signed");
    assert_eq!((complete.draft, complete.signed), (draft.draft, true));
    let watcher = watcher.restart().await;
    assert_eq!(drafts(&watcher).await, std::slice::from_ref(&complete), "it waits across restarts");
    let review = watcher.review(&complete).await.expect("a review");
    assert!(review.signed && review.watch_only, "{review:?}");
    watcher.synced().await;
    let operation = watcher.app.draft_sign(sign(&review)).await.expect("sent").operation;
    watcher.finish(operation).await;
    payee.until(async |desk| desk.balance(network).await == 50_000).await;
    watcher.until(async |desk| desk.balance(network).await == held - 50_000 - draft.fee.0).await;
    assert_eq!(drafts(&watcher).await, []);
    // The signer's copy ended with the block that spent its coins.
    signer.until(async |desk| drafts(desk).await.is_empty()).await;
    for desk in [signer, watcher, payee] {
        desk.close().await;
    }
}

#[test]
fn a_psbt_signed_elsewhere_is_checked_and_sent_by_the_wallet_that_watches() {
    story(signed_elsewhere_and_sent_here(NetworkId::Bitcoin));
}

#[test]
fn a_pset_signed_elsewhere_is_checked_and_sent_by_the_wallet_that_watches() {
    story(signed_elsewhere_and_sent_here(NetworkId::Sidechain));
}

#[test]
fn drafts_survive_a_restart_and_free_their_coins_when_discarded() {
    story(async {
        let desk = Desk::with(200_000, 0).await;
        let to = desk.address(NetworkId::Bitcoin).await;
        let plan = SendPlan { label: "harbour dues".into(), ..Desk::payment(NetworkId::Bitcoin, to, 50_000) };
        let draft = desk.app.send_plan(plan).await.expect("a plan");
        assert_eq!(draft.label, "harbour dues");
        let second = desk.app.wallet_quick_start(WalletQuickStart { name: "Second".into() }).await.expect("a wallet").id;
        assert_eq!(drafts(&desk).await, [], "another wallet has drafts of its own");
        desk.app.wallet_select(WalletRef { wallet: desk.wallet }).await.expect("selected");
        assert_ne!(second, desk.wallet);

        let desk = desk.restart().await;
        assert_eq!(drafts(&desk).await, std::slice::from_ref(&draft));
        assert!(desk.coins(NetworkId::Bitcoin).await.iter().all(|coin| coin.reserved));
        assert_eq!(desk.review(&draft).await.expect("a review").fee, draft.fee);
        desk.discard(&draft).await;
        assert_eq!(drafts(&desk).await, []);
        assert!(desk.coins(NetworkId::Bitcoin).await.iter().all(|coin| !coin.reserved));
        desk.close().await;
    });
}
