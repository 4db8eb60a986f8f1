//! An Electrum server: JSON requests and answers, one per line, over TCP or TLS.

use super::{Answer, DEADLINE, HeaderSource, Inclusion, MOST_BYTES, MOST_HEADERS, SourceFault, Trust, in_order};
use bitcoin::hex::FromHex as _;
use causeway_sidechain::consensus::header;
use causeway_vocab::Height;
use elements::{BlockHeader, Transaction, TxMerkleNode, Txid};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

/// Notifications and late answers that may come before the one that is waited for.
const MOST_STRAYS: usize = 64;
/// Levels of a merkle branch; no block has more.
const MOST_LEVELS: usize = 32;

trait Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Stream for T {}

/// A connection that has greeted.
struct Line {
    stream: BufReader<Box<dyn Stream>>,
    last: u64,
}

/// An Electrum server. Connects when first asked, and again after every failure; one question at a time.
pub struct Electrum {
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
    line: Mutex<Option<Line>>,
}

impl Electrum {
    /// Over TCP; `host` is `name:port`. `None` when it is not.
    pub fn plain(host: &str) -> Option<Electrum> {
        let (name, port) = host.rsplit_once(':')?;
        let name = name.trim_start_matches('[').trim_end_matches(']');
        let port = port.parse().ok()?;
        (!name.is_empty()).then(|| Electrum { host: name.to_owned(), port, tls: None, line: Mutex::new(None) })
    }

    /// Over TLS.
    pub fn tls(host: &str, trust: &Trust) -> Option<Electrum> {
        let plain = Electrum::plain(host)?;
        ServerName::try_from(plain.host.clone()).ok()?;
        Some(Electrum { tls: Some(Arc::clone(&trust.config)), ..plain })
    }

    async fn ask(&self, method: &str, params: Value) -> Result<Value, SourceFault> {
        let mut held = self.line.lock().await;
        // Taken out: a question that fails or is dropped half way leaves no line behind on which its answer would come late.
        let line = held.take();
        let asking = async {
            let mut line = match line {
                Some(line) => line,
                None => self.connect().await?,
            };
            let answer = line.ask(method, params).await;
            match answer {
                // The server said no; the line is good.
                Ok(_) | Err(SourceFault::NotFound) => Ok((line, answer)),
                Err(fault) => Err(fault),
            }
        };
        let (line, answer) = timeout(DEADLINE, asking).await.map_err(|_| SourceFault::Slow)??;
        *held = Some(line);
        answer
    }

    async fn connect(&self) -> Result<Line, SourceFault> {
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|_| SourceFault::Unreachable)?;
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(tcp),
            Some(config) => {
                let name = ServerName::try_from(self.host.clone()).map_err(|_| SourceFault::Unreachable)?;
                let connector = TlsConnector::from(Arc::clone(config));
                Box::new(connector.connect(name, tcp).await.map_err(|_| SourceFault::Unreachable)?)
            }
        };
        let mut line = Line { stream: BufReader::new(stream), last: 0 };
        line.ask("server.version", json!(["causeway", "1.4"])).await?;
        Ok(line)
    }
}

impl Line {
    async fn ask(&mut self, method: &str, params: Value) -> Result<Value, SourceFault> {
        self.last += 1;
        let mut request = json!({ "jsonrpc": "2.0", "id": self.last, "method": method, "params": params }).to_string();
        request.push('\n');
        self.stream.get_mut().write_all(request.as_bytes()).await.map_err(|_| SourceFault::Unreachable)?;
        self.stream.get_mut().flush().await.map_err(|_| SourceFault::Unreachable)?;
        for _ in 0..MOST_STRAYS {
            let text = read_line(&mut self.stream).await?;
            let mut answer: Value = serde_json::from_slice(&text).map_err(|_| SourceFault::Garbage)?;
            if answer["id"] != json!(self.last) {
                continue;
            }
            if !answer["error"].is_null() {
                return Err(SourceFault::NotFound);
            }
            return Ok(answer["result"].take());
        }
        Err(SourceFault::Garbage)
    }
}

/// Reads one line, no longer than an answer may be.
async fn read_line(stream: &mut (impl AsyncBufRead + Unpin)) -> Result<Vec<u8>, SourceFault> {
    let mut text = Vec::new();
    let most = MOST_BYTES as u64 + 1;
    stream.take(most).read_until(b'\n', &mut text).await.map_err(|_| SourceFault::Unreachable)?;
    match text.last() {
        Some(b'\n') => Ok(text),
        _ if text.len() as u64 == most => Err(SourceFault::Oversized),
        _ => Err(SourceFault::Unreachable),
    }
}

/// Reads the answer to `blockchain.block.headers`: headers in hex, one behind the other. Total.
pub fn read_headers(answer: &Value) -> Result<Vec<BlockHeader>, SourceFault> {
    let hex = answer["hex"].as_str().ok_or(SourceFault::Garbage)?;
    let bytes = Vec::<u8>::from_hex(hex).map_err(|_| SourceFault::Garbage)?;
    let mut rest = &bytes[..];
    let mut headers = Vec::new();
    while !rest.is_empty() {
        if headers.len() as u64 >= u64::from(MOST_HEADERS) {
            return Err(SourceFault::Oversized);
        }
        let (header, used) = header::decode_prefix(rest).map_err(|_| SourceFault::Garbage)?;
        headers.push(header);
        rest = &rest[used..];
    }
    if answer["count"].as_u64() == Some(headers.len() as u64) { Ok(headers) } else { Err(SourceFault::Garbage) }
}

/// Reads the answer to `blockchain.transaction.get_merkle`: height, position and branch. Total.
pub fn read_merkle(answer: &Value) -> Result<(Height, u32, Vec<TxMerkleNode>), SourceFault> {
    let number = |name: &str| answer[name].as_u64().and_then(|n| u32::try_from(n).ok()).ok_or(SourceFault::Garbage);
    let list = answer["merkle"].as_array().filter(|list| list.len() <= MOST_LEVELS).ok_or(SourceFault::Garbage)?;
    let node = |value: &Value| value.as_str().and_then(|hex| hex.parse().ok()).ok_or(SourceFault::Garbage);
    Ok((number("block_height")?, number("pos")?, list.iter().map(node).collect::<Result<_, _>>()?))
}

impl HeaderSource for Electrum {
    fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    fn tip(&self) -> Answer<'_, Height> {
        Box::pin(async {
            let answer = self.ask("blockchain.headers.subscribe", json!([])).await?;
            answer["height"].as_u64().and_then(|height| u32::try_from(height).ok()).ok_or(SourceFault::Garbage)
        })
    }

    fn headers(&self, first: Height, most: u32) -> Answer<'_, Vec<BlockHeader>> {
        Box::pin(async move {
            let most = most.min(MOST_HEADERS);
            let headers = read_headers(&self.ask("blockchain.block.headers", json!([first, most])).await?)?;
            in_order(&headers, first, most)?;
            Ok(headers)
        })
    }

    fn inclusion(&self, txid: Txid, height: Height) -> Answer<'_, Inclusion> {
        Box::pin(async move {
            let answer = self.ask("blockchain.transaction.get_merkle", json!([txid, height])).await?;
            let (at, position, branch) = read_merkle(&answer)?;
            let hex = self.ask("blockchain.transaction.get", json!([txid])).await?;
            let bytes = hex.as_str().and_then(|hex| Vec::<u8>::from_hex(hex).ok()).ok_or(SourceFault::Garbage)?;
            let tx: Transaction = elements::encode::deserialize(&bytes).map_err(|_| SourceFault::Garbage)?;
            if at != height || tx.txid() != txid {
                return Err(SourceFault::Lie);
            }
            Ok(Inclusion { tx, position, branch })
        })
    }
}
