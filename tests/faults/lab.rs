//! A console behind a proxy, and a client that attaches through it once and says what came of it. It knows no manner of
//! the proxy's.

use std::time::Duration;

use domain::sse::Decoder;
use serde_json::json;

use super::{
    check::Log,
    middlebox::Middlebox,
    record,
    seen::{Reading, Seen},
    wire::{Answer, Request, Wire},
};
use crate::harness::program::Program;

/// Three heartbeats: who hears nothing for so long has a proxy in between that keeps the stream to itself.
pub const SILENCE: Duration = Duration::from_secs(3);

/// A console with a session in which something happened, behind a proxy.
pub struct Lab {
    pub program: Program,
    console: String,
    pub session: String,
    pub proxy: Middlebox,
    folder: tempfile::TempDir,
}

impl Lab {
    /// One turn has ended in it.
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = Program::start_with(folder.path(), &[], &[("BREAKGLASS_SSE_KEEPALIVE_SECONDS", "1")]);
        let session = program.post("/api/session", json!({})).await.1["session_id"].as_str().unwrap().to_owned();
        let console = program.base.trim_start_matches("http://").to_owned();
        let proxy = Middlebox::before(&console).await;
        let lab = Lab { program, console, session, proxy, folder };
        lab.turn("!echo \u{1f6a8} one").await;
        lab
    }

    /// Lets something happen, and waits until it has.
    pub async fn turn(&self, prompt: &str) {
        let path = format!("/api/session/{}/prompt", self.session);
        assert_eq!(self.program.post(&path, json!({ "prompt": prompt })).await.0, 200);
        let mut client = self.program.attach(&self.session).await;
        client.until_caught_up().await;
        while client.transcript.turn_open() != Some(false) {
            client.frame().await.unwrap();
        }
    }

    /// Its data directory.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// An attach through the proxy with what is held.
    pub fn request(&self, seen: &Seen) -> Request {
        let path = format!("/api/session/{}/stream", self.session);
        let last_event_id = seen.whole().checked_sub(1);
        Request { last_event_id, silence: SILENCE, ..Request::plain(&self.proxy.address, path) }
    }

    /// Attaches once through the proxy with what is held, and reads until the replay is over or the connection is.
    pub async fn attach(&self, seen: &mut Seen) -> Came {
        let request = self.request(seen);
        match Wire::ask(&request).await {
            Ok(Answer::Stream(mut wire)) => {
                let mut reading = Reading::from(Some(seen.whole()));
                read(&mut wire, &mut Decoder::default(), &mut reading, seen).await
            }
            Ok(Answer::NotAStream { content_type }) if content_type.starts_with("text/html") => Came::SignIn,
            Ok(Answer::Elsewhere { status: 302, location }) if location == "/login" => Came::SignIn,
            Ok(Answer::NotAStream { .. } | Answer::Elsewhere { .. }) => panic!("no proxy here does that"),
            Ok(Answer::Failed { status }) => Came::Failed(status),
            Err(error) => ended(&error),
        }
    }

    /// The whole log, past the proxy.
    pub async fn log(&self) -> Log {
        record::log(&self.console, &self.session).await
    }
}

/// What came of an attach.
#[derive(Debug, PartialEq)]
pub enum Came {
    CaughtUp,
    Cut,
    Silence,
    /// Something that only a person can answer.
    SignIn,
    Failed(u16),
}

fn ended(error: &std::io::Error) -> Came {
    if error.kind() == std::io::ErrorKind::TimedOut { Came::Silence } else { Came::Cut }
}

/// Reads a connection until the replay is over or the connection is.
pub async fn read(wire: &mut Wire, decoder: &mut Decoder, reading: &mut Reading, seen: &mut Seen) -> Came {
    loop {
        match wire.piece(16 << 10).await {
            Ok(bytes) if bytes.is_empty() => return Came::Cut,
            Ok(bytes) => {
                for frame in decoder.push(&bytes) {
                    reading.take(&frame, seen);
                }
                if reading.caught_up {
                    return Came::CaughtUp;
                }
            }
            Err(error) => return ended(&error),
        }
    }
}
