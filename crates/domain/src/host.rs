//! The words of the hypervisor's script, `deploy/pve/breakglass-pve`: what it is asked, and what it answers of a run
//! whose connection was lost. Its README says the same to people.

use std::{fmt, str::FromStr};

use crate::{
    ids::RunId,
    verb::{HostEnd, Verb},
};

/// What the script is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A verb. Under an id the host runs it once and keeps what became of it.
    Verb(Verb, Option<RunId>),
    /// What became of a run; changes nothing.
    Run(RunId),
    /// That a run which has not begun never will; then as [`Command::Run`].
    Void(RunId),
    /// A capture as a tar archive, or one part of it as it is.
    Capture(CaptureId, Option<Part>),
}

impl fmt::Display for Command {
    /// As it goes over the wire: one blank between words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::Verb(verb, None) => verb.fmt(f),
            Command::Verb(verb, Some(id)) => write!(f, "{verb} {id}"),
            Command::Run(id) => write!(f, "run {id}"),
            Command::Void(id) => write!(f, "void {id}"),
            Command::Capture(id, None) => write!(f, "capture {id}"),
            Command::Capture(id, Some(part)) => write!(f, "capture {id} {part}"),
        }
    }
}

/// Names a capture as the host does: `20261120T102418.123456789-cycle.Ab3dE6`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureId(String);

impl CaptureId {
    /// The id as text: ASCII letters, digits, `.` and `-`, so that it is a file's name and one word of a command.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CaptureId {
    type Err = NotACapture;
    fn from_str(text: &str) -> Result<Self, NotACapture> {
        let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_one = text.split_once('-').is_some_and(|(taken, of)| {
            let time = taken.split_once('T').and_then(|(day, time)| Some((day, time.split_once('.')?)));
            let is_time = time.is_some_and(|(day, (time, rest))| digits(day, 8) && digits(time, 6) && digits(rest, 9));
            let of = of.split_once('.').filter(|(verb, _)| verb.parse().is_ok_and(Verb::is_kept));
            is_time && of.is_some_and(|(_, x)| x.len() == 6 && x.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        });
        if is_one { Ok(CaptureId(text.to_owned())) } else { Err(NotACapture) }
    }
}

impl fmt::Display for CaptureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that names no capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotACapture;

impl fmt::Display for NotACapture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no capture's id: the line `capture:` of a run's output gives it")
    }
}

impl std::error::Error for NotACapture {}

/// A part of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part(&'static str);

/// All parts that a capture may have.
pub const PARTS: [&str; 11] =
    ["about", "load", "memory", "kernel", "tasks", "status", "config", "pending", "qmp", "agent", "screenshot"];

impl Part {
    /// The part of this name.
    pub fn named(name: &str) -> Option<Part> {
        PARTS.into_iter().find(|part| *part == name).map(Part)
    }

    /// True for the one that is a picture (PNG); the others are text.
    pub fn is_picture(self) -> bool {
        self.0 == "screenshot"
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What the host says of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It runs; so far it printed this.
    Running {
        /// Both outputs, as one.
        output: String,
    },
    /// It ended.
    Ended {
        /// With this exit code.
        code: i32,
        /// Both outputs, as one.
        output: String,
    },
    /// It began, and its worker was killed before its end.
    Killed {
        /// Both outputs, as one.
        output: String,
    },
    /// It did not begin and never will.
    Voided,
    /// No run of this id is kept: it may be on its way, or be so old that it was let go.
    NotKept,
}

impl Fate {
    /// Reads the answer to [`Command::Run`]; nothing where it is none.
    pub fn of(run_id: &RunId, answer: &str) -> Option<Self> {
        let (head, output) = answer.split_once("\noutput:\n")?;
        let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        if value("run")? != run_id.as_str() {
            return None;
        }
        if value("verb") == Some("void") {
            return Some(Fate::Voided);
        }
        let (began, output) = (value("began").is_some(), output.to_owned());
        Some(match value("state")? {
            "running" => Fate::Running { output },
            "unknown" if began => Fate::Killed { output },
            "unknown" => Fate::NotKept,
            done => Fate::Ended { code: done.strip_prefix("done ")?.parse().ok()?, output },
        })
    }

    /// How the run ended, as if it had been waited for; nothing while it runs or may be on its way.
    pub fn end(&self) -> Option<HostEnd> {
        match self {
            Fate::Running { .. } | Fate::NotKept => None,
            Fate::Ended { code, .. } => Some(HostEnd::Exited(*code)),
            Fate::Killed { .. } => Some(HostEnd::Lost),
            Fate::Voided => Some(HostEnd::NotSent),
        }
    }

    /// What it printed so far.
    pub fn output(&self) -> &str {
        match self {
            Fate::Running { output } | Fate::Ended { output, .. } | Fate::Killed { output } => output,
            Fate::Voided | Fate::NotKept => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6f1c4d0e-0000-4000-8000-00000000000a";

    fn fate(rest: &str) -> Option<Fate> {
        Fate::of(&ID.parse().unwrap(), &format!("run: {ID}\n{rest}"))
    }

    #[test]
    fn a_run_is_running_ended_killed_or_never_was() {
        let began = "verb: cycle\nvm: 102\nfrom: 10.0.0.5\nbegan: 2026-11-20T10:24:18Z\n";
        let output = "cycle: VM 102, forensics first\n".to_owned();
        let told = |state: &str| fate(&format!("{began}state: {state}\noutput:\n{output}"));
        assert_eq!(told("running"), Some(Fate::Running { output: output.clone() }));
        assert_eq!(told("done 1"), Some(Fate::Ended { code: 1, output: output.clone() }));
        let killed = told("unknown\nreason: it began, and its worker was killed before its end: ask for status");
        assert_eq!(killed, Some(Fate::Killed { output }));
        let never = fate("state: unknown\nreason: no run of this id is kept here\noutput:\n");
        assert_eq!(never, Some(Fate::NotKept));
        let voided =
            fate("verb: void\nvm: 102\nfrom: 10.0.0.5\nbegan: 2026-11-20T10:24:18Z\nstate: done 64\noutput:\n");
        assert_eq!(voided.and_then(|voided| voided.end()), Some(HostEnd::NotSent));
    }

    #[test]
    fn what_is_no_answer_says_nothing() {
        assert_eq!(fate("state: done\noutput:\n"), None);
        assert_eq!(fate("state: running\n"), None);
        assert_eq!(
            Fate::of(
                &"6f1c4d0e-0000-4000-8000-00000000000b".parse().unwrap(),
                &format!("run: {ID}\nstate: running\noutput:\n")
            ),
            None
        );
        assert_eq!(fate(""), None);
    }

    #[test]
    fn an_id_of_a_capture_is_a_plain_word() {
        for bad in [
            "",
            "20261120",
            "../../../etc/passwd-cycle.Ab3dE6",
            "20261120T1024..8-cycle.Ab3dE6",
            "20261120T102418 -cycle.A",
            "20261120T102418.123456789-status.Ab3dE6",
            "20261120T102418.123456789-cycle.Ab3dE/",
        ] {
            assert!(bad.parse::<CaptureId>().is_err(), "{bad}");
        }
    }
}
