use super::*;
use proptest::prelude::*;

const TERMS: Terms = Terms { precision: 2, most: Atoms(1_000_000) };
const A: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
const B: &str = "16UwLL9Risc3QfPqBUvKofHmBQ7wMtjvM";
const C: &str = "3P14159f73E4gFr7JterCCQh9QjiTjiZrG";

/// Number, address, amount and label of a row.
type Shown = (usize, String, u64, String);

fn read_list(text: &str) -> Result<Vec<Shown>, Vec<(usize, RowFault)>> {
    let network = Network::Bitcoin;
    match read(text, TERMS, |text| bitcoin_address(text, network)) {
        Ok(list) => {
            let shown = |row: Row<ScriptBuf>| {
                let address = Address::from_script(&row.recipient, network).expect("an address").to_string();
                (row.row, address, row.amount.0, row.label)
            };
            assert_eq!(list.total.0, list.rows.iter().map(|row| row.amount.0).sum::<u64>());
            Ok(list.rows.into_iter().map(shown).collect())
        }
        Err(bad) => Err(bad.into_iter().map(|bad| (bad.row, bad.fault)).collect()),
    }
}

#[test]
fn a_list_is_read_with_its_quotes_headings_and_blank_lines() {
    let text = format!("\u{feff}Address,Amount,Label\r\n{A},12.5,\"Ann, \"\"B\"\"\"\r\n\r\n\"{B}\", 3 \n{C},0.01,\n");
    let want = vec![
        (2, A.to_owned(), 1_250, "Ann, \"B\"".to_owned()),
        (4, B.to_owned(), 300, String::new()),
        (5, C.to_owned(), 1, String::new()),
    ];
    assert_eq!(read_list(&text), Ok(want));
}

#[test]
fn every_mistake_is_told_with_its_row() {
    let cases: &[(&str, usize, RowFault)] = &[
        ("", 1, RowFault::Fields(0)),
        ("address,amount", 1, RowFault::Fields(0)),
        (A, 1, RowFault::Fields(1)),
        ("{A},1,x,y", 1, RowFault::Fields(4)),
        ("{A};1", 1, RowFault::Fields(1)),
        ("address,amount\naddress,amount", 2, RowFault::Amount),
        ("{A},\"1", 1, RowFault::Quote),
        ("{A},\"1\"2", 1, RowFault::Quote),
        ("{A},1\"", 1, RowFault::Quote),
        ("{A},1,=HYPERLINK(1)", 1, RowFault::Formula),
        ("{A},1, +1", 1, RowFault::Formula),
        ("{A},1,\"@x\"", 1, RowFault::Formula),
        ("{A},-1", 1, RowFault::Formula),
        ("=1+1,2", 1, RowFault::Formula),
        ("{A},1,a\u{200b}b", 1, RowFault::Character),
        ("{A},1,a\tb", 1, RowFault::Character),
        ("{A},1,a\rb", 1, RowFault::Character),
        ("\u{202e}{A},1", 1, RowFault::Character),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5,1", 1, RowFault::Address),
        ("nobody,1", 1, RowFault::Address),
        (",1", 1, RowFault::Address),
        ("mkgW6hNYBctmqDtTTsTJrsf2Gh2NPtoCU4,1", 1, RowFault::Network),
        ("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080,1", 1, RowFault::Network),
        ("{A},1\n{B},2\n{A},3", 3, RowFault::Duplicate(1)),
        ("{A},1\nBC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4,3", 2, RowFault::Duplicate(1)),
        ("{A},", 1, RowFault::Amount),
        ("{A},.", 1, RowFault::Amount),
        ("{A},1e3", 1, RowFault::Amount),
        ("{A},\"1,000\"", 1, RowFault::Amount),
        ("{A},1.2.3", 1, RowFault::Amount),
        ("{A},0x10", 1, RowFault::Amount),
        ("{A},٣3", 1, RowFault::Amount),
        ("{A},1.001", 1, RowFault::Precision(2)),
        ("{A},1.100", 1, RowFault::Precision(2)),
        ("{A},0.00", 1, RowFault::Zero),
        ("{A},10000.01", 1, RowFault::AboveSupply(TERMS.most)),
        ("{A},99999999999999999999999", 1, RowFault::AboveSupply(TERMS.most)),
        ("{A},9999\n{B},2", 2, RowFault::AboveSupply(TERMS.most)),
    ];
    for (text, row, fault) in cases {
        let text = text.replace("{A}", A).replace("{B}", B);
        assert_eq!(read_list(&text), Err(vec![(*row, fault.clone())]), "{text:?}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_up_to_a_bound() {
    let text = format!("{A},1\nx,1\n{B},0\n");
    assert_eq!(read_list(&text), Err(vec![(2, RowFault::Address), (3, RowFault::Zero)]));
    let many = "x,1\n".repeat(1_000);
    assert_eq!(read_list(&many).map_err(|bad| bad.len()), Err(MOST_FAULTS));
    let refusal = Refusal::from(&BadRow { row: 3, fault: RowFault::Zero });
    assert_eq!(
        (refusal.code, refusal.args["row"].as_str(), refusal.args["why"].as_str()),
        (Code::BadRow, "3", "an amount of zero")
    );
}

#[test]
fn a_list_for_colours_wants_addresses_that_keep_them() {
    let one = |text: &str| read(text, TERMS, |text| open_assets_address(text, Network::Bitcoin)).map(|list| list.rows.len());
    assert_eq!(one("akB4NBW9UuCmHuepksob6yfZs6naHtRCPNy,1"), Ok(1));
    for (address, fault) in [
        (B, RowFault::PlainAddress),
        (A, RowFault::PlainAddress),
        ("bX3FwNkYLUkW1n9CoMhtnjDHrBy96Dgz2gG", RowFault::Network),
        ("akB4NBW9UuCmHuepksob6yfZs6naHtRCPNz", RowFault::Address),
    ] {
        assert_eq!(one(&format!("{address},1")), Err(vec![BadRow { row: 1, fault }]), "{address}");
    }
}

fn row(row: usize) -> Row<usize> {
    Row { row, recipient: row, amount: Atoms(1), label: String::new() }
}

proptest! {
    #[test]
    fn reading_is_total(text in "[ -~\\n\\r\"=,é\u{200b}]{0,200}") {
        let _ = read_list(&text);
    }

    #[test]
    fn batches_hold_every_row_once_and_are_as_full_as_they_can_be(
        costs in prop::collection::vec((1u64..500, 0usize..20), 0..60),
        weight in 500u64..2_000, payload in 20usize..80, recipients in 1usize..20,
    ) {
        let limits = Limits { weight: Weight::from_wu(weight), payload, recipients };
        let rows: Vec<_> = (0..costs.len()).map(row).collect();
        let cost = |row: &Row<usize>| Cost { weight: Weight::from_wu(costs[row.recipient].0), payload: costs[row.recipient].1 };
        let batches = batches(&rows, limits, cost).expect("each fits alone");
        prop_assert_eq!(batches.iter().cloned().flatten().collect::<Vec<_>>(), (0..costs.len()).collect::<Vec<_>>());
        let within = |range: Range<usize>| {
            let sums = costs[range.clone()].iter().fold((0, 0), |sums, cost| (sums.0 + cost.0, sums.1 + cost.1));
            sums.0 <= weight && sums.1 <= payload && range.len() <= recipients
        };
        for (index, batch) in batches.iter().enumerate() {
            prop_assert!(!batch.is_empty() && within(batch.clone()));
            prop_assert!(index + 1 == batches.len() || !within(batch.start..batch.end + 1));
        }
    }
}

#[test]
fn a_recipient_who_fits_into_no_transaction_is_refused() {
    let limits = Limits { weight: Weight::from_wu(100), payload: 10, recipients: 5 };
    let refused = batches(&[row(1), row(2)], limits, |row| Cost { weight: Weight::from_wu(60 * row.row as u64), payload: 1 });
    assert_eq!(refused.map_err(|refusal| (refusal.code, refusal.args["row"].clone())), Err((Code::BadRow, "2".to_owned())));
}

#[test]
fn a_batch_is_named_by_who_gets_what() {
    let bytes = |recipient: &usize| recipient.to_be_bytes().to_vec();
    let named = |rows: &[Row<usize>]| batch_id(rows, bytes);
    let rows = [row(1), row(2)];
    assert_eq!(named(&rows), named(&rows.clone().map(|row| Row { label: "noted".into(), ..row })));
    assert_ne!(named(&rows), named(&rows[..1]));
    assert_ne!(named(&rows), named(&rows.clone().map(|row| Row { amount: Atoms(2), ..row })));
    assert_ne!(named(&rows), named(&rows.clone().map(|row| Row { recipient: 7, ..row })));
}
