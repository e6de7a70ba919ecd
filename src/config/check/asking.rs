//! Checks what goes along with a source's requests: `headers`, `auth` and `cookies`.
//!
//! Every value is taken for a secret. An editors' file may say where a secret is kept, but not
//! where one of the channels is: whoever writes such a file must not be able to send a bot's token
//! to a site of their own.

use std::sync::Arc;

use crate::config::check::around::Surroundings;
use crate::config::problem::{Findings, Place};
use crate::config::raw::{RawAuth, RawChannel, RawSecret, RawSource, RawValue};
use crate::config::secret;
use crate::config::table::{At, Entry, Free};
use crate::model::secret::{ExposeSecret, SecretString};
use crate::model::source::Header;

/// Most headers, and most cookies, of a source.
const HEADERS_MAX: usize = 32;
/// Longest value of a header, in bytes.
const VALUE_BYTES_MAX: usize = 8 * 1024;
/// Headers that belong to the connection or to us.
const OURS: [&str; 17] = [
    "host",
    "connection",
    "content-length",
    "content-type",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "accept-encoding",
    "if-none-match",
    "if-modified-since",
    "range",
    "referer",
];
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Where the channels' secrets are: kind of place, and place.
pub(crate) struct Guarded(Vec<(&'static str, String)>);

impl Guarded {
    pub fn new(channels: &[Entry<RawChannel>]) -> Self {
        let mut places = Vec::new();
        for channel in channels {
            let raw = &channel.value;
            for secret in [
                &raw.token,
                &raw.webhook_secret,
                &raw.page_token,
                &raw.app_secret,
                &raw.verify_token,
            ] {
                places.extend(secret.as_ref().into_iter().flat_map(kept_at));
            }
        }
        Self(places)
    }
}

fn kept_at(secret: &RawSecret) -> Vec<(&'static str, String)> {
    let Some(place) = &secret.place else { return vec![] };
    let named = [("credential", &place.credential), ("file", &place.file), ("env", &place.env)];
    let given = named.into_iter().filter_map(|(kind, text)| Some((kind, text.as_ref()?)));
    given.map(|(kind, text)| (kind, text.value.clone())).collect()
}

/// What a source's requests carry.
pub(crate) fn headers(
    raw: &RawSource,
    path: &str,
    guarded: &Guarded,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Arc<[Header]> {
    let reader = Reader { guarded, around };
    let mut headers = Vec::new();
    if let Some(free) = &raw.headers {
        reader.own(free, path, &mut headers, found);
    }
    if let Some(auth) = &raw.auth
        && let Some(value) = reader.authorization(auth, &format!("{path}.auth"), found)
    {
        headers.push(Header { name: "authorization".to_owned(), value });
    }
    if let Some(cookies) = &raw.cookies
        && let Some(value) = reader.cookies(cookies, &format!("{path}.cookies"), found)
    {
        headers.push(Header { name: "cookie".to_owned(), value });
    }
    Arc::from(headers)
}

struct Reader<'a> {
    guarded: &'a Guarded,
    around: &'a Surroundings<'a>,
}

impl Reader<'_> {
    fn own(
        &self,
        free: &Free<RawValue>,
        path: &str,
        headers: &mut Vec<Header>,
        found: &mut Findings,
    ) {
        too_many(free, &format!("{path}.headers"), found);
        for (name, value) in free.0.iter().take(HEADERS_MAX) {
            let key = format!("{path}.headers.{}", crate::config::table::shown(&name.value));
            let lower = name.value.to_ascii_lowercase();
            if !is_token(&lower) {
                found.problem(name.at, &key, "is no name of a header");
                continue;
            }
            if OURS.contains(&lower.as_str()) {
                found.problem(name.at, &key, "is a header that is set by the program");
                continue;
            }
            if headers.iter().any(|header| header.name == lower) {
                found.problem(name.at, &key, "is given twice");
                continue;
            }
            if let Some(value) = self.value(value, &key, found) {
                headers.push(Header { name: lower, value });
            }
        }
    }

    fn authorization(
        &self,
        auth: &RawAuth,
        key: &str,
        found: &mut Findings,
    ) -> Option<SecretString> {
        match (&auth.basic, &auth.bearer) {
            (Some(basic), None) => {
                let key = format!("{key}.basic");
                let Some(user) = &basic.user else {
                    let at = basic.password.as_ref().map(|password| password.at)?;
                    found.problem(at, &key, "needs a `user` too");
                    return None;
                };
                if user.value.contains(|c: char| c == ':' || c.is_control()) {
                    let text = "must not have a colon or a control character in it";
                    found.problem(user.at, &format!("{key}.user"), text);
                    return None;
                }
                let Some(password) = &basic.password else {
                    found.problem(user.at, &key, "needs a `password` too");
                    return None;
                };
                let word = self.kept(password, &format!("{key}.password"), found)?;
                let pair = format!("{}:{}", user.value, word.expose_secret());
                Some(format!("Basic {}", base64(pair.as_bytes())).into())
            }
            (None, Some(bearer)) => {
                let token = self.kept(bearer, &format!("{key}.bearer"), found)?;
                Some(format!("Bearer {}", token.expose_secret()).into())
            }
            (Some(_), Some(bearer)) => {
                found.problem(bearer.at, key, "must be one of `basic` and `bearer`");
                None
            }
            (None, None) => None,
        }
    }

    fn cookies(
        &self,
        free: &Free<RawValue>,
        key: &str,
        found: &mut Findings,
    ) -> Option<SecretString> {
        too_many(free, key, found);
        let mut pairs: Vec<String> = Vec::new();
        for (name, value) in free.0.iter().take(HEADERS_MAX) {
            let key = format!("{key}.{}", crate::config::table::shown(&name.value));
            if !is_token(&name.value) {
                found.problem(name.at, &key, "is no name of a cookie");
                continue;
            }
            let Some(secret) = self.value(value, &key, found) else { continue };
            if secret.expose_secret().contains(';') {
                found.problem(name.at, &key, "must not have a semicolon in its value");
                continue;
            }
            pairs.push(format!("{}={}", name.value, secret.expose_secret()));
        }
        (!pairs.is_empty()).then(|| pairs.join("; ").into())
    }

    fn value(&self, raw: &RawValue, key: &str, found: &mut Findings) -> Option<SecretString> {
        let (at, value) = match raw {
            RawValue::Plain(At { value, at }) => (*at, SecretString::from(value.clone())),
            RawValue::Kept(secret) => (secret.at, self.kept(secret, key, found)?),
        };
        if matches!(raw, RawValue::Kept(_)) && secret::is_unread(&value) {
            return Some(value);
        }
        let text = value.expose_secret();
        let is_visible = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if text.is_empty() || !is_visible || text.len() > VALUE_BYTES_MAX {
            let told = format!("must be 1 to {VALUE_BYTES_MAX} visible ASCII characters");
            found.problem(at, key, told);
            return None;
        }
        Some(value)
    }

    /// A secret that is kept elsewhere.
    fn kept(&self, raw: &RawSecret, key: &str, found: &mut Findings) -> Option<SecretString> {
        let is_editors = raw.at.file != SYSADMINS;
        if is_editors && kept_at(raw).iter().any(|place| self.guarded.0.contains(place)) {
            found
                .problem(raw.at, key, "is a secret of a channel")
                .hint("only the main settings file may use it for a source");
            return None;
        }
        secret::read_line(raw, key, self.around, found)
    }
}

/// The number of the sysadmin's file; see [`Place`].
const SYSADMINS: usize = 0;

/// Whether the place is in the sysadmin's own file.
pub(crate) fn is_sysadmins(at: Place) -> bool {
    at.file == SYSADMINS
}

fn too_many(free: &Free<RawValue>, key: &str, found: &mut Findings) {
    if let Some((name, _)) = free.0.get(HEADERS_MAX) {
        let text = format!("must have at most {HEADERS_MAX} entries, got {}", free.0.len());
        found.problem(name.at, key, text);
    }
}

/// Source: RFC 9110 §5.6.2.
fn is_token(name: &str) -> bool {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.len() <= 128 && name.bytes().all(is_one)
}

fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let group = at(0) << 16 | at(1) << 8 | at(2);
        for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let sextet = (group >> shift) & 0x3f;
            let letter = BASE64.get(usize::try_from(sextet).unwrap_or(0)).copied().unwrap_or(b'=');
            out.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_padded() {
        // Source: RFC 4648 §10.
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
            ("Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded, "{plain}");
        }
    }
}
