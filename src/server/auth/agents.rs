//! An agent's credentials: a token that lives as long as its turn and lets it run verbs, so that its power actions take
//! the same path as a tap. It opens nothing else: not the sessions, and least of all the decisions about itself.

use std::{collections::HashMap, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};
use domain::ids::SessionId;
use std::sync::Mutex;

use super::Operator;
use crate::server::{config::Secret, failure::Failure, fresh, sessions::locked};

/// Somebody who may run verbs: an operator, or an agent on behalf of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerbCaller {
    pub operator: Operator,
    /// The session in which an agent's runs are recorded.
    pub session: Option<SessionId>,
}

/// The tokens of the turns that run.
#[derive(Clone, Debug, Default)]
pub struct TurnTokens(Arc<Mutex<HashMap<String, VerbCaller>>>);

/// A token for one turn. It is worth nothing once this is dropped.
#[derive(Debug)]
pub struct TurnToken {
    pub secret: Secret,
    digest: String,
    tokens: TurnTokens,
}

impl TurnTokens {
    /// A new token for the agent that does a turn of `session` on behalf of `by`.
    pub fn issue(&self, by: &str, session: SessionId) -> TurnToken {
        let token = fresh::token();
        let digest = fresh::digest(token.as_bytes());
        let operator = Operator { name: format!("agent for {by}") };
        locked(&self.0).insert(digest.clone(), VerbCaller { operator, session: Some(session) });
        TurnToken { secret: Secret::from(token.as_str()), digest, tokens: self.clone() }
    }

    /// Whose token this is. It is looked up by its digest, which tells nothing about the token.
    pub(super) fn caller(&self, token: &[u8]) -> Option<VerbCaller> {
        locked(&self.0).get(&fresh::digest(token)).cloned()
    }
}

impl Drop for TurnToken {
    fn drop(&mut self) {
        locked(&self.tokens.0).remove(&self.digest);
    }
}

/// A handler that takes a `VerbCaller` also runs for agents.
impl<S: Send + Sync> FromRequestParts<S> for VerbCaller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match parts.extensions.get::<VerbCaller>() {
            Some(caller) => Ok(caller.clone()),
            None => {
                Operator::from_request_parts(parts, state).await.map(|operator| VerbCaller { operator, session: None })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_worth_something_as_long_as_its_turn() {
        let tokens = TurnTokens::default();
        let session: SessionId = "00000000-0000-4000-8000-000000000000".parse().unwrap();
        let token = tokens.issue("ada", session.clone());
        let text = token.secret.expose().to_owned();
        let caller = tokens.caller(text.as_bytes()).unwrap();
        assert_eq!((caller.operator.name(), caller.session), ("agent for ada", Some(session)));
        assert_eq!(tokens.caller(b"another"), None);
        drop(token);
        assert_eq!(tokens.caller(text.as_bytes()), None);
    }
}
