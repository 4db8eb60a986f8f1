//! Sources that serve what a real elementsd served, and sources that lie.

use super::*;
use crate::sidechain::fake::{bytes, fixture, header, params};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header as http};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bitcoin::hex::DisplayHex as _;
use causeway_sidechain::consensus::merkle;
use causeway_sidechain::consensus::skip::{EpochRoot, Skip};
use elements::Block;
use elements::encode::{serialize, serialize_hex};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

const LATE: u64 = u32::MAX as u64;
const TIP: u32 = 135;
/// A block of the fixtures with several transactions.
const PAID_AT: u32 = 77;

/// What a source serves wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    None,
    // of both kinds
    Silent,
    Closes,
    Garbage,
    Oversized,
    NotHex,
    NoSuchThing,
    OtherHeights,
    Unlinked,
    Forged,
    OtherTransaction,
    OtherHeight,
    OtherPosition,
    LongBranch,
    ShortBranch,
    FalseBranch,
    DuplicateSibling,
    NegativePosition,
    // of Electrum
    Strays,
    WrongCount,
    TooMany,
    WrongId,
    // of Esplora
    Error,
    Redirect,
    Bomb,
    BrokenGzip,
    NoTip,
}

fn headers() -> Vec<BlockHeader> {
    fixture("chain.json")["headers"].as_array().expect("headers").iter().map(|h| header(&bytes(&h["header"]))).collect()
}

fn block(height: u32) -> Block {
    let wallet = fixture("wallet.json");
    let case = wallet["blocks"].as_array().expect("blocks").iter().find(|case| case["height"] == height).expect("the block");
    elements::encode::deserialize(&bytes(&case["block"])).expect("a block")
}

/// The transaction behind the coinbase and its branch.
fn paid() -> (Txid, u32, Vec<TxMerkleNode>, Transaction) {
    let block = block(PAID_AT);
    let tx = block.txdata[1].clone();
    (tx.txid(), 1, merkle::branch(&block, 1).expect("a branch"), tx)
}

/// Headers of a chain that is not quite the real one.
fn served(lie: Lie) -> Vec<BlockHeader> {
    let mut headers = headers();
    match lie {
        Lie::OtherHeights => headers.rotate_left(3),
        Lie::Unlinked => headers[11] = headers[12].clone(),
        Lie::Forged => headers.iter_mut().skip(1).for_each(|header| header.time += 1),
        _ => {}
    }
    headers
}

/// Height, position and branch as they are told.
fn told(lie: Lie) -> Value {
    let (_, position, mut branch, _) = paid();
    let mut at = json!(PAID_AT);
    let mut place = json!(position);
    match lie {
        Lie::OtherHeight => at = json!(PAID_AT + 1),
        Lie::OtherPosition => place = json!(position ^ 1),
        Lie::NegativePosition => place = json!(-1),
        Lie::LongBranch => branch = vec![TxMerkleNode::from_byte_array([1; 32]); 33],
        Lie::ShortBranch => drop(branch.pop()),
        Lie::FalseBranch => branch[0] = TxMerkleNode::from_byte_array([1; 32]),
        Lie::DuplicateSibling => branch[0] = TxMerkleNode::from_byte_array(paid().0.to_byte_array()),
        _ => {}
    }
    json!({ "block_height": at, "pos": place, "merkle": branch })
}

fn told_tx(lie: Lie) -> Vec<u8> {
    if lie == Lie::OtherTransaction { serialize(&block(PAID_AT).txdata[0]) } else { serialize(&paid().3) }
}

// -- Electrum

async fn electrum_line(stream: impl AsyncRead + AsyncWrite + Unpin, lie: Lie) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut text = String::new();
    loop {
        text.clear();
        if stream.read_line(&mut text).await? == 0 {
            return Ok(());
        }
        let request: Value = serde_json::from_str(&text).expect("a request");
        let (method, ask) = (request["method"].as_str().expect("a method"), &request["params"]);
        let greeting = method == "server.version";
        let number = |i: usize| usize::try_from(ask[i].as_u64().expect("a number")).expect("small");
        let result = match method {
            "server.version" => json!(["electrs-test 0", "1.4"]),
            "blockchain.headers.subscribe" => json!({ "height": TIP, "hex": "" }),
            "blockchain.block.headers" => {
                let chain = served(lie);
                let count = number(1).min(chain.len().saturating_sub(number(0)));
                let hex: String = chain.iter().skip(number(0)).take(count).map(serialize_hex).collect();
                match lie {
                    Lie::NotHex => json!({ "count": count, "hex": format!("zz{hex}") }),
                    Lie::WrongCount => json!({ "count": count + 1, "hex": hex }),
                    Lie::TooMany => json!({ "count": 3_000, "hex": serialize_hex(&chain[1]).repeat(3_000) }),
                    _ => json!({ "count": count, "hex": hex }),
                }
            }
            "blockchain.transaction.get_merkle" => told(lie),
            "blockchain.transaction.get" => json!(told_tx(lie).to_lower_hex_string()),
            other => panic!("{other} is not asked"),
        };
        let mut answer = json!({ "jsonrpc": "2.0", "id": request["id"], "result": result });
        if !greeting {
            match lie {
                Lie::Silent => return std::future::pending().await,
                Lie::Closes => return stream.get_mut().write_all(b"{\"id\":").await,
                Lie::Garbage => stream.get_mut().write_all(b"<html>\n").await?,
                Lie::Oversized => loop {
                    stream.get_mut().write_all(&[b'['; 65_536]).await?;
                },
                Lie::NoSuchThing => answer = json!({ "id": request["id"], "error": { "code": 1, "message": "no" } }),
                Lie::Strays => {
                    for _ in 0..1_000 {
                        stream.get_mut().write_all(b"{\"method\":\"blockchain.headers.subscribe\",\"params\":[]}\n").await?;
                    }
                }
                Lie::WrongId => answer["id"] = json!(u64::MAX),
                _ => {}
            }
        }
        stream.get_mut().write_all(format!("{answer}\n").as_bytes()).await?;
        stream.get_mut().flush().await?;
    }
}

async fn electrum(lie: Lie) -> Electrum {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // The end of a connection is nothing to report.
            tokio::spawn(async move { drop(electrum_line(stream, lie).await) });
        }
    });
    Electrum::plain(&address.to_string()).expect("an address")
}

// -- Esplora

#[derive(Clone)]
struct Served {
    headers: Arc<Vec<BlockHeader>>,
    /// What the blocks are called: their true hashes, whatever is served under them.
    hashes: Arc<Vec<elements::BlockHash>>,
    lie: Lie,
}

fn gzip(body: Vec<u8>) -> Response {
    ([(http::CONTENT_ENCODING, "gzip")], body).into_response()
}

/// An answer, or what a lying server gives in its place.
async fn reply(lie: Lie, honest: impl IntoResponse) -> Response {
    match lie {
        Lie::Silent => std::future::pending().await,
        Lie::Garbage => vec![0xff, 0xfe, 0x00].into_response(),
        Lie::Oversized => vec![b'0'; MOST_BYTES + 1].into_response(),
        Lie::NotHex => "zz".into_response(),
        Lie::NoSuchThing => StatusCode::NOT_FOUND.into_response(),
        Lie::Error => (StatusCode::INTERNAL_SERVER_ERROR, "panic").into_response(),
        Lie::Redirect => (StatusCode::FOUND, [(http::LOCATION, "/blocks/tip/height")]).into_response(),
        Lie::Bomb => gzip(bomb()),
        Lie::BrokenGzip => gzip(vec![0x1f, 0x8b, 8, 0, 1, 2, 3]),
        _ => honest.into_response(),
    }
}

/// A gzip file of 17 MiB of zeros, a thousandth as large.
fn bomb() -> Vec<u8> {
    use std::io::Write as _;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![0; MOST_BYTES + (1 << 20)]).expect("memory");
    gzip.finish().expect("memory")
}

/// Promises more than comes.
async fn breaking_off(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut request = [0; 1_024];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort").await;
    }
}

async fn esplora(lie: Lie) -> Esplora {
    let real = headers();
    let hashes = real.iter().map(BlockHeader::block_hash).collect();
    let state = Served { headers: Arc::new(served(lie)), hashes: Arc::new(hashes), lie };
    let tip = |State(s): State<Served>| async move {
        let text = if s.lie == Lie::NoTip { "many".to_owned() } else { TIP.to_string() };
        reply(s.lie, text).await
    };
    let hash = |State(s): State<Served>, Path(height): Path<usize>| async move {
        reply(s.lie, s.hashes.get(height).map_or(String::new(), ToString::to_string)).await
    };
    let head = |State(s): State<Served>, Path(hash): Path<String>| async move {
        let at = s.hashes.iter().position(|known| known.to_string() == hash);
        match at {
            Some(at) => reply(s.lie, serialize_hex(&s.headers[at])).await,
            None => StatusCode::NOT_FOUND.into_response(),
        }
    };
    let raw_block =
        |State(s): State<Served>, Path(_): Path<String>| async move { reply(s.lie, serialize(&block(PAID_AT))).await };
    let proof = |State(s): State<Served>, Path(_): Path<String>| async move { reply(s.lie, told(s.lie).to_string()).await };
    let raw_tx = |State(s): State<Served>, Path(_): Path<String>| async move { reply(s.lie, told_tx(s.lie)).await };
    let app = axum::Router::new()
        .route("/api/blocks/tip/height", get(tip))
        .route("/api/block-height/{height}", get(hash))
        .route("/api/block/{hash}/header", get(head))
        .route("/api/block/{hash}/raw", get(raw_block))
        .route("/api/tx/{txid}/merkle-proof", get(proof))
        .route("/api/tx/{txid}/raw", get(raw_tx))
        .with_state(state);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    if lie == Lie::Closes {
        tokio::spawn(breaking_off(listener));
    } else {
        tokio::spawn(async move { axum::serve(listener, app).await });
    }
    Esplora::new(&format!("http://{address}/api/"), &Trust::public()).expect("an address")
}

// -- tests

fn skip(target: u32) -> Skip {
    let params = Arc::new(params(vec![]));
    let root = EpochRoot::genesis(&params).expect("a root");
    Skip::new(params, root, target)
}

async fn both(lie: Lie) -> [Box<dyn HeaderSource>; 2] {
    [Box::new(electrum(lie).await), Box::new(esplora(lie).await)]
}

#[tokio::test]
async fn every_kind_of_source_leads_to_the_same_federation_and_payment() {
    for source in both(Lie::None).await {
        assert_eq!(source.tip().await, Ok(TIP));
        assert_eq!(source.headers(10, 7).await, Ok(headers()[10..17].to_vec()));
        assert_eq!(source.headers(130, 100).await, Ok(headers()[130..=135].to_vec()), "as many as there are");
        assert_eq!(source.headers(TIP + 1, 1).await, Err(SourceFault::NotFound));
        let sources = vec![source];
        let mut skip = skip(TIP);
        assert_eq!(follow(&mut skip, &sources, LATE).await, Ok(vec![]));
        assert_eq!(skip.changes().len(), 5);
        let (txid, _, _, tx) = paid();
        let payment = payment(&skip, sources[0].as_ref(), txid, PAID_AT).await.expect("verified");
        assert_eq!((payment.tx, payment.header.height, payment.signers.multisig.n()), (tx, PAID_AT, 3));
        let agreement = compare(&skip, &sources, 100).await;
        assert_eq!(agreement, (Agreement::Agreed(headers()[100].block_hash(), 1), vec![]));
    }
    let hash = headers()[PAID_AT as usize].block_hash();
    assert_eq!(esplora(Lie::None).await.block(hash).await, Ok(block(PAID_AT)));
}

#[tokio::test]
async fn a_source_that_lies_is_named_and_an_honest_one_beside_it_used() {
    use Lie as L;
    use SourceFault as F;
    // (lie, Electrum's headers, Esplora's headers); none where the lie is of the other kind.
    let cases = [
        (L::Closes, Some(F::Unreachable), Some(F::Garbage)),
        (L::Garbage, Some(F::Garbage), Some(F::Garbage)),
        (L::Oversized, Some(F::Oversized), Some(F::Oversized)),
        (L::NotHex, Some(F::Garbage), Some(F::Garbage)),
        (L::NoSuchThing, Some(F::NotFound), Some(F::NotFound)),
        (L::OtherHeights, Some(F::Lie), Some(F::Lie)),
        (L::Unlinked, Some(F::Lie), Some(F::Lie)),
        (L::Strays, Some(F::Garbage), None),
        (L::WrongCount, Some(F::Garbage), None),
        (L::TooMany, Some(F::Oversized), None),
        (L::WrongId, Some(F::Unreachable), None),
        (L::Error, None, Some(F::Unreachable)),
        (L::Redirect, None, Some(F::Unreachable)),
        (L::Bomb, None, Some(F::Oversized)),
        (L::BrokenGzip, None, Some(F::Garbage)),
        (L::NoTip, None, Some(F::Garbage)),
    ];
    for (lie, electrum_fault, esplora_fault) in cases {
        for (source, expected) in both(lie).await.into_iter().zip([electrum_fault, esplora_fault]) {
            let Some(expected) = expected else { continue };
            if lie == L::WrongId {
                // It would wait for the right one; what counts is that the wrong one is not taken.
                let waiting = tokio::time::timeout(std::time::Duration::from_millis(50), source.headers(10, 5)).await;
                assert!(waiting.is_err(), "{lie:?}");
                continue;
            }
            assert_eq!(source.headers(10, 5).await, Err(expected), "{lie:?}");
            let sources = [source, Box::new(electrum(L::None).await) as Box<dyn HeaderSource>];
            let mut skip = skip(20);
            let faults = follow(&mut skip, &sources, LATE).await.expect("the honest one has it");
            assert_eq!(skip.wanted(), None, "{lie:?}");
            assert_eq!(faults.is_empty(), lie == L::Unlinked, "{lie:?}: epochs 1 and 2 start elsewhere");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_source_is_given_up() {
    for source in both(Lie::Silent).await {
        assert_eq!(source.headers(10, 5).await, Err(SourceFault::Slow));
    }
}

#[tokio::test]
async fn headers_that_nobody_signed_are_taken_from_no_source() {
    let forging = electrum(Lie::Forged).await;
    assert!(forging.headers(10, 1).await.is_ok(), "it looks like a header");
    let sources: [Box<dyn HeaderSource>; 2] = [Box::new(forging), Box::new(electrum(Lie::None).await)];
    let mut alone = skip(TIP);
    let fault = follow(&mut alone, &sources[..1], LATE).await.expect_err("nobody has it");
    assert_eq!(fault.refusal.code, Code::NoPeers);
    let mut skip = skip(TIP);
    let faults = follow(&mut skip, &sources, LATE).await.expect("the honest one has it");
    assert!(faults.iter().all(|fault| ["bad-header", "lie"].contains(&fault.refusal.args["why"].as_str())) && !faults.is_empty());
    let (agreement, faults) = compare(&skip, &sources, 100).await;
    assert_eq!(agreement, Agreement::Agreed(headers()[100].block_hash(), 1), "what nobody signed is no branch");
    assert_eq!(faults.len(), 1);
}

#[tokio::test]
async fn two_signed_headers_of_one_height_are_two_branches() {
    // Another subset of the members: the same hash. Another merkle root, properly signed: another branch.
    let file = fixture("bad_headers.json");
    let odd = file["accepted_oddities"].as_array().expect("cases").iter().map(|case| header(&bytes(&case["header"])));
    let mut skip = skip(TIP);
    let sources: Vec<Box<dyn HeaderSource>> = vec![Box::new(electrum(Lie::None).await)];
    follow(&mut skip, &sources, LATE).await.expect("followed");
    let mut branches = 0;
    for other in odd.filter(|other| skip.verify(other).is_ok()) {
        let height = other.height;
        let same = other.block_hash() == headers()[height as usize].block_hash();
        let sources: Vec<Box<dyn HeaderSource>> = vec![Box::new(One(other)), Box::new(electrum(Lie::None).await)];
        let (agreement, _) = compare(&skip, &sources, height).await;
        match agreement {
            Agreement::Agreed(_, 2) => assert!(same),
            Agreement::Branches(named) => {
                assert!(!same && named.len() == 2);
                branches += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(branches > 0);
}

/// A source with one header.
struct One(BlockHeader);

impl HeaderSource for One {
    fn name(&self) -> String {
        "one".into()
    }
    fn tip(&self) -> Answer<'_, Height> {
        Box::pin(async { Ok(self.0.height) })
    }
    fn headers(&self, _: Height, _: u32) -> Answer<'_, Vec<BlockHeader>> {
        Box::pin(async { Ok(vec![self.0.clone()]) })
    }
    fn inclusion(&self, _: Txid, _: Height) -> Answer<'_, Inclusion> {
        Box::pin(async { Err(SourceFault::NotFound) })
    }
}

#[tokio::test]
async fn a_false_place_in_a_block_is_refused_whatever_the_lie() {
    use Lie as L;
    let mut skip = skip(TIP);
    let honest: Vec<Box<dyn HeaderSource>> = vec![Box::new(electrum(L::None).await)];
    follow(&mut skip, &honest, LATE).await.expect("followed");
    let (txid, ..) = paid();
    for (lie, why) in [
        (L::OtherTransaction, "lie"),
        (L::OtherHeight, "lie"),
        (L::OtherPosition, "bad-branch"),
        (L::NegativePosition, "garbage"),
        (L::LongBranch, "garbage"),
        (L::ShortBranch, "bad-branch"),
        (L::FalseBranch, "bad-branch"),
        (L::DuplicateSibling, "bad-branch"),
    ] {
        for source in both(lie).await {
            let fault = payment(&skip, source.as_ref(), txid, PAID_AT).await.expect_err("a lie");
            assert_eq!((fault.refusal.code, fault.refusal.args["why"].as_str()), (Code::BadPeer, why), "{lie:?}");
        }
    }
}

#[tokio::test]
async fn tls_is_spoken_to_a_certificate_that_is_trusted_and_to_no_other() {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let key = tokio_rustls::rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).expect("a key");
    let config = tokio_rustls::rustls::ServerConfig::builder_with_provider(Arc::new(
        tokio_rustls::rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .expect("versions")
    .with_no_client_auth()
    .with_single_cert(vec![certified.cert.der().clone()], key)
    .expect("a certificate");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                tokio::spawn(async move { drop(electrum_line(stream, Lie::None).await) });
            }
        }
    });
    let address = format!("ssl://localhost:{port}");
    let own = Trust::only(certified.cert.der().to_vec()).expect("a certificate");
    assert_eq!(open(&address, &own).expect("an address").tip().await, Ok(TIP));
    assert_eq!(open(&address, &Trust::public()).expect("an address").tip().await, Err(SourceFault::Unreachable));
    assert_eq!(open(&format!("ssl://127.0.0.1:{port}"), &own).expect("an address").tip().await, Err(SourceFault::Unreachable));
    let plain = open(&format!("tcp://localhost:{port}"), &own).expect("an address").tip().await;
    assert!(plain.is_err(), "TLS is not plain text");
    assert!(Trust::only(vec![1, 2, 3]).is_none());
}

#[test]
fn an_address_of_no_kind_is_refused() {
    for address in
        ["", "localhost:1", "tcp://", "tcp://host", "tcp://host:0x1", "ftp://host:1", "https://", "http://u@h", "http://h/?q"]
    {
        let refused = open(address, &Trust::public()).err().unwrap_or_else(|| panic!("{address} is no source"));
        assert_eq!(refused.code, Code::BadRealm);
    }
    for address in ["tcp://host:1", "tcp://[::1]:50001", "ssl://host.example:50002", "https://host.example/liquid/api"] {
        assert!(open(address, &Trust::public()).is_ok(), "{address}");
    }
}
