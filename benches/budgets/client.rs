//! A client that costs as little as one can: it reads the stream's bytes and looks only for what it waits for, so that
//! the load generator takes no more of the two cores than it must.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout_at},
};

use crate::{
    harness::console::TOKEN,
    pace::Mark,
    samples::{now_ns, since_ms},
};

/// A stream of events, from the connection on.
pub struct Stream {
    socket: TcpStream,
    buffer: Vec<u8>,
}

/// What ends a replay, here and at the baseline.
const CAUGHT_UP: &[u8] = b"event: caught-up\n";
/// Within how many bytes of the end of what came it stands when nothing follows it.
const NEAR: usize = 128;

/// The lines of a pace that came to a client.
#[derive(Default)]
pub struct Followed {
    /// How long each was on its way, in milliseconds.
    pub ms: Vec<f64>,
}

impl Stream {
    /// Connects and asks.
    pub async fn open(base: &str, path: &str) -> std::io::Result<Self> {
        let host = base.strip_prefix("http://").unwrap_or(base);
        let mut socket = TcpStream::connect(host).await?;
        socket.set_nodelay(true)?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {TOKEN}\r\n\r\n");
        socket.write_all(request.as_bytes()).await?;
        Ok(Stream { socket, buffer: vec![0; 64 << 10] })
    }

    /// Reads until the replay is over. How many bytes came.
    pub async fn until_caught_up(&mut self) -> std::io::Result<usize> {
        let mut end: Vec<u8> = Vec::with_capacity(2 * NEAR);
        let mut bytes = 0;
        loop {
            let read = self.socket.read(&mut self.buffer).await?;
            let piece = &self.buffer[..read];
            if read == 0 || (bytes == 0 && !piece.starts_with(b"HTTP/1.1 200")) {
                let words = String::from_utf8_lossy(piece).into_owned();
                return Err(std::io::Error::other(format!("no stream: {words}")));
            }
            bytes += read;
            end.extend_from_slice(&piece[read.saturating_sub(NEAR)..]);
            end.drain(..end.len().saturating_sub(NEAR));
            if end.windows(CAUGHT_UP.len()).any(|window| window == CAUGHT_UP) {
                return Ok(bytes);
            }
        }
    }

    /// Reads until the last of `count` lines came, or until nobody wants to wait longer.
    pub async fn follow(mut self, count: u64, until: Instant) -> Followed {
        let mut followed = Followed::default();
        let mut line: Vec<u8> = Vec::new();
        while let Ok(Ok(read @ 1..)) = timeout_at(until, self.socket.read(&mut self.buffer)).await {
            let came_ns = now_ns();
            let mut pieces = self.buffer[..read].split(|byte| *byte == b'\n').peekable();
            while let Some(piece) = pieces.next() {
                let whole = pieces.peek().is_some();
                if !whole {
                    line.extend_from_slice(piece);
                    break;
                }
                let started = !line.is_empty();
                if started {
                    line.extend_from_slice(piece);
                }
                let mark = Mark::find(if started { &line } else { piece });
                line.clear();
                if let Some(mark) = mark {
                    followed.ms.push(came_ns.saturating_sub(mark.written_ns) as f64 / 1e6);
                    if mark.number + 1 == count {
                        return followed;
                    }
                }
            }
        }
        followed
    }
}

/// Opens a stream and reads its replay: how long that took from the connection on, in milliseconds, and its bytes.
pub async fn replay(base: &str, path: &str) -> std::io::Result<(f64, usize)> {
    let begun = now_ns();
    let bytes = Stream::open(base, path).await?.until_caught_up().await?;
    Ok((since_ms(begun), bytes))
}
