//! What cannot be computed: the time, new ids, new secrets.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::ids::{Millis, RunId, SessionId};
use sha2::{Digest, Sha256};

/// The time.
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A random v4 UUID in its canonical form, which every id type takes.
fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// A new session's id.
pub fn session_id() -> SessionId {
    SessionId::try_from(uuid()).unwrap_or_else(|_| unreachable!("the canonical form is an id"))
}

/// A new run's id.
pub fn run_id() -> RunId {
    RunId::try_from(uuid()).unwrap_or_else(|_| unreachable!("the canonical form is an id"))
}

/// A new idempotency key.
pub fn key() -> String {
    uuid()
}

/// 256 random bits in hex: what a cookie carries.
pub fn token() -> String {
    let mut bytes = [0u8; 32];
    fill(&mut bytes);
    hex(&bytes)
}

/// A code that a person types: twelve characters out of 32 that are not mistaken for each other, in groups of four.
pub fn code() -> String {
    const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let mut bytes = [0u8; 12];
    fill(&mut bytes);
    let letter = |byte: &u8| LETTERS[usize::from(byte % 32)] as char;
    bytes.chunks(4).map(|group| group.iter().map(letter).collect::<String>()).collect::<Vec<_>>().join("-")
}

/// The digest under which a secret is stored and compared.
pub fn digest(secret: &[u8]) -> String {
    hex(&Sha256::digest(secret))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Without randomness there is no security: better to end than to go on.
#[expect(clippy::expect_used, reason = "a machine without randomness cannot run a console safely")]
fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives random bytes");
}
