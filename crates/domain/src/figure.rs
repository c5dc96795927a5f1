//! A figure that one would rather look at: a share as a bar, with its words. The strip and the runbooks show the same ones.

use serde::{Deserialize, Serialize};

/// A share of something, to be shown as a bar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// Of what: `Memory`, `Load`, a mount.
    pub name: String,
    /// How much of it is in use. Load goes beyond 100, a bar does not.
    pub percent: u64,
    /// The same in its own units.
    pub words: String,
    /// True where a rule calls it too much.
    pub high: bool,
}
