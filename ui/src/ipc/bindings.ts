// Written by `cargo xtask bindings` from crates/contract. Do not edit.

/** Whole units of an asset's smallest part, as a decimal string. */
export type Atoms = string;
/** `btc`, or an Elements asset id. */
export type AssetId = string;
export type NetworkId = "bitcoin" | "sidechain";
export type Capability = "receive" | "send" | "issue" | "peg";
export type Known = "pending" | "reported" | "verified";
export type Code = "locked" | "wrong-password" | "too-many-tries" | "weak-password" | "bad-words" | "words-do-not-match" | "bad-descriptor" | "profile-in-use" | "wrong-realm" | "bad-realm" | "unknown-wallet" | "watch-only" | "bad-vault" | "disk-full" | "disk-failed" | "bad-release" | "release-short" | "release-old" | "release-foreign" | "release-file" | "unknown-command" | "bad-request" | "not-found" | "not-offered" | "bad-address" | "wrong-network" | "bitcoin-address" | "sidechain-address" | "explicit-address" | "bad-amount" | "dust" | "above-supply" | "insufficient-funds" | "insufficient-fee" | "fee-too-high" | "fee-too-low" | "coin-unavailable" | "no-recipients" | "unknown-asset" | "no-token" | "bad-contract" | "registry-unreachable" | "registry-lies" | "registry-refused" | "ledger-refused" | "holder-frozen" | "holds-assets" | "colour-unknown" | "wrong-colouring" | "plain-address" | "no-issuing-coin" | "bad-row" | "bad-draft" | "draft-lies" | "draft-expired" | "review-mismatch" | "nothing-to-sign" | "not-replaceable" | "peg-paused" | "halted" | "not-synced" | "peg-out-destination" | "point-of-no-return" | "peg-in-expired" | "expired" | "not-ready" | "amount-needed" | "bad-invoice" | "stake-amount" | "stake-term" | "stake-params" | "stake-provider" | "covenant-missing" | "bad-delegation" | "not-extendable" | "bad-exit-package" | "vote-unsafe" | "trust-expired" | "control-plane-forked" | "no-peers" | "bad-peer" | "wrong-genesis" | "bad-header" | "signed-twice" | "bad-proof" | "not-accepted" | "bug";
export type Failure = { code: Code; args?: Record<string, string> };

export type About = { 
/**
 * Version of the app.
 */
version: string, 
/**
 * Where the profile lives.
 */
profile_dir: string, 
/**
 * Version of the bundled SQLite.
 */
sqlite: string, 
/**
 * The realm file, as text.
 */
realm_toml: string, };
export type AddressView = { 
/**
 * The address.
 */
address: string, 
/**
 * Index on its keychain.
 */
index: number, 
/**
 * It is a change address.
 */
change: boolean, 
/**
 * It was paid.
 */
used: boolean, 
/**
 * The user's label.
 */
label: string, };
export type Aggregation = "aggregatable" | "hybrid" | "dispersed";
export type AmountView = { 
/**
 * The asset.
 */
asset: AssetLabel, 
/**
 * How much.
 */
amount: Atoms, };
export type AppState = { 
/**
 * Name of the realm this profile belongs to.
 */
realm: string, 
/**
 * Its coins are worth nothing: show the banner, allow an empty password.
 */
valueless: boolean, 
/**
 * The realm hands out test coins and mines on request.
 */
testbed: boolean, 
/**
 * Wallets of this profile.
 */
wallets: Array<WalletView>, 
/**
 * The selected wallet, when there is one.
 */
selected: number | null, 
/**
 * The selected wallet's keys are open.
 */
unlocked: boolean, };
export type AssetDetail = { 
/**
 * As in the list.
 */
view: AssetView, 
/**
 * Outpoint spent by the issuance; empty when unknown.
 */
issuance_prevout: string, 
/**
 * Issuing transaction; empty when unknown.
 */
issuance_txid: string, 
/**
 * Entropy, as RPCs print it.
 */
entropy: string, 
/**
 * Id of its reissuance token.
 */
token: string, 
/**
 * Whether that token is here, and whether it can be used.
 */
token_held: TokenHeld, 
/**
 * Units of it in this wallet.
 */
token_amount: Atoms, 
/**
 * Contract hash, as RPCs print it.
 */
contract_hash: string, 
/**
 * Canonical JSON that hashes to it; empty when unknown.
 */
contract_json: string, 
/**
 * Issuance amounts are hidden from others.
 */
blinded: boolean, 
/**
 * What this wallet knows of the supply, ascending in time.
 */
supply: Array<SupplyStep>, 
/**
 * Issued and reissued by this wallet, minus burned by it.
 */
supply_known: Atoms, 
/**
 * Issued and reissued by this wallet.
 */
issued: Atoms, 
/**
 * Burned by this wallet.
 */
burned: Atoms, 
/**
 * Text to publish at the domain; empty without one.
 */
domain_proof: string, 
/**
 * Where to publish it.
 */
domain_proof_url: string, };
export type AssetHolder = { 
/**
 * The address.
 */
address: string, 
/**
 * The asset.
 */
asset: AssetLabel, 
/**
 * The user's label.
 */
label: string, 
/**
 * What this wallet has paid to it in all.
 */
paid: Atoms, 
/**
 * In so many payments.
 */
times: number, 
/**
 * When last, Unix seconds.
 */
last: number | null, 
/**
 * The issuer pays it no more: only in this wallet, the chain knows nothing of it.
 */
frozen: boolean, };
export type AssetLabel = { 
/**
 * The asset.
 */
id: AssetId, 
/**
 * Ticker from a contract that hashes to the id; the first 8 digits of the id when unknown.
 */
ticker: string, 
/**
 * Name from the same contract.
 */
name: string, 
/**
 * Digits after the point.
 */
precision: number, 
/**
 * `false`: ticker, name and precision come from nowhere.
 */
named: boolean, };
export type AssetProtocol = "open-assets" | "colu" | "epobc" | "counterparty";
export type AssetRef = { 
/**
 * The asset.
 */
asset: AssetId, };
export type AssetView = { 
/**
 * Its names.
 */
asset: AssetLabel, 
/**
 * Domain in its contract; empty when unknown.
 */
domain: string, 
/**
 * What this wallet holds.
 */
balance: BalanceView | null, 
/**
 * Issued by this wallet.
 */
issued_here: boolean, 
/**
 * A reissuance token is held here.
 */
can_reissue: boolean, 
/**
 * It is the pegged asset.
 */
policy: boolean, 
/**
 * It is a reissuance token of this asset.
 */
token_of: AssetId | null, 
/**
 * Its ticker looks like a known one's.
 */
look_alike: boolean, };
export type BalanceHistory = { 
/**
 * Ascending in time; each holds until the next.
 */
steps: Array<BalanceStep>, };
export type BalanceHistoryRequest = { 
/**
 * Unix seconds; absent: from the beginning.
 */
since: number | null, };
export type BalanceStep = { 
/**
 * Unix seconds.
 */
time: number, 
/**
 * On Bitcoin, satoshi.
 */
bitcoin: Atoms, 
/**
 * L-BTC, satoshi.
 */
sidechain: Atoms, 
/**
 * On the way between the chains, satoshi. What was paid into a peg-in from elsewhere counts once it has arrived.
 */
crossing: Atoms, };
export type BalanceView = { 
/**
 * The asset.
 */
asset: AssetLabel, 
/**
 * Where it lives.
 */
network: NetworkId, 
/**
 * Confirmed and verified.
 */
confirmed: Atoms, 
/**
 * Seen, not confirmed.
 */
pending: Atoms, 
/**
 * Frozen, and part of `confirmed` or `pending`.
 */
frozen: Atoms, 
/**
 * What a plan made now may spend of it: without what is frozen, held by a draft, too young, or unconfirmed and made by others.
 */
available: Atoms, 
/**
 * How the sum is known.
 */
known: Known, 
/**
 * Coins it is made of.
 */
coins: number, };
export type BridgeView = { 
/**
 * Signatures a block needs.
 */
signatures_needed: number, 
/**
 * Functionaries.
 */
functionaries: number, 
/**
 * Keys a peg-out needs and has: `k of n`, zero when the script is of an unknown form.
 */
peg_needed: number, 
/**
 * See `peg_needed`.
 */
peg_keys: number, 
/**
 * Keys an emergency withdrawal needs and has, zero when the script has no such path.
 */
emergency_needed: number, 
/**
 * See `emergency_needed`.
 */
emergency_keys: number, 
/**
 * Bitcoin blocks that a coin must lie still before that.
 */
emergency_delay: number, 
/**
 * Federation script in force, hex.
 */
fedpegscript: string, 
/**
 * Sidechain height at which it was verified.
 */
verified_at: number | null, 
/**
 * Height until which an address made now is guaranteed.
 */
valid_until: number | null, 
/**
 * Bitcoin confirmations a peg-in needs.
 */
peg_in_depth: number, 
/**
 * Peg-outs need an authorisation proof.
 */
pak: boolean, 
/**
 * Why peg-ins are refused now.
 */
peg_in_paused: Failure | null, 
/**
 * Why peg-outs are refused now.
 */
peg_out_paused: Failure | null, };
export type BumpPlan = { 
/**
 * The stuck transaction.
 */
txid: string, 
/**
 * New rate, sat/kvB.
 */
fee_rate: number, 
/**
 * Pay by a child instead of a replacement.
 */
child: boolean, };
export type BurnPlan = { 
/**
 * The asset.
 */
asset: AssetId, 
/**
 * How much, in atoms.
 */
amount: Atoms, 
/**
 * Why, only in this wallet.
 */
label: string, 
/**
 * Sidechain fee rate, sat/kvB; absent: the normal choice.
 */
fee_rate: number | null, };
export type Check = "proof-of-work" | "filters" | "signatures" | "federation" | "proofs";
export type CheckView = { 
/**
 * Which.
 */
check: Check, 
/**
 * It has passed for everything up to the tip.
 */
passed: boolean, 
/**
 * Counts for the words: signatures needed and given, peers that agreed, and so on.
 */
have: number, 
/**
 * See `have`.
 */
of: number, };
export type ClaimWarning = "look-alike" | "deceptive" | "warned";
export type CoinFreeze = { 
/**
 * Where it lives.
 */
network: NetworkId, 
/**
 * `txid:vout`.
 */
outpoint: string, 
/**
 * The new state.
 */
frozen: boolean, };
export type CoinView = { 
/**
 * `txid:vout`.
 */
outpoint: string, 
/**
 * The asset.
 */
asset: AssetLabel, 
/**
 * How much.
 */
amount: Atoms, 
/**
 * Where it was paid to.
 */
address: string, 
/**
 * Height of its block; absent while unconfirmed.
 */
height: number | null, 
/**
 * Blocks on top of it, its own included.
 */
confirmations: number, 
/**
 * How it is known.
 */
known: Known, 
/**
 * The user froze it.
 */
frozen: boolean, 
/**
 * Reserved by a draft.
 */
reserved: boolean, 
/**
 * It is our change.
 */
change: boolean, 
/**
 * Others cannot see amount and asset.
 */
blinded: boolean, 
/**
 * It is a reissuance token.
 */
token: boolean, 
/**
 * Why it must not be spent as bitcoin: it holds assets, or may. Absent for a coin that holds bitcoin alone.
 */
guarded: Failure | null, 
/**
 * Units of assets that it holds besides.
 */
holds: Array<AmountView>, 
/**
 * The user's label of the coin, its address or its transaction.
 */
label: string, };
export type ColouredAsset = { 
/**
 * Its identifier. Nothing on the chain vouches for other names.
 */
asset: AssetLabel, 
/**
 * The protocol by whose rules its units are told.
 */
protocol: AssetProtocol, 
/**
 * Units in blocks.
 */
confirmed: Atoms, 
/**
 * Units that wait for a block.
 */
pending: Atoms, 
/**
 * Coins that hold it.
 */
coins: number, 
/**
 * How the figures are known: *verified* means that every ancestor was read from verified blocks.
 */
known: Known, 
/**
 * This wallet has the issuing script or has made the issuance.
 */
issued_here: boolean, 
/**
 * This wallet can issue more.
 */
can_reissue: boolean, 
/**
 * Units can be destroyed.
 */
can_burn: boolean, };
export type ColouredBurn = { 
/**
 * The asset.
 */
asset: AssetId, 
/**
 * How many units.
 */
amount: Atoms, 
/**
 * sat/kvB; absent: the normal choice.
 */
fee_rate: number | null, 
/**
 * Why, only in this wallet.
 */
label: string, };
export type ColouredIssue = { 
/**
 * By whose rules; Counterparty is not issued this way.
 */
protocol: AssetProtocol, 
/**
 * First supply, in smallest units.
 */
amount: Atoms, 
/**
 * Digits after the point, 0 to 7; Colu only, 0 elsewhere.
 */
divisibility: number, 
/**
 * More can be issued later. Open Assets: always; EPOBC: never; Colu: as chosen here.
 */
reissuable: boolean, 
/**
 * How pieces merge; Colu only.
 */
aggregation: Aggregation | null, 
/**
 * Where the definition lies, `https://…`; Open Assets only, empty for none.
 */
definition: string, 
/**
 * sat/kvB; absent: the normal choice.
 */
fee_rate: number | null, 
/**
 * Label of the transaction.
 */
label: string, };
export type ColouredPayment = { 
/**
 * An Open Assets address, or a Bitcoin address.
 */
address: string, 
/**
 * How many units.
 */
amount: Atoms, };
export type ColouredRef = { 
/**
 * The asset.
 */
asset: AssetId, };
export type ColouredReissue = { 
/**
 * The asset.
 */
asset: AssetId, 
/**
 * How much more.
 */
amount: Atoms, 
/**
 * sat/kvB; absent: the normal choice.
 */
fee_rate: number | null, };
export type ColouredSend = { 
/**
 * The asset.
 */
asset: AssetId, 
/**
 * To whom; several split the units.
 */
recipients: Array<ColouredPayment>, 
/**
 * Open Assets: pay ordinary Bitcoin addresses too, whose owners say that their wallets keep units.
 */
allow_plain: boolean, 
/**
 * sat/kvB; absent: the normal choice.
 */
fee_rate: number | null, 
/**
 * Label of the transaction.
 */
label: string, };
export type ContractImport = { 
/**
 * The asset.
 */
asset: AssetId, 
/**
 * Contract JSON.
 */
contract: string, 
/**
 * Outpoint the issuance spent, `txid:vout`; absent when this wallet saw the issuance.
 */
issuance_prevout: string | null, };
export type DistributionBatch = { 
/**
 * The transaction.
 */
txid: string, 
/**
 * Rows that it pays.
 */
rows: number, 
/**
 * Its fee, satoshi.
 */
fee: Atoms, 
/**
 * Its block; absent while unconfirmed.
 */
height: number | null, };
export type DistributionPreview = { 
/**
 * Of what.
 */
asset: AssetLabel, 
/**
 * Rows that can be paid.
 */
rows: number, 
/**
 * Their sum.
 */
total: Atoms, 
/**
 * What can be spent of the asset now.
 */
available: Atoms, 
/**
 * Transactions it takes, one after the other, a block each.
 */
transactions: number, 
/**
 * Weight units of all of them, about.
 */
weight: number, 
/**
 * Virtual bytes of all of them, about.
 */
vsize: number, 
/**
 * Fee of all of them, satoshi, about.
 */
fee: Atoms, 
/**
 * What the fees of all of them will never pass, satoshi.
 */
most_fee: Atoms, 
/**
 * Every mistake of the list, the first hundred at most. One of them refuses the whole list.
 */
faults: Array<RowFault>, 
/**
 * Why a list without mistakes cannot be paid all the same.
 */
refused: Failure | null, };
export type DistributionRequest = { 
/**
 * Of what.
 */
asset: AssetId, 
/**
 * The list, at most 4 MiB and 20,000 rows.
 */
csv: string, 
/**
 * Take explicit addresses too, whose amounts everybody sees.
 */
allow_explicit: boolean, 
/**
 * Sidechain fee rate, sat/kvB; absent: the normal choice.
 */
fee_rate: number | null, 
/**
 * What it is called in this wallet.
 */
label: string, };
export type DistributionView = { 
/**
 * Its operation.
 */
operation: number, 
/**
 * Of what.
 */
asset: AssetLabel, 
/**
 * Rows of the list.
 */
rows: number, 
/**
 * Rows whose payment is signed.
 */
rows_paid: number, 
/**
 * Sum of the list.
 */
total: Atoms, 
/**
 * Sum of what is signed.
 */
paid: Atoms, 
/**
 * Fees so far, satoshi.
 */
fee: Atoms, 
/**
 * What the fees will never pass, satoshi.
 */
most_fee: Atoms, 
/**
 * Transactions it takes.
 */
transactions: number, 
/**
 * Those that are signed, in order.
 */
batches: Array<DistributionBatch>, };
export type DividendPlan = { 
/**
 * Whose holders are paid.
 */
asset: AssetId, 
/**
 * What they are paid in; absent: bitcoin.
 */
pays: AssetId | null, 
/**
 * How much together, in smallest units.
 */
amount: Atoms, 
/**
 * Give what rounding leaves to the largest fractions; otherwise it stays here.
 */
all: boolean, 
/**
 * sat/kvB; absent: the normal choice.
 */
fee_rate: number | null, 
/**
 * Label of the transaction.
 */
label: string, };
export type DraftImport = { 
/**
 * Base64 or hex.
 */
text: string, 
/**
 * The draft that was signed elsewhere; whatever else differs from it is refused. Absent: found by what the text spends.
 */
draft: number | null, };
export type DraftKind = "send" | "bump" | "peg-in" | "peg-out" | "issue" | "reissue" | "burn" | "distribute" | "offer" | "swap" | "stake" | "unbond" | "withdraw";
export type DraftRef = { 
/**
 * Its number.
 */
draft: number, };
export type DraftSign = { 
/**
 * The draft.
 */
draft: number, 
/**
 * `summary_hash` of the review that the user saw; anything else is refused.
 */
summary_hash: string, };
export type DraftView = { 
/**
 * Its number.
 */
draft: number, 
/**
 * What it will do.
 */
kind: DraftKind, 
/**
 * Which network it is for.
 */
network: NetworkId, 
/**
 * Fee, satoshi.
 */
fee: Atoms, 
/**
 * sat/kvB.
 */
fee_rate: number, 
/**
 * vB.
 */
vsize: number, 
/**
 * Fee as a share of what leaves, in hundredths of a percent; absent when nothing comparable leaves.
 */
fee_share: number | null, 
/**
 * What leaves the wallet, per asset, without the fee.
 */
leaves: Array<AmountView>, 
/**
 * What comes back, per asset.
 */
comes_back: Array<AmountView>, 
/**
 * Coins it spends.
 */
coins: number, 
/**
 * Unix seconds after which it is discarded.
 */
expires: number, 
/**
 * Old fee of a replaced transaction, satoshi.
 */
replaces_fee: Atoms | null, 
/**
 * Id of the asset to be created or destroyed.
 */
asset: AssetId | null, 
/**
 * Domain proof to be published at `https://<domain>/.well-known/liquid-asset-proof-<id>`; empty if none.
 */
domain_proof: string, 
/**
 * All signatures are there and hold.
 */
signed: boolean, 
/**
 * It was written to a file, and waits longer.
 */
exported: boolean, 
/**
 * The user's label for what it will do; empty for none.
 */
label: string, };
export type Empty = Record<symbol, never>;
export type FeeChoice = { 
/**
 * Which.
 */
name: FeeName, 
/**
 * sat/kvB (1,000 = 1 sat/vB).
 */
rate: number, 
/**
 * Blocks until confirmation, about.
 */
blocks: number, };
export type FeeName = "slow" | "normal" | "urgent";
export type FinalityProvider = { 
/**
 * Its key, hex.
 */
key: string, 
/**
 * What it calls itself.
 */
moniker: string, 
/**
 * The share of rewards that it keeps, in hundredths of a percent.
 */
commission: number, 
/**
 * Satoshi staked with it that count.
 */
power: Atoms, 
/**
 * It voted twice: nothing can be staked with it.
 */
slashed: boolean, 
/**
 * It does not vote at present.
 */
jailed: boolean, 
/**
 * Blocks of the liveness window that it missed.
 */
missed: number | null, 
/**
 * How this is known.
 */
known: Known, };
export type FlowEnd = { 
/**
 * What is known of the asset; absent when blinded to us.
 */
asset: AssetLabel | null, 
/**
 * Amount; absent when blinded to us.
 */
amount: Atoms | null, 
/**
 * Address, or what the output is.
 */
address: string, 
/**
 * What part it plays.
 */
role: FlowRole, 
/**
 * Others cannot see amount and asset.
 */
blinded: boolean, 
/**
 * The user's label.
 */
label: string, };
export type FlowRole = "ours" | "change" | "foreign" | "fee" | "burn" | "issue" | "peg";
export type HistoryPage = { 
/**
 * Rows, newest first.
 */
rows: Array<HistoryRow>, 
/**
 * Cursor of the next page; absent at the end.
 */
next: string | null, 
/**
 * Rows in all, without search.
 */
total: number, };
export type HistoryRequest = { 
/**
 * Only this network.
 */
network: NetworkId | null, 
/**
 * Only transactions that move this asset.
 */
asset: AssetId | null, 
/**
 * Only labels, addresses, txids and tickers that contain this.
 */
search: string | null, 
/**
 * `next` of the page before.
 */
cursor: string | null, 
/**
 * Rows, at most 500.
 */
limit: number, };
export type HistoryRow = { 
/**
 * Where it lives.
 */
network: NetworkId, 
/**
 * Its id.
 */
txid: string, 
/**
 * What it did for this wallet.
 */
kind: TransactionKind, 
/**
 * What the wallet gained and lost.
 */
moved: Array<Moved>, 
/**
 * Fee paid by this wallet, satoshi; zero when others paid.
 */
fee: Atoms, 
/**
 * Height of its block; absent while unconfirmed.
 */
height: number | null, 
/**
 * Unix seconds of the block, or when first seen.
 */
time: number, 
/**
 * How it is known.
 */
known: Known, 
/**
 * Blocks on top of it, its own included.
 */
confirmations: number, 
/**
 * Confirmations after which it counts as final here.
 */
depth: number, 
/**
 * The user's label.
 */
label: string, 
/**
 * The other side's address, when there is just one.
 */
counterparty: string, 
/**
 * The operation it belongs to.
 */
operation: number | null, };
export type HolderMark = { 
/**
 * The asset.
 */
asset: AssetId, 
/**
 * The address.
 */
address: string, 
/**
 * Pay it no more.
 */
frozen: boolean, 
/**
 * A label for it; empty for none.
 */
label: string, };
export type HolderView = { 
/**
 * Address, or the script where it has none.
 */
address: string, 
/**
 * Units.
 */
amount: Atoms, 
/**
 * It is this wallet.
 */
ours: boolean, };
export type HoldersView = { 
/**
 * The asset.
 */
asset: AssetLabel, 
/**
 * Everybody, the largest first.
 */
holders: Array<HolderView>, 
/**
 * Sum of all.
 */
total: Atoms, 
/**
 * First block that was searched; units issued before it are not counted.
 */
from: number, 
/**
 * Last block.
 */
to: number, };
export type IssuePlan = { 
/**
 * First supply, in atoms (10^-precision).
 */
amount: Atoms, 
/**
 * Digits after the point, 0 to 8.
 */
precision: number, 
/**
 * 3 to 24 of `[a-zA-Z0-9.-]`.
 */
ticker: string, 
/**
 * 1 to 255 ASCII characters.
 */
name: string, 
/**
 * Domain of the issuer.
 */
domain: string, 
/**
 * Keep a token that allows to issue more.
 */
reissuable: boolean, 
/**
 * Hide the amount from others.
 */
blinded: boolean, 
/**
 * Sidechain fee rate, sat/kvB; absent: the normal choice.
 */
fee_rate: number | null, };
export type LabelKind = "tx" | "addr" | "output";
export type LabelSet = { 
/**
 * Where the thing lives.
 */
network: NetworkId, 
/**
 * What is labelled.
 */
kind: LabelKind, 
/**
 * Txid, address or outpoint.
 */
reference: string, 
/**
 * The label.
 */
text: string, };
export type LabelsImported = { 
/**
 * Taken over.
 */
taken: number, 
/**
 * Lines that are no label or name nothing of this wallet.
 */
skipped: number, };
export type LedgerBalance = { 
/**
 * The asset, by its name on the ledger.
 */
asset: AssetLabel, 
/**
 * The address that holds it, or that the coin pays.
 */
address: string, 
/**
 * The coin that it is bound to, `txid:vout`; such a coin is not spent.
 */
coin: string | null, 
/**
 * Smallest units.
 */
amount: Atoms, 
/**
 * Always *reported*: nothing here proves it.
 */
known: Known, };
export type LedgerDeed = "issue" | "send" | "destroy" | "dividend" | "broadcast" | "attach" | "detach" | "order" | "cancel" | "dispenser" | "close-dispenser" | "buy" | "sweep" | "send-many";
export type LedgerEvent = { 
/**
 * Its transaction.
 */
txid: string, 
/**
 * Block; absent while it waits for one.
 */
height: number | null, 
/**
 * The address that spoke.
 */
source: string, 
/**
 * What it said, in the words of the server, such as `issuance`.
 */
kind: string, 
/**
 * Whether the server took it for valid; absent when it does not say.
 */
valid: boolean | null, 
/**
 * Always *reported*: that the message is in the chain is certain, what came of it is not.
 */
known: Known, };
export type LedgerOffer = { 
/**
 * Its transaction.
 */
txid: string, 
/**
 * The address that made it.
 */
source: string, 
/**
 * A dispenser, which sells for bitcoin; otherwise an order.
 */
dispenser: boolean, 
/**
 * What is given.
 */
gives: AssetLabel, 
/**
 * How much of it is left.
 */
left: Atoms, 
/**
 * Of a dispenser: one portion.
 */
portion: Atoms | null, 
/**
 * What is asked for; bitcoin for a dispenser.
 */
gets: AssetLabel, 
/**
 * How much of it is still asked for; of a dispenser: for one portion.
 */
price: Atoms, 
/**
 * It can still be taken.
 */
open: boolean, 
/**
 * Always *reported*.
 */
known: Known, };
export type LedgerPlan = { 
/**
 * What to do.
 */
deed: LedgerDeed, 
/**
 * Asset: `XCP`, a name of 4 to 12 letters, or `A` and a number. Empty for a new numeric one.
 */
asset: AssetId, 
/**
 * Smallest units; of a dividend: for each unit held.
 */
amount: Atoms, 
/**
 * The address that speaks, whose balance is used; absent when it issues something new.
 */
source: string | null, 
/**
 * To whom units are sent.
 */
to: string | null, 
/**
 * What a dividend is paid in, or what an order asks for.
 */
pays: AssetId | null, 
/**
 * Of an order: how much of `pays`. Of a dispenser and of a purchase: satoshis, for one portion and altogether.
 */
price: Atoms | null, 
/**
 * Of a dispenser: how much it sells at most; `amount` is one portion.
 */
escrow: Atoms | null, 
/**
 * Of an order: for how many blocks; absent or 0: until it is taken back.
 */
blocks: number | null, 
/**
 * The transaction of the order that is taken back.
 */
offer: string | null, 
/**
 * Of a sweep: assets that this address issues go along.
 */
ownership: boolean | null, 
/**
 * Of a send to many: whom, what and how much.
 */
sends: Array<LedgerShare> | null, 
/**
 * The coin to detach from, `txid:vout`.
 */
coin: string | null, 
/**
 * New assets: eight decimal places instead of none.
 */
divisible: boolean, 
/**
 * No more can ever be issued.
 */
lock: boolean, 
/**
 * Description of an issuance, memo of a send, note of a destruction, or the text of a broadcast.
 */
text: string, 
/**
 * sat/kvB; absent: the normal choice.
 */
fee_rate: number | null, 
/**
 * The unsigned transaction as a server composed it, hex: taken if it does exactly this and nothing else. Absent: composed here.
 */
composed: string | null, 
/**
 * The server is asked to compose the transaction, which is then taken as `composed` is. It learns which coins are spent.
 */
ask: boolean | null, };
export type LedgerServer = { 
/**
 * `https://…`, what stands before `/v2/`.
 */
server: string, };
export type LedgerShare = { 
/**
 * To whom.
 */
to: string, 
/**
 * What.
 */
asset: AssetId, 
/**
 * How much, in smallest units.
 */
amount: Atoms, };
export type Moved = { 
/**
 * The asset.
 */
asset: AssetLabel, 
/**
 * How much.
 */
amount: Atoms, 
/**
 * It left the wallet.
 */
out: boolean, };
export type NetworkRef = { 
/**
 * Which.
 */
network: NetworkId, };
export type NetworkRescan = { 
/**
 * Which.
 */
network: NetworkId, 
/**
 * From this height on.
 */
from_height: number, };
export type NetworkView = { 
/**
 * Which.
 */
network: NetworkId, 
/**
 * What it is doing.
 */
phase: Phase, 
/**
 * Height of the best verified block; absent before the first.
 */
height: number | null, 
/**
 * Its header time, Unix seconds.
 */
tip_time: number | null, 
/**
 * Every block up to here has been searched for this wallet.
 */
scanned_to: number | null, 
/**
 * Peers, connected or not.
 */
peers: Array<PeerView>, 
/**
 * What is checked on this network, with the last verdict.
 */
checks: Array<CheckView>, 
/**
 * What the user can do on it.
 */
capabilities: Capability[], 
/**
 * The trouble it is in, if any.
 */
fault: Failure | null, 
/**
 * Unix seconds since when no peer answers; absent while connected.
 */
offline_since: number | null, 
/**
 * Seconds between blocks as observed lately; absent before two blocks.
 */
block_seconds: number | null, };
export type Notice = { 
/**
 * Counts up by one per window subscription.
 */
seq: number, 
/**
 * What went stale.
 */
tags: Array<Tag>, };
export type OfferPlan = { 
/**
 * The coin, `txid:vout`; confirmed, and its amount hidden.
 */
coin: string, 
/**
 * What is asked for.
 */
asset: AssetId, 
/**
 * How much of it, in atoms.
 */
amount: Atoms, };
export type OfferView = { 
/**
 * Its operation.
 */
operation: number, 
/**
 * What it gives.
 */
gives: AmountView, 
/**
 * What it asks for.
 */
gets: AmountView, 
/**
 * The coin it gives, `txid:vout`. Nothing else spends it as long as the offer stands.
 */
coin: string, 
/**
 * The offer, to be handed out: LiquiDEX JSON, version 1.
 */
text: string, 
/**
 * Running: it stands. Done: it was taken. Stopped: it was cancelled.
 */
status: OperationStatus, };
export type OperationAct = { 
/**
 * Its number.
 */
operation: number, 
/**
 * What to do; must be one of its `can`.
 */
action: OperationAction, };
export type OperationAction = "stop" | "hold" | "resume" | "retry";
export type OperationRef = { 
/**
 * Its number.
 */
operation: number, };
export type OperationStatus = "running" | "waiting" | "stuck" | "done" | "stopped" | "failed";
export type OperationStep = { 
/**
 * Which.
 */
step: StepName, 
/**
 * Its state.
 */
state: StepState, 
/**
 * Unix seconds when it was passed.
 */
time: number | null, 
/**
 * Block in which it happened.
 */
height: number | null, };
export type OperationView = { 
/**
 * Its number.
 */
operation: number, 
/**
 * What it does.
 */
kind: DraftKind, 
/**
 * Where it stands.
 */
status: OperationStatus, 
/**
 * What it moves.
 */
amount: AmountView | null, 
/**
 * The steps in order; exactly one is current while the operation is open.
 */
steps: Array<OperationStep>, 
/**
 * Index of the first step after which there is no way back; absent: always stoppable.
 */
no_return: number | null, 
/**
 * Blocks or units done and needed in the current step.
 */
done: number, 
/**
 * See `done`.
 */
of: number, 
/**
 * Which network's blocks `done` counts.
 */
counts: NetworkId | null, 
/**
 * Seconds until it is finished, about.
 */
eta: number | null, 
/**
 * What the user can still do.
 */
can: Array<OperationAction>, 
/**
 * Sidechain height until which the peg-in address is guaranteed; peg-in only.
 */
valid_until: number | null, 
/**
 * Address to pay (peg-in from elsewhere) or the destination (peg-out, send).
 */
address: string, 
/**
 * Rows of a QR code for `address`, when it is to be paid.
 */
qr: Array<string>, 
/**
 * Bitcoin transaction of it.
 */
bitcoin_txid: string | null, 
/**
 * Sidechain transaction of it.
 */
sidechain_txid: string | null, 
/**
 * What arrives in the end, satoshi, when known.
 */
arrives: Atoms | null, 
/**
 * Unix seconds.
 */
started: number, 
/**
 * Unix seconds.
 */
finished: number | null, 
/**
 * Why it failed or waits.
 */
why: Failure | null, 
/**
 * The user's label.
 */
label: string, };
export type OperationsRequest = { 
/**
 * Only those under way (`true`) or finished (`false`); absent: all.
 */
open: boolean | null, 
/**
 * At most so many.
 */
limit: number, };
export type OthersSee = "everything" | "fee-and-scripts" | "some";
export type Overview = { 
/**
 * BTC and L-BTC together, in satoshi, verified part.
 */
verified: Atoms, 
/**
 * The same, still pending.
 */
pending: Atoms, 
/**
 * On the way between the chains, in satoshi; part of neither of the above.
 */
crossing: Atoms, 
/**
 * Per asset, Bitcoin first, then the policy asset, then by name.
 */
balances: Array<BalanceView>, };
export type PasswordChange = { 
/**
 * The wallet.
 */
wallet: number, 
/**
 * The old password.
 */
old: string, 
/**
 * The new one.
 */
new: string, };
export type PeerView = { 
/**
 * `host:port`.
 */
address: string, 
/**
 * Connected now.
 */
connected: boolean, 
/**
 * What it calls itself; hostile text, shown as such.
 */
agent: string, 
/**
 * The height it claimed when it last connected; absent before.
 */
height: number | null, };
export type PegAudit = { 
/**
 * What it is doing, and what it has found.
 */
state: PegAuditState, 
/**
 * Sidechain blocks read, of all.
 */
sidechain: PegAuditReach, 
/**
 * Bitcoin blocks searched, of all.
 */
bitcoin: PegAuditReach, 
/**
 * Seconds left, when known.
 */
eta: number | null, 
/**
 * The books; absent before both chains were read to their tips once.
 */
books: PegBooks | null, 
/**
 * Why it does not go on, if it does not.
 */
trouble: Failure | null, };
export type PegAuditReach = { 
/**
 * Height up to which.
 */
done: number, 
/**
 * Height of the best block.
 */
of: number, };
export type PegAuditSet = { 
/**
 * What.
 */
wish: PegAuditWish, 
/**
 * Whether the sidechain may be followed anew from its genesis block, if it is followed from a later one: without that its pegs cannot be
 * counted (`NotOffered`). It fetches every header, and whatever the wallets know of the sidechain is found again.
 */
whole_chain: boolean, };
export type PegAuditState = "off" | "running" | "paused" | "complete" | "shortfall";
export type PegAuditWish = "on" | "paused" | "off";
export type PegBooks = { 
/**
 * The sidechain block that was the tip then.
 */
sidechain_height: number, 
/**
 * The Bitcoin block that was the tip then.
 */
bitcoin_height: number, 
/**
 * Claimed, satoshi.
 */
pegged_in: Atoms, 
/**
 * Destroyed for payments on Bitcoin, satoshi.
 */
pegged_out: Atoms, 
/**
 * Destroyed visibly for nothing, satoshi.
 */
burned: Atoms, 
/**
 * Made without a claim, satoshi.
 */
created: Atoms, 
/**
 * What is left on the sidechain, satoshi.
 */
circulating: Atoms, 
/**
 * Peg-outs for which no payment has been seen, satoshi.
 */
unpaid: Atoms, 
/**
 * `circulating` and `unpaid`, satoshi.
 */
owed: Atoms, 
/**
 * Held on Bitcoin, satoshi.
 */
reserve: Atoms, 
/**
 * Of that, under peg scripts that are no longer in force, satoshi.
 */
at_old_scripts: Atoms, 
/**
 * Claimed with deposits that Bitcoin does not have, satoshi.
 */
unplaced: Atoms, 
/**
 * Claims in signed blocks that break a rule.
 */
bad_claims: number, 
/**
 * What left the reserve without a peg-out that asked for it, satoshi.
 */
unexplained: Atoms, 
/**
 * By which transactions, the newest ones.
 */
unexplained_by: Array<PegSpend>, 
/**
 * What miners took out of the reserve, beyond what was deducted from peg-outs, satoshi.
 */
fees: Atoms, 
/**
 * `reserve` in ten-thousandths of `owed`, rounded down; absent while nothing is owed.
 */
coverage: number | null, 
/**
 * What the reserve lacks, satoshi. Up to `fees`, as far as those are fees and no gifts to miners, it is no shortfall.
 */
missing: Atoms, 
/**
 * The course over time, ascending.
 */
points: Array<PegPoint>, };
export type PegInPlan = { 
/**
 * How much to move, satoshi; the claim's sidechain fee is taken from it. Ignored with `drain`.
 */
amount: Atoms, 
/**
 * Move everything.
 */
drain: boolean, 
/**
 * Bitcoin fee rate, sat/kvB; absent: the normal choice.
 */
fee_rate: number | null, 
/**
 * Spend just these coins.
 */
coins: Array<string> | null, };
export type PegOutKeys = { 
/**
 * Whether this chain asks for an authorisation.
 */
needed: boolean, 
/**
 * What the federation has to list: offline key and online key, 66 bytes, hex.
 */
entry: string, 
/**
 * Whether the list in force has it.
 */
listed: boolean, };
export type PegOutPlan = { 
/**
 * How much to burn on the sidechain, satoshi. Ignored with `drain`.
 */
amount: Atoms, 
/**
 * Burn all L-BTC.
 */
drain: boolean, 
/**
 * Bitcoin address to be paid; absent: a new one of this wallet.
 */
destination: string | null, 
/**
 * Sidechain fee rate, sat/kvB; absent: the normal choice.
 */
fee_rate: number | null, };
export type PegPoint = { 
/**
 * Unix seconds.
 */
time: number, 
/**
 * Pegged in less pegged out and burned, satoshi.
 */
circulating: Atoms, 
/**
 * Held on Bitcoin, satoshi.
 */
reserve: Atoms, };
export type PegSpend = { 
/**
 * Which.
 */
txid: string, 
/**
 * How much of it no peg-out asked for, satoshi.
 */
amount: Atoms, };
export type Phase = "connecting" | "headers" | "filters" | "synced" | "offline" | "halted";
export type Progress = { 
/**
 * Which network is at work.
 */
network: NetworkId, 
/**
 * Units done.
 */
done: number, 
/**
 * Units in all.
 */
of: number, 
/**
 * Seconds left, when known.
 */
eta: number | null, };
export type ProofExport = { 
/**
 * Where it lives.
 */
network: NetworkId, 
/**
 * The transaction.
 */
txid: string, 
/**
 * Outputs to disclose; absent: all this wallet can open.
 */
outputs: Array<number> | null, 
/**
 * As a link instead of a file: without the proofs of the transaction, so that it can be pasted. Sidechain only.
 */
link: boolean, };
export type ProofKind = "transaction" | "payment" | "issuance" | "burn" | "peg-in" | "peg-out" | "amounts" | "inclusion" | "signatures" | "work" | "fault";
export type ProofStatement = { 
/**
 * What is stated.
 */
kind: ProofKind, 
/**
 * It holds.
 */
ok: boolean, 
/**
 * The amount it is about.
 */
amount: AmountView | null, 
/**
 * Txid, address, block or rule it is about.
 */
detail: string, };
export type ProofVerdict = { 
/**
 * It proves what it says.
 */
ok: boolean, 
/**
 * Each statement with its verdict.
 */
statements: Array<ProofStatement>, };
export type ReceiveRequest = { 
/**
 * On which network.
 */
network: NetworkId, 
/**
 * Amount for the link, in atoms of `asset`.
 */
amount: Atoms | null, 
/**
 * Asset for the link; absent: the network's own coin.
 */
asset: AssetId | null, 
/**
 * Sidechain: an address that shows amounts to everybody.
 */
explicit: boolean, 
/**
 * Label of the address; empty for none.
 */
label: string, 
/**
 * Show the last unused address again instead of a new one.
 */
again: boolean, };
export type ReceiveView = { 
/**
 * The address.
 */
address: string, 
/**
 * Payment link (BIP21 or its sidechain form).
 */
uri: string, 
/**
 * Rows of the QR code of `uri`: `1` dark, `0` light, without the quiet zone.
 */
qr: Array<string>, 
/**
 * Index on its keychain.
 */
index: number, 
/**
 * Derivation path.
 */
path: string, };
export type Recipient = { 
/**
 * Address or payment link.
 */
address: string, 
/**
 * How much, in atoms of `asset`. Ignored for the drained recipient.
 */
amount: Atoms, 
/**
 * Which asset; absent: the network's own coin.
 */
asset: AssetId | null, };
export type Recognised = { 
/**
 * Which kind.
 */
kind: RecognisedKind, 
/**
 * The address in it.
 */
address: string, 
/**
 * Where it lives.
 */
network: NetworkId | null, 
/**
 * Amounts to it are blinded.
 */
confidential: boolean, 
/**
 * Amount asked for.
 */
amount: Atoms | null, 
/**
 * Asset asked for.
 */
asset: AssetLabel | null, 
/**
 * Label in the link, or the user's own for this address.
 */
label: string, 
/**
 * How often this wallet has paid it.
 */
paid_before: number, 
/**
 * It is an address of this wallet.
 */
ours: boolean, };
export type RecognisedKind = "address" | "psbt" | "pset" | "txid" | "asset" | "proof" | "unknown";
export type RedemptionNew = { 
/**
 * What is to be redeemed.
 */
asset: AssetId, 
/**
 * What the request is known by, at most 255 characters.
 */
reference: string, 
/**
 * Where a refused payment goes back to; empty when the holder named no address.
 */
return_address: string, };
export type RedemptionPayment = { 
/**
 * The coin, `txid:vout`. No plan spends it until it is accepted or returned.
 */
outpoint: string, 
/**
 * Of what: anybody can pay anything.
 */
asset: AssetLabel, 
/**
 * How much.
 */
amount: Atoms, 
/**
 * Unix seconds.
 */
time: number, 
/**
 * Its block; absent while unconfirmed.
 */
height: number | null, 
/**
 * How it is known.
 */
known: Known, 
/**
 * Where it stands.
 */
state: RedemptionState, 
/**
 * The transaction that burned or returned it.
 */
txid: string | null, };
export type RedemptionPlan = { 
/**
 * The payment, `txid:vout`.
 */
outpoint: string, 
/**
 * Burn it; otherwise send it back.
 */
accept: boolean, 
/**
 * Where it goes back to; absent: the address of the request.
 */
address: string | null, 
/**
 * Sidechain fee rate, sat/kvB; absent: the normal choice.
 */
fee_rate: number | null, };
export type RedemptionState = "pending" | "open" | "accepted" | "returned";
export type RedemptionView = { 
/**
 * Its number.
 */
redemption: number, 
/**
 * What is to be redeemed.
 */
asset: AssetLabel, 
/**
 * What it is known by.
 */
reference: string, 
/**
 * Where the holder pays.
 */
address: string, 
/**
 * Rows of a QR code for the address.
 */
qr: Array<string>, 
/**
 * Where a refused payment goes back to; may be empty.
 */
return_address: string, 
/**
 * Unix seconds.
 */
created: number, 
/**
 * What came in, oldest first.
 */
payments: Array<RedemptionPayment>, };
export type RegistryAnswer = { 
/**
 * The asset that was asked about.
 */
asset: AssetId, 
/**
 * Registries that were asked.
 */
registries: Array<string>, 
/**
 * What the first one that knows it says; absent when none knows it.
 */
claim: RegistryClaim | null, };
export type RegistryClaim = { 
/**
 * Who says so.
 */
registry: string, 
/**
 * Through which interface.
 */
interface: RegistryInterface, 
/**
 * Ticker, name and decimal places of the contract.
 */
label: AssetLabel, 
/**
 * Domain of the contract.
 */
domain: string, 
/**
 * Where the domain proves it.
 */
domain_proof_url: string, 
/**
 * The contract, JSON.
 */
contract: string, 
/**
 * The outpoint that the issuance spent.
 */
issuance_prevout: string, 
/**
 * This wallet uses this contract already.
 */
taken: boolean, 
/**
 * What to beware of.
 */
warnings: Array<ClaimWarning>, };
export type RegistryInterface = "v1" | "v2";
export type RegistryPublished = { 
/**
 * Where.
 */
registry: string, 
/**
 * Through which interface.
 */
interface: RegistryInterface, };
export type ReissuePlan = { 
/**
 * The asset; may be empty when the entropy is given, from which it follows.
 */
asset: AssetId, 
/**
 * How much more, in atoms.
 */
amount: Atoms, 
/**
 * Entropy of the asset, as RPCs print it: needed for a token from somebody else when no contract of the asset is known here.
 */
entropy: string | null, 
/**
 * Sidechain fee rate, sat/kvB; absent: the normal choice.
 */
fee_rate: number | null, };
export type Review = { 
/**
 * The draft.
 */
draft: number, 
/**
 * What it will do.
 */
kind: DraftKind, 
/**
 * Which network it is for.
 */
network: NetworkId, 
/**
 * Outputs that leave the wallet; also those that only claim to be ours.
 */
leaves: Array<ReviewOutput>, 
/**
 * Outputs whose script was derived again from this wallet's keys or, without keys, from its descriptors.
 */
comes_back: Array<ReviewOutput>, 
/**
 * Fee, satoshi.
 */
fee: Atoms, 
/**
 * sat/kvB.
 */
fee_rate: number, 
/**
 * Fee as a share of what leaves, in hundredths of a percent.
 */
fee_share: number | null, 
/**
 * Coins it spends.
 */
coins: number, 
/**
 * What they hold, per asset.
 */
spends: Array<AmountView>, 
/**
 * Created by issuances, per asset.
 */
creates: Array<AmountView>, 
/**
 * Destroyed, per asset.
 */
destroys: Array<AmountView>, 
/**
 * What others can see of it.
 */
others_see: OthersSee, 
/**
 * Hash of all of the above; `draft_sign` asks for it.
 */
summary_hash: string, 
/**
 * The wallet must be unlocked before it can sign.
 */
locked: boolean, 
/**
 * All signatures are there and hold: what is left is to send it.
 */
signed: boolean, 
/**
 * There are no keys here: it is signed elsewhere and brought back.
 */
watch_only: boolean, 
/**
 * The realm is a valueless one.
 */
valueless: boolean, };
export type ReviewOutput = { 
/**
 * Full address, or what the output is.
 */
address: string, 
/**
 * The asset.
 */
asset: AssetLabel, 
/**
 * How much.
 */
amount: Atoms, 
/**
 * The user's label for it; empty for none.
 */
label: string, 
/**
 * What part it plays.
 */
role: FlowRole, 
/**
 * Others cannot see amount and asset.
 */
blinded: boolean, 
/**
 * It claims to be ours, but no key of ours derives it.
 */
false_claim: boolean, };
export type RollbackFate = "moved" | "waiting" | "gone";
export type RollbackRow = { 
/**
 * As it was.
 */
before: HistoryRow, 
/**
 * What became of it.
 */
now: RollbackFate, 
/**
 * Height of its block now, if it is in one.
 */
height: number | null, };
export type RollbackView = { 
/**
 * Which network.
 */
network: NetworkId, 
/**
 * The last block that stayed.
 */
fork_height: number, 
/**
 * How many blocks were undone.
 */
depth: number, 
/**
 * When it was seen, Unix seconds.
 */
time: number, 
/**
 * Payments of the selected wallet that are not where they were, newest first.
 */
changed: Array<RollbackRow>, 
/**
 * How many are in a block of the same height again.
 */
unchanged: number, };
export type RowFault = { 
/**
 * Which, counting from 1 and the heading too.
 */
row: number, 
/**
 * Why.
 */
why: RowFaultKind, 
/**
 * The figure that belongs to it: another row, decimal places, a limit; empty when none does.
 */
figure: string, };
export type RowFaultKind = "fields" | "quote" | "formula" | "character" | "address" | "network" | "explicit" | "duplicate" | "frozen" | "amount" | "precision" | "zero" | "dust" | "above-supply" | "label" | "too-many";
export type SendPlan = { 
/**
 * On which network.
 */
network: NetworkId, 
/**
 * To whom.
 */
recipients: Array<Recipient>, 
/**
 * sat/kvB; absent: the normal choice.
 */
fee_rate: number | null, 
/**
 * Spend just these coins (`txid:vout`); absent: chosen automatically.
 */
coins: Array<string> | null, 
/**
 * Index of the recipient that gets everything that is left.
 */
drain: number | null, 
/**
 * Allow explicit addresses, whose amounts everybody sees.
 */
allow_explicit: boolean, 
/**
 * Label of the transaction.
 */
label: string, };
export type Settings = { 
/**
 * `en`, `zh-Hans` or `zh-Hant`; empty follows the system.
 */
language: string, 
/**
 * Light, dark, or the system's.
 */
theme: Theme, 
/**
 * Minutes without a touch after which the keys are locked; 0: never.
 */
auto_lock_minutes: number, 
/**
 * Amounts are hidden until asked for.
 */
hide_amounts: boolean, 
/**
 * A fee above this share of the payment, in percent, is refused.
 */
fee_limit_percent: number, 
/**
 * Unused addresses searched past the last used one.
 */
gap_limit: number, 
/**
 * How many generations of a payment's ancestors have their proofs checked as well, at most 100.
 */
proof_depth: number, 
/**
 * Extra Bitcoin peers, `host:port`.
 */
bitcoin_peers: Array<string>, 
/**
 * Extra sidechain peers, `host:port`.
 */
sidechain_peers: Array<string>, };
export type StakeEvent = "registered" | "verified" | "staked" | "activated" | "expired" | "unbonded" | "extended" | "slashed" | "withdrawable" | "withdrawn";
export type StakeMilestone = { 
/**
 * Which.
 */
event: StakeEvent, 
/**
 * Bitcoin height at which it was reached or will be.
 */
height: number | null, 
/**
 * Unix seconds at which a height to come is reached, about.
 */
time: number | null, 
/**
 * It was reached.
 */
reached: boolean, };
export type StakePlan = { 
/**
 * Key of the finality provider, hex.
 */
provider: string, 
/**
 * Satoshi.
 */
amount: Atoms, 
/**
 * Term, Bitcoin blocks.
 */
blocks: number, 
/**
 * sat/kvB; absent: the normal choice.
 */
fee_rate: number | null, 
/**
 * Spend just these coins (`txid:vout`); absent: chosen automatically.
 */
coins: Array<string> | null, };
export type StakeState = "planned" | "registered" | "verified" | "confirming" | "unproved" | "active" | "expired" | "unbonding" | "slashed" | "withdrawable" | "withdrawing" | "withdrawn" | "extended" | "ended";
export type StakeView = { 
/**
 * Its operation.
 */
operation: number, 
/**
 * What the finality provider called itself.
 */
moniker: string, 
/**
 * Its key, hex.
 */
provider: string, 
/**
 * What is staked.
 */
amount: AmountView, 
/**
 * Term, Bitcoin blocks.
 */
blocks: number, 
/**
 * Where it stands.
 */
state: StakeState, 
/**
 * Its life in order.
 */
milestones: Array<StakeMilestone>, 
/**
 * The staking transaction.
 */
txid: string, 
/**
 * First Bitcoin height whose block may hold the withdrawal, when known.
 */
unlocks: number | null, 
/**
 * It can be left early now, with nobody's further help.
 */
can_unbond: boolean, 
/**
 * Coins can be taken back now.
 */
can_withdraw: boolean, 
/**
 * Nothing was sent on Bitcoin: it can be given up.
 */
can_stop: boolean, 
/**
 * What it waits for, or why it failed.
 */
why: Failure | null, };
export type StakeWithdraw = { 
/**
 * The stake's operation.
 */
operation: number, 
/**
 * sat/kvB; absent: the normal choice.
 */
fee_rate: number | null, };
export type StakingAccount = { 
/**
 * Its address.
 */
address: string, 
/**
 * The smallest coin.
 */
denom: string, 
/**
 * What it holds, for fees.
 */
balance: Atoms, 
/**
 * What its stakes ever earned.
 */
rewards: Atoms, 
/**
 * Of that, paid out.
 */
withdrawn: Atoms, 
/**
 * How this is known.
 */
known: Known, };
export type StakingTerms = { 
/**
 * Version of the parameters.
 */
version: number, 
/**
 * Least amount, satoshi.
 */
least: Atoms, 
/**
 * Most.
 */
most: Atoms, 
/**
 * Shortest term, Bitcoin blocks.
 */
shortest: number, 
/**
 * Longest.
 */
longest: number, 
/**
 * Blocks for which coins stay locked after leaving early.
 */
unbonding_time: number, 
/**
 * Fee of leaving early, satoshi, exact.
 */
unbonding_fee: Atoms, 
/**
 * Share that slashing takes, in hundredths of a percent.
 */
slashing_share: number, 
/**
 * Fee of a slashing transaction, satoshi.
 */
slashing_fee: Atoms, 
/**
 * Signatures of the committee that leaving early takes.
 */
quorum: number, 
/**
 * Members of the committee.
 */
members: number, 
/**
 * Blocks on top of a stake's own before it counts.
 */
depth: number, };
export type StakingView = { 
/**
 * This realm has a control plane.
 */
offered: boolean, 
/**
 * Its chain id.
 */
chain: string, 
/**
 * Height of its last block whose signatures were verified here, by two nodes alike.
 */
height: number | null, 
/**
 * Parameters for a stake that is registered now, proved under that block.
 */
terms: StakingTerms | null, 
/**
 * Finality providers.
 */
providers: Array<FinalityProvider>, 
/**
 * This wallet's account there; absent while the wallet is locked.
 */
account: StakingAccount | null, 
/**
 * Why something is missing above.
 */
trouble: Failure | null, };
export type StepName = "signed" | "broadcast" | "confirmed" | "final" | "awaiting-payment" | "funded" | "depth" | "claimed" | "spendable" | "burned" | "paid-on-bitcoin" | "distributed" | "taken" | "registered" | "cosigned" | "activated" | "withdrawn";
export type StepState = "done" | "current" | "ahead" | "skipped";
export type SupplyEvent = "issue" | "reissue" | "burn";
export type SupplyProof = { 
/**
 * The asset.
 */
asset: AssetId, 
/**
 * The transaction that issued, reissued or destroyed some of it.
 */
txid: string, 
/**
 * As a link instead of a file: without the proofs of the transaction, so that it can be pasted.
 */
link: boolean, };
export type SupplyStep = { 
/**
 * Unix seconds.
 */
time: number, 
/**
 * Block, absent while unconfirmed.
 */
height: number | null, 
/**
 * What happened.
 */
event: SupplyEvent, 
/**
 * By how much.
 */
amount: Atoms, 
/**
 * Supply after it.
 */
after: Atoms, 
/**
 * Transaction.
 */
txid: string, };
export type SwapInspection = { 
/**
 * What whoever takes it gets.
 */
you_get: AmountView, 
/**
 * What whoever takes it pays, fee aside.
 */
you_pay: AmountView, 
/**
 * The coin that is offered.
 */
coin: string, 
/**
 * The block that made it.
 */
height: number, 
/**
 * It is an offer of this wallet.
 */
own: boolean, };
export type SwapTake = { 
/**
 * The offer.
 */
text: string, 
/**
 * Sidechain fee rate, sat/kvB; absent: the normal choice.
 */
fee_rate: number | null, };
export type Tag = "app" | "settings" | "networks" | "balances" | "coins" | "addresses" | "history" | "assets" | "drafts" | "operations" | "audit";
export type TestbedFund = { 
/**
 * How much, in satoshi.
 */
sat: Atoms, };
export type TestbedFunded = { 
/**
 * The funding transaction.
 */
txid: string, };
export type TestbedMine = { 
/**
 * On which network.
 */
network: NetworkId, 
/**
 * How many, at most 200.
 */
blocks: number, };
export type TextFile = { 
/**
 * Suggested file name.
 */
name: string, 
/**
 * Content.
 */
text: string, };
export type TextIn = { 
/**
 * The text.
 */
text: string, };
export type Theme = "system" | "light" | "dark";
export type TokenHeld = "none" | "usable" | "explicit";
export type TransactionKind = "received" | "sent" | "moved" | "peg-in-deposit" | "peg-in-claim" | "peg-out" | "peg-out-payment" | "issued" | "reissued" | "burned" | "mined";
export type TransactionRef = { 
/**
 * Where it lives.
 */
network: NetworkId, 
/**
 * Its id.
 */
txid: string, };
export type TransactionView = { 
/**
 * As in the list.
 */
row: HistoryRow, 
/**
 * Inputs, for the flow diagram.
 */
inputs: Array<FlowEnd>, 
/**
 * Outputs, the fee included.
 */
outputs: Array<FlowEnd>, 
/**
 * Hash of its block.
 */
block: string | null, 
/**
 * Virtual size, vB.
 */
vsize: number, 
/**
 * Fee rate, sat/kvB; zero when the fee is not known.
 */
fee_rate: number, 
/**
 * It can be replaced with a higher fee.
 */
replaceable: boolean, 
/**
 * A child of ours could pay for it.
 */
can_cpfp: boolean, 
/**
 * What was checked about it.
 */
checks: Array<Check>, 
/**
 * The raw transaction, hex.
 */
raw: string, };
export type UpdateCheck = { 
/**
 * The package, JSON as docs/release-packages.md describes it. At most 1 MiB.
 */
package: string, 
/**
 * The file that is to be installed, if it is at hand.
 */
file: UpdateFile | null, };
export type UpdateFile = { 
/**
 * Its name, without a path.
 */
name: string, 
/**
 * Bytes.
 */
size: number, 
/**
 * Hash of all of it, hex.
 */
sha256: string, };
export type UpdateVerdict = { 
/**
 * The version it brings.
 */
version: string, 
/**
 * When it was released, Unix seconds.
 */
released: number, 
/**
 * How many publishers signed it.
 */
publishers: number, 
/**
 * How many auditors.
 */
auditors: number, 
/**
 * How many functionaries.
 */
functionaries: number, 
/**
 * Its files for this platform.
 */
files: Array<UpdateFile>, 
/**
 * Which of them the given file is.
 */
verified: string | null, };
export type WalletCreate = { 
/**
 * The user's name for it.
 */
name: string, 
/**
 * BIP39 words.
 */
words: Array<string>, 
/**
 * BIP39 passphrase; empty for none.
 */
passphrase: string, 
/**
 * Password of the vault.
 */
password: string, 
/**
 * The words existed before: search the chains from `birthday` on.
 */
restore: boolean, 
/**
 * Unix seconds before which the words received nothing; absent: search from the beginning.
 */
birthday: number | null, };
export type WalletDescriptors = { 
/**
 * Bitcoin output descriptors with key origins and checksums, one per line: external, internal.
 */
bitcoin: string, 
/**
 * Confidential descriptor of the sidechain (ELIP150). It holds the blinding key: whoever has it sees every amount.
 */
sidechain: string, 
/**
 * As in `WalletCreate`.
 */
birthday: number | null, };
export type WalletQuickStart = { 
/**
 * The user's name for it.
 */
name: string, };
export type WalletRef = { 
/**
 * Its number.
 */
wallet: number, };
export type WalletRename = { 
/**
 * Its number.
 */
wallet: number, 
/**
 * The new name.
 */
name: string, };
export type WalletUnlock = { 
/**
 * Its number.
 */
wallet: number, 
/**
 * Password of its vault.
 */
password: string, };
export type WalletView = { 
/**
 * Its number, stable for life.
 */
id: number, 
/**
 * The user's name for it.
 */
name: string, 
/**
 * Fingerprint of its master key, 8 hex digits; empty when only watching.
 */
fingerprint: string, 
/**
 * There are no keys here: it can watch and plan but not sign.
 */
watch_only: boolean, 
/**
 * The vault has an empty password (valueless realms only).
 */
no_password: boolean, 
/**
 * The words were written down and confirmed, or typed in on restore.
 */
backed_up: boolean, };
export type WalletWatch = { 
/**
 * The user's name for it.
 */
name: string, 
/**
 * Bitcoin output descriptor, multipath or external only.
 */
bitcoin: string, 
/**
 * Confidential descriptor of the sidechain (ELIP150).
 */
sidechain: string, 
/**
 * As in `WalletCreate`.
 */
birthday: number | null, };
export type Words = { 
/**
 * The words in order.
 */
words: Array<string>, };
export type WordsConfirm = { 
/**
 * Its number.
 */
wallet: number, 
/**
 * Password of its vault.
 */
password: string, 
/**
 * All of its words in order.
 */
words: Array<string>, };
export type WordsNew = { 
/**
 * 12 or 24.
 */
count: number, 
/**
 * Own entropy, such as dice rolls, mixed with the system's.
 */
own_entropy: string | null, };

/** Every command: its request and its answer. */
export type Commands = {
  app_state: { request: Empty; answer: AppState };
  words_new: { request: WordsNew; answer: Words };
  wallet_create: { request: WalletCreate; answer: WalletView };
  wallet_words: { request: WalletUnlock; answer: Words };
  words_confirm: { request: WordsConfirm; answer: WalletView };
  wallet_quick_start: { request: WalletQuickStart; answer: WalletView };
  wallet_watch: { request: WalletWatch; answer: WalletView };
  wallet_descriptors: { request: WalletRef; answer: WalletDescriptors };
  wallet_select: { request: WalletRef; answer: WalletView };
  wallet_rename: { request: WalletRename; answer: WalletView };
  wallet_forget: { request: WalletUnlock; answer: Empty };
  unlock: { request: WalletUnlock; answer: WalletView };
  lock: { request: Empty; answer: Empty };
  password_change: { request: PasswordChange; answer: Empty };
  settings_get: { request: Empty; answer: Settings };
  settings_set: { request: Settings; answer: Settings };
  about: { request: Empty; answer: About };
  networks: { request: Empty; answer: NetworkView[] };
  network_rescan: { request: NetworkRescan; answer: Empty };
  testbed_fund: { request: TestbedFund; answer: TestbedFunded };
  testbed_mine: { request: TestbedMine; answer: Empty };
  overview: { request: Empty; answer: Overview };
  balance_history: { request: BalanceHistoryRequest; answer: BalanceHistory };
  receive: { request: ReceiveRequest; answer: ReceiveView };
  addresses: { request: NetworkRef; answer: AddressView[] };
  coins: { request: NetworkRef; answer: CoinView[] };
  coin_freeze: { request: CoinFreeze; answer: Empty };
  label_set: { request: LabelSet; answer: Empty };
  labels_export: { request: Empty; answer: TextFile };
  labels_import: { request: TextIn; answer: LabelsImported };
  history: { request: HistoryRequest; answer: HistoryPage };
  history_export: { request: NetworkRef; answer: TextFile };
  rollbacks: { request: Empty; answer: RollbackView[] };
  rollback_dismiss: { request: NetworkRef; answer: Empty };
  transaction: { request: TransactionRef; answer: TransactionView };
  recognise: { request: TextIn; answer: Recognised };
  fee_choices: { request: NetworkRef; answer: FeeChoice[] };
  send_plan: { request: SendPlan; answer: DraftView };
  bump_plan: { request: BumpPlan; answer: DraftView };
  peg_in_plan: { request: PegInPlan; answer: DraftView };
  peg_out_plan: { request: PegOutPlan; answer: DraftView };
  issue_plan: { request: IssuePlan; answer: DraftView };
  reissue_plan: { request: ReissuePlan; answer: DraftView };
  burn_plan: { request: BurnPlan; answer: DraftView };
  drafts: { request: Empty; answer: DraftView[] };
  draft_review: { request: DraftRef; answer: Review };
  draft_sign: { request: DraftSign; answer: OperationView };
  draft_sign_only: { request: DraftSign; answer: DraftView };
  draft_discard: { request: DraftRef; answer: Empty };
  draft_export: { request: DraftRef; answer: TextFile };
  draft_import: { request: DraftImport; answer: DraftView };
  peg_in_address: { request: Empty; answer: OperationView };
  operations: { request: OperationsRequest; answer: OperationView[] };
  operation: { request: OperationRef; answer: OperationView };
  operation_act: { request: OperationAct; answer: OperationView };
  peg_out_keys: { request: Empty; answer: PegOutKeys };
  bridge: { request: Empty; answer: BridgeView };
  peg_audit: { request: Empty; answer: PegAudit };
  peg_audit_set: { request: PegAuditSet; answer: PegAudit };
  assets: { request: Empty; answer: AssetView[] };
  asset: { request: AssetRef; answer: AssetDetail };
  contract_import: { request: ContractImport; answer: AssetView };
  supply_proof: { request: SupplyProof; answer: TextFile };
  holders: { request: AssetRef; answer: AssetHolder[] };
  holder_mark: { request: HolderMark; answer: AssetHolder[] };
  distribution_read: { request: DistributionRequest; answer: DistributionPreview };
  distribution_plan: { request: DistributionRequest; answer: DraftView };
  distribution: { request: OperationRef; answer: DistributionView };
  distribution_report: { request: OperationRef; answer: TextFile };
  redemptions: { request: AssetRef; answer: RedemptionView[] };
  redemption_new: { request: RedemptionNew; answer: RedemptionView };
  redemption_plan: { request: RedemptionPlan; answer: DraftView };
  redemption_ledger: { request: AssetRef; answer: TextFile };
  registry_lookup: { request: AssetRef; answer: RegistryAnswer };
  registry_publish: { request: AssetRef; answer: RegistryPublished };
  offers: { request: Empty; answer: OfferView[] };
  offer_plan: { request: OfferPlan; answer: DraftView };
  offer_cancel: { request: OperationRef; answer: DraftView };
  swap_inspect: { request: TextIn; answer: SwapInspection };
  swap_take: { request: SwapTake; answer: DraftView };
  coloured_assets: { request: Empty; answer: ColouredAsset[] };
  coloured_issue_plan: { request: ColouredIssue; answer: DraftView };
  coloured_reissue_plan: { request: ColouredReissue; answer: DraftView };
  coloured_send_plan: { request: ColouredSend; answer: DraftView };
  coloured_burn_plan: { request: ColouredBurn; answer: DraftView };
  coloured_holders: { request: ColouredRef; answer: HoldersView };
  dividend_plan: { request: DividendPlan; answer: DraftView };
  ledger_server: { request: LedgerServer; answer: Empty };
  ledger_balances: { request: Empty; answer: LedgerBalance[] };
  ledger_history: { request: Empty; answer: LedgerEvent[] };
  ledger_offers: { request: Empty; answer: LedgerOffer[] };
  ledger_plan: { request: LedgerPlan; answer: DraftView };
  staking: { request: Empty; answer: StakingView };
  stakes: { request: Empty; answer: StakeView[] };
  stake_plan: { request: StakePlan; answer: DraftView };
  stake_unbond_plan: { request: OperationRef; answer: DraftView };
  stake_withdraw_plan: { request: StakeWithdraw; answer: DraftView };
  stake_exit: { request: OperationRef; answer: TextFile };
  proof_export: { request: ProofExport; answer: TextFile };
  proof_verify: { request: TextIn; answer: ProofVerdict };
  update_check: { request: UpdateCheck; answer: UpdateVerdict };
};

/** Tags a command's answer is made of, and tags its success makes stale. */
export const tags: { [C in keyof Commands]: { reads: Tag[]; stales: Tag[] } } = {
  app_state: { reads: ["app"], stales: [] },
  words_new: { reads: [], stales: [] },
  wallet_create: { reads: [], stales: ["app"] },
  wallet_words: { reads: [], stales: [] },
  words_confirm: { reads: [], stales: ["app"] },
  wallet_quick_start: { reads: [], stales: ["app"] },
  wallet_watch: { reads: [], stales: ["app"] },
  wallet_descriptors: { reads: ["app"], stales: [] },
  wallet_select: { reads: [], stales: ["app", "balances", "history", "coins", "assets", "operations"] },
  wallet_rename: { reads: [], stales: ["app"] },
  wallet_forget: { reads: [], stales: ["app"] },
  unlock: { reads: [], stales: ["app"] },
  lock: { reads: [], stales: ["app"] },
  password_change: { reads: [], stales: [] },
  settings_get: { reads: ["settings"], stales: [] },
  settings_set: { reads: [], stales: ["settings", "networks"] },
  about: { reads: [], stales: [] },
  networks: { reads: ["networks"], stales: [] },
  network_rescan: { reads: [], stales: ["networks"] },
  testbed_fund: { reads: [], stales: [] },
  testbed_mine: { reads: [], stales: [] },
  overview: { reads: ["balances", "coins"], stales: [] },
  balance_history: { reads: ["balances"], stales: [] },
  receive: { reads: [], stales: ["addresses"] },
  addresses: { reads: ["addresses"], stales: [] },
  coins: { reads: ["coins"], stales: [] },
  coin_freeze: { reads: [], stales: ["coins", "balances"] },
  label_set: { reads: [], stales: ["history", "coins", "addresses"] },
  labels_export: { reads: [], stales: [] },
  labels_import: { reads: [], stales: ["history", "coins", "addresses"] },
  history: { reads: ["history"], stales: [] },
  history_export: { reads: [], stales: [] },
  rollbacks: { reads: ["history"], stales: [] },
  rollback_dismiss: { reads: [], stales: ["history"] },
  transaction: { reads: ["history"], stales: [] },
  recognise: { reads: [], stales: [] },
  fee_choices: { reads: ["networks"], stales: [] },
  send_plan: { reads: [], stales: ["drafts"] },
  bump_plan: { reads: [], stales: ["drafts"] },
  peg_in_plan: { reads: [], stales: ["drafts"] },
  peg_out_plan: { reads: [], stales: ["drafts"] },
  issue_plan: { reads: [], stales: ["drafts"] },
  reissue_plan: { reads: [], stales: ["drafts"] },
  burn_plan: { reads: [], stales: ["drafts"] },
  drafts: { reads: ["drafts"], stales: [] },
  draft_review: { reads: ["drafts"], stales: [] },
  draft_sign: { reads: [], stales: ["drafts", "operations", "coins", "balances", "history"] },
  draft_sign_only: { reads: [], stales: ["drafts"] },
  draft_discard: { reads: [], stales: ["drafts", "coins"] },
  draft_export: { reads: [], stales: ["drafts"] },
  draft_import: { reads: [], stales: ["drafts", "coins"] },
  peg_in_address: { reads: [], stales: ["operations"] },
  operations: { reads: ["operations"], stales: [] },
  operation: { reads: ["operations"], stales: [] },
  operation_act: { reads: [], stales: ["operations"] },
  peg_out_keys: { reads: ["networks"], stales: [] },
  bridge: { reads: ["networks", "operations"], stales: [] },
  peg_audit: { reads: ["audit"], stales: [] },
  peg_audit_set: { reads: [], stales: ["audit"] },
  assets: { reads: ["assets", "balances", "coins"], stales: [] },
  asset: { reads: ["assets", "balances", "coins", "history"], stales: [] },
  contract_import: { reads: [], stales: ["assets"] },
  supply_proof: { reads: [], stales: [] },
  holders: { reads: ["assets", "history"], stales: [] },
  holder_mark: { reads: [], stales: ["assets", "history", "addresses"] },
  distribution_read: { reads: [], stales: [] },
  distribution_plan: { reads: [], stales: ["drafts"] },
  distribution: { reads: ["operations"], stales: [] },
  distribution_report: { reads: [], stales: [] },
  redemptions: { reads: ["assets", "history"], stales: [] },
  redemption_new: { reads: [], stales: ["assets", "addresses"] },
  redemption_plan: { reads: [], stales: ["drafts"] },
  redemption_ledger: { reads: [], stales: [] },
  registry_lookup: { reads: ["assets"], stales: [] },
  registry_publish: { reads: [], stales: ["assets"] },
  offers: { reads: ["operations"], stales: [] },
  offer_plan: { reads: [], stales: ["drafts"] },
  offer_cancel: { reads: [], stales: ["drafts"] },
  swap_inspect: { reads: [], stales: [] },
  swap_take: { reads: [], stales: ["drafts"] },
  coloured_assets: { reads: ["assets", "coins"], stales: [] },
  coloured_issue_plan: { reads: [], stales: ["drafts", "coins"] },
  coloured_reissue_plan: { reads: [], stales: ["drafts", "coins"] },
  coloured_send_plan: { reads: [], stales: ["drafts", "coins"] },
  coloured_burn_plan: { reads: [], stales: ["drafts", "coins"] },
  coloured_holders: { reads: ["networks"], stales: [] },
  dividend_plan: { reads: [], stales: ["drafts", "coins"] },
  ledger_server: { reads: [], stales: ["settings"] },
  ledger_balances: { reads: ["networks"], stales: [] },
  ledger_history: { reads: ["networks"], stales: [] },
  ledger_offers: { reads: ["networks"], stales: [] },
  ledger_plan: { reads: [], stales: ["drafts", "coins"] },
  staking: { reads: ["networks", "operations"], stales: [] },
  stakes: { reads: ["operations"], stales: [] },
  stake_plan: { reads: [], stales: ["drafts", "coins"] },
  stake_unbond_plan: { reads: [], stales: ["drafts"] },
  stake_withdraw_plan: { reads: [], stales: ["drafts", "addresses"] },
  stake_exit: { reads: ["operations"], stales: [] },
  proof_export: { reads: [], stales: [] },
  proof_verify: { reads: [], stales: [] },
  update_check: { reads: [], stales: [] },
};
