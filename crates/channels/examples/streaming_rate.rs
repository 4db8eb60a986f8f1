//! Measures payments over one streaming channel: `cargo run --release -p causeway-channels --example streaming_rate -- DIR [PAYMENTS]`.
//!
//! Both sides run in this process. Each payment is signed, sent as bytes, verified and answered; both states are written to files of DIR and
//! synced to disk before the message that follows from them leaves.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use bitcoin::key::Keypair;
use bitcoin::{Network, OutPoint, ScriptBuf};
use causeway_channels::Step;
use causeway_channels::streaming::{Acceptance, Message, Payee, PayeeEffect, Payer, PayerEffect, Policy, Proposal};
use causeway_vocab::Atoms;
use secp256k1_zkp::SECP256K1;
use serde::Serialize;
use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::time::Instant;

/// One file that always holds the newest state.
struct Disk(File, bool);

impl Disk {
    fn save<S: Serialize, E>(&mut self, step: Step<S, E>) -> (S, Vec<E>) {
        let bytes = serde_json::to_vec(step.state()).unwrap();
        self.0.rewind().unwrap();
        self.0.write_all(&bytes).unwrap();
        if self.1 {
            self.0.sync_data().unwrap();
        }
        step.saved()
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let dir = std::path::PathBuf::from(arguments.next().expect("a directory"));
    let payments: u32 = arguments.next().map_or(2_000, |text| text.parse().unwrap());
    for sync in [false, true] {
        let disk = |name: &str| Disk(File::create(dir.join(name)).unwrap(), sync);
        let seconds = run(payments, disk("payer.json"), disk("payee.json"));
        let rate = f64::from(payments) / seconds;
        println!("{payments} payments in {seconds:.2} s: {rate:.0} per second, {}", if sync { "synced" } else { "not synced" });
    }
}

fn run(payments: u32, mut payer_disk: Disk, mut payee_disk: Disk) -> f64 {
    let [payer_key, payee_key] = [1, 2].map(|number| Keypair::from_seckey_slice(SECP256K1, &[number; 32]).unwrap());
    let home = |key: &Keypair| ScriptBuf::new_p2tr(SECP256K1, key.x_only_public_key().0, None);
    let proposal = Proposal {
        network: Network::Regtest,
        payer: payer_key.x_only_public_key().0,
        capacity: Atoms(10_000_000),
        expiry: 1_000,
        fee: Atoms(500),
        payer_script: home(&payer_key),
    };
    let acceptance = Acceptance { payee: payee_key.x_only_public_key().0, payee_script: home(&payee_key), depth: 1, margin: 10 };
    let policy = Policy { network: Network::Regtest, least_capacity: Atoms(0), least_fee: Atoms(0), least_service: 1 };
    let coin = OutPoint { vout: 0, ..OutPoint::null() };
    let (payer, _) = Payer::propose(proposal.clone(), 100).unwrap().saved();
    let (payee, _) = Payee::answer(proposal, acceptance.clone(), &policy, 100).unwrap().saved();
    let (payer, _) = payer.receive(&Message::Accept(acceptance)).unwrap().saved();
    let (payer, _) = payer.funded(coin).unwrap().saved();
    let id = payee.terms().id();
    let (payee, _) = payee.receive(&Message::Funded(id, coin), &payee_key).unwrap().saved();
    let (mut payee, _) = payee.funding_seen(coin, &payee.terms().funding(), 101).unwrap().saved();
    let (mut payer, _) = payer.receive(&Message::Ready(id)).unwrap().saved();

    let start = Instant::now();
    for number in 0..payments {
        let amount = if number == 0 { Atoms(330) } else { Atoms(1) };
        let (next, effects) = payer_disk.save(payer.pay(amount, &payer_key).unwrap());
        let [PayerEffect::Send(message)] = &effects[..] else { panic!("a payment") };
        let heard = Message::decode(&message.encode()).unwrap();
        let (served, effects) = payee_disk.save(payee.receive(&heard, &payee_key).unwrap());
        let [PayeeEffect::Send(message)] = &effects[..] else { panic!("an answer") };
        let heard = Message::decode(&message.encode()).unwrap();
        (payer, payee) = (payer_disk.save(next.receive(&heard).unwrap()).0, served);
    }
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(payee.total(), payer.acknowledged());
    seconds
}
