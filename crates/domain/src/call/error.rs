//! How a call says that it did not work.

use serde::{Deserialize, Serialize};

/// The fixed words by which a script tells errors apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// 401: no valid credentials.
    Unauthenticated,
    /// 403: the request comes from another site.
    CrossSite,
    /// 404: there is nothing at this address.
    NotFound,
    /// 405: not with this method.
    MethodNotAllowed,
    /// 404: no such session.
    UnknownSession,
    /// 404: no such run.
    UnknownRun,
    /// 400: none of the six verbs.
    UnknownVerb,
    /// 422: no such preset.
    UnknownPreset,
    /// 422: the body or a parameter is not of the call's form.
    BadInput,
    /// 422: nothing but white space.
    PromptEmpty,
    /// 422: longer than the configuration allows.
    PromptTooLong,
    /// 413: the body is longer than the configuration allows.
    BodyTooLong,
    /// 409: a turn runs in this session.
    TurnRunning,
    /// 429: as many turns run as may.
    TooManyTurns,
    /// 409: another mutation runs on the target.
    MutationRunning,
    /// 409: nobody knows what became of the last mutation.
    OutcomeUnknown,
    /// 409: an operator locked the target.
    TargetLocked,
    /// 404: no such capture, or no such part of it.
    UnknownCapture,
    /// 502: the hypervisor gave no answer.
    HypervisorSilent,
    /// 404: the agent asked for no such permission.
    UnknownPermission,
    /// 404: this output is not kept.
    UnknownOutput,
    /// 409: the permission was decided, by somebody else or by time.
    AlreadyDecided,
    /// 409: this is not the host key that was seen.
    HostKeyNotSeen,
    /// 403: an agent may not make this call.
    NotForAgents,
    /// 422: the idempotency key was used with another body.
    KeyReused,
    /// 409: the call of this idempotency key is still running.
    KeyInProgress,
    /// 422: the idempotency key is not of the allowed form.
    KeyBad,
    /// 401: the sign-in code is wrong, spent or too old.
    CodeWrong,
    /// 503: the console is about to end.
    Ending,
    /// 507: the record cannot be written.
    StoreUnwritable,
    /// 500: a fault of ours; the log has the cause.
    Internal,
}

/// The body of every error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorBody {
    /// What happened and what to do next, in lower case.
    pub detail: String,
    /// The fixed word.
    pub code: Code,
}

/// What a person is told of an error: of [`ErrorBody`] the part that the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Told {
    /// What happened and what to do next.
    pub detail: String,
}
