//! Drafts that come from outside: damaged, lying, or honest.

use crate::world::{Desk, refused, story};
use bitcoin::Psbt;
use causeway_contract::*;
use elements::pset::PartiallySignedTransaction as Pset;

async fn import(desk: &Desk, text: impl ToString) -> Result<DraftView, Failure> {
    desk.app.draft_import(DraftImport { text: text.to_string(), draft: None }).await
}

async fn exported(desk: &Desk, network: NetworkId, to: &str) -> (DraftView, String) {
    let draft = desk.app.send_plan(Desk::payment(network, to, 50_000)).await.expect("a plan");
    let text = desk.app.draft_export(DraftRef { draft: draft.draft }).await.expect("exported").text;
    (draft, text)
}

#[test]
fn what_is_no_draft_is_refused() {
    story(async {
        let desk = Desk::new().await;
        let before = desk.state().await;
        let long = "70736274ff".repeat(1_000_000);
        for text in ["", "hello", "cHNidP8=", "cHNldP8=", "70736274ff", "cHNidP8BAAAA", long.as_str()] {
            assert_eq!(refused(import(&desk, text).await), Code::BadDraft, "{:.20}", text);
        }
        assert_eq!(desk.state().await, before);
        desk.close().await;
    });
}

#[test]
fn a_psbt_that_lies_is_refused_or_shown_as_it_is() {
    story(async {
        let (desk, other) = tokio::join!(Desk::with(200_000, 0), Desk::new());
        let to = other.address(NetworkId::Bitcoin).await;
        let (draft, text) = exported(&desk, NetworkId::Bitcoin, &to).await;
        let honest: Psbt = text.parse().expect("a PSBT");
        let before = desk.state().await;

        let mut richer = honest.clone();
        let spent = richer.inputs[0].witness_utxo.as_mut().expect("the output it spends");
        spent.value += bitcoin::Amount::from_sat(1);
        assert_eq!(refused(import(&desk, richer).await), Code::DraftLies);

        let mut history = honest.clone();
        let previous = history.inputs[0].non_witness_utxo.as_mut().expect("the transaction it spends");
        previous.output[0].value += bitcoin::Amount::from_sat(1);
        assert_eq!(refused(import(&desk, history).await), Code::DraftLies);

        let mut blank = honest.clone();
        blank.inputs[0].non_witness_utxo = None;
        assert_eq!(refused(import(&desk, blank).await), Code::DraftLies);

        let mut printing = honest.clone();
        printing.unsigned_tx.output[0].value += bitcoin::Amount::from_sat(1_000_000);
        assert_eq!(refused(import(&desk, printing).await), Code::DraftLies);
        assert_eq!(desk.state().await, before);

        // An output that calls itself our change and pays somebody else is shown as leaving, with the claim exposed.
        let change = honest.outputs.iter().position(|output| !output.bip32_derivation.is_empty()).expect("change");
        let mut stolen = honest.clone();
        let thief = other.address(NetworkId::Bitcoin).await;
        let address = thief.parse::<bitcoin::Address<_>>().expect("an address").assume_checked();
        stolen.unsigned_tx.output[change].script_pubkey = address.script_pubkey();
        let shown = import(&desk, stolen).await.expect("readable");
        let review = desk.review(&shown).await.expect("a review");
        let leaving = review.leaves.iter().find(|output| output.address == thief).expect("it leaves");
        assert!(leaving.false_claim, "{leaving:?}");
        assert!(review.comes_back.is_empty(), "{review:?}");
        desk.discard(&shown).await;

        // Nobody signs what nobody reviewed.
        let sign = DraftSign { draft: draft.draft, summary_hash: review.summary_hash };
        assert_eq!(refused(desk.app.draft_sign(sign).await), Code::ReviewMismatch);
        let stranger = import(&other, &text).await;
        assert_eq!(refused(stranger), Code::NothingToSign);
        assert_eq!(desk.state().await, before);
        desk.close().await;
        other.close().await;
    });
}

#[test]
fn a_pset_that_lies_is_refused() {
    story(async {
        let (desk, other) = tokio::join!(Desk::with(0, 200_000), Desk::new());
        let to = other.address(NetworkId::Sidechain).await;
        let (_, text) = exported(&desk, NetworkId::Sidechain, &to).await;
        let honest: Pset = text.parse().expect("a PSET");
        let before = desk.state().await;
        let blinded = honest.outputs().iter().position(|output| output.blinding_key.is_some()).expect("a blinded output");
        type Lie = fn(&mut Pset, usize);
        let lies: [(&str, Lie); 4] = [
            ("output amount", |pset, at| *pset.outputs_mut()[at].amount.as_mut().expect("stated") += 1),
            ("output asset", |pset, at| pset.outputs_mut()[at].asset = Some(elements::AssetId::from_byte_array([7; 32]))),
            ("input amount", |pset, _| *pset.inputs_mut()[0].amount.as_mut().expect("stated") += 1),
            ("spent output", |pset, _| {
                pset.inputs_mut()[0].witness_utxo.as_mut().expect("stated").value = elements::confidential::Value::Explicit(9);
            }),
        ];
        for (what, lie) in lies {
            let mut pset = honest.clone();
            lie(&mut pset, blinded);
            assert_eq!(refused(import(&desk, pset).await), Code::DraftLies, "{what}");
        }
        assert_eq!(refused(import(&other, &text).await), Code::NothingToSign);
        assert_eq!(desk.state().await, before);
        desk.close().await;
        other.close().await;
    });
}
