//! What the program does for a terminal on the console's own machine, beside a server or without one.

use domain::{call::VerbAnswer, ids::SessionId, verb::Verb};
use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

use super::{
    StartError, auth,
    claim::claim,
    config::Config,
    export::{self, Around, Form},
    local_origin,
    power::{Ask, Power},
    power_config, sessions,
    store::{Store, StoreError},
};

/// Runs a verb without a server: for a terminal on the console's machine, when none answers.
pub async fn run_verb(config: Config, verb: Verb) -> Result<VerbAnswer, StartError> {
    let store = Store::open(&config.data_dir, config.limits.store_bytes)?;
    let _claimed = claim(&config.data_dir)?;
    config.hypervisor.prepare().map_err(StartError::Practice)?;
    let power = Power::open(power_config(&config), store).await?;
    let ask = Ask {
        verb,
        by: "terminal".into(),
        session: None,
        override_unknown: false,
        recorded: None,
        stop: CancellationToken::new(),
    };
    Ok(match power.begin(ask).await {
        Ok(live) => live.wait().await.answer(),
        Err(rejected) => rejected.answer(verb),
    })
}

/// Writes a session out, whole, beside a server or without one.
pub async fn export(
    config: Config,
    session: &SessionId,
    form: Form,
    mut out: impl std::io::Write,
) -> Result<(), ExportError> {
    let store = Store::open(&config.data_dir, config.limits.store_bytes)?;
    let found = store.session(session.clone()).await?.ok_or_else(|| ExportError::Unknown(session.clone()))?;
    match form {
        Form::Markdown => {
            let around = Around {
                redactor: export::redactor(&config),
                target: config.target_name,
                practice: config.practice,
                status: None,
            };
            let report = export::report(&store, sessions::summary_of(found), around).await?;
            out.write_all(report.as_bytes())?;
        }
        Form::Jsonl => {
            let mut lines = std::pin::pin!(export::lines(store, session.clone()));
            while let Some(piece) = lines.next().await {
                out.write_all(&piece?)?;
            }
        }
    }
    Ok(out.flush()?)
}

/// Why a session was not written out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("there is no session {0} on this record")]
    Unknown(SessionId),
    #[error("cannot write: {0}")]
    Write(#[from] std::io::Error),
}

/// Makes a sign-in link from the terminal, beside the server that runs or before it does.
pub async fn sign_in_link(config: Config) -> Result<String, StartError> {
    if !config.auth.trusted_proxies.is_empty() {
        return Err(StartError::SignInByProxy);
    }
    let store = Store::open(&config.data_dir, config.limits.store_bytes)?;
    let code = auth::sign_in::make_code(&store).await?;
    let origin = config.auth.public_origin.unwrap_or_else(|| local_origin(config.listen));
    Ok(auth::sign_in::link(&origin, &code))
}
