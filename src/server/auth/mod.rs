//! Who may act. An [`Operator`] can be had here and nowhere else, and every handler that acts takes one.
//!
//! Fail closed: a bearer token, the user header of a trusted proxy, or the cookie of a sign-in; else 401. The first of
//! them that is *there* decides: a wrong bearer token is not made good by a cookie.

pub mod agents;
pub mod origin;
pub mod sign_in;

use std::net::IpAddr;

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use subtle::ConstantTimeEq;

use self::{
    agents::{TurnTokens, VerbCaller},
    sign_in::Desk,
};
use super::{config::AuthConfig, failure::Failure, fresh, listener::Peer, store::Store};

/// Somebody who may act. Its name goes on record with everything they do.
///
/// **Invariant:** only this module makes one, after having looked at credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    name: String,
}

/// The operator's name when the bearer token was given.
const SCRIPT: &str = "script";
/// The cookie of a sign-in.
pub const COOKIE: &str = "breakglass_sign_in";
/// The longest name that a proxy may give.
const NAME_CHARS: usize = 64;

impl Operator {
    /// Under which name they act.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Who has shown credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    Operator(Operator),
    /// The agent of a turn that runs: it may call verbs and nothing else.
    Agent(VerbCaller),
}

/// What a user header was worth.
enum FromProxy {
    Nothing,
    Untrusted(IpAddr),
    Operator(Operator),
}

/// Looks at credentials.
#[derive(Debug)]
pub struct Gate {
    pub config: AuthConfig,
    pub desk: Desk,
    pub turns: TurnTokens,
}

impl Gate {
    /// True when people sign in by a code from the terminal, which is only where no proxy does it for them.
    pub fn has_sign_in(&self) -> bool {
        self.config.trusted_proxies.is_empty()
    }

    /// True when people open the console over https, so that cookies are for https only.
    pub fn is_https(&self) -> bool {
        self.config.public_origin.as_deref().is_some_and(|origin| origin.starts_with("https://"))
    }

    /// Whose credentials these are.
    pub async fn known(&self, headers: &HeaderMap, peer: IpAddr, store: &Store) -> Result<Known, Failure> {
        if let Some(given) = headers.get(header::AUTHORIZATION) {
            return self.bearer(given.as_bytes());
        }
        let untrusted = match self.named_by_proxy(headers, peer)? {
            FromProxy::Operator(operator) => return Ok(Known::Operator(operator)),
            FromProxy::Untrusted(peer) => Some(peer),
            FromProxy::Nothing => None,
        };
        if self.has_sign_in()
            && let Some(token) = cookie(headers, COOKIE)
            && let Some(name) = self.desk.operator(token, store).await?
        {
            return Ok(Known::Operator(Operator { name }));
        }
        if let Some(untrusted) = untrusted {
            tracing::warn!(peer = %untrusted, "a user header came from a peer that BREAKGLASS_TRUSTED_PROXIES does not name");
            return Err(Failure::Unauthenticated(format!(
                "the {} header came from {untrusted}, which is no trusted proxy: BREAKGLASS_TRUSTED_PROXIES names those",
                self.config.user_header
            )));
        }
        Err(Failure::Unauthenticated(if self.has_sign_in() {
            "open the link that `breakglass sign-in-link` prints, or send a bearer token".into()
        } else {
            "sign in at the proxy in front of this console, or send a bearer token".into()
        }))
    }

    fn bearer(&self, given: &[u8]) -> Result<Known, Failure> {
        let given = given.strip_prefix(b"Bearer ").unwrap_or_default();
        if let Some(caller) = self.turns.caller(given) {
            return Ok(Known::Agent(caller));
        }
        let Some(expected) = &self.config.bearer else {
            return Err(Failure::Unauthenticated("this console has no bearer token: set API_BEARER_TOKEN".into()));
        };
        // Digests have one length, so that the comparison tells nothing about the token's.
        let (given, expected) = (fresh::digest(given), fresh::digest(expected.expose().as_bytes()));
        if given.as_bytes().ct_eq(expected.as_bytes()).into() {
            Ok(Known::Operator(Operator { name: SCRIPT.into() }))
        } else {
            Err(Failure::Unauthenticated(
                "the bearer token is wrong: send the one that the console was started with as API_BEARER_TOKEN".into(),
            ))
        }
    }

    fn named_by_proxy(&self, headers: &HeaderMap, peer: IpAddr) -> Result<FromProxy, Failure> {
        let mut names = headers.get_all(&self.config.user_header).iter();
        let Some(name) = names.next() else {
            return Ok(FromProxy::Nothing);
        };
        let peer = peer.to_canonical();
        if !self.config.trusted_proxies.iter().any(|network| network.contains(&peer)) {
            return Ok(FromProxy::Untrusted(peer));
        }
        let name = name.to_str().map(str::trim).unwrap_or_default();
        let plain = !name.is_empty() && name.chars().count() <= NAME_CHARS && !name.chars().any(char::is_control);
        if !plain || names.next().is_some() {
            return Err(Failure::Unauthenticated(format!(
                "the proxy's {} header does not hold exactly one name",
                self.config.user_header
            )));
        }
        Ok(FromProxy::Operator(Operator { name: name.to_owned() }))
    }
}

/// The value of one cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name).then_some(value)
        })
}

/// Who is at the other end of the connection.
pub fn peer(parts: &Parts) -> IpAddr {
    // A router without connection info sees strangers, whom no proxy setting names.
    parts.extensions.get::<ConnectInfo<Peer>>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.0.ip())
}

/// A handler that takes an `Operator` runs for nobody else: the router's gate put it there, having looked.
impl<S: Send + Sync> FromRequestParts<S> for Operator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let unknown = || match parts.extensions.get::<VerbCaller>() {
            Some(_) => Failure::NotForAgents,
            None => Failure::Unauthenticated("open the console's address and sign in, or send a bearer token".into()),
        };
        parts.extensions.get::<Operator>().cloned().ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::server::config::Secret;

    async fn ask(
        proxies: &[&str],
        bearer: Option<&str>,
        headers: &[(&'static str, &str)],
        peer: &str,
    ) -> Result<String, Failure> {
        let gate = Gate {
            config: AuthConfig {
                bearer: bearer.map(Secret::from),
                user_header: "x-authentik-username".into(),
                trusted_proxies: proxies.iter().map(|text| text.parse().unwrap()).collect(),
                public_origin: None,
            },
            desk: Desk::default(),
            turns: TurnTokens::default(),
        };
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), 0).unwrap();
        let headers =
            headers.iter().map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_str(value).unwrap()));
        let headers: HeaderMap = headers.collect();
        gate.known(&headers, peer.parse().unwrap(), &store).await.map(|known| match known {
            Known::Operator(operator) => operator.name,
            Known::Agent(_) => panic!("there is no turn"),
        })
    }

    #[tokio::test]
    async fn nothing_configured_lets_nobody_in() {
        assert!(ask(&[], None, &[], "127.0.0.1").await.is_err());
        let told = ask(&[], None, &[("x-authentik-username", "ada")], "127.0.0.1").await.unwrap_err().to_string();
        assert!(told.contains("BREAKGLASS_TRUSTED_PROXIES"), "{told}");
        assert!(ask(&[], None, &[("authorization", "Bearer ")], "127.0.0.1").await.is_err());
        assert!(ask(&[], None, &[("cookie", "breakglass_sign_in=x")], "127.0.0.1").await.is_err());
    }

    #[tokio::test]
    async fn a_bearer_token_must_be_the_very_one() {
        assert_eq!(ask(&[], Some("s3cret"), &[("authorization", "Bearer s3cret")], "10.0.0.9").await.unwrap(), SCRIPT);
        for wrong in ["Bearer s3cre", "Bearer s3cret ", "bearer s3cret", "s3cret", "Basic s3cret", "Bearer "] {
            assert!(ask(&[], Some("s3cret"), &[("authorization", wrong)], "10.0.0.9").await.is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_proxy_is_believed_only_from_its_network() {
        let ada = [("x-authentik-username", "ada")];
        assert_eq!(ask(&["10.0.0.0/8"], None, &ada, "10.1.2.3").await.unwrap(), "ada");
        assert_eq!(ask(&["10.0.0.0/8"], None, &ada, "::ffff:10.1.2.3").await.unwrap(), "ada");
        let refused = ask(&["10.0.0.0/8"], None, &ada, "192.168.0.1").await.unwrap_err().to_string();
        assert!(refused.contains("BREAKGLASS_TRUSTED_PROXIES"));
        let two = [("x-authentik-username", "ada"), ("x-authentik-username", "eve")];
        assert!(ask(&["10.0.0.0/8"], None, &two, "10.1.2.3").await.is_err());
        assert!(ask(&["10.0.0.0/8"], None, &[("x-authentik-username", " ")], "10.1.2.3").await.is_err());
    }

    #[tokio::test]
    async fn a_wrong_bearer_token_is_not_made_good_by_a_proxy() {
        let both = [("authorization", "Bearer x"), ("x-authentik-username", "ada")];
        assert!(ask(&["10.0.0.0/8"], Some("s3cret"), &both, "10.1.2.3").await.is_err());
    }
}
