//! Secrets that are told by their own form, or by the words right before them in a form that has no other use.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};

use super::{MARK, mark};

/// One form. What the groups `before` and `after` match stays; the rest is the secret.
struct Form {
    what: &'static str,
    expression: Regex,
    /// Says no where it is none after all.
    is_one: fn(&str) -> bool,
}

/// The order matters: what holds others comes first.
static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    // Without its end, which a cut took, a key goes as far as its lines do.
    let private_key = r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:(?:-?[A-Za-z0-9+/=\s>|\\:,.])*-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|(?:[\s>|]|\\n)*(?:(?:[A-Za-z0-9+/=]{16,}|[A-Za-z-]+: [^\n]*)(?:[\s>|]|\\n)*)*)";
    let providers = concat!(
        r"\b(?:sk-[A-Za-z0-9_-]{10,}",
        r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}",
        r"|xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{20,}",
        r"|(?:AKIA|ASIA)[A-Z0-9]{16}\b|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}",
        r"|[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9]{20,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
        r"|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{40,}|dop_v1_[a-f0-9]{40,}",
        r"|tskey-[a-z]+-[A-Za-z0-9-]{10,}|hv[sbr]\.[A-Za-z0-9_-]{20,}|AGE-SECRET-KEY-1[A-Z0-9]{40,})",
    );
    let any = |_: &str| true;
    let form = |what, expression: &str, is_one| {
        let expression = Regex::new(expression);
        #[expect(clippy::expect_used, reason = "the expressions stand above and below, and every test compiles them")]
        let expression = expression.expect("an expression");
        Form { what, expression, is_one }
    };
    vec![
        form("private key", private_key, any),
        // The password between a name and its host.
        form("password", r"(?P<before>\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?P<after>@)", any),
        form("API key", providers, has_digit),
        form("token", r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?", any),
        form(
            "credentials",
            r#"(?i)(?P<before>\bauthorization["']?[ \t]*[:=][ \t]*["']?(?:bearer|basic|token|digest|negotiate|ntlm|apikey|aws4-hmac-sha256)[ \t]+)[^\r\n"'`]+"#,
            any,
        ),
        form("credentials", r#"(?i)(?P<before>\bauthorization["']?[ \t]*[:=][ \t]*["']?)[^\s"'`,;]{8,}"#, has_digit),
        form("token", r"(?i)(?P<before>\bbearer[ \t]+)[A-Za-z0-9._~+/=-]{8,}", |text| {
            has_digit(text) || text.len() > 20
        }),
        form("credentials", r"(?i)(?P<before>\bbasic[ \t]+)[A-Za-z0-9+/]{8,}={0,2}", |text| {
            has_digit(text) || text.ends_with('=')
        }),
        form("cookie", r#"(?i)(?P<before>\b(?:set-)?cookie["']?[ \t]*:[ \t]*["']?)[^\s=;"']+=[^\r\n"'`]+"#, any),
        form("token", r"(?P<before>\bPVE(?:APIToken|AuthCookie)=)[^\s;]+", any),
        form("token", r#"(?i)(?P<before>[?&](?:x-amz-signature|signature|sig|code|key|auth)=)[^\s&"'`<>)]{6,}"#, any),
        // How the C library writes down a password: `$y$…`, `$6$…`, `$2b$…`.
        form("password hash", r"\$(?:[1567y]|gy|2[abxy]?|argon2(?:id|i|d)|scrypt)\$[A-Za-z0-9./$=,+-]{12,}", any),
    ]
});

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for Form { what, expression, is_one } in FORMS.iter() {
        let replaced = expression.replace_all(&text, |found: &Captures<'_>| {
            let group = |name| found.name(name).map_or("", |found| found.as_str());
            let (before, after) = (group("before"), group("after"));
            let secret = &found[0][before.len()..found[0].len() - after.len()];
            if secret.starts_with(MARK) || !is_one(secret) {
                return found[0].to_owned();
            }
            let end = if secret.ends_with('\n') { "\n" } else { "" };
            format!("{before}{}{end}{after}", mark(what))
        });
        if let Cow::Owned(replaced) = replaced {
            text = Cow::Owned(replaced);
        }
    }
    text
}
