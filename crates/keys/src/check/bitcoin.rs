//! What a PSBT does.

use super::{Found, Line, OwnInput, Owner, Summary, Sums, fee, lies};
use crate::derive::{Account, Accounts};
use bitcoin::bip32::{DerivationPath, Fingerprint, KeySource};
use bitcoin::consensus::encode::serialize;
use bitcoin::sighash::{EcdsaSighashType, TapSighashType};
use bitcoin::{Address, Amount, Psbt, ScriptBuf, TxOut, psbt};
use causeway_vocab::{AssetId, Atoms, Code, NetworkId, Realm, Refusal};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(psbt: &Psbt, owner: Owner<'_>, realm: &Realm) -> Result<Found, Refusal> {
    let tx = &psbt.unsigned_tx;
    let misshapen = psbt.inputs.len() != tx.input.len()
        || psbt.outputs.len() != tx.output.len()
        || tx.output.is_empty()
        || tx.input.iter().any(|input| !input.script_sig.is_empty() || !input.witness.is_empty());
    if misshapen {
        return Err(Code::BadDraft.into());
    }
    let prevouts = prevouts(psbt)?;
    let mut own = Vec::new();
    for (vin, (input, prevout)) in psbt.inputs.iter().zip(&prevouts).enumerate() {
        if let Some(key) = own_input(input, prevout, owner).map_err(|refusal| refusal.with("input", vin))? {
            own.push(OwnInput { vin, key, offer: false });
        }
    }
    let masters = match owner {
        Owner::Accounts(accounts) => BTreeSet::from([accounts.fingerprint]),
        // Whoever signs for the inputs is whom an output claims to come back to.
        Owner::Watched(_) => own.iter().flat_map(|own| masters(&psbt.inputs[own.vin])).collect(),
    };
    let mut sums = Sums::default();
    for (vin, prevout) in prevouts.iter().enumerate() {
        let side = match own.iter().any(|own| own.vin == vin) {
            true => &mut sums.spent,
            false => &mut sums.spent_by_others,
        };
        add(side, prevout.value).ok_or_else(|| lies("amount").with("input", vin))?;
    }
    let (mut leaves, mut comes_back) = (Vec::new(), Vec::new());
    for (vout, (output, claims)) in (0..).zip(tx.output.iter().zip(&psbt.outputs)) {
        let (ours, claimed) = own_output(claims, &output.script_pubkey, owner, &masters);
        let side = if ours { &mut sums.comes_back } else { &mut sums.leaves };
        add(side, output.value).ok_or_else(|| lies("amount").with("output", vout))?;
        let line = Line {
            vout,
            address: Address::from_script(&output.script_pubkey, realm.bitcoin.network).ok().map(|address| address.to_string()),
            script: output.script_pubkey.to_hex_string(),
            asset: Some(AssetId::Bitcoin),
            amount: Some(Atoms(output.value.to_sat())),
            blinded: false,
            claimed_ours: claimed && !ours,
        };
        if ours { comes_back.push(line) } else { leaves.push(line) }
    }
    let given = sums.spent.checked_add(sums.spent_by_others);
    let taken = sums.leaves.checked_add(sums.comes_back);
    let fee = given.zip(taken).and_then(|(given, taken)| given.checked_sub(taken)).ok_or_else(|| lies("balance"))?;
    sums.fee = fee;
    let sums = BTreeMap::from([(AssetId::Bitcoin, sums)]);
    let summary = Summary {
        network: NetworkId::Bitcoin,
        txid: tx.compute_txid().to_string(),
        leaves,
        comes_back,
        fee,
        fee_asset: AssetId::Bitcoin,
        fee_share: fee::share(&sums, AssetId::Bitcoin, fee.0, finished_vsize(psbt, &prevouts)),
        burns: vec![],
        issues: vec![],
        peg_ins: vec![],
        peg_outs: vec![],
        sums,
        others_can_see: (0..).zip(&tx.output).map(|(vout, _)| vout).collect(),
        unverified: vec![],
        all_inputs_ours: own.len() == tx.input.len(),
    };
    Ok((summary, own, serialize(tx)))
}

fn add(sum: &mut Atoms, value: Amount) -> Option<()> {
    *sum = sum.checked_add(Atoms(value.to_sat())).filter(|sum| sum.0 <= Amount::MAX_MONEY.to_sat())?;
    Some(())
}

/// The spent outputs, each out of a whole previous transaction whose hash is the outpoint's.
///
/// BIP143 signatures commit only to their own input's amount, so a witness UTXO alone lets a liar raise the fee over two rounds of
/// signing. Taproot signatures commit to all amounts, which would make the rule lighter; one rule for all is simpler.
pub(crate) fn prevouts(psbt: &Psbt) -> Result<Vec<TxOut>, Refusal> {
    let spent = psbt.unsigned_tx.input.iter().zip(&psbt.inputs).enumerate();
    spent
        .map(|(vin, (txin, input))| {
            let lies = |why: &str| lies(why).with("input", vin);
            let whole = input.non_witness_utxo.as_ref().ok_or_else(|| lies("previous-transaction-missing"))?;
            if whole.compute_txid() != txin.previous_output.txid {
                return Err(lies("previous-transaction"));
            }
            let vout = usize::try_from(txin.previous_output.vout).unwrap_or(usize::MAX);
            let prevout = whole.output.get(vout).ok_or_else(|| lies("previous-output"))?;
            if input.witness_utxo.as_ref().is_some_and(|claimed| claimed != prevout) {
                return Err(lies("amount"));
            }
            Ok(prevout.clone())
        })
        .collect()
}

/// Fingerprints of the master keys that an input names.
fn masters(input: &psbt::Input) -> BTreeSet<Fingerprint> {
    let taproot = input.tap_key_origins.values().map(|(_, source)| source);
    input.bip32_derivation.values().chain(taproot).map(|(fingerprint, _)| *fingerprint).collect()
}

/// Whether an input is ours, and by which key if the keys are here.
fn own_input(
    input: &psbt::Input,
    prevout: &TxOut,
    owner: Owner<'_>,
) -> Result<Option<Option<(Account, DerivationPath)>>, Refusal> {
    match owner {
        Owner::Accounts(accounts) => own_key(input, prevout, accounts).map(|key| key.map(Some)),
        Owner::Watched(wallet) if !wallet.owns_bitcoin(&prevout.script_pubkey) => Ok(None),
        Owner::Watched(_) => match commits_to_all(input, prevout.script_pubkey.is_p2tr()) {
            true => Ok(Some(None)),
            false => Err(lies("sighash")),
        },
    }
}

fn commits_to_all(input: &psbt::Input, taproot: bool) -> bool {
    match input.sighash_type {
        None => true,
        Some(kind) if taproot => matches!(kind.taproot_hash_ty(), Ok(TapSighashType::Default | TapSighashType::All)),
        Some(kind) => matches!(kind.ecdsa_hash_ty(), Ok(EcdsaSighashType::All)),
    }
}

/// The path of an input that is ours. A claim under our fingerprint that does not derive the spent script is a lie.
fn own_key(input: &psbt::Input, prevout: &TxOut, accounts: &Accounts) -> Result<Option<(Account, DerivationPath)>, Refusal> {
    let segwit = input.bip32_derivation.values().map(|source| (Account::Segwit, source));
    let taproot = input.tap_key_origins.values().map(|(_, source)| (Account::Taproot, source));
    let mut claims = segwit.chain(taproot).filter(|(_, (fingerprint, _))| *fingerprint == accounts.fingerprint).peekable();
    if claims.peek().is_none() {
        return Ok(None);
    }
    let found = claims.find(|(account, (_, path))| {
        accounts.bitcoin_script_at(path, *account).is_some_and(|script| script == prevout.script_pubkey)
    });
    let (account, (_, path)) = found.ok_or_else(|| lies("derivation"))?;
    if !commits_to_all(input, account == Account::Taproot) {
        return Err(lies("sighash"));
    }
    // Our scripts are keys alone; whoever adds a script wants another signature than the one that is shown.
    if input.redeem_script.is_some() || input.witness_script.is_some() || input.tap_merkle_root.is_some() {
        return Err(lies("script"));
    }
    Ok(Some((account, path.clone())))
}

/// Whether an output is ours, and whether it claims to be.
fn own_output(claims: &psbt::Output, script: &ScriptBuf, owner: Owner<'_>, masters: &BTreeSet<Fingerprint>) -> (bool, bool) {
    let segwit = claims.bip32_derivation.values().map(|source| (Account::Segwit, source));
    let taproot = claims.tap_key_origins.values().map(|(_, source)| (Account::Taproot, source));
    let claimed: Vec<(Account, &KeySource)> =
        segwit.chain(taproot).filter(|(_, (fingerprint, _))| masters.contains(fingerprint)).collect();
    let ours = match owner {
        Owner::Accounts(accounts) => {
            claimed.iter().any(|(account, (_, path))| accounts.bitcoin_script_at(path, *account).as_ref() == Some(script))
        }
        Owner::Watched(wallet) => wallet.owns_bitcoin(script),
    };
    (ours, !claimed.is_empty())
}

/// Virtual bytes with signatures of the usual size for the script kinds that we sign; what others will add is not known.
fn finished_vsize(psbt: &Psbt, prevouts: &[TxOut]) -> u64 {
    const MARKER_AND_FLAG: u64 = 2;
    let witness = |(input, prevout): (&psbt::Input, &TxOut)| match &input.final_script_witness {
        Some(witness) => witness.size() as u64,
        // Count, length, 72-byte signature with its type, length, key.
        None if prevout.script_pubkey.is_p2wpkh() => 1 + 1 + 72 + 1 + 33,
        None if prevout.script_pubkey.is_p2tr() => 1 + 1 + 64,
        None => 1,
    };
    let witnesses: u64 = psbt.inputs.iter().zip(prevouts).map(witness).sum();
    (psbt.unsigned_tx.weight().to_wu() + MARKER_AND_FLAG + witnesses).div_ceil(4)
}
