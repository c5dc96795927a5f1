//! Why presets are refused, in words that say what to change.

use std::{error::Error, fmt};

use super::{ICONS, LONGEST_COMMAND, LONGEST_ID, LONGEST_TITLE, MOST_PRESETS, MOST_STEPS, PresetId};
use crate::verb::Verb;

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
    /// An icon that nobody has drawn.
    Icon {
        /// The preset.
        id: PresetId,
        /// Its icon.
        icon: String,
    },
    /// A preset of one's own that lacks what every preset has.
    Missing {
        /// The preset.
        id: PresetId,
        /// Which field.
        field: &'static str,
    },
    /// A preset is named, and there is none of that id.
    Unknown {
        /// The id.
        id: PresetId,
        /// Those that there are.
        known: Vec<PresetId>,
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
            Self::Empty => f.write_str("there is no preset for this target: write a [[preset]], or hide fewer of them"),
            Self::TooMany { count } => write!(f, "{count} presets are too many: at most {MOST_PRESETS}"),
            Self::Twice { id } => write!(f, "preset id {id} stands twice: give each its own"),
            Self::Field { id, field, most } => {
                write!(f, "preset {id}: {field} must be 1 to {most} plain characters")
            }
            Self::Icon { id, icon } => {
                write!(f, "preset {id}: there is no icon {icon:?}: take one of {}", ICONS.join(", "))
            }
            Self::Missing { id, field } => {
                write!(f, "preset {id} is a new one and has no {field}: write it, or give the id of one to be changed")
            }
            Self::Unknown { id, known } => {
                let known: Vec<_> = known.iter().map(PresetId::as_str).collect();
                write!(f, "there is no preset {id}: there are {}", known.join(", "))
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
