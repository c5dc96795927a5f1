//! What a caller is told when something did not work: one place that makes a status and a body of every error. What a
//! person can act on is told; the cause of a fault of ours goes to the log, once.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    call::{Code, ErrorBody},
    host::NotACapture,
    ids::{NotAnId, RunId},
    turn::{PromptProblem, Refused},
    verb::UnknownVerb,
};

use super::{
    power::{NoCapture, NotAccepted},
    probe::NotSeen,
    sessions::SessionError,
    store::StoreError,
};

/// Everything that can be answered but success.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("not signed in: {0}")]
    Unauthenticated(String),
    #[error(
        "this request comes from another site ({0}): open the console at its own address, or, behind a proxy, set \
         BREAKGLASS_PUBLIC_ORIGIN to the one that people open"
    )]
    CrossSite(String),
    #[error("there is nothing at this address: the console is at /, and the README lists the calls")]
    NotFound,
    #[error("this address does not take that method: the README lists the calls with theirs")]
    MethodNotAllowed,
    #[error(transparent)]
    NotAnId(#[from] NotAnId),
    #[error("there is no run {0}")]
    UnknownRun(RunId),
    #[error(transparent)]
    UnknownVerb(#[from] UnknownVerb),
    #[error("there is no preset {0:?}: GET /api/presets lists them")]
    UnknownPreset(String),
    #[error("{0}")]
    BadInput(String),
    #[error("{0}")]
    Prompt(PromptProblem),
    #[error("the body is longer than {limit} bytes (BREAKGLASS_BODY_MAX_BYTES): shorten it")]
    BodyTooLong { limit: usize },
    #[error(transparent)]
    NotACapture(#[from] NotACapture),
    #[error("{0}")]
    NoCapture(#[from] NoCapture),
    #[error("{0}")]
    HostKey(#[from] NotAccepted),
    #[error(transparent)]
    TargetKey(#[from] NotSeen),
    #[error("this output is not kept: what there is of it stands in the transcript")]
    UnknownOutput,
    #[error("an agent's turn may run verbs and nothing else: ask the operator to do this")]
    NotForAgents,
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error("this idempotency key was used with another body: make a new key for a new intent")]
    KeyReused,
    #[error("the call of this idempotency key is still running: repeat it in a moment")]
    KeyInProgress,
    #[error("an idempotency key is 1 to 255 visible ascii characters: send a uuid")]
    KeyBad,
    #[error("this code is wrong, spent or older than ten minutes: `breakglass sign-in-link` makes a new one")]
    CodeWrong,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Fault(String),
}

impl Failure {
    /// The status and the fixed word.
    pub fn status(&self) -> (StatusCode, Code) {
        match self {
            Failure::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, Code::Unauthenticated),
            Failure::CrossSite(_) => (StatusCode::FORBIDDEN, Code::CrossSite),
            Failure::NotFound => (StatusCode::NOT_FOUND, Code::NotFound),
            Failure::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, Code::MethodNotAllowed),
            Failure::NotAnId(not) if not.expected == "run id" => (StatusCode::NOT_FOUND, Code::UnknownRun),
            Failure::NotAnId(_) => (StatusCode::NOT_FOUND, Code::UnknownSession),
            Failure::UnknownRun(_) => (StatusCode::NOT_FOUND, Code::UnknownRun),
            Failure::UnknownVerb(_) => (StatusCode::BAD_REQUEST, Code::UnknownVerb),
            Failure::UnknownPreset(_) => (StatusCode::UNPROCESSABLE_ENTITY, Code::UnknownPreset),
            Failure::BadInput(_) => (StatusCode::UNPROCESSABLE_ENTITY, Code::BadInput),
            Failure::Prompt(PromptProblem::Empty) => (StatusCode::UNPROCESSABLE_ENTITY, Code::PromptEmpty),
            Failure::Prompt(PromptProblem::TooLong { .. }) => (StatusCode::UNPROCESSABLE_ENTITY, Code::PromptTooLong),
            Failure::BodyTooLong { .. } => (StatusCode::PAYLOAD_TOO_LARGE, Code::BodyTooLong),
            Failure::Session(SessionError::Unknown(_)) => (StatusCode::NOT_FOUND, Code::UnknownSession),
            Failure::Session(SessionError::Refused(Refused::TurnRunning) | SessionError::Steer(_)) => {
                (StatusCode::CONFLICT, Code::TurnRunning)
            }
            Failure::Session(SessionError::UnknownPermission(_)) => (StatusCode::NOT_FOUND, Code::UnknownPermission),
            Failure::Session(SessionError::AlreadyDecided) => (StatusCode::CONFLICT, Code::AlreadyDecided),
            Failure::NotACapture(_) | Failure::NoCapture(NoCapture::Unknown(_)) => {
                (StatusCode::NOT_FOUND, Code::UnknownCapture)
            }
            Failure::NoCapture(_) | Failure::HostKey(NotAccepted::Silent(_)) => {
                (StatusCode::BAD_GATEWAY, Code::HypervisorSilent)
            }
            Failure::HostKey(NotAccepted::Unwritable(_)) => (StatusCode::INSUFFICIENT_STORAGE, Code::StoreUnwritable),
            Failure::HostKey(NotAccepted::NotPinned | NotAccepted::Other { .. }) => {
                (StatusCode::CONFLICT, Code::HostKeyNotSeen)
            }
            Failure::UnknownOutput => (StatusCode::NOT_FOUND, Code::UnknownOutput),
            Failure::TargetKey(_) => (StatusCode::CONFLICT, Code::HostKeyNotSeen),
            Failure::NotForAgents => (StatusCode::FORBIDDEN, Code::NotForAgents),
            Failure::Session(SessionError::Ending) => (StatusCode::SERVICE_UNAVAILABLE, Code::Ending),
            Failure::Session(SessionError::Refused(Refused::TooManyTurns { .. })) => {
                (StatusCode::TOO_MANY_REQUESTS, Code::TooManyTurns)
            }
            Failure::Session(SessionError::Store(_)) | Failure::Store(_) => {
                (StatusCode::INSUFFICIENT_STORAGE, Code::StoreUnwritable)
            }
            Failure::KeyReused => (StatusCode::UNPROCESSABLE_ENTITY, Code::KeyReused),
            Failure::KeyInProgress => (StatusCode::CONFLICT, Code::KeyInProgress),
            Failure::KeyBad => (StatusCode::UNPROCESSABLE_ENTITY, Code::KeyBad),
            Failure::CodeWrong => (StatusCode::UNAUTHORIZED, Code::CodeWrong),
            Failure::Fault(_) => (StatusCode::INTERNAL_SERVER_ERROR, Code::Internal),
        }
    }

    /// What the caller is told. It says nothing private; what it leaves out is logged here.
    pub fn body(&self) -> ErrorBody {
        let (_, code) = self.status();
        let detail = match self {
            Failure::Session(SessionError::Store(error)) | Failure::Store(error) => {
                tracing::error!(%error, "a call failed on the record");
                store_words(error)
            }
            Failure::Fault(cause) => {
                tracing::error!(cause, "a call failed on a fault of the console");
                "a fault of the console: try again, and if it stays look into its log".into()
            }
            told => told.to_string(),
        };
        ErrorBody { detail, code }
    }
}

fn store_words(error: &StoreError) -> String {
    match error {
        StoreError::Full => "the console's disk is full, so nothing new can be recorded: make room there and send \
                             again; the vm controls work all the same"
            .into(),
        StoreError::ReadOnly => "the console's record cannot be written: check its data directory and send again; \
                                 the vm controls work all the same"
            .into(),
        StoreError::Hangs => {
            "the console's disk does not answer: send again when it does; the vm controls work all the \
                              same"
                .into()
        }
        StoreError::Sqlite(_) | StoreError::Folder { .. } | StoreError::Closed => {
            "the console's record failed: send again, and if it stays look into its log; the vm controls work all the same".into()
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, _) = self.status();
        let mut response = (status, Json(self.body())).into_response();
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
