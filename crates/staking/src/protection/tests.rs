use super::*;
use crate::eots::extract;
use proptest::prelude::*;
use std::collections::BTreeMap;

const CHAIN: &str = "bbn-1";

fn key(seed: u64) -> EotsKey {
    EotsKey::from_bytes(&crate::testing::pairs(seed, 1)[0].secret_bytes()).expect("a key")
}

/// What happens to a provider, in any order.
#[derive(Debug, Clone)]
enum Event {
    /// A block is offered; the machine dies after the record is written if `dies`.
    Offer { height: u64, block: u8, dies: bool },
    /// The store is replaced by an older copy of itself, as after a restore.
    Restore { keep: usize },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        9 => (0u64..20, 0u8..3, any::<bool>()).prop_map(|(height, block, dies)| Event::Offer { height, block, dies }),
        1 => (0usize..20).prop_map(|keep| Event::Restore { keep }),
    ]
}

proptest! {
    #![proptest_config(crate::testing::cases(48))]

    #[test]
    fn no_two_messages_are_ever_signed_at_one_height(events in prop::collection::vec(event(), 0..40)) {
        let key = key(1);
        let (mut guard, mut store, mut order) = (Guard::default(), BTreeMap::new(), Vec::new());
        let mut published: BTreeMap<u64, (Vote, EotsSignature)> = BTreeMap::new();
        let mut tip = 0;
        for event in events {
            match event {
                Event::Restore { keep } => {
                    order.truncate(keep);
                    store.retain(|height, _| order.contains(height));
                    guard = guard.restored(store.keys().max().copied(), tip, None, 0);
                }
                Event::Offer { height, block, dies } => {
                    tip = tip.max(height);
                    let vote = Vote { height, app_hash: [block; 32] };
                    let record = match decide(&guard, store.get(&height), &vote) {
                        Ok(Decision::Record(record)) => {
                            prop_assert!(store.insert(height, record).is_none());
                            order.push(height);
                            record
                        }
                        Ok(Decision::Recorded(record)) => record,
                        Err(_) => continue,
                    };
                    if dies {
                        continue;
                    }
                    let signature = sign(&key, CHAIN, &record, &vote).expect("recorded");
                    let (first, earlier) = published.entry(height).or_insert((vote, signature));
                    prop_assert_eq!((*first, *earlier), (vote, signature));
                }
            }
        }
    }
}

#[test]
fn the_same_vote_gives_the_same_signature_and_another_is_refused_for_ever() {
    let (key, guard) = (key(2), Guard::default());
    let (vote, other) = (Vote { height: 7, app_hash: [1; 32] }, Vote { height: 7, app_hash: [2; 32] });
    let Ok(Decision::Record(record)) = decide(&guard, None, &vote) else { panic!("not offered for recording") };
    let signature = sign(&key, CHAIN, &record, &vote).expect("recorded");
    assert_eq!(decide(&guard, Some(&record), &vote), Ok(Decision::Recorded(record)));
    assert_eq!(sign(&key, CHAIN, &record, &vote), Ok(signature));
    assert_eq!(decide(&guard, Some(&record), &other), Err(Unsafe::OtherMessage(7)));
    assert_eq!(sign(&key, CHAIN, &record, &other), Err(Unsafe::NotRecorded));
    // Why it matters: with both, anybody has the key.
    let double = key.sign(&key.nonce(CHAIN, 7), &other.message());
    let found = extract(&key.public(), &key.nonce(CHAIN, 7).public(), (&vote.message(), &signature), (&other.message(), &double));
    assert_eq!(*found.expect("a key").to_even_bytes(), *key.to_even_bytes());
}

#[test]
fn a_restored_store_refuses_until_the_safety_height_passes() {
    let guard = Guard::default().restored(Some(90), 100, Some(103), 10);
    assert_eq!(guard.safety_height, Some(113));
    let at = |height| decide(&guard, None, &Vote { height, app_hash: [0; 32] });
    assert_eq!(at(113), Err(Unsafe::BelowSafetyHeight(113)));
    assert!(matches!(at(114), Ok(Decision::Record(_))));
    assert_eq!(guard.restored(None, 5, None, 1).safety_height, Some(113), "an older restore never lowers it");
    assert_eq!(guard.restored(None, u64::MAX, None, 1).safety_height, Some(u64::MAX));
}

#[test]
fn a_vote_that_we_never_made_stops_this_copy_for_good() {
    let guard = Guard { safety_height: Some(10), halted: false };
    let seen = |height, block| Vote { height, app_hash: [block; 32] };
    let Ok(Decision::Record(ours)) = decide(&guard, None, &seen(12, 1)) else { panic!("not offered for recording") };
    assert!(!guard.observe(None, &seen(10, 1)).halted, "from before the restore");
    assert!(!guard.observe(Some(&ours), &seen(12, 1)).halted);
    assert!(guard.observe(Some(&ours), &seen(12, 2)).halted);
    let halted = guard.observe(None, &seen(13, 1));
    assert!(halted.halted);
    assert_eq!(decide(&halted, Some(&ours), &seen(12, 1)), Err(Unsafe::Halted));
    assert!(halted.restored(None, 1, None, 1).halted, "a restore does not undo it");
}
