//! Building transactions that say something to the ledger, without a server.

use super::{Message, carrier};
use crate::layout::{Layout, data};
use bitcoin::{Amount, OutPoint, PublicKey, ScriptBuf, TxOut};
use causeway_vocab::{Code, Refusal};

/// Satoshis of a multisig data output, which its key can spend again.
const MULTISIG: Amount = Amount::from_sat(1_000);

/// A transaction that carries `message`, spends `source` first (the ledger takes its owner for the speaker) and pays `pays` before the data.
///
/// The message goes into one output of data if it fits, into multisig outputs of `key` otherwise. Input 0 is the cipher's key: whoever
/// changes it makes the message unreadable.
pub fn layout(
    message: &Message,
    source: OutPoint,
    pays: &[(ScriptBuf, Amount)],
    key: Option<&PublicKey>,
) -> Result<Layout, Refusal> {
    let refused = || Refusal::new(Code::BadRequest).with("field", "message");
    message.check().map_err(|_| refused())?;
    let bytes = message.write().map_err(|_| refused())?;
    let cipher = carrier::key(source.txid);
    let mut outputs: Vec<TxOut> =
        pays.iter().map(|(script, value)| TxOut { value: *value, script_pubkey: script.clone() }).collect();
    match (carrier::op_return(&cipher, &bytes), key) {
        (Ok(script), _) => outputs.push(data(script)),
        (Err(_), Some(key)) => {
            let scripts = carrier::multisig(&cipher, &bytes, key).map_err(|_| refused())?;
            outputs.extend(scripts.into_iter().map(|script_pubkey| TxOut { value: MULTISIG, script_pubkey }));
        }
        (Err(_), None) => return Err(refused()),
    }
    Ok(Layout::new(vec![source], outputs))
}
