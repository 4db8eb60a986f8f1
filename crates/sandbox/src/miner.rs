//! The miner of the sandbox's Bitcoin chain and the purse that test coins come from.

use crate::bitcoind::Rpc;
use crate::error::SandboxError;
use bitcoin::absolute::LockTime;
use bitcoin::key::{CompressedPublicKey, PrivateKey};
use bitcoin::secp256k1::{Message, SECP256K1, SecretKey};
use bitcoin::sighash::{EcdsaSighashType, SighashCache};
use bitcoin::{Address, Amount, Network, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness, transaction};
use std::collections::BTreeMap;
use tokio::sync::Mutex;

/// Blocks before a coinbase can be spent.
const MATURITY: u32 = 100;
/// Blocks of a fresh chain: this many less [`MATURITY`] give spendable rewards.
const FIRST_BLOCKS: u32 = 140;
/// What the purse pays, satoshi per virtual byte.
const FEE_RATE: u64 = 2;
/// Below this an output is not worth making, satoshi.
const DUST: u64 = 1_000;

/// Mines to one key, and pays from it.
pub(crate) struct Miner {
    rpc: Rpc,
    key: SecretKey,
    address: Address,
    /// Change that is in no block yet. Lost with the process until it is mined, which costs nobody anything.
    change: Mutex<BTreeMap<OutPoint, TxOut>>,
}

impl Miner {
    pub(crate) fn new(rpc: Rpc, key: SecretKey) -> Miner {
        let public = CompressedPublicKey::from_private_key(SECP256K1, &PrivateKey::new(key, Network::Regtest))
            .expect("BUG: a new private key is compressed");
        let address = Address::p2wpkh(&public, Network::Regtest);
        Miner { rpc, key, address, change: Mutex::default() }
    }

    /// Mines the blocks without which there are no coins. Nothing happens on a chain that has them.
    pub(crate) async fn prepare(&self) -> Result<(), SandboxError> {
        let height = self.rpc.height().await?;
        // At least one, because bitcoind takes a chain whose tip is a day old for one that still has to be fetched.
        self.mine(FIRST_BLOCKS.saturating_sub(height).max(1)).await.map(drop)
    }

    /// Mines blocks and gives the tip.
    pub(crate) async fn mine(&self, blocks: u32) -> Result<(u32, bitcoin::BlockHash), SandboxError> {
        self.rpc.generate(blocks, &self.address).await?;
        self.tip().await
    }

    /// Replaces the last `depth` blocks by `depth + 1` empty ones.
    pub(crate) async fn reorganise(&self, depth: u32) -> Result<(u32, bitcoin::BlockHash), SandboxError> {
        use serde_json::{Value, json};
        let height = self.rpc.height().await?;
        let first = self.rpc.block_hash(height.saturating_sub(depth).saturating_add(1)).await?;
        self.rpc.call::<Value>("invalidateblock", &[json!(first)]).await?;
        for _ in 0..=depth {
            // Something random in it, or the first of them could be the very block that was just declared invalid.
            let output = format!("raw(6a08{:016x})", rand::random::<u64>());
            self.rpc.call::<Value>("generateblock", &[json!(output), json!([])]).await?;
        }
        self.tip().await
    }

    async fn tip(&self) -> Result<(u32, bitcoin::BlockHash), SandboxError> {
        self.rpc.flush().await?;
        let height = self.rpc.height().await?;
        Ok((height, self.rpc.block_hash(height).await?))
    }

    /// Pays `amount` to `script` and hands the payment to the mempool.
    pub(crate) async fn pay(&self, script: ScriptBuf, amount: Amount) -> Result<(Txid, u32), SandboxError> {
        // One payment at a time, or two would choose the same coins.
        let mut change = self.change.lock().await;
        let mut coins = self.confirmed().await?;
        let known: Vec<OutPoint> = change.keys().copied().collect();
        let mut gone = self.rpc.spent_in_mempool(&known).await?.into_iter();
        change.retain(|_, _| !gone.next().unwrap_or(false));
        coins.extend(
            change.iter().filter(|(o, _)| !coins.iter().any(|(c, _)| c == *o)).map(|(o, t)| (*o, t.clone())).collect::<Vec<_>>(),
        );

        let mut chosen = Vec::new();
        let mut total = Amount::ZERO;
        for coin in coins {
            if total >= amount + fee(chosen.len(), &script) {
                break;
            }
            total += coin.1.value;
            chosen.push(coin);
        }
        let left = total
            .checked_sub(amount + fee(chosen.len(), &script))
            .ok_or_else(|| SandboxError::Refused("the purse is empty; mine some blocks".into()))?;
        let mut output = vec![TxOut { value: amount, script_pubkey: script }];
        if left.to_sat() >= DUST {
            output.push(TxOut { value: left, script_pubkey: self.address.script_pubkey() });
        }
        let tx = self.sign(&chosen, output);
        self.rpc.broadcast(&tx).await?;
        let txid = tx.compute_txid();
        for (outpoint, _) in &chosen {
            change.remove(outpoint);
        }
        if let Some(back) = tx.output.get(1) {
            change.insert(OutPoint::new(txid, 1), back.clone());
        }
        Ok((txid, 0))
    }

    /// Spendable coins of the chain that no payment of the mempool spends, greatest first.
    async fn confirmed(&self) -> Result<Vec<(OutPoint, TxOut)>, SandboxError> {
        let (found, spent) = loop {
            let height = self.rpc.height().await?;
            let mut found = self.rpc.unspent(&[self.address.script_pubkey()]).await?;
            found.retain(|coin| !coin.coinbase || height + 1 >= coin.height + MATURITY);
            found.sort_by_key(|coin| std::cmp::Reverse(coin.amount));
            let outpoints: Vec<OutPoint> = found.iter().map(|coin| OutPoint::new(coin.txid, coin.vout)).collect();
            let spent = self.rpc.spent_in_mempool(&outpoints).await?;
            // A block between the two answers takes a payment out of the mempool whose coins the first still calls unspent.
            if self.rpc.height().await? == height {
                break (found, spent);
            }
        };
        let free = found.into_iter().zip(spent).filter(|(_, spent)| !spent);
        Ok(free.map(|(c, _)| (OutPoint::new(c.txid, c.vout), TxOut { value: c.amount, script_pubkey: c.script })).collect())
    }

    fn sign(&self, coins: &[(OutPoint, TxOut)], output: Vec<TxOut>) -> Transaction {
        let input = coins.iter().map(|(previous_output, _)| TxIn {
            previous_output: *previous_output,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
            witness: Witness::new(),
        });
        let tx = Transaction { version: transaction::Version::TWO, lock_time: LockTime::ZERO, input: input.collect(), output };
        let public = self.key.public_key(SECP256K1);
        let mut cache = SighashCache::new(tx);
        for (index, (_, coin)) in coins.iter().enumerate() {
            let hash = cache
                .p2wpkh_signature_hash(index, &coin.script_pubkey, coin.value, EcdsaSighashType::All)
                .expect("BUG: every coin of the purse is P2WPKH");
            let signature = SECP256K1.sign_ecdsa(&Message::from(hash), &self.key);
            let witness = Witness::p2wpkh(&bitcoin::ecdsa::Signature::sighash_all(signature), &public);
            *cache.witness_mut(index).expect("BUG: there is an input for every coin") = witness;
        }
        cache.into_transaction()
    }
}

/// Fee of a payment with that many P2WPKH inputs and change.
fn fee(inputs: usize, script: &ScriptBuf) -> Amount {
    let vbytes = 11 + 68 * inputs + 31 + 9 + script.len();
    Amount::from_sat(FEE_RATE * vbytes as u64)
}
