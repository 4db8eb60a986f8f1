//! Calling the contract.

use crate::render::render;
use crate::{Place, Why, place};
use causeway_app::App;
use causeway_contract::{COMMANDS, OperationRef, OperationStatus, OperationView, Phase, Tag};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// How long a fresh signature is given to reach peers before the program ends; the next start sends again what did not.
const BROADCAST_DEADLINE: Duration = Duration::from_secs(20);

/// Prints every command with its types.
pub(crate) fn list(json: bool) {
    for command in COMMANDS {
        if json {
            println!("{}", serde_json::json!({"name": command.name, "request": command.request, "answer": command.answer}));
        } else {
            println!("{:<20} {} -> {}", command.name, command.request, command.answer);
        }
    }
}

/// `causeway NAME field=value…`: values are read as JSON where they are JSON, as text elsewhere; `field=@FILE` is the text of a file.
pub(crate) async fn named(place: &Place, words: &[String]) -> Result<(), Why> {
    let (name, fields) = words.split_first().ok_or_else(|| Why::Said("no command".into()))?;
    let mut request = Map::new();
    for field in fields {
        let (key, value) = field.split_once('=').ok_or_else(|| Why::Said(format!("{field:?} is not field=value")))?;
        let value = match value.strip_prefix('@') {
            Some(file) => Value::String(std::fs::read_to_string(file).map_err(|why| Why::Said(format!("{file}: {why}")))?),
            None => serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned())),
        };
        request.insert(key.to_owned(), value);
    }
    invoke(place, &name.replace('-', "_"), Value::Object(request)).await
}

/// `causeway call NAME JSON`.
pub(crate) async fn call(place: &Place, name: &str, request: &str) -> Result<(), Why> {
    let text = match request {
        "-" => std::io::read_to_string(std::io::stdin()).map_err(|e| Why::Said(e.to_string()))?,
        text => text.to_owned(),
    };
    let request = serde_json::from_str(&text).map_err(|e| Why::Said(format!("the request is no JSON: {e}")))?;
    invoke(place, name, request).await
}

async fn invoke(place: &Place, name: &str, request: Value) -> Result<(), Why> {
    let app = place::open(place).await?;
    let outcome = ask(place, &app, name, request).await;
    app.close().await;
    let answer = outcome?;
    if place.json {
        println!("{answer}");
    } else {
        print!("{}", render(&answer));
    }
    Ok(())
}

async fn ask(place: &Place, app: &Arc<App>, name: &str, request: Value) -> Result<Value, Why> {
    let command = COMMANDS.iter().find(|c| c.name == name);
    let chain_bound = |tags: &[Tag]| tags.iter().any(|tag| !matches!(tag, Tag::App | Tag::Settings));
    if command.is_some_and(|c| chain_bound(c.reads) || chain_bound(c.stales) || c.name.starts_with("testbed")) {
        wait_until_synced(app, Duration::from_secs(place.sync)).await?;
    }
    let answer = app.call(name, request).await?;
    if name == "draft_sign" {
        let operation: OperationView = serde_json::from_value(answer).map_err(|e| Why::Said(e.to_string()))?;
        let sent = until(app, BROADCAST_DEADLINE, async || {
            let now = app.operation(OperationRef { operation: operation.operation }).await?;
            Ok((now.done > 0 || now.bitcoin_txid.is_some() || now.sidechain_txid.is_some()).then_some(now))
        });
        let view = sent.await?.unwrap_or(operation);
        return serde_json::to_value(view).map_err(|e| Why::Said(e.to_string()));
    }
    Ok(answer)
}

/// Waits until both networks stand at their tip, a check failed, or the time is over; offline networks answer as of their last block.
async fn wait_until_synced(app: &Arc<App>, deadline: Duration) -> Result<(), Why> {
    let settled = |phase| matches!(phase, Phase::Synced | Phase::Halted);
    until(app, deadline, async || {
        let networks = app.networks(causeway_contract::Empty {}).await?;
        Ok(networks.iter().all(|n| settled(n.phase)).then_some(()))
    })
    .await
    .map(drop)
}

/// Asks again after each notice until there is an answer; `None` when the time is over.
async fn until<T>(app: &Arc<App>, deadline: Duration, ask: impl AsyncFn() -> Result<Option<T>, Why>) -> Result<Option<T>, Why> {
    let mut notices = app.notices();
    let end = tokio::time::Instant::now() + deadline;
    loop {
        if let Some(answer) = ask().await? {
            return Ok(Some(answer));
        }
        // A missed notice only means that asking again is due.
        if tokio::time::timeout_at(end, notices.recv()).await.is_err() {
            return Ok(None);
        }
    }
}

/// `causeway follow OPERATION`.
pub(crate) async fn follow(place: &Place, operation: u32) -> Result<(), Why> {
    let app = place::open(place).await?;
    let mut notices = app.notices();
    let mut shown = None;
    let outcome = loop {
        let view = match app.operation(OperationRef { operation }).await {
            Ok(view) => view,
            Err(refusal) => break Err(refusal.into()),
        };
        if shown.as_ref() != Some(&view) {
            print_step(place.json, &view);
        }
        match view.status {
            OperationStatus::Done => break Ok(()),
            OperationStatus::Stopped | OperationStatus::Failed | OperationStatus::Stuck => {
                break Err(view.why.map_or_else(|| Why::Said("the operation did not finish".into()), Why::Refused));
            }
            OperationStatus::Running | OperationStatus::Waiting => shown = Some(view),
        }
        if let Err(tokio::sync::broadcast::error::RecvError::Closed) = notices.recv().await {
            break Err(Why::Said("the app closed".into()));
        }
    };
    app.close().await;
    outcome
}

fn print_step(json: bool, view: &OperationView) {
    let value = serde_json::to_value(view).expect("BUG: a view is JSON");
    if json {
        println!("{value}");
        return;
    }
    let current =
        value["steps"].as_array().into_iter().flatten().find(|s| s["state"] == "current").map_or(&Value::Null, |s| &s["step"]);
    println!("{}: {} {} ({} of {})", value["kind"], value["status"], current, view.done, view.of);
}
