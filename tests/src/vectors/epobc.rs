//! EPOBC: tags and the colouring kernel.

use super::hex::{cases, list, number};
use super::{Case, Checks, Kind, Siblings, is_list_of};
use bitcoin::Sequence;
use causeway_colored::epobc::{Input, Tag, color, kernel::genesis, tag::padding_code};
use serde_json::{Value, json};

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "epobc_kernel",
        stems: &["kernel"],
        fits: |d| is_list_of(d, &["nsequence_of_input_0", "inputs", "outputs_satoshi", "expected_colour_values"]),
        run: run_kernel,
    },
    Kind { name: "epobc_tags", stems: &["tags"], fits: are_tags, run: run_tags },
];

fn are_tags(document: &Value) -> bool {
    let is = |case: &Value| {
        case.get("nsequence").is_some() && case.get("tag").is_some()
            || case.get("minimum_padding").is_some() && case.get("padding_code").is_some()
    };
    !cases(document).is_empty() && cases(document).iter().all(is)
}

fn sequence(value: &Value, field: &str) -> Result<Sequence, String> {
    u32::try_from(number(value, field)?).map(Sequence::from_consensus).map_err(|e| format!("{field}: {e}"))
}

fn run_tags(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        if case.get("nsequence").is_some() {
            let tag = Tag::read(sequence(case, "nsequence")?);
            let shown = |tag: Tag| json!({ "genesis": tag.genesis, "padding_code": tag.code, "padding": tag.padding() });
            checks.equal(id, json!(tag.map(shown)), &case["tag"], &[]);
            if let Some(tag) = tag {
                checks.equal(format!("{id} written"), json!(Tag::read(tag.write()) == Some(tag)), &json!(true), &[]);
            }
        } else {
            // Less than nothing needs no padding.
            let minimum = case["minimum_padding"].as_i64().ok_or("no minimum_padding")?;
            let code = padding_code(u64::try_from(minimum).unwrap_or(0));
            checks.equal(id, json!(code), &case["padding_code"], &[]);
        }
        Ok(())
    });
    Ok(checks.done())
}

fn run_kernel(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let whole = |value: &Value| value.as_u64().ok_or("no number".to_owned());
        let input = |value: &Value| {
            let colour = Some(&value["colour_value"]).filter(|value| !value.is_null()).map(whole).transpose()?;
            Ok::<_, String>(Input {
                satoshi: number(value, "satoshi")?,
                colour: colour.map(|units| ((), units)),
                tag: Tag::read(sequence(value, "nsequence_of_input_0_of_previous_transaction")?),
            })
        };
        let inputs = list(case, "inputs")?.iter().map(input).collect::<Result<Vec<_>, _>>()?;
        let outputs = list(case, "outputs_satoshi")?.iter().map(whole).collect::<Result<Vec<_>, _>>()?;
        let is_genesis = case["is_the_genesis_transaction_of_the_colour"].as_bool().ok_or("no genesis flag")?;
        let colours = match Tag::read(sequence(case, "nsequence_of_input_0")?) {
            Some(tag) if tag.genesis && is_genesis => genesis(tag, &outputs, ()),
            Some(tag) if !tag.genesis => color(tag, &inputs, &outputs),
            // A genesis of another colour, or no tag.
            _ => vec![None; outputs.len()],
        };
        let shown = colours.iter().map(|colour| json!(colour.map(|((), units)| units))).collect();
        checks.equal(id, shown, &case["expected_colour_values"], &[]);
        Ok(())
    });
    Ok(checks.done())
}
