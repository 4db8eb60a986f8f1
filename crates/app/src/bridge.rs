//! The bridge and the federation behind it, as the verified header chain describes them.

use crate::pak::{is_listed, unauthorised};
use crate::profile::Profile;
use bitcoin::hex::DisplayHex as _;
use causeway_contract::{BridgeView, Empty, Failure};
use causeway_federation::tweak::PegScript;
use causeway_sidechain::consensus::federation::Fedpeg;
use causeway_vocab::NetworkId;

impl Profile {
    /// Bitcoin scripts to which the federation, and those before it whose scripts are still good, keeps the change of its payments.
    pub(crate) fn federation_scripts(&self) -> Vec<bitcoin::ScriptBuf> {
        let params = &self.realm.sidechain;
        let fedpegs = self.clients.sidechain.with_chain(|chain| chain.state().fedpegs_for_next_block(params));
        let forms = |fedpeg: Fedpeg| [fedpeg.script.to_p2wsh(), fedpeg.script.to_p2wsh().to_p2sh(), fedpeg.program];
        fedpegs.into_iter().flat_map(forms).collect()
    }

    pub(crate) async fn bridge(&self, _: Empty) -> Result<BridgeView, Failure> {
        let params = &self.realm.sidechain;
        let (tip, signers, script, fedpegs) = self.clients.sidechain.with_chain(|chain| {
            let state = chain.state();
            let fedpegs = state.fedpegs_for_next_block(params);
            (chain.tip(), state.signers(), state.current_params().fedpegscript.clone(), fedpegs)
        });
        let (needed, functionaries) = signers.map_or((0, 0), |(k, n)| (u32::from(k), u32::from(n)));
        let count = |k: u8, keys: &[_]| (u32::from(k), crate::drafts::small(keys.len() as u64));
        let parsed = PegScript::parse(bitcoin::Script::from_bytes(&script));
        let peg = parsed.as_ref().map_or((0, 0), |peg| count(peg.k, &peg.keys));
        let path = parsed.as_ref().and_then(|peg| peg.emergency.as_ref());
        let quorum = path.map_or((0, 0), |path| count(path.k, &path.keys));
        let halted = self.core().not_halted(NetworkId::Sidechain).err();
        let listed = self.pak_list().is_none_or(|list| self.core().selected().is_ok_and(|wallet| is_listed(wallet, &list)));
        Ok(BridgeView {
            signatures_needed: needed,
            functionaries,
            peg_needed: peg.0,
            peg_keys: peg.1,
            emergency_needed: quorum.0,
            emergency_keys: quorum.1,
            emergency_delay: path.map_or(0, |path| path.delay.into()),
            fedpegscript: script.to_lower_hex_string(),
            verified_at: (tip.height > 0).then_some(tip.height),
            valid_until: fedpegs.first().map(|fedpeg| fedpeg.guaranteed_valid_until_height(params)),
            peg_in_depth: params.pegin_confirmation_depth,
            pak: params.enforce_pak,
            peg_in_paused: self.fedpeg().err(),
            peg_out_paused: halted.or_else(|| self.pegs_rest(false).err()).or_else(|| (!listed).then(unauthorised)),
        })
    }
}
