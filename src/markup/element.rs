//! What each HTML element means to us.

/// Styles of a line, from the outermost to the innermost of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Spoiler,
    Bold,
    Italic,
    Underline,
    Strike,
    Code,
}

/// How many kinds of [`Mark`] there are.
pub(crate) const MARKS: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    /// Has no meaning of its own; its content stays in the line.
    Inline,
    Mark(Mark),
    Link,
    /// May be a spoiler by its class, so its end has to be told from others'.
    Span,
    /// `<q>`.
    QuoteMarks,
    Superscript,
    Break,
    /// Stands on lines of its own; otherwise no meaning.
    Block,
    Heading(u8),
    Quote,
    List {
        is_ordered: bool,
    },
    Item,
    /// The word that a definition list explains, or what shows of details.
    Term,
    /// What is shown folded.
    Details,
    Table,
    Row,
    Cell,
    Preformatted,
    Rule,
    /// Dropped with its content.
    Dropped,
    /// Dropped with its content, which is no markup.
    DroppedText,
}

/// Longest name that has a meaning, in bytes.
const NAME_BYTES_MAX: usize = 10;

impl Element {
    /// By name, in whatever case.
    pub(crate) fn of(name: &str) -> Self {
        let mut lower = [0; NAME_BYTES_MAX];
        let Some(lower) = lower.get_mut(..name.len()) else { return Self::Inline };
        lower.copy_from_slice(name.as_bytes());
        lower.make_ascii_lowercase();
        match &*lower {
            b"b" | b"strong" | b"mark" => Self::Mark(Mark::Bold),
            b"i" | b"em" | b"cite" | b"dfn" | b"var" => Self::Mark(Mark::Italic),
            b"u" | b"ins" => Self::Mark(Mark::Underline),
            b"s" | b"strike" | b"del" => Self::Mark(Mark::Strike),
            b"code" | b"tt" | b"kbd" | b"samp" => Self::Mark(Mark::Code),
            b"tg-spoiler" | b"spoiler" => Self::Mark(Mark::Spoiler),
            b"a" => Self::Link,
            b"span" => Self::Span,
            b"q" => Self::QuoteMarks,
            b"sup" => Self::Superscript,
            b"br" => Self::Break,
            b"p" | b"div" | b"section" | b"article" | b"header" | b"footer" | b"main"
            | b"aside" | b"nav" | b"address" | b"figure" | b"figcaption" | b"center" | b"form"
            | b"fieldset" | b"legend" | b"hgroup" | b"dl" | b"dd" | b"caption" | b"html"
            | b"head" | b"body" => Self::Block,
            b"h1" => Self::Heading(1),
            b"h2" => Self::Heading(2),
            b"h3" => Self::Heading(3),
            b"h4" => Self::Heading(4),
            b"h5" => Self::Heading(5),
            b"h6" => Self::Heading(6),
            b"blockquote" => Self::Quote,
            b"ul" | b"menu" | b"dir" => Self::List { is_ordered: false },
            b"ol" => Self::List { is_ordered: true },
            b"li" => Self::Item,
            b"dt" | b"summary" => Self::Term,
            b"details" => Self::Details,
            b"table" => Self::Table,
            b"tr" => Self::Row,
            b"td" | b"th" => Self::Cell,
            b"pre" | b"listing" => Self::Preformatted,
            b"hr" => Self::Rule,
            b"svg" | b"math" | b"template" | b"select" | b"button" | b"datalist" | b"option"
            | b"video" | b"audio" | b"object" | b"applet" | b"canvas" | b"noscript" => {
                Self::Dropped
            }
            b"script" | b"style" | b"iframe" | b"title" | b"textarea" | b"noembed"
            | b"noframes" | b"xmp" => Self::DroppedText,
            _ => Self::Inline,
        }
    }

    /// Whether the text before and the text behind it touch each other.
    pub(crate) fn is_within_line(self) -> bool {
        matches!(
            self,
            Self::Inline
                | Self::Mark(_)
                | Self::Link
                | Self::Span
                | Self::QuoteMarks
                | Self::Superscript
        )
    }
}
