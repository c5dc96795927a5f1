//! The console: all that a call can reach, and the calls themselves, as the JSON API and the page's forms both make
//! them. It knows a status and a body, and no request.

use std::{path::PathBuf, sync::Arc};

use axum::response::Response;
use domain::{
    call::{AcceptKey, Cancelled, DecisionInput, LockInput, Locked, PromptInput, Run, VerbInput},
    ids::SessionId,
    page::{Frame, Page, SessionList, SignIn, Surroundings, Theme},
    permission::Choice,
    preset::Presets,
    probe::{KeyHost, TargetStatus},
    turn::check_prompt,
    verb::{Lock, Verb},
};
use redact::Redactor;
use tokio_util::sync::CancellationToken;

use super::{
    Held, Renderer,
    assets::Assets,
    auth::{Gate, Operator},
    check::{self, Checker},
    config::Limits,
    disk::Disk,
    failure::Failure,
    flash::Flashes,
    fresh,
    idempotency::Once,
    power::{self, Ask, Power, Standing, live::LiveRun},
    probe::Prober,
    sessions::{Prompt, SessionError, Sessions, backend::Task, permissions::Verdict, session::Session},
    store::{Form, Intent, Store, StoredAnswer},
};

/// Everything. Cheap to clone.
#[derive(Clone)]
pub struct Console(Arc<Parts>);

/// What the console is made of.
pub struct Parts {
    pub store: Store,
    pub sessions: Arc<Sessions>,
    pub power: Arc<Power>,
    pub presets: Presets,
    /// Takes secrets out of what is sent to somebody.
    pub redactor: Redactor,
    pub gate: Gate,
    pub once: Once,
    pub flashes: Flashes,
    pub assets: Assets,
    pub limits: Limits,
    pub surroundings: Surroundings,
    /// Holds one folder per session.
    pub sessions_dir: PathBuf,
    pub renderer: Renderer,
    pub disk: Disk,
    /// Looks at the target, and remembers what it saw.
    pub prober: Arc<Prober>,
    /// Records what became of the target after what may have changed it, where that is wanted.
    pub checker: Option<Arc<Checker>>,
    /// Cancelled when the server is about to end: streams say so and end.
    pub ending: CancellationToken,
    pub(super) _held: Held,
}

impl std::ops::Deref for Console {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The longest reason of a lock, in characters.
const LOCK_WHY: usize = 200;

/// A name that a CLI takes for a model and for nothing else.
fn is_model(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:/@[]".contains(c);
    !text.starts_with('-') && (1..=100).contains(&text.len()) && text.chars().all(plain)
}

impl Console {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        Console(Arc::new(parts))
    }

    /// The page as an answer.
    pub async fn render(&self, page: Page, theme: Theme) -> Response {
        (self.renderer.page)(page, self.frame(theme)).await
    }

    /// The sign-in page as an answer.
    pub async fn render_sign_in(&self, sign_in: SignIn, theme: Theme) -> Response {
        (self.renderer.sign_in)(sign_in, self.frame(theme)).await
    }

    /// The list of sessions as an answer.
    pub async fn render_sessions(&self, list: SessionList, theme: Theme) -> Response {
        (self.renderer.sessions)(list, self.frame(theme)).await
    }

    fn frame(&self, theme: Theme) -> Frame {
        Frame { names: self.assets.names(), theme }
    }

    /// The session of this id, given as text.
    pub async fn session(&self, id: &str) -> Result<Arc<Session>, Failure> {
        let id: SessionId = id.parse()?;
        Ok(self.sessions.get(&id).await?)
    }

    /// Opens a session. `recorded` makes of it what its key is answered.
    pub async fn open_session(&self, recorded: Option<(Intent, Form<SessionId>)>) -> Result<SessionId, Failure> {
        let id = fresh::session_id();
        let recorded = recorded.map(|(intent, form)| (intent, form(&id)));
        self.sessions.create(recorded, id.clone()).await?;
        Ok(id)
    }

    /// A session in which nothing happened yet: the newest, if it is one, so that a refused first prompt leaves no trail
    /// of empty ones.
    pub async fn empty_session(&self) -> Result<Arc<Session>, Failure> {
        match self.sessions.newest().await? {
            Some(newest) if newest.head().is_empty() => Ok(newest),
            _ => {
                let id = self.open_session(None).await?;
                Ok(self.sessions.get(&id).await?)
            }
        }
    }

    /// Says what a prompt is, or what is wrong with it.
    pub fn checked_prompt(&self, input: PromptInput) -> Result<Prompt, Failure> {
        let PromptInput { prompt, model, steer, preset, without_ai } = input;
        if let Some(model) = &model
            && !is_model(model)
        {
            return Err(Failure::BadInput("a model is named by up to 100 letters, digits and . _ : / @ - [ ]".into()));
        }
        let task = match (prompt, preset) {
            (Some(_), Some(_)) => {
                return Err(Failure::BadInput("give either a prompt or a preset, not both".into()));
            }
            (None, Some(id)) => {
                let preset = id.parse().ok().and_then(|id| self.presets.get(&id));
                Task::Preset(preset.ok_or(Failure::UnknownPreset(id))?.clone())
            }
            (text, None) => {
                let text = text.unwrap_or_default();
                check_prompt(&text, self.limits.prompt_bytes).map_err(Failure::Prompt)?;
                Task::Words { text, model }
            }
        };
        Ok(Prompt { task, steer, without_ai })
    }

    /// Begins a turn. `recorded` is what its key is answered, written with the prompt itself.
    pub async fn prompt(
        &self,
        operator: &Operator,
        session: &Arc<Session>,
        prompt: Prompt,
        recorded: Option<(Intent, StoredAnswer)>,
    ) -> Result<(), Failure> {
        Ok(self.sessions.prompt(session, prompt, operator.name().to_owned(), recorded).await?)
    }

    /// Tells the running turn to stop.
    pub fn cancel(&self, operator: &Operator, session: &Session) -> Cancelled {
        Cancelled { cancelled: self.sessions.cancel(session, operator.name()) }
    }

    /// Decides a permission that the agent asked for. `recorded` is what its key is answered, written with the decision.
    pub async fn decide(
        &self,
        operator: &Operator,
        session: &Arc<Session>,
        input: DecisionInput,
        recorded: Option<(Intent, StoredAnswer)>,
    ) -> Result<(), Failure> {
        let DecisionInput { request_id, decision, message, answers } = input;
        let message = message.filter(|message| !message.trim().is_empty());
        if message.is_some() && decision != Choice::Deny {
            return Err(Failure::BadInput(
                "a message goes with a denial; to tell the agent something else, send a prompt with steer".into(),
            ));
        }
        for text in message.iter().chain(answers.values()).filter(|text| !text.is_empty()) {
            check_prompt(text, self.limits.prompt_bytes).map_err(Failure::Prompt)?;
        }
        let verdict = Verdict { decision: decision.into(), message, answers };
        Ok(self.sessions.decide(session, &request_id, verdict, operator.name(), recorded).await?)
    }

    /// All that is known of the target, as it was last seen.
    pub fn target_status(&self) -> TargetStatus {
        let Standing { running, unknown, lock, .. } = self.power.standing();
        TargetStatus { running, unknown, lock, ..self.prober.status() }
    }

    /// Forbids mutations of the target, or allows them again; an agent cannot.
    pub async fn set_lock(&self, operator: &Operator, input: LockInput) -> Result<Locked, Failure> {
        let LockInput { locked, why } = input;
        let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
        if why.chars().count() > LOCK_WHY {
            return Err(Failure::BadInput(format!(
                "the reason of a lock has at most {LOCK_WHY} characters: shorten it"
            )));
        }
        let by = operator.name().to_owned();
        let lock = locked.then(|| Lock { by: by.clone(), since: fresh::now(), why });
        tracing::info!(%by, locked, "the target's lock");
        self.power.set_lock(lock.clone()).await?;
        Ok(Locked { lock })
    }

    /// Believes a host key that changed, if it is the one that is seen now.
    pub async fn accept_host_key(&self, operator: &Operator, input: &AcceptKey) -> Result<(), Failure> {
        let AcceptKey { host, fingerprint } = input;
        match host {
            KeyHost::Hypervisor => self.power.accept_host_key(fingerprint).await?,
            KeyHost::Target => self.prober.accept_key(fingerprint).await?,
        }
        tracing::info!(by = operator.name(), ?host, %fingerprint, "a host key was accepted");
        Ok(())
    }

    /// Begins a run of a verb. `recorded` makes of it what its key is answered, should the server die now.
    pub async fn begin_verb(
        &self,
        operator: &Operator,
        verb: Verb,
        input: VerbInput,
        recorded: Option<(Intent, Form<Run>)>,
    ) -> Result<Result<Arc<LiveRun>, power::Rejected>, Failure> {
        let session = match input.session_id {
            // A rescue is not refused because its session cannot be read.
            Some(id) => match self.sessions.get(&id).await {
                Ok(session) => Some(session),
                Err(SessionError::Store(error)) => {
                    tracing::error!(%error, "the session of a run cannot be read");
                    None
                }
                Err(error) => return Err(error.into()),
            },
            None => None,
        };
        let override_unknown = input.override_unknown;
        let by = operator.name().to_owned();
        let told = session.clone();
        let ask = Ask { verb, by, session, override_unknown, recorded, stop: CancellationToken::new() };
        let begun = self.power.begin(ask).await;
        if let Ok(run) = &begun {
            check::follow(&self.prober, self.checker.as_ref(), run, told);
        }
        Ok(begun)
    }
}
