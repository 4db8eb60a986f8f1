//! Measures payments over one streaming channel: `cargo run --release -p causeway-channels --example streaming_rate -- DIR [PAYMENTS]`.
//!
//! Both sides run in this process. Each payment is signed, sent as bytes, verified and answered; both states are written to files of DIR and
//! synced to disk before the messages that follow from them leave: after each payment, or after each group of payments.

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
use std::path::Path;
use std::time::Instant;

/// Writes the newest of several steps to disk; only then are their effects had.
fn save<S: Serialize, E>(mut disk: &File, sync: bool, steps: Vec<Step<S, E>>) -> Vec<E> {
    let bytes = serde_json::to_vec(steps.last().unwrap().state()).unwrap();
    disk.rewind().unwrap();
    disk.write_all(&bytes).unwrap();
    if sync {
        disk.sync_data().unwrap();
    }
    steps.into_iter().flat_map(|step| step.saved().1).collect()
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let dir = std::path::PathBuf::from(arguments.next().expect("a directory"));
    let payments: u32 = arguments.next().map_or(2_000, |text| text.parse().unwrap());
    for (sync, group) in [(false, 1), (true, 1), (true, 32)] {
        let micros = run(payments, group, sync, &dir).max(1);
        let rate = u128::from(payments) * 1_000_000 / micros;
        println!("{payments} payments, {rate} per second, {} in groups of {group}", if sync { "synced" } else { "not synced" });
    }
}

/// Microseconds for so many payments.
fn run(payments: u32, group: u32, sync: bool, dir: &Path) -> u128 {
    let [payer_disk, payee_disk] = ["payer.json", "payee.json"].map(|name| File::create(dir.join(name)).unwrap());
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
    for begin in (0..payments).step_by(group as usize) {
        let mut steps = vec![];
        for number in begin..payments.min(begin + group) {
            let step = payer.pay(if number == 0 { Atoms(330) } else { Atoms(1) }, &payer_key).unwrap();
            payer = step.state().clone();
            steps.push(step);
        }
        let sent = save(&payer_disk, sync, steps);
        let mut steps = vec![];
        for effect in sent {
            let PayerEffect::Send(message) = effect else { panic!("a payment") };
            let step = payee.receive(&Message::decode(&message.encode()).unwrap(), &payee_key).unwrap();
            payee = step.state().clone();
            steps.push(step);
        }
        for effect in save(&payee_disk, sync, steps) {
            let PayeeEffect::Send(message) = effect else { panic!("an answer") };
            // An acknowledgement that is forgotten is given again: it need not be on disk.
            payer = payer.receive(&Message::decode(&message.encode()).unwrap()).unwrap().saved().0;
        }
    }
    assert_eq!(payee.total(), payer.acknowledged());
    start.elapsed().as_micros()
}
