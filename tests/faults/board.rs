//! What the actors tell each other and who looks at the end: counters, the last state of each for a dump, and what was
//! just seen on a stream. It decides nothing.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use tokio::sync::{Notify, futures::Notified};

/// The board. All actors write on the same one.
#[derive(Clone, Default)]
pub struct Board(Arc<Inner>);

#[derive(Default)]
struct Inner {
    counts: Mutex<BTreeMap<&'static str, u64>>,
    states: Mutex<BTreeMap<String, String>>,
    faults: Mutex<Vec<String>>,
    sights: [Notify; SIGHTS.len()],
    connections: AtomicU64,
}

/// The kinds of entry at whose sight the server is killed: around each of them something is written that must not be
/// torn apart.
pub const SIGHTS: [&str; 8] = ["user", "tool", "tool_result", "result", "turn_end", "verb", "error", "cancelled"];

impl Board {
    /// Counts something that happened.
    pub fn count(&self, what: &'static str) {
        *self.0.counts.lock().unwrap().entry(what).or_default() += 1;
    }

    /// How often it happened.
    pub fn counted(&self, what: &str) -> u64 {
        self.0.counts.lock().unwrap().get(what).copied().unwrap_or(0)
    }

    /// Counts a connection, and gives it its number.
    pub fn connection(&self) -> u64 {
        self.0.connections.fetch_add(1, Relaxed) + 1
    }

    /// How many connections there were.
    pub fn connections(&self) -> u64 {
        self.0.connections.load(Relaxed)
    }

    /// Says what an actor is doing.
    pub fn say(&self, actor: &str, state: impl Into<String>) {
        self.0.states.lock().unwrap().insert(actor.to_owned(), state.into());
    }

    /// Says that something must not have happened. The run goes on, and fails at its end.
    pub fn fault(&self, words: String) {
        self.0.faults.lock().unwrap().push(words);
    }

    /// What must not have happened.
    pub fn faults(&self) -> Vec<String> {
        self.0.faults.lock().unwrap().clone()
    }

    /// Says that an entry of this kind was seen for the first time.
    pub fn saw(&self, kind: &str) {
        if let Some(place) = SIGHTS.iter().position(|sight| *sight == kind) {
            self.0.sights[place].notify_waiters();
        }
    }

    /// Waits until an entry of a kind is seen, from now on.
    pub fn sight(&self, kind: &str) -> Notified<'_> {
        let place = SIGHTS.iter().position(|sight| *sight == kind).unwrap();
        self.0.sights[place].notified()
    }

    /// All counts, on one line.
    pub fn figures(&self) -> String {
        let counts = self.0.counts.lock().unwrap();
        counts.iter().map(|(what, count)| format!("{what} {count}")).collect::<Vec<_>>().join(", ")
    }

    /// The last state of each actor.
    pub fn dump(&self) -> String {
        let mut dump = String::new();
        for (actor, state) in &*self.0.states.lock().unwrap() {
            let _ = writeln!(dump, "  {actor}: {state}");
        }
        dump
    }
}
