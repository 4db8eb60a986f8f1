//! Reading transactions that hold no colours, and colouring a coin with ten thousand ancestors.

use super::{Figure, millis, timed};
use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash as _;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness};
use causeway_colored::open_assets::{AssetId, Coin, plan};
use causeway_colored::{Ancestry, Layout, Verdict, guard};
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

const ROUNDS: usize = 5;
const TRANSACTIONS: u16 = 10_000;
const ANCESTORS: u32 = 10_000;
/// Microseconds for one transaction at 200,000 a second.
const READING: f64 = 5.0;
const COLOURING: f64 = 1_000.0;

pub(super) fn measure() -> Result<Vec<Figure>, String> {
    Ok(vec![reading()?, colouring()?])
}

fn reading() -> Result<Figure, String> {
    let transactions: Vec<Transaction> = (0..TRANSACTIONS).map(ordinary).collect();
    let mut least = Duration::MAX;
    for _ in 0..ROUNDS {
        let (spoken, took) = timed(|| transactions.iter().filter(|tx| !guard::protocols(black_box(tx)).is_empty()).count());
        if spoken > 0 {
            return Err(format!("{spoken} ordinary transactions were taken for coloured ones"));
        }
        least = least.min(took);
    }
    let each = millis(least) * 1_000.0 / f64::from(TRANSACTIONS);
    Ok(Figure::new(
        "A transaction without colours read by every protocol",
        "us",
        each,
        READING,
        "200,000 transactions per second",
        1.0,
    ))
}

fn colouring() -> Result<Figure, String> {
    let (chain, tip, units) = ancestry()?;
    let mut least = Duration::MAX;
    for _ in 0..ROUNDS {
        let mut ancestry = Ancestry::new(|txid: &Txid| chain.get(txid).cloned());
        let (verdict, took) = timed(|| ancestry.verdict(tip));
        match verdict {
            Verdict::Coloured(held) if held.iter().map(|held| held.quantity).sum::<u64>() == units => least = least.min(took),
            other => return Err(format!("{units} units came out as {other:?}")),
        }
    }
    Ok(Figure::new("A coin with 10,000 coloured ancestors coloured", "ms", millis(least), COLOURING, "the budget", 1.0))
}

/// One in sixteen carries data of another protocol, one a bare multisig; the rest is payments.
fn ordinary(n: u16) -> Transaction {
    let [high, low] = n.to_be_bytes();
    let key = |seed: u8| [&[0x21, 2][..], &[seed; 32]].concat();
    let other = match n % 16 {
        0 => ScriptBuf::from_bytes([&[0x6a, 20][..], b"omni", &[low; 16]].concat()),
        1 => ScriptBuf::from_bytes([&[0x51][..], &key(high), &key(low), &key(9), &[0x53, 0xae]].concat()),
        _ => script(high ^ low),
    };
    let from = OutPoint { txid: Txid::hash(&[high, low]), vout: 1 };
    transaction(vec![from, OutPoint { vout: 2, ..from }], vec![other, script(low), script(high)])
}

type Chain = HashMap<Txid, Arc<Transaction>>;

/// An issuance and a chain of transfers, each of which burns one unit; the last coin of it, and how much that holds.
fn ancestry() -> Result<(Chain, OutPoint, u64), String> {
    let root = Arc::new(transaction(vec![OutPoint { txid: Txid::hash(b"root"), vout: 0 }], vec![script(1), script(2)]));
    let fee = OutPoint { txid: root.compute_txid(), vout: 1 };
    let mut chain = HashMap::from([(fee.txid, root)]);
    let mut mine = |layout: &Layout| {
        let tx = layout.transaction(&[fee], Some(TxOut { value: Amount::from_sat(900), script_pubkey: script(3) }));
        let txid = tx.compute_txid();
        chain.insert(txid, Arc::new(tx));
        txid
    };
    let issuer = OutPoint { vout: 0, ..fee };
    let mut units = u64::from(2 * ANCESTORS);
    let issuance = plan::issue(issuer, &[(script(4), units)], vec![]).map_err(super::said)?;
    let mut tip = OutPoint { txid: mine(&issuance), vout: 0 };
    let asset = AssetId::issued_by(&script(1));
    for _ in 0..ANCESTORS {
        let coin = Coin { outpoint: tip, asset, quantity: units };
        let layout = plan::transfer(&[coin], &[], Some((asset, 1)), &script(4), vec![]).map_err(super::said)?;
        (tip, units) = (OutPoint { txid: mine(&layout), vout: 1 }, units - 1);
    }
    Ok((chain, tip, units))
}

fn script(n: u8) -> ScriptBuf {
    ScriptBuf::from_bytes([&[0x00, 0x14][..], &[n; 20]].concat())
}

fn transaction(inputs: Vec<OutPoint>, scripts: Vec<ScriptBuf>) -> Transaction {
    let input = |previous_output| TxIn {
        previous_output,
        script_sig: ScriptBuf::new(),
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        witness: Witness::from_slice(&[&[7; 72][..], &[8; 33]]),
    };
    let output = |script_pubkey| TxOut { value: Amount::from_sat(1_000), script_pubkey };
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: inputs.into_iter().map(input).collect(),
        output: scripts.into_iter().map(output).collect(),
    }
}
