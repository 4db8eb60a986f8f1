//! Watchmen over a simulated Bitcoin chain: every run follows from its seed.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash as _;
use bitcoin::secp256k1::{Message, SECP256K1, SecretKey, ecdsa};
use bitcoin::sighash::{EcdsaSighashType, SighashCache};
use bitcoin::{Amount, Block, OutPoint, ScriptBuf, Transaction, TxIn, TxMerkleNode, TxOut, Txid, Witness};
use causeway_federation::tweak::PegScript;
use causeway_federation::watchman::{
    Effect, Input, PegFault, PegInForce, PegPolicy, PeginClaim, PegoutRequest, Watchman, WatchmanConfig, WatchmanState,
    change_script, is_payment,
};
use causeway_federation::{Emergency, Envelope, Federation, FunctionaryKeys};
use causeway_vocab::Tip;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) struct Node {
    pub(crate) machine: Option<Watchman>,
    disk: Option<WatchmanState>,
    inbox: Vec<(u64, Envelope)>,
}

pub(crate) struct World {
    pub(crate) config: WatchmanConfig,
    /// The federation in force and whether its program is P2SH-P2WSH.
    present: (usize, bool),
    /// Members that have left and never answer again.
    gone: BTreeSet<usize>,
    /// Members that start from nothing after every crash, and so break every promise.
    pub(crate) forgetful: BTreeSet<usize>,
    rng: StdRng,
    now: u64,
    pub(crate) nodes: Vec<Node>,
    pub(crate) bitcoin: Vec<Block>,
    /// Every complete transaction ever announced, and deposits that wait for a block.
    pub(crate) announced: BTreeMap<Txid, Transaction>,
    mempool: Vec<Transaction>,
    sidechain: Vec<(Vec<PeginClaim>, Vec<PegoutRequest>, PegInForce)>,
    pub(crate) requested: BTreeMap<elements::OutPoint, PegoutRequest>,
    pub(crate) alarms: BTreeSet<String>,
    pub(crate) lost: u32,
    pub(crate) crashes: u32,
    pub(crate) restarts: u32,
    pub(crate) fee_rate: u64,
}

/// k of the members with these numbers.
pub(crate) fn set(members: &[u8], k: u8) -> Federation {
    let members: Vec<_> = members.iter().map(|id| keys(*id).member()).collect();
    let n = members.len() as u8;
    Federation::new(members, n, n, k).expect("a workable set")
}

/// The same set, with an emergency quorum that may take what lies still for so many blocks.
pub(crate) fn with_emergency(set: Federation, delay: u16) -> Federation {
    let keys = (1..=3).map(|number| SecretKey::from_slice(&[0xe0 | number; 32]).expect("a key").public_key(SECP256K1)).collect();
    set.with_emergency(Emergency { threshold: 2, keys, delay }).expect("workable")
}

fn keys(id: u8) -> FunctionaryKeys {
    let key = |purpose: u8| {
        let mut bytes = [purpose; 32];
        bytes[31] = id.wrapping_add(1);
        bytes[30] = u8::from(id == u8::MAX);
        SecretKey::from_slice(&bytes).expect("a key")
    };
    FunctionaryKeys { message: key(1), block: key(2), fedpeg: key(3) }
}

fn transaction(inputs: &[OutPoint], outputs: Vec<TxOut>, salt: u32) -> Transaction {
    let input = inputs.iter().map(|outpoint| TxIn {
        previous_output: *outpoint,
        script_sig: if inputs == [OutPoint::null()] {
            ScriptBuf::from_bytes(salt.to_le_bytes().to_vec())
        } else {
            ScriptBuf::new()
        },
        sequence: bitcoin::Sequence::MAX,
        witness: Witness::new(),
    });
    let input = input.collect();
    Transaction { version: bitcoin::transaction::Version::TWO, lock_time: LockTime::ZERO, input, output: outputs }
}

impl World {
    pub(crate) fn new(n: u8, k: u8, nested: bool, seed: u64) -> World {
        World::of(set(&(0..n).collect::<Vec<_>>(), k), nested, seed)
    }

    pub(crate) fn of(federation: Federation, nested: bool, seed: u64) -> World {
        let n = federation.n();
        let policy = PegPolicy { bump_after: 3, final_depth: 30, turn: 1000, ..PegPolicy::default() };
        let genesis = elements::BlockHash::from_byte_array([9; 32]);
        let config = WatchmanConfig { genesis, federations: vec![federation], policy };
        let nodes = (0..n).map(|_| Node { machine: None, disk: None, inbox: Vec::new() }).collect();
        let mut world = World {
            config,
            present: (0, nested),
            gone: BTreeSet::new(),
            forgetful: BTreeSet::new(),
            rng: StdRng::seed_from_u64(seed),
            now: 0,
            nodes,
            bitcoin: Vec::new(),
            announced: BTreeMap::new(),
            mempool: Vec::new(),
            sidechain: Vec::new(),
            requested: BTreeMap::new(),
            alarms: BTreeSet::new(),
            lost: 0,
            crashes: 0,
            restarts: 0,
            fee_rate: 2,
        };
        world.mine(true);
        world
    }

    /// Makes a federation known to everybody, who start again with it. New members start from nothing.
    pub(crate) fn introduce(&mut self, federation: Federation) {
        self.config.federations.push(federation);
        let members = self.config.federations.iter().flat_map(|set| set.members().iter());
        let last = members.filter_map(|member| (0..=u8::MAX).find(|id| keys(*id).member() == *member)).max().expect("members");
        while self.nodes.len() <= usize::from(last) {
            self.nodes.push(Node { machine: None, disk: None, inbox: Vec::new() });
        }
        for node in &mut self.nodes {
            node.machine = None;
        }
    }

    /// From the next sidechain block on the federation made known last is in force, with a native program.
    pub(crate) fn enforce(&mut self) {
        self.present = (self.config.federations.len() - 1, false);
    }

    /// Members that are in no federation but earlier ones stop for good.
    pub(crate) fn dismiss(&mut self) {
        let present = &self.config.federations[self.present.0];
        let left = |id: &usize| present.position(&keys(*id as u8).member().message).is_none();
        self.gone = (0..self.nodes.len()).filter(left).collect();
        for id in &self.gone {
            self.nodes[*id].machine = None;
        }
    }

    /// They answer after all.
    pub(crate) fn return_of_the_dismissed(&mut self) {
        self.gone.clear();
    }

    pub(crate) fn peg(&self) -> PegInForce {
        let (index, nested) = self.present;
        let federation = &self.config.federations[index];
        PegInForce { program: change_script(federation, nested), fedpegscript: federation.fedpegscript() }
    }

    /// A sidechain block.
    pub(crate) fn block(&mut self, pegins: Vec<PeginClaim>, pegouts: Vec<PegoutRequest>) {
        let peg = self.peg();
        self.sidechain.push((pegins, pegouts, peg));
    }

    /// Every script that change may ever have gone to.
    fn changes(&self) -> Vec<ScriptBuf> {
        let both = |federation| [false, true].map(|nested| change_script(federation, nested));
        self.config.federations.iter().flat_map(both).collect()
    }

    /// Pays the federation for this claim script and claims it when it is deep enough.
    pub(crate) fn peg_in(&mut self, sat: u64, claim: u8) {
        let claim = self.deposit(sat, claim);
        self.block(vec![claim], Vec::new());
    }

    /// Pays the federation in force for this claim script; gives the claim that can be made of it.
    pub(crate) fn deposit(&mut self, sat: u64, claim: u8) -> PeginClaim {
        let claim_script = elements::Script::from([&[0, 20][..], &[claim; 20]].concat());
        let script = PegScript::parse(&self.peg().fedpegscript).expect("a peg script");
        let script = script.tweaked(claim_script.as_bytes()).expect("a key").to_script().to_p2wsh();
        let script_pubkey = if self.present.1 { script.to_p2sh() } else { script };
        let output = TxOut { value: Amount::from_sat(sat), script_pubkey };
        let deposit = transaction(&[OutPoint::new(Txid::from_byte_array([claim; 32]), 0)], vec![output], 0);
        self.mempool.push(deposit.clone());
        self.mine(true);
        let block = self.bitcoin.last().expect("mined").clone();
        for _ in 0..10 {
            self.mine(true);
        }
        let txid = deposit.compute_txid();
        let proof = bitcoin::MerkleBlock::from_block_with_predicate(&block, |id| *id == txid);
        PeginClaim { deposit: OutPoint::new(txid, 0), sat, claim_script, parent_tx: deposit, proof }
    }

    pub(crate) fn peg_out(&mut self, sat: u64, authorised: bool) -> elements::OutPoint {
        let number = self.requested.len() as u32;
        let mut txid: [u8; 32] = self.rng.r#gen();
        txid[..4].copy_from_slice(&number.to_le_bytes());
        let outpoint = elements::OutPoint::new(elements::Txid::from_byte_array(txid), number % 3);
        let mut program = [0x11; 20];
        program[..4].copy_from_slice(&number.to_le_bytes());
        let destination = ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::from_byte_array(program));
        let request = PegoutRequest { outpoint, destination, sat, authorised };
        self.requested.insert(outpoint, request.clone());
        self.block(Vec::new(), vec![request]);
        outpoint
    }

    /// The outputs that nobody has spent, on the best chain.
    pub(crate) fn unspent(&self) -> BTreeMap<OutPoint, TxOut> {
        let mut coins = BTreeMap::new();
        for tx in self.bitcoin.iter().flat_map(|block| &block.txdata) {
            for input in &tx.input {
                coins.remove(&input.previous_output);
            }
            let txid = tx.compute_txid();
            coins.extend((0..).zip(&tx.output).map(|(vout, output)| (OutPoint { txid, vout }, output.clone())));
        }
        coins
    }

    /// Mines a block with what is valid of the mempool, all of it or some.
    pub(crate) fn mine(&mut self, all: bool) {
        let salt: u32 = self.rng.r#gen();
        let reward = TxOut { value: Amount::ZERO, script_pubkey: ScriptBuf::from_bytes(vec![0x51]) };
        let mut txdata = vec![transaction(&[OutPoint::null()], vec![reward], salt)];
        let mut coins = self.unspent();
        let mut waiting = std::mem::take(&mut self.mempool);
        // Which of two that conflict gets in is the miner's choice.
        if self.rng.r#gen() {
            waiting.reverse();
        }
        for tx in waiting {
            let foreign = tx.input[0].witness.is_empty();
            let valid = foreign || tx.input.iter().all(|input| coins.contains_key(&input.previous_output));
            if valid && (all || foreign || self.rng.gen_range(0..3) == 0) {
                for input in &tx.input {
                    coins.remove(&input.previous_output);
                }
                let txid = tx.compute_txid();
                coins.extend((0..).zip(&tx.output).map(|(vout, output)| (OutPoint { txid, vout }, output.clone())));
                txdata.push(tx);
            } else {
                self.mempool.push(tx);
            }
        }
        let prev = self.bitcoin.last().map_or(bitcoin::BlockHash::all_zeros(), Block::block_hash);
        let header = bitcoin::block::Header {
            version: bitcoin::block::Version::TWO,
            prev_blockhash: prev,
            merkle_root: TxMerkleNode::all_zeros(),
            time: self.bitcoin.len() as u32,
            bits: bitcoin::CompactTarget::from_consensus(0x207f_ffff),
            nonce: salt,
        };
        let mut block = Block { header, txdata };
        block.header.merkle_root = block.compute_merkle_root().expect("a coinbase");
        self.bitcoin.push(block);
    }

    /// Mines a transaction by which all coins leave the federation.
    pub(crate) fn steal(&mut self) {
        let ours = |output: &&TxOut| output.script_pubkey.is_p2sh() || output.script_pubkey.is_p2wsh();
        let coins: Vec<_> = self.unspent().iter().filter(|(_, output)| ours(output)).map(|(outpoint, _)| *outpoint).collect();
        let output = TxOut { value: Amount::from_sat(1), script_pubkey: ScriptBuf::from_bytes(vec![0x51]) };
        self.mempool.push(transaction(&coins, vec![output], 0));
        self.mine(true);
    }

    /// Mines a block without any of the waiting transactions.
    pub(crate) fn mine_empty(&mut self) {
        let waiting = std::mem::take(&mut self.mempool);
        self.mine(true);
        self.mempool = waiting;
    }

    /// Undoes blocks; their transactions wait again.
    pub(crate) fn reorganise(&mut self, depth: usize) {
        for _ in 0..depth {
            let block = self.bitcoin.pop().expect("a chain");
            self.mempool.extend(block.txdata.into_iter().skip(1));
        }
        for _ in 0..=depth {
            self.mine(false);
        }
    }

    /// A quarter of a second for every member.
    pub(crate) fn pass(&mut self) {
        self.now += 250;
        for id in 0..self.nodes.len() {
            if self.gone.contains(&id) {
                continue;
            }
            if self.nodes[id].machine.is_none() {
                if self.crashes == 0 || self.rng.gen_range(0..4) == 0 {
                    let disk = self.nodes[id].disk.clone();
                    self.nodes[id].machine = Some(Watchman::new(self.config.clone(), keys(id as u8), disk));
                }
                continue;
            }
            if self.rng.gen_range(0..1000) < self.crashes {
                self.nodes[id].machine = None;
                self.restarts += 1;
                continue;
            }
            self.follow(id);
            let (due, later) = std::mem::take(&mut self.nodes[id].inbox).into_iter().partition(|(time, _)| *time <= self.now);
            self.nodes[id].inbox = later;
            for (_, envelope) in due {
                self.feed(id, Input::Message(Box::new(envelope)));
            }
            let (now, fee_rate) = (self.now, self.fee_rate);
            self.feed(id, Input::Tick { now, fee_rate });
        }
    }

    /// Shows a member both chains, sometimes not all of them.
    fn follow(&mut self, id: usize) {
        loop {
            let Some(machine) = &self.nodes[id].machine else { return };
            let last = machine.state().bitcoin.last_key_value().map(|(height, hash)| (*height, *hash));
            let input = match last {
                Some((height, hash)) if self.bitcoin.get(height as usize).is_none_or(|block| block.block_hash() != hash) => {
                    Input::BitcoinDisconnected { height }
                }
                _ => {
                    let height = last.map_or(0, |(height, _)| height + 1);
                    let Some(block) = self.bitcoin.get(height as usize) else { break };
                    Input::BitcoinConnected { height, block: Box::new(block.clone()) }
                }
            };
            self.feed(id, input);
        }
        loop {
            let Some(machine) = &self.nodes[id].machine else { return };
            let height = machine.state().sidechain.last_key_value().map_or(0, |(height, _)| height + 1);
            let Some((pegins, pegouts, peg)) = self.sidechain.get(height as usize).cloned() else { break };
            let tip = Tip { height, hash: elements::BlockHash::from_byte_array([height as u8; 32]), time: height };
            self.feed(id, Input::SidechainConnected { tip, pegins, pegouts, peg });
        }
    }

    fn feed(&mut self, id: usize, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let Some(machine) = &mut self.nodes[id].machine else { return };
            for effect in machine.step(input) {
                match effect {
                    Effect::Broadcast(envelope) => {
                        let envelope = Envelope::decode(&envelope.encode()).expect("it reads back");
                        for to in 0..self.nodes.len() {
                            if to != id && self.rng.gen_range(0..1000) >= self.lost {
                                let time = self.now + self.rng.gen_range(0..1500);
                                self.nodes[to].inbox.push((time, envelope.clone()));
                            }
                        }
                    }
                    Effect::Persist(state) => {
                        // A crash before the write loses it, one after it loses only what follows.
                        let crash = self.crashes > 0 && self.rng.gen_range(0..60) == 0;
                        let written = (!crash || self.rng.r#gen()) && !self.forgetful.contains(&id);
                        if written {
                            let json = serde_json::to_string(&state).expect("JSON");
                            self.nodes[id].disk = Some(serde_json::from_str(&json).expect("it reads back"));
                        }
                        if crash {
                            self.nodes[id].machine = None;
                            self.restarts += 1;
                            return;
                        }
                        inputs.push(Input::Persisted { revision: state.revision });
                    }
                    Effect::BroadcastBitcoin(tx) => self.announce(*tx),
                    Effect::Alarm(fault) => {
                        let name = match fault {
                            PegFault::Unauthorised(_) => "unauthorised".to_owned(),
                            PegFault::Dust(_) => "dust".to_owned(),
                            other => other.to_string(),
                        };
                        self.alarms.insert(name);
                    }
                }
            }
        }
    }

    fn announce(&mut self, tx: Transaction) {
        let txid = tx.compute_txid();
        if self.announced.insert(txid, tx.clone()).is_none() {
            self.check(&tx);
        }
        let confirmed = self.bitcoin.iter().flat_map(|block| &block.txdata).any(|known| known.compute_txid() == txid);
        if !confirmed && !self.mempool.iter().any(|known| known.compute_txid() == txid) {
            self.mempool.push(tx);
        }
    }

    /// A complete transaction: signatures, and what it pays. Any two that pay the same peg-out must conflict.
    fn check(&self, tx: &Transaction) {
        let outputs = |txid: &Txid| {
            let mined = self.bitcoin.iter().flat_map(|block| &block.txdata);
            mined
                .chain(self.announced.values())
                .chain(&self.mempool)
                .find(|tx| tx.compute_txid() == *txid)
                .map(|tx| tx.output.clone())
        };
        for (index, input) in tx.input.iter().enumerate() {
            let spent = outputs(&input.previous_output.txid).expect("it spends something that exists");
            let spent = &spent[input.previous_output.vout as usize];
            let items = input.witness.to_vec();
            let script = ScriptBuf::from_bytes(items.last().expect("a script").clone());
            let program = script.to_p2wsh();
            let fits = spent.script_pubkey == program || spent.script_pubkey == program.to_p2sh();
            assert!(fits, "the witness script is that of the coin");
            let multisig = PegScript::parse(&script).expect("a multisig");
            let sighash = SighashCache::new(tx)
                .p2wsh_signature_hash(index, &script, spent.value, EcdsaSighashType::All)
                .expect("a sighash");
            let message = Message::from_digest(sighash.to_byte_array());
            let mut keys = multisig.keys.iter();
            for item in &items[1..items.len() - 1] {
                let signature = ecdsa::Signature::from_der(&item[..item.len() - 1]).expect("DER");
                assert!(keys.any(|key| SECP256K1.verify_ecdsa(&message, &signature, key).is_ok()), "a signature in key order");
            }
            assert_eq!(items.len() - 2, usize::from(multisig.k));
        }
        let changes = self.changes();
        for (txid, other) in &self.announced {
            let both = |output: &TxOut| {
                !changes.contains(&output.script_pubkey)
                    && other.output.iter().any(|paid| paid.script_pubkey == output.script_pubkey)
            };
            let conflict = tx.input.iter().any(|a| other.input.iter().any(|b| a.previous_output == b.previous_output));
            let apart = conflict || self.is_dead(other);
            assert!(*txid == tx.compute_txid() || apart || !tx.output.iter().any(both), "two that could both confirm");
        }
    }

    /// Whether a final transaction has spent one of its coins, or one of those that a coin of it would be made of.
    fn is_dead(&self, tx: &Transaction) -> bool {
        let depth = self.config.policy.final_depth as usize;
        let buried = &self.bitcoin[..(self.bitcoin.len() + 1).saturating_sub(depth)];
        let taken = buried
            .iter()
            .flat_map(|block| &block.txdata)
            .filter(|mined| mined.compute_txid() != tx.compute_txid())
            .any(|mined| mined.input.iter().any(|a| tx.input.iter().any(|b| a.previous_output == b.previous_output)));
        let parents = || tx.input.iter().filter_map(|input| self.announced.get(&input.previous_output.txid));
        taken || parents().any(|parent| self.is_dead(parent))
    }

    /// Peg-outs paid on the best chain. Each at most once, by the rule that links it, and nothing else leaves the federation.
    pub(crate) fn paid(&self) -> BTreeSet<elements::OutPoint> {
        let changes = self.changes();
        let mut paid = BTreeSet::new();
        for tx in self.bitcoin.iter().flat_map(|block| &block.txdata).filter(|tx| self.announced.contains_key(&tx.compute_txid()))
        {
            let last = &tx.output.last().expect("outputs").script_pubkey;
            let change = changes.iter().find(|change| *change == last).unwrap_or(&changes[0]);
            for (vout, output) in (0..).zip(&tx.output).filter(|(_, output)| output.script_pubkey != *change) {
                let request = self.requested.values().find(|request| request.destination == output.script_pubkey);
                let request = request.expect("only peg-outs are paid");
                let rates = self.config.policy.fee_rate.clone();
                let share = is_payment(tx, vout, &request.destination, request.sat, change, rates.clone());
                assert!(share.is_some(), "the payment follows the rule");
                assert_eq!(is_payment(tx, vout, &request.destination, request.sat + 1_000_000, change, 1..=50), None);
                assert!(paid.insert(request.outpoint), "paid twice");
            }
        }
        paid
    }

    /// What confirmed sweeps have cost, satoshi.
    pub(crate) fn cost_of_sweeps(&self) -> u64 {
        let mined: BTreeMap<Txid, &Transaction> =
            self.bitcoin.iter().flat_map(|block| &block.txdata).map(|tx| (tx.compute_txid(), tx)).collect();
        let sweeps = mined.iter().filter(|(txid, tx)| self.announced.contains_key(*txid) && self.is_sweep(tx));
        let cost = |tx: &Transaction| {
            let spent = |input: &TxIn| mined[&input.previous_output.txid].output[input.previous_output.vout as usize].value;
            tx.input.iter().map(spent).sum::<Amount>() - tx.output[0].value
        };
        sweeps.map(|(_, tx)| cost(tx).to_sat()).sum()
    }

    fn is_sweep(&self, tx: &Transaction) -> bool {
        tx.output.len() == 1 && self.changes().contains(&tx.output[0].script_pubkey)
    }

    /// Bitcoin blocks on the oldest coin of the federation, its own counted.
    pub(crate) fn oldest(&self) -> usize {
        let ours: BTreeSet<Txid> = self.coins().map(|(outpoint, _)| outpoint.txid).collect();
        let holds = |block: &Block| block.txdata.iter().any(|tx| ours.contains(&tx.compute_txid()));
        self.bitcoin.iter().position(holds).map_or(0, |height| self.bitcoin.len() - height)
    }

    fn coins(&self) -> impl Iterator<Item = (OutPoint, TxOut)> {
        let ours = |script: &ScriptBuf| script.is_p2sh() || script.is_p2wsh();
        self.unspent().into_iter().filter(move |(_, output)| ours(&output.script_pubkey))
    }

    /// Tells every watchman whether its block signer is halted.
    pub(crate) fn halt(&mut self, halted: bool) {
        for id in 0..self.nodes.len() {
            self.feed(id, Input::Halted(halted));
        }
    }

    /// What lies on the present script without a tweak, satoshi.
    pub(crate) fn kept(&self) -> u64 {
        let program = self.peg().program;
        self.unspent().values().filter(|output| output.script_pubkey == program).map(|output| output.value.to_sat()).sum()
    }

    /// What the federation holds on the best chain, satoshi.
    pub(crate) fn held(&self) -> u64 {
        self.coins().map(|(_, output)| output.value.to_sat()).sum()
    }
}
