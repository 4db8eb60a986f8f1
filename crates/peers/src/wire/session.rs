//! One connection: handshake, then messages until one side has had enough.

use super::frame::{self, FrameFault};
use super::message::Message;
use bitcoin::p2p::{Address, ServiceFlags, message_network::VersionMessage};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

/// The protocol version that we speak and demand: the first with BIP157 everywhere and BIP339.
const PROTOCOL: u32 = 70016;
/// Characters of a peer's name for itself that are kept.
const LONGEST_AGENT: usize = 100;
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(5);
const WRITE_DEADLINE: Duration = Duration::from_secs(20);
/// Every so often a ping; a peer that says nothing for a whole period is dead.
const PING_PERIOD: Duration = Duration::from_secs(30);
/// Messages that nobody asked for: so many at once, and so many per second.
const NOISE_BURST: u32 = 2_000;
const NOISE_PER_SECOND: u32 = 200;

/// A bidirectional byte stream to a peer.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}
/// A connected stream, of whatever kind.
pub(crate) type Stream = Box<dyn Duplex>;

/// What a peer did that an honest and healthy one would not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misconduct {
    /// Damaged frames or payloads.
    Garbage,
    /// Another network's magic.
    WrongMagic,
    /// A message larger than its kind can be.
    Oversized,
    /// A frame that drips in, a stalled write, or a request left unanswered.
    Slow,
    /// Not a sign of life.
    Silent,
    /// More unasked messages than anybody needs.
    Flood,
    /// Protocol version or services are not what we need.
    Unsuitable,
    /// An answer to a question that was not asked.
    Unsolicited,
    /// A chain that starts at another genesis block.
    WrongGenesis,
    /// A header that breaks a rule.
    BadHeader,
    /// Filter headers or a filter that contradict each other or the block.
    BadFilter,
    /// A block that is not what its header commits to.
    BadBlock,
}

impl Misconduct {
    /// The word for it in the arguments of a fault.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Misconduct::Garbage => "garbage",
            Misconduct::WrongMagic => "wrong-magic",
            Misconduct::Oversized => "oversized",
            Misconduct::Slow => "slow",
            Misconduct::Silent => "silent",
            Misconduct::Flood => "flood",
            Misconduct::Unsuitable => "unsuitable",
            Misconduct::Unsolicited => "unsolicited",
            Misconduct::WrongGenesis => "wrong-genesis",
            Misconduct::BadHeader => "bad-header",
            Misconduct::BadFilter => "bad-filter",
            Misconduct::BadBlock => "bad-block",
        }
    }
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Closed by either side without offence.
    Closed,
    /// Closed by us for cause.
    Cause(Misconduct),
}

impl From<FrameFault> for End {
    fn from(fault: FrameFault) -> End {
        match fault {
            FrameFault::Closed(_) => End::Closed,
            FrameFault::Magic => End::Cause(Misconduct::WrongMagic),
            FrameFault::Oversized => End::Cause(Misconduct::Oversized),
            FrameFault::Garbage => End::Cause(Misconduct::Garbage),
            FrameFault::Slow => End::Cause(Misconduct::Slow),
        }
    }
}

/// What a peer must be to be of use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demands {
    /// First four bytes of every frame.
    pub(crate) magic: [u8; 4],
    /// Services it must offer.
    pub(crate) services: ServiceFlags,
}

/// What a peer said about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Greeting {
    /// The height of its best block: the one it named when it connected, unverified, or a greater one that it has shown since.
    pub(crate) claimed: u32,
    /// What it calls itself: hostile text without control characters, at most [`LONGEST_AGENT`] characters.
    pub(crate) agent: String,
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), message: &Message, magic: [u8; 4]) -> Result<(), End> {
    let frame = frame::write(message, magic);
    let written = async {
        stream.write_all(&frame).await?;
        stream.flush().await
    };
    match timeout(WRITE_DEADLINE, written).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Closed),
        Err(_) => Err(End::Cause(Misconduct::Slow)),
    }
}

/// Our own version message. It tells nothing about us: no address, no height, no client name but a common form.
fn greeting() -> VersionMessage {
    let nowhere = Address::new(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), ServiceFlags::NONE);
    let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs());
    VersionMessage {
        version: PROTOCOL,
        services: ServiceFlags::NONE,
        timestamp: i64::try_from(time).unwrap_or(0),
        receiver: nowhere.clone(),
        sender: nowhere,
        nonce: rand::random(),
        user_agent: "/causeway:0.1/".into(),
        start_height: 0,
        relay: true,
    }
}

/// Exchanges versions. The peer must answer within the deadline and meet the demands.
pub(crate) async fn handshake(stream: &mut Stream, demands: &Demands) -> Result<Greeting, End> {
    timeout(HANDSHAKE_DEADLINE, exchange(stream, demands)).await.unwrap_or(Err(End::Cause(Misconduct::Silent)))
}

async fn exchange(stream: &mut Stream, demands: &Demands) -> Result<Greeting, End> {
    let magic = demands.magic;
    say(stream, &Message::Version(greeting()), magic).await?;
    let mut theirs = None;
    // version and verack, and the few feature messages that may stand between them.
    for _ in 0..16 {
        match frame::read(stream, magic).await? {
            Message::Version(version) if theirs.is_none() => {
                if version.version < PROTOCOL || !version.services.has(demands.services) {
                    return Err(End::Cause(Misconduct::Unsuitable));
                }
                say(stream, &Message::Verack, magic).await?;
                let agent = version.user_agent.chars().filter(|c| !c.is_control()).take(LONGEST_AGENT).collect();
                theirs = Some(Greeting { claimed: u32::try_from(version.start_height).unwrap_or(0), agent });
            }
            Message::Verack => return theirs.ok_or(End::Cause(Misconduct::Garbage)),
            Message::Ping(nonce) => say(stream, &Message::Pong(nonce), magic).await?,
            Message::Version(_) => return Err(End::Cause(Misconduct::Garbage)),
            _ => {}
        }
    }
    Err(End::Cause(Misconduct::Flood))
}

/// Carries messages both ways until the peer leaves, misbehaves, or `outgoing` is closed.
///
/// `hear` may wait: meanwhile nothing is read, and the peer's own sending stalls.
pub(crate) async fn run<F: Future<Output = ()>>(
    stream: Stream,
    magic: [u8; 4],
    mut outgoing: mpsc::Receiver<Message>,
    mut hear: impl FnMut(Message) -> F,
) -> End {
    let (reader, mut writer) = tokio::io::split(stream);
    let mut reader = BufReader::with_capacity(65_536, reader);
    let heard = AtomicBool::new(true);
    let (pongs, mut due_pongs) = mpsc::channel(16);

    let reading = async {
        let mut noise = Noise::new();
        loop {
            let message = match frame::read(&mut reader, magic).await {
                Ok(message) => message,
                Err(fault) => return End::from(fault),
            };
            heard.store(true, Ordering::Relaxed);
            if !message.is_answer() && !noise.allows() {
                return End::Cause(Misconduct::Flood);
            }
            match message {
                // Never wait for the writer here: a peer that does not read our pongs loses them.
                Message::Ping(nonce) => drop(pongs.try_send(nonce)),
                Message::Version(_) | Message::Verack => return End::Cause(Misconduct::Garbage),
                Message::Pong(_) | Message::Other => {}
                message => hear(message).await,
            }
        }
    };
    let writing = async {
        let mut pings = interval_at(Instant::now() + PING_PERIOD, PING_PERIOD);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let message = tokio::select! {
                message = outgoing.recv() => match message {
                    Some(message) => message,
                    None => return End::Closed,
                },
                Some(nonce) = due_pongs.recv() => Message::Pong(nonce),
                _ = pings.tick() => {
                    if !heard.swap(false, Ordering::Relaxed) {
                        return End::Cause(Misconduct::Silent);
                    }
                    Message::Ping(rand::random())
                }
            };
            if let Err(end) = say(&mut writer, &message, magic).await {
                return end;
            }
        }
    };
    tokio::select! { end = reading => end, end = writing => end }
}

/// A leaky bucket of messages that nobody asked for.
struct Noise {
    left: u32,
    since: Instant,
}

impl Noise {
    fn new() -> Noise {
        Noise { left: NOISE_BURST, since: Instant::now() }
    }

    fn allows(&mut self) -> bool {
        let seconds = u32::try_from(self.since.elapsed().as_secs()).unwrap_or(u32::MAX);
        if seconds > 0 {
            self.left = NOISE_BURST.min(self.left.saturating_add(seconds.saturating_mul(NOISE_PER_SECOND)));
            self.since = Instant::now();
        }
        self.left = match self.left.checked_sub(1) {
            Some(left) => left,
            None => return false,
        };
        true
    }
}
