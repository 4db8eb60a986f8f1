//! What the functionaries have agreed upon since the genesis block: who they may be, and what they vote for.

use crate::error::SandboxError;
use crate::world::{World, replace_file};
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use causeway_federation::{Federation, dynafed};
use elements::dynafed::FullParams;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::path::Path;

/// Kept in `federation.json`. All functionaries of a sandbox have it alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Charter {
    /// Every federation that was ever agreed upon, that of the genesis block first. Only ever added to, because watchmen count members by
    /// their first appearance here.
    pub(crate) federations: Vec<Federation>,
    /// What all of them vote for until it is in force.
    #[serde(with = "params_hex")]
    pub(crate) wanted: Option<FullParams>,
}

impl Charter {
    /// The charter of `dir`, or that of a new world.
    pub(crate) fn load(dir: &Path, world: &World) -> Result<Charter, SandboxError> {
        let path = dir.join("federation.json");
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| SandboxError::Damaged { path, why: e.to_string() }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                Ok(Charter { federations: vec![world.federation()], wanted: None })
            }
            Err(e) => Err(SandboxError::io("reading federation.json")(e)),
        }
    }

    pub(crate) fn save(&self, dir: &Path) -> Result<(), SandboxError> {
        let json = serde_json::to_vec_pretty(self).expect("BUG: keys and numbers are JSON");
        replace_file(&dir.join("federation.json"), &json)
    }

    /// The same charter with another aim. Refused when it would lock the federation out, with the reason. `current` is in force.
    pub(crate) fn aim(
        &self,
        federation: Option<Federation>,
        wanted: FullParams,
        current: &FullParams,
    ) -> Result<Charter, SandboxError> {
        let mut next = self.clone();
        next.federations.extend(federation.filter(|new| !self.federations.contains(new)));
        dynafed::check_proposal(&wanted, current, &next.federations).map_err(|fault| SandboxError::Refused(fault.to_string()))?;
        next.wanted = Some(wanted);
        Ok(next)
    }

    /// What will be in force when the votes have had their effect.
    pub(crate) fn target(&self, current: &FullParams) -> FullParams {
        self.wanted.clone().unwrap_or_else(|| current.clone())
    }
}

mod params_hex {
    use super::*;

    pub(super) fn serialize<S: Serializer>(params: &Option<FullParams>, serializer: S) -> Result<S::Ok, S::Error> {
        params.as_ref().map(|params| elements::encode::serialize(params).to_lower_hex_string()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<FullParams>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        let bytes = Vec::<u8>::from_hex(&text).map_err(D::Error::custom)?;
        elements::encode::deserialize(&bytes).map(Some).map_err(D::Error::custom)
    }
}
