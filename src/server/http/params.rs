//! What stands in a path or a query, with the contract's answer when it is not of the call's form.

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::server::failure::Failure;

/// The one parameter of a path. One that is no text names nothing that exists.
pub(super) struct Name(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|path| Name(path.0)).map_err(|_| Failure::NotFound)
    }
}

/// The parameters of a path that has several.
pub(super) struct Names<const N: usize>(pub [String; N]);

impl<S: Send + Sync, const N: usize> FromRequestParts<S> for Names<N> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<Vec<String>>::from_request_parts(parts, state).await.map_err(|_| Failure::NotFound)?;
        path.0.try_into().map(Names).map_err(|_| Failure::NotFound)
    }
}

/// The query.
pub(super) struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|query| Params(query.0)).map_err(|error| Failure::BadInput(error.body_text().to_lowercase()))
    }
}
