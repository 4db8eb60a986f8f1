//! A federation that signs two blocks of one height.

use crate::world::{Desk, open, refused, serve, story};
use causeway_contract::*;
use causeway_sandbox::Control;

async fn sidechain(desk: &Desk) -> NetworkView {
    let networks = desk.app.networks(Empty {}).await.expect("networks");
    networks.into_iter().find(|network| network.network == NetworkId::Sidechain).expect("the sidechain")
}

#[test]
fn a_height_signed_twice_stops_the_sidechain_and_leaves_evidence_that_anybody_can_check() {
    story(async {
        let realm = serve("misrule", 3, 2).await;
        let control = Control::at(realm.testbed.as_ref().expect("a testbed").control).expect("its control");
        let desk = Desk::on(realm.clone()).await;
        desk.app.peg_in_address(Empty {}).await.expect("not stopped yet");
        control.misbehave(1).await.expect("a traitor");
        desk.until(async |desk| sidechain(desk).await.phase == Phase::Halted).await;
        assert_eq!(refused(desk.app.peg_in_address(Empty {}).await), Code::Halted);
        let why = sidechain(&desk).await.fault.expect("a reason");
        assert_eq!((why.code, why.args["rule"].as_str()), (Code::SignedTwice, "double-signed"));

        let text = std::fs::read_to_string(desk.dir.path().join(&why.args["evidence"])).expect("a file");
        let verdict = desk.app.proof_verify(TextIn { text: text.clone() }).await.expect("a verdict");
        assert!(verdict.ok && verdict.statements[0].detail.starts_with("member 2 of 3 signed"), "{verdict:#?}");
        let spoilt = text.replace("\"headers\":[\"", "\"headers\":[\"00");
        assert!(!desk.app.proof_verify(TextIn { text: spoilt }).await.is_ok_and(|verdict| verdict.ok));

        // Nor is it forgotten.
        let dir = desk.shut().await;
        let app = open(dir.path(), realm).await.expect("opens again");
        let desk = Desk { app, dir, wallet: 1 };
        assert_eq!(refused(desk.app.peg_in_address(Empty {}).await), Code::Halted);
        desk.close().await;
    });
}
