//! What a PSET does, every commitment computed again from its opening.

use super::{Burn, Found, Issue, Line, OwnInput, Owner, PegIn, PegOut, Policy, Summary, Sums, fee, lies};
use crate::derive::Account;
use bitcoin::bip32::{DerivationPath, Fingerprint};
use causeway_vocab::{AssetId, Atoms, Code, NetworkId, Opening, Realm, Refusal, SidechainDraft};
use elements::confidential::{Asset, Value};
use elements::encode::serialize;
use elements::hex::DisplayHex as _;
use elements::pset;
use elements::secp256k1_zkp::{Generator, PedersenCommitment, SECP256K1, ZERO_TWEAK};
use elements::{EcdsaSighashType, Script, Transaction, TxOut};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(draft: &SidechainDraft, owner: Owner<'_>, realm: &Realm, policy: &Policy) -> Result<Found, Refusal> {
    let tx = draft.pset.extract_tx().map_err(|_| Refusal::new(Code::BadDraft))?;
    let misshapen = draft.inputs.len() != tx.input.len()
        || draft.outputs.len() != tx.output.len()
        || policy.offer && (tx.input.len(), tx.output.len()) != (1, 1);
    if misshapen {
        return Err(Code::BadDraft.into());
    }
    let mut reader = Reader {
        owner,
        realm,
        policy,
        masters: match owner {
            Owner::Accounts(accounts) => BTreeSet::from([accounts.fingerprint]),
            Owner::Watched(_) => BTreeSet::new(),
        },
        sums: BTreeMap::new(),
        found: Summary::empty(realm, &tx),
        own: Vec::new(),
        implied: Vec::new(),
    };
    for (vin, opening) in draft.inputs.iter().enumerate() {
        reader.input(vin, &draft.pset.inputs()[vin], opening).map_err(|refusal| refusal.with("input", vin))?;
        reader.issuance(vin, &draft.pset.inputs()[vin], &tx, opening).map_err(|refusal| refusal.with("input", vin))?;
    }
    for (vout, opening) in draft.outputs.iter().enumerate() {
        let claims = &draft.pset.outputs()[vout];
        reader.output(vout, claims, &tx.output[vout], opening.as_ref()).map_err(|refusal| refusal.with("output", vout))?;
    }
    if reader.own.iter().any(|own| !tx.input[own.vin].script_sig.is_empty()) {
        return Err(Code::BadDraft.into());
    }
    if policy.offer {
        // Whoever takes it adds what balances it; its maker must get what comes back.
        if reader.own.len() != 1 || reader.found.comes_back.len() != 1 || !reader.found.issues.is_empty() {
            return Err(lies("offer"));
        }
    } else {
        reader.balance()?;
    }
    let Reader { sums, mut found, own, .. } = reader;
    let fee_asset = AssetId::Elements(realm.sidechain.policy_asset);
    found.fee = sums.get(&fee_asset).map_or(Atoms::ZERO, |sums| sums.fee);
    found.fee_share = fee::share(&sums, fee_asset, found.fee.0, finished_vsize(&tx, &own));
    found.all_inputs_ours = own.len() == tx.input.len();
    found.sums = sums;
    Ok((found, own, serialize(&tx)))
}

/// The output that an input spends, as its signature commits to it: for a peg-in, the one that the claim stands for.
pub(crate) fn prevout(input: &pset::Input) -> Option<TxOut> {
    if !input.is_pegin() {
        return input.witness_utxo.clone();
    }
    let claim = input.pegin_witness.as_ref()?.data()?;
    Some(TxOut {
        asset: Asset::Explicit(claim.asset_id),
        value: Value::Explicit(claim.value),
        script_pubkey: Script::from(claim.claim_script.to_bytes()),
        ..TxOut::default()
    })
}

/// Whether the opening is what the asset and value commit to.
pub(crate) fn opens(asset: &Asset, value: &Value, opening: &Opening) -> bool {
    let tag = opening.asset.into_tag();
    let (asset_bf, value_bf) = (opening.asset_bf.into_inner(), opening.value_bf.into_inner());
    let generator = Generator::new_blinded(SECP256K1, tag, asset_bf);
    let asset_opens = match asset {
        Asset::Explicit(id) => *id == opening.asset && asset_bf == ZERO_TWEAK,
        Asset::Confidential(commitment) => *commitment == generator,
        Asset::Null => false,
    };
    let value_opens = match value {
        Value::Explicit(value) => *value == opening.value && value_bf == ZERO_TWEAK,
        // The point at infinity is no commitment.
        Value::Confidential(_) if opening.value == 0 && value_bf == ZERO_TWEAK => false,
        Value::Confidential(commitment) => *commitment == PedersenCommitment::new(SECP256K1, opening.value, value_bf, generator),
        Value::Null => false,
    };
    asset_opens && value_opens
}

/// Whether an output holds the asset and amount of an opening whose value factor only somebody else knows: the asset's commitment is computed again,
/// and the amount is proved.
fn proves(output: &TxOut, opening: &Opening, proof: Option<&elements::RangeProof>) -> bool {
    let (Asset::Confidential(asset), Value::Confidential(value), Some(proof)) = (output.asset, output.value, proof) else {
        return false;
    };
    let generator = Generator::new_blinded(SECP256K1, opening.asset.into_tag(), opening.asset_bf.into_inner());
    asset == generator && proof.blind_value_proof_verify(SECP256K1, opening.value, generator, value)
}

struct Reader<'a> {
    owner: Owner<'a>,
    realm: &'a Realm,
    policy: &'a Policy,
    /// Fingerprints whose claims are claims to be ours; of a watched wallet, those that its inputs name.
    masters: BTreeSet<Fingerprint>,
    sums: BTreeMap<AssetId, Sums>,
    found: Summary,
    own: Vec<OwnInput>,
    implied: Vec<Implied>,
}

impl Reader<'_> {
    fn policy_asset(&self) -> elements::AssetId {
        self.realm.sidechain.policy_asset
    }

    fn add(&mut self, asset: elements::AssetId, value: u64, field: fn(&mut Sums) -> &mut Atoms) -> Result<(), Refusal> {
        let sum = field(self.sums.entry(AssetId::Elements(asset)).or_default());
        *sum = sum.checked_add(Atoms(value)).ok_or_else(|| lies("amount"))?;
        Ok(())
    }

    fn input(&mut self, vin: usize, input: &pset::Input, opening: &Opening) -> Result<(), Refusal> {
        let spent = prevout(input).ok_or_else(|| lies("previous-output-missing"))?;
        if let Some(whole) = &input.non_witness_utxo {
            let outpoint = input.previous_outpoint();
            let claimed = usize::try_from(outpoint.vout).ok().and_then(|vout| whole.output.get(vout));
            let same = claimed.is_some_and(|found| {
                (found.asset, found.value, &found.script_pubkey) == (spent.asset, spent.value, &spent.script_pubkey)
            });
            if whole.txid() != outpoint.txid || !same {
                return Err(lies("previous-transaction"));
            }
        }
        let opened = opens(&spent.asset, &spent.value, opening);
        if !opened && !proves(&spent, opening, input.blind_value_proof.as_ref()) {
            return Err(lies("opening"));
        }
        if input.is_pegin() {
            self.peg_in(vin, input)?;
        }
        match self.own_path(&input.bip32_derivation, &spent.script_pubkey) {
            Claim::Ours(path) => {
                if !opened {
                    return Err(lies("opening"));
                }
                let kind = input.sighash_type.map(|kind| kind.ecdsa_hash_ty());
                let fits = match self.policy.offer {
                    true => matches!(kind, Some(Some(EcdsaSighashType::SinglePlusAnyoneCanPay))),
                    false => matches!(kind, None | Some(Some(EcdsaSighashType::All))),
                };
                if !fits {
                    return Err(lies("sighash"));
                }
                if path.is_none() {
                    self.masters.extend(input.bip32_derivation.values().map(|(fingerprint, _)| *fingerprint));
                }
                self.own.push(OwnInput { vin, key: path.map(|path| (Account::Sidechain, path)), offer: self.policy.offer });
                self.add(opening.asset, opening.value, |sums| &mut sums.spent)
            }
            Claim::Lie => Err(lies("derivation")),
            Claim::None => self.add(opening.asset, opening.value, |sums| &mut sums.spent_by_others),
        }
    }

    /// A claim is of the pegged asset, of this realm's Bitcoin, and says of the deposit what its transaction says. Whether the deposit
    /// pays the federation and is deep enough, the sidechain's own rules decide: a wrong claim is an invalid transaction.
    fn peg_in(&mut self, vin: usize, input: &pset::Input) -> Result<(), Refusal> {
        let claim = input.pegin_witness.as_ref().and_then(|witness| witness.data()).ok_or_else(|| lies("peg-in"))?;
        let deposit = claim.parse_tx().map_err(|_| lies("peg-in"))?;
        let outpoint = input.previous_outpoint();
        let paid =
            usize::try_from(outpoint.vout).ok().and_then(|vout| deposit.output.get(vout)).map(|output| output.value.to_sat());
        let txid = deposit.compute_txid().to_string();
        let honest = claim.asset_id == self.policy_asset()
            && claim.genesis_hash == self.realm.sidechain.parent_genesis_hash
            && txid == outpoint.txid.to_string()
            && paid == Some(claim.value);
        if !honest {
            return Err(lies("peg-in"));
        }
        let deposit = format!("{txid}:{}", outpoint.vout);
        let vin = u32::try_from(vin).map_err(|_| Refusal::new(Code::BadDraft))?;
        self.found.peg_ins.push(PegIn { vin, deposit, amount: Atoms(claim.value) });
        Ok(())
    }

    fn issuance(&mut self, vin: usize, input: &pset::Input, tx: &Transaction, token_opening: &Opening) -> Result<(), Refusal> {
        if !tx.input[vin].has_issuance() {
            return Ok(());
        }
        let (asset, token) = input.issuance_ids();
        let nonce = input.issuance_blinding_nonce.unwrap_or_default();
        let reissuance = !nonce.is_null();
        let issuance = &tx.input[vin].asset_issuance;
        let known = |value: &Value| match value {
            Value::Null => Some(0),
            Value::Explicit(value) => Some(*value),
            Value::Confidential(_) => None,
        };
        let (amount, tokens) = (known(&issuance.amount), known(&issuance.inflation_keys));
        let token = match reissuance {
            false => token,
            true => {
                let entropy = input.issuance_asset_entropy.unwrap_or_default();
                let ids = [false, true].map(|kind| elements::AssetId::reissuance_token_from_entropy(entropy, kind));
                let spends_token = ids.contains(&token_opening.asset)
                    && elements::issuance::AssetBlindingNonce::from_blinding_factor(token_opening.asset_bf) == nonce;
                if !spends_token || tokens != Some(0) {
                    return Err(lies("reissuance"));
                }
                token_opening.asset
            }
        };
        let line = self.found.issues.len();
        for (asset, made, field) in [(asset, amount, AMOUNT), (token, tokens, TOKENS)] {
            match made {
                Some(0) => {}
                Some(made) => self.add(asset, made, |sums| &mut sums.issued)?,
                None => self.implied.push(Implied { asset: AssetId::Elements(asset), line, field }),
            }
        }
        self.found.issues.push(Issue {
            vin: u32::try_from(vin).map_err(|_| Refusal::new(Code::BadDraft))?,
            asset: AssetId::Elements(asset),
            amount: Atoms(amount.unwrap_or_default()),
            token: AssetId::Elements(token),
            tokens: Atoms(tokens.unwrap_or_default()),
            reissuance,
            contract: input.issuance_asset_entropy.unwrap_or_default().to_string(),
            blinded: amount.is_none() || tokens.is_none(),
        });
        Ok(())
    }

    fn output(&mut self, vout: usize, claims: &pset::Output, output: &TxOut, told: Option<&Opening>) -> Result<(), Refusal> {
        let index = u32::try_from(vout).map_err(|_| Refusal::new(Code::BadDraft))?;
        let explicit = match (output.asset, output.value) {
            (Asset::Explicit(asset), Value::Explicit(value)) => Some((asset, value)),
            _ => None,
        };
        if explicit.is_some() {
            self.found.others_can_see.push(index);
        }
        let proof = claims.blind_value_proof.as_ref();
        if told.is_some_and(|opening| !opens(&output.asset, &output.value, opening) && !proves(output, opening, proof)) {
            return Err(lies("opening"));
        }
        let opened = told.map(|opening| (opening.asset, opening.value)).or(explicit);
        if output.script_pubkey.is_empty() {
            let (asset, value) = explicit.ok_or_else(|| lies("fee"))?;
            if asset != self.policy_asset() {
                return Err(lies("fee"));
            }
            return self.add(asset, value, |sums| &mut sums.fee);
        }
        let claim = self.own_path(&claims.bip32_derivation, &output.script_pubkey);
        let Some((asset, value)) = opened else {
            if !self.policy.accept_unverified || matches!(claim, Claim::Ours(_)) {
                return Err(lies("unverified"));
            }
            self.found.unverified.push(index);
            self.found.leaves.push(self.line(index, claims, output, None, matches!(claim, Claim::Lie)));
            return Ok(());
        };
        if output.script_pubkey.is_provably_unspendable() {
            // An empty one is there for the blinding factors to balance: nothing leaves in it.
            if value == 0 {
                return Ok(());
            }
            return self.destroyed(index, output, asset, value, explicit.is_some());
        }
        let line = self.line(index, claims, output, Some((asset, value)), matches!(claim, Claim::Lie));
        match claim {
            Claim::Ours(_) => {
                self.we_can_find(output, asset, value)?;
                self.found.comes_back.push(line);
                self.add(asset, value, |sums| &mut sums.comes_back)
            }
            Claim::Lie | Claim::None => {
                self.found.leaves.push(line);
                self.add(asset, value, |sums| &mut sums.leaves)
            }
        }
    }

    /// An output to us that our own blinding key does not open would be lost to a wallet restored from its words.
    fn we_can_find(&self, output: &TxOut, asset: elements::AssetId, value: u64) -> Result<(), Refusal> {
        if !output.asset.is_confidential() && !output.value.is_confidential() {
            return Ok(());
        }
        let key = match self.owner {
            Owner::Accounts(accounts) => Some(accounts.blinding_key_of(&output.script_pubkey)),
            Owner::Watched(wallet) => wallet.blinding_key(&output.script_pubkey),
        };
        match key.and_then(|key| output.unblind(SECP256K1, key).ok()) {
            Some(secrets) if (secrets.asset, secrets.value) == (asset, value) => Ok(()),
            _ => Err(lies("blinding")),
        }
    }

    /// A peg-out, or an amount that is simply gone.
    fn destroyed(
        &mut self,
        vout: u32,
        output: &TxOut,
        asset: elements::AssetId,
        value: u64,
        explicit: bool,
    ) -> Result<(), Refusal> {
        let honoured = |data: &elements::PegoutData<'_>| data.genesis_hash == self.realm.sidechain.parent_genesis_hash;
        match output.pegout_data().filter(|data| explicit && asset == self.policy_asset() && honoured(data)) {
            Some(data) => {
                let address = bitcoin::Address::from_script(&data.script_pubkey, self.realm.bitcoin.network).ok();
                let (address, script) = (address.map(|address| address.to_string()), data.script_pubkey.to_hex_string());
                self.found.peg_outs.push(PegOut { vout, address, script, amount: Atoms(value) });
                self.add(asset, value, |sums| &mut sums.pegged_out)
            }
            None => {
                self.found.burns.push(Burn { vout, asset: AssetId::Elements(asset), amount: Atoms(value) });
                self.add(asset, value, |sums| &mut sums.burned)
            }
        }
    }

    fn line(
        &self,
        vout: u32,
        claims: &pset::Output,
        output: &TxOut,
        opened: Option<(elements::AssetId, u64)>,
        claimed_ours: bool,
    ) -> Line {
        let blinded = output.asset.is_confidential() || output.value.is_confidential();
        let blinder = claims.blinding_key.filter(|_| blinded).map(|key| key.inner);
        let params = self.realm.sidechain.address_params();
        Line {
            vout,
            address: elements::Address::from_script(&output.script_pubkey, blinder, params).map(|address| address.to_string()),
            script: output.script_pubkey.as_bytes().to_lower_hex_string(),
            asset: opened.map(|(asset, _)| AssetId::Elements(asset)),
            amount: opened.map(|(_, value)| Atoms(value)),
            blinded,
            claimed_ours,
        }
    }

    fn own_path(&self, claims: &Derivations, script: &Script) -> Claim {
        let mut claimed = claims.values().filter(|(fingerprint, _)| self.masters.contains(fingerprint)).peekable();
        let claims_ours = claimed.peek().is_some();
        let ours = match self.owner {
            Owner::Accounts(accounts) => {
                let found = claimed.find(|(_, path)| accounts.sidechain_script_at(path).as_ref() == Some(script));
                found.map(|(_, path)| Some(path.clone()))
            }
            Owner::Watched(wallet) => wallet.blinding_key(script).map(|_| None),
        };
        match ours {
            Some(path) => Claim::Ours(path),
            None if claims_ours => Claim::Lie,
            None => Claim::None,
        }
    }

    /// In = out, asset by asset. Not to be known while an output is unverified, and then neither is what a blinded issuance makes.
    fn balance(&mut self) -> Result<(), Refusal> {
        if !self.found.unverified.is_empty() {
            return if self.implied.is_empty() { Ok(()) } else { Err(lies("issuance")) };
        }
        let total = |parts: &[Atoms]| parts.iter().map(|atoms| u128::from(atoms.0)).sum::<u128>();
        let given = |sums: &Sums| total(&[sums.spent, sums.spent_by_others, sums.issued]);
        let taken = |sums: &Sums| total(&[sums.leaves, sums.comes_back, sums.burned, sums.pegged_out, sums.fee]);
        // A blinded amount is what the outputs take beyond the inputs: a transaction in which it is another balances nowhere.
        for Implied { asset, line, field } in std::mem::take(&mut self.implied) {
            let sums = self.sums.entry(asset).or_default();
            let made = taken(sums).checked_sub(given(sums)).and_then(|made| u64::try_from(made).ok()).filter(|made| *made > 0);
            let made = Atoms(made.ok_or_else(|| lies("issuance").with("asset", asset))?);
            sums.issued = sums.issued.checked_add(made).ok_or_else(|| lies("amount"))?;
            *field(&mut self.found.issues[line]) = made;
        }
        for (asset, sums) in &self.sums {
            if given(sums) != taken(sums) {
                return Err(lies("balance").with("asset", asset));
            }
        }
        Ok(())
    }
}

/// A committed amount of an issuance, to be found out from the balance.
struct Implied {
    asset: AssetId,
    /// Index in the summary's issues.
    line: usize,
    field: fn(&mut Issue) -> &mut Atoms,
}

const AMOUNT: fn(&mut Issue) -> &mut Atoms = |issue| &mut issue.amount;
const TOKENS: fn(&mut Issue) -> &mut Atoms = |issue| &mut issue.tokens;

type Derivations = BTreeMap<bitcoin::PublicKey, bitcoin::bip32::KeySource>;

enum Claim {
    None,
    /// With the path of the key, if the keys are here.
    Ours(Option<DerivationPath>),
    Lie,
}

impl Summary {
    fn empty(realm: &Realm, tx: &Transaction) -> Summary {
        Summary {
            network: NetworkId::Sidechain,
            txid: tx.txid().to_string(),
            leaves: vec![],
            comes_back: vec![],
            fee: Atoms::ZERO,
            fee_asset: AssetId::Elements(realm.sidechain.policy_asset),
            fee_share: super::FeeShare { permille: None, per_kvb: 0, vsize: 0 },
            burns: vec![],
            issues: vec![],
            peg_ins: vec![],
            peg_outs: vec![],
            sums: BTreeMap::new(),
            others_can_see: vec![],
            unverified: vec![],
            all_inputs_ours: false,
        }
    }
}

/// Discounted virtual bytes (ELIP200) with our signatures at their usual size.
fn finished_vsize(tx: &Transaction, own: &[OwnInput]) -> u64 {
    let mut finished = tx.clone();
    for own in own {
        finished.input[own.vin].witness.script_witness = elements::Witness::from_slice(&[vec![0; 72], vec![0; 33]]);
    }
    finished.discount_vsize() as u64
}
