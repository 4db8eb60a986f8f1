//! The vault file: recovery words of a profile's wallets, sealed under a password.
//!
//! A random data key seals the body with XChaCha20-Poly1305; *slots* seal the data key. The password slot uses a key that Argon2id
//! stretches from the password, the optional keyring slot 32 random bytes that the operating system's keyring keeps. All bytes
//! before the body are authenticated with it. Integers are little-endian.
//!
//! ```text
//! 16  "causeway vault 1"
//!  4  Argon2id memory, KiB      4  passes      4  lanes      16  salt
//! 24  nonce                    48  data key sealed under the stretched password
//!  1  keyring slot? then 24 nonce, 48 data key sealed under the keyring key
//! 24  nonce                     n  body: wallets, padded with zeros to a multiple of 1024
//! ```

use crate::secret::{Recovery, Secret};
use crate::words::Words;
use argon2::{Algorithm, Argon2, Params, Version};
use bip39::{Language, Mnemonic};
use causeway_vocab::{Code, Refusal};
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use rand::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use zeroize::{Zeroize as _, Zeroizing};

const MAGIC: &[u8; 16] = b"causeway vault 1";
const PASSWORD_SLOT: u8 = 1;
const KEYRING_SLOT: u8 = 2;
const PADDING: usize = 1024;
/// The largest vault file that is read, bytes.
pub const MAX_FILE: usize = 1 << 20;
/// The shortest password of a profile whose coins are worth something, characters.
pub const LEAST_PASSWORD: usize = 8;
const MAX_ID: usize = 64;
const MAX_PASSPHRASE: usize = 1024;

/// Work that Argon2id does for one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// The least that a vault may ask for; a file that asks for less is refused. 64 MiB and 3 passes (RFC 9106, second choice, one lane).
    pub const FLOOR: Cost = Cost { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    /// The most that a vault may ask for; a file that asks for more would only exhaust the machine.
    pub const CEILING: Cost = Cost { memory_kib: 2 * 1024 * 1024, passes: 64, lanes: 16 };
    /// Memory beyond which calibration adds passes instead.
    const CALIBRATED_MEMORY: u32 = 256 * 1024;

    /// Finds a cost of at least `target_millis` on this machine by trying; `clock` tells milliseconds. Between [`Cost::FLOOR`] and
    /// [`Cost::CEILING`].
    ///
    /// Takes a few times the target. Profiles whose coins are worth nothing may use the floor instead.
    pub fn calibrate(target_millis: u64, mut clock: impl FnMut() -> u64) -> Cost {
        let mut cost = Cost::FLOOR;
        loop {
            let began = clock();
            stretch(&Secret::new(String::new()), cost, &[0; 16]);
            let took = clock().saturating_sub(began);
            if took >= target_millis || cost.passes >= Cost::CEILING.passes {
                return cost;
            }
            if cost.memory_kib < Cost::CALIBRATED_MEMORY {
                cost.memory_kib *= 2;
            } else {
                let wanted = u64::from(cost.passes).saturating_mul(target_millis).div_ceil(took.max(1));
                let passes = u32::try_from(wanted).unwrap_or(u32::MAX).max(cost.passes + 1);
                cost.passes = passes.min(Cost::CEILING.passes);
            }
        }
    }

    fn is_acceptable(self) -> bool {
        let fits = |of: fn(&Cost) -> u32| (of(&Cost::FLOOR)..=of(&Cost::CEILING)).contains(&of(&self));
        fits(|cost| cost.memory_kib) && fits(|cost| cost.passes) && fits(|cost| cost.lanes)
    }
}

/// Refuses a new password that is too short with `WeakPassword` (`least`). Where coins are worth nothing, anything goes, even nothing.
pub fn check_new_password(password: &Secret, valueless: bool) -> Result<(), Refusal> {
    match valueless || password.reveal().chars().count() >= LEAST_PASSWORD {
        true => Ok(()),
        false => Err(Refusal::new(Code::WeakPassword).with("least", LEAST_PASSWORD)),
    }
}

/// The key that unlocks from the OS keyring: convenience only, the password always works too.
pub struct KeyringKey(Zeroizing<[u8; 32]>);

impl KeyringKey {
    /// The key as the keyring stores it.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key that a keyring gave back.
    pub fn from_bytes(bytes: [u8; 32]) -> KeyringKey {
        KeyringKey(Zeroizing::new(bytes))
    }
}

/// The data key, sealed.
#[derive(Clone)]
struct Slot {
    nonce: [u8; 24],
    sealed: [u8; 48],
}

#[derive(Clone)]
struct PasswordSlot {
    cost: Cost,
    salt: [u8; 16],
    slot: Slot,
}

/// An unlocked vault. Dropping it is locking.
pub struct OpenVault {
    data_key: Zeroizing<[u8; 32]>,
    password: PasswordSlot,
    keyring: Option<Slot>,
    wallets: BTreeMap<String, Recovery>,
}

impl OpenVault {
    /// A new vault without wallets. Slow: stretches the password once. A cost outside the bounds is moved inside.
    pub fn create(password: &Secret, cost: Cost, rng: &mut (impl RngCore + CryptoRng)) -> OpenVault {
        let mut data_key = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *data_key);
        let password = PasswordSlot::new(&data_key, password, cost, rng);
        OpenVault { data_key, password, keyring: None, wallets: BTreeMap::new() }
    }

    /// Opens a vault file. Slow: stretches the password once.
    ///
    /// Refused with `WrongPassword`, or with `BadVault` when the file is damaged or asks for less work than the floor. A damaged
    /// password slot cannot be told from a wrong password, so neither can anybody who guesses.
    pub fn open(file: &[u8], password: &Secret) -> Result<OpenVault, Refusal> {
        let header = Header::read(file).ok_or(Code::BadVault)?;
        let stretched = stretch(password, header.password.cost, &header.password.salt);
        let aad = header.password.aad();
        let data_key = header.password.slot.open(&stretched, &aad).ok_or(Code::WrongPassword)?;
        header.open(data_key)
    }

    /// Opens a vault file with the key from the OS keyring. Refused with `WrongPassword` when the key is not this vault's: ask for the
    /// password then.
    pub fn open_with_keyring(file: &[u8], key: &KeyringKey) -> Result<OpenVault, Refusal> {
        let header = Header::read(file).ok_or(Code::BadVault)?;
        let slot = header.keyring.as_ref().ok_or(Code::WrongPassword)?;
        let data_key = slot.open(&key.0, &keyring_aad()).ok_or(Code::WrongPassword)?;
        header.open(data_key)
    }

    /// The file. Write it to a new name, sync, rename: the old vault stays whole until the new one is.
    pub fn seal(&self, rng: &mut (impl RngCore + CryptoRng)) -> Vec<u8> {
        let mut file = self.password.aad()[..MAGIC.len() + 28].to_vec();
        file.extend(self.password.slot.nonce);
        file.extend(self.password.slot.sealed);
        file.push(u8::from(self.keyring.is_some()));
        if let Some(slot) = &self.keyring {
            file.extend(slot.nonce);
            file.extend(slot.sealed);
        }
        let mut nonce = [0; 24];
        rng.fill_bytes(&mut nonce);
        file.extend(nonce);
        let body = write_wallets(&self.wallets);
        let sealed = cipher(&self.data_key).encrypt(&nonce.into(), Payload { msg: &body, aad: &file });
        file.extend(sealed.expect("BUG: the body is far below the limit of the cipher"));
        file
    }

    /// Puts another password in the place of the old, and a new data key with it: who kept an old file and the old password learns nothing
    /// from a new file. The keyring slot goes too. Takes effect in the next [`OpenVault::seal`]. Slow.
    pub fn change_password(&mut self, password: &Secret, cost: Cost, rng: &mut (impl RngCore + CryptoRng)) {
        rng.fill_bytes(&mut *self.data_key);
        self.password = PasswordSlot::new(&self.data_key, password, cost, rng);
        self.keyring = None;
    }

    /// Makes a key for the OS keyring; the one made before ceases to work with the next [`OpenVault::seal`].
    pub fn enable_keyring(&mut self, rng: &mut (impl RngCore + CryptoRng)) -> KeyringKey {
        let mut key = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *key);
        self.keyring = Some(Slot::seal(&self.data_key, &key, &keyring_aad(), rng));
        KeyringKey(key)
    }

    /// Takes the keyring slot out. Takes effect in the next [`OpenVault::seal`].
    pub fn disable_keyring(&mut self) {
        self.keyring = None;
    }

    /// Whether a keyring key opens this vault.
    pub fn has_keyring(&self) -> bool {
        self.keyring.is_some()
    }

    /// What a password try costs with this vault.
    pub fn cost(&self) -> Cost {
        self.password.cost
    }

    /// The wallets by id.
    pub fn wallets(&self) -> &BTreeMap<String, Recovery> {
        &self.wallets
    }

    /// Adds or replaces a wallet. Refused with `BadRequest` when the id is empty or above 64 bytes, or the passphrase above 1024.
    pub fn insert(&mut self, id: &str, recovery: Recovery) -> Result<(), Refusal> {
        let bad = |field: &str| Err(Refusal::new(Code::BadRequest).with("field", field));
        if id.is_empty() || id.len() > MAX_ID {
            return bad("id");
        }
        if recovery.passphrase.reveal().len() > MAX_PASSPHRASE {
            return bad("passphrase");
        }
        self.wallets.insert(id.to_owned(), recovery);
        Ok(())
    }

    /// Takes a wallet out for good.
    pub fn remove(&mut self, id: &str) -> Option<Recovery> {
        self.wallets.remove(id)
    }
}

fn stretch(password: &Secret, cost: Cost, salt: &[u8; 16]) -> Zeroizing<[u8; 32]> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).expect("BUG: the cost was checked");
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.reveal().as_bytes(), salt, &mut *key)
        .expect("BUG: salt and output have allowed lengths");
    key
}

fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.into())
}

fn keyring_aad() -> Vec<u8> {
    [MAGIC.as_slice(), &[KEYRING_SLOT]].concat()
}

impl Slot {
    fn seal(data_key: &[u8; 32], key: &[u8; 32], aad: &[u8], rng: &mut (impl RngCore + CryptoRng)) -> Slot {
        let mut nonce = [0; 24];
        rng.fill_bytes(&mut nonce);
        let sealed = cipher(key).encrypt(&nonce.into(), Payload { msg: data_key, aad }).expect("BUG: 32 bytes can be sealed");
        Slot { nonce, sealed: sealed.try_into().expect("BUG: the tag has 16 bytes") }
    }

    fn open(&self, key: &[u8; 32], aad: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let opened = cipher(key).decrypt(&self.nonce.into(), Payload { msg: &self.sealed, aad }).ok()?;
        let opened = Zeroizing::new(opened);
        opened.as_slice().try_into().ok().map(Zeroizing::new)
    }
}

impl PasswordSlot {
    fn new(data_key: &[u8; 32], password: &Secret, cost: Cost, rng: &mut (impl RngCore + CryptoRng)) -> PasswordSlot {
        let within = |of: fn(&Cost) -> u32| of(&cost).clamp(of(&Cost::FLOOR), of(&Cost::CEILING));
        let cost = Cost { memory_kib: within(|c| c.memory_kib), passes: within(|c| c.passes), lanes: within(|c| c.lanes) };
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let mut new = PasswordSlot { cost, salt, slot: Slot { nonce: [0; 24], sealed: [0; 48] } };
        new.slot = Slot::seal(data_key, &stretch(password, cost, &salt), &new.aad(), rng);
        new
    }

    /// The bytes that the slot authenticates: what the file holds before it, and which slot it is.
    fn aad(&self) -> Vec<u8> {
        let Cost { memory_kib, passes, lanes } = self.cost;
        let numbers = [memory_kib, passes, lanes].map(u32::to_le_bytes).concat();
        [MAGIC.as_slice(), &numbers, &self.salt, &[PASSWORD_SLOT]].concat()
    }
}

struct Header<'f> {
    password: PasswordSlot,
    keyring: Option<Slot>,
    nonce: [u8; 24],
    authenticated: &'f [u8],
    body: &'f [u8],
}

impl<'f> Header<'f> {
    fn read(file: &'f [u8]) -> Option<Header<'f>> {
        if file.len() > MAX_FILE {
            return None;
        }
        let mut rest = file;
        if take::<16>(&mut rest)? != *MAGIC {
            return None;
        }
        let mut number = || take::<4>(&mut rest).map(u32::from_le_bytes);
        let cost = Cost { memory_kib: number()?, passes: number()?, lanes: number()? };
        if !cost.is_acceptable() {
            return None;
        }
        let salt = take(&mut rest)?;
        let password = PasswordSlot { cost, salt, slot: Slot { nonce: take(&mut rest)?, sealed: take(&mut rest)? } };
        let keyring = match take::<1>(&mut rest)? {
            [0] => None,
            [1] => Some(Slot { nonce: take(&mut rest)?, sealed: take(&mut rest)? }),
            _ => return None,
        };
        let nonce = take(&mut rest)?;
        Some(Header { password, keyring, nonce, authenticated: &file[..file.len() - rest.len()], body: rest })
    }

    fn open(self, data_key: Zeroizing<[u8; 32]>) -> Result<OpenVault, Refusal> {
        let payload = Payload { msg: self.body, aad: self.authenticated };
        let body = cipher(&data_key).decrypt(&self.nonce.into(), payload).map_err(|_| Refusal::new(Code::BadVault))?;
        let wallets = read_wallets(&Zeroizing::new(body)).ok_or(Code::BadVault)?;
        Ok(OpenVault { data_key, password: self.password, keyring: self.keyring, wallets })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

fn take_slice<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let len = usize::from(u16::from_le_bytes(take(rest)?));
    let (head, tail) = rest.split_at_checked(len)?;
    *rest = tail;
    Some(head)
}

/// Tags of the word lists in the file; never renumbered.
const LANGUAGES: [Language; 3] = [Language::English, Language::SimplifiedChinese, Language::TraditionalChinese];

/// `count u16`, then per wallet `id`, `list u8`, `entropy`, `passphrase`, each text and the entropy with a `u16` length; then zeros.
fn write_wallets(wallets: &BTreeMap<String, Recovery>) -> Zeroizing<Vec<u8>> {
    let count = u16::try_from(wallets.len()).expect("BUG: no profile has that many wallets");
    // Enough from the start: a vector that grows leaves copies behind.
    let per_wallet = MAX_ID + MAX_PASSPHRASE + 64;
    let mut body = Zeroizing::new(Vec::with_capacity(PADDING + wallets.len() * per_wallet));
    body.extend(count.to_le_bytes());
    for (id, recovery) in wallets {
        let words = &recovery.words.0;
        let list = LANGUAGES.iter().position(|language| *language == words.language());
        let mut entropy = words.to_entropy();
        let mut field = |bytes: &[u8]| {
            let len = u16::try_from(bytes.len()).expect("BUG: checked when it was inserted");
            body.extend(len.to_le_bytes());
            body.extend(bytes);
        };
        field(id.as_bytes());
        field(&[u8::try_from(list.expect("BUG: words come from these lists")).expect("BUG: three lists")]);
        field(&entropy);
        field(recovery.passphrase.reveal().as_bytes());
        entropy.zeroize();
    }
    let padded = body.len().next_multiple_of(PADDING);
    body.resize(padded, 0);
    body
}

fn read_wallets(body: &[u8]) -> Option<BTreeMap<String, Recovery>> {
    let mut rest = body;
    let count = u16::from_le_bytes(take(&mut rest)?);
    let mut wallets = BTreeMap::new();
    for _ in 0..count {
        let id = std::str::from_utf8(take_slice(&mut rest)?).ok()?.to_owned();
        let [list] = *take_slice(&mut rest)? else { return None };
        let words = Mnemonic::from_entropy_in(*LANGUAGES.get(usize::from(list))?, take_slice(&mut rest)?).ok()?;
        let passphrase = Secret::new(std::str::from_utf8(take_slice(&mut rest)?).ok()?.to_owned());
        wallets.insert(id, Recovery { words: Words(words), passphrase });
    }
    rest.iter().all(|byte| *byte == 0).then_some(wallets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn recovery(passphrase: &str) -> Recovery {
        let words = Words::generate(crate::WordCount::Twelve, &mut StdRng::seed_from_u64(1), None);
        Recovery { words, passphrase: secret(passphrase) }
    }

    fn code<T>(result: Result<T, Refusal>) -> Option<Code> {
        result.err().map(|refusal| refusal.code)
    }

    #[test]
    fn a_vault_opens_with_its_password_and_keyring_key_and_nothing_else() {
        let mut rng = StdRng::seed_from_u64(2);
        let mut vault = OpenVault::create(&secret("correct horse"), Cost::FLOOR, &mut rng);
        vault.insert("main", recovery("extra")).expect("an id");
        vault.insert("second", recovery("")).expect("an id");
        let key = vault.enable_keyring(&mut rng);
        let file = vault.seal(&mut rng);
        assert_eq!((file.len() - 213 - 16) % PADDING, 0);
        drop(vault);

        let mut open = OpenVault::open(&file, &secret("correct horse")).expect("its password");
        let main = &open.wallets()["main"];
        assert_eq!(main.passphrase.reveal(), "extra");
        assert_eq!(main.seed().0, recovery("extra").seed().0);
        assert_eq!(open.wallets().len(), 2);
        assert_eq!(code(OpenVault::open(&file, &secret("correct hors"))), Some(Code::WrongPassword));
        let again = KeyringKey::from_bytes(*key.as_bytes());
        assert!(OpenVault::open_with_keyring(&file, &again).is_ok_and(|vault| vault.wallets().len() == 2));
        assert_eq!(code(OpenVault::open_with_keyring(&file, &KeyringKey::from_bytes([0; 32]))), Some(Code::WrongPassword));

        open.change_password(&secret("battery staple"), Cost::FLOOR, &mut rng);
        assert!(open.remove("second").is_some());
        let changed = open.seal(&mut rng);
        assert_eq!(code(OpenVault::open(&changed, &secret("correct horse"))), Some(Code::WrongPassword));
        assert_eq!(code(OpenVault::open_with_keyring(&changed, &key)), Some(Code::WrongPassword));
        assert!(OpenVault::open(&changed, &secret("battery staple")).is_ok_and(|vault| vault.wallets().len() == 1));
    }

    #[test]
    fn a_damaged_file_is_refused_wherever_the_damage_is() {
        let mut rng = StdRng::seed_from_u64(3);
        let mut vault = OpenVault::create(&secret("pw"), Cost::FLOOR, &mut rng);
        let key = vault.enable_keyring(&mut rng);
        vault.insert("main", recovery("")).expect("an id");
        let file = vault.seal(&mut rng);
        // The keyring slot needs no stretching, so every single byte can be tried with it.
        for index in 0..file.len() {
            let mut bad = file.clone();
            bad[index] ^= 1;
            let refused = code(OpenVault::open_with_keyring(&bad, &key));
            assert!(matches!(refused, Some(Code::BadVault | Code::WrongPassword)), "byte {index}");
        }
        for len in [0, 15, 16, 40, 117, file.len() - 1] {
            assert!(OpenVault::open_with_keyring(&file[..len], &key).is_err(), "{len}");
        }
        assert_eq!(code(OpenVault::open(&vec![0; MAX_FILE + 1], &secret("pw"))), Some(Code::BadVault));
    }

    #[test]
    fn a_vault_that_asks_for_too_little_or_too_much_work_is_refused_before_any_work() {
        let mut rng = StdRng::seed_from_u64(4);
        let file = OpenVault::create(&secret("pw"), Cost { memory_kib: 1, passes: 0, lanes: 0 }, &mut rng).seal(&mut rng);
        assert!(OpenVault::open(&file, &secret("pw")).is_ok_and(|vault| vault.cost() == Cost::FLOOR));
        for (at, value) in [(16, Cost::FLOOR.memory_kib - 1), (20, 2), (24, 0), (16, u32::MAX), (20, 65), (24, 17)] {
            let mut bad = file.clone();
            bad[at..at + 4].copy_from_slice(&value.to_le_bytes());
            assert_eq!(code(OpenVault::open(&bad, &secret("pw"))), Some(Code::BadVault), "{at} {value}");
        }
    }

    #[test]
    fn calibration_reaches_the_target_by_the_clock_it_is_given() {
        // A machine on which a try takes a second, and one on which it takes no time at all.
        let mut now = 0;
        let slow = Cost::calibrate(500, || {
            now += 1_000;
            now
        });
        assert_eq!(slow, Cost::FLOOR);
        let mut readings = 0;
        let doubled = Cost::calibrate(500, || {
            readings += 1;
            if readings == 4 { 600 } else { 0 }
        });
        assert_eq!(doubled, Cost { memory_kib: 128 * 1024, ..Cost::FLOOR });
    }

    #[test]
    fn a_short_password_is_refused_where_coins_are_worth_something() {
        assert_eq!(check_new_password(&secret(""), true), Ok(()));
        assert_eq!(check_new_password(&secret("八個字的密碼是好"), false), Ok(()));
        let refused = check_new_password(&secret("seven77"), false).expect_err("short");
        assert_eq!((refused.code, refused.args["least"].as_str()), (Code::WeakPassword, "8"));
    }

    #[test]
    fn an_entry_that_the_file_cannot_hold_is_refused() {
        let mut vault = OpenVault::create(&secret("pw"), Cost::FLOOR, &mut StdRng::seed_from_u64(5));
        assert_eq!(code(vault.insert("", recovery(""))), Some(Code::BadRequest));
        assert_eq!(code(vault.insert(&"x".repeat(65), recovery(""))), Some(Code::BadRequest));
        assert_eq!(code(vault.insert("x", recovery(&"p".repeat(1025)))), Some(Code::BadRequest));
    }
}
