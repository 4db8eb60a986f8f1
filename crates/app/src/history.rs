//! The history of both networks, merged from two indices that the wallets keep; and single transactions.

use crate::drafts::{per_kvb, small};
use crate::memory::{Core, Verdict, Wallet};
use crate::money::{known_bitcoin, known_of};
use crate::operations::{depth_of, final_depth};
use crate::profile::Profile;
use bitcoin::hex::DisplayHex as _;
use causeway_bitcoin_wallet as btc;
use causeway_contract::{
    Atoms, Check, Failure, FlowEnd, FlowRole, HistoryPage, HistoryRequest, HistoryRow, Moved, NetworkRef, TextFile,
    TransactionKind, TransactionRef, TransactionView,
};
use causeway_sidechain::wallet::state::{Cursor, Flow, HistoryEntry, Kind, Role};
use causeway_store::Reader;
use causeway_vocab::{AssetId, Code, NetworkId, Refusal};
use std::collections::{BTreeMap, HashMap};

/// Most rows of one page.
const MOST: usize = 500;
/// Bitcoin entries that are read at once.
const CHUNK: usize = 128;

/// By so many blocks the order of times may differ from that of heights.
const SLACK: u32 = 12;

/// Where a page ended. Bitcoin is counted from its oldest entry, so that new ones on top shift nothing.
struct Place {
    bitcoin: usize,
    sidechain: Option<Cursor>,
}

impl Place {
    fn read(text: &str, len: usize) -> Option<Place> {
        let mut parts = text.split('.');
        let bitcoin = parts.next()?.parse::<usize>().ok()?.min(len);
        let sidechain = match (parts.next(), parts.next(), parts.next()) {
            (Some(height), Some(index), Some(txid)) => {
                Some(Cursor { height: height.parse().ok()?, index: index.parse().ok()?, txid: txid.parse().ok()? })
            }
            _ => None,
        };
        Some(Place { bitcoin, sidechain })
    }

    fn write(&self) -> String {
        match &self.sidechain {
            Some(Cursor { height, index, txid }) => format!("{}.{height}.{index}.{txid}", self.bitcoin),
            None => self.bitcoin.to_string(),
        }
    }
}

/// The Bitcoin history, newest first, read in chunks.
struct BitcoinRows<'w> {
    wallet: &'w btc::BitcoinWallet,
    left: usize,
    chunk: std::vec::IntoIter<btc::HistoryEntry>,
}

impl Iterator for BitcoinRows<'_> {
    type Item = btc::HistoryEntry;
    fn next(&mut self) -> Option<btc::HistoryEntry> {
        if self.chunk.len() == 0 {
            let skip = self.wallet.history_len().saturating_sub(self.left);
            self.chunk = self.wallet.history(skip, CHUNK.min(self.left)).into_iter();
        }
        let entry = self.chunk.next()?;
        self.left = self.left.saturating_sub(1);
        Some(entry)
    }
}

/// Newest first: what is in no block, then by time.
fn newest(height: Option<u32>, time: u32) -> u32 {
    height.map_or(u32::MAX, |_| time.min(u32::MAX - 1))
}

/// Walks both histories together, newest first, until `take` has enough or both end. Gives the place behind the last row taken.
fn walk(
    core: &Core,
    reader: &Reader<'_>,
    wallet: &Wallet,
    network: Option<NetworkId>,
    from: Option<Place>,
    mut take: impl FnMut(HistoryRow) -> bool,
) -> Result<Option<Place>, Refusal> {
    let wants = |of| network.is_none_or(|network| network == of);
    let place = from.unwrap_or(Place { bitcoin: wallet.bitcoin.history_len(), sidechain: None });
    let left = if wants(NetworkId::Bitcoin) { place.bitcoin } else { 0 };
    let mut bitcoin = BitcoinRows { wallet: &wallet.bitcoin, left, chunk: Vec::new().into_iter() };
    let mut sidechain = wallet.sidechain.history(place.sidechain).take(if wants(NetworkId::Sidechain) { usize::MAX } else { 0 });
    let payees = Payees::read(core, reader, wallet)?;
    let mut behind = place;
    let (mut next_b, mut next_s) = (bitcoin.next(), sidechain.next());
    loop {
        let time_b = next_b.as_ref().map(|entry| newest(entry.height, small(entry.time)));
        let time_s = next_s.as_ref().map(|entry| newest(entry.height, entry.time));
        let row = match (time_b, time_s) {
            (None, None) => return Ok(None),
            (Some(b), s) if s.is_none_or(|s| b >= s) => {
                let entry = next_b.take().expect("BUG: just looked at");
                next_b = bitcoin.next();
                behind.bitcoin = behind.bitcoin.saturating_sub(1);
                bitcoin_row(core, reader, wallet, &entry)?
            }
            _ => {
                let entry = next_s.take().expect("BUG: just looked at");
                next_s = sidechain.next();
                behind.sidechain = Some(entry.cursor);
                sidechain_row(core, reader, wallet, &payees, &entry)?
            }
        };
        if !take(row) {
            let more = next_b.is_some() || next_s.is_some();
            return Ok(more.then_some(behind));
        }
    }
}

impl Profile {
    pub(crate) async fn history(&self, request: HistoryRequest) -> Result<HistoryPage, Failure> {
        self.read(|core, reader| {
            let Ok(wallet) = core.selected() else { return Ok(HistoryPage { rows: Vec::new(), next: None, total: 0 }) };
            let limit = (request.limit as usize).clamp(1, MOST);
            let bad = || Refusal::new(Code::BadRequest).with("field", "cursor");
            let len = wallet.bitcoin.history_len();
            let from = request.cursor.as_deref().map(|text| Place::read(text, len).ok_or_else(bad)).transpose()?;
            let search = request.search.as_deref().map(str::to_lowercase).filter(|text| !text.is_empty());
            let mut rows = Vec::new();
            let behind = walk(core, reader, wallet, request.network, from, |row| {
                let of_asset = request.asset.as_deref().is_none_or(|asset| moves(&row, asset));
                if of_asset && search.as_deref().is_none_or(|text| holds(&row, text)) {
                    rows.push(row);
                }
                rows.len() < limit
            })?;
            let total = match request.network {
                Some(NetworkId::Bitcoin) => len,
                Some(NetworkId::Sidechain) => wallet.sidechain.history_len(),
                None => len + wallet.sidechain.history_len(),
            };
            Ok(HistoryPage { rows, next: behind.map(|place| place.write()), total: small(total as u64) })
        })
    }

    pub(crate) async fn history_export(&self, request: NetworkRef) -> Result<TextFile, Failure> {
        self.read(|core, reader| {
            let wallet = core.selected()?;
            let mut text = String::from("time,network,kind,txid,asset,ticker,amount,fee_sat,height,known,counterparty,label\r\n");
            walk(core, reader, wallet, Some(request.network), None, |row| {
                csv_rows(&mut text, &row);
                true
            })?;
            Ok(TextFile { name: format!("causeway-{}.csv", crate::memory::network_name(request.network)), text })
        })
    }

    pub(crate) async fn transaction(&self, request: TransactionRef) -> Result<TransactionView, Failure> {
        let unknown = || Refusal::new(Code::NotFound).with("what", "transaction");
        match request.network {
            NetworkId::Bitcoin => {
                let txid = request.txid.parse().map_err(|_| unknown())?;
                self.read(|core, reader| bitcoin_view(core, reader, txid)?.ok_or_else(unknown))
            }
            NetworkId::Sidechain => {
                let txid: elements::Txid = request.txid.parse().map_err(|_| unknown())?;
                let mut view = self.read(|core, reader| sidechain_view(core, reader, txid)?.ok_or_else(unknown))?;
                view.raw = match self.whole_transaction(&txid).await {
                    Some(tx) => elements::encode::serialize(&tx).to_lower_hex_string(),
                    None => String::new(),
                };
                Ok(view)
            }
        }
    }

    /// A transaction of the selected wallet with its proofs, which the wallet does not keep: from its journal or from its block.
    pub(crate) async fn whole_transaction(&self, txid: &elements::Txid) -> Option<elements::Transaction> {
        let block = {
            let core = self.core();
            core.wallets.values().find_map(|wallet| wallet.sidechain.history_entry(txid)?.block)
        };
        match block {
            Some(hash) => {
                let (_, block) = self.clients.sidechain.block(hash).await.ok()?;
                block.txdata.into_iter().find(|tx| tx.txid() == *txid)
            }
            None => self.core().operations.own_transaction(&txid.to_string())?.read_sidechain(),
        }
    }
}

/// The payments of a wallet in blocks above a height, newest first, at most `most`.
pub(crate) fn rows_above(
    core: &Core,
    reader: &Reader<'_>,
    wallet: &Wallet,
    network: NetworkId,
    height: u32,
    most: usize,
) -> Result<Vec<HistoryRow>, Refusal> {
    let mut rows = Vec::new();
    walk(core, reader, wallet, Some(network), None, |row| {
        let at = row.height;
        if at.is_some_and(|at| at > height) && rows.len() < most {
            rows.push(row);
        }
        // Times of blocks need not ascend, so a few lower ones may come before the last of those above.
        rows.len() < most && at.is_none_or(|at| at.saturating_add(SLACK) > height)
    })?;
    Ok(rows)
}

/// The height at which a wallet knows a transaction; `Some(None)` while it is in no block, `None` when the wallet does not know it.
pub(crate) fn height_of(wallet: &Wallet, network: NetworkId, txid: &str) -> Option<Option<u32>> {
    match network {
        NetworkId::Bitcoin => Some(wallet.bitcoin.history_entry(txid.parse().ok()?)?.height),
        NetworkId::Sidechain => Some(wallet.sidechain.history_entry(&txid.parse().ok()?)?.height),
    }
}

fn moves(row: &HistoryRow, asset: &str) -> bool {
    row.moved.iter().any(|moved| moved.asset.id == asset)
}

fn holds(row: &HistoryRow, text: &str) -> bool {
    let tickers = row.moved.iter().any(|m| m.asset.ticker.to_lowercase().contains(text) || m.asset.id.contains(text));
    tickers || [&row.txid, &row.label, &row.counterparty].iter().any(|field| field.to_lowercase().contains(text))
}

fn tx_label(reader: &Reader<'_>, wallet: u32, network: NetworkId, txid: &str) -> Result<String, Refusal> {
    reader.label(wallet, network, "tx", txid)
}

fn bitcoin_row(core: &Core, reader: &Reader<'_>, wallet: &Wallet, entry: &btc::HistoryEntry) -> Result<HistoryRow, Refusal> {
    let network = NetworkId::Bitcoin;
    let txid = entry.txid.to_string();
    let id = wallet.row.id;
    let operation = reader.operation_of(id, network, &txid)?;
    let flow = wallet.bitcoin.flow(entry.txid);
    let mined = flow.as_ref().is_some_and(|flow| flow.inputs.iter().any(|input| input.outpoint.is_null()));
    let ours = entry.sent.0 > 0;
    let fee = if ours { entry.fee.unwrap_or_default() } else { Atoms::ZERO };
    let net = i128::from(entry.received.0) - i128::from(entry.sent.0) + i128::from(fee.0);
    let role = operation.as_ref().map(|(_, role)| role.as_str());
    let kind = match role {
        Some("deposit") => TransactionKind::PegInDeposit,
        Some("payment") => TransactionKind::PegOutPayment,
        _ if mined => TransactionKind::Mined,
        _ if !ours => TransactionKind::Received,
        _ if net == 0 => TransactionKind::Moved,
        _ => TransactionKind::Sent,
    };
    let scripts = flow.iter().flat_map(|flow| &flow.outputs).filter(|output| output.ours.is_none()).map(|output| &output.script);
    let mut foreign = scripts.filter_map(|script| bitcoin::Address::from_script(script, core.realm.bitcoin.network).ok());
    let counterparty = match (ours, foreign.next(), foreign.next()) {
        (true, Some(address), None) => address.to_string(),
        _ => String::new(),
    };
    Ok(HistoryRow {
        network,
        kind,
        moved: moved(core, AssetId::Bitcoin, net).into_iter().collect(),
        fee,
        height: entry.height,
        time: small(entry.time),
        known: known_bitcoin(entry.height.is_some()),
        confirmations: depth_of(core.heights(), network, entry.height),
        depth: final_depth(network),
        label: tx_label(reader, id, network, &txid)?,
        counterparty,
        operation: operation.map(|(operation, _)| operation),
        txid,
    })
}

fn moved(core: &Core, asset: AssetId, net: i128) -> Option<Moved> {
    let amount = Atoms(u64::try_from(net.unsigned_abs()).unwrap_or(u64::MAX));
    (net != 0).then(|| Moved { asset: core.names.label(asset), amount, out: net < 0 })
}

fn sidechain_row(
    core: &Core,
    reader: &Reader<'_>,
    wallet: &Wallet,
    payees: &Payees,
    entry: &HistoryEntry,
) -> Result<HistoryRow, Refusal> {
    let network = NetworkId::Sidechain;
    let txid = entry.txid.to_string();
    let id = wallet.row.id;
    let policy = core.realm.sidechain.policy_asset;
    let mut net = entry.net.clone();
    // A claim spends no coin of ours, but its fee comes out of what is claimed.
    let paid = entry.ours || entry.kind == Kind::PegIn;
    if paid {
        *net.entry(policy).or_default() += i128::from(entry.fee);
    }
    let kind = match entry.kind {
        Kind::Receive => TransactionKind::Received,
        Kind::Send => TransactionKind::Sent,
        Kind::Own => TransactionKind::Moved,
        Kind::Issue => TransactionKind::Issued,
        Kind::Reissue => TransactionKind::Reissued,
        Kind::Burn => TransactionKind::Burned,
        Kind::PegIn => TransactionKind::PegInClaim,
        Kind::PegOut => TransactionKind::PegOut,
    };
    let counterparty = match (entry.ours, wallet.sidechain.flow(&entry.txid)) {
        (true, Some(flow)) => only_payee(core, payees, &flow),
        _ => String::new(),
    };
    Ok(HistoryRow {
        network,
        kind,
        moved: in_order_of_meaning(core, net)
            .into_iter()
            .filter_map(|(asset, net)| moved(core, AssetId::Elements(asset), net))
            .collect(),
        fee: Atoms(if paid { entry.fee } else { 0 }),
        height: entry.height,
        time: entry.time,
        known: known_of(core, &entry.txid, entry.height.is_some()),
        confirmations: depth_of(core.heights(), network, entry.height),
        depth: final_depth(network),
        label: tx_label(reader, id, network, &txid)?,
        counterparty,
        operation: reader.operation_of(id, network, &txid)?.map(|(operation, _)| operation),
        txid,
    })
}

/// What the user meant comes first: an issued asset before its reissuance token, an asset before the coin that goes along with it.
fn in_order_of_meaning(core: &Core, net: BTreeMap<elements::AssetId, i128>) -> Vec<(elements::AssetId, i128)> {
    let policy = core.realm.sidechain.policy_asset;
    let mut all: Vec<_> = net.into_iter().collect();
    all.sort_by_key(|(asset, _)| (core.names.token_of(asset).is_some(), *asset == policy));
    all
}

/// Whom a wallet has paid on the sidechain, by script: a transaction holds no blinding key, so only the user's own words tell the
/// confidential address.
struct Payees(HashMap<elements::Script, String>);

impl Payees {
    fn read(core: &Core, reader: &Reader<'_>, wallet: &Wallet) -> Result<Payees, Refusal> {
        let params = core.realm.sidechain.address_params();
        let named = reader.payees(wallet.row.id)?.into_iter().filter_map(|text| {
            let address = elements::Address::parse_with_params(&text, params).ok()?;
            Some((address.script_pubkey(), text))
        });
        Ok(Payees(named.collect()))
    }

    /// The address as the user named it, or the one that the script shows.
    fn address(&self, core: &Core, script: &elements::Script) -> Option<String> {
        let shown = || elements::Address::from_script(script, None, core.realm.sidechain.address_params());
        self.0.get(script).cloned().or_else(|| shown().map(|address| address.to_string()))
    }
}

fn only_payee(core: &Core, payees: &Payees, flow: &Flow) -> String {
    let mut foreign = flow.outputs.iter().filter(|output| output.role == Role::Foreign);
    match (foreign.next(), foreign.next()) {
        (Some(output), None) => payees.address(core, &output.script).unwrap_or_default(),
        _ => String::new(),
    }
}

fn bitcoin_view(core: &Core, reader: &Reader<'_>, txid: bitcoin::Txid) -> Result<Option<TransactionView>, Refusal> {
    let wallet = core.selected()?;
    let (Some(flow), Some(tx)) = (wallet.bitcoin.flow(txid), wallet.bitcoin.transaction(txid)) else { return Ok(None) };
    let Some(entry) = wallet.bitcoin.history_entry(txid) else { return Ok(None) };
    let height = entry.height;
    let row = bitcoin_row(core, reader, wallet, &entry)?;
    let btc_label = || Some(core.names.label(AssetId::Bitcoin));
    let own_role = |ours: Option<(btc::KeychainKind, u32)>| match ours {
        Some((btc::KeychainKind::Internal, _)) => FlowRole::Change,
        Some(_) => FlowRole::Ours,
        None => FlowRole::Foreign,
    };
    let end = |amount, script: Option<&bitcoin::ScriptBuf>, role| -> Result<FlowEnd, Refusal> {
        let address = script.and_then(|script| bitcoin::Address::from_script(script, core.realm.bitcoin.network).ok());
        let address = address.map(|address| address.to_string()).unwrap_or_default();
        let label = reader.label(wallet.row.id, NetworkId::Bitcoin, "addr", &address)?;
        Ok(FlowEnd { asset: btc_label(), amount, address, role, blinded: false, label })
    };
    let mut inputs = Vec::new();
    for input in &flow.inputs {
        let parent = wallet.bitcoin.transaction(input.outpoint.txid);
        let script =
            parent.as_ref().and_then(|tx| tx.output.get(input.outpoint.vout as usize)).map(|output| &output.script_pubkey);
        inputs.push(end(input.amount, script, own_role(input.ours))?);
    }
    let mut outputs = Vec::new();
    for output in &flow.outputs {
        let mut role = own_role(output.ours);
        if role == FlowRole::Foreign && row.kind == TransactionKind::PegInDeposit {
            role = FlowRole::Peg;
        }
        outputs.push(end(Some(output.amount), Some(&output.script), role)?);
    }
    if let Some(fee) = flow.fee {
        outputs.push(FlowEnd { amount: Some(fee), ..end(None, None, FlowRole::Fee)? });
    }
    let can_cpfp = height.is_none() && flow.outputs.iter().any(|output| output.ours.is_some() && output.spent_by.is_none());
    let block = wallet.bitcoin.block_of(txid).map(|hash| hash.to_string());
    Ok(Some(TransactionView {
        inputs,
        outputs,
        block,
        vsize: small(flow.vsize),
        fee_rate: flow.fee.map_or(0, |fee| per_kvb(fee.0, flow.vsize)),
        replaceable: flow.replaceable,
        can_cpfp,
        checks: if height.is_some() { vec![Check::ProofOfWork, Check::Filters] } else { Vec::new() },
        raw: bitcoin::consensus::serialize(&tx).to_lower_hex_string(),
        row,
    }))
}

fn sidechain_view(core: &Core, reader: &Reader<'_>, txid: elements::Txid) -> Result<Option<TransactionView>, Refusal> {
    let wallet = core.selected()?;
    let Some(flow) = wallet.sidechain.flow(&txid) else { return Ok(None) };
    let payees = Payees::read(core, reader, wallet)?;
    let row = sidechain_row(core, reader, wallet, &payees, &flow.entry)?;
    let role_of = |role: Role| match role {
        Role::Ours => FlowRole::Ours,
        Role::Change => FlowRole::Change,
        Role::Foreign => FlowRole::Foreign,
        Role::Fee => FlowRole::Fee,
        Role::Burn => FlowRole::Burn,
        Role::Issue => FlowRole::Issue,
        Role::Peg => FlowRole::Peg,
    };
    let label = |address: &str| reader.label(wallet.row.id, NetworkId::Sidechain, "addr", address);
    let own = |path| {
        let derived = wallet.sidechain.account().derive(path)?;
        Some(derived.confidential_address().to_string())
    };
    let mut inputs = Vec::new();
    for input in &flow.inputs {
        let address = input.path.and_then(own).unwrap_or_default();
        inputs.push(FlowEnd {
            asset: input.asset.map(|asset| core.names.label(AssetId::Elements(asset))),
            amount: input.amount.map(Atoms),
            role: role_of(input.role),
            blinded: input.blinded.unwrap_or(true),
            label: label(&address)?,
            address,
        });
    }
    let mut outputs = Vec::new();
    for output in &flow.outputs {
        let address = output.path.and_then(own).or_else(|| payees.address(core, &output.script)).unwrap_or_default();
        outputs.push(FlowEnd {
            asset: output.asset.map(|asset| core.names.label(AssetId::Elements(asset))),
            amount: output.amount.map(Atoms),
            role: role_of(output.role),
            blinded: output.blinded,
            label: label(&address)?,
            address,
        });
    }
    let mut checks = Vec::new();
    if flow.entry.height.is_some() {
        checks.extend([Check::Signatures, Check::Federation]);
        checks.extend((core.proofs.get(&txid) == Some(&Verdict::Passed)).then_some(Check::Proofs));
    }
    Ok(Some(TransactionView {
        inputs,
        outputs,
        block: flow.entry.block.map(|hash| hash.to_string()),
        vsize: flow.discount_vsize,
        fee_rate: per_kvb(flow.entry.fee, u64::from(flow.discount_vsize)),
        replaceable: false,
        can_cpfp: false,
        checks,
        raw: String::new(),
        row,
    }))
}

/// One line per moved asset; a transaction that moves nothing has one line.
fn csv_rows(text: &mut String, row: &HistoryRow) {
    let kind = serde_json::to_value(row.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
    let known = serde_json::to_value(row.known).ok().and_then(|known| known.as_str().map(str::to_owned)).unwrap_or_default();
    let time = jiff::Timestamp::from_second(i64::from(row.time)).map(|time| time.to_string()).unwrap_or_default();
    let amounts: Vec<(String, String, String)> = match row.moved.is_empty() {
        true => vec![Default::default()],
        false => row.moved.iter().map(amount_cells).collect(),
    };
    for (asset, ticker, amount) in amounts {
        let cells = [
            time.clone(),
            crate::memory::network_name(row.network).to_owned(),
            kind.clone(),
            row.txid.clone(),
            asset,
            csv_text(&ticker),
            amount,
            row.fee.to_string(),
            row.height.map(|height| height.to_string()).unwrap_or_default(),
            known.clone(),
            csv_text(&row.counterparty),
            csv_text(&row.label),
        ];
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
}

fn amount_cells(moved: &Moved) -> (String, String, String) {
    let sign = if moved.out { "-" } else { "" };
    (moved.asset.id.clone(), moved.asset.ticker.clone(), format!("{sign}{}", moved.amount.to_decimal(moved.asset.precision)))
}

/// Text as a CSV cell (RFC 4180). What a spreadsheet would take for a formula gets an apostrophe in front.
pub(crate) fn csv_text(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    match text.contains([',', '"', '\r', '\n', '\'']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_become_a_formula_in_a_spreadsheet() {
        for (text, cell) in [
            ("rent", "rent"),
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("-5", "\"'-5\""),
        ] {
            assert_eq!(csv_text(text), cell);
        }
    }

    #[test]
    fn a_cursor_reads_back_as_it_was_written() {
        let txid = "11".repeat(32).parse().expect("a txid");
        for place in
            [Place { bitcoin: 7, sidechain: None }, Place { bitcoin: 0, sidechain: Some(Cursor { height: 9, index: 2, txid }) }]
        {
            let read = Place::read(&place.write(), 100).expect("reads");
            assert_eq!((read.bitcoin, read.sidechain), (place.bitcoin, place.sidechain));
        }
        assert!(Place::read("x", 5).is_none());
        assert_eq!(Place::read("900", 5).expect("reads").bitcoin, 5, "a wallet that was rolled back has fewer");
    }
}
