//! Transactions without colours cost the readers no allocation.
#![allow(unsafe_code, reason = "an allocator that counts")]

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash as _;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness};
use causeway_colored::counterparty::carrier;
use causeway_colored::{colu, epobc, guard, open_assets, payload};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; counting touches a thread-local number only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

fn ordinary() -> Vec<Transaction> {
    let key = |seed: u8| [&[0x21, 2][..], &[seed; 32]].concat();
    let scripts = vec![
        ScriptBuf::from_bytes([&[0x00, 0x14][..], &[7; 20]].concat()),
        ScriptBuf::from_bytes([&[0x76, 0xa9, 0x14][..], &[7; 20], &[0x88, 0xac]].concat()),
        ScriptBuf::from_bytes([&[0x51][..], &key(1), &key(2), &key(3), &[0x53, 0xae]].concat()),
        payload::script(b"omni and more than eight bytes").expect("short"),
        payload::script(b"O").expect("short"),
        ScriptBuf::from_bytes(vec![0x6a, 0x51, 0x4c]),
        ScriptBuf::from_bytes(vec![0x6a]),
        ScriptBuf::new(),
    ];
    let transaction = |script: ScriptBuf| Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint { txid: Txid::hash(script.as_bytes()), vout: 0 },
            script_sig: ScriptBuf::new(),
            sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
            witness: Witness::from_slice(&[&[7; 72][..], &[8; 33]]),
        }],
        output: vec![TxOut { value: Amount::from_sat(1), script_pubkey: script }],
    };
    scripts.into_iter().map(transaction).collect()
}

#[test]
fn transactions_without_colours_are_read_without_allocation() {
    for tx in ordinary() {
        let script = &tx.output[0].script_pubkey;
        assert_eq!(allocations(|| assert!(open_assets::Marker::from_script(script).is_err())), 0, "{script}");
        assert_eq!(allocations(|| assert!(colu::Message::read(script.as_bytes()).is_err())), 0, "{script}");
        assert_eq!(allocations(|| assert!(epobc::Tag::of(&tx).is_none())), 0, "{script}");
        assert_eq!(allocations(|| assert!(carrier::find(&tx).is_none())), 0, "{script}");
        assert_eq!(allocations(|| assert!(guard::protocols(&tx).is_empty())), 0, "{script}");
    }
}

#[test]
fn allocations_are_counted() {
    assert_eq!(allocations(|| drop(Box::new(7))), 1);
}
