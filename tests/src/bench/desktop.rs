//! The desktop app on a wallet that it knows: how soon its page is there, and how much memory it rests in.
//!
//! Looked at from outside, so that nothing in the app is made for measuring: the screen's memory tells when the page has come to stay, the
//! kernel tells the memory.

use super::{Figure, said};
use crate::window::display::{Group, Screen};
use crate::world;
use causeway_contract::WalletQuickStart;
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The main window covers the whole screen.
const WINDOW: &str = "1280x820";
const FRAME_BUDGET: f64 = 1.5;
const MEMORY_BUDGET: f64 = 250.0;
/// How long the page must stay the same to be the one that was waited for.
const STILL: Duration = Duration::from_secs(3);
const GIVE_UP: Duration = Duration::from_secs(60);
/// How long the app rests before its memory is read.
const REST: Duration = Duration::from_secs(10);
/// Share of what is drawn that must be in place; heights and clocks go on counting.
const IN_PLACE: f64 = 0.95;
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(super) async fn measure() -> Result<Vec<Figure>, String> {
    let dir = tempfile::tempdir().map_err(said)?;
    let profile = dir.path().join("profile");
    // Where the desktop app keeps the world of a profile; it finds it running.
    let world_dir = profile.join("world");
    let realm = world::realm(None, &world_dir).await?;
    let app = world::open(&profile, realm).await?;
    app.wallet_quick_start(WalletQuickStart { name: "Bench".into() }).await.map_err(said)?;
    app.close().await;
    drop(app);
    let measured = tokio::task::block_in_place(|| look(dir.path(), &profile));
    causeway_sandbox::down(&world_dir).await.map_err(said)?;
    measured
}

fn look(home: &Path, profile: &Path) -> Result<Vec<Figure>, String> {
    use std::os::unix::process::CommandExt as _;
    let screen = Screen::start(WINDOW, Some(home)).map_err(said)?;
    let pixels = home.join("Xvfb_screen0");
    let (bus, _bus) = session_bus()?;
    let desktop = world::beside("causeway-desktop").map_err(said)?;
    let start = Instant::now();
    let app = Command::new(desktop)
        .arg("--profile")
        .arg(profile)
        .env("HOME", home)
        .env("DISPLAY", &screen.name)
        .env("DBUS_SESSION_BUS_ADDRESS", bus)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // What ends the app when it is dropped ends its group.
        .process_group(0)
        .spawn()
        .map(Group)
        .map_err(said)?;
    let frame = first_frame(&pixels, start)?;
    std::thread::park_timeout(REST);
    let memory = memory_of_tree(app.0.id())?;
    Ok(vec![
        Figure::new(
            "process start to the page with the wallet's data on it",
            "s",
            frame.as_secs_f64(),
            FRAME_BUDGET,
            "the budget",
            1.0,
        ),
        Figure::new("memory of the resting process tree (PSS)", "MB", memory, MEMORY_BUDGET, "the budget", 1.0),
    ])
}

/// A D-Bus session, and its address.
fn session_bus() -> Result<(String, Group), String> {
    use std::os::unix::process::CommandExt as _;
    let bus = Command::new("dbus-daemon")
        .args(["--session", "--nofork", "--print-address=1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
    let mut bus = Group(bus.map_err(said)?);
    let mut address = String::new();
    let told = bus.0.stdout.take().ok_or("dbus-daemon says nothing")?;
    BufReader::new(told).read_line(&mut address).map_err(said)?;
    Ok((address.trim().to_owned(), bus))
}

/// When the page that came to stay was drawn: after that, nearly all that is on the screen remains for a while.
fn first_frame(pixels: &Path, start: Instant) -> Result<Duration, String> {
    let mut drawn = (Duration::ZERO, Shot::take(pixels)?);
    let mut changes = 0_u32;
    loop {
        std::thread::park_timeout(LOOK_EVERY);
        let at = start.elapsed();
        let shot = Shot::take(pixels)?;
        if shot.share_of_lines_in(&drawn.1) < IN_PLACE || drawn.1.share_of_lines_in(&shot) < IN_PLACE {
            drawn = (at, shot);
            changes += 1;
        } else if changes > 0 && at.saturating_sub(drawn.0) >= STILL {
            return Ok(drawn.0);
        }
        if at > GIVE_UP {
            return Err(format!("no page came to stay within {} s; the screen changed {changes} times", GIVE_UP.as_secs()));
        }
    }
}

/// What was on the screen at one time.
struct Shot(Vec<u32>);

impl Shot {
    /// Reads a file in the format of xwd: a header, which tells its own length and the number of colours, the colours, and the pixels.
    fn take(file: &Path) -> Result<Shot, String> {
        let bytes = std::fs::read(file).map_err(said)?;
        let word = |at: usize| {
            let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
            usize::try_from(u32::from_be_bytes(four)).ok()
        };
        let pixels = word(0).zip(word(76)).and_then(|(header, colours)| bytes.get(header + 12 * colours..));
        let pixels = pixels.ok_or("the screen's memory is no xwd file")?;
        Ok(Shot(pixels.chunks_exact(4).map(|four| u32::from_ne_bytes(four.try_into().expect("BUG: four bytes"))).collect()))
    }

    /// How much of what is drawn here, text and lines more than surfaces, is in another shot too.
    fn share_of_lines_in(&self, other: &Shot) -> f64 {
        let (mut lines, mut same) = (0_u32, 0_u32);
        for ((pair, here), there) in self.0.windows(2).zip(&self.0[1..]).zip(&other.0[1..]) {
            let edge = pair[0] != pair[1];
            lines += u32::from(edge);
            same += u32::from(edge && here == there);
        }
        if lines == 0 { 1.0 } else { f64::from(same) / f64::from(lines) }
    }
}

/// Memory that belongs to a process and all that it started, shared pages counted by share; MB.
fn memory_of_tree(root: u32) -> Result<f64, String> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in std::fs::read_dir("/proc").map_err(said)?.flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // A process may end while it is looked at.
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        children.entry(parent.unwrap_or(0)).or_default().push(id);
    }
    let (mut open, mut sum) = (vec![root], 0_u64);
    while let Some(id) = open.pop() {
        open.extend(children.get(&id).into_iter().flatten());
        let text = std::fs::read_to_string(format!("/proc/{id}/smaps_rollup")).map_err(said)?;
        let pss = text.lines().find_map(|line| line.strip_prefix("Pss:")?.split_whitespace().next()?.parse::<u64>().ok());
        sum += pss.ok_or("the kernel does not tell the memory")?;
    }
    Ok(sum as f64 * 1_024.0 / 1_000_000.0)
}
