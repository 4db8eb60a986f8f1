//! Cases and their verdicts.

use serde_json::{Value, json};
use std::fmt::Display;

/// The verdict on one expectation.
pub struct Case {
    /// Names the case within its file.
    pub id: String,
    /// What we got is what the file says.
    pub ok: bool,
    /// What our code gave.
    pub got: Value,
    /// What the file says.
    pub want: Value,
}

impl Case {
    /// The case as JSON.
    pub fn to_json(&self) -> Value {
        json!({ "id": self.id, "ok": self.ok, "got": self.got, "want": self.want })
    }
}

/// Collects verdicts.
#[derive(Default)]
pub struct Checks(Vec<Case>);

impl Checks {
    /// None so far.
    pub fn new() -> Checks {
        Checks::default()
    }

    /// All verdicts.
    pub fn done(self) -> Vec<Case> {
        self.0
    }

    /// `got` must be what the file says. Where the file gives an object, each of its keys must be in `got` with the same value, except
    /// those in `notes`, which are remarks; keys that the file does not mention are free. Numbers may be written as decimal strings.
    pub fn equal(&mut self, id: impl Display, got: Value, want: &Value, notes: &[&str]) {
        let ok = matches(&got, want, notes);
        self.0.push(Case { id: id.to_string(), ok, got, want: want.clone() });
    }

    /// The file says that this is valid; our code must agree and give what the file says, as in [`Checks::equal`].
    pub fn accepted<E: Display>(&mut self, id: impl Display, got: Result<Value, E>, want: &Value, notes: &[&str]) {
        match got {
            Ok(got) => self.equal(id, got, want, notes),
            Err(e) => self.fail(id, format!("refused: {e}"), want.clone()),
        }
    }

    /// The file says that this is invalid; our code must refuse it. `why` is what the file says about it.
    pub fn refused<T, E: Display>(&mut self, id: impl Display, got: Result<T, E>, why: &Value) {
        let (ok, got) = match got {
            Ok(_) => (false, json!("accepted")),
            Err(e) => (true, json!(format!("refused: {e}"))),
        };
        self.0.push(Case { id: id.to_string(), ok, got, want: json!({ "refused": why }) });
    }

    /// Runs `check` on every case of a list. One that cannot be brought to an end is a failed case and does not hide the others.
    pub fn each(&mut self, cases: &[Value], mut check: impl FnMut(&str, &Value, &mut Checks) -> Result<(), String>) {
        for (index, case) in cases.iter().enumerate() {
            let id = super::hex::name(case, index);
            if let Err(error) = check(&id, case, self) {
                self.fail(id, error, case.get("expected").cloned().unwrap_or(Value::Null));
            }
        }
    }

    /// A case that could not be brought to an end.
    pub fn fail(&mut self, id: impl Display, got: impl Display, want: Value) {
        self.0.push(Case { id: id.to_string(), ok: false, got: json!(got.to_string()), want });
    }
}

fn matches(got: &Value, want: &Value, notes: &[&str]) -> bool {
    match (got, want) {
        (Value::Object(got), Value::Object(want)) => want
            .iter()
            .filter(|(key, _)| !notes.contains(&key.as_str()))
            .all(|(key, want)| got.get(key).is_some_and(|got| matches(got, want, notes))),
        (Value::Array(got), Value::Array(want)) => {
            got.len() == want.len() && got.iter().zip(want).all(|(got, want)| matches(got, want, notes))
        }
        (Value::Number(got), Value::String(want)) => got.to_string() == *want,
        (Value::String(got), Value::Number(want)) => want.to_string() == *got,
        _ => got == want,
    }
}
