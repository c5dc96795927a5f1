//! The presets that ship, and the rules that any list must keep.

use super::*;

fn presets(text: &str) -> Result<Presets, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

fn one(step: &str) -> String {
    format!("[[preset]]\nid = 'x'\nlabel = 'X'\nicon = 'pulse'\nhint = 'h'\nprompt = 'p'\n[[preset.step]]\n{step}")
}

fn refused(text: &str, because: &str) {
    let error = presets(text).expect_err("must be refused");
    assert!(error.contains(because), "{error}");
}

#[test]
fn the_five_presets_are_read_in_their_order_and_survive_a_round_trip() {
    let list = presets(include_str!("../../../../agents/presets.toml")).expect("the list");
    let ids: Vec<_> = list.iter().map(|preset| preset.id.as_str()).collect();
    assert_eq!(ids, ["triage", "memory", "disk", "services", "qemu"]);
    let icons: Vec<_> = list.iter().map(|preset| preset.icon.as_str()).collect();
    assert_eq!(icons, ["pulse", "memory", "disk", "services", "chip"]);
    let written = toml::to_string(&list).expect("TOML");
    assert_eq!(presets(&written).expect("the same"), list);
}

#[test]
fn a_preset_is_found_by_its_id() {
    let list = presets(include_str!("../../../../agents/presets.toml")).expect("the list");
    let disk: PresetId = "disk".parse().expect("an id");
    assert_eq!(list.get(&disk).map(|preset| preset.label.as_str()), Some("Disk"));
    assert_eq!(list.get(&"nothing".parse().expect("an id")), None);
}

#[test]
fn each_step_of_the_five_has_a_rule() {
    let list = presets(include_str!("../../../../agents/presets.toml")).expect("the list");
    for step in list.iter().flat_map(|preset| &preset.step) {
        assert_ne!(step.reads(), Reading::Nothing, "{}", step.title());
    }
}

#[test]
fn clients_are_not_told_the_commands() {
    let list = presets(include_str!("../../../../agents/presets.toml")).expect("the list");
    let told = serde_json::to_value(list.summaries()).expect("JSON");
    let first = told[0].as_object().expect("an object");
    assert_eq!(first.keys().map(String::as_str).collect::<Vec<_>>(), ["hint", "icon", "id", "label"]);
}

#[test]
fn a_step_that_mutates_is_refused() {
    for verb in Verb::ALL.into_iter().filter(|verb| verb.mutates()) {
        refused(&one(&format!("title = 't'\nverb = '{}'\nreads = 'none'", verb.as_str())), "changes the vm's state");
        assert!(Step::verb("t", verb).is_err());
    }
}

#[test]
fn a_step_needs_either_a_command_or_a_verb() {
    refused(&one("title = 't'\nreads = 'load'"), "either run or verb");
    refused(&one("title = 't'\nrun = 'true'\nverb = 'status'\nreads = 'load'"), "either run or verb");
}

#[test]
fn an_answer_is_read_by_the_rule_it_is_for() {
    refused(&one("title = 't'\nrun = 'true'\nreads = 'forensics'"), "a command by neither");
    refused(&one("title = 't'\nverb = 'status'\nreads = 'load'"), "a command by neither");
    assert!(presets(&one("title = 't'\nverb = 'status'\nreads = 'none'")).is_ok());
}

#[test]
fn unknown_fields_rules_and_ids_are_refused() {
    refused(&one("title = 't'\nrun = 'true'\nreads = 'load'\nas_root = true"), "as_root");
    refused(&one("title = 't'\nrun = 'true'\nreads = 'tea_leaves'"), "tea_leaves");
    let good = one("title = 't'\nrun = 'true'\nreads = 'load'");
    refused(&good.replace("id = 'x'", "id = 'X y'"), "a preset id is");
    refused(&good.replace("label = 'X'", "label = ''"), "label must be");
    refused(&good.replace("label = 'X'", "label = 'longer than sixteen'"), "label must be");
    refused(&good.replace("'pulse'", "'globe'"), "there is no icon \"globe\": take one of pulse, memory");
    refused(&good.replace("id = 'x'", "id = 'x'\ntargets = ['']"), "targets must be");
    refused("", "there is no preset");
    refused(&format!("{good}\n{good}"), "stands twice");
    refused(&good.replace("'true'", "\"a\\u0000b\""), "run must be");
}

#[test]
fn a_preset_is_for_the_targets_that_it_names() {
    for (pattern, name, is) in [
        ("devvm", "devvm", true),
        ("DevVM", "devvm", true),
        ("devvm", "devvm2", false),
        ("db*", "db-7.lan", true),
        ("db*", "mydb", false),
        ("*.lan", "db-7.lan", true),
        ("d*7*n", "db-7.lan", true),
        ("d*8*n", "db-7.lan", false),
        ("a*a", "a", false),
        ("*", "", true),
    ] {
        assert_eq!(matches(pattern, name), is, "{pattern} {name}");
    }
    let mut preset = presets(&one("title = 't'\nrun = 'true'\nreads = 'load'")).expect("a list").0.remove(0);
    assert!(preset.is_for(&[]), "for all");
    preset.targets = vec!["db*".into(), "10.0.0.7".into()];
    assert!(preset.is_for(&["my database".into(), "10.0.0.7".into()]) && !preset.is_for(&["devvm".into()]));
}
