//! How each type that the page reads is read: a structure member by member, under the names of its fields; a word by its
//! spelling.

use serde_json::Value;

use super::{Parsed, Read, member};
use crate::{
    call::{Entries, FormAnswer, SessionSummary, Told},
    event::{Entry, Event, Level, Live, Streamed},
    figure::Figure,
    ids::{EntryId, Millis, RunId, SessionId},
    log::Head,
    page::{Flash, Page, PageParts, Surroundings},
    permission::{Choice, Decision},
    preset::{PresetId, PresetSummary},
    verb::{Outcome, Verb},
};

/// Structures whose fields stand in JSON under their own names.
macro_rules! structures {
    ($($name:ident { $($field:ident),* $(,)? })*) => {
        $(impl Read for $name {
            fn read(json: &impl Parsed) -> Option<Self> {
                Some($name { $($field: member(json, stringify!($field))?),* })
            }
        })*
    };
}

/// Texts and numbers that have a type of their own.
macro_rules! newtypes {
    ($($name:ident = $inner:ty, $made:expr;)*) => {
        $(impl Read for $name {
            fn read(json: &impl Parsed) -> Option<Self> {
                let made: fn($inner) -> Option<$name> = $made;
                made(<$inner>::read(json)?)
            }
        })*
    };
}

newtypes! {
    SessionId = String, |text| text.try_into().ok();
    RunId = String, |text| text.try_into().ok();
    PresetId = String, |text| text.try_into().ok();
    EntryId = u64, |id| Some(EntryId(id));
    Millis = u64, |millis| Some(Millis(millis));
    Head = Option<EntryId>, |id| Some(Head(id));
    Verb = String, |word| word.parse().ok();
    Outcome = String, |word| match word.as_str() {
        "done" => Some(Outcome::Done),
        "refused" => Some(Outcome::Refused),
        "unknown" => Some(Outcome::Unknown),
        _ => None,
    };
    Level = String, |word| match word.as_str() {
        "info" => Some(Level::Info),
        "warning" => Some(Level::Warning),
        _ => None,
    };
    Choice = String, |word| match word.as_str() {
        "allow_once" => Some(Choice::AllowOnce),
        "allow_session" => Some(Choice::AllowSession),
        "deny" => Some(Choice::Deny),
        _ => None,
    };
}

impl Read for Decision {
    fn read(json: &impl Parsed) -> Option<Self> {
        match Choice::read(json) {
            Some(choice) => Some(choice.into()),
            None => json.text().filter(|word| word == "withdrawn").map(|_| Decision::Withdrawn),
        }
    }
}

structures! {
    Surroundings { target, target_configured, hypervisor_configured, practice, has_ai, keepalive_ms }
    PresetSummary { id, label, icon, hint }
    Flash { id, detail, draft }
    Figure { name, percent, words, high }
    Entries { entries }
    Told { detail }
}

impl Read for Page {
    fn read(json: &impl Parsed) -> Option<Self> {
        Some(Page {
            session: member(json, "session")?,
            entries: member(json, "entries")?,
            presets: member(json, "presets")?,
            surroundings: member(json, "surroundings")?,
            operator: member(json, "operator")?,
            key: member(json, "key")?,
            flash: member(json, "flash")?,
            disk: member(json, "disk")?,
            parts: PageParts::default(),
        })
    }
}

impl Read for SessionSummary {
    fn read(json: &impl Parsed) -> Option<Self> {
        Some(SessionSummary {
            id: member(json, "id")?,
            created: member(json, "created")?,
            title: member(json, "title")?,
            turn_active: member(json, "turn_active")?,
            last_event_id: member(json, "last_event_id")?,
            archived: truth_or_not(json, "archived")?,
        })
    }
}

/// A truth that is left out where it is none.
fn truth_or_not(json: &impl Parsed, name: &str) -> Option<bool> {
    member::<Option<bool>>(json, name).map(Option::unwrap_or_default)
}

impl Read for FormAnswer {
    fn read(json: &impl Parsed) -> Option<Self> {
        let (name, json) = json.members().into_iter().next()?;
        let json = &json;
        Some(match name.as_str() {
            "started" => FormAnswer::Started { session_id: member(json, "session_id")? },
            "opened" => FormAnswer::Opened { session_id: member(json, "session_id")? },
            "cancelled" => FormAnswer::Cancelled { cancelled: member(json, "cancelled")? },
            "archived" => FormAnswer::Archived { archived: member(json, "archived")? },
            "decided" => FormAnswer::Decided { decision: member(json, "decision")? },
            "running" => FormAnswer::Running { run_id: member(json, "run_id")? },
            "noted" => FormAnswer::Noted {},
            "failed" => FormAnswer::Failed {
                status: member(json, "status")?,
                detail: member(json, "detail")?,
                overridable: member(json, "overridable")?,
            },
            _ => return None,
        })
    }
}

impl Read for Entry {
    fn read(json: &impl Parsed) -> Option<Self> {
        Some(Entry { id: member(json, "id")?, at: member(json, "at")?, event: member_of_kind(json)? })
    }
}

impl Read for Streamed {
    fn read(json: &impl Parsed) -> Option<Self> {
        if !json.member("id").is_nothing() {
            return Entry::read(json).map(Streamed::Entry);
        }
        Some(Streamed::Live(match member::<String>(json, "kind")?.as_str() {
            "draft" => Live::Draft { text: member(json, "text")? },
            "progress" => Live::Progress { tool_id: member(json, "tool_id")?, seconds: member(json, "seconds")? },
            _ => return None,
        }))
    }
}

/// The event of an entry, whose fields stand beside its id. A kind that this build does not know is unknown.
fn member_of_kind(json: &impl Parsed) -> Option<Event> {
    let text = |name: &str| json.member(name).text();
    let may_be_text = |name: &str| member::<Option<String>>(json, name);
    Some(match text("kind")?.as_str() {
        "user" => Event::User { text: text("text")?, by: text("by")?, steered: truth_or_not(json, "steered")? },
        "session" => Event::Session { session_id: text("session_id")?, model: text("model")? },
        "text" => Event::Text { text: text("text")? },
        "tool" => Event::Tool {
            tool_id: text("tool_id")?,
            name: text("name")?,
            input: member::<Value>(json, "input")?,
            parent: may_be_text("parent")?,
        },
        "tool_result" => Event::ToolResult {
            tool_id: text("tool_id")?,
            output: text("output")?,
            is_error: member(json, "is_error")?,
            exit_code: member(json, "exit_code")?,
            truncated: member(json, "truncated")?,
            whole: member(json, "whole")?,
        },
        "permission" => Event::Permission {
            request_id: text("request_id")?,
            tool: text("tool")?,
            input: member::<Value>(json, "input")?,
        },
        "decision" => Event::Decision {
            request_id: text("request_id")?,
            decision: member(json, "decision")?,
            by: text("by")?,
            message: may_be_text("message")?,
        },
        "result" => Event::Result {
            is_error: member(json, "is_error")?,
            result: text("result")?,
            duration_ms: member(json, "duration_ms")?,
            cost_usd: member(json, "cost_usd")?,
        },
        "error" => Event::Error { error: text("error")? },
        "cancelled" => Event::Cancelled { by: text("by")? },
        "turn_end" => Event::TurnEnd,
        "notice" => Event::Notice { level: member(json, "level")?, text: text("text")? },
        "verb" => Event::Verb {
            run_id: member(json, "run_id")?,
            verb: member(json, "verb")?,
            by: text("by")?,
            outcome: member(json, "outcome")?,
            exit_code: member(json, "exit_code")?,
        },
        "check" => Event::Check { ok: member(json, "ok")?, text: text("text")?, facts: member(json, "facts")? },
        "figures" => Event::Figures { figures: member(json, "figures")? },
        _ => Event::Unknown,
    })
}
