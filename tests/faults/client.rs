//! A client that attaches: it hangs up after any byte, lags, comes again with its cursor or an older one, and holds
//! several connections at once. It never loses what it has, and never asks for less than it needs. It writes nothing to the
//! server.

use std::sync::{Arc, Mutex};

use domain::sse::Decoder;
use tokio::{sync::watch, task::JoinSet};

use super::{
    board::Board,
    chance::Chance,
    seen::{Reading, Seen},
    wire::{Answer, Request, Wire},
};

/// A client of one session.
#[derive(Clone)]
pub struct Client {
    pub name: String,
    pub address: String,
    /// The session's id.
    pub session: String,
    pub board: Board,
    pub seen: Arc<Mutex<Seen>>,
    /// How many entries there are in the end, once that is known.
    pub goal: watch::Receiver<Option<u64>>,
}

/// What one connection asks for.
#[derive(Clone, Copy, Debug)]
enum Cursor {
    Start,
    /// The last entry that is held, in the header, as a browser sends it.
    Header(u64),
    /// The same in the query.
    Query(u64),
    Tail(u64),
}

impl Client {
    /// Attaches again and again until it has everything. The first `lanes` connections are there at once; a client with
    /// one lane does what a browser does, so its entries come in order.
    pub async fn run(self, seed: u64, lanes: u64) -> Seen {
        let mut tasks = JoinSet::new();
        for lane in 1..=lanes {
            let chance = Chance::of(seed, &format!("{} {lane}", self.name));
            tasks.spawn(self.clone().lane(format!("{} lane {lane}", self.name), chance, lanes > 1));
        }
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    fn has_all(&self) -> bool {
        self.goal.borrow().is_some_and(|goal| self.seen.lock().unwrap().whole() >= goal)
    }

    async fn lane(self, name: String, mut chance: Chance, astray: bool) {
        let mut last_event_id = None;
        while !self.has_all() {
            let number = self.board.connection();
            let cursor = self.cursor(&mut chance, astray, last_event_id);
            self.board
                .say(&name, format!("connection {number}: {cursor:?}, has {}", self.seen.lock().unwrap().whole()));
            // Once it is known where the end is, nobody hangs up or lags any more: then it must come.
            let calm = self.goal.borrow().is_some();
            let request = self.request(cursor, &mut chance, calm);
            let reading = Reading::from(match cursor {
                Cursor::Start => Some(0),
                Cursor::Header(id) | Cursor::Query(id) => Some(id + 1),
                Cursor::Tail(_) => None,
            });
            match Wire::ask(&request).await {
                Ok(Answer::Stream(wire)) => {
                    let slow = (!calm && chance.one_in(4)).then(|| chance.between(1, 30));
                    last_event_id = self.read(wire, reading, &mut chance, slow).await.or(last_event_id);
                }
                Ok(Answer::NotAStream { content_type }) => self.board.fault(format!("{name}: 200 {content_type}")),
                Ok(Answer::Elsewhere { status, .. } | Answer::Failed { status }) => {
                    self.board.fault(format!("{name}: {status}, though nothing is in between"));
                }
                // Nobody listens, or it was killed meanwhile.
                Err(_) => self.board.count("attaches refused or cut"),
            }
            chance.pause(60).await;
        }
        self.board.say(&name, "has everything");
    }

    /// Where to begin. What is held without a gap is what counts: a gap is never passed over.
    fn cursor(&self, chance: &mut Chance, astray: bool, last_event_id: Option<u64>) -> Cursor {
        let held = self.seen.lock().unwrap().whole().checked_sub(1);
        match (if astray { held } else { last_event_id }, chance.between(1, 10)) {
            (_, 1) if astray => Cursor::Start,
            (_, 2 | 3) if astray => Cursor::Tail(chance.between(0, 20)),
            (Some(held), 4..=6) if astray => Cursor::Query(held.saturating_sub(chance.between(0, 30))),
            (Some(held), turn) if turn % 2 == 0 => Cursor::Query(held),
            (Some(held), _) => Cursor::Header(held),
            (None, _) => Cursor::Start,
        }
    }

    fn request(&self, cursor: Cursor, chance: &mut Chance, calm: bool) -> Request {
        let path = format!("/api/session/{}/stream", self.session);
        let (path, last_event_id) = match cursor {
            Cursor::Start => (path, None),
            Cursor::Header(id) => (path, Some(id)),
            Cursor::Query(id) => (format!("{path}?after={id}"), None),
            Cursor::Tail(count) => (format!("{path}?tail={count}"), None),
        };
        let mut request = Request { last_event_id, ..Request::plain(&self.address, path) };
        if !calm {
            // In the head of the answer, in the middle of a frame, in the middle of a character.
            let most = chance.pick(&[400, 4_000, 100_000, 1_000_000]);
            request.allowance = usize::try_from(chance.between(1, most)).unwrap();
            request.buffer = chance.one_in(3).then_some(2048);
        }
        request
    }

    /// Reads a connection to its end, or until there is nothing left to come. Gives the last id that came.
    async fn read(&self, mut wire: Wire, mut reading: Reading, chance: &mut Chance, slow: Option<u64>) -> Option<u64> {
        let mut decoder = Decoder::default();
        let mut goal = self.goal.clone();
        while !self.has_all() {
            let piece = tokio::select! {
                piece = wire.piece(if slow.is_some() { 512 } else { 16 << 10 }) => piece,
                // The end is known now, and may be held already.
                Ok(()) = goal.changed() => continue,
            };
            match piece {
                Ok(bytes) if bytes.is_empty() => {
                    self.board.count("streams ended");
                    break;
                }
                Ok(bytes) => {
                    for frame in decoder.push(&bytes) {
                        let new = reading.take(&frame, &mut self.seen.lock().unwrap());
                        new.into_iter().for_each(|kind| self.board.saw(kind));
                    }
                }
                Err(error) => {
                    self.board.count(match error.kind() {
                        std::io::ErrorKind::TimedOut => "streams fallen silent",
                        std::io::ErrorKind::ConnectionAborted => "streams hung up on",
                        _ => "streams cut",
                    });
                    break;
                }
            }
            if let Some(slow) = slow.filter(|_| self.goal.borrow().is_none()) {
                chance.pause(slow).await;
            }
        }
        reading.cursor
    }
}
