//! The sign-in page: a field and a button, and the way to a code. It is rendered on the server and has no script.

use domain::page::{Frame, SignIn};
use leptos::{either::Either, prelude::*};

use super::{
    icons::Icon,
    shell::{Metas, chosen},
};

/// The whole document.
#[component]
pub fn SignInShell() -> impl IntoView {
    let SignIn { by_code, code, words, practice } = expect_context();
    let Frame { names, theme } = expect_context();
    let body = if by_code {
        Either::Left(view! {
            <form method="post" action="/sign-in" class="sign-in-form">
                <label for="code">"Code"</label>
                <input
                    id="code" name="code" value=code autocomplete="one-time-code" autocapitalize="characters"
                    spellcheck="false" inputmode="text" required maxlength="32"
                />
                <button class="confirm-button">"Sign in"</button>
            </form>
            <p>"Run " <code>"breakglass sign-in-link"</code> " on the console's machine for a new code. It works once, for ten minutes."</p>
        })
    } else {
        Either::Right(
            view! { <p>"A proxy in front of this console signs people in. Open the console at that proxy's address."</p> },
        )
    };
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=chosen(theme)>
            <head>
                <Metas title="Sign in · breakglass".to_owned() theme=theme/>
                <link rel="stylesheet" href=names.css.clone()/>
            </head>
            <body class="sign-in">
                <main>
                    <p class="mark"><Icon name="mark"/>"breakglass"</p>
                    {practice.then(|| view! { <strong class="practice">"PRACTICE"</strong> })}
                    <h1>"Sign in"</h1>
                    {(!words.is_empty()).then(|| view! { <p class="warning" role="alert">{words}</p> })}
                    {body}
                </main>
            </body>
        </html>
    }
}
