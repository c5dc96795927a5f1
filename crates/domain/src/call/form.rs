//! What the endpoints of the page's forms answer.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{RunId, SessionId},
    permission::Choice,
};

/// What a form's endpoint answers to the page's own script. Without script the same endpoint answers with a redirect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormAnswer {
    /// A turn has begun in this session.
    Started {
        /// The session.
        session_id: SessionId,
    },
    /// A session was opened.
    Opened {
        /// The session.
        session_id: SessionId,
    },
    /// The turn was told to stop, or there was none.
    Cancelled {
        /// False when no turn was running.
        cancelled: bool,
    },
    /// A session was put away, or back.
    Archived {
        /// Whether it is put away.
        archived: bool,
    },
    /// A permission was decided.
    Decided {
        /// What was decided.
        decision: Choice,
    },
    /// A verb has begun; its output is at `/api/pve/runs/{run_id}/stream`.
    Running {
        /// The run.
        run_id: RunId,
    },
    /// What was said of the target stands: its lock, or a key of it.
    Noted {},
    /// It did not work.
    Failed {
        /// The HTTP status that the JSON API would have given.
        status: u16,
        /// What happened and what to do next.
        detail: String,
        /// True when it would work as an override: nobody knows what became of the last mutation.
        overridable: bool,
    },
}
