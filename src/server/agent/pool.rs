//! The agents' processes between turns. One that has done a turn stays for a while, because a new one takes a third of a
//! second to begin; together they are never more than turns may run.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use claude_cli::process::Process;
use domain::ids::SessionId;

use crate::server::sessions::locked;

/// A process that waits for its next turn.
#[derive(Debug)]
pub struct Warm {
    pub process: Process,
    /// The conversation that it stands in.
    pub conversation: String,
    /// The model that was asked for when it began, where one was.
    pub model: Option<String>,
}

/// Those that wait, and how many work.
#[derive(Debug)]
pub struct Pool {
    most: usize,
    idle: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: HashMap<SessionId, (u64, Warm)>,
    /// How many were put here so far: by it, one that was taken and put back is told from one that stayed.
    count: u64,
    working: usize,
}

/// A place for a process at work; given back when dropped.
#[derive(Debug)]
pub struct Place(Arc<Pool>);

impl Pool {
    /// At most `most` processes, of which those without work stay for `idle`.
    pub fn new(most: usize, idle: Duration) -> Arc<Self> {
        Arc::new(Pool { most, idle, state: Mutex::default() })
    }

    /// A place to work in, and the session's own process where it has one that fits. Others that wait make room first, the
    /// one that waits longest before the rest.
    pub async fn take(self: &Arc<Self>, session: &SessionId, model: Option<&str>) -> (Place, Option<Warm>) {
        let (warm, too_many) = {
            let mut state = locked(&self.state);
            let warm = state.waiting.remove(session).map(|(_, warm)| warm);
            state.working += 1;
            let mut too_many = Vec::new();
            while state.working + state.waiting.len() > self.most {
                let Some(longest) = state.waiting.iter().min_by_key(|(_, (count, _))| *count) else { break };
                let longest = longest.0.clone();
                too_many.extend(state.waiting.remove(&longest).map(|(_, warm)| warm));
            }
            (warm, too_many)
        };
        let place = Place(Arc::clone(self));
        for warm in too_many {
            warm.process.end().await;
        }
        match warm {
            Some(warm) if warm.model.as_deref() == model => (place, Some(warm)),
            Some(other) => {
                other.process.end().await;
                (place, None)
            }
            None => (place, None),
        }
    }

    /// Keeps a process for the session's next turn.
    pub fn keep(self: &Arc<Self>, session: SessionId, warm: Warm) {
        let count = {
            let mut state = locked(&self.state);
            state.count += 1;
            let count = state.count;
            state.waiting.insert(session.clone(), (count, warm));
            count
        };
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(pool.idle).await;
            let still = |(at, _): &(u64, Warm)| *at == count;
            let over = {
                let mut state = locked(&pool.state);
                if state.waiting.get(&session).is_some_and(still) { state.waiting.remove(&session) } else { None }
            };
            if let Some((_, warm)) = over {
                warm.process.end().await;
            }
        });
    }

    /// Ends all that wait.
    pub async fn end(&self) {
        let waiting = std::mem::take(&mut locked(&self.state).waiting);
        futures_util::future::join_all(waiting.into_values().map(|(_, warm)| warm.process.end())).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = locked(&self.0.state);
        state.working = state.working.saturating_sub(1);
    }
}
