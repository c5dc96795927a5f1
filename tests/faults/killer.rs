//! The killer: SIGKILL to the server at a seeded moment, and it is started again. It knows nothing of clients but what
//! they have just seen.

use std::time::Duration;

use super::{
    board::{Board, SIGHTS},
    chance::Chance,
    server::Server,
};

/// When the server is killed next.
#[derive(Debug)]
enum Moment {
    /// So long after it was started, whether it listens yet or is still closing what the last one left open.
    WhileStarting(Duration),
    /// So long after it listens.
    After(Duration),
    /// As soon as somebody sees an entry of this kind, or a little later. At that moment its transaction is on disk and
    /// whatever follows it may not be.
    AtSight(&'static str, Option<Duration>),
}

/// How long the sight of an entry is waited for.
const SIGHT: Duration = Duration::from_millis(1500);

fn moment(chance: &mut Chance) -> Moment {
    match chance.between(1, 8) {
        1 => Moment::WhileStarting(chance.millis(150)),
        2 | 3 => Moment::After(Duration::from_millis(chance.between(50, 900))),
        // Now and then there is time for a whole mutation.
        4 => Moment::After(Duration::from_millis(chance.between(2000, 5000))),
        _ => Moment::AtSight(chance.pick(&SIGHTS), chance.one_in(2).then(|| chance.millis(3))),
    }
}

/// Kills a server that listens so many times. It listens again when this returns; an error says why it does not.
pub async fn run(server: &mut Server, mut chance: Chance, kills: u64, board: &Board) -> Result<(), String> {
    for number in 1..=kills {
        let moment = moment(&mut chance);
        board.say("killer", format!("kill {number} of {kills}: {moment:?}"));
        match moment {
            Moment::WhileStarting(pause) => {
                kill(server, board).await;
                server.start();
                tokio::time::sleep(pause).await;
            }
            Moment::After(pause) => tokio::time::sleep(pause).await,
            Moment::AtSight(kind, pause) => {
                if tokio::time::timeout(SIGHT, board.sight(kind)).await.is_ok() {
                    board.count("kills at sight");
                    if let Some(pause) = pause {
                        tokio::time::sleep(pause).await;
                    }
                }
            }
        }
        kill(server, board).await;
        server.start();
        server.listening(board).await.map_err(|why| format!("after kill {number}: {why}"))?;
    }
    board.say("killer", "is through");
    Ok(())
}

/// Kills the server, which must not have ended by itself.
pub async fn kill(server: &mut Server, board: &Board) {
    if server.kill().await {
        board.count("kills");
    } else if server.came_too_early() {
        board.count("starts too early");
    } else {
        board.fault("the server ended by itself".into());
    }
}
