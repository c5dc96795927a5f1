//! The load: who acts on the server, from the first session to the last restart, and what evidence is left of it. It
//! judges nothing.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use domain::ids::SessionId;
use serde_json::json;
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{
    board::Board,
    calls::Calls,
    chance::Chance,
    check::Log,
    check_power::Runs,
    client::Client,
    killer,
    prompter::{Asked, Prompter},
    record,
    seen::Seen,
    server::{Server, host_at_work},
    tapper::{Tap, Tapper},
};

/// One more than turns may run at once, so that some prompts are told to wait.
const SESSIONS: usize = 4;
/// Two in each session, so that they get in each other's way.
const PROMPTERS: usize = 2 * SESSIONS;

/// A run to be made.
pub struct Load {
    pub seed: u64,
    pub kills: u64,
    pub folder: PathBuf,
    pub board: Board,
}

/// What is left of it.
pub struct Evidence {
    /// Clients by name, with their session.
    pub clients: Vec<(String, String, Seen)>,
    pub asked: Vec<Asked>,
    pub taps: Vec<Tap>,
    pub logs: Vec<Log>,
    pub runs: Runs,
    /// What the commands wrote.
    pub effects: String,
}

impl Load {
    /// Makes the run. An error says why the server does not come up again.
    pub async fn run(self) -> Result<Evidence, String> {
        let board = &self.board;
        let mut server = Server::place(&self.folder, &mut self.chance("port"));
        server.start();
        server.listening(board).await?;
        let calls = Calls::new(server.address(), board.clone());
        let data = server.data();

        let over = CancellationToken::new();
        let (goal, goals): (Vec<_>, Vec<_>) = (0..SESSIONS).map(|_| watch::channel(None)).unzip();
        let acting = self.act(&calls, server.address().to_owned(), data.clone(), goals, over.clone());
        let killing = async {
            killer::run(&mut server, self.chance("killer"), self.kills, board).await?;
            over.cancel();
            Ok::<_, String>(())
        };
        let ((sessions, clients, asked, taps), ()) = tokio::try_join!(async { Ok(acting.await) }, killing)?;

        // Once more, with turns open and nobody's call under way; then the record is what it is.
        killer::kill(&mut server, board).await;
        server.start();
        server.listening(board).await?;
        self.idle(&calls, &sessions).await;
        let mut logs = Vec::new();
        for (session, goal) in sessions.iter().zip(goal) {
            let log = record::log(server.address(), session).await;
            self.compare_pages(&calls, &log).await;
            goal.send_replace(Some(log.frames.len() as u64));
            logs.push(log);
        }
        let mut held = Vec::new();
        for (name, session, client) in clients {
            held.push((name, session, client.await.unwrap()));
        }
        while host_at_work(&data) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let effects = std::fs::read_to_string(self.effects()).unwrap_or_default();
        Ok(Evidence { clients: held, asked, taps, logs, runs: record::runs(&data), effects })
    }

    fn chance(&self, actor: &str) -> Chance {
        Chance::of(self.seed, actor)
    }

    fn effects(&self) -> PathBuf {
        self.folder.join("effects")
    }

    /// Opens the sessions and lets everybody act on them until it is over.
    async fn act(
        &self,
        calls: &Calls,
        address: String,
        data: PathBuf,
        goals: Vec<watch::Receiver<Option<u64>>>,
        over: CancellationToken,
    ) -> (Vec<String>, Vec<(String, String, tokio::task::JoinHandle<Seen>)>, Vec<Asked>, Vec<Tap>) {
        let mut chance = self.chance("opener");
        let mut sessions = Vec::new();
        for number in 0..SESSIONS {
            let told = calls.until_answered("/api/session", &format!("open-{number}"), &json!({}), &mut chance).await;
            sessions.push(told.body["session_id"].as_str().unwrap().to_owned());
        }
        let mut clients = Vec::new();
        for (number, (session, goal)) in sessions.iter().zip(goals).enumerate() {
            for (kind, lanes) in [("browser", 1), ("stray", chance.between(2, 3))] {
                let (name, session) = (format!("{kind} {number}"), session.clone());
                let seen = Arc::new(Mutex::new(Seen::default()));
                let (address, board, goal) = (address.clone(), self.board.clone(), goal.clone());
                let client = Client { name: name.clone(), address, session: session.clone(), board, seen, goal };
                clients.push((name, session, tokio::spawn(client.run(self.seed, lanes))));
            }
        }
        let mut prompters = JoinSet::new();
        for number in 0..PROMPTERS {
            let name = format!("p{number}");
            let (session, chance) = (sessions[number % SESSIONS].clone(), self.chance(&name));
            let prompter = Prompter { name, session, calls: calls.clone(), chance, effects: self.effects() };
            prompters.spawn(prompter.run(over.clone()));
        }
        let session: SessionId = sessions[0].parse().unwrap();
        let tapper = Tapper { calls: calls.clone(), chance: self.chance("tapper"), session, data };
        let taps = tapper.run(over).await;
        (sessions, clients, prompters.join_all().await.concat(), taps)
    }

    /// Waits until no turn runs and checks that there are the sessions that were opened and no others.
    async fn idle(&self, calls: &Calls, opened: &[String]) {
        loop {
            let listed = calls.get("/api/session").await;
            let listed = listed["sessions"].as_array().unwrap();
            let active = listed.iter().any(|session| session["turn_active"] == json!(true));
            let mut ids: Vec<_> = listed.iter().map(|session| session["id"].as_str().unwrap()).collect();
            let mut opened: Vec<_> = opened.iter().map(String::as_str).collect();
            ids.sort_unstable();
            opened.sort_unstable();
            if !active {
                if ids != opened {
                    self.board.fault(format!("opened were {opened:?}, and there are {ids:?}"));
                }
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The log in pages is the log on the stream.
    async fn compare_pages(&self, calls: &Calls, log: &Log) {
        let mut pages = Vec::new();
        let mut before = log.frames.len() as u64;
        while before > 0 {
            let page = calls.get(&format!("/api/session/{}/entries?limit=1000&before={before}", log.session)).await;
            let mut page: Vec<domain::event::Entry> = serde_json::from_value(page["entries"].clone()).unwrap();
            before = page.first().map_or(0, |entry| entry.id.0);
            page.extend(std::mem::take(&mut pages));
            pages = page;
        }
        if pages != log.entries() {
            self.board.fault(format!("the pages of {} are not what its stream replays", log.session));
        }
    }
}
