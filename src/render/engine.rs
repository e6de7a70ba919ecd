//! The template engine, set up for layouts, and its bounds.
//!
//! Templates are named `SETTING/FILE`, such as `ro.telegram/_footer.html`: a part is compiled for
//! each setting of which a variant includes it, so that all that stands in it knows whose it is.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use jiff::tz::TimeZone;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior, Value};

use crate::markup;
use crate::model::zone::Zone;
use crate::render::files::{Files, Setting};
use crate::render::filters;

/// Longest output of a layout, in bytes.
pub const OUTPUT_BYTES_MAX: usize = 64 << 10;

/// Most instructions of one render; a usual layout needs about twenty for each item.
pub const FUEL: u64 = 50_000;

/// Deepest `include` and the like; an include counts as ten.
const RECURSION_MAX: usize = 60;

/// The engine over these files, with dates by the zone's clocks. Nothing else can be included.
pub(super) fn environment(files: Arc<Files>, zone: &Zone) -> Environment<'static> {
    let mut environment = Environment::empty();
    filters::install(&mut environment, zone.clocks().unwrap_or(TimeZone::UTC));
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION_MAX);
    environment.set_auto_reload(false);
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("layout".into()));
    environment.set_formatter(|out, _, value| {
        if value.is_undefined() {
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        if value.is_none() {
            return Ok(());
        }
        match value.as_str() {
            Some(text) if value.is_safe() => out.write_str(text)?,
            Some(text) => write_escaped(out, text)?,
            None => write_escaped(out, &value.to_string())?,
        }
        Ok(())
    });
    let known = Arc::clone(&files);
    environment.set_path_join_callback(move |name, parent| {
        let prefix = prefix_of(parent);
        match known.included(name, &Setting::of_prefix(prefix)) {
            Some(file) => Cow::Owned(format!("{prefix}/{}", file.name)),
            None => Cow::Owned(format!("{prefix}/{name}")),
        }
    });
    environment.set_loader(move |template| {
        Ok(files.named(file_of(template)).map(|file| file.text.clone()))
    });
    environment
}

/// The template's name of a file in a setting.
pub(super) fn template(setting: &Setting, file: &str) -> String {
    format!("{}/{file}", setting.to_prefix())
}

/// The file of a template's name.
pub(super) fn file_of(template: &str) -> &str {
    template.split_once('/').map_or(template, |(_, file)| file)
}

fn prefix_of(template: &str) -> &str {
    template.split_once('/').map_or("", |(prefix, _)| prefix)
}

/// The language of the variant that is being rendered; empty when it serves all.
pub(super) fn language<'a>(state: &'a State<'_, '_>) -> &'a str {
    let first = prefix_of(state.name()).split('.').next().unwrap_or_default();
    if first == "telegram" || first == "messenger" { "" } else { first }
}

/// What the template prints, within the bounds.
pub(super) fn print(
    environment: &Environment<'_>,
    template: &str,
    context: Value,
) -> Result<String, Error> {
    let mut output = Capped(Vec::with_capacity(1_000));
    environment.get_template(template)?.render_captured_to(context, &mut output)?;
    Ok(String::from_utf8(output.0)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// The error that began it, within the ones about its includes.
pub(super) fn innermost(error: &Error) -> &Error {
    let mut innermost = error;
    while let Some(inner) =
        std::error::Error::source(innermost).and_then(|it| it.downcast_ref::<Error>())
    {
        innermost = inner;
    }
    innermost
}

fn write_escaped(out: &mut minijinja::Output<'_>, text: &str) -> std::fmt::Result {
    markup::escaped(text).try_for_each(|piece| out.write_str(piece))
}

/// Takes at most [`OUTPUT_BYTES_MAX`].
struct Capped(Vec<u8>);

impl io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > OUTPUT_BYTES_MAX {
            return Err(io::Error::other("the layout prints more than 64 kB"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
