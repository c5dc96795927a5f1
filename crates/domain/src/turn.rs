//! When a turn may begin, and how it ends.
//!
//! ```text
//!            prompt                 stop
//!   Idle ───────────▶ Running ───────────────▶ Stopping
//!    ▲                   │                         │
//!    └───────────────────┴────────── ending ───────┘
//! ```
//! **Invariant:** an ending always closes with `turn_end`, whichever it is; see [`Ending::events`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::Event;

/// What a session is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing; the next prompt begins a turn.
    #[default]
    Idle,
    /// A turn runs.
    Running,
    /// A turn was told to stop and has not ended yet.
    Stopping,
}

/// How a prompt that was let in is to be treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It begins a turn.
    Begin,
    /// It is delivered into the turn that runs.
    Steer,
}

/// Why a prompt was not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// One turn at a time per session.
    TurnRunning,
    /// The server runs as many turns as it is allowed to.
    TooManyTurns {
        /// The limit that was met.
        limit: usize,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::TurnRunning => f.write_str("a turn is already running in this session: wait for it or stop it"),
            Refused::TooManyTurns { limit } => write!(
                f,
                "{limit} turns are running, which is the limit (BREAKGLASS_MAX_CONCURRENT_TURNS): try again in a moment"
            ),
        }
    }
}

/// Decides about a prompt. `running` counts the turns that run in all sessions.
pub fn admit(phase: Phase, steer: bool, running: usize, limit: usize) -> Result<Admission, Refused> {
    match phase {
        Phase::Running if steer => Ok(Admission::Steer),
        Phase::Running | Phase::Stopping => Err(Refused::TurnRunning),
        Phase::Idle if running >= limit => Err(Refused::TooManyTurns { limit }),
        Phase::Idle => Ok(Admission::Begin),
    }
}

/// How a turn came to its end.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// The backend is through, well or not.
    Finished {
        /// True when it failed.
        is_error: bool,
        /// Its last word, one line.
        result: String,
        /// How long it took, in milliseconds.
        duration_ms: u64,
        /// What it cost in US dollars, where that is known.
        cost_usd: Option<f64>,
    },
    /// The backend could not go on.
    Failed {
        /// What failed and what to do next.
        error: String,
    },
    /// An operator stopped it.
    Cancelled {
        /// The operator's name.
        by: String,
    },
    /// It ran into the turn's time limit.
    TimedOut {
        /// The limit in seconds.
        limit_seconds: u64,
    },
    /// The server ended under it.
    ServerEnded,
}

impl Ending {
    /// The entries that close the turn: what happened, then `turn_end`.
    pub fn events(self) -> [Event; 2] {
        let why = match self {
            Ending::Finished { is_error, result, duration_ms, cost_usd } => {
                Event::Result { is_error, result, duration_ms, cost_usd }
            }
            Ending::Failed { error } => Event::Error { error },
            Ending::Cancelled { by } => Event::Cancelled { by },
            Ending::TimedOut { limit_seconds } => Event::Error {
                error: format!(
                    "the turn was stopped after {limit_seconds} s, its time limit (BREAKGLASS_TURN_TIMEOUT_SECONDS): \
                     send a prompt to go on"
                ),
            },
            Ending::ServerEnded => Event::Error {
                error: "the server ended while this turn ran; what it had done until then stands above: \
                        send a prompt to go on"
                    .into(),
            },
        };
        [why, Event::TurnEnd]
    }
}

/// Why a text cannot be a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromptProblem {
    /// There is nothing in it but white space.
    Empty,
    /// It is longer than the configuration allows.
    TooLong {
        /// Its length in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
}

impl fmt::Display for PromptProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PromptProblem::Empty => f.write_str("the prompt is empty: say what is wrong, or choose a preset"),
            PromptProblem::TooLong { bytes, limit } => write!(
                f,
                "the prompt has {bytes} bytes and the limit is {limit} (BREAKGLASS_PROMPT_MAX_BYTES): shorten it"
            ),
        }
    }
}

/// Says whether a text can be a prompt. `limit` is in bytes.
pub fn check_prompt(text: &str, limit: usize) -> Result<(), PromptProblem> {
    if text.trim().is_empty() {
        Err(PromptProblem::Empty)
    } else if text.len() > limit {
        Err(PromptProblem::TooLong { bytes: text.len(), limit })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_turn_at_a_time_and_no_more_than_the_limit() {
        assert_eq!(admit(Phase::Idle, false, 1, 2), Ok(Admission::Begin));
        assert_eq!(admit(Phase::Idle, false, 2, 2), Err(Refused::TooManyTurns { limit: 2 }));
        assert_eq!(admit(Phase::Running, false, 1, 2), Err(Refused::TurnRunning));
        assert_eq!(admit(Phase::Stopping, true, 1, 2), Err(Refused::TurnRunning));
    }

    #[test]
    fn a_steered_prompt_joins_the_running_turn_and_begins_one_when_none_runs() {
        assert_eq!(admit(Phase::Running, true, 2, 2), Ok(Admission::Steer));
        assert_eq!(admit(Phase::Idle, true, 0, 2), Ok(Admission::Begin));
    }

    #[test]
    fn every_ending_closes_with_turn_end() {
        let endings = [
            Ending::Finished { is_error: false, result: "ok".into(), duration_ms: 1, cost_usd: None },
            Ending::Failed { error: "no".into() },
            Ending::Cancelled { by: "ada".into() },
            Ending::TimedOut { limit_seconds: 1800 },
            Ending::ServerEnded,
        ];
        for ending in endings {
            let [why, end] = ending.events();
            assert_ne!(why, Event::TurnEnd);
            assert_eq!(end, Event::TurnEnd);
        }
    }

    #[test]
    fn a_prompt_has_something_in_it_and_keeps_to_its_limit() {
        assert_eq!(check_prompt(" \n\t", 10), Err(PromptProblem::Empty));
        assert_eq!(check_prompt("0123456789", 10), Ok(()));
        assert_eq!(check_prompt("0123456789a", 10), Err(PromptProblem::TooLong { bytes: 11, limit: 10 }));
    }
}
