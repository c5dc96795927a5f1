//! A proxy as one meets them: in front of the console, and with a manner of its own for each connection. It reads no more
//! of HTTP than where a request's head ends.

use std::{
    collections::VecDeque,
    io::Result,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinSet,
};

/// What it does with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Passes on every byte as it comes.
    Flush,
    /// Keeps the answer until it is over.
    HoldAll,
    /// Passes the head on and keeps the body until it is over.
    HoldBody,
    /// Passes on so many bytes of the answer, its head included, and cuts both sides off as soon as there would be more.
    Cut(usize),
    /// 502 of its own, as while the console restarts.
    BadGateway,
    /// A redirect to a page to sign in on.
    Redirect,
    /// That page itself, as 200.
    Page,
}

const BAD_GATEWAY: &str =
    "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<h1>502</h1>";
const REDIRECT: &str = "HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const PAGE: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\nconnection: close\r\n\r\n<form>Sign in</form>";

/// A proxy.
pub struct Middlebox {
    /// Where it listens: host and port.
    pub address: String,
    manners: Arc<Mutex<VecDeque<Manner>>>,
    _serving: JoinSet<()>,
}

impl Middlebox {
    /// One in front of this address.
    pub async fn before(console: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let manners: Arc<Mutex<VecDeque<Manner>>> = Arc::default();
        let (queue, console) = (Arc::clone(&manners), console.to_owned());
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let manner = queue.lock().unwrap().pop_front().unwrap_or(Manner::Flush);
                let console = console.clone();
                // However it ends, the client is shown an end, and that is what this is about.
                connections.spawn(async move { drop(serve(client, &console, manner).await) });
            }
        });
        Middlebox { address, manners, _serving: serving }
    }

    /// Says what it does with the next connections, one after the other; after them it flushes.
    pub fn next(&self, manners: &[Manner]) {
        self.manners.lock().unwrap().extend(manners);
    }
}

async fn serve(mut client: TcpStream, console: &str, manner: Manner) -> Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        if client.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let own = match manner {
        Manner::BadGateway => Some(BAD_GATEWAY),
        Manner::Redirect => Some(REDIRECT),
        Manner::Page => Some(PAGE),
        _ => None,
    };
    if let Some(own) = own {
        return client.write_all(own.as_bytes()).await;
    }
    let mut server = TcpStream::connect(console).await?;
    server.write_all(&head).await?;
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    tokio::select! {
        // What is left of the request; its end is the client's going away.
        gone = copy(&mut from_client, &mut to_server) => gone.map(drop),
        passed = pass(from_server, to_client, manner) => passed,
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, manner: Manner) -> Result<()> {
    let mut kept = Vec::new();
    let mut passed = 0;
    let mut bytes = vec![0; 16 << 10];
    loop {
        // A console that is killed resets its connections, which is an end too.
        let read = from.read(&mut bytes).await.unwrap_or(0);
        if read == 0 {
            return to.write_all(&kept).await;
        }
        let now = &bytes[..read];
        match manner {
            Manner::HoldAll => kept.extend_from_slice(now),
            Manner::HoldBody if passed == 1 => kept.extend_from_slice(now),
            Manner::HoldBody => {
                kept.extend_from_slice(now);
                if let Some(end) = kept.windows(4).position(|four| four == b"\r\n\r\n") {
                    let body = kept.split_off(end + 4);
                    to.write_all(&std::mem::replace(&mut kept, body)).await?;
                    passed = 1;
                }
            }
            Manner::Cut(most) if passed + read > most => return to.write_all(&now[..most - passed]).await,
            _ => {
                to.write_all(now).await?;
                passed += read;
            }
        }
    }
}
