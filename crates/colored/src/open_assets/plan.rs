//! Building transactions that issue, move and burn.

use super::{AssetId, Marker, MarkerFault, leb128};
use crate::distribution::{Cost, Limits};
use crate::layout::{Layout, data, dust};
use bitcoin::{OutPoint, ScriptBuf, Weight};
use causeway_vocab::{Code, Refusal};

/// A coin that holds units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coin {
    /// Which.
    pub outpoint: OutPoint,
    /// Its asset.
    pub asset: AssetId,
    /// Its units.
    pub quantity: u64,
}

/// Units for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Which asset.
    pub asset: AssetId,
    /// How many units, at least one.
    pub quantity: u64,
    /// Who gets them.
    pub script: ScriptBuf,
}

/// Issues new units of the asset that `issuer` controls. `issuer` must spend an uncoloured coin locked by the issuing script.
///
/// Reissuing is the same once more; whoever has the key can do it for ever.
pub fn issue(issuer: OutPoint, shares: &[(ScriptBuf, u64)], metadata: Vec<u8>) -> Result<Layout, Refusal> {
    if shares.is_empty() {
        return Err(Code::NoRecipients.into());
    }
    let quantities = shares.iter().map(|(_, quantity)| whole(*quantity)).collect::<Result<Vec<_>, _>>()?;
    sum(&quantities)?;
    let mut outputs: Vec<_> = shares.iter().map(|(script, _)| dust(script.clone())).collect();
    outputs.push(data(script(Marker { quantities, metadata })?));
    Ok(Layout::new(vec![issuer], outputs))
}

/// Moves units of any number of assets; what `coins` hold beyond `deliveries` returns to `change`, less `burn` units of one asset.
///
/// Burning is leaving units over. Only the last units in order can be left over, so one transaction burns one asset.
pub fn transfer(
    coins: &[Coin],
    deliveries: &[Delivery],
    burn: Option<(AssetId, u64)>,
    change: &ScriptBuf,
    metadata: Vec<u8>,
) -> Result<Layout, Refusal> {
    if deliveries.is_empty() && burn.is_none() {
        return Err(Code::NoRecipients.into());
    }
    let mut assets: Vec<AssetId> = Vec::new();
    let wanted = deliveries.iter().map(|delivery| delivery.asset).chain(burn.iter().map(|(asset, _)| *asset));
    for asset in wanted.chain(coins.iter().map(|coin| coin.asset)) {
        if !assets.contains(&asset) {
            assets.push(asset);
        }
    }
    if let Some((burnt, _)) = burn {
        assets.retain(|asset| *asset != burnt);
        assets.push(burnt);
    }
    let (mut inputs, mut quantities, mut outputs) = (Vec::new(), Vec::new(), Vec::new());
    for asset in assets {
        let of_asset: Vec<&Coin> = coins.iter().filter(|coin| coin.asset == asset).collect();
        inputs.extend(of_asset.iter().map(|coin| coin.outpoint));
        let held = sum(&of_asset.iter().map(|coin| coin.quantity).collect::<Vec<_>>())?;
        let mut left = held;
        let mut take = |quantity: u64| {
            left = left.checked_sub(whole(quantity)?).ok_or_else(|| {
                Refusal::new(Code::InsufficientFunds).with("asset", asset).with("available", held).with("needed", quantity)
            })?;
            Ok::<u64, Refusal>(left)
        };
        if let Some((_, quantity)) = burn.filter(|(burnt, _)| *burnt == asset) {
            take(quantity)?;
        }
        for delivery in deliveries.iter().filter(|delivery| delivery.asset == asset) {
            take(delivery.quantity)?;
            quantities.push(delivery.quantity);
            outputs.push(dust(delivery.script.clone()));
        }
        if left > 0 {
            quantities.push(left);
            outputs.push(dust(change.clone()));
        }
    }
    outputs.insert(0, data(script(Marker { quantities, metadata })?));
    Ok(Layout::new(inputs, outputs))
}

/// What a recipient adds to a transfer.
pub fn cost(script: &ScriptBuf, quantity: u64) -> Cost {
    let mut written = Vec::new();
    leb128::write(quantity, &mut written);
    let bytes = Weight::from_vb_unchecked(written.len() as u64);
    Cost { weight: dust(script.clone()).weight() + bytes, payload: written.len() }
}

/// What a transfer holds at most: 80 bytes of payload with `metadata` bytes of metadata and a change of any size, nine tenths of the weight
/// that nodes relay.
pub fn limits(metadata: usize) -> Limits {
    /// Tag, version, count, length, change.
    const FIXED: usize = 4 + 1 + 1 + 9;
    let payload = 80usize.saturating_sub(FIXED + metadata);
    Limits { weight: Weight::from_wu(360_000), payload, recipients: 250 }
}

fn script(marker: Marker) -> Result<ScriptBuf, Refusal> {
    marker.script().map_err(|fault| match fault {
        MarkerFault::QuantityTooLarge => Refusal::new(Code::AboveSupply).with("most", leb128::MOST),
        _ => Refusal::new(Code::BadRequest).with("field", "metadata"),
    })
}

fn whole(quantity: u64) -> Result<u64, Refusal> {
    match quantity {
        0 => Err(Refusal::new(Code::BadAmount).with("precision", 0)),
        1..=leb128::MOST => Ok(quantity),
        _ => Err(Refusal::new(Code::AboveSupply).with("most", leb128::MOST)),
    }
}

fn sum(quantities: &[u64]) -> Result<u64, Refusal> {
    let sum = quantities.iter().try_fold(0u64, |sum, quantity| sum.checked_add(*quantity));
    sum.filter(|sum| *sum <= leb128::MOST).ok_or_else(|| Refusal::new(Code::AboveSupply).with("most", leb128::MOST))
}

#[cfg(test)]
mod tests {
    use super::super::color;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn outpoint(n: usize) -> OutPoint {
        OutPoint { vout: u32::try_from(n).expect("small"), ..OutPoint::null() }
    }

    fn asset(n: u8) -> AssetId {
        AssetId([n; 20])
    }

    fn spk(n: u8) -> ScriptBuf {
        ScriptBuf::from_bytes([&[0x00, 0x14][..], &[n; 20]].concat())
    }

    /// The colours that the specification gives the outputs of a layout.
    fn colours(layout: &Layout, coins: &[Coin], issued: AssetId) -> Vec<super::super::Colour> {
        let inputs: Vec<_> = layout
            .inputs
            .iter()
            .map(|input| coins.iter().find(|coin| coin.outpoint == *input).map(|coin| (coin.asset, coin.quantity)))
            .collect();
        let (at, marker) = layout
            .outputs
            .iter()
            .enumerate()
            .find_map(|(at, output)| Some((at, Marker::from_script(&output.script_pubkey).ok()?)))
            .expect("a marker");
        color(&inputs, &marker, at, layout.outputs.len(), issued).expect("valid")
    }

    proptest! {
        #[test]
        fn a_transfer_gives_everybody_what_was_asked_and_burns_nothing_else(
            held in prop::collection::vec((0u8..3, 1u64..1_000), 1..8),
            parts in prop::collection::vec((0u8..3, 1u64..400, 0u8..20), 1..8),
            burn in prop::option::of((0u8..3, 1u64..500)),
        ) {
            let coins: Vec<Coin> =
                held.iter().enumerate().map(|(n, (a, quantity))| Coin { outpoint: outpoint(n), asset: asset(*a), quantity: *quantity }).collect();
            let deliveries: Vec<Delivery> =
                parts.iter().map(|(a, quantity, to)| Delivery { asset: asset(*a), quantity: *quantity, script: spk(*to) }).collect();
            let burn = burn.map(|(a, quantity)| (asset(a), quantity));
            let total = |a: u8| held.iter().filter(|(of, _)| *of == a).map(|(_, q)| q).sum::<u64>();
            let asked = |a: u8| parts.iter().filter(|(of, ..)| *of == a).map(|(_, q, _)| q).sum::<u64>()
                + burn.filter(|(of, _)| *of == asset(a)).map_or(0, |(_, q)| q);
            let planned = transfer(&coins, &deliveries, burn, &spk(99), vec![]);
            prop_assert_eq!(planned.is_ok(), (0..3).all(|a| asked(a) <= total(a)));
            if let Ok(layout) = planned {
                let mut got: BTreeMap<(ScriptBuf, AssetId), u64> = BTreeMap::new();
                for (output, colour) in layout.outputs.iter().zip(colours(&layout, &coins, asset(77))) {
                    if let Some((asset, quantity)) = colour {
                        *got.entry((output.script_pubkey.clone(), asset)).or_default() += quantity;
                    }
                }
                let mut wanted: BTreeMap<(ScriptBuf, AssetId), u64> = BTreeMap::new();
                for delivery in &deliveries {
                    *wanted.entry((delivery.script.clone(), delivery.asset)).or_default() += delivery.quantity;
                }
                for a in 0..3 {
                    if total(a) > asked(a) {
                        wanted.insert((spk(99), asset(a)), total(a) - asked(a));
                    }
                }
                prop_assert_eq!(got, wanted);
            }
        }
    }

    #[test]
    fn an_issuance_issues_what_was_asked_and_nothing_on_the_change() {
        let layout = issue(outpoint(0), &[(spk(1), 7), (spk(2), 8)], b"u=https://x".to_vec()).expect("good");
        assert_eq!(colours(&layout, &[], asset(5)), [Some((asset(5), 7)), Some((asset(5), 8)), None]);
        assert_eq!(layout.change_at, 3);
    }

    #[test]
    fn a_long_distribution_fits_into_its_transactions() {
        use crate::distribution::{Row, batches};
        use causeway_vocab::Atoms;
        let amount = |n: usize| [1, 200, 70_000, 1 << 40][n % 4];
        let row = |n: usize| Row {
            row: n + 1,
            recipient: spk((n % 200).to_le_bytes()[0]),
            amount: Atoms(amount(n)),
            label: String::new(),
        };
        let rows: Vec<_> = (0..5_000).map(row).collect();
        let batches = batches(&rows, limits(4), |row| cost(&row.recipient, row.amount.0)).expect("each fits");
        for batch in batches {
            let rows = &rows[batch];
            let deliveries: Vec<_> = rows
                .iter()
                .map(|row| Delivery { asset: asset(1), quantity: row.amount.0, script: row.recipient.clone() })
                .collect();
            let coin = Coin { outpoint: outpoint(0), asset: asset(1), quantity: leb128::MOST };
            let layout = transfer(&[coin], &deliveries, None, &spk(99), vec![7; 4]).expect("good");
            assert!(layout.outputs[0].script_pubkey.len() <= 83);
            assert!(layout.transaction(&[], None).weight() < Weight::from_wu(400_000));
        }
    }

    #[test]
    fn impossible_amounts_are_refused() {
        let refused = |shares: &[(ScriptBuf, u64)]| issue(outpoint(0), shares, vec![]).map_err(|refusal| refusal.code);
        assert_eq!(refused(&[]), Err(Code::NoRecipients));
        assert_eq!(refused(&[(spk(1), 0)]), Err(Code::BadAmount));
        assert_eq!(refused(&[(spk(1), leb128::MOST + 1)]), Err(Code::AboveSupply));
        assert_eq!(refused(&[(spk(1), leb128::MOST), (spk(2), 1)]), Err(Code::AboveSupply));
        let coin = Coin { outpoint: outpoint(0), asset: asset(1), quantity: 5 };
        let delivery = Delivery { asset: asset(1), quantity: 6, script: spk(1) };
        let code = transfer(&[coin], &[delivery], None, &spk(2), vec![]).map_err(|refusal| refusal.code);
        assert_eq!(code, Err(Code::InsufficientFunds));
    }
}
