//! What a form without script leaves for the page that follows it: kept here for a short while, because a URL is no
//! place for what somebody typed.

use std::sync::{Mutex, PoisonError};

use domain::{ids::Millis, page::Flash};

use super::fresh;

/// How many are kept at once, and for how long in milliseconds: they are read within a redirect.
const KEPT: usize = 64;
const LIVES: u64 = 5 * 60 * 1000;

struct Left {
    operator: String,
    at: Millis,
    flash: Flash,
}

/// The flashes that nobody has read yet.
#[derive(Default)]
pub struct Flashes {
    left: Mutex<Vec<Left>>,
}

impl Flashes {
    /// Leaves one for this operator, and says under which id.
    pub fn leave(&self, operator: &str, mut flash: Flash) -> String {
        let (id, at) = (fresh::token(), fresh::now());
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.retain(|other| at.since(other.at) < LIVES);
        if left.len() >= KEPT {
            left.remove(0);
        }
        flash.id.clone_from(&id);
        left.push(Left { operator: operator.to_owned(), at, flash });
        id
    }

    /// The one of this id, if it is this operator's. It stays until it is too old, so that a reload shows it again.
    pub fn read(&self, operator: &str, id: &str) -> Option<Flash> {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let now = fresh::now();
        let mine = |left: &&Left| left.flash.id == id && left.operator == operator && now.since(left.at) < LIVES;
        left.iter().find(mine).map(|left| left.flash.clone())
    }
}
