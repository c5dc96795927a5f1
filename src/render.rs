//! Rendering on the server: page data in, an answer with its content security policy out. It joins `ui`, `parts` and
//! `server`, which do not know each other.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, header},
};
use domain::page::{Frame, Page, SessionList, SignIn};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_axum::{ResponseOptions, render_app_async_with_context};

use crate::{
    parts,
    server::{Rendered, Renderer},
    ui::{sessions::SessionsShell, shell::Shell, sign_in::SignInShell},
};

/// What the server renders with.
pub fn renderer() -> Renderer {
    Renderer { page, sign_in, sessions, parts: parts::of_page, part: parts::part, side: parts::side }
}

fn page(page: Page, frame: Frame) -> Rendered {
    let context = move || {
        set_policy();
        provide_context(page.clone());
        provide_context(frame.clone());
    };
    Box::pin(render_app_async_with_context(context, || view! { <Shell/> })(anonymous()))
}

fn sign_in(sign_in: SignIn, frame: Frame) -> Rendered {
    let context = move || {
        set_policy();
        provide_context(sign_in.clone());
        provide_context(frame.clone());
    };
    Box::pin(render_app_async_with_context(context, || view! { <SignInShell/> })(anonymous()))
}

fn sessions(list: SessionList, frame: Frame) -> Rendered {
    let context = move || {
        set_policy();
        provide_context(list.clone());
        provide_context(frame.clone());
    };
    Box::pin(render_app_async_with_context(context, || view! { <SessionsShell/> })(anonymous()))
}

/// All that a page shows is in its data, so the request that it answers is none of its concern.
fn anonymous() -> Request {
    Request::new(Body::empty())
}

/// Puts the policy on the answer that is being rendered: what runs carries this answer's nonce or is a file of ours.
fn set_policy() {
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>()) else {
        return;
    };
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

#[cfg(test)]
mod tests {
    use leptos::server_fn::ServerFn;

    use crate::{api, parts};

    #[test]
    fn the_parts_forms_go_to_the_endpoints_that_there_are() {
        assert_eq!(parts::RUN_VERB, api::RunVerb::PATH);
        assert_eq!(parts::SET_LOCK, api::SetLock::PATH);
        assert_eq!(parts::ACCEPT_KEY, api::AcceptHostKey::PATH);
    }
}
