//! Turns that fail: what is an error, with which reason, and what only passes.

use super::*;

#[test]
fn a_subagent_that_fails_says_so_in_its_result_and_its_retries_are_retries() {
    let result = only_result("subagent_fails");
    assert!(result.is_error && result.output.contains("API Error: 400"));
    let attempts = attempts("subagent_retries");
    assert_eq!(attempts, [(1, Some(529), "overloaded".into()), (2, Some(529), "overloaded".into())]);
}

fn attempts(name: &str) -> Vec<(u32, Option<u16>, String)> {
    let retry = |said| match said {
        Said::Retry { attempt, status, error, .. } => Some((attempt, status, error)),
        _ => None,
    };
    said(name).into_iter().filter_map(retry).collect()
}

#[test]
fn an_api_error_is_an_error_although_its_subtype_is_success() {
    let rows = [
        ("unknown_model", "model_not_found", Some(404), 0),
        ("api_400", "unknown", Some(400), 0),
        ("api_403", "authentication_failed", Some(403), 0),
        ("api_404", "model_not_found", Some(404), 0),
        ("api_413", "invalid_request", Some(413), 0),
        ("api_no_credit", "billing_error", Some(400), 0),
        ("api_429_rejected", "rate_limit", Some(429), 0),
        ("api_401", "authentication_failed", Some(401), 2),
        ("api_429", "rate_limit", Some(429), 2),
        ("api_500", "server_error", Some(500), 2),
        ("api_529", "server_error", Some(529), 2),
        ("api_refused", "server_error", None, 2),
        ("api_dns", "server_error", None, 2),
        ("no_headers", "server_error", None, 2),
        ("refusal", "invalid_request", None, 0),
        ("sse_error_late", "server_error", None, 0),
    ];
    for (name, kind, status, retries) in rows {
        let end = only_finish(name);
        assert_eq!((&*end.subtype, end.is_error), ("success", true), "{name}");
        let text = end.result.unwrap();
        let error = Said::ApiError { text, kind: kind.into(), status };
        assert_eq!(said(name).iter().filter(|said| **said == error).count(), 1, "{name}");
        let attempts = attempts(name);
        assert_eq!(attempts.iter().map(|retry| retry.0).collect::<Vec<_>>(), (1..=retries).collect::<Vec<_>>());
        assert!(attempts.iter().all(|retry| retry.1 == status), "{name}");
    }
}

#[test]
fn what_passes_leaves_retries_and_no_error() {
    for (name, retries) in [("stream_dropped", 1), ("api_529_passed", 2), ("sse_error", 0), ("stall", 0)] {
        let said = said(name);
        assert!(!finished(&said)[0].is_error && texts(&said).len() == 1, "{name}");
        assert_eq!(attempts(name).len(), retries, "{name}");
    }
}

#[test]
fn a_limit_that_was_reached_is_an_error_with_its_reason_and_no_result() {
    for (name, subtype) in [("max_turns", "error_max_turns"), ("max_budget", "error_max_budget_usd")] {
        let end = only_finish(name);
        assert_eq!((&*end.subtype, end.is_error, end.result), (subtype, true, None));
        assert!(end.errors[0].starts_with("Reached maximum"), "{:?}", end.errors);
    }
}

#[test]
fn a_process_that_cannot_begin_says_why_on_standard_error() {
    let rows = [
        ("session_id_used", "is already in use."),
        ("agent_unknown", "--agent 'breakglass' not found."),
        ("root_refused", "cannot be used with root/sudo privileges"),
    ];
    for (name, why) in rows {
        assert_eq!(said(name), [], "{name}");
        assert!(stderr(name).unwrap().contains(why), "{name}");
    }
    let said = said("resume_unknown");
    assert!(matches!(&*said, [Said::Finished(end)] if end.is_error && end.errors[0].starts_with("No conversation")));
    assert!(stderr("resume_unknown").unwrap().starts_with("No conversation found with session ID"));
}

#[test]
fn an_interrupted_turn_is_an_error_and_the_next_one_is_not() {
    let said = said("interrupt");
    let ends: Vec<bool> = finished(&said).iter().map(|end| end.is_error).collect();
    assert_eq!(ends, [true, false]);
    assert!(said.iter().any(|said| matches!(said, Said::Answers { error: None, .. })));
    assert!(only_finish("sigint").is_error);
    assert_eq!(finished(&self::said("sigterm")), Vec::<&Finished>::new(), "killed, it has no last word");
}
