//! A realm's testbed: test coins and blocks on request, over plain HTTP/1.1 on loopback.

use causeway_vocab::{Code, Refusal};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Longest answer, bytes.
const MAX_ANSWER: u64 = 64 * 1024;
/// Mining many blocks takes its time.
const DEADLINE: Duration = Duration::from_secs(60);

fn bad() -> Refusal {
    Refusal::new(Code::BadPeer).with("peer", "testbed")
}

/// Posts JSON and gives the JSON that came back.
///
/// Refused with `NotOffered` off loopback, `NoPeers` when nothing answers in a minute, `BadPeer` when the answer is not one or says no.
pub async fn post(control: SocketAddr, path: &str, body: &str) -> Result<String, Refusal> {
    if !control.ip().is_loopback() {
        return Err(Refusal::new(Code::NotOffered).with("what", "testbed"));
    }
    let answer = tokio::time::timeout(DEADLINE, exchange(control, path, body)).await;
    let bytes = answer.ok().and_then(Result::ok).ok_or(Code::NoPeers)?;
    read(&bytes).ok_or_else(bad)
}

async fn exchange(control: SocketAddr, path: &str, body: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(control).await?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {control}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// The body of a successful answer with a stated length.
fn read(bytes: &[u8]) -> Option<String> {
    let split = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..split]).ok()?;
    let mut lines = head.split("\r\n");
    let mut status = lines.next()?.split(' ');
    if !status.next()?.starts_with("HTTP/1.") || status.next()? != "200" {
        return None;
    }
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    })?;
    let body = bytes.get(split + 4..)?.get(..length)?;
    String::from_utf8(body.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_successful_answer_counts() {
        assert_eq!(read(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").as_deref(), Some("{}"));
        for bad in [
            &b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}"[..],
            b"HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\n{}",
            b"HTTP/1.1 200 OK\r\n\r\n{}",
            b"SSH-2.0\r\n\r\n",
            b"",
        ] {
            assert_eq!(read(bad), None);
        }
    }

    #[tokio::test]
    async fn nothing_is_asked_off_loopback() {
        let refusal = post("10.0.0.1:1".parse().expect("an address"), "/fund", "{}").await.expect_err("refused");
        assert_eq!(refusal.code, Code::NotOffered);
    }
}
