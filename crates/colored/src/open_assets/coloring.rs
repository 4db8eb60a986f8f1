//! Order-based colouring.

use super::marker::{Marker, dispute};
use super::{AssetId, MarkerFault};
use crate::ancestry::{Ambiguity, Need, Rule as AncestryRule, Spent};
use crate::asset::Protocol;
use bitcoin::Transaction;

/// What an output holds: an asset and how many units, never zero.
pub type Colour = Option<(AssetId, u64)>;

/// Why a well-formed marker colours nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ColoringFault {
    /// A transaction without inputs has no marker.
    #[error("no inputs")]
    NoInputs,
    /// More quantities than outputs that could hold them.
    #[error("more quantities than outputs")]
    TooManyQuantities,
    /// The outputs take more units than the inputs have.
    #[error("more units than the inputs hold")]
    NotEnoughUnits,
    /// One output would hold two assets.
    #[error("an output of two assets")]
    MixedOutput,
}

/// Colours outputs: those before the marker at `marker_at` with `issued`, those behind it with the units of `inputs` in order.
///
/// Units that no output takes vanish. `A` is whatever tells assets apart.
pub fn color<A: Copy + Eq>(
    inputs: &[Option<(A, u64)>],
    marker: &Marker,
    marker_at: usize,
    output_count: usize,
    issued: A,
) -> Result<Vec<Option<(A, u64)>>, ColoringFault> {
    if inputs.is_empty() {
        return Err(ColoringFault::NoInputs);
    }
    if marker.quantities.len() > output_count.saturating_sub(1) {
        return Err(ColoringFault::TooManyQuantities);
    }
    let mut units = inputs.iter().flatten().copied().filter(|(_, quantity)| *quantity > 0);
    let mut current: Option<(A, u64)> = None;
    let mut outputs = Vec::with_capacity(output_count);
    for vout in 0..output_count {
        let quantity = marker.quantity(vout, marker_at);
        if quantity == 0 {
            outputs.push(None);
            continue;
        }
        if vout < marker_at {
            outputs.push(Some((issued, quantity)));
            continue;
        }
        let (mut wanted, mut asset) = (quantity, None);
        while wanted > 0 {
            let (of, left) = current.take().or_else(|| units.next()).ok_or(ColoringFault::NotEnoughUnits)?;
            if asset.is_some_and(|asset| asset != of) {
                return Err(ColoringFault::MixedOutput);
            }
            asset = Some(of);
            let taken = wanted.min(left);
            wanted -= taken;
            current = (left > taken).then_some((of, left - taken));
        }
        outputs.push(asset.map(|asset| (asset, quantity)));
    }
    Ok(outputs)
}

/// Well-formed markers of a transaction with their positions. Coinbases have none.
pub fn markers(tx: &Transaction) -> impl Iterator<Item = (usize, Marker)> + '_ {
    let eligible = !tx.is_coinbase() && !tx.input.is_empty();
    let outputs = tx.output.iter().enumerate().filter(move |_| eligible);
    outputs.filter_map(|(vout, output)| Some((vout, Marker::from_script(&output.script_pubkey).ok()?)))
}

/// Whether a well-formed marker needs no colours of inputs to be judged.
fn stands_alone(marker: &Marker, marker_at: usize) -> bool {
    marker.quantities.iter().skip(marker_at).all(|quantity| *quantity == 0)
}

/// The protocol in the walk over ancestors.
pub(crate) struct Rule;

impl AncestryRule for Rule {
    type Colour = Colour;
    const PROTOCOL: Protocol = Protocol::OpenAssets;

    fn need(tx: &Transaction) -> Need {
        for (marker_at, marker) in markers(tx) {
            if marker.quantities.len() >= tx.output.len() {
                continue;
            }
            return if stands_alone(&marker, marker_at) { Need::FirstOutput } else { Need::Colours };
        }
        let disputed = !tx.is_coinbase() && tx.output.iter().any(|output| dispute(&output.script_pubkey).is_some());
        if disputed && !tx.input.is_empty() { Need::FirstOutput } else { Need::Nothing }
    }

    fn color(tx: &Transaction, spent: &[Spent<'_, Colour>]) -> (Vec<Colour>, Option<Ambiguity>) {
        let issued = spent.first().map(|first| AssetId::issued_by(&first.output.script_pubkey));
        let inputs: Vec<Colour> = spent.iter().map(|spent| *spent.colour).collect();
        let (mut found, mut count) = (None, 0);
        for (marker_at, marker) in markers(tx) {
            count += 1;
            let colours = issued.map(|issued| color(&inputs, &marker, marker_at, tx.output.len(), issued));
            if let (None, Some(Ok(colours))) = (&found, colours) {
                found = Some(colours);
            }
        }
        let dispute = tx.output.iter().find_map(|output| dispute(&output.script_pubkey));
        let why = dispute.or((count > 1).then_some(Ambiguity::SeveralMarkers));
        (found.unwrap_or_else(|| vec![None; tx.output.len()]), why)
    }
}

/// The position of the marker that a transaction we build must have: exactly one, well-formed, nothing disputed.
pub fn only_marker(tx: &Transaction) -> Result<(usize, Marker), MarkerFault> {
    let mut all = markers(tx);
    match (all.next(), all.next()) {
        (Some(marker), None) if tx.output.iter().all(|output| dispute(&output.script_pubkey).is_none()) => Ok(marker),
        _ => Err(MarkerFault::NoPayload),
    }
}
