//! Profile, wallets, vault, settings.

records! {
    /// What every window asks first.
    pub struct AppState {
        /// Name of the realm this profile belongs to.
        pub realm: String,
        /// Its coins are worth nothing: show the banner, allow an empty password.
        pub valueless: bool,
        /// The realm hands out test coins and mines on request.
        pub testbed: bool,
        /// Wallets of this profile.
        pub wallets: Vec<WalletView>,
        /// The selected wallet, when there is one.
        pub selected: Option<u32>,
        /// The selected wallet's keys are open.
        pub unlocked: bool,
    }

    /// A wallet of the profile.
    pub struct WalletView {
        /// Its number, stable for life.
        pub id: u32,
        /// The user's name for it.
        pub name: String,
        /// Fingerprint of its master key, 8 hex digits; empty when only watching.
        pub fingerprint: String,
        /// There are no keys here: it can watch and plan but not sign.
        pub watch_only: bool,
        /// The vault has an empty password (valueless realms only).
        pub no_password: bool,
        /// The words were written down and confirmed, or typed in on restore.
        pub backed_up: bool,
    }

    /// Asks for new recovery words. They are stored nowhere until `wallet_create`.
    pub struct WordsNew {
        /// 12 or 24.
        pub count: u8,
        /// Own entropy, such as dice rolls, mixed with the system's.
        pub own_entropy: Option<String>,
    }

    /// Recovery words. Never sent to a webview.
    pub struct Words {
        /// The words in order.
        pub words: Vec<String>,
    }

    /// Confirms that the recovery words of a wallet were written down. Never sent by a webview.
    pub struct WordsConfirm {
        /// Its number.
        pub wallet: u32,
        /// Password of its vault.
        pub password: String,
        /// All of its words in order.
        pub words: Vec<String>,
    }

    /// Creates or restores a wallet from words. Never sent by a webview.
    pub struct WalletCreate {
        /// The user's name for it.
        pub name: String,
        /// BIP39 words.
        pub words: Vec<String>,
        /// BIP39 passphrase; empty for none.
        pub passphrase: String,
        /// Password of the vault.
        pub password: String,
        /// The words existed before: search the chains from `birthday` on.
        pub restore: bool,
        /// Unix seconds before which the words received nothing; absent: search from the beginning.
        pub birthday: Option<u32>,
    }

    /// Creates a wallet with new words and no password, in a valueless realm.
    pub struct WalletQuickStart {
        /// The user's name for it.
        pub name: String,
    }

    /// Adds a wallet without keys.
    pub struct WalletWatch {
        /// The user's name for it.
        pub name: String,
        /// Bitcoin output descriptor, multipath or external only.
        pub bitcoin: String,
        /// Confidential descriptor of the sidechain (ELIP150).
        pub sidechain: String,
        /// As in `WalletCreate`.
        pub birthday: Option<u32>,
    }

    /// The public side of a wallet: with it another program watches the wallet and plans for it, and cannot spend.
    pub struct WalletDescriptors {
        /// Bitcoin output descriptors with key origins and checksums, one per line: external, internal.
        pub bitcoin: String,
        /// Confidential descriptor of the sidechain (ELIP150). It holds the blinding key: whoever has it sees every amount.
        pub sidechain: String,
        /// As in `WalletCreate`.
        pub birthday: Option<u32>,
    }

    /// Names a wallet.
    pub struct WalletRef {
        /// Its number.
        pub wallet: u32,
    }

    /// Renames a wallet.
    pub struct WalletRename {
        /// Its number.
        pub wallet: u32,
        /// The new name.
        pub name: String,
    }

    /// Names a wallet and proves the right to its keys.
    pub struct WalletUnlock {
        /// Its number.
        pub wallet: u32,
        /// Password of its vault.
        pub password: String,
    }

    /// Changes the password of a vault.
    pub struct PasswordChange {
        /// The wallet.
        pub wallet: u32,
        /// The old password.
        pub old: String,
        /// The new one.
        pub new: String,
    }

    /// Settings of the profile.
    pub struct Settings {
        /// `en`, `zh-Hans` or `zh-Hant`; empty follows the system.
        pub language: String,
        /// Light, dark, or the system's.
        pub theme: Theme,
        /// Minutes without a touch after which the keys are locked; 0: never.
        pub auto_lock_minutes: u32,
        /// Amounts are hidden until asked for.
        pub hide_amounts: bool,
        /// A fee above this share of the payment, in percent, is refused.
        pub fee_limit_percent: u32,
        /// Unused addresses searched past the last used one.
        pub gap_limit: u32,
        /// How many generations of a payment's ancestors have their proofs checked as well, at most 100.
        #[serde(default)]
        pub proof_depth: u32,
        /// Extra Bitcoin peers, `host:port`.
        pub bitcoin_peers: Vec<String>,
        /// Extra sidechain peers, `host:port`.
        pub sidechain_peers: Vec<String>,
    }

    /// What this program is.
    pub struct About {
        /// Version of the app.
        pub version: String,
        /// Where the profile lives.
        pub profile_dir: String,
        /// Version of the bundled SQLite.
        pub sqlite: String,
        /// The realm file, as text.
        pub realm_toml: String,
    }
}

choices! {
    /// Colours of the faces.
    pub enum Theme {
        /// As the system says.
        System,
        /// Light.
        Light,
        /// Dark.
        Dark,
    }
}
