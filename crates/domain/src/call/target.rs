//! The inputs and answers of the target's calls; what is known of it is `probe`'s.

use serde::{Deserialize, Serialize};

use crate::{probe::KeyHost, verb::Lock};

/// `POST /api/target/lock`, and what the page's form sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockInput {
    /// Whether mutations are to be forbidden.
    pub locked: bool,
    /// Why, for those who meet it; at most 200 characters.
    #[serde(default)]
    pub why: String,
}

/// The answer to [`LockInput`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Locked {
    /// The lock that stands now.
    pub lock: Option<Lock>,
}

/// `POST /api/target/host-key`: accepts a host key that changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptKey {
    /// Whose.
    pub host: KeyHost,
    /// The fingerprint that is accepted, as it was shown: `SHA256:…`.
    pub fingerprint: String,
}
