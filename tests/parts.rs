//! The parts that the server renders, each from values: every standing, every look, every end of a run, with hostile text
//! in all that somebody else wrote. What they look like is written to `target/tmp/parts/`, one page a state.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "parts/values.rs"]
mod values;

use std::{fs, path::Path};

use breakglass::parts;
use domain::{
    ids::Millis,
    page::{Controls, Part},
    probe::{Disk, HostSays, Share, SshSays, Standing, Verdict},
    verb::{Lock, Mutation, Outcome, Verb},
};
use values::*;

/// The text of some HTML.
fn text(html: &str) -> String {
    let mut text = String::new();
    for piece in html.split('<').skip(1) {
        text.push_str(piece.split_once('>').unwrap().1);
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#x27;", "'").replace("&amp;", "&")
}

fn sheet(controls: &Controls) -> String {
    parts::of_page(controls).sheet
}

#[test]
fn each_standing_has_its_headline_its_reasons_and_what_it_recommends() {
    for (name, controls) in states() {
        let html = parts::part(Part::Strip, &controls);
        let said = text(&html);
        let Some(verdict) = &controls.status.verdict else {
            assert!(said.contains("Not looked at yet"), "{name}: {said}");
            continue;
        };
        assert!(said.contains(&verdict.headline), "{name}: {said}");
        for reason in &verdict.reasons {
            assert!(said.contains(reason), "{name}: {reason}");
        }
        match verdict.recommends {
            Some(verb) => {
                assert!(html.contains(&format!("href=\"#do-{verb}\"")), "{name}");
                assert!(sheet(&controls).contains(&format!("id=\"do-{verb}\"")), "the way leads somewhere: {name}");
                assert!(text(&parts::part(Part::Verbs, &controls)).contains("recommended"), "{name}");
            }
            None => assert!(!html.contains("href=\"#do-"), "{name}"),
        }
    }
}

#[test]
fn each_standing_is_said_in_a_line_too() {
    let lines: Vec<_> = states().iter().map(|(_, controls)| text(&parts::of_page(controls).glance)).collect();
    for (line, words) in lines.iter().zip([
        "devvm · all answers9 s ago",
        "devvm · busy9 s ago",
        "devvm · SSH is dead, the guest lives9 s ago",
        "devvm · the guest is silent9 s ago",
        "devvm · QEMU is stalled9 s ago",
        "devvm · stopped9 s ago",
        "devvm · cycle is running9 s ago",
        "devvm · all answers9 s ago",
        "devvm · nobody knows what became of the cycle9 s ago",
        "devvm · all answers9 s ago",
        "devvm · QEMU is stalled9 s ago",
        "devvm · unclear9 s ago",
        "devvm · not looked at yet",
    ]) {
        assert_eq!(line, words);
    }
}

#[test]
fn each_look_has_its_age_and_the_figures_are_pictures_with_words() {
    let html = parts::part(Part::Strip, &all_answers());
    let said = text(&html);
    for words in [
        "VM running",
        "QEMU up 3 d 2 h",
        "monitor answers",
        "guest agent answers",
        "12 s ago",
        "answers for 3 h 12 min",
        "9 s ago",
        "load 0.42 0.40 0.38",
        "11 %",
        "0.4 on 4 CPUs",
        "Memory",
        "53 %",
        "2.1 of 4.0 GiB",
        "/var/lib/docker",
        "92 %",
        "88.0 of 96.0 GiB",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(html.contains("<time data-age=\"12000\">12 s</time>"), "{html}");
    assert!(html.contains("<rect height=\"8\" width=\"92\"/>"), "{html}");
    assert_eq!(html.matches("data-look=\"full\"").count(), 1, "{html}");
}

#[test]
fn a_run_that_runs_says_for_how_long_and_how_far_the_way_is() {
    let said = text(&parts::part(Part::Run, &running()));
    for words in
        ["Cycle", "running · 47 s", "ada · ", "evidence taken", "+3 s", "stopped", "+9 s", "since 38 s", "SSH answers"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    let page = parts::of_page(&running());
    assert_eq!(page.under_way, Some(run_id(7)), "without script the page looks again");
    let strip = parts::part(Part::Strip, &running());
    assert!(strip.contains("data-moving") && strip.contains(&format!("data-running=\"{}\"", run_id(7))), "{strip}");
    assert!(text(&strip).contains("Cycle runs for ada · 47 s"));
}

#[test]
fn a_run_that_is_done_has_its_evidence_apart_with_its_picture_and_the_capture() {
    let html = parts::part(Part::Run, &done());
    let (evidence, output) = html.split_once("id=\"run-output\"").unwrap();
    assert!(evidence.contains("MemTotal: 65831204 kB") && !output.contains("MemTotal"), "{html}");
    assert!(output.contains("cycle: done: VM 102 is running"));
    let capture = "/api/pve/captures/20261120T120001.5-cycle.x7Kp2q";
    assert!(evidence.contains(&format!("<img loading=\"lazy\" src=\"{capture}/screenshot\"")), "{evidence}");
    assert!(evidence.contains(&format!("href=\"{capture}\" download")), "{evidence}");
    assert!(!evidence.contains("open>") && !evidence.contains(" open "), "the evidence is folded: {evidence}");
    let said = text(&html);
    for words in
        ["done · exit code 0 · 16 s", "cycle: done: VM 102 is running", "SSH answers+31 s", "3 looks and a picture"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(parts::of_page(&done()).under_way, None);
}

#[test]
fn an_unknown_outcome_says_what_goes_on_and_what_to_do_and_asks_for_an_override() {
    let html = sheet(&unknown());
    let said = text(&html);
    for words in [
        "outcome unknown",
        "carries it through by itself",
        "Check with status",
        "Nobody knows what became of the cycle that ada began",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(html.contains("data-unknown"), "what the style sheet shows the override by");
    assert_eq!(html.matches("name=\"override_unknown\"").count(), 4);
    assert!(!sheet(&done()).contains("data-unknown"));
}

#[test]
fn a_locked_target_says_who_since_when_and_why_and_offers_no_action_but_lifting_it() {
    let html = sheet(&locked());
    let said = text(&html);
    for words in [
        "devvm is locked",
        "grace",
        "for 46 min",
        "The disk is being moved",
        "Lift the lock",
        "Lift the lock above first",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(html.contains("name=\"locked\" value=\"false\"") && !html.contains("name=\"locked\" value=\"true\""));
    assert!(!html.contains("value=\"cycle\"") && html.contains("value=\"status\""), "looking is not affected");
    let open = sheet(&all_answers());
    assert!(open.contains("name=\"locked\" value=\"true\"") && open.contains("value=\"cycle\""));
    assert!(text(&open).contains("This VM also runs the VPN"));
}

#[test]
fn a_way_up_that_ended_short_of_its_end_says_so_and_one_that_never_began_does_not() {
    let lost = "It was not seen to come back";
    let mut controls = done();
    controls.status.way_up.as_mut().unwrap().steps.pop();
    let said = text(&parts::part(Part::Run, &controls));
    assert!(said.contains(lost) && said.contains("SSH answersnot seen"), "{said}");
    let way = controls.status.way_up.as_mut().unwrap();
    way.steps.truncate(1);
    way.failed = true;
    let said = text(&parts::part(Part::Run, &controls));
    assert!(!said.contains(lost) && !said.contains("SSH answers") && said.contains("evidence taken"), "{said}");
    assert!(!text(&parts::part(Part::Run, &done())).contains(lost));
}

#[test]
fn a_changed_key_shows_both_fingerprints_and_the_way_to_accept_the_new_one() {
    let html = parts::part(Part::Strip, &changed_keys());
    for words in ["SHA256:2Qv5", "SHA256:9fTz", "devvm has another host key", "The hypervisor has another host key"] {
        assert!(html.contains(words), "{words}");
    }
    assert_eq!(html.matches("action=\"/do/accept_key\"").count(), 2);
    assert!(html.contains("name=\"fingerprint\" value=\"SHA256:Zz1m"));
}

#[test]
fn the_history_names_who_when_how_long_and_what_became_of_it_and_leads_to_each_run() {
    let html = parts::part(Part::Runs, &done());
    let said = text(&html);
    for words in [
        "Cycle done · 16 s",
        "agent for ada",
        "Reset outcome unknown",
        "Start failed",
        "Stop refused",
        "2 earlier",
        "11:59 UTC",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(html.contains(&format!("href=\"?run={}#vm\"", run_id(7))), "{html}");
    assert!(text(&parts::part(Part::Runs, &all_answers())).contains("Nothing was run yet"));
}

#[test]
fn the_strip_says_when_another_part_was_made_of_something_else() {
    let marks = |controls: &Controls| {
        let strip = parts::part(Part::Strip, controls);
        let of = |html: &str, name: &str| {
            html.split_once(&format!("{name}=\"")).unwrap().1.split_once('"').unwrap().0.to_owned()
        };
        for (part, name) in [(Part::Run, "data-run"), (Part::Runs, "data-runs"), (Part::Verbs, "data-verbs")] {
            let there = parts::part(part, controls);
            let (_, of_strip) = strip.split_once("id=\"strip\"").unwrap();
            assert_eq!(of(&there, "data-mark"), of(of_strip, name), "{name}");
        }
        let (_, of_strip) = strip.split_once("id=\"strip\"").unwrap();
        ["data-run", "data-runs", "data-verbs"].map(|name| of(of_strip, name))
    };
    let before = marks(&done());
    assert_eq!(before, marks(&Controls { now: Millis(NOW + 60_000), ..done() }), "time alone changes none of them");
    let mut other = done();
    other.runs[2].outcome = Some(Outcome::Done);
    let [run, runs, verbs] = marks(&other);
    assert!(run != before[0] && runs != before[1] && verbs == before[2]);
    let mut other = done();
    other.status.way_up.as_mut().unwrap().steps.pop();
    let [run, runs, verbs] = marks(&other);
    assert!(run != before[0] && runs == before[1] && verbs == before[2]);
    assert_ne!(marks(&locked())[2], before[2]);
    assert_ne!(marks(&stalled())[2], before[2]);
}

#[test]
fn no_text_of_anybody_becomes_markup() {
    let mut controls = changed_keys();
    let hostile = || HOSTILE.to_owned();
    controls.surroundings.target = hostile();
    let status = &mut controls.status;
    status.note = Some(hostile());
    status.lock = Some(Lock { by: hostile(), since: ago(60), why: hostile() });
    status.running = Some(Mutation { by: hostile(), ..mutation(Verb::Cycle) });
    status.unknown = Some(Mutation { by: hostile(), ..mutation(Verb::Reset) });
    status.verdict = Some(Verdict {
        standing: Standing::Unclear,
        headline: hostile(),
        reasons: vec![hostile()],
        recommends: Some(Verb::Cycle),
    });
    status.hypervisor.as_mut().unwrap().says =
        HostSays::Answers { vm: hostile(), uptime: None, monitor: None, agent: None, vm_lock: Some(hostile()) };
    status.ssh.as_mut().unwrap().says = SshSays::Banner { software: hostile(), why: hostile() };
    for changed in &mut status.changed_keys {
        (changed.pinned, changed.seen) = (hostile(), hostile());
    }
    let mut run = cycle(Some(Outcome::Unknown));
    run.stdout = format!("== {HOSTILE} ==\n{HOSTILE}\n== end of forensics ==\ncapture: x\n{HOSTILE}\n");
    (run.by, run.stderr, run.detail) = (hostile(), hostile(), Some(hostile()));
    controls.run = Some(run);
    controls.runs = history();
    for run in &mut controls.runs {
        run.by = hostile();
    }
    let page = parts::of_page(&controls);
    for html in [&page.glance, &page.sheet] {
        for bad in ["<script", "<img src=x", " style=\""] {
            assert!(!html.contains(bad), "{bad} in {html}");
        }
        for tag in html.split('<').skip(1).map(|piece| piece.split_once('>').unwrap().0) {
            let names: String = tag.split('"').step_by(2).collect();
            assert!(!names.contains("onclick") && !names.contains("onerror"), "{tag}");
        }
    }
    assert!(page.sheet.matches("&lt;script&gt;").count() > 15);
    // And figures of any kind are drawn.
    let SshSays::Answers(mut figures) = answering() else { panic!() };
    figures.disks = vec![Disk { mount: hostile(), share: Share { used: u64::MAX, of: 0 } }];
    controls.status.ssh.as_mut().unwrap().says = SshSays::Answers(figures);
    assert!(!parts::part(Part::Strip, &controls).contains("<script"));
}

#[test]
fn each_state_can_be_looked_at() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("parts");
    fs::create_dir_all(&folder).unwrap();
    for (name, controls) in states() {
        let page = parts::of_page(&controls);
        let html = format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width, initial-scale=1\"><title>{name}</title><link rel=\"stylesheet\" \
             href=\"style.css\"></head><body><div id=\"console\" class=\"console\"><header class=\"bar\"><div \
             class=\"glance-place\">{}</div></header></div><div id=\"vm\" class=\"vm\">{}</div></body></html>",
            page.glance, page.sheet
        );
        fs::write(folder.join(format!("{name}.html")), html).unwrap();
    }
}
