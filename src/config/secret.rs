//! Reads secrets from where they are kept: never from the settings themselves, never shown.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::config::check::around::{Secrets, Surroundings};
use crate::config::file::told;
use crate::config::problem::Findings;
use crate::config::raw::RawSecret;
use crate::model::secret::{ExposeSecret, SecretString};

/// Longest secret.
const SECRET_BYTES_MAX: u64 = 8 * 1024;

/// What went wrong, and what to do about it.
struct Trouble {
    why: String,
    hint: Option<String>,
    /// It can be read elsewhere: nobody has prepared credentials here.
    is_elsewhere: bool,
}

/// Whether it was not read, because nobody needs it here; no secret is empty that was.
pub fn is_unread(secret: &SecretString) -> bool {
    secret.expose_secret().is_empty()
}

/// Reads the secret that stands at `key`; line ends after it are cut off.
///
/// `None` when that is not possible; it is told. Empty where [`Secrets`] say that it is not needed.
pub(crate) fn read(
    raw: &RawSecret,
    key: &str,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Option<SecretString> {
    read_as(raw, key, around, usable, found)
}

/// As [`read`], for a secret that may have spaces inside: a header's value.
pub(crate) fn read_line(
    raw: &RawSecret,
    key: &str,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Option<SecretString> {
    read_as(raw, key, around, one_line, found)
}

fn read_as(
    raw: &RawSecret,
    key: &str,
    around: &Surroundings<'_>,
    usable: fn(String) -> Result<SecretString, Trouble>,
    found: &mut Findings,
) -> Option<SecretString> {
    let place = raw.place.as_ref()?;
    let is_one =
        [&place.credential, &place.file, &place.env].iter().flat_map(|it| *it).count() == 1;
    if around.secrets == Secrets::LeftAlone && is_one {
        return Some(SecretString::from(String::new()));
    }
    let text = match (&place.credential, &place.file, &place.env) {
        (Some(name), None, None) => from_credential(&name.value, around),
        (None, Some(path), None) => from_file(&around.folder.join(&path.value)),
        (None, None, Some(name)) => from_environment(&name.value, around),
        _ => Err(trouble("must name one of `credential`, `file` and `env`", None)),
    };
    match text.and_then(usable) {
        Ok(secret) => Some(secret),
        Err(Trouble { hint, is_elsewhere: true, .. }) if around.secrets == Secrets::LookedAt => {
            let why = "was not looked at: `$CREDENTIALS_DIRECTORY` is not set here";
            let finding = found.warning(raw.at, key, why);
            if let Some(hint) = hint {
                finding.hint(format!("{hint}; set it to their folder, and they are looked at"));
            }
            Some(SecretString::from(String::new()))
        }
        Err(Trouble { why, hint, .. }) => {
            let finding = found.problem(raw.at, key, why);
            if let Some(hint) = hint {
                finding.hint(hint);
            }
            None
        }
    }
}

fn trouble(why: impl Into<String>, hint: Option<String>) -> Trouble {
    Trouble { why: why.into(), hint, is_elsewhere: false }
}

/// A file in the folder that the service manager prepared. Its mode is the service manager's
/// affair: an access list makes it look readable by the group.
fn from_credential(name: &str, around: &Surroundings<'_>) -> Result<String, Trouble> {
    let is_plain = !name.is_empty() && !name.contains('/') && name != "." && name != "..";
    if !is_plain {
        return Err(trouble("a credential's name is a file name without folders", None));
    }
    let Some(folder) = (around.env)("CREDENTIALS_DIRECTORY").filter(|it| !it.is_empty()) else {
        let why = "there are no credentials: `$CREDENTIALS_DIRECTORY` is not set";
        let hint = format!("systemd sets it for a unit with `LoadCredential={name}:/path`");
        return Err(Trouble { is_elsewhere: true, ..trouble(why, Some(hint)) });
    };
    contents(&Path::new(&folder).join(name))
        .map_err(|why| trouble(format!("the credential `{name}` {why}"), None))
}

fn from_file(path: &PathBuf) -> Result<String, Trouble> {
    let shown = path.display();
    if let Ok(metadata) = std::fs::metadata(path)
        && metadata.permissions().mode() & 0o077 != 0
    {
        return Err(trouble(
            format!("the file `{shown}` can be read by others than its owner"),
            Some(format!("chmod 600 {shown}")),
        ));
    }
    contents(path).map_err(|why| trouble(format!("the file `{shown}` {why}"), None))
}

fn from_environment(name: &str, around: &Surroundings<'_>) -> Result<String, Trouble> {
    (around.env)(name)
        .ok_or_else(|| trouble(format!("the environment has no variable `{name}`"), None))
}

fn contents(path: &Path) -> Result<String, String> {
    // Asked before it is opened: opening a pipe would wait for its other end.
    let metadata =
        std::fs::metadata(path).map_err(|error| format!("cannot be read: {}", told(&error)))?;
    if !metadata.is_file() {
        return Err("is no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(SECRET_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot be read: {}", told(&error)))?;
    String::from_utf8(bytes).map_err(|_| "is no text".to_owned())
}

/// A secret goes into a header or an address: one line of visible characters.
fn usable(text: String) -> Result<SecretString, Trouble> {
    if text.trim_end_matches(['\r', '\n']).contains(|c: char| c.is_whitespace()) {
        return Err(trouble("the secret has a space or a line break inside", None));
    }
    one_line(text)
}

fn one_line(mut text: String) -> Result<SecretString, Trouble> {
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    if text.is_empty() {
        return Err(trouble("the secret is empty", None));
    }
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > SECRET_BYTES_MAX {
        return Err(trouble(format!("the secret is longer than {SECRET_BYTES_MAX} bytes"), None));
    }
    if text.contains(char::is_control) {
        return Err(trouble("the secret has a space or a line break inside", None));
    }
    Ok(SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::OpenOptionsExt;

    use super::*;
    use crate::config::problem::Place;
    use crate::config::raw::{Owner, RawSecretPlace, read_file};

    const CANARY: &str = "5123:canary";

    struct Kept {
        folder: tempfile::TempDir,
    }

    impl Kept {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let kept = Self { folder };
            kept.write("good", 0o600, &format!("{CANARY}\r\n"));
            kept.write("open", 0o640, CANARY);
            kept.write("empty", 0o600, "\n");
            kept.write("two", 0o600, &format!("{CANARY}\n{CANARY}"));
            kept.write("long", 0o600, &CANARY.repeat(1_000));
            std::fs::create_dir(kept.folder.path().join("folder")).unwrap();
            kept
        }

        fn write(&self, name: &str, mode: u32, text: &str) {
            use std::io::Write;
            let path = self.folder.path().join(name);
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.write(true).create(true).mode(mode).open(&path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }

        /// The secret, or the problem with its hint; the folder's path is cut out.
        fn read(&self, value: &str) -> Result<String, String> {
            self.read_as(value, Secrets::Needed)
        }

        fn read_as(&self, value: &str, secrets: Secrets) -> Result<String, String> {
            let path = self.folder.path().to_str().unwrap().to_owned();
            let env = |name: &str| match name {
                "CREDENTIALS_DIRECTORY" => Some(path.clone()),
                "TOKEN" => Some(CANARY.to_owned()),
                _ => None,
            };
            let text = format!("[channels.a]\ntoken = {value}\n");
            let main = self.folder.path().join("tidings.toml");
            let (file, _) = crate::config::file::File::from_bytes(&main, text.into_bytes());
            let mut found = Findings::default();
            let raw = read_file(&file, 0, Owner::Sysadmin, &mut found).raw;
            let raw = raw.channels.unwrap().0.remove(0).value.token.unwrap();
            let around = Surroundings {
                folder: self.folder.path(),
                env: &env,
                rules: &crate::config::check::around::NoFaults,
                secrets,
                is_complete: true,
            };
            let secret = read(&raw, "channels.a.token", &around, &mut found);
            let problems = found.into_problems(&[file]);
            match secret {
                Some(secret) if problems.is_empty() => Ok(secret.expose_secret().to_owned()),
                _ => {
                    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
                    Err(told
                        .join("\n")
                        .replace(&format!("{path}/"), "")
                        .replace("tidings.toml:", ""))
                }
            }
        }
    }

    #[test]
    fn a_secret_is_read_from_its_place_without_its_line_end() {
        let kept = Kept::new();
        for value in ["{ credential = 'good' }", "{ file = 'good' }", "{ env = 'TOKEN' }"] {
            assert_eq!(kept.read(value), Ok(CANARY.to_owned()), "{value}");
        }
        // The service manager's folder is trusted to be closed.
        assert_eq!(kept.read("{ credential = 'open' }"), Ok(CANARY.to_owned()));
    }

    #[test]
    fn sec_c01_a_secret_that_others_can_read_or_that_is_unusable_is_refused() {
        let kept = Kept::new();
        let cases = [
            (
                "{ file = 'open' }",
                "2:9: channels.a.token: the file `open` can be read by others than its owner\n  \
                 hint: chmod 600 open",
            ),
            (
                "{ file = 'gone' }",
                "2:9: channels.a.token: the file `gone` cannot be read: there is no such file",
            ),
            (
                "{ credential = 'folder' }",
                "2:9: channels.a.token: the credential `folder` is no \
              regular file",
            ),
            ("{ file = 'empty' }", "2:9: channels.a.token: the secret is empty"),
            (
                "{ file = 'two' }",
                "2:9: channels.a.token: the secret has a space or a line break inside",
            ),
            ("{ file = 'long' }", "2:9: channels.a.token: the secret is longer than 8192 bytes"),
            (
                "{ credential = '../good' }",
                "2:9: channels.a.token: a credential's name is a file name without folders",
            ),
            ("{ env = 'GONE' }", "2:9: channels.a.token: the environment has no variable `GONE`"),
            (
                "{ env = 'TOKEN', file = 'good' }",
                "2:9: channels.a.token: must name one of `credential`, `file` and `env`",
            ),
            ("{}", "2:9: channels.a.token: must name one of `credential`, `file` and `env`"),
        ];
        for (value, expected) in cases {
            assert_eq!(kept.read(value), Err(expected.to_owned()), "{value}");
        }
    }

    #[test]
    fn sec_c02_a_secret_in_the_file_is_refused_and_not_shown() {
        let kept = Kept::new();
        for value in [
            "'5123:canary'",
            "{ value = '5123:canary' }",
            "['5123:canary']",
            "{ file = ['5123:canary'] }",
        ] {
            let told = kept.read(value).unwrap_err();
            assert!(!told.contains("canary"), "{told}");
        }
        assert_eq!(
            kept.read("'5123:canary'").unwrap_err(),
            "2:9: channels.a.token: a secret can't stand in the file itself\n  hint: write `{ \
             credential = \"…\" }`, `{ file = \"…\" }` or `{ env = \"…\" }`",
        );
    }

    #[test]
    fn without_a_service_manager_a_credential_matters_to_who_needs_it() {
        let at = Place { file: 0, offset: 0 };
        let name = crate::config::table::At { value: "bot".to_owned(), at };
        let place = RawSecretPlace { credential: Some(name), file: None, env: None };
        let raw = RawSecret { at, place: Some(place) };
        let tried = |secrets| {
            let around = Surroundings {
                folder: Path::new(""),
                env: &|_| None,
                rules: &crate::config::check::around::NoFaults,
                secrets,
                is_complete: true,
            };
            let mut found = Findings::default();
            let secret = read(&raw, "token", &around, &mut found);
            (secret.map(|secret| is_unread(&secret)), found)
        };
        let unit = "systemd sets it for a unit with `LoadCredential=bot:/path`";

        let (secret, found) = tried(Secrets::Needed);
        assert_eq!(secret, None);
        assert_eq!(found.into_problems(&[]).remove(0).hint.as_deref(), Some(unit));

        let (secret, found) = tried(Secrets::LookedAt);
        assert_eq!((secret, found.has_problems()), (Some(true), false));
        let warning = found.into_warnings(&[]).remove(0);
        assert!(warning.problem.starts_with("was not looked at"), "{warning}");
        assert!(warning.hint.is_some_and(|hint| hint.starts_with(unit)));

        let (secret, found) = tried(Secrets::LeftAlone);
        assert_eq!((secret, found.has_problems()), (Some(true), false));
        assert!(found.into_warnings(&[]).is_empty());
    }

    #[test]
    fn only_a_folder_that_is_missing_is_forgiven() {
        let kept = Kept::new();
        for value in ["{ credential = 'gone' }", "{ file = 'open' }", "{ env = 'GONE' }"] {
            assert!(kept.read_as(value, Secrets::LookedAt).is_err(), "{value}");
            assert_eq!(kept.read_as(value, Secrets::LeftAlone), Ok(String::new()), "{value}");
        }
        assert!(kept.read_as("{ env = 'A', file = 'b' }", Secrets::LeftAlone).is_err());
    }
}
