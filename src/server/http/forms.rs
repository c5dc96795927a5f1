//! The forms' endpoints, behind the server functions of `api.rs`. The page's own script is answered with a
//! [`FormAnswer`]; a form without script is answered with a redirect to the page that shows what came of it, with the
//! text that was typed kept in a flash.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use domain::{
    call::{AcceptKey, Code, DecisionInput, FormAnswer, LockInput, PromptInput, Run, VerbInput},
    ids::SessionId,
    page::Flash,
    permission::Choice,
    probe::KeyHost,
    verb::Verb,
};
use leptos::{prelude::*, server_fn::axum::get_server_fn_service};
use leptos_axum::ResponseOptions;
use serde::Serialize;

use super::{call, pages};
use crate::server::{
    auth::Operator,
    console::Console,
    failure::Failure,
    idempotency::{Answer, answer},
    sessions::SessionError,
    store::{Form, Intent, StoredAnswer},
};

/// Hands a form to its server function.
pub(super) async fn endpoint(operator: Operator, State(console): State<Console>, request: Request) -> Response {
    if get_server_fn_service(request.uri().path(), request.method().clone()).is_none() {
        return Failure::NotFound.into_response();
    }
    // Server functions read whatever comes, so the limit is kept here.
    let (parts, body) = request.into_parts();
    let body = match call::bounded(&parts.headers, body, console.limits.body_bytes).await {
        Ok(body) => body,
        Err(failure) => return failure.into_response(),
    };
    let form = FormCall { operator, console, html: pages::wants_html(&parts.headers) };
    let request = Request::from_parts(parts, Body::from(body));
    leptos_axum::handle_server_fns_with_context(move || provide_context(form.clone()), request).await.into_response()
}

/// A decision as its form sends it.
#[derive(Serialize)]
pub(crate) struct DecisionForm {
    pub session: String,
    pub key: String,
    pub request: String,
    pub decision: Choice,
    pub message: String,
    pub questions: Vec<String>,
    /// The options chosen and what was written, for each question.
    pub answers: Vec<Vec<String>>,
}

/// A form that an operator sent.
#[derive(Clone)]
pub(crate) struct FormCall {
    operator: Operator,
    console: Console,
    /// True when the page that follows must be made by us.
    html: bool,
}

impl FormCall {
    /// The form that this server function is called for.
    pub(crate) fn current() -> Result<Self, ServerFnError> {
        use_context().ok_or_else(|| ServerFnError::new("this is called through its form only"))
    }

    fn intent(&self, key: &str, body: &impl Serialize) -> Result<Intent, Failure> {
        let path = use_context::<Parts>().map_or_else(String::new, |parts| parts.uri.path().to_owned());
        let body = serde_json::to_vec(body).unwrap_or_default();
        Ok(call::intent_of(self.operator.name(), &path, call::checked_key(key)?, &body))
    }

    /// Begins a turn, in a new session when there is none or the one that was named is gone. A preset's button sends
    /// what stands in the field along with it; that stays a draft.
    pub(crate) async fn prompt(
        self,
        session: String,
        key: String,
        typed: String,
        preset: String,
        runbook: String,
        steer: bool,
    ) -> FormAnswer {
        let without_ai = !runbook.is_empty();
        let preset = if without_ai { runbook } else { preset };
        let (prompt, preset) = if preset.is_empty() { (Some(typed.clone()), None) } else { (None, Some(preset)) };
        let by_preset = preset.is_some();
        let input = PromptInput { prompt, preset, without_ai, steer, ..PromptInput::default() };
        let answered = self.try_prompt(&session, &key, input).await;
        let keep = by_preset || !matches!(answered, Ok(FormAnswer::Started { .. }));
        self.settle(answered, &session, if keep { typed } else { String::new() }, "")
    }

    async fn try_prompt(&self, session: &str, key: &str, input: PromptInput) -> Result<FormAnswer, Failure> {
        // How it is delivered is no part of what is meant: what may have begun a turn is not delivered into it as well.
        let intent = self.intent(key, &(session, &PromptInput { steer: false, ..input.clone() }))?;
        let (console, operator) = (self.console.clone(), self.operator.clone());
        let prompt = console.checked_prompt(input)?;
        let (session, recording) = (session.to_owned(), intent.clone());
        let work = async move {
            let here = if session.is_empty() { None } else { Some(console.session(&session).await) };
            let session = match here {
                Some(Ok(session)) => session,
                None | Some(Err(Failure::Session(SessionError::Unknown(_)) | Failure::NotAnId(_))) => {
                    console.empty_session().await?
                }
                Some(Err(failure)) => return Err(failure),
            };
            let stored = answer(200, &FormAnswer::Started { session_id: session.id.clone() });
            console.prompt(&operator, &session, prompt, Some((recording, stored.clone()))).await?;
            Ok(Answer { stored, executed: true })
        };
        form_answer(self.console.once.run(&self.console.store, Some(intent), work).await?)
    }

    /// Opens a session.
    pub(crate) async fn open(self, session: String, key: String) -> FormAnswer {
        let answered = self.try_open(&key).await;
        self.settle(answered, &session, String::new(), "")
    }

    async fn try_open(&self, key: &str) -> Result<FormAnswer, Failure> {
        let intent = self.intent(key, &())?;
        let (console, recording) = (self.console.clone(), intent.clone());
        let opened = |id: &SessionId| answer(200, &FormAnswer::Opened { session_id: id.clone() });
        let work = async move {
            let id = console.open_session(Some((recording, opened as Form<SessionId>))).await?;
            Ok(Answer { stored: opened(&id), executed: true })
        };
        form_answer(self.console.once.run(&self.console.store, Some(intent), work).await?)
    }

    /// Puts a session away, or back, and goes back to the list.
    pub(crate) async fn archive(self, session: String, key: String, archived: bool, q: String) -> FormAnswer {
        let answered = self.try_archive(&session, &key, archived).await;
        let worked = answered.is_ok();
        let answered = self.settle(answered, &session, String::new(), "");
        if self.html && worked {
            let q: String = q.bytes().map(|byte| format!("%{byte:02x}")).collect();
            // Who brings one back stands in the archive.
            let place = if archived { "" } else { "&archived=true" };
            see_other(&format!("/sessions?q={q}{place}"));
        }
        answered
    }

    async fn try_archive(&self, session: &str, key: &str, archived: bool) -> Result<FormAnswer, Failure> {
        let intent = self.intent(key, &(session, archived))?;
        let session = self.console.session(session).await?;
        let console = self.console.clone();
        let work = async move {
            console.sessions.archive(&session, archived).await?;
            Ok(Answer { stored: answer(200, &FormAnswer::Archived { archived }), executed: true })
        };
        form_answer(self.console.once.run(&self.console.store, Some(intent), work).await?)
    }

    /// Stops the running turn.
    pub(crate) async fn stop(self, session: String) -> FormAnswer {
        let answered = self.console.session(&session).await.map(|session| FormAnswer::Cancelled {
            cancelled: self.console.cancel(&self.operator, &session).cancelled,
        });
        self.settle(answered, &session, String::new(), "")
    }

    /// Decides a permission. `answers` are those to each of `questions`, of which the empty ones were not given.
    pub(crate) async fn decide(self, form: DecisionForm) -> FormAnswer {
        let session = form.session.clone();
        let answered = self.try_decide(form).await;
        self.settle(answered, &session, String::new(), "")
    }

    async fn try_decide(&self, form: DecisionForm) -> Result<FormAnswer, Failure> {
        let intent = self.intent(&form.key, &form)?;
        let session = self.console.session(&form.session).await?;
        let DecisionForm { request, decision, message, questions, answers, .. } = form;
        // A browser sends the end of a line as two characters; the agent knows its questions by their text.
        let as_asked = |text: String| text.replace("\r\n", "\n");
        let chosen = answers.into_iter().map(|answers| {
            let given = answers.into_iter().filter(|answer| !answer.trim().is_empty());
            given.map(as_asked).collect::<Vec<_>>().join(", ")
        });
        let questions = questions.into_iter().map(as_asked);
        let answers = questions.zip(chosen).filter(|(_, answer)| !answer.is_empty()).collect();
        let input = DecisionInput {
            request_id: request,
            decision,
            message: Some(message).filter(|_| decision == Choice::Deny),
            answers,
        };
        let (console, operator, recording) = (self.console.clone(), self.operator.clone(), intent.clone());
        let work = async move {
            let stored = answer(200, &FormAnswer::Decided { decision });
            console.decide(&operator, &session, input, Some((recording, stored.clone()))).await?;
            Ok(Answer { stored, executed: true })
        };
        form_answer(self.console.once.run(&self.console.store, Some(intent), work).await?)
    }

    /// Begins a run of a verb.
    pub(crate) async fn verb(self, session: String, key: String, verb: String, override_unknown: bool) -> FormAnswer {
        let answered = self.try_verb(&session, &key, &verb, override_unknown).await;
        self.settle(answered, &session, String::new(), "#vm")
    }

    async fn try_verb(
        &self,
        session: &str,
        key: &str,
        verb: &str,
        override_unknown: bool,
    ) -> Result<FormAnswer, Failure> {
        let intent = self.intent(key, &(session, verb, override_unknown))?;
        let verb: Verb = verb.parse()?;
        let (console, operator, recording) = (self.console.clone(), self.operator.clone(), intent.clone());
        // A session that is gone must not cost a rescue: the run is then recorded without one.
        let session_id = match session.parse() {
            Ok(id) => console.sessions.get(&id).await.is_ok().then_some(id),
            Err(_) => None,
        };
        let running = |run: &Run| answer(200, &FormAnswer::Running { run_id: run.run_id.clone() });
        let work = async move {
            let input = VerbInput { session_id, override_unknown };
            let recorded = Some((recording, running as Form<Run>));
            Ok(match console.begin_verb(&operator, verb, input, recorded).await? {
                Ok(live) => Answer { stored: running(&live.run()), executed: true },
                Err(rejected) => {
                    let told = rejected.answer(verb);
                    let failed = FormAnswer::Failed {
                        status: if told.code.is_some() { 409 } else { 502 },
                        detail: told.detail.unwrap_or_default(),
                        overridable: told.code == Some(Code::OutcomeUnknown),
                    };
                    Answer { stored: answer(200, &failed), executed: false }
                }
            })
        };
        form_answer(self.console.once.run(&self.console.store, Some(intent), work).await?)
    }

    /// Sets the lock that forbids mutations, or lifts it.
    pub(crate) async fn lock(self, session: String, key: String, locked: bool, why: String) -> FormAnswer {
        let answered = self.try_lock(&session, &key, locked, why).await;
        self.settle(answered, &session, String::new(), "#vm")
    }

    async fn try_lock(&self, session: &str, key: &str, locked: bool, why: String) -> Result<FormAnswer, Failure> {
        let intent = self.intent(key, &(session, locked, &why))?;
        let (console, operator) = (self.console.clone(), self.operator.clone());
        let work = async move {
            console.set_lock(&operator, LockInput { locked, why }).await?;
            Ok(Answer { stored: answer(200, &FormAnswer::Noted {}), executed: true })
        };
        form_answer(self.console.once.run(&self.console.store, Some(intent), work).await?)
    }

    /// Accepts a host key in place of the one that was pinned.
    pub(crate) async fn accept_key(
        self,
        session: String,
        key: String,
        host: KeyHost,
        fingerprint: String,
    ) -> FormAnswer {
        let answered = self.try_accept_key(&session, &key, host, fingerprint).await;
        self.settle(answered, &session, String::new(), "#vm")
    }

    async fn try_accept_key(
        &self,
        session: &str,
        key: &str,
        host: KeyHost,
        fingerprint: String,
    ) -> Result<FormAnswer, Failure> {
        let intent = self.intent(key, &(session, host, &fingerprint))?;
        let (console, operator) = (self.console.clone(), self.operator.clone());
        let work = async move {
            console.accept_host_key(&operator, &AcceptKey { host, fingerprint }).await?;
            Ok(Answer { stored: answer(200, &FormAnswer::Noted {}), executed: true })
        };
        form_answer(self.console.once.run(&self.console.store, Some(intent), work).await?)
    }

    /// Makes the answer, and for a form without script the redirect to the page that shows it.
    fn settle(
        &self,
        answered: Result<FormAnswer, Failure>,
        session: &str,
        draft: String,
        fragment: &str,
    ) -> FormAnswer {
        let answered = answered.unwrap_or_else(|failure| {
            // Another try of the same tap is at work: what came of it is asked for again.
            let status = match failure {
                Failure::KeyInProgress => 503,
                _ => failure.status().0.as_u16(),
            };
            FormAnswer::Failed { status, detail: failure.body().detail, overridable: false }
        });
        if self.html {
            let here = session.parse::<SessionId>().map_or_else(|_| "/".to_owned(), |id| format!("/s/{id}"));
            let (path, query, flash) = match &answered {
                FormAnswer::Started { session_id } | FormAnswer::Opened { session_id } => {
                    let kept = (!draft.is_empty()).then(|| Flash { draft, ..Flash::default() });
                    (format!("/s/{session_id}"), String::new(), kept)
                }
                FormAnswer::Cancelled { .. }
                | FormAnswer::Decided { .. }
                | FormAnswer::Archived { .. }
                | FormAnswer::Noted {} => (here, String::new(), None),
                FormAnswer::Running { run_id } => (here, format!("?run={run_id}"), None),
                FormAnswer::Failed { detail, .. } => {
                    (here, String::new(), Some(Flash { detail: detail.clone(), draft, ..Flash::default() }))
                }
            };
            let query = match flash {
                Some(flash) => format!("?flash={}", self.console.flashes.leave(self.operator.name(), flash)),
                None => query,
            };
            see_other(&format!("{path}{query}{fragment}"));
        }
        answered
    }
}

/// Sends the browser on with a GET. The path is made of ids of ours, so it is always a header.
fn see_other(path: &str) {
    if let (Some(response), Ok(path)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(path)) {
        response.set_status(StatusCode::SEE_OTHER);
        response.insert_header(header::LOCATION, path);
    }
}

fn form_answer(stored: StoredAnswer) -> Result<FormAnswer, Failure> {
    serde_json::from_str(&stored.body).map_err(|error| Failure::Fault(format!("a stored form answer: {error}")))
}
