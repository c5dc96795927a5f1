//! Sign-in by a one-time code from the terminal, for a console without a proxy in front: whoever can run
//! `breakglass sign-in-link` on its machine may let somebody in.
//!
//! A code has 60 bits and lives ten minutes: at ten thousand tries a second, guessing succeeds once in 10¹¹ codes. So
//! nobody is ever locked out by a stranger who guesses.
//!
//! Codes and sign-ins are on record. While the record cannot be written they are kept in memory, because a full disk must
//! not keep an operator from the verbs.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::ids::Millis;

use crate::server::{
    failure::Failure,
    fresh,
    store::{Store, StoreError},
};

/// How long a code may be spent, in milliseconds: ten minutes.
const CODE_LIVES: u64 = 10 * 60 * 1000;
/// How long a sign-in lasts, in milliseconds: 30 days.
pub const SIGN_IN_LIVES: u64 = 30 * 24 * 60 * 60 * 1000;
/// The operator's name after a sign-in by code.
const NAME: &str = "operator";

/// Where people sign in.
#[derive(Debug, Default)]
pub struct Desk {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What could not be recorded: codes and sign-ins by digest, each until when.
    codes: HashMap<String, Millis>,
    sign_ins: HashMap<String, Millis>,
    /// Codes on record that were spent while that could not be recorded.
    spent: HashMap<String, Millis>,
}

/// A code for the terminal beside the server, which is on record or not at all.
pub async fn make_code(store: &Store) -> Result<String, StoreError> {
    let (code, now) = (fresh::code(), fresh::now());
    store.add_code(digest(&code), now, Millis(now.0 + CODE_LIVES)).await?;
    Ok(code)
}

/// The digest of a code, however it was typed.
fn digest(typed: &str) -> String {
    let code: String = typed.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
    fresh::digest(code.to_ascii_uppercase().as_bytes())
}

/// The link that a person opens.
pub fn link(origin: &str, code: &str) -> String {
    format!("{origin}/sign-in?code={code}")
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A code that can be spent once.
    pub async fn make_code(&self, store: &Store) -> String {
        match make_code(store).await {
            Ok(code) => code,
            Err(error) => {
                tracing::error!(%error, "a sign-in code could not be recorded; it is kept in memory");
                let code = fresh::code();
                let expires = Millis(fresh::now().0 + CODE_LIVES);
                self.state().codes.insert(digest(&code), expires);
                code
            }
        }
    }

    /// Spends a code; the token that it buys goes into a cookie.
    pub async fn spend(&self, typed: &str, store: &Store) -> Result<String, Failure> {
        let now = fresh::now();
        let code = digest(typed);
        let token = fresh::token();
        let (sign_in, expires) = (fresh::digest(token.as_bytes()), Millis(now.0 + SIGN_IN_LIVES));
        {
            let mut state = self.state();
            if state.spent.contains_key(&code) {
                return Err(Failure::CodeWrong);
            }
            if state.codes.remove(&code).is_some_and(|until| until >= now) {
                state.sign_ins.insert(sign_in, expires);
                return Ok(token);
            }
        }
        match store.spend_code(code.clone(), sign_in.clone(), NAME.into(), now, expires).await {
            Ok(true) => Ok(token),
            Ok(false) => Err(Failure::CodeWrong),
            // It can be read and not written: then it is spent here.
            Err(error) => match store.has_code(code.clone(), now).await {
                Ok(true) => {
                    tracing::error!(%error, "a sign-in could not be recorded; it is kept in memory");
                    let mut state = self.state();
                    if state.spent.insert(code, expires).is_some() {
                        return Err(Failure::CodeWrong);
                    }
                    state.sign_ins.insert(sign_in, expires);
                    Ok(token)
                }
                _ => Err(Failure::CodeWrong),
            },
        }
    }

    /// Whose sign-in this token is, if it is one and not too old.
    pub async fn operator(&self, token: &str, store: &Store) -> Result<Option<String>, StoreError> {
        let (digest, now) = (fresh::digest(token.as_bytes()), fresh::now());
        if self.state().sign_ins.get(&digest).is_some_and(|until| *until >= now) {
            return Ok(Some(NAME.into()));
        }
        store.sign_in(digest, now).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_code_is_spent_once_however_it_is_typed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), 0).unwrap();
        let desk = Desk::default();
        let code = desk.make_code(&store).await;
        let typed = format!(" {} ", code.to_lowercase().replace('-', " "));
        let token = desk.spend(&typed, &store).await.unwrap();
        assert_eq!(desk.operator(&token, &store).await.unwrap().as_deref(), Some(NAME));
        assert!(matches!(desk.spend(&code, &store).await, Err(Failure::CodeWrong)));
    }

    #[tokio::test]
    async fn a_full_disk_keeps_no_operator_out() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), 0).unwrap();
        let recorded = make_code(&store).await.unwrap();
        // Another connection's lock is the other way in which SQLite refuses to write.
        let other = rusqlite::Connection::open(folder.path().join("breakglass.sqlite3")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let desk = Desk::default();
        let kept = desk.make_code(&store).await;
        for code in [recorded, kept] {
            let token = desk.spend(&code, &store).await.unwrap();
            assert!(desk.operator(&token, &store).await.unwrap().is_some());
            assert!(matches!(desk.spend(&code, &store).await, Err(Failure::CodeWrong)), "and once only");
        }
    }
}
