//! What a sandbox keeps of itself: settings of its chains, keys and ports.

use crate::bitcoind::free_port;
use crate::error::SandboxError;
use crate::options::ChainOptions;
use bitcoin::hex::DisplayHex as _;
use bitcoin::secp256k1::{SECP256K1, SecretKey};
use causeway_federation::{Emergency, Federation, Member};
use causeway_vocab::realm::Testbed;
use causeway_vocab::{BitcoinParams, Realm, SidechainParams};
use rand::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

/// How many of how many emergency keys withdraw.
const EMERGENCY: (u8, u8) = (2, 3);
/// How often the lock is tried.
const LOCK_TRIES: u32 = 10;
/// Between two tries.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Everything that a restart needs. The keys guard coins that are worth nothing, so they lie in the open, readable by the user only.
#[derive(Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) chain: ChainOptions,
    /// Where mined coins go.
    pub(crate) miner: SecretKey,
    /// One per functionary, those of the genesis block first in the order of the scripts, then those that can be voted in.
    pub(crate) functionaries: Vec<FunctionaryKeys>,
    /// The emergency quorum. Kept here because this world is worth nothing; elsewhere such keys lie in safes of other people.
    #[serde(default)]
    pub(crate) emergency: Vec<SecretKey>,
    /// Entries of the peg-out authorisation list that the chain begins with, hex.
    #[serde(default)]
    pub(crate) first_pak: Vec<String>,
    pub(crate) ports: Ports,
}

/// The keys of one functionary.
#[derive(Serialize, Deserialize)]
pub(crate) struct FunctionaryKeys {
    /// Authenticates what it says to the others.
    pub(crate) message: SecretKey,
    /// Signs sidechain blocks.
    pub(crate) block: SecretKey,
    /// Signs what leaves the federation's Bitcoin coins.
    pub(crate) fedpeg: SecretKey,
    /// Receives the fees of the blocks it proposes.
    pub(crate) payout: SecretKey,
}

impl FunctionaryKeys {
    /// The keys as the machines take them.
    pub(crate) fn to_federation(&self) -> causeway_federation::FunctionaryKeys {
        causeway_federation::FunctionaryKeys { message: self.message, block: self.block, fedpeg: self.fedpeg }
    }
}

/// Ports of loopback, kept so that clients find everything again after a restart.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Ports {
    pub(crate) bitcoin_p2p: u16,
    pub(crate) bitcoin_rpc: u16,
    pub(crate) sidechain_p2p: u16,
    pub(crate) control: u16,
    /// One per functionary.
    pub(crate) functionaries: Vec<u16>,
}

/// Holds the directory of a sandbox for this process; the system lets go of it when the process ends, however it ends.
pub(crate) struct Lock(#[expect(dead_code, reason = "held for its lock")] File);

impl Lock {
    /// Takes the directory, creating it if need be.
    ///
    /// Tries for a moment, because whoever asks [`is_locked`] holds the lock for the blink of an eye.
    pub(crate) async fn take(dir: &Path) -> Result<Lock, SandboxError> {
        std::fs::create_dir_all(dir).map_err(SandboxError::io(format!("creating {}", dir.display())))?;
        let file = File::create(dir.join("lock")).map_err(SandboxError::io("creating the lock file"))?;
        for _ in 0..LOCK_TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Lock(file)),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
                Err(TryLockError::Error(source)) => return Err(SandboxError::Io { what: "locking".into(), source }),
            }
        }
        Err(SandboxError::InUse(dir.to_owned()))
    }
}

/// Whether a process serves this directory.
pub(crate) fn is_locked(dir: &Path) -> bool {
    File::open(dir.join("lock")).is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

impl World {
    /// The world of `dir`, or a new one with these settings.
    pub(crate) fn load_or_create(
        dir: &Path,
        chain: ChainOptions,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<World, SandboxError> {
        let path = dir.join("world.json");
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| SandboxError::Damaged { path, why: e.to_string() }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let world = World::new(chain, rng)?;
                world.save(dir)?;
                Ok(world)
            }
            Err(e) => Err(SandboxError::io("reading world.json")(e)),
        }
    }

    fn new(chain: ChainOptions, rng: &mut (impl RngCore + CryptoRng)) -> Result<World, SandboxError> {
        if let Some(name) = chain.fault() {
            return Err(SandboxError::BadOption(name));
        }
        let mut key = || SecretKey::new(rng);
        let functionaries = (0..chain.functionaries.saturating_add(chain.spares)).map(|_| FunctionaryKeys {
            message: key(),
            block: key(),
            fedpeg: key(),
            payout: key(),
        });
        let functionaries: Vec<_> = functionaries.collect();
        let emergency = if chain.emergency_delay > 0 { (0..EMERGENCY.1).map(|_| key()).collect() } else { Vec::new() };
        let mut pair = || [key(), key()].map(|key| key.public_key(SECP256K1).serialize()).concat().to_lower_hex_string();
        // One entry per functionary, as members of Liquid have. Nobody here pegs out with them.
        let first_pak = if chain.pak { (0..chain.functionaries).map(|_| pair()).collect() } else { Vec::new() };
        let ports = Ports::choose(functionaries.len())?;
        Ok(World { chain, miner: key(), ports, functionaries, emergency, first_pak })
    }

    /// Chooses other ports, for when somebody else has taken one.
    pub(crate) fn choose_ports(&mut self, dir: &Path) -> Result<(), SandboxError> {
        self.ports = Ports::choose(self.functionaries.len())?;
        self.save(dir)
    }

    fn save(&self, dir: &Path) -> Result<(), SandboxError> {
        let json = serde_json::to_vec_pretty(self).expect("BUG: keys and numbers are JSON");
        replace_file(&dir.join("world.json"), &json)
    }

    /// The realm that clients follow.
    pub(crate) fn realm(&self) -> Realm {
        Realm {
            name: "sandbox".into(),
            valueless: true,
            bitcoin: BitcoinParams {
                network: bitcoin::Network::Regtest,
                peers: vec![loopback(self.ports.bitcoin_p2p)],
                required_peers: 1,
            },
            sidechain: SidechainParams {
                registries: vec![format!("http://{}/registry", loopback(self.ports.control))],
                ..self.sidechain()
            },
            testbed: Some(Testbed { control: loopback(self.ports.control) }),
            // Added once the control plane is open and has a block to trust.
            staking: None,
        }
    }

    /// The federation of the genesis block.
    pub(crate) fn federation(&self) -> Federation {
        let members: Vec<u8> = (0..self.chain.functionaries).collect();
        let delay = self.chain.emergency_delay;
        self.set_of(&members, self.chain.threshold, delay).expect("BUG: the settings were checked and the keys are random")
    }

    /// A federation of these functionaries, of whom so many sign blocks and peg-outs, with an emergency path unless the delay is 0. As many must
    /// precommit as must sign, so that blocks are made while that many run.
    pub(crate) fn set_of(&self, members: &[u8], k: u8, emergency_delay: u16) -> Result<Federation, SandboxError> {
        let keys = |index: &u8| self.functionaries.get(usize::from(*index)).map(|keys| keys.to_federation().member());
        let refused = |why: String| SandboxError::Refused(why);
        let members: Option<Vec<_>> = members.iter().map(keys).collect();
        let members = members.ok_or_else(|| refused("no functionary of that index".into()))?;
        let set = Federation::new(members, k, k, k).map_err(|fault| refused(fault.to_string()))?;
        if emergency_delay == 0 {
            return Ok(set);
        }
        let keys = self.emergency.iter().map(|key| key.public_key(SECP256K1)).collect();
        let emergency = Emergency { threshold: EMERGENCY.0, keys, delay: emergency_delay };
        set.with_emergency(emergency).map_err(|fault| refused(fault.to_string()))
    }

    /// Which functionary a member is.
    pub(crate) fn index_of(&self, member: &Member) -> Option<usize> {
        self.functionaries.iter().position(|keys| keys.message.public_key(SECP256K1) == member.message)
    }

    /// Parameters of the sidechain.
    pub(crate) fn sidechain(&self) -> SidechainParams {
        let peers = vec![loopback(self.ports.sidechain_p2p)];
        crate::genesis::params(&self.chain, &self.federation(), &self.first_pak, peers)
    }
}

impl Ports {
    fn choose(functionaries: usize) -> Result<Ports, SandboxError> {
        let mut taken = Vec::new();
        let mut next = || loop {
            let port = free_port()?;
            if !taken.contains(&port) {
                taken.push(port);
                return Ok::<u16, SandboxError>(port);
            }
        };
        Ok(Ports {
            bitcoin_p2p: next()?,
            bitcoin_rpc: next()?,
            sidechain_p2p: next()?,
            control: next()?,
            functionaries: (0..functionaries).map(|_| next()).collect::<Result<_, _>>()?,
        })
    }
}

/// An address of this machine that no other machine reaches.
pub(crate) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Replaces a file as a whole: after a crash it has the old or the new content. Readable by the user only.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), SandboxError> {
    let write = || -> std::io::Result<()> {
        let temporary = path.with_extension("new");
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        // The rename itself is on disk only once the directory is.
        #[cfg(unix)]
        File::open(path.parent().expect("BUG: every file of the sandbox lies in its directory"))?.sync_all()?;
        Ok(())
    };
    write().map_err(SandboxError::io(format!("writing {}", path.display())))
}
