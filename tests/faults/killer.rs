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
    /// As soon as somebody sees an entry of this kind, and this little later. At that moment its transaction is on disk
    /// and whatever follows it may not be.
    AtSight(&'static str, Duration),
}

/// How long the sight of an entry is waited for.
const SIGHT: Duration = Duration::from_millis(1500);

fn moment(chance: &mut Chance) -> Moment {
    match chance.between(1, 8) {
        1 => Moment::WhileStarting(chance.millis(150)),
        2..=4 => Moment::After(Duration::from_millis(chance.between(50, 900))),
        _ => Moment::AtSight(chance.pick(&SIGHTS), chance.millis(3)),
    }
}

/// Kills a server that listens so many times. It listens again when this returns.
pub async fn run(server: &mut Server, mut chance: Chance, kills: u64, board: &Board) {
    for kill in 1..=kills {
        let moment = moment(&mut chance);
        board.say("killer", format!("kill {kill} of {kills}: {moment:?}"));
        match moment {
            Moment::WhileStarting(pause) => {
                if !server.kill().await {
                    board.fault(format!("before kill {kill} the server had ended by itself"));
                }
                server.start();
                tokio::time::sleep(pause).await;
            }
            Moment::After(pause) => tokio::time::sleep(pause).await,
            Moment::AtSight(kind, pause) => {
                if tokio::time::timeout(SIGHT, board.sight(kind)).await.is_ok() {
                    board.count("kills at sight");
                    tokio::time::sleep(pause).await;
                }
            }
        }
        if !server.kill().await {
            board.fault(format!("before kill {kill} the server had ended by itself"));
        }
        board.count("kills");
        server.start();
        if let Err(why) = server.listening().await {
            board.fault(format!("after kill {kill}: {why}"));
            return;
        }
    }
    board.say("killer", "is through");
}
