//! Chains that are followed from a pinned epoch, from where sources lead, and through sources alone.

use super::*;
use crate::source::{Answer, HeaderSource, Inclusion, SourceFault, extend};
use crate::{Anchor, Start};
use causeway_sidechain::consensus::pinned::Pinned;
use elements::BlockHeader;
use std::sync::Mutex;

/// The chain of the fixtures as a source, which counts what is downloaded.
struct Counted {
    headers: Vec<BlockHeader>,
    downloads: Arc<Mutex<Vec<Height>>>,
}

impl Counted {
    fn new() -> Counted {
        let headers = FakeChain::real(TIP).headers[..=TIP].iter().map(|raw| header(raw)).collect();
        Counted { headers, downloads: Arc::default() }
    }
}

impl HeaderSource for Counted {
    fn name(&self) -> String {
        "counted".into()
    }

    fn tip(&self) -> Answer<'_, Height> {
        Box::pin(async { Ok(u32::try_from(self.headers.len()).expect("few") - 1) })
    }

    fn headers(&self, first: Height, most: u32) -> Answer<'_, Vec<BlockHeader>> {
        Box::pin(async move {
            let found: Vec<BlockHeader> = self.headers.iter().skip(first as usize).take(most as usize).cloned().collect();
            self.downloads.lock().expect("a lock").extend(found.iter().map(|header| header.height));
            if found.is_empty() { Err(SourceFault::NotFound) } else { Ok(found) }
        })
    }

    fn inclusion(&self, _: elements::Txid, _: Height) -> Answer<'_, Inclusion> {
        Box::pin(async { Err(SourceFault::NotFound) })
    }
}

fn raw(height: usize) -> BlockHeader {
    header(&FakeChain::real(TIP).headers[height])
}

fn root(height: usize) -> Start {
    Start::Pinned { root: Box::new(raw(height)), sources: vec![] }
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_starts_at_a_pinned_epoch_has_nothing_below_it() {
    let node = Node::new(FakeChain::real(TIP), Quirk::Honest);
    let mut world = World::start_at(vec![node], root(80));
    world.synced(TIP).await;
    assert_eq!(world.told.headers.keys().copied().collect::<Vec<_>>(), (81..=135).collect::<Vec<_>>());
    assert_eq!(world.client.base().height, 80);
    assert!(world.client.at(79).is_none() && world.client.at(81).is_some());
    assert_eq!(world.heights(), expected().into_iter().filter(|height| *height > 80).collect::<Vec<_>>());
    // The federation changed after the root, and the votes were counted.
    assert_eq!(world.client.tip().hash, FakeChain::real(TIP).hashes[TIP]);

    // What is below cannot be searched, and asking for it loses nothing.
    world.client.rescan(scripts(), 1);
    world.told.blocks.clear();
    world.until("a rescan", |told| told.scanned_to == 135 && !told.blocks.is_empty()).await;
    assert!(world.heights().iter().all(|height| *height > 80));
}

#[tokio::test(start_paused = true)]
async fn a_chain_resumes_from_the_anchor_it_was_told_and_starts_over_from_the_genesis_block() {
    let node = || Node::new(FakeChain::real(TIP), Quirk::Honest);
    let mut world = World::start_at(vec![node()], root(110));
    world.synced(TIP).await;
    let kept = ResumePoint { first: 111, headers: world.told.headers.values().cloned().collect(), scanned_to: 135 };
    let anchor = Anchor::pinned(&Arc::new(params(vec![])), raw(110)).expect("an epoch starts there");
    let read = Anchor::from_text(&anchor.to_text()).expect("what was written");
    assert_eq!(read, anchor);
    assert_eq!(Anchor::from_text(&anchor.to_text().replace("\"header\":\"", "\"header\":\"00")), None);
    assert!(Anchor::pinned(&Arc::new(params(vec![])), raw(111)).is_none(), "within an epoch");

    let nodes = vec![(address(0), node())];
    let mut again = World::start_with(nodes, kept, scripts(), Arc::default(), Start::At(Box::new(read)));
    assert_eq!((again.client.tip().height, again.client.base().height), (135, 110));
    again.until("sync", |told| told.phases.last() == Some(&Phase::Synced)).await;
    assert!(again.told.headers.is_empty() && again.told.rollbacks.is_empty(), "nothing is fetched twice");

    // A wallet that is older than the anchor was restored.
    again.client.start_over(None);
    again.until("all blocks", |told| told.scanned_to == 135 && told.blocks.len() == expected().len()).await;
    assert_eq!((again.told.anchors.as_slice(), again.told.rollbacks.as_slice()), (&[None][..], &[0][..]));
    assert_eq!((again.heights(), again.client.base().height), (expected(), 0));
    assert_eq!(again.told.headers.keys().next(), Some(&1));
}

#[tokio::test]
async fn a_skip_downloads_one_header_for_each_epoch_and_all_of_an_epoch_that_changes() {
    let params = Arc::new(params(vec![]));
    let root = || Anchor::pinned(&params, raw(10)).expect("an epoch starts there");
    let counted = Counted::new();
    let downloads = Arc::clone(&counted.downloads);
    let sources: Vec<Box<dyn HeaderSource>> = vec![Box::new(counted)];
    let (anchor, faults) = super::super::anchor::skip(&params, &Pinned::default(), root(), &sources, 12).await;
    assert_eq!((anchor.height(), faults), (120, vec![]));
    // The last header is compared once more.
    let seen = downloads.lock().expect("a lock").clone();
    let in_force = |height: u32| match raw(height as usize).dynafed_current() {
        Some(elements::dynafed::Params::Full(full)) => full.clone(),
        _ => panic!("full at the start of an epoch"),
    };
    let changed = (2..=12).filter(|epoch| in_force(epoch * 10) != in_force((epoch - 1) * 10)).count();
    assert!(changed > 0);
    assert_eq!(seen.len(), 11 + changed * 10 + 1, "{seen:?}");

    // Where two sources disagree about a header, the liar counts for nothing; where none agrees with itself, the root stays.
    let mut liar = Counted::new();
    liar.headers.iter_mut().skip(11).for_each(|header| header.time += 1);
    let sources: Vec<Box<dyn HeaderSource>> = vec![Box::new(liar), Box::new(Counted::new())];
    let (anchor, faults) = super::super::anchor::skip(&params, &Pinned::default(), root(), &sources, 12).await;
    assert_eq!(anchor.height(), 120);
    assert!(!faults.is_empty() && faults.iter().all(|fault| fault.refusal.args["peer"] == "counted"));
    let mut liar = Counted::new();
    liar.headers.iter_mut().skip(11).for_each(|header| header.time += 1);
    let (anchor, faults) =
        super::super::anchor::skip(&params, &Pinned::default(), root(), &[Box::new(liar) as Box<dyn HeaderSource>], 12).await;
    assert!(anchor == root() && !faults.is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_peers_the_chain_is_followed_through_a_source_and_a_liar_is_found_out() {
    let mut world = World::start(vec![], fresh(), scripts());
    assert_eq!(extend(&world.client, &Counted::new()).await, Ok(135));
    assert_eq!(world.client.tip().hash, FakeChain::real(TIP).hashes[TIP]);
    world.until("headers", |told| told.headers.len() == 135).await;
    assert_eq!(world.told.scanned_to, 0, "nothing is searched without filters");
    assert_eq!(extend(&world.client, &Counted::new()).await, Ok(0));

    let mut longer = Counted::new();
    let mut forged = raw(TIP);
    (forged.height, forged.prev_blockhash, forged.time) = (136, world.client.tip().hash, forged.time + 60);
    longer.headers.push(forged);
    let fault = extend(&world.client, &longer).await.expect_err("nobody signed it");
    assert_eq!((fault.refusal.args["peer"].as_str(), fault.refusal.args["why"].as_str()), ("counted", "bad-header"));
    assert_eq!(world.client.tip().height, 135);
    assert!(world.told.misrules.is_empty());

    // A source on a branch that parts below is asked from where they part on, and a shorter branch is not followed.
    let mut behind = Counted::new();
    behind.headers.truncate(100);
    assert_eq!(extend(&world.client, &behind).await, Ok(0));
    assert_eq!(world.client.tip().height, 135);
}
