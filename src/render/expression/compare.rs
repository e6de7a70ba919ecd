//! The comparisons of an expression: those that can't hold, or can't fail, whatever they are asked
//! of, because their two sides are of different kinds or a word on one side is never met.
//!
//! 1. Where an operand can begin, one is read: a field, a literal or a list, with its filters.
//! 2. What follows it is a comparison, and then another operand; else there is nothing to judge.
//! 3. The two are judged by their kinds, and words by those that the field can be.
//!
//! An operand that is more than this (sums, brackets, calls) is open, and judged by nobody.

use crate::model::subscriber::is_language_tag;
use crate::render::expression::Fault;
use crate::render::expression::scan::Token;

/// What stands on a side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    /// Text such as `15.00 EUR`.
    Amount,
    /// Text that begins as `2026-01-31` does.
    Date,
    /// Text that is the tag of a language, in lower case.
    Language,
    List,
    Flag,
    /// Whatever it turns out to be.
    Open,
}

impl Kind {
    fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Amount | Self::Date | Self::Language)
    }
}

/// What the fields of an expression are.
pub(super) struct Fields<'a> {
    /// By its path, such as `item.title`.
    pub kind: &'a dyn Fn(&str) -> Kind,
    /// The words that a field can be, or that are in it, and what to say of another one, up to the
    /// word. Without any, all are taken.
    pub words: &'a dyn Fn(&str) -> Option<Words<'a>>,
}

/// What to say of a word that a field never is, and the words that it can be.
pub(super) type Words<'a> = (&'static str, Vec<&'a str>);

/// One side of a comparison.
struct Operand<'t> {
    kind: Kind,
    /// As it is written.
    shown: String,
    /// Of a field without filters.
    path: Option<String>,
    /// Of a literal, or of those of a list that is written out; with quotes.
    literals: Vec<&'t str>,
    is_date: bool,
}

/// Everything that can't be meant; `text_of` gives the text that a literal stands for.
pub(super) fn compared(
    tokens: &[Token<'_>],
    fields: &Fields<'_>,
    text_of: &mut dyn FnMut(&str) -> Option<String>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for at in 0..tokens.len() {
        let may_begin = at.checked_sub(1).is_none_or(|before| opens(tokens[before]));
        if !may_begin {
            continue;
        }
        let (left, end) = operand(tokens, at, fields);
        let (sign, next) = match &tokens[end..] {
            [Token::Mark(mark @ ("==" | "!=" | "<" | ">" | "<=" | ">=")), ..] => (*mark, end + 1),
            [Token::Name("in"), ..] => ("in", end + 1),
            [Token::Name("not"), Token::Name("in"), ..] => ("not in", end + 2),
            [Token::Mark(mark @ ("*" | "/" | "+" | "-" | "//" | "%")), ..] => {
                let (right, _) = operand(tokens, end + 1, fields);
                let sides = [(&left, &right), (&right, &left)];
                // Texts are put together by `+`.
                let amount = sides.into_iter().find(|(one, other)| {
                    one.kind == Kind::Amount && (*mark != "+" || other.kind == Kind::Number)
                });
                faults.extend(amount.map(|(amount, _)| no_number(amount, mark)));
                continue;
            }
            _ => continue,
        };
        let (mut right, after) = operand(tokens, next, fields);
        if tokens.get(after).is_some_and(|token| !closes(*token)) {
            right.kind = Kind::Open;
            right.path = None;
            right.literals.clear();
        }
        match of_kinds(&left, sign, &right) {
            Some(fault) => faults.push(fault),
            // In a text any piece of it is looked for.
            None if sign.ends_with("in") && right.kind != Kind::List => {}
            None => faults.extend(of_words(&left, &right, fields, text_of)),
        }
    }
    faults
}

/// What an operand may stand behind.
fn opens(token: Token<'_>) -> bool {
    matches!(
        token,
        Token::Mark("(" | "[" | ",") | Token::Name("and" | "or" | "not" | "if" | "else")
    )
}

/// What an operand may stand before.
fn closes(token: Token<'_>) -> bool {
    matches!(token, Token::Mark(")" | "]" | ",") | Token::Name("and" | "or" | "if" | "else"))
}

/// The operand that begins there, and where it ends.
fn operand<'t>(tokens: &[Token<'t>], at: usize, fields: &Fields<'_>) -> (Operand<'t>, usize) {
    let mut found = Operand {
        kind: Kind::Open,
        shown: String::new(),
        path: None,
        literals: vec![],
        is_date: false,
    };
    let mut end = at;
    match &tokens[at.min(tokens.len())..] {
        [
            Token::Number(year),
            Token::Mark("-"),
            Token::Number(month),
            Token::Mark("-"),
            Token::Number(day),
            ..,
        ] if (year.len(), month.len(), day.len()) == (4, 2, 2) => {
            found.shown = format!("{year}-{month}-{day}");
            found.is_date = true;
            end += 5;
        }
        [Token::Number(_), Token::Mark("."), Token::Number(_), ..] => {
            found.kind = Kind::Number;
            end += 3;
        }
        [Token::Number(_), ..] => {
            found.kind = Kind::Number;
            end += 1;
        }
        [Token::Mark("-"), Token::Number(_), ..] => {
            found.kind = Kind::Number;
            end += 2;
        }
        [Token::Text(literal), ..] => {
            found.kind = Kind::Text;
            found.shown = (*literal).to_owned();
            found.literals.push(literal);
            end += 1;
        }
        [Token::Mark("["), ..] => {
            end = closing(tokens, at);
            let literals = tokens[at..end].iter().filter_map(|token| match token {
                Token::Text(literal) => Some(*literal),
                _ => None,
            });
            found.literals.extend(literals);
            found.kind = Kind::List;
        }
        [Token::Name("true" | "false"), ..] => {
            found.kind = Kind::Flag;
            end += 1;
        }
        [Token::Name(name), ..] => {
            found.shown.push_str(name);
            end += 1;
            while let [Token::Mark("."), Token::Name(field), ..] = &tokens[end..] {
                found.shown = format!("{}.{field}", found.shown);
                end += 2;
            }
            found.kind = (fields.kind)(&found.shown);
            found.path = Some(found.shown.clone());
        }
        _ => return (found, end),
    }
    while let [Token::Mark("|"), Token::Name(filter), ..] = &tokens[end..] {
        found.kind = filtered(filter, found.kind);
        found.shown = format!("{} | {filter}", found.shown);
        found.path = None;
        found.literals.clear();
        end += 2;
        if matches!(tokens.get(end), Some(Token::Mark("("))) {
            end = closing(tokens, end);
        }
    }
    (found, end)
}

/// What is behind the bracket that closes the one there.
fn closing(tokens: &[Token<'_>], at: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token {
            Token::Mark("(" | "[") => depth += 1,
            Token::Mark(")" | "]") => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index + 1;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

/// What a filter makes of it.
fn filtered(filter: &str, kind: Kind) -> Kind {
    match filter {
        "amount" | "length" | "count" | "int" | "float" | "percent_off" => Kind::Number,
        "lower" | "upper" | "trim" | "capitalize" | "plain" | "domain" | "truncate" | "join"
        | "replace" | "money" | "urlencode" | "readtime" | "hashtags" => Kind::Text,
        "list" | "sort" | "unique" | "select" | "reject" | "selectattr" | "map" => Kind::List,
        "round" | "abs" if kind == Kind::Number => Kind::Number,
        _ => Kind::Open,
    }
}

/// What is wrong with the two kinds.
fn of_kinds(left: &Operand<'_>, sign: &str, right: &Operand<'_>) -> Option<Fault> {
    let sides = [(left, right), (right, left)];
    let find = |is_it: &dyn Fn(&Operand<'_>, &Operand<'_>) -> bool| {
        sides.into_iter().find(|(one, other)| is_it(one, other))
    };
    if let Some((date, _)) = find(&|one, _| one.is_date) {
        let problem = format!("`{}` is a date without quotes", date.shown);
        return Some(Fault::new(problem).hint(format!("write `'{}'`", date.shown)));
    }
    let is_order = sign.starts_with(['<', '>']);
    let is_equal = matches!(sign, "==" | "!=");
    let is_field = |one: &Operand<'_>| !one.shown.is_empty() && one.literals.is_empty();
    if !is_order && !is_equal {
        // A word is looked for in a list, or in text.
        if left.kind == Kind::List && right.kind == Kind::List && is_field(left) {
            let word = right.literals.first().copied().unwrap_or("…");
            let problem = format!("`{}` is a list, and `in` looks for one word", left.shown);
            return Some(Fault::new(problem).hint(format!("write `{word} {sign} {}`", left.shown)));
        }
        return None;
    }
    if let Some((list, other)) = find(&|one, _| one.kind == Kind::List && is_field(one)) {
        return of_list(list, other, sign);
    }
    let mirrored = |one: &Operand<'_>| match sign {
        "<" | "<=" | ">" | ">=" if !std::ptr::eq(one, left) => match sign {
            "<" => ">",
            "<=" => ">=",
            ">" => "<",
            _ => "<=",
        },
        sign => sign,
    };
    let is_amount = |one: &Operand<'_>, other: &Operand<'_>| {
        one.kind == Kind::Amount && (other.kind == Kind::Number || is_order && other.kind.is_text())
    };
    if let Some((amount, _)) = find(&is_amount) {
        return Some(no_number(amount, mirrored(amount)));
    }
    let (flag, other) = find(&|one, other| one.kind == Kind::Flag && other.kind.is_text())
        .filter(|(flag, _)| is_field(flag))
        .unzip();
    if let Some((flag, _)) = flag.zip(other) {
        let problem = format!("`{}` is true or false, and never text", flag.shown);
        return Some(Fault::new(problem).hint(format!("write `{0}` or `not {0}`", flag.shown)));
    }
    let (text, number) = find(&|one, other| one.kind.is_text() && other.kind == Kind::Number)?;
    Some(of_text_and_number(text, number, sign, is_order))
}

/// An amount that is taken for a number.
fn no_number(amount: &Operand<'_>, sign: &str) -> Fault {
    let field = amount.shown.rsplit('.').next().unwrap_or_default();
    let problem = format!("`{field}` is text such as `15.00 EUR`, not a number");
    Fault::new(problem).hint(format!("write `{} | amount {sign} …`", amount.shown))
}

/// A list beside something that is none.
fn of_list(list: &Operand<'_>, other: &Operand<'_>, sign: &str) -> Option<Fault> {
    let shown = &list.shown;
    if sign.starts_with(['<', '>']) {
        let problem = format!("`{shown}` is a list, which is not more or less than anything");
        return Some(Fault::new(problem).hint(format!("write `{shown} | length {sign} …`")));
    }
    if matches!(other.kind, Kind::List | Kind::Open) {
        return None;
    }
    let word = if other.shown.is_empty() { "…" } else { &other.shown };
    let within = if sign == "==" { "in" } else { "not in" };
    let problem = format!("`{shown}` is a list, and never equal to one word");
    Some(Fault::new(problem).hint(format!("write `{word} {within} {shown}`")))
}

fn of_text_and_number(
    text: &Operand<'_>,
    number: &Operand<'_>,
    sign: &str,
    is_order: bool,
) -> Fault {
    let is_literal = !text.literals.is_empty();
    if is_literal {
        let shown = if number.shown.is_empty() { "the other side" } else { &number.shown };
        let problem = format!("{} is text, and `{shown}` a number", text.shown);
        return Fault::new(problem).hint(format!("write `{shown} {sign} 7`, without quotes"));
    }
    let shown = &text.shown;
    if text.kind == Kind::Date {
        let problem = format!("`{shown}` is a date as text, not a number");
        return Fault::new(problem).hint(format!("write `{shown} {sign} '2026-01-31'`"));
    }
    if is_order {
        let problem = format!("`{shown}` is text, which is not more or less than a number");
        return Fault::new(problem)
            .hint(format!("write `{shown} | length {sign} …` for its length"));
    }
    let problem = format!("`{shown}` is text, and never equal to a number");
    Fault::new(problem).hint(format!("write `{shown} {sign} '…'`, with quotes"))
}

/// Words beside a field that it can never be.
fn of_words(
    left: &Operand<'_>,
    right: &Operand<'_>,
    fields: &Fields<'_>,
    text_of: &mut dyn FnMut(&str) -> Option<String>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (field, other) in [(left, right), (right, left)] {
        let Some(path) = &field.path else { continue };
        let known = (fields.words)(path).filter(|(_, known)| !known.is_empty());
        for literal in &other.literals {
            let Some(word) = text_of(literal) else { continue };
            match (&known, field.kind) {
                (Some((problem, known)), _) if !known.contains(&word.as_str()) => {
                    faults.push(Fault::near(format!("{problem} `{word}`"), &word, known));
                }
                (None, Kind::Language) => faults.extend(no_tag(&word)),
                (None, Kind::Date) if !is_date(&word) => {
                    let problem = format!("`{word}` is no date as `{path}` has them");
                    let hint = format!("for example `{path} >= '2026-01-31'`");
                    faults.push(Fault::new(problem).hint(hint));
                }
                _ => {}
            }
        }
    }
    faults
}

/// A word that no language is called; nobody's language is the empty one.
fn no_tag(word: &str) -> Option<Fault> {
    let tag = word.to_lowercase().replace('_', "-");
    if word.is_empty() || is_tag(word) {
        return None;
    }
    Some(match is_tag(&tag) {
        true => Fault::new(format!(
            "`{word}` is never met: languages are in lower case; did you mean `{tag}`?"
        )),
        false => Fault::new(format!("`{word}` is no language"))
            .hint("write its tag, such as `ro` or `pt-br`"),
    })
}

fn is_tag(word: &str) -> bool {
    is_language_tag(word) && !word.contains(|c: char| c.is_ascii_uppercase())
}

/// Whether it begins as a date does; nothing has no date, and is asked for too.
fn is_date(word: &str) -> bool {
    let is_year = word.len() >= 4 && word.bytes().take(4).all(|byte| byte.is_ascii_digit());
    word.is_empty() || is_year && word.as_bytes().get(4).is_none_or(|byte| *byte == b'-')
}

#[cfg(test)]
mod tests;
