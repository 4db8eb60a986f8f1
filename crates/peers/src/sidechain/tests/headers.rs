//! Headers that break a rule, each served by a peer behind an honest chain.

use super::*;

/// Name, height and bytes of the headers that a real elementsd refused, and the one it should have. One is too new by the fixture's clock only.
fn cases() -> Vec<(&'static str, usize, Vec<u8>)> {
    let file = fixture("bad_headers.json");
    let odd = file["accepted_oddities"].as_array().expect("cases").iter().filter(|case| case["name"] == "elided-root-unchecked");
    let all = file["rejected"].as_array().expect("cases").iter().filter(|case| case["name"] != "time-too-new").chain(odd);
    all.map(|case| {
        let raw = bytes(&case["header"]);
        // `height` is where it stands, whatever it says itself.
        let height = case["height"].as_u64().map_or_else(|| header(&raw).height as usize, |h| usize::try_from(h).expect("small"));
        (case["name"].as_str().expect("a name"), height, raw)
    })
    .collect()
}

/// Those that k members in force have signed, by the word for the rule they break.
const MISRULE: [(&str, &str); 18] = [
    ("bad-height-plus-1", "height"),
    ("bad-height-minus-1", "height"),
    ("time-too-old", "time-too-old"),
    ("reserved-version-bit", "reserved-version-bits"),
    ("old-version", "old-version"),
    ("full-inside-epoch", "full-inside-epoch"),
    ("wrong-witness-limit", "wrong-signing"),
    ("null-current", "null-params"),
    ("legacy-header", "not-dynafed"),
    ("proposed-signblock-not-segwit", "proposal"),
    ("proposed-fedpeg-mismatch", "proposal"),
    ("proposed-fedpeg-p2sh", "proposal"),
    ("proposed-fedpeg-op-depth", "proposal"),
    ("proposed-compact", "proposal"),
    ("compact-at-epoch-start", "compact-at-epoch-start"),
    ("wrong-extension-at-epoch-start", "wrong-elided"),
    ("wrong-fedpeg-at-epoch-start", "wrong-elided"),
    ("elided-root-unchecked", "wrong-elided"),
];

#[tokio::test(start_paused = true)]
async fn a_broken_rule_is_the_networks_fault_if_the_federation_signed_and_the_peers_otherwise() {
    assert_eq!(cases().len(), 46, "a hostile case for each");
    let mut misruled = 0;
    for (name, height, raw) in cases() {
        let node = Node::new(FakeChain::ending_in(&raw, height), Quirk::Honest);
        let mut world = World::start(vec![node], fresh(), vec![]);
        let below = u32::try_from(height).expect("small") - 1;
        if let Some((_, rule)) = MISRULE.iter().find(|(signed, _)| *signed == name) {
            world.until(name, |told| !told.misrules.is_empty()).await;
            let misrule = &world.told.misrules[0];
            assert_eq!((misrule.fork, misrule.rule), (below, *rule), "{name}");
            assert_eq!((misrule.headers.as_slice(), misrule.hash), (&[raw.clone()][..], header(&raw).block_hash()), "{name}");
            misruled += 1;
        } else {
            world.until(name, |told| told.faults.len() > 1).await;
            assert_eq!(world.told.misrules, vec![], "{name} is nobody's doing but the peer's");
        }
        // A message whose headers do not follow each other is read no further.
        let reached = if name == "unknown-parent" { 0 } else { below };
        assert_eq!(world.client.tip().height, reached, "{name} is not followed");
        world.client.shutdown().await;
    }
    assert_eq!(misruled, MISRULE.len());
}

#[tokio::test(start_paused = true)]
async fn a_header_signed_against_the_rules_is_told_once_and_with_the_branch_that_leads_to_it() {
    let (_, height, raw) = cases().into_iter().find(|(name, ..)| *name == "elided-root-unchecked").expect("the case");
    // Both peers serve the real chain up to there; one of them goes on with the bad header.
    let node = Node::new(FakeChain::ending_in(&raw, height), Quirk::Honest);
    let honest = Node::new(FakeChain::real(TIP), Quirk::Honest);
    let mut world = World::start(vec![node, honest], fresh(), scripts());
    world.until("both", |told| told.scanned_to == 135 && !told.misrules.is_empty()).await;
    // Dialled again and again, it has nothing new to say.
    assert!(timeout(Duration::from_secs(600), world.until("another", |told| told.misrules.len() > 1)).await.is_err());
    assert_eq!(world.heights(), expected(), "the honest chain is followed");
}
