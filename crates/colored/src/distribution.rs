//! Many recipients from a list: reading it, and splitting it into transactions.

use crate::open_assets;
use bitcoin::address::NetworkUnchecked;
use bitcoin::hashes::{Hash as _, HashEngine as _, sha256};
use bitcoin::{Address, Network, ScriptBuf, Weight};
use causeway_vocab::{Atoms, Code, Refusal};
use std::collections::HashMap;
use std::ops::Range;

/// Rows of a list at most.
pub const MOST_ROWS: usize = 100_000;
/// Bytes of a list at most.
pub const LARGEST: usize = 32 * 1024 * 1024;
/// Mistakes that are told at once.
const MOST_FAULTS: usize = 100;

/// One recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<T> {
    /// Line of the list, counting from 1 and the heading too.
    pub row: usize,
    /// Who.
    pub recipient: T,
    /// How much, at least one.
    pub amount: Atoms,
    /// A note for ourselves; never sent.
    pub label: String,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// Neither two nor three fields.
    #[error("has {0} fields instead of 2 or 3")]
    Fields(usize),
    /// A quote that does not end, or stands within a field.
    #[error("a quotation mark in the wrong place")]
    Quote,
    /// A field that a spreadsheet would run.
    #[error("a field that starts like a formula")]
    Formula,
    /// A control character, or an invisible one.
    #[error("a character that cannot be seen")]
    Character,
    /// No address, or damaged.
    #[error("no address")]
    Address,
    /// An address of another network.
    #[error("an address of another network")]
    Network,
    /// A plain address where the recipient's wallet must keep colours.
    #[error("an address whose wallet may not keep assets")]
    PlainAddress,
    /// The same recipient as another row.
    #[error("the same recipient as row {0}")]
    Duplicate(usize),
    /// Not a plain decimal figure.
    #[error("no amount")]
    Amount,
    /// More decimal places than the asset has.
    #[error("more than {0} decimal places")]
    Precision(u8),
    /// Nothing.
    #[error("an amount of zero")]
    Zero,
    /// The sum up to here passes what can exist.
    #[error("the sum is more than {0}")]
    AboveSupply(Atoms),
    /// The list is too long.
    #[error("more than {0} rows")]
    TooMany(usize),
}

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {row}: {fault}")]
pub struct BadRow {
    /// Which, counting from 1.
    pub row: usize,
    /// Why.
    pub fault: RowFault,
}

impl From<&BadRow> for Refusal {
    fn from(bad: &BadRow) -> Refusal {
        Refusal::new(Code::BadRow).with("row", bad.row).with("why", &bad.fault)
    }
}

/// What a list must keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Decimal places of the asset.
    pub precision: u8,
    /// Sum at most.
    pub most: Atoms,
}

/// A list that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution<T> {
    /// In the order of the list.
    pub rows: Vec<Row<T>>,
    /// Sum of all amounts.
    pub total: Atoms,
}

/// Reads a list of `recipient,amount` or `recipient,amount,label`, as RFC 4180 has it: quotes where needed, lines ended by LF or CRLF.
///
/// A heading whose second field has no digit is skipped, empty lines are too. Everything is strict: a mistake anywhere refuses the list, and up
/// to a hundred mistakes are told. `recipient` reads the first field.
pub fn read<T: Clone + Eq + std::hash::Hash>(
    text: &str,
    terms: Terms,
    recipient: impl Fn(&str) -> Result<T, RowFault>,
) -> Result<Distribution<T>, Vec<BadRow>> {
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    let mut seen: HashMap<T, usize> = HashMap::new();
    let mut total = Atoms::ZERO;
    if text.len() > LARGEST {
        return Err(vec![BadRow { row: 1, fault: RowFault::TooMany(MOST_ROWS) }]);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.split('\n').enumerate() {
        let row = index + 1;
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        if rows.len() >= MOST_ROWS {
            bad.push(BadRow { row, fault: RowFault::TooMany(MOST_ROWS) });
            break;
        }
        let read = fields(line).and_then(|fields| {
            let heading = row == 1 && fields.get(1).is_some_and(|second| !second.bytes().any(|byte| byte.is_ascii_digit()));
            if heading && (2..=3).contains(&fields.len()) && fields.iter().all(|field| is_heading(field)) {
                return Ok(None);
            }
            let (who, amount, label) = parts(&fields, terms)?;
            let recipient = recipient(who)?;
            if let Some(first) = seen.get(&recipient) {
                return Err(RowFault::Duplicate(*first));
            }
            total = total.checked_add(amount).filter(|total| *total <= terms.most).ok_or(RowFault::AboveSupply(terms.most))?;
            seen.insert(recipient.clone(), row);
            Ok(Some(Row { row, recipient, amount, label: label.to_owned() }))
        });
        match read {
            Ok(read) => rows.extend(read),
            Err(fault) => bad.push(BadRow { row, fault }),
        }
        if bad.len() >= MOST_FAULTS {
            break;
        }
    }
    if rows.is_empty() && bad.is_empty() {
        bad.push(BadRow { row: 1, fault: RowFault::Fields(0) });
    }
    if bad.is_empty() { Ok(Distribution { rows, total }) } else { Err(bad) }
}

/// The word of a heading.
fn is_heading(field: &str) -> bool {
    !field.is_empty() && field.len() <= 40 && field.bytes().all(|byte| byte.is_ascii_alphabetic() || b" _-()".contains(&byte))
}

/// The fields of a row, checked as far as they do not depend on other rows.
fn parts(fields: &[String], terms: Terms) -> Result<(&str, Atoms, &str), RowFault> {
    let (who, amount, label) = match fields {
        [who, amount] => (who, amount, ""),
        [who, amount, label] => (who, amount, label.as_str()),
        other => return Err(RowFault::Fields(other.len())),
    };
    for field in [who, amount, label] {
        if crate::text::deceives(field) {
            return Err(RowFault::Character);
        }
        if field.trim_start().starts_with(['=', '+', '-', '@']) {
            return Err(RowFault::Formula);
        }
    }
    let plain =
        amount.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && amount.bytes().any(|byte| byte.is_ascii_digit());
    if !plain || amount.matches('.').count() > 1 {
        return Err(RowFault::Amount);
    }
    let places = amount.split_once('.').map_or(0, |(_, places)| places.len());
    if places > usize::from(terms.precision) {
        return Err(RowFault::Precision(terms.precision));
    }
    match Atoms::from_decimal(amount, terms.precision) {
        None => Err(RowFault::AboveSupply(terms.most)),
        Some(Atoms::ZERO) => Err(RowFault::Zero),
        Some(amount) => Ok((who, amount, label)),
    }
}

/// Splits a line at its commas. Quoted fields may hold commas, and quotes written twice; they do not go over several lines.
fn fields(line: &str) -> Result<Vec<String>, RowFault> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (mut field, mut quoted) = (String::new(), quoted);
                loop {
                    let (part, after) = quoted.split_once('"').ok_or(RowFault::Quote)?;
                    field.push_str(part);
                    match after.strip_prefix('"') {
                        Some(more) => {
                            field.push('"');
                            quoted = more;
                        }
                        None => break (field, after),
                    }
                }
            }
            None => {
                let (field, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
                if field.contains('"') {
                    return Err(RowFault::Quote);
                }
                (field.trim_matches(' ').to_owned(), after)
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None if after.is_empty() => return Ok(fields),
            None => return Err(RowFault::Quote),
        }
    }
}

/// Reads a Bitcoin address of `network`.
pub fn bitcoin_address(text: &str, network: Network) -> Result<ScriptBuf, RowFault> {
    let address: Address<NetworkUnchecked> = text.parse().map_err(|_| RowFault::Address)?;
    address.require_network(network).map(|address| address.script_pubkey()).map_err(|_| RowFault::Network)
}

/// Reads an Open Assets address of `network`; plain addresses are refused, as their owners' wallets may destroy colours.
pub fn open_assets_address(text: &str, network: Network) -> Result<ScriptBuf, RowFault> {
    use open_assets::address::{AddressFault, read};
    let address = read(text).map_err(|fault| match fault {
        AddressFault::Plain | AddressFault::Segwit => RowFault::PlainAddress,
        _ => RowFault::Address,
    })?;
    address.require_network(network).map(|address| address.script_pubkey()).map_err(|_| RowFault::Network)
}

/// What a recipient adds to a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Weight of its output.
    pub weight: Weight,
    /// Bytes of the message.
    pub payload: usize,
}

/// What one transaction holds at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Weight of all outputs to recipients. Leave room for inputs, message and change.
    pub weight: Weight,
    /// Bytes of the message left for recipients.
    pub payload: usize,
    /// Recipients.
    pub recipients: usize,
}

/// Splits recipients into transactions, in order, each as full as the limits allow.
///
/// Refused: a recipient who does not fit into a transaction of their own; args of the refusal name the row.
pub fn batches<T>(rows: &[Row<T>], limits: Limits, cost: impl Fn(&Row<T>) -> Cost) -> Result<Vec<Range<usize>>, Refusal> {
    let mut batches = Vec::new();
    let (mut start, mut weight, mut payload) = (0, Weight::ZERO, 0usize);
    for (index, row) in rows.iter().enumerate() {
        let cost = cost(row);
        if cost.weight > limits.weight || cost.payload > limits.payload || limits.recipients == 0 {
            return Err(Refusal::new(Code::BadRow).with("row", row.row).with("why", "does not fit into a transaction"));
        }
        let fits = weight + cost.weight <= limits.weight
            && payload.saturating_add(cost.payload) <= limits.payload
            && index - start < limits.recipients;
        if !fits {
            batches.push(start..index);
            (start, weight, payload) = (index, Weight::ZERO, 0);
        }
        weight += cost.weight;
        payload += cost.payload;
    }
    if start < rows.len() {
        batches.push(start..rows.len());
    }
    Ok(batches)
}

/// Names a batch by its content, so that a resumed distribution knows which batches it has already paid.
///
/// Row numbers count, labels do not: the same list gives the same names, whatever was noted on it.
pub fn batch_id<T>(rows: &[Row<T>], bytes: impl Fn(&T) -> Vec<u8>) -> [u8; 32] {
    let mut engine = sha256::Hash::engine();
    let mut number = |value: u64| engine.input(&value.to_be_bytes());
    number(rows.len() as u64);
    for row in rows {
        number(row.row as u64);
        number(row.amount.0);
        let recipient = sha256::Hash::hash(&bytes(&row.recipient)).to_byte_array();
        recipient.chunks(8).for_each(|chunk| number(chunk.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))));
    }
    sha256::Hash::from_engine(engine).to_byte_array()
}

#[cfg(test)]
mod tests;
