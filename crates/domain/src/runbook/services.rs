//! Reads systemd: its state, failed units, jobs that do not finish, and what units in trouble last said.

use super::{Severity, figures, finding::Account, sections::Sections};

/// Where the target has no systemd (a container, another init), or it is too sick to answer: why nothing can be read.
fn absent(output: &Sections<'_>) -> Result<(), String> {
    let whole = output.whole();
    let begins = |text: &str| whole.lines().find(|line| line.trim_start().starts_with(text));
    if begins("systemd is not running here").or(begins("System has not been booted")).is_some()
        || output.first("state") == Some("offline")
    {
        return Err("systemd is not running here".to_owned());
    }
    if let Some(line) = begins("Failed to connect to bus").or(begins("Failed to list")) {
        return Err(figures::plain(line, 120));
    }
    Ok(())
}

pub(super) fn read_failed(output: &Sections<'_>, account: &mut Account) -> Result<(), String> {
    absent(output)?;
    let (state, failed) = (output.get("state"), output.get("failed"));
    if state.is_none() && failed.is_none() {
        return Err(output.unreadable());
    }
    let word = state.and_then(|lines| lines.first()).map(|line| line.trim());
    match word {
        Some("maintenance") => account.find(Severity::Critical, "the system is in rescue or emergency mode".to_owned()),
        Some("stopping") => account.find(Severity::Critical, "the system is shutting down and not done".to_owned()),
        Some("starting" | "initializing") => account.find(Severity::Note, "the system is still starting".to_owned()),
        Some("running" | "degraded") => {}
        // PID 1 that does not answer within 8 s can start and stop nothing.
        None => {
            account.find(
                Severity::Critical,
                "systemd does not answer within 8 s: it can start and stop nothing".to_owned(),
            );
            return Err("systemd does not answer".to_owned());
        }
        Some(other) => account.gap(format!("systemd's state is {}", figures::plain(other, 60))),
    }
    let names: Vec<String> = failed
        .unwrap_or_default()
        .iter()
        .filter_map(|line| unit(line))
        .filter(|unit| unit.active == "failed")
        .map(|unit| unit.name)
        .collect();
    if !names.is_empty() {
        account.find(
            Severity::Warning,
            format!("{}: {}", figures::count(names.len() as u64, "failed unit"), figures::list(&names, 6)),
        );
    } else if word == Some("degraded") {
        account.gap("systemd calls itself degraded, but no failed unit was listed");
    }
    Ok(())
}

/// One line of `systemctl list-units`.
struct Unit<'a> {
    name: String,
    active: &'a str,
    sub: &'a str,
}

/// `nginx.service loaded failed failed A high performance web server`, with a bullet before it or without.
fn unit(line: &str) -> Option<Unit<'_>> {
    let mut words = line.split_whitespace().skip_while(|word| !word.contains(char::is_alphanumeric));
    let name = words.next().filter(|name| name.contains('.'))?;
    let (_load, active, sub) = (words.next()?, words.next()?, words.next()?);
    Some(Unit { name: figures::plain(name, 80), active, sub })
}

pub(super) fn read_stuck(output: &Sections<'_>, account: &mut Account) -> Result<(), String> {
    absent(output)?;
    let (Some(jobs), Some(changing)) = (output.get("jobs"), output.get("changing")) else {
        return Err(output.unreadable());
    };
    let jobs: Vec<String> = jobs
        .iter()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            words.next()?.parse::<u32>().ok()?;
            let (unit, kind, state) = (words.next()?, words.next()?, words.next()?);
            Some(format!("{} ({} {})", figures::plain(unit, 80), figures::plain(kind, 20), figures::plain(state, 20)))
        })
        .collect();
    if !jobs.is_empty() {
        let noun = figures::count(jobs.len() as u64, "job");
        account.find(
            Severity::Note,
            format!("{noun} of systemd under way; one that stays holds up the others: {}", figures::list(&jobs, 4)),
        );
    }
    let units: Vec<Unit<'_>> = changing.iter().filter_map(|line| unit(line)).collect();
    let named = |sub: &dyn Fn(&Unit<'_>) -> bool| -> Vec<String> {
        units.iter().filter(|unit| sub(unit)).map(|unit| unit.name.clone()).collect()
    };
    let restarting = named(&|unit| unit.sub == "auto-restart");
    if !restarting.is_empty() {
        account.find(
            Severity::Warning,
            format!("fails and is restarted again and again: {}", figures::list(&restarting, 6)),
        );
    }
    let stopping = named(&|unit| unit.active == "deactivating");
    if !stopping.is_empty() {
        account.find(Severity::Warning, format!("is being stopped and has not ended: {}", figures::list(&stopping, 6)));
    }
    let starting = named(&|unit| unit.active == "activating" && unit.sub != "auto-restart");
    if !starting.is_empty() {
        account.find(Severity::Note, format!("is being started and not up yet: {}", figures::list(&starting, 6)));
    }
    Ok(())
}

/// One section for each unit: `Key=value` lines of `systemctl show`, then its journal.
pub(super) fn read_journal(output: &Sections<'_>, account: &mut Account) -> Result<(), String> {
    absent(output)?;
    let number = output.first("units").and_then(figures::number).ok_or_else(|| output.unreadable())? as u64;
    let mut read = 0;
    for (name, lines) in output.iter().filter(|(heading, _)| heading.contains('.')) {
        let value = |key: &str| lines.iter().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        let Some(state) = value("ActiveState") else { continue };
        read += 1;
        let name = figures::plain(name, 80);
        let mut facts = vec![figures::plain(state, 20)];
        facts.extend(
            value("Result")
                .filter(|result| *result != "success")
                .map(|result| format!("result {}", figures::plain(result, 30))),
        );
        facts.extend(
            value("ExecMainStatus")
                .filter(|status| *status != "0")
                .map(|status| format!("exit status {}", figures::plain(status, 10))),
        );
        facts.extend(
            value("NRestarts")
                .and_then(|number| number.parse().ok())
                .filter(|number| *number > 0_u64)
                .map(|number| figures::count(number, "restart")),
        );
        let said = lines.iter().rfind(|line| figures::timestamp(line).is_some() && !line.contains(" systemd["));
        let said = said.or_else(|| lines.iter().rfind(|line| figures::timestamp(line).is_some()));
        let said = said
            .map(|line| format!("; last said: {}", figures::plain(line.splitn(3, ' ').last().unwrap_or(line), 160)));
        if said.is_none() {
            account.gap(format!("the journal of {name} is empty or may not be read"));
        }
        account.find(Severity::Note, format!("{name}: {}{}", facts.join(", "), said.unwrap_or_default()));
    }
    if read < number {
        account.gap(format!("of {} in trouble only {read} were looked at", figures::count(number, "unit")));
    }
    Ok(())
}
