//! Runs by their id: each id runs once, and what became of it can be asked for, whatever was lost meanwhile.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::Barrier;
use std::thread;

use super::*;
use crate::harness::sshd::eventually;

const RUN: &str = "1e111111-2222-4333-8444-555555555555";
const OTHER: &str = "1e111111-2222-4333-8444-555555555556";

/// What `run ID` says: the value of one of its lines, and the output.
struct Account {
    text: String,
    code: Option<i32>,
}

impl Account {
    fn of(hypervisor: &Hypervisor, id: &str) -> Self {
        let output = finish(&mut hypervisor.verb(&format!("run {id}")));
        Self { text: text(&output.stdout).to_owned(), code: output.status.code() }
    }

    fn line(&self, name: &str) -> Option<&str> {
        let (head, _) = self.text.split_once("\noutput:\n").unwrap();
        head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    fn output(&self) -> &str {
        self.text.split_once("\noutput:\n").unwrap().1
    }
}

fn begin(hypervisor: &Hypervisor, sshd: &Sshd, command: &str) -> Child {
    hypervisor.configure("PRACTICE_SECONDS=2");
    let client = sshd.ssh("pve").arg(command).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    hypervisor.wait_until_stopped();
    client
}

#[test]
fn a_run_with_an_id_can_be_asked_for_when_it_is_over() {
    let (hypervisor, sshd) = reachable();
    let output = over_ssh(&sshd, format!("cycle {RUN}"));
    assert_ends(&output, 0, "cycle: done: VM 102 is running");
    let account = over_ssh(&sshd, format!("run {RUN}"));
    assert_eq!(account.status.code(), Some(0));
    let (head, kept) = text(&account.stdout).split_once("output:\n").unwrap();
    assert_eq!(kept, text(&output.stdout));
    let lines: Vec<_> = head.lines().collect();
    let began = lines[4].strip_prefix("began: 20").unwrap();
    assert!(began.ends_with('Z'), "{head}");
    let expected = [&*format!("run: {RUN}"), "verb: cycle", "vm: 102", "from: 127.0.0.1", lines[4], "state: done 0"];
    assert_eq!(lines, expected);
    assert_eq!(hypervisor.captures().len(), 1);
}

#[test]
fn a_failed_run_is_kept_with_its_exit_code() {
    let hypervisor = Hypervisor::practice();
    finish(&mut hypervisor.verb("stop"));
    assert_eq!(finish(&mut hypervisor.verb(&format!("reset {RUN}"))).status.code(), Some(1));
    let account = Account::of(&hypervisor, RUN);
    assert_eq!((account.code, account.line("state"), account.line("verb")), (Some(0), Some("done 1"), Some("reset")));
    assert!(account.output().ends_with("only a running VM can be reset: use start\n"), "{}", account.output());
}

#[test]
fn an_id_of_which_nothing_is_known_is_said_to_be_unknown() {
    let hypervisor = Hypervisor::practice();
    let account = Account::of(&hypervisor, RUN);
    assert_eq!((account.code, account.line("state"), account.line("began")), (Some(1), Some("unknown"), None));
    assert_eq!(account.output(), "");
}

#[test]
fn a_run_that_was_called_off_before_it_arrived_never_begins() {
    let hypervisor = Hypervisor::practice();
    for _ in 0..2 {
        let told = finish(&mut hypervisor.verb(&format!("void {RUN}")));
        let told = (told.status.code(), text(&told.stdout).contains("\nverb: void\n"));
        assert_eq!(told, (Some(0), true), "also when it is asked for again");
    }
    let late = finish(&mut hypervisor.verb(&format!("cycle {RUN}")));
    assert_eq!(late.status.code(), Some(64));
    assert!(text(&late.stderr).contains("was called off before it arrived"), "{}", text(&late.stderr));
    assert_eq!(hypervisor.calls(), [], "nothing was done");
    let account = Account::of(&hypervisor, RUN);
    assert_eq!((account.line("verb"), account.line("state")), (Some("void"), Some("done 64")));
}

#[test]
fn a_run_that_began_is_not_called_off_any_more() {
    let (hypervisor, sshd) = reachable();
    let mut client = begin(&hypervisor, &sshd, &format!("cycle {RUN}"));
    let told = over_ssh(&sshd, format!("void {RUN}"));
    assert!(text(&told.stdout).contains("\nverb: cycle\n") && text(&told.stdout).contains("\nstate: running\n"));
    assert!(client.wait().unwrap().success());
    assert_eq!((hypervisor.count("stop"), hypervisor.vm().0), (1, true));
}

#[test]
fn a_run_that_could_not_be_kept_is_not_called_off_while_it_may_be_the_one_at_work() {
    let (hypervisor, sshd) = reachable();
    hypervisor.configure("LIVE=/dev/null/live");
    let mut client = begin(&hypervisor, &sshd, &format!("cycle {RUN}"));
    hypervisor.configure(&format!("LIVE={}", hypervisor.path("live").display()));
    let told = over_ssh(&sshd, format!("void {RUN}"));
    assert!(text(&told.stdout).contains("\nstate: unknown\n") && !text(&told.stdout).contains("began:"), "{told:?}");
    assert!(client.wait().unwrap().success());
    assert_eq!((hypervisor.count("stop"), hypervisor.vm().0), (1, true));
}

#[test]
fn whichever_comes_first_of_a_run_and_its_calling_off_holds_for_both() {
    let hypervisor = Hypervisor::practice();
    for n in 0..20 {
        let id = format!("{}{n:02}", &RUN[..RUN.len() - 2]);
        let before = hypervisor.count("reset");
        let (ran, told) = thread::scope(|scope| {
            let run = scope.spawn(|| finish(&mut hypervisor.verb(&format!("reset {id}"))).status.code());
            let off = scope.spawn(|| finish(&mut hypervisor.verb(&format!("void {id}"))));
            (run.join().unwrap(), text(&off.join().unwrap().stdout).to_owned())
        });
        let called_off = told.contains("\nverb: void\n");
        let done = hypervisor.count("reset") - before;
        assert_eq!((ran, done), if called_off { (Some(64), 0) } else { (Some(0), 1) }, "{told}");
    }
}

#[test]
fn the_same_id_again_runs_nothing_and_gives_the_same_answer() {
    let (hypervisor, sshd) = reachable();
    let first = over_ssh(&sshd, format!("cycle {RUN}"));
    let pid = hypervisor.vm().1;
    let second = over_ssh(&sshd, format!("cycle {RUN}"));
    assert_eq!((second.status.code(), text(&second.stdout)), (Some(0), text(&first.stdout)));
    assert!(text(&second.stderr).contains("has begun before and is not run again"), "{second:?}");
    assert_eq!((hypervisor.vm().1, hypervisor.count("stop"), hypervisor.captures().len()), (pid, 1, 1));
    let other = over_ssh(&sshd, format!("reset {RUN}"));
    assert_eq!((other.status.code(), text(&other.stdout)), (Some(64), ""));
    assert!(text(&other.stderr).contains(&format!("the run {RUN} is a cycle; a new run needs a new id")), "{other:?}");
}

#[test]
fn an_id_that_is_sent_many_times_at_once_runs_once() {
    let hypervisor = Hypervisor::practice();
    hypervisor.configure("PRACTICE_SECONDS=1");
    let barrier = Barrier::new(16);
    let outputs: Vec<_> = thread::scope(|scope| {
        let send = || {
            barrier.wait();
            finish(&mut hypervisor.verb(&format!("cycle {RUN}")))
        };
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(send)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for output in &outputs {
        assert_ends(output, 0, "cycle: done: VM 102 is running");
        assert_eq!(text(&output.stdout), text(&outputs[0].stdout));
    }
    assert_eq!((hypervisor.count("stop"), hypervisor.count("start"), hypervisor.captures().len()), (1, 1, 1));
}

#[test]
fn a_run_whose_connection_was_lost_is_followed_to_its_end_by_its_id() {
    let (hypervisor, sshd) = reachable();
    let mut client = begin(&hypervisor, &sshd, &format!("cycle {RUN}"));
    sshd.connections()[0].cut();
    client.wait().unwrap();
    let account = Account::of(&hypervisor, RUN);
    assert_eq!(account.line("state"), Some("running"));
    assert!(account.output().contains("\ncycle: stopping VM 102\n"), "{}", account.output());
    let followed = over_ssh(&sshd, format!("cycle {RUN}"));
    assert_ends(&followed, 0, "cycle: done: VM 102 is running");
    assert!(text(&followed.stdout).starts_with("cycle: VM 102, forensics first\n"), "from its beginning");
    assert_eq!((hypervisor.count("stop"), hypervisor.count("start")), (1, 1));
    assert_eq!(Account::of(&hypervisor, RUN).line("state"), Some("done 0"));
}

#[test]
fn wherever_it_is_cut_off_a_cycle_is_carried_through_once_and_its_id_tells_how_it_ended() {
    let (hypervisor, sshd) = reachable();
    let whole = over_ssh(&sshd, format!("cycle {RUN}"));
    let lines = text(&whole.stdout).lines().count();
    for point in 0..20 {
        let command = format!("cycle 1e111111-2222-4333-8444-6666666666{point:02}");
        let before = (hypervisor.count("stop"), hypervisor.count("start"));
        let mut client = sshd.ssh("pve").arg(&command).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let printed = BufReader::new(client.stdout.take().unwrap()).lines();
        let read = printed.take(point * lines / 20).filter(Result::is_ok).count();
        // The client is killed in any case, and before it what it is connected to.
        for connection in sshd.connections() {
            match point % 3 {
                0 => connection.cut(),
                1 => connection.kill_command(),
                _ => {}
            }
        }
        client.kill().unwrap();
        client.wait().unwrap();
        let told = over_ssh(&sshd, &command);
        assert_ends(&told, 0, "cycle: done: VM 102 is running");
        hypervisor.wait_until_idle();
        assert_eq!((hypervisor.count("stop"), hypervisor.count("start")), (before.0 + 1, before.1 + 1), "line {read}");
        assert!(hypervisor.vm().0);
    }
}

#[test]
fn a_run_that_was_refused_for_another_never_was_and_its_id_is_free() {
    let (hypervisor, sshd) = reachable();
    let mut first = begin(&hypervisor, &sshd, &format!("cycle {RUN}"));
    let refused = over_ssh(&sshd, format!("reset {OTHER}"));
    assert_eq!(refused.status.code(), Some(75));
    let refusal = text(&refused.stderr).trim_end();
    assert!(refusal.ends_with(&format!(" UTC, run {RUN}")), "{refusal}");
    let account = Account::of(&hypervisor, OTHER);
    assert_eq!((account.line("state"), account.line("began")), (Some("unknown"), None));
    first.wait().unwrap();
    assert_eq!(over_ssh(&sshd, format!("reset {OTHER}")).status.code(), Some(0));
}

#[test]
fn a_run_whose_worker_was_killed_is_unknown_and_is_not_run_again_even_after_the_host_restarted() {
    let hypervisor = Hypervisor::practice();
    // qm is the child of timeout, and that is the child of the worker.
    hypervisor.put_before_qm("[ $1 != reset ] || kill -KILL \"$(cut -d' ' -f4 /proc/$PPID/stat)\"");
    let command = format!("reset {RUN}");
    assert_eq!(finish(&mut hypervisor.verb(&command)).status.code(), Some(137));
    hypervisor.put_before_qm("");
    eventually("the run is on disk", || hypervisor.path("runs").join(RUN).join("about").exists());
    for _restart in [false, true] {
        let account = Account::of(&hypervisor, RUN);
        assert_eq!((account.line("state"), account.line("verb")), (Some("unknown"), Some("reset")));
        assert!(account.line("began").is_some());
        let again = finish(&mut hypervisor.verb(&command));
        assert_ends(&again, 70, "reset: the end of this run is not known: ask for status");
        assert_eq!(hypervisor.count("reset"), 1);
        // The memory is what a restart empties.
        let _ = fs::remove_dir_all(hypervisor.path("live"));
    }
}

#[test]
fn a_run_that_ended_is_known_after_the_host_restarted() {
    let hypervisor = Hypervisor::practice();
    let output = finish(&mut hypervisor.verb(&format!("stop {RUN}")));
    eventually("the run is on disk", || hypervisor.path("runs").join(RUN).join("end").exists());
    fs::remove_dir_all(hypervisor.path("live")).unwrap();
    let account = Account::of(&hypervisor, RUN);
    assert_eq!((account.line("state"), account.output()), (Some("done 0"), text(&output.stdout)));
    finish(&mut hypervisor.verb("start"));
    assert_eq!(text(&finish(&mut hypervisor.verb(&format!("stop {RUN}"))).stdout), account.output());
    assert!(hypervisor.vm().0, "it was not stopped again");
}

#[test]
fn without_a_disk_an_id_still_runs_once_and_without_memory_it_runs_all_the_same() {
    let hypervisor = Hypervisor::practice();
    hypervisor.configure("RUNS=/dev/null/runs");
    for _ in 0..2 {
        assert_ends(
            &finish(&mut hypervisor.verb(&format!("reset {RUN}"))),
            0,
            "reset: done: VM 102 was reset and is running",
        );
    }
    assert_eq!(hypervisor.count("reset"), 1);
    hypervisor.configure("LIVE=/dev/null/live");
    let output = finish(&mut hypervisor.verb(&format!("reset {OTHER}")));
    assert_ends(&output, 0, "reset: done: VM 102 was reset and is running");
    assert!(text(&output.stderr).contains("the run cannot be kept in /dev/null/live; it goes on all the same"));
}

#[test]
fn the_newest_fifty_runs_are_kept() {
    let hypervisor = Hypervisor::practice();
    let id = |number: usize| format!("00000000-0000-4000-8000-0000000000{number:02}");
    for folder in ["live/runs", "runs"] {
        for number in 10..70 {
            let run = hypervisor.path(folder).join(id(number));
            fs::create_dir_all(&run).unwrap();
            fs::write(run.join("end"), "0\n").unwrap();
            let touched =
                Command::new("touch").arg("-d").arg(format!("@{}", 1_577_836_800 + number)).arg(&run).status();
            assert!(touched.unwrap().success());
        }
    }
    finish(&mut hypervisor.verb(&format!("reset {RUN}")));
    let kept = |folder: &str| fs::read_dir(hypervisor.path(folder)).unwrap().count();
    eventually("the oldest are gone", || kept("live/runs") == 50 && kept("runs") == 50);
    for folder in ["live/runs", "runs"] {
        assert!(hypervisor.path(folder).join(RUN).join("about").exists());
        assert!(!hypervisor.path(folder).join(id(20)).exists() && hypervisor.path(folder).join(id(21)).exists());
    }
}

#[test]
fn a_run_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let hypervisor = Hypervisor::practice();
    finish(&mut hypervisor.verb(&format!("reset {RUN}")));
    let mode = |path: &str| fs::metadata(hypervisor.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode("live"), mode("live/runs"), mode(&format!("live/runs/{RUN}"))], [0o700; 3]);
    assert_eq!(mode(&format!("live/runs/{RUN}/output")), 0o600);
}
