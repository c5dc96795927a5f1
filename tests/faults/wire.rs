//! One attach over a socket of its own, byte by byte: it can hang up after any byte, read as slowly as it likes, and says
//! what came in place of a stream. It knows HTTP and no entries.

use std::{
    io::{Error, ErrorKind, Result},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::harness::console::TOKEN;

/// What is asked for, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// Host and port.
    pub address: String,
    /// With the query.
    pub path: String,
    /// What a browser sends when it attaches again.
    pub last_event_id: Option<u64>,
    /// After how many bytes of the answer, its head included, we hang up.
    pub allowance: usize,
    /// After how long a silence we hang up: several heartbeats.
    pub silence: Duration,
    /// The size of the socket's buffer; a small one lets the server feel how slowly we read.
    pub buffer: Option<u32>,
}

impl Request {
    /// A request that reads to the end.
    pub fn plain(address: &str, path: String) -> Self {
        let (allowance, silence) = (usize::MAX, Duration::from_secs(10));
        Request { address: address.to_owned(), path, last_event_id: None, allowance, silence, buffer: None }
    }
}

/// What came.
pub enum Answer {
    /// The stream that was asked for.
    Stream(Wire),
    /// 200, and something else: a page to sign in on, most likely.
    NotAStream { content_type: String },
    /// A redirect, which a stream must not follow: to a page to sign in on, most likely.
    Elsewhere { status: u16, location: String },
    /// No success.
    Failed { status: u16 },
}

/// A stream's bytes.
pub struct Wire {
    socket: TcpStream,
    left: usize,
    silence: Duration,
    coding: Coding,
    /// What came in one piece with the head.
    first: Vec<u8>,
}

/// How the body is wrapped (RFC 9112, section 7.1).
enum Coding {
    Plain,
    Size(Vec<u8>),
    Data(usize),
    Over,
}

impl Wire {
    /// Sends the request and reads the answer's head.
    pub async fn ask(request: &Request) -> Result<Answer> {
        let socket = TcpSocket::new_v4()?;
        if let Some(bytes) = request.buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        let mut socket = socket.connect(request.address.parse().map_err(Error::other)?).await?;
        let cursor = request.last_event_id.map_or(String::new(), |id| format!("last-event-id: {id}\r\n"));
        let head = format!(
            "GET {} HTTP/1.1\r\nhost: console\r\nauthorization: Bearer {TOKEN}\r\naccept: text/event-stream\r\n{cursor}\r\n",
            request.path
        );
        socket.write_all(head.as_bytes()).await?;
        let (left, silence) = (request.allowance, request.silence);
        let mut wire = Wire { socket, left, silence, coding: Coding::Plain, first: Vec::new() };
        let mut head = Vec::new();
        let end = loop {
            if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            match wire.raw(4096).await? {
                bytes if bytes.is_empty() => return Err(ErrorKind::UnexpectedEof.into()),
                bytes => head.extend(bytes),
            }
        };
        wire.first = head.split_off(end + 4);
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let field = |name: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(':'));
            lines.into_iter().find(|(field, _)| *field == name).map_or("", |(_, value)| value.trim()).to_owned()
        };
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        if field("transfer-encoding") == "chunked" {
            wire.coding = Coding::Size(Vec::new());
        }
        Ok(match (status, field("content-type")) {
            (200, kind) if kind.split(';').next() == Some("text/event-stream") => Answer::Stream(wire),
            (200, content_type) => Answer::NotAStream { content_type },
            (300..=399, _) => Answer::Elsewhere { status, location: field("location") },
            _ => Answer::Failed { status },
        })
    }

    /// The next bytes of the body, none at its end. An error when it was cut, fell silent, or we hung up. It may be
    /// dropped while it waits.
    pub async fn piece(&mut self, at_most: usize) -> Result<Vec<u8>> {
        loop {
            let mut bytes = std::mem::take(&mut self.first);
            if bytes.is_empty() {
                bytes = self.raw(at_most).await?;
                if bytes.is_empty() {
                    // Only the last chunk says that a body is whole.
                    return if matches!(self.coding, Coding::Plain) {
                        Ok(bytes)
                    } else {
                        Err(ErrorKind::UnexpectedEof.into())
                    };
                }
            }
            let body = self.coding.take(&bytes);
            if !body.is_empty() || matches!(self.coding, Coding::Over) {
                return Ok(body);
            }
        }
    }

    async fn raw(&mut self, at_most: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; at_most.min(self.left)];
        if bytes.is_empty() {
            return Err(Error::new(ErrorKind::ConnectionAborted, "we hung up"));
        }
        let read = tokio::time::timeout(self.silence, self.socket.read(&mut bytes));
        let read = read.await.map_err(|_| Error::from(ErrorKind::TimedOut))??;
        bytes.truncate(read);
        self.left -= read;
        Ok(bytes)
    }
}

impl Coding {
    /// Takes bytes as they came and gives those of the body.
    fn take(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut body = Vec::new();
        while !bytes.is_empty() {
            match self {
                Coding::Plain => {
                    body.extend(std::mem::take(&mut bytes));
                }
                Coding::Size(line) => {
                    line.push(bytes[0]);
                    bytes = &bytes[1..];
                    // The line end of the chunk before may stand in front.
                    if line.ends_with(b"\n") && line.len() > 2 {
                        let text = String::from_utf8_lossy(line).trim().to_owned();
                        let size = usize::from_str_radix(&text, 16).expect("a chunk's size");
                        *self = if size == 0 { Coding::Over } else { Coding::Data(size) };
                    }
                }
                Coding::Data(left) => {
                    let (now, later) = bytes.split_at(bytes.len().min(*left));
                    body.extend_from_slice(now);
                    bytes = later;
                    *left -= now.len();
                    if *left == 0 {
                        *self = Coding::Size(Vec::new());
                    }
                }
                Coding::Over => break,
            }
        }
        body
    }
}
