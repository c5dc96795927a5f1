//! What must go, what must stay.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn clean(text: &str) -> String {
    Redactor::default().clean(text)
}

/// Each sample with its secret, and what stands in the secret's place.
#[test]
fn what_is_a_secret_goes_and_says_what_it_was() {
    let samples: &[(&str, &str, &str)] = &[
        ("ANTHROPIC_API_KEY=sk-ant-api03-abcDEF0123456789_-x", "abcDEF0123456789", "[redacted: API key]"),
        ("using key sk-proj-0123456789abcdef now", "0123456789abcdef", "[redacted: API key]"),
        ("git clone with ghp_0123456789abcdefghijABCDEFGHIJ456789", "ghp_", "[redacted: API key]"),
        ("github_pat_11ABCDEFG0123456789_abcdef", "11ABCDEFG", "[redacted: API key]"),
        ("aws AKIAIOSFODNN7EXAMPLE end", "AKIAIOSFODNN7EXAMPLE", "[redacted: API key]"),
        ("xoxb-123456789012-abcdefGHIJKL", "xoxb-", "[redacted: API key]"),
        ("glpat-abcdEFGH12345678ijkl", "glpat-", "[redacted: API key]"),
        ("Authorization: Bearer abc.def", "abc.def", "Authorization: Bearer [redacted: credentials]"),
        ("curl -H 'Authorization: Basic dXNlcjpwYXNz' http://x", "dXNlcjpwYXNz", "' http://x"),
        (r#"{"Authorization": "Bearer 0a1b2c3d4e"}"#, "0a1b2c3d4e", r#"credentials]"}"#),
        ("sent bearer 0123456789abcdef to it", "0123456789abcdef", "bearer [redacted: token] to it"),
        ("Cookie: session=abcdef; theme=dark", "abcdef", "Cookie: [redacted: cookie]"),
        ("set-cookie: id=s3cr3t; HttpOnly", "s3cr3t", "[redacted: cookie]"),
        ("postgres://app:hunter2@db:5432/x", "hunter2", "postgres://app:[redacted: password]@db:5432/x"),
        ("redis://:p4ss@cache", "p4ss", "redis://:[redacted: password]@cache"),
        ("PASSWORD=hunter2 next", "hunter2", "PASSWORD=[redacted: password] next"),
        ("mysql --password=hunter2 -u root", "hunter2", "--password=[redacted: password] -u root"),
        ("mysql --password hunter2 -u root", "hunter2", "--password [redacted: password] -u root"),
        ("sshpass -p hunter2 ssh x", "hunter2", "ssh x"),
        ("PGPASSWORD='a b c' psql", "a b c", "PGPASSWORD='[redacted: password]' psql"),
        ("MYSQL_PWD=hunter2 mysql", "hunter2", "[redacted: password]"),
        ("db_password: \"correct horse\"", "correct horse", "\"[redacted: password]\""),
        ("  token: abcdefgh", "abcdefgh", "token: [redacted: token]"),
        (r#"{"api_key": "k1", "n": 1}"#, "k1", r#""n": 1}"#),
        (r#"{\"client_secret\": \"k1x\", \"n\": 1}"#, "k1x", r#"\"n\": 1}"#),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI", "[redacted: key]"),
        ("https://x.example/?access_token=abc123&page=2", "abc123", "&page=2"),
        ("http://localhost:8080/sign-in?code=V8ZK2M", "V8ZK2M", "code=[redacted: token]"),
        ("PVEAPIToken=root@pam!x=550e8400-e29b-41d4-a716-446655440000", "550e8400", "[redacted: token]"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-DEF_123 end", "eyJzdWIi", "[redacted: token] end"),
        ("root:$y$j9T$abcdefgh$ijklmnopqrstuvwxyz0123:19000:0", "j9T", "root:[redacted: password hash]:19000:0"),
        ("PrivateKey = aGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8gd28=", "aGVsbG8", "[redacted: key]"),
        ("machine x login ada password hunter2", "hunter2", "password [redacted: password]"),
    ];
    for (text, secret, stays) in samples {
        let clean = clean(text);
        assert!(!clean.contains(secret) && clean.contains(MARK) && clean.contains(stays), "{text}\nbecame {clean}");
    }
}

#[test]
fn what_an_incident_is_about_stays() {
    for text in [
        "the disk is 100% full: /var/log, 3 tokens, ask-me, sk-x, risk-assessment-2026-and-more",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8 (HEAD)",
        "run 3f2b8c1e-0000-4000-8000-000000000000, capture 20261120T120000.1-cycle.abc123",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  image",
        "SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDn4r6BgLxJXVGDn4r host key",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxhYmVs ada@desk",
        "-----BEGIN CERTIFICATE-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END CERTIFICATE-----",
        "passwd:         files systemd",
        "max_tokens: 4096, input_tokens=1200, token_count: 7",
        "PasswordAuthentication no\nPermitRootLogin prohibit-password",
        "PWD=/root OLDPWD=/home/ada",
        "TOKEN_FILE=/run/secrets/token secretName: db-creds password=$DB_PASSWORD",
        "Failed password for root from 10.0.0.9 port 22 ssh2",
        "password: [redacted] and Password: ",
        "sudo: a password is required; basic system target reached; bearer of news",
        "systemd[1]: systemd-ask-password-wall.service: Deactivated",
        "cannot read the password: permission denied; invalid token: unexpected end of file",
        "auth_token.rs:120 and /etc/credentials.conf: 3 lines",
        "cookie: none here; authorization: denied by polkit",
        "https://user@example.org/path:8080/x@y and ssh://git@host:22/x",
        "UUID=550e8400-e29b-41d4-a716-446655440000 / ext4 errors=remount-ro 0 1",
        "PID 1234: /usr/sbin/keyboard-setup --key=value primary key: id",
        "price is $5 and $6 or $1$",
    ] {
        assert_eq!(clean(text), text);
    }
}

#[test]
fn a_private_key_goes_whole_and_also_where_its_end_was_cut_off() {
    let lines =
        "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\nQyNTUxOQAAACDQ0FFQkFEQUFBQUFBQUFB\n";
    let whole =
        format!("before\n-----BEGIN OPENSSH PRIVATE KEY-----\n{lines}-----END OPENSSH PRIVATE KEY-----\nafter\n");
    assert_eq!(clean(&whole), "before\n[redacted: private key]\nafter\n");
    let cut = format!("before\n-----BEGIN RSA PRIVATE KEY-----\n{lines}\nthe disk is full\n");
    let cut = clean(&cut);
    assert!(!cut.contains("b3Blb") && !cut.contains("QyNTUx") && cut.contains("the disk is full"), "{cut}");
    let quoted =
        format!("> -----BEGIN PRIVATE KEY-----\n> {}> -----END PRIVATE KEY-----\n", lines.replace('\n', "\n> "));
    assert!(!clean(&quoted).contains("b3Blb"));
    let json = r#""key": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n-----END PRIVATE KEY-----\n", "n": 1"#;
    assert!(!clean(json).contains("MIIEv") && clean(json).contains(r#""n": 1"#), "{}", clean(json));
}

#[test]
fn what_is_known_to_be_secret_goes_wherever_it_stands() {
    let redactor = Redactor::default().knowing("the console's token", "plain-words").knowing("a key", "x");
    assert_eq!(redactor.clean("say plain-words, x"), "say [redacted: the console's token], x");
    assert_eq!(format!("{redactor:?}"), "Redactor(knows 1 values)", "and is not told by Debug");
}

proptest! {
    #[test]
    fn redacting_twice_is_redacting_once(text in r#"(password|token|Authorization|Bearer|=|:|"|'| |sk-|[a-z0-9]{1,12}|\[redacted: x\]|\n){0,30}"#) {
        let once = clean(&text);
        prop_assert_eq!(clean(&once), once);
    }

    #[test]
    fn any_text_is_taken(text in any::<String>()) {
        let _ = clean(&text);
    }
}
