//! Sign-in by a one-time code from the terminal, for a console without a proxy in front: whoever can run
//! `breakglass sign-in-link` on its machine may let somebody in.

use std::sync::{Mutex, PoisonError};

use domain::ids::Millis;

use crate::server::{failure::Failure, fresh, store::Store};

/// How long a code may be spent, in milliseconds: ten minutes.
const CODE_LIVES: u64 = 10 * 60 * 1000;
/// How long a sign-in lasts, in milliseconds: 30 days.
pub const SIGN_IN_LIVES: u64 = 30 * 24 * 60 * 60 * 1000;
/// Wrong codes that are looked at in a minute, from all sides together. A code has 40 bits and lives ten minutes, so
/// guessing succeeds once in 10⁹ codes; a lower number would let a stranger lock people out.
const WRONG_A_MINUTE: usize = 100;

/// The operator's name after a sign-in by code.
const NAME: &str = "operator";

/// Makes a code that can be spent once.
pub async fn make_code(store: &Store) -> Result<String, Failure> {
    let (code, now) = (fresh::code(), fresh::now());
    store.add_code(fresh::digest(code.as_bytes()), now, Millis(now.0 + CODE_LIVES)).await?;
    Ok(code)
}

/// The link that a person opens.
pub fn link(origin: &str, code: &str) -> String {
    format!("{origin}/sign-in?code={code}")
}

/// Counts wrong codes, so that guessing is slow.
#[derive(Debug, Default)]
pub struct Tries {
    wrong: Mutex<Vec<Millis>>,
}

impl Tries {
    /// Spends a code; the token that it buys goes into a cookie.
    pub async fn spend(&self, typed: &str, store: &Store) -> Result<String, Failure> {
        let now = fresh::now();
        {
            let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
            wrong.retain(|at| now.since(*at) < 60_000);
            if wrong.len() >= WRONG_A_MINUTE {
                return Err(Failure::TooManyTries);
            }
            // Counted before it is looked at, so that many at once are counted too.
            wrong.push(now);
        }
        let code: String = typed.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
        let token = fresh::token();
        let (code, sign_in) = (fresh::digest(code.to_ascii_uppercase().as_bytes()), fresh::digest(token.as_bytes()));
        if store.spend_code(code, sign_in, NAME.into(), now, Millis(now.0 + SIGN_IN_LIVES)).await? {
            self.wrong.lock().unwrap_or_else(PoisonError::into_inner).clear();
            Ok(token)
        } else {
            Err(Failure::CodeWrong)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_code_is_spent_once_however_it_is_typed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), 0).unwrap();
        let code = make_code(&store).await.unwrap();
        let tries = Tries::default();
        let typed = format!(" {}-{} ", code[..4].to_lowercase(), &code[4..]);
        let token = tries.spend(&typed, &store).await.unwrap();
        let operator = store.sign_in(fresh::digest(token.as_bytes()), fresh::now()).await.unwrap();
        assert_eq!(operator.as_deref(), Some(NAME));
        assert!(matches!(tries.spend(&code, &store).await, Err(Failure::CodeWrong)));
    }

    #[tokio::test]
    async fn guessing_is_slowed_down() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), 0).unwrap();
        let tries = Tries::default();
        for _ in 0..WRONG_A_MINUTE {
            assert!(matches!(tries.spend("WRONGONE", &store).await, Err(Failure::CodeWrong)));
        }
        let code = make_code(&store).await.unwrap();
        assert!(matches!(tries.spend(&code, &store).await, Err(Failure::TooManyTries)));
    }
}
