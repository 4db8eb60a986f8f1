//! The bridge and the federation behind it, as the verified header chain describes them.

use crate::profile::Profile;
use bitcoin::hex::DisplayHex as _;
use causeway_contract::{BridgeView, Empty, Failure};
use causeway_sidechain::consensus::signature::Multisig;
use causeway_vocab::{NetworkId, Refusal};

impl Profile {
    pub(crate) async fn bridge(&self, _: Empty) -> Result<BridgeView, Failure> {
        let params = &self.realm.sidechain;
        let (tip, signers, script, fedpegs) = self.clients.sidechain.with_chain(|chain| {
            let state = chain.state();
            let fedpegs = state.fedpegs_for_next_block(params);
            (chain.tip(), state.signers(), state.current_params().fedpegscript.clone(), fedpegs)
        });
        let (needed, functionaries) = signers.map_or((0, 0), |(k, n)| (u32::from(k), u32::from(n)));
        let peg = Multisig::parse(&script).map_or((0, 0), |multisig| (u32::from(multisig.k), u32::from(multisig.n())));
        let halted = self.core().not_halted(NetworkId::Sidechain).err();
        let pak = Refusal::new(causeway_vocab::Code::PegPaused).with("why", "authorisation");
        Ok(BridgeView {
            signatures_needed: needed,
            functionaries,
            peg_needed: peg.0,
            peg_keys: peg.1,
            fedpegscript: script.to_lower_hex_string(),
            verified_at: (tip.height > 0).then_some(tip.height),
            valid_until: fedpegs.first().map(|fedpeg| fedpeg.guaranteed_valid_until_height(params)),
            peg_in_depth: params.pegin_confirmation_depth,
            pak: params.enforce_pak,
            peg_in_paused: self.fedpeg().err(),
            peg_out_paused: halted.or_else(|| params.enforce_pak.then_some(pak)),
        })
    }
}
