//! The process that the crash test kills. `causeway-crash-child PROFILE REALM.toml WORKS.json [POINT]`: does the works one after the
//! other, tells each thing that a user would have seen as a line of JSON, and dies at the point.
#![allow(clippy::print_stdout, reason = "the test listens")]

use causeway_tests::crash::{Count, Counter, Done, Point, Word, Work, arm, drive, finish, ready};
use causeway_tests::world;
use causeway_vocab::Realm;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Longest that everything may take, on a machine with much else to do.
const DEADLINE: Duration = Duration::from_secs(1_200);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = tokio::runtime::Runtime::new().map_err(|e| e.to_string()).and_then(|runtime| {
        runtime.block_on(async {
            tokio::time::timeout(DEADLINE, run(&arguments)).await.map_err(|_| "it took too long".to_owned())?.map(Word::Over)
        })
    });
    match outcome {
        Ok(word) => {
            say(&word);
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("crash child: {why}");
            ExitCode::FAILURE
        }
    }
}

fn say(word: &Word) {
    println!("{}", serde_json::to_string(word).expect("BUG: a word is JSON"));
}

async fn run(arguments: &[String]) -> Done<Count> {
    let [profile, realm, works, point @ ..] = arguments else { return Err("PROFILE REALM WORKS [POINT] are needed".into()) };
    let realm = Realm::from_toml(&std::fs::read_to_string(realm).map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
    let works: Vec<Work> = serde_json::from_str(works).map_err(|e| e.to_string())?;
    let point = point.first().map(|text| text.parse::<Point>()).transpose()?;
    let counter: Counter = arm(point);
    let app = world::open(Path::new(profile), realm).await?;
    ready(&app).await?;
    counter.start();
    let mut operations = Vec::new();
    for work in &works {
        operations.push(drive(&app, work, |word| say(&word)).await?);
    }
    for operation in operations {
        finish(&app, operation).await?;
        say(&Word::Finished(operation));
    }
    let count = counter.count();
    app.close().await;
    Ok(count)
}
