//! Documents of XML: one set of tricks, in the words of each format.

use super::{Document, Kind, flood, many};

/// The words of a format.
#[derive(Clone, Copy)]
struct Words {
    kind: Kind,
    prefix: &'static str,
    head: &'static str,
    row: &'static str,
    /// A field of a row whose text is kept, and one that holds an address.
    field: &'static str,
    link: &'static str,
    /// What each row must have to be one; `#` stands for its number.
    needed: &'static str,
    tail: &'static str,
}

const FORMATS: [Words; 8] = [
    Words {
        kind: Kind::Rss,
        prefix: "rss: ",
        head: "<rss version=\"2.0\" xmlns:media=\"http://search.yahoo.com/mrss/\"><channel>",
        row: "item",
        field: "description",
        link: "link",
        needed: "<link>/p/#</link>",
        tail: "</channel></rss>",
    },
    Words {
        kind: Kind::Atom,
        prefix: "atom: ",
        head: "<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:s=\"http://jadedpixel.com/-/spec/shopify\">",
        row: "entry",
        field: "summary",
        link: "id",
        needed: "<link href='/p/#'/><id>/p/#</id>",
        tail: "</feed>",
    },
    Words {
        kind: Kind::Merchant,
        prefix: "merchant: ",
        head: "<rss version=\"2.0\" xmlns:g=\"http://base.google.com/ns/1.0\"><channel>",
        row: "item",
        field: "g:title",
        link: "g:link",
        needed: "<g:id>#</g:id>",
        tail: "</channel></rss>",
    },
    Words {
        kind: Kind::Offers,
        prefix: "yml: ",
        head: "<yml_catalog><shop><currencies><currency id=\"EUR\" rate=\"1\"/></currencies><offers>",
        row: "offer",
        field: "name",
        link: "url",
        needed: "<url>/p/#</url>",
        tail: "</offers></shop></yml_catalog>",
    },
    Words {
        kind: Kind::Mapped,
        prefix: "mapped: ",
        head: "<shop><products>",
        row: "product",
        field: "title",
        link: "link",
        needed: "<id>#</id>",
        tail: "</products></shop>",
    },
    Words {
        kind: Kind::Service,
        prefix: "service: ",
        head: "<prestashop><products>",
        row: "product",
        field: "name",
        link: "link",
        needed: "<id>#</id>",
        tail: "</products></prestashop>",
    },
    Words {
        kind: Kind::Sitemap,
        prefix: "sitemap: ",
        head: "<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">",
        row: "url",
        field: "lastmod",
        link: "loc",
        needed: "<loc>https://e.com/p/#</loc>",
        tail: "</urlset>",
    },
    Words {
        kind: Kind::Opml,
        prefix: "opml: ",
        head: "<opml version=\"2.0\"><body>",
        row: "outline",
        field: "text",
        link: "url",
        needed: "<outline text='a' xmlUrl='https://e.com/#'/>",
        tail: "</body></opml>",
    },
];

/// A trick: its name, and the document in the words of a format.
type Trick = (&'static str, fn(&Words, usize) -> String);

const TRICKS: &[Trick] = &[
    ("rows", |w, n| w.rows(n, |_| format!("<{f}>Some words, and 1.50 EUR</{f}>", f = w.field))),
    ("empty rows", |w, n| w.around(&flood(n, &format!("<{}/>", w.row)))),
    ("tiny rows", |w, n| w.rows(n, |_| String::new())),
    ("unclosed empty rows", |w, n| w.around(&flood(n, &format!("<{}>", w.row)))),
    ("unclosed rows", |w, n| {
        w.around(&many(n, |at| format!("<{}>{}", w.row, w.needed.replace('#', &at.to_string()))))
    }),
    ("unclosed fields", |w, n| w.around(&flood(n, &format!("<{}><{}>x", w.row, w.field)))),
    ("ill-formed rows", |w, n| w.rows(n, |_| format!("<{f}>a & b</{f}>", f = w.field))),
    ("nesting", |w, n| w.around(&flood(n, "<a>"))),
    ("rows within rows", |w, n| {
        let depth = 60;
        let (open, close) = (format!("<{}>", w.row), format!("</{}>", w.row));
        w.around(&flood(n, &(open.repeat(depth) + &close.repeat(depth))))
    }),
    ("nesting in a field", |w, n| w.field_of(&flood(n, "<a>"))),
    ("nesting, 60 deep", |w, n| {
        w.rows(n, |_| format!("{}x{}", "<a>".repeat(60), "</a>".repeat(60)))
    }),
    ("one tag of attributes", |w, n| w.around(&format!("<{} {}/>", w.row, many(n, attribute)))),
    ("tags of 250 attributes", |w, n| {
        let all: String = (0..250).map(attribute).collect();
        w.rows(n, |_| format!("<{} {all}/>", w.field))
    }),
    ("attributes without quotes", |w, n| {
        let all: String = (0..250).map(|at| format!("a{at}=b ")).collect();
        w.rows(n, |_| format!("<{} {all}/>", w.field))
    }),
    ("one attribute again", |w, n| w.rows(n, |_| format!("<{}{}/>", w.field, " a=''".repeat(200)))),
    ("references", |w, n| w.field_of(&flood(n, "&amp;"))),
    ("numbers of characters", |w, n| w.field_of(&flood(n, "&#x41;"))),
    ("bare ampersands", |w, n| w.field_of(&flood(n, "&"))),
    ("long references", |w, n| w.field_of(&flood(n, "&aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"))),
    ("references twice", |w, n| w.field_of(&flood(n, "&amp;amp;"))),
    ("escaped markup", |w, n| w.field_of(&flood(n, "&lt;p&gt;a&lt;/p&gt;"))),
    ("escaped markup of rows", |w, n| {
        w.rows(n, |_| format!("<{f}>{}</{f}>", "&lt;b&gt;".repeat(100), f = w.field))
    }),
    ("entities of a document type", |w, n| {
        let head = "<!DOCTYPE r [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>";
        format!("{head}{}", w.field_of(&flood(n, "&b;")))
    }),
    ("document types", |w, n| w.around(&flood(n, "<!DOCTYPE a ["))),
    ("comments", |w, n| w.around(&flood(n, "<!---->"))),
    ("comments in a field", |w, n| w.field_of(&flood(n, "x<!---->"))),
    ("unclosed comments", |w, n| w.around(&flood(n, "<!--"))),
    ("unclosed comments of rows", |w, n| w.rows(n, |_| format!("<{}><!-- x", w.field))),
    ("CDATA", |w, n| w.field_of(&flood(n, "<![CDATA[]]>"))),
    ("CDATA of markup", |w, n| w.field_of(&format!("<![CDATA[{}]]>", flood(n, "<b>x</b><p>")))),
    ("unclosed CDATA", |w, n| w.around(&flood(n, "<![CDATA["))),
    ("unclosed CDATA of rows", |w, n| w.rows(n, |_| format!("<{f}><![CDATA[x</{f}>", f = w.field))),
    ("CDATA within CDATA", |w, n| {
        let inner = format!("<{f}><![CDATA[x</{f}>", f = w.field);
        w.around(&(flood(n, &inner) + "]]>"))
    }),
    ("CDATA within CDATA of rows", |w, n| {
        let rows = w.only_rows(n, |_| format!("<{f}><![CDATA[x</{f}>", f = w.field));
        w.around(&(rows + "]]>"))
    }),
    ("comments within comments of rows", |w, n| {
        w.around(&(w.only_rows(n, |_| format!("<{f}><!-- x</{f}>", f = w.field)) + "-->"))
    }),
    ("instructions", |w, n| w.around(&flood(n, "<?x?>"))),
    ("unclosed instructions", |w, n| w.around(&flood(n, "<?x"))),
    ("only signs", |w, n| w.around(&flood(n, "<"))),
    ("ends of rows", |w, n| w.around(&flood(n, &format!("</{}>", w.row)))),
    ("ends of nothing", |w, n| w.around(&flood(n, "</x>"))),
    ("ends of nothing in a field", |w, n| w.field_of(&flood(n, "</x>"))),
    ("unclosed quotes", |w, n| w.around(&flood(n, &format!("<{} a=\"", w.row)))),
    ("unclosed tags", |w, n| w.around(&flood(n, &format!("<{} ", w.row)))),
    ("a text", |w, n| w.field_of(&flood(n, "words and "))),
    ("a text of brackets", |w, n| w.field_of(&flood(n, "]]>"))),
    ("a text of other characters", |w, n| w.field_of(&flood(n, "\u{1}\u{85}ş\u{fffd}"))),
    ("texts of rows", |w, n| {
        w.rows(n, |_| format!("<{f}>{}</{f}>", "wo ".repeat(300), f = w.field))
    }),
    ("an attribute", |w, n| w.around(&format!("<{} a=\"{}\"/>", w.row, flood(n, "a &amp; ")))),
    ("an attribute of ampersands", |w, n| {
        w.around(&format!("<{} a=\"{}\"/>", w.row, flood(n, "&")))
    }),
    ("fields", |w, n| w.around(&format!("<{r}>{}</{r}>", w.many_fields(n), r = w.row))),
    ("other fields", |w, n| {
        let fields = many(n, |at| format!("<x{at}>a</x{at}>"));
        w.around(&format!("<{r}>{fields}</{r}>", r = w.row))
    }),
    ("rows of 15000 elements", |w, n| w.rows(n, |_| "<a/>".repeat(15_000))),
    ("namespaces", |w, n| w.around(&many(n, |at| format!("<a xmlns:b{at}='c'/>")))),
    ("tags below many namespaces", |w, n| {
        let all: String = (0..250).map(|at| format!(" xmlns:prefix{at}='c'")).collect();
        w.around(&format!("<{r}><x{all}>{}</x></{r}>", flood(n, "<z:a/>"), r = w.row))
    }),
    ("bases", |w, n| w.rows(n, |_| format!("<{l} xml:base='a/'>b</{l}>", l = w.link))),
    ("a long base", |w, n| {
        let base = format!("https://e.com/{}/", flood(n / 2, "abcdefgh"));
        let head = w.head.replacen("><", &format!(" xml:base='{base}'><"), 1);
        let head = if head == w.head {
            head.replacen('>', &format!(" xml:base='{base}'>"), 1)
        } else {
            head
        };
        head + &w.only_rows(n / 2, |_| format!("<{l}>b</{l}>", l = w.link)) + w.tail
    }),
    ("a long language", |w, n| {
        let language = format!("<language>{}</language>", flood(n / 2, "en-"));
        format!("{}{language}{}{}", w.head, w.only_rows(n / 2, |_| String::new()), w.tail)
    }),
    ("long authors", |w, n| {
        let author = format!("<author><name>{}</name></author>", flood(n / 2, "Ann "));
        format!("{}{author}{}{}", w.head, w.only_rows(n / 2, |_| String::new()), w.tail)
    }),
    ("a long home", |w, n| {
        let home = format!("<link>https://e.com/{}</link>", flood(n / 2, "abc/"));
        let rows = w.only_rows(n / 2, |_| format!("<{l}>b</{l}>", l = w.link));
        format!("{}{home}{rows}{}", w.head, w.tail)
    }),
    ("long addresses", |w, n| {
        w.rows(n, |_| format!("<{l}>https://e.com/{}</{l}>", "ş/../".repeat(700), l = w.link))
    }),
    ("addresses of parameters", |w, n| {
        w.rows(n, |_| format!("<{l}>https://e.com/?{}</{l}>", "a=1&amp;".repeat(400), l = w.link))
    }),
    ("dates", |w, n| {
        w.rows(n, |_| {
            let date = "1 May 2024 ".repeat(20);
            format!("<pubDate>{date}</pubDate><updated>{date}</updated><lastmod>{date}</lastmod>")
        })
    }),
    ("prices", |w, n| {
        w.rows(n, |_| format!("<g:price>{0}</g:price><price>{0}</price>", "1.0 EUR ".repeat(20)))
    }),
    ("media", |w, n| {
        let media = many(n, |at| format!("<media:content url='/{at}.jpg' medium='image'/>"));
        w.around(&format!("<{r}>{}{media}</{r}>", w.needed, r = w.row))
    }),
    ("categories", |w, n| {
        let all = many(n, |at| format!("<category>c{at}</category>"));
        w.around(&format!("<{r}>{}{all}</{r}>", w.needed, r = w.row))
    }),
    ("pictures", |w, n| {
        w.rows(n, |_| format!("<{f}>{}</{f}>", "&lt;img src=a&gt;".repeat(50), f = w.field))
    }),
    ("the same id", |w, n| {
        w.around(&many(n, |at| {
            format!("<{r}><guid>a</guid><title>{at}</title><link>/a</link></{r}>", r = w.row)
        }))
    }),
    ("the same address", |w, n| {
        w.around(&many(n, |at| format!("<{r}><title>{at}</title><link>/a</link></{r}>", r = w.row)))
    }),
    ("categories before rows", |w, n| {
        w.around(&many(n, |at| format!("<category id='{at}'>c</category>")))
    }),
    ("junk before the root", |w, n| flood(n, "<br>Warning\n") + w.head + w.tail),
    ("nothing but blanks", |w, n| format!("{}{}", w.head, flood(n, "    \n"))),
];

impl Words {
    fn around(&self, inner: &str) -> String {
        [self.head, inner, self.tail].concat()
    }

    fn only_rows(&self, length: usize, inner: impl Fn(usize) -> String) -> String {
        many(length, |at| {
            let needed = self.needed.replace('#', &at.to_string());
            format!("<{r}>{needed}{}</{r}>", inner(at), r = self.row)
        })
    }

    fn rows(&self, length: usize, inner: impl Fn(usize) -> String) -> String {
        self.around(&self.only_rows(length, inner))
    }

    fn field_of(&self, inner: &str) -> String {
        let needed = self.needed.replace('#', "1");
        let (row, field) = (self.row, self.field);
        self.around(&format!("<{row}>{needed}<{field}>{inner}</{field}></{row}>"))
    }

    fn many_fields(&self, length: usize) -> String {
        let needed = self.needed.replace('#', "1");
        needed + &flood(length, &format!("<{f}>a</{f}>", f = self.field))
    }
}

fn attribute(number: usize) -> String {
    format!("a{number}='b' ")
}

pub fn all() -> Vec<Document> {
    let of = |words: Words| {
        TRICKS.iter().map(move |(name, trick)| Document {
            // A few dozen names, made once.
            name: format!("{}{name}", words.prefix).leak(),
            kind: words.kind,
            make: Box::new(move |length| trick(&words, length).into_bytes()),
        })
    };
    FORMATS.into_iter().flat_map(of).collect()
}
