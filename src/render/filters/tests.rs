use std::sync::Arc;

use super::*;
use crate::model::zone::Zone;
use crate::render::engine;
use crate::render::files::Files;

fn printed_in(setting: &str, expression: &str) -> Result<String, String> {
    let mut environment = engine::environment(Arc::new(Files::default()), &Zone::utc());
    environment.set_formatter(|out, _, value| {
        out.write_str(&value.to_string())?;
        Ok(())
    });
    let context = minijinja::context! {
        html => Value::from_safe_string("<p>a <b>b &amp; c</b></p><p>d</p>".to_owned()),
        text => "a <b> tale of two words",
        at => "2026-11-23T22:30:00Z",
        list => vec!["x", "y", "z"],
        long => "x".repeat(60_000),
        nothing => "",
        tags => vec!["Rust", "home office", "#rust", "C++", "2026", "naïve's", "București!", "?"],
        link => "https://e.com/a%20b?x=1&utm_source=rss&y=%C3%A9#part",
    };
    let source = format!("{{{{ {expression} }}}}");
    let name = format!("{setting}/x.html");
    environment.render_named_str(&name, &source, context).map_err(|error| error.to_string())
}

fn printed(expression: &str) -> Result<String, String> {
    printed_in("", expression)
}

#[test]
fn filters_do_what_they_say() {
    let cases = [
        ("text | truncate(12)", "a <b> tale…"),
        ("html | truncate(6)", "<p>a <b>b &amp;…</b></p>"),
        ("html | plain", "a b & c\nd"),
        ("html | upper", "A B & C\nD"),
        ("'https://www.Example.com/x' | domain", "example.com"),
        ("'mailto:x' | domain", ""),
        ("at | date", "2026-11-23"),
        ("at | date('%d.%m.%Y %H:%M', 'Europe/Bucharest')", "24.11.2026 00:30"),
        ("at | date(timezone='America/New_York', format='%H')", "17"),
        ("at | date('%d. %H:%M', '+05:30')", "24. 04:00"),
        ("at | date('%d. %H:%M', timezone='-03:00')", "23. 19:30"),
        ("at | date('%H:%M', nothing)", "22:30"),
        ("at | date('%H:%M', nothing or 'Europe/Chisinau')", "00:30"),
        ("nothing | date", ""),
        ("'1299.00 MDL' | money", "1299\u{a0}MDL"),
        ("'12345678.50 VND' | money", "12\u{a0}345\u{a0}678.50\u{a0}VND"),
        ("'15.00' | money", "15"),
        ("'on request' | money", "on request"),
        ("nothing | money", ""),
        ("nothing | default('-')", "-"),
        ("list | join(', ')", "x, y, z"),
        ("list | first | upper", "X"),
        ("text | replace('tale', 'story') | capitalize", "A <b> story of two words"),
        ("(list | length) is eq(3)", "True"),
        ("'59.00 EUR' | percent_off('44.00 EUR')", "25"),
        ("'44.00 EUR' | percent_off('59.00 EUR')", "0"),
        ("'44.00 EUR' | percent_off('22.00 USD')", "0"),
        ("nothing | percent_off('22.00 USD')", "0"),
        ("text | readtime", "1"),
        ("nothing | readtime", "0"),
        ("tags | hashtags", "#Rust #home_office #C #naïves #București"),
        ("tags | hashtags(2)", "#Rust #home_office"),
        ("'one two' | hashtags", "#one_two"),
        ("nothing | hashtags", ""),
    ];
    for (expression, expected) in cases {
        assert_eq!(printed(expression).as_deref(), Ok(expected), "{expression}");
    }
}

#[test]
fn amounts_are_written_as_each_language_does() {
    let cases = [
        ("en", "1299.50 EUR", "€1,299.50"),
        ("en-gb.telegram", "44.00 GBP", "£44"),
        ("en", "44.00 MDL", "MDL\u{a0}44"),
        ("ro", "1299.50 RON", "1.299,50\u{a0}lei"),
        ("ro", "44.00 EUR", "44\u{a0}EUR"),
        ("de", "1299.50 EUR", "1.299,50\u{a0}€"),
        ("it", "1299.00 EUR", "1299\u{a0}€"),
        ("it", "12999.00 EUR", "12.999\u{a0}€"),
        ("fr", "12999.90 EUR", "12\u{202f}999,90\u{a0}€"),
        ("es", "9.99 USD", "9,99\u{a0}$"),
        ("telegram", "9.99 USD", "9.99\u{a0}USD"),
        ("sw", "9.99 USD", "9.99\u{a0}USD"),
    ];
    for (setting, amount, expected) in cases {
        let expression = format!("'{amount}' | money");
        assert_eq!(printed_in(setting, &expression).as_deref(), Ok(expected), "{setting} {amount}");
    }
    assert_eq!(printed("'44.00 EUR' | money('de')").as_deref(), Ok("44\u{a0}€"));
    assert_eq!(printed("'44.00 EUR' | money(language='en')").as_deref(), Ok("€44"));
}

#[test]
fn dates_have_the_names_of_each_language() {
    let cases = [
        ("en", "d MMM", "24 Nov"),
        ("ro", "d MMM", "24 nov."),
        ("ro", "EEEE, d MMMM yyyy, HH:mm", "marți, 24 noiembrie 2026, 00:30"),
        ("de.messenger", "EEE dd.MM.yy", "Di. 24.11.26"),
        ("fr", "d MMMM 'à' H'h'mm", "24 novembre à 0h30"),
        ("it", "EEEE d MMMM", "martedì 24 novembre"),
        ("es", "d 'de' MMMM", "24 de noviembre"),
        ("", "EEE, MMM d, h:mm a zzz", "Tue, Nov 24, 12:30 AM EET"),
    ];
    for (setting, format, expected) in cases {
        let expression = format!("at | date(\"{format}\", 'Europe/Bucharest')");
        assert_eq!(printed_in(setting, &expression).as_deref(), Ok(expected), "{setting} {format}");
    }
    for wrong in ["at | date('Q')", "at | date('ddd')", "at | date('d', 'Mars/Base')"] {
        assert!(printed(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn utm_keeps_the_rest_of_an_address() {
    let cases = [
        (
            "link | utm(source='telegram', medium='bot')",
            "https://e.com/a%20b?x=1&y=%C3%A9&utm_source=telegram&utm_medium=bot#part",
        ),
        (
            "link | utm(source='a b&c') | utm(source='d')",
            "https://e.com/a%20b?x=1&y=%C3%A9&utm_source=d#part",
        ),
        ("'https://e.com' | utm(campaign='spring sale')", "https://e.com?utm_campaign=spring+sale"),
        ("'https://e.com/?' | utm(term='t')", "https://e.com/?utm_term=t"),
        ("link | utm(source='')", "https://e.com/a%20b?x=1&utm_source=rss&y=%C3%A9#part"),
        ("'mailto:x' | utm(source='a')", "mailto:x"),
        ("nothing | utm(source='a')", ""),
    ];
    for (expression, expected) in cases {
        assert_eq!(printed(expression).as_deref(), Ok(expected), "{expression}");
    }
    assert!(printed("link | utm(sauce='a')").is_err());
}

#[test]
fn long_texts_take_longer_to_read() {
    let mut environment = engine::environment(Arc::new(Files::default()), &Zone::utc());
    let mut minutes = |text: &str| {
        let context = minijinja::context! { text => text };
        environment.set_fuel(None);
        environment.render_named_str("/x.html", "{{ text | readtime }}", context).unwrap()
    };
    assert_eq!(minutes("word"), "1");
    assert_eq!(minutes(&"word ".repeat(460)), "2");
    assert_eq!(minutes(&"漢字".repeat(500)), "2");
}

#[test]
fn sec_t03_no_filter_makes_text_without_bounds() {
    for expression in [
        "long | replace('x', 'yyyyyyyyyy')",
        "[long, long] | join",
        "'%0999999999d' | format(1)",
        "at | date('%Y' * 33)",
        "at | date('y' * 65)",
        "list | batch(999999999)",
        "text | indent(999999999)",
        "list | pprint",
    ] {
        assert!(printed(expression).is_err(), "{expression}");
    }
}

#[test]
fn every_filter_that_is_told_is_there() {
    let mut environment = Environment::empty();
    install(&mut environment, TimeZone::UTC);
    for name in FILTERS {
        let found = environment.empty_state().apply_filter(name, &[]);
        let is_unknown = found.is_err_and(|error| error.kind() == ErrorKind::UnknownFilter);
        assert!(!is_unknown, "{name}");
    }
}
