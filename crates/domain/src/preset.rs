//! Presets: the one-tap diagnoses, as an operator writes them in `agents/presets.toml`.
//!
//! A preset has a prompt for an agent and a runbook, its steps, for when there is none. A list that does not keep the
//! rules cannot be had: reading one goes through [`Presets::new`]. This module knows no file and no TOML, only serde.
//!
//! **Invariant:** no step mutates. A step is a command that is shown, or a question to the hypervisor; power actions are
//! confirmed taps and nothing else.

use std::{collections::HashSet, error::Error, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{runbook::Reading, verb::Verb};

/// The most presets in a list: they stand in one row of chips on a phone.
pub const MOST_PRESETS: usize = 12;
/// The most steps of a preset: each may take 20 s.
pub const MOST_STEPS: usize = 20;

const LONGEST_ID: usize = 32;
const LONGEST_LABEL: usize = 16;
const LONGEST_HINT: usize = 80;
const LONGEST_TITLE: usize = 80;
const LONGEST_PROMPT: usize = 8_000;
const LONGEST_COMMAND: usize = 4_000;

/// All presets, in the order in which they are offered. Never empty, no id twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PresetsForm", into = "PresetsForm")]
pub struct Presets(Vec<Preset>);

impl Presets {
    /// The list, if it keeps the rules.
    pub fn new(presets: Vec<Preset>) -> Result<Self, PresetFault> {
        check(&presets)?;
        Ok(Self(presets))
    }

    /// The preset of that id.
    pub fn get(&self, id: &PresetId) -> Option<&Preset> {
        self.0.iter().find(|preset| preset.id == *id)
    }

    /// All of them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Preset> {
        self.0.iter()
    }

    /// What clients are told, in order.
    pub fn summaries(&self) -> Vec<PresetSummary> {
        self.iter().map(Preset::summary).collect()
    }
}

/// One preset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Its name in calls and in the record.
    pub id: PresetId,
    /// The chip's text, at most 16 characters.
    pub label: String,
    /// The chip's icon, by name: a–z, 0–9 and `-`.
    pub icon: String,
    /// One line, at most 80 characters: what it looks at.
    pub hint: String,
    /// What an agent is asked.
    pub prompt: String,
    /// The runbook, in order.
    pub step: Vec<Step>,
}

impl Preset {
    /// What clients are told of it.
    pub fn summary(&self) -> PresetSummary {
        PresetSummary {
            id: self.id.clone(),
            label: self.label.clone(),
            icon: self.icon.clone(),
            hint: self.hint.clone(),
        }
    }
}

/// What clients are told of a preset: enough for its chip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresetSummary {
    /// Its name in calls.
    pub id: PresetId,
    /// The chip's text.
    pub label: String,
    /// The chip's icon, by name.
    pub icon: String,
    /// What it looks at, in one line.
    pub hint: String,
}

/// A preset's name: 1 to 32 of a–z, 0–9 and `-`, beginning with a letter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PresetId(String);

impl PresetId {
    /// As it is spelled.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PresetId {
    type Err = PresetFault;

    fn from_str(text: &str) -> Result<Self, PresetFault> {
        if text.len() <= LONGEST_ID && is_name(text) { Ok(Self(text.to_owned())) } else { Err(PresetFault::Id) }
    }
}

impl TryFrom<String> for PresetId {
    type Error = PresetFault;

    fn try_from(text: String) -> Result<Self, PresetFault> {
        text.parse()
    }
}

impl From<PresetId> for String {
    fn from(id: PresetId) -> Self {
        id.0
    }
}

impl fmt::Display for PresetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One step of a runbook. Its fields are closed, so that a step which mutates cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StepForm", into = "StepForm")]
pub struct Step {
    title: String,
    action: Action,
    reads: Reading,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A POSIX sh command on the target.
    Command(String),
    /// A question to the hypervisor. Never a verb that mutates.
    Verb(Verb),
}

impl Step {
    /// A step that runs a command on the target.
    pub fn command(title: &str, run: &str, reads: Reading) -> Result<Self, PresetFault> {
        Self::new(title.to_owned(), Action::Command(run.to_owned()), reads)
    }

    /// A step that asks the hypervisor; it is read by the rule of that verb.
    pub fn verb(title: &str, verb: Verb) -> Result<Self, PresetFault> {
        let reads = Reading::of_verb(verb).unwrap_or(Reading::Nothing);
        Self::new(title.to_owned(), Action::Verb(verb), reads)
    }

    /// What it is called in the transcript.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What it does.
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// Which rule reads its output.
    pub fn reads(&self) -> Reading {
        self.reads
    }

    fn new(title: String, action: Action, reads: Reading) -> Result<Self, PresetFault> {
        if !fits(&title, LONGEST_TITLE) || title.contains('\n') {
            return Err(PresetFault::StepTitle { title });
        }
        match &action {
            Action::Command(run) if !fits(run, LONGEST_COMMAND) => Err(PresetFault::StepCommand { title }),
            Action::Command(_) if reads.of_hypervisor() => Err(PresetFault::StepReads { title }),
            Action::Verb(verb) if verb.mutates() => Err(PresetFault::StepMutates { title, verb: *verb }),
            Action::Verb(verb) if reads != Reading::Nothing && Reading::of_verb(*verb) != Some(reads) => {
                Err(PresetFault::StepReads { title })
            }
            Action::Command(_) | Action::Verb(_) => Ok(Self { title, action, reads }),
        }
    }
}

/// Why a list of presets is refused. The text says what to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresetFault {
    /// An id that is none.
    Id,
    /// No preset at all.
    Empty,
    /// More than [`MOST_PRESETS`].
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// One id stands twice.
    Twice {
        /// Which.
        id: PresetId,
    },
    /// A text is empty, too long or holds control characters.
    Field {
        /// The preset.
        id: PresetId,
        /// Which of its fields.
        field: &'static str,
        /// The most characters it may have.
        most: usize,
    },
    /// No step, or more than [`MOST_STEPS`].
    Steps {
        /// The preset.
        id: PresetId,
        /// How many it has.
        count: usize,
    },
    /// A step's title is empty, too long or more than a line.
    StepTitle {
        /// The title.
        title: String,
    },
    /// A step's command is empty, too long or holds control characters.
    StepCommand {
        /// The step.
        title: String,
    },
    /// A step has both `run` and `verb`, or neither.
    StepAction {
        /// The step.
        title: String,
    },
    /// A step would change the VM's state.
    StepMutates {
        /// The step.
        title: String,
        /// Its verb.
        verb: Verb,
    },
    /// A command is read as the hypervisor's answer, or the other way round.
    StepReads {
        /// The step.
        title: String,
    },
}

impl fmt::Display for PresetFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id => write!(f, "a preset id is 1 to {LONGEST_ID} of a-z, 0-9 and -, beginning with a letter"),
            Self::Empty => f.write_str("there is no preset: write at least one [[preset]]"),
            Self::TooMany { count } => write!(f, "{count} presets are too many: at most {MOST_PRESETS}"),
            Self::Twice { id } => write!(f, "preset id {id} stands twice: give each its own"),
            Self::Field { id, field, most } => {
                write!(f, "preset {id}: {field} must be 1 to {most} plain characters")
            }
            Self::Steps { id, count } => {
                write!(f, "preset {id} has {count} steps: 1 to {MOST_STEPS} are possible")
            }
            Self::StepTitle { title } => {
                write!(f, "step {title:?}: its title must be one line of 1 to {LONGEST_TITLE} plain characters")
            }
            Self::StepCommand { title } => {
                write!(f, "step {title:?}: run must be 1 to {LONGEST_COMMAND} plain characters")
            }
            Self::StepAction { title } => write!(f, "step {title:?} needs either run or verb, one of them"),
            Self::StepMutates { title, verb } => {
                write!(f, "step {title:?}: {verb} changes the vm's state; a step may only ask status or forensics")
            }
            Self::StepReads { title } => write!(
                f,
                "step {title:?}: verb status is read by hypervisor_status, forensics by forensics, a command by neither"
            ),
        }
    }
}

impl Error for PresetFault {}

/// The list as TOML has it: `[[preset]]`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PresetsForm {
    #[serde(default)]
    preset: Vec<Preset>,
}

impl TryFrom<PresetsForm> for Presets {
    type Error = PresetFault;

    fn try_from(form: PresetsForm) -> Result<Self, PresetFault> {
        Self::new(form.preset)
    }
}

impl From<Presets> for PresetsForm {
    fn from(presets: Presets) -> Self {
        Self { preset: presets.0 }
    }
}

/// A step as TOML has it: `[[preset.step]]`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepForm {
    title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verb: Option<Verb>,
    reads: Reading,
}

impl TryFrom<StepForm> for Step {
    type Error = PresetFault;

    fn try_from(form: StepForm) -> Result<Self, PresetFault> {
        let action = match (form.run, form.verb) {
            (Some(run), None) => Action::Command(run),
            (None, Some(verb)) => Action::Verb(verb),
            (Some(_), Some(_)) | (None, None) => return Err(PresetFault::StepAction { title: form.title }),
        };
        Self::new(form.title, action, form.reads)
    }
}

impl From<Step> for StepForm {
    fn from(step: Step) -> Self {
        let (run, verb) = match step.action {
            Action::Command(run) => (Some(run), None),
            Action::Verb(verb) => (None, Some(verb)),
        };
        Self { title: step.title, run, verb, reads: step.reads }
    }
}

fn check(presets: &[Preset]) -> Result<(), PresetFault> {
    if presets.is_empty() {
        return Err(PresetFault::Empty);
    }
    if presets.len() > MOST_PRESETS {
        return Err(PresetFault::TooMany { count: presets.len() });
    }
    let mut ids = HashSet::new();
    for preset in presets {
        let id = || preset.id.clone();
        if !ids.insert(&preset.id) {
            return Err(PresetFault::Twice { id: id() });
        }
        let one_line = |text: &str, most| fits(text, most) && !text.contains('\n');
        for (field, good, most) in [
            ("label", one_line(&preset.label, LONGEST_LABEL), LONGEST_LABEL),
            ("icon", preset.icon.len() <= LONGEST_ID && is_name(&preset.icon), LONGEST_ID),
            ("hint", one_line(&preset.hint, LONGEST_HINT), LONGEST_HINT),
            ("prompt", fits(&preset.prompt, LONGEST_PROMPT), LONGEST_PROMPT),
        ] {
            if !good {
                return Err(PresetFault::Field { id: id(), field, most });
            }
        }
        if preset.step.is_empty() || preset.step.len() > MOST_STEPS {
            return Err(PresetFault::Steps { id: id(), count: preset.step.len() });
        }
    }
    Ok(())
}

/// True for text that says something, is not too long, and has no control characters but line ends and tabs: a NUL
/// cannot be an argument of a process.
fn fits(text: &str, most: usize) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= most
        && !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t')
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests;
