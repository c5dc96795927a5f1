//! What the page says and changes in place: the words of the lamp, of what happens now, of the field and of Send. The
//! components say it first, the browser's part from then on.

use super::{Link, State};

impl State {
    /// The connection lamp: its look, and one word, which is the session's short id while all is well.
    pub fn lamp(self) -> (&'static str, String) {
        let link = self.link.get();
        let (look, words) = match link {
            Link::Connecting => ("connecting", "connecting"),
            Link::CatchingUp(behind) => return ("catching-up", format!("catching up {behind}")),
            Link::Held => ("held", "held back"),
            Link::Lost => ("lost", "reconnecting"),
            Link::Offline => ("offline", "no network"),
            Link::Down => ("down", "no answer"),
            Link::Restarting => ("restarting", "restarting"),
            Link::SignedOut => ("signed-out", "signed out"),
            Link::Gone => ("gone", "session gone"),
            Link::Live if self.stopping.get() => ("stopping", "stopping"),
            Link::Live if self.working() => ("working", "working"),
            Link::Live => {
                let short = self.session_id().chars().take(8).collect::<String>();
                return ("attached", if short.is_empty() { "ready".to_owned() } else { short });
            }
        };
        (look, words.to_owned())
    }

    /// What is going on, and for how long, while a turn runs.
    pub fn now(self) -> String {
        let what = if self.stopping.get() {
            "stopping"
        } else if self.waiting.get().is_some() {
            "waiting for your decision"
        } else {
            "working"
        };
        match self.progress.get() {
            Some(seconds) => format!("{what} · {seconds} s"),
            None => what.to_owned(),
        }
    }

    /// What the empty text field says.
    pub fn placeholder(self) -> &'static str {
        match self.has_ai() {
            true if self.working() => "Tell the agent",
            true => "Tell the agent, or !command",
            false => "What is wrong? Or !command",
        }
    }

    /// What Send does, and whether that is to steer.
    pub fn send(self) -> (&'static str, &'static str) {
        if self.working() { ("Send into this turn", "true") } else { ("Send", "false") }
    }
}
