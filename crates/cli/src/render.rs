//! JSON answers as text for people.

use serde_json::Value;

/// Writes an answer as indented `name: value` lines; lists of records get a dash each.
pub(crate) fn render(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, 0);
    out
}

fn write(out: &mut String, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match scalar(field) {
                    Some(text) => *out += &format!("{indent}{name}: {text}\n"),
                    None => {
                        *out += &format!("{indent}{name}:\n");
                        write(out, field, depth + 1);
                    }
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                match scalar(item) {
                    Some(text) => *out += &format!("{indent}- {text}\n"),
                    None => {
                        *out += &format!("{indent}-\n");
                        write(out, item, depth + 1);
                    }
                }
            }
        }
        other => *out += &format!("{indent}{}\n", scalar(other).unwrap_or_default()),
    }
}

/// One-line values; text from outside is stripped of control characters, so that it cannot drive the terminal.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("-".into()),
        Value::Bool(yes) => Some(if *yes { "yes" } else { "no" }.into()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.chars().filter(|c| !c.is_control() || *c == '\n').collect()),
        Value::Array(items) if items.is_empty() => Some("none".into()),
        Value::Object(fields) if fields.is_empty() => Some("nothing".into()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::render;
    use serde_json::json;

    #[test]
    fn an_answer_reads_as_lines() {
        let text = render(&json!({"height": 7, "fault": null, "peers": [{"address": "a", "connected": true}], "none": []}));
        assert_eq!(text, "height: 7\nfault: -\npeers:\n  -\n    address: a\n    connected: yes\nnone: none\n");
    }

    #[test]
    fn hostile_text_cannot_drive_the_terminal() {
        assert_eq!(render(&json!({"agent": "\u{1b}[2Jx"})), "agent: [2Jx\n");
    }
}
