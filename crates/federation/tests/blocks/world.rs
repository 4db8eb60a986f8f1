//! A federation on a simulated network: every run follows from its seed.

use bitcoin::secp256k1::{PublicKey, SecretKey};
use causeway_federation::blocksigner::{Blocksigner, BlocksignerConfig, Effect, Input, Millis, SigningState, Timing, Verdict};
use causeway_federation::{Body, DoubleSign, Envelope, Federation, FunctionaryKeys, MemberId};
use causeway_vocab::{Height, Tip};
use elements::dynafed::{FullParams, Params};
use elements::{Block, BlockExtData, BlockHash, BlockHeader, TxMerkleNode};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::collections::{BTreeMap, BTreeSet};

use crate::traitor::Traitor;

/// What the network and the members do.
#[derive(Debug, Clone)]
pub(crate) struct Conditions {
    pub(crate) n: u8,
    pub(crate) precommits: u8,
    pub(crate) signatures: u8,
    /// Members that follow the traitor's rules.
    pub(crate) byzantine: u8,
    /// Members that never say anything.
    pub(crate) silent: u8,
    /// Chance in a thousand that a message is lost, or comes twice.
    pub(crate) lost: u32,
    pub(crate) doubled: u32,
    /// Longest delay of a message.
    pub(crate) delay: Millis,
    /// Chance in a thousand, per second and member, of a crash.
    pub(crate) crashes: u32,
    /// Chance in a thousand, per second, that the network falls in two for a while.
    pub(crate) partitions: u32,
    /// Who signs the blocks above height 2 instead, by number, and how many of them it takes.
    pub(crate) successor: Option<(Vec<u8>, u8)>,
    /// Trouble ends at this time: then nothing is lost and delays are short. Byzantine members go on.
    pub(crate) calm_after: Millis,
}

impl Conditions {
    pub(crate) fn calm(n: u8, k: u8) -> Conditions {
        Conditions {
            n,
            precommits: k,
            signatures: k,
            byzantine: 0,
            silent: 0,
            lost: 0,
            doubled: 0,
            delay: 20,
            crashes: 0,
            partitions: 0,
            successor: None,
            calm_after: 0,
        }
    }
}

/// What happens to a member later on.
enum Event {
    Arrives(Box<Envelope>),
    Answer(Input),
    Written(Box<SigningState>),
    Tick,
    Restart,
}

struct Node {
    machine: Option<Blocksigner>,
    /// Counts restarts: what belongs to an earlier life is lost.
    life: u32,
    disk: Option<SigningState>,
    chain: Vec<Block>,
    templates: u32,
}

pub(crate) struct World {
    conditions: Conditions,
    /// The first, and who follows it.
    federations: Vec<Federation>,
    rng: StdRng,
    pub(crate) now: Millis,
    nodes: Vec<Node>,
    traitors: BTreeMap<MemberId, Traitor>,
    events: BTreeMap<(Millis, u64), (MemberId, u32, Event)>,
    sequence: u64,
    /// Members that cannot reach the others at the moment.
    island: BTreeSet<MemberId>,
    /// Complete blocks by height.
    pub(crate) finished: BTreeMap<Height, BTreeSet<BlockHash>>,
    /// What honest members signed.
    signed: BTreeMap<(MemberId, Height), BTreeSet<BlockHash>>,
    pub(crate) accused: BTreeSet<MemberId>,
    /// Who is proven to strangers to have signed two blocks of one height.
    pub(crate) doubles: BTreeSet<MemberId>,
    pub(crate) restarts: u32,
    /// Operators look at proofs of double signatures, and have their members go on.
    pub(crate) operators: bool,
}

pub(crate) fn keys(id: u8) -> FunctionaryKeys {
    let key = |purpose: u8| {
        let mut bytes = [purpose; 32];
        bytes[31] = id + 1;
        SecretKey::from_slice(&bytes).expect("a key")
    };
    FunctionaryKeys { message: key(1), block: key(2), fedpeg: key(3) }
}

pub(crate) fn genesis() -> BlockHash {
    BlockHash::from_byte_array([7; 32])
}

pub(crate) fn params(federation: &Federation) -> FullParams {
    causeway_federation::dynafed::params_of(federation, Vec::new())
}

/// An unsigned block. `salt` makes it unlike others; those with time 13 break a rule.
pub(crate) fn block(height: Height, prev: BlockHash, salt: u32, valid: bool) -> Block {
    let mut root = [0; 32];
    root[..4].copy_from_slice(&salt.to_le_bytes());
    let header = BlockHeader {
        version: 0x2000_0000,
        prev_blockhash: prev,
        merkle_root: TxMerkleNode::from_byte_array(root),
        time: if valid { 1_700_000_000 } else { 13 },
        height,
        ext: BlockExtData::Dynafed { current: Params::Null, proposed: Params::Null, signblock_witness: Vec::new() },
    };
    Block { header, txdata: Vec::new() }
}

impl World {
    pub(crate) fn new(conditions: Conditions, seed: u64) -> World {
        let members = (0..conditions.n).map(|id| keys(id).member()).collect();
        let federation = Federation::new(members, conditions.precommits, conditions.signatures, conditions.signatures)
            .expect("a workable set");
        let mut rng = StdRng::seed_from_u64(seed);
        // Who is bad is as random as all else.
        let mut order: Vec<MemberId> = (0..conditions.n).collect();
        for at in (1..order.len()).rev() {
            order.swap(at, rng.gen_range(0..=at));
        }
        let bad = usize::from(conditions.byzantine);
        let silent: BTreeSet<MemberId> = order.iter().skip(bad).take(conditions.silent.into()).copied().collect();
        let traitors = order[..bad].iter().map(|id| (*id, Traitor::new(*id, federation.clone()))).collect();
        let successor = conditions.successor.clone().map(|(members, k)| {
            let members = members.iter().map(|id| keys(*id).member()).collect();
            Federation::new(members, k, k, k).expect("a workable set")
        });
        let newest = conditions.successor.iter().flat_map(|(members, _)| members).map(|id| id + 1).max().unwrap_or(0);
        let count = conditions.n.max(newest);
        let nodes = (0..count).map(|_| Node { machine: None, life: 0, disk: None, chain: Vec::new(), templates: 0 }).collect();
        let mut world = World {
            conditions,
            federations: std::iter::once(federation).chain(successor).collect(),
            rng,
            now: 0,
            nodes,
            traitors,
            events: BTreeMap::new(),
            sequence: 0,
            island: BTreeSet::new(),
            finished: BTreeMap::new(),
            signed: BTreeMap::new(),
            accused: BTreeSet::new(),
            doubles: BTreeSet::new(),
            restarts: 0,
            operators: true,
        };
        for id in 0..count {
            if !silent.contains(&id) && !world.traitors.contains_key(&id) {
                world.start(id);
            }
        }
        world
    }

    fn timing() -> Timing {
        Timing { interval: 500, round: 1000, round_step: 300, round_most: 20_000, resend: 300 }
    }

    fn is_calm(&self) -> bool {
        self.now >= self.conditions.calm_after
    }

    /// Who signs the block of this height.
    fn federation_at(&self, height: Height) -> &Federation {
        self.federations.get(usize::from(height > 2)).unwrap_or(&self.federations[0])
    }

    fn count(&self) -> u8 {
        self.nodes.len() as u8
    }

    fn start(&mut self, id: MemberId) {
        let next = self.nodes[usize::from(id)].chain.len() as Height + 1;
        let params = params(self.federation_at(next));
        let config = BlocksignerConfig {
            genesis: genesis(),
            federations: self.federations.clone(),
            timing: World::timing(),
            wanted: None,
        };
        let node = &mut self.nodes[usize::from(id)];
        node.life += 1;
        let tip = tip(&node.chain);
        node.machine = Some(Blocksigner::new(config, keys(id), tip, params, node.disk.clone(), self.now));
        self.later(1, id, Event::Tick);
        for traitor in self.doubles.clone() {
            let pause = self.rng.gen_range(1000..4000);
            self.operate(pause, id, keys(traitor).member().block);
        }
    }

    fn operate(&mut self, pause: Millis, id: MemberId, key: PublicKey) {
        if self.operators {
            self.later(pause, id, Event::Answer(Input::Acknowledged { key }));
        }
    }

    /// The chain of a member.
    pub(crate) fn height_of(&self, id: MemberId) -> usize {
        self.nodes[usize::from(id)].chain.len()
    }

    /// Who is halted, of those that run.
    pub(crate) fn halted(&self) -> BTreeSet<MemberId> {
        let halted = |id: &MemberId| {
            let machine = self.nodes[usize::from(*id)].machine.as_ref();
            machine.is_some_and(|machine| !machine.halted_by().is_empty())
        };
        (0..self.count()).filter(halted).collect()
    }

    /// Stops a member and starts it again with what it has on disk.
    pub(crate) fn restart(&mut self, id: MemberId) {
        self.nodes[usize::from(id)].machine = None;
        self.start(id);
    }

    fn later(&mut self, delay: Millis, id: MemberId, event: Event) {
        self.sequence += 1;
        let life = self.nodes[usize::from(id)].life;
        self.events.insert((self.now + delay, self.sequence), (id, life, event));
    }

    /// Runs until `until`, or until every honest member that runs has `height` blocks. Gives whether they have.
    pub(crate) fn run(&mut self, until: Millis, height: Height) -> bool {
        let mut second = self.now / 1000;
        while let Some(entry) = self.events.first_entry() {
            let time = entry.key().0;
            if time > until {
                self.now = until;
                return false;
            }
            let (id, life, event) = entry.remove();
            self.now = time;
            if self.now / 1000 > second {
                second = self.now / 1000;
                self.trouble();
                let running = self.nodes.iter().filter(|node| node.machine.is_some());
                if self.is_calm() && running.clone().count() > 0 && running.clone().all(|n| n.chain.len() as u32 >= height) {
                    return true;
                }
            }
            let current = self.nodes[usize::from(id)].life == life;
            match event {
                Event::Arrives(envelope) => self.arrive(id, *envelope),
                Event::Restart => self.start(id),
                _ if !current => {}
                Event::Answer(input) => self.feed(id, input),
                Event::Written(state) => {
                    let revision = state.revision;
                    let disk = &mut self.nodes[usize::from(id)].disk;
                    // A later state replaces an earlier one, never the other way round.
                    if disk.as_ref().is_none_or(|older| older.revision < revision) {
                        *disk = Some(*state);
                    }
                    self.feed(id, Input::Persisted { revision });
                }
                Event::Tick => {
                    self.look_on(id);
                    self.feed(id, Input::Tick { now: self.now });
                    self.later(100, id, Event::Tick);
                }
            }
        }
        false
    }

    fn trouble(&mut self) {
        if self.is_calm() {
            self.island.clear();
            return;
        }
        if self.rng.gen_range(0..1000) < self.conditions.partitions {
            self.island = (0..self.count()).filter(|_| self.rng.r#gen()).collect();
        } else if self.rng.gen_range(0..4) == 0 {
            self.island.clear();
        }
        for id in 0..self.count() {
            let node = &mut self.nodes[usize::from(id)];
            if node.machine.is_some() && self.rng.gen_range(0..1000) < self.conditions.crashes {
                node.machine = None;
                node.life += 1;
                self.restarts += 1;
                let pause = self.rng.gen_range(1..3000);
                self.later(pause, id, Event::Restart);
            }
        }
    }

    fn arrive(&mut self, id: MemberId, envelope: Envelope) {
        // Everything crosses a wire.
        let envelope = Envelope::decode(&envelope.encode()).expect("it reads back");
        if let Some(traitor) = self.traitors.get_mut(&id) {
            let says = traitor.hear(&envelope, &mut self.rng);
            for (to, message) in says {
                self.send(id, to, message);
            }
        } else {
            self.feed(id, Input::Message(Box::new(envelope)));
        }
    }

    fn send(&mut self, from: MemberId, to: MemberId, message: Envelope) {
        let calm = self.is_calm();
        let apart = self.island.contains(&from) != self.island.contains(&to);
        if to == from || !calm && (apart || self.rng.gen_range(0..1000) < self.conditions.lost) {
            return;
        }
        let copies = if !calm && self.rng.gen_range(0..1000) < self.conditions.doubled { 2 } else { 1 };
        for _ in 0..copies {
            let delay = if calm { self.rng.gen_range(1..20) } else { self.rng.gen_range(1..=self.conditions.delay) };
            self.later(delay, to, Event::Arrives(Box::new(message.clone())));
        }
    }

    fn feed(&mut self, id: MemberId, input: Input) {
        let Some(machine) = &mut self.nodes[usize::from(id)].machine else { return };
        for effect in machine.step(input) {
            self.act(id, effect);
        }
    }

    fn act(&mut self, id: MemberId, effect: Effect) {
        let soon = self.rng.gen_range(1..15);
        match effect {
            Effect::Broadcast(message) => {
                self.watch(id, &message);
                for to in 0..self.count() {
                    self.send(id, to, (*message).clone());
                }
            }
            Effect::Send { to, message } => {
                let machine = self.nodes[usize::from(id)].machine.as_ref().expect("it runs");
                let member = machine.signers().and_then(|set| set.member(to)).expect("it speaks to members");
                let node = (0..self.count()).find(|node| keys(*node).member() == *member).expect("a node");
                self.send(id, node, *message);
            }
            Effect::BuildTemplate { height, prev, .. } => {
                let node = &mut self.nodes[usize::from(id)];
                node.templates += 1;
                let salt = u32::from(id) << 24 | node.life << 12 | node.templates;
                self.later(soon, id, Event::Answer(Input::Template(Box::new(block(height, prev, salt, true)))));
            }
            Effect::Validate(block) => {
                let verdict = if block.header.time == 13 { Verdict::Invalid } else { Verdict::Valid };
                self.later(soon, id, Event::Answer(Input::Validated { hash: block.block_hash(), verdict }));
            }
            Effect::Persist(state) => self.later(soon, id, Event::Written(state)),
            Effect::FinishBlock(block) => self.connect(id, *block),
            Effect::InvalidBlockSigned(block) => panic!("signed and invalid: {}", block.block_hash()),
            Effect::Behind { .. } => self.catch_up(id),
            Effect::EquivocationFound(evidence) => {
                assert!(self.federations.iter().any(|set| evidence.verify(&genesis(), set)));
                self.accused.insert(evidence.member);
            }
            Effect::DoubleSigned(proof) => {
                let proof = DoubleSign::from_bytes(&proof.to_bytes()).expect("it reads back");
                assert!(proof.verify());
                let member = (0..self.count()).find(|id| keys(*id).member().block == proof.key).expect("a member's key");
                self.doubles.insert(member);
                let pause = self.rng.gen_range(1000..4000);
                self.operate(pause, id, proof.key);
            }
            Effect::UnknownFederation => panic!("the federation is known"),
        }
    }

    /// Takes the next block from whoever has it.
    fn catch_up(&mut self, id: MemberId) {
        let mine = self.nodes[usize::from(id)].chain.len();
        let longest = self.nodes.iter().map(|node| &node.chain).max_by_key(|chain| chain.len()).cloned();
        if let Some(next) = longest.and_then(|chain| chain.get(mine).cloned()) {
            self.connect(id, next);
        }
    }

    /// Who is no member at the moment follows the chain as everybody does.
    fn look_on(&mut self, id: MemberId) {
        let machine = self.nodes[usize::from(id)].machine.as_ref();
        if self.federations.len() > 1 && machine.is_some_and(|machine| machine.signers().is_none()) {
            self.catch_up(id);
        }
    }

    /// Stores a complete block, durably, and says so.
    fn connect(&mut self, id: MemberId, block: Block) {
        assert!(is_complete(&block, self.federation_at(block.header.height)), "Y of n signatures in key order");
        self.finished.entry(block.header.height).or_default().insert(block.block_hash());
        let forked = self.has_fork();
        let node = &mut self.nodes[usize::from(id)];
        // It may have come from elsewhere in the meantime.
        if block.header.height != tip(&node.chain).height + 1 || forked {
            return;
        }
        assert_eq!(block.header.prev_blockhash, tip(&node.chain).hash, "it continues the chain");
        node.chain.push(block);
        let tip = tip(&node.chain);
        let params = Box::new(params(self.federation_at(tip.height + 1)));
        self.later(1, id, Event::Answer(Input::BlockAccepted { tip, params }));
    }

    fn watch(&mut self, id: MemberId, message: &Envelope) {
        if let Body::Share(share) = &message.body {
            let signed = self.signed.entry((id, share.height)).or_default();
            signed.insert(share.hash);
            assert_eq!(signed.len(), 1, "member {id} signed two blocks at height {}", share.height);
        }
    }

    /// Runs until there are two complete blocks of one height.
    pub(crate) fn run_until_fork(&mut self, until: Millis) -> bool {
        while self.now < until && !self.has_fork() {
            let next = self.now + 1000;
            self.run(next, Height::MAX);
        }
        self.has_fork()
    }

    /// Whether two complete blocks of one height exist.
    pub(crate) fn has_fork(&self) -> bool {
        self.finished.values().any(|blocks| blocks.len() > 1)
    }

    pub(crate) fn traitors(&self) -> BTreeSet<MemberId> {
        self.traitors.keys().copied().collect()
    }
}

fn tip(chain: &[Block]) -> Tip<BlockHash> {
    match chain.last() {
        Some(block) => Tip { height: block.header.height, hash: block.block_hash(), time: block.header.time },
        None => Tip { height: 0, hash: genesis(), time: 0 },
    }
}

/// The rules of the signing script, written down a second time.
fn is_complete(block: &Block, federation: &Federation) -> bool {
    use bitcoin::secp256k1::{Message, SECP256K1, ecdsa};
    let BlockExtData::Dynafed { signblock_witness: witness, .. } = &block.header.ext else { return false };
    let message = Message::from_digest(block.block_hash().to_byte_array());
    let size = elements::encode::serialize(witness).len();
    let mut position = 0;
    let mut signatures = 0;
    for item in &witness[1..witness.len() - 1] {
        let signature = ecdsa::Signature::from_der(&item[..item.len() - 1]).expect("DER");
        let keys = &federation.members()[position..];
        match keys.iter().position(|member| SECP256K1.verify_ecdsa(&message, &signature, &member.block).is_ok()) {
            Some(found) => position += found + 1,
            None => return false,
        }
        signatures += 1;
    }
    witness[0].is_empty()
        && signatures == federation.sign_threshold()
        && witness[witness.len() - 1] == federation.block_script().to_bytes()
        && size <= federation.block_witness_limit() as usize
}
