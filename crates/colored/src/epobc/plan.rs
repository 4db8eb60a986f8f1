//! Building transactions that issue and move.
//!
//! Coloured inputs and outputs come first; the tag is the sequence number of input 0, in a transaction of version 1, where such numbers
//! lock nothing.

use super::{ColourId, Tag, tag::padding_code};
use crate::layout::Layout;
use bitcoin::{Amount, OutPoint, ScriptBuf, TxOut, transaction::Version};
use causeway_vocab::{Code, Refusal};

/// A coin that holds units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coin {
    /// Which.
    pub outpoint: OutPoint,
    /// Its colour.
    pub colour: ColourId,
    /// Its units.
    pub units: u64,
}

/// Units for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// How many units, at least one.
    pub units: u64,
    /// Who gets them.
    pub script: ScriptBuf,
}

/// Issues a colour of `units` units, once and for ever. `first` is an uncoloured coin.
pub fn issue(first: OutPoint, units: u64, script: &ScriptBuf) -> Result<Layout, Refusal> {
    layout(vec![first], true, &[Delivery { units, script: script.clone() }])
}

/// Moves units of one colour; what is left returns to `change`.
pub fn transfer(coins: &[Coin], deliveries: &[Delivery], change: &ScriptBuf) -> Result<Layout, Refusal> {
    let Some(first) = coins.first().filter(|_| !deliveries.is_empty()) else { return Err(Code::NoRecipients.into()) };
    if coins.iter().any(|coin| coin.colour != first.colour) {
        return Err(Refusal::new(Code::BadRequest).with("field", "asset"));
    }
    let too_much = || Refusal::new(Code::AboveSupply).with("most", Amount::MAX_MONEY.to_sat());
    let available = coins.iter().try_fold(0u64, |sum, coin| sum.checked_add(coin.units)).ok_or_else(too_much)?;
    let needed = deliveries.iter().try_fold(0u64, |sum, delivery| sum.checked_add(delivery.units)).ok_or_else(too_much)?;
    let left = available.checked_sub(needed).ok_or_else(|| {
        Refusal::new(Code::InsufficientFunds).with("asset", first.colour).with("available", available).with("needed", needed)
    })?;
    let mut deliveries = deliveries.to_vec();
    if left > 0 {
        deliveries.push(Delivery { units: left, script: change.clone() });
    }
    layout(coins.iter().map(|coin| coin.outpoint).collect(), false, &deliveries)
}

fn layout(inputs: Vec<OutPoint>, genesis: bool, deliveries: &[Delivery]) -> Result<Layout, Refusal> {
    let too_much = || Refusal::new(Code::AboveSupply).with("most", Amount::MAX_MONEY.to_sat());
    if deliveries.iter().any(|delivery| delivery.units == 0) {
        return Err(Refusal::new(Code::BadAmount).with("precision", 0));
    }
    // The padding lifts every output above dust.
    let lacking = |delivery: &Delivery| delivery.script.minimal_non_dust().to_sat().saturating_sub(delivery.units);
    let code = padding_code(deliveries.iter().map(lacking).max().unwrap_or(0)).ok_or_else(too_much)?;
    let tag = Tag { genesis, code };
    let output = |delivery: &Delivery| {
        let value = delivery.units.checked_add(tag.padding()).filter(|value| *value <= Amount::MAX_MONEY.to_sat());
        Ok(TxOut { value: Amount::from_sat(value.ok_or_else(too_much)?), script_pubkey: delivery.script.clone() })
    };
    let outputs = deliveries.iter().map(output).collect::<Result<Vec<_>, Refusal>>()?;
    Ok(Layout { first_sequence: tag.write(), version: Version::ONE, change_at: outputs.len(), ..Layout::new(inputs, outputs) })
}

#[cfg(test)]
mod tests {
    use super::super::{Input, color, kernel};
    use super::*;
    use bitcoin::hashes::Hash as _;
    use proptest::prelude::*;

    fn spk(n: u8) -> ScriptBuf {
        ScriptBuf::from_bytes([&[0x00, 0x14][..], &[n; 20]].concat())
    }

    fn colour() -> ColourId {
        ColourId(bitcoin::Txid::all_zeros())
    }

    proptest! {
        #[test]
        fn a_transfer_gives_everybody_what_was_asked(
            held in prop::collection::vec((1u64..2_000, 0u8..12), 1..6),
            parts in prop::collection::vec(1u64..1_500, 1..6),
            change_value in 0u64..100_000,
        ) {
            let coins: Vec<Coin> = held.iter().map(|(units, _)| Coin { outpoint: OutPoint::null(), colour: colour(), units: *units }).collect();
            let deliveries: Vec<Delivery> = parts.iter().zip(1..).map(|(units, n)| Delivery { units: *units, script: spk(n) }).collect();
            let (available, needed): (u64, u64) = (held.iter().map(|h| h.0).sum(), parts.iter().sum());
            let planned = transfer(&coins, &deliveries, &spk(99));
            prop_assert_eq!(planned.is_ok(), needed <= available);
            if let Ok(layout) = planned {
                let mut inputs: Vec<Input<ColourId>> = held.iter().map(|(units, code)| {
                    let tag = Tag { genesis: false, code: *code };
                    Input { satoshi: units + tag.padding(), colour: Some((colour(), *units)), tag: Some(tag) }
                }).collect();
                inputs.push(Input { satoshi: 1_000_000, colour: None, tag: None });
                let mut values: Vec<u64> = layout.outputs.iter().map(|output| output.value.to_sat()).collect();
                prop_assert!(layout.outputs.iter().all(|output| output.value >= output.script_pubkey.minimal_non_dust()));
                values.push(change_value);
                let tag = Tag::read(layout.first_sequence).expect("a tag");
                let mut wanted: Vec<_> = parts.iter().map(|units| Some((colour(), *units))).collect();
                wanted.extend((available > needed).then(|| Some((colour(), available - needed))));
                wanted.push(None);
                prop_assert_eq!(color(tag, &inputs, &values), wanted);
            }
        }

        #[test]
        fn colouring_is_total(
            inputs in prop::collection::vec((any::<u64>(), prop::option::of((0u8..3, any::<u64>())), prop::option::of((any::<bool>(), 0u8..64))), 0..8),
            outputs in prop::collection::vec(any::<u64>(), 0..8),
            code in 0u8..64,
        ) {
            let inputs: Vec<Input<u8>> = inputs.into_iter().map(|(satoshi, colour, tag)| Input {
                satoshi, colour, tag: tag.map(|(genesis, code)| Tag { genesis, code }),
            }).collect();
            let tag = Tag { genesis: false, code };
            prop_assert_eq!(color(tag, &inputs, &outputs).len(), outputs.len());
            kernel::genesis(tag, &outputs, 0u8);
        }
    }

    #[test]
    fn an_issuance_colours_its_first_output_only() {
        for units in [1, 100, 294, 10_000] {
            let layout = issue(OutPoint::null(), units, &spk(1)).expect("good");
            let tag = Tag::read(layout.first_sequence).expect("a tag");
            let values = [layout.outputs[0].value.to_sat(), 50_000];
            assert_eq!(kernel::genesis(tag, &values, 7), [Some((7, units)), None]);
        }
        let code = issue(OutPoint::null(), 0, &spk(1)).map_err(|refusal| refusal.code);
        assert_eq!(code, Err(Code::BadAmount));
    }
}
