//! The page's body: header, transcript, controls, and the VM sheet beside or above them.

use leptos::prelude::*;

use super::{composer::Controls, header::Header, transcript::TranscriptView, vm::VmSheet};

/// All of the body.
#[component]
pub fn App() -> impl IntoView {
    view! {
        <div id="console" class="console">
            <Header/>
            <TranscriptView/>
            <Controls/>
        </div>
        <VmSheet/>
    }
}
