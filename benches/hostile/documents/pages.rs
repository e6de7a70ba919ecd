//! Pages.

use super::{Document, Kind, flood, many};

type Page = (&'static str, fn(usize) -> String);

const PAGES: &[Page] = &[
    ("posts", |n| {
        many(n, |at| {
            format!(
                "<div class='post'><h2><a href='/{at}'>Post {at}</a></h2><time>2024-05-06</time>\
                 <p>Words of it, long enough to be a summary of something.</p></div>"
            )
        })
    }),
    ("nested blocks", |n| flood(n, "<div>")),
    ("nested blocks with words", |n| flood(n, "<div>some words, ")),
    ("nested blocks, 190 deep", |n| flood(n, &("<div>".repeat(190) + &"</div>".repeat(190)))),
    ("links, 190 deep", |n| {
        many(n, |at| {
            let link = format!("<a href='/{at}'>A name that is long {at}</a>");
            "<div>".repeat(190) + &link.repeat(30) + &"</div>".repeat(190)
        })
    }),
    ("nested formatting", |n| many(n, |at| format!("<b id={at}>"))),
    ("formatting across paragraphs", |n| many(n, |at| format!("<p><b id={at}>x"))),
    ("nested tables", |n| flood(n, "<table><tr><td>")),
    ("cells", |n| "<table>".to_owned() + &flood(n, "<td>x")),
    ("tables without ends", |n| flood(n, "<table><a>")),
    ("nested lists", |n| flood(n, "<ul><li>")),
    ("items", |n| "<ul>".to_owned() + &flood(n, "<li>x")),
    ("one tag with all attributes", |n| format!("<p {}>x", many(n, |at| format!("a{at} ")))),
    ("tags with many attributes", |n| {
        let names: String = (0..60).map(|at| format!("a{at}=b ")).collect();
        flood(n, &format!("<i {names}>"))
    }),
    ("all that may be kept", |n| {
        let names: String = (0..60).map(|at| format!("a{at}=b ")).collect();
        let tags = format!("<i {names}>x</i>").repeat(3_300);
        many(n.saturating_sub(tags.len()), |_| "words ".repeat(2_000) + "<br>") + &tags
    }),
    ("classes", |n| many(n, |at| format!("<i class='{}'>x</i>", format!("c{at} ").repeat(50)))),
    ("unclosed tags", |n| flood(n, "<a href='x")),
    ("unclosed comments", |n| flood(n, "<!-- ")),
    ("comments", |n| flood(n, "<!---->")),
    ("only signs", |n| flood(n, "<")),
    ("ends", |n| flood(n, "</div>")),
    ("raw text", |n| flood(n, "<title>")),
    ("raw texts", |n| flood(n, "<textarea>x</textarea>")),
    ("scripts", |n| flood(n, "<script>x</script>")),
    ("references", |n| flood(n, "&amp;")),
    ("blanks that are escaped", |n| format!("<article>{}</article>", flood(n, "\u{a0}word, "))),
    ("attributes of references", |n| {
        flood(n, &format!("<p title='{}'>Words, and more words.</p>", "&".repeat(16_000)))
    }),
    ("references of names", |n| flood(n, "&CounterClockwiseContourIntegra")),
    ("words", |n| flood(n, "words and, ")),
    ("words in one paragraph", |n| {
        format!("<article><p>{}</p></article>", flood(n, "words, and "))
    }),
    ("breaks", |n| flood(n, "x<br>")),
    ("breaks twice", |n| flood(n, "some words, here<br><br>")),
    ("letters of their own", |n| flood(n, "<i>x</i>")),
    ("19000 elements", |n| {
        let count = 19_000;
        let words = "words, ".repeat((n / count).saturating_sub(9) / 7);
        format!("<p>{words}</p>").repeat(count)
    }),
    ("19000 divisions", |n| {
        let count = 19_000;
        let words = "w,".repeat((n / count).saturating_sub(11) / 2);
        format!("<div>{words}</div>").repeat(count)
    }),
    ("19000 links", |n| {
        let count = 19_000;
        let words = "w".repeat((n / count).saturating_sub(22));
        (0..count).map(|at| format!("<a href=/{at}>{words}</a>")).collect()
    }),
    ("19000 nested spans", |n| {
        let count = 19_000;
        let words = "w,".repeat((n / count).saturating_sub(13) / 2);
        (0..count / 190)
            .map(|_| format!("<span>{words}").repeat(190) + &"</span>".repeat(190))
            .collect()
    }),
    ("19000 pictures", |n| {
        let count = 19_000;
        let words = "w".repeat((n / count).saturating_sub(18));
        format!("<p><img src='{words}'></p>").repeat(count / 2)
    }),
    ("19000 classes", |n| {
        let count = 19_000;
        let words = "comment meta footer ".repeat((n / count).saturating_sub(25) / 20);
        format!("<div class='{words}'>a, b</div>").repeat(count)
    }),
    ("links", |n| {
        many(n, |at| format!("<li><a href='/some/page/{at}'>A name that is long {at}</a>"))
    }),
    ("links of one block", |n| {
        format!("<div class=post><h2>x</h2>{}</div>", many(n, |at| format!("<a href=/{at}>x</a>")))
            .repeat(2)
    }),
    ("links to feeds", |n| many(n, |at| format!("<a href='/{at}/feed'>x</a>"))),
    ("feeds", |n| {
        many(n, |at| format!("<link rel=alternate type=application/rss+xml href='/{at}/feed'>"))
    }),
    ("titles within titles", |n| {
        many(n, |at| format!("<div class='title item'><a href=/{at}>{at}</a>"))
    }),
    ("headings", |n| many(n, |at| format!("<h2><a href=/{at}>{at}</a></h2>"))),
    ("headings with words", |n| many(n, |at| format!("<h2><a href=/{at}>{at}</a></h2><p>x"))),
    ("entries within entries", |n| {
        many(n, |at| {
            format!("<div class='h-entry hentry'><a class='u-url p-name' href=/{at}>{at}</a>")
        })
    }),
    ("entries", |n| {
        many(n, |at| {
            format!("<div class=h-entry><a class='u-url p-name' href=/{at}>{at}</a></div>")
        })
    }),
    ("properties of an entry", |n| {
        let all = many(n, |at| format!("<a class='u-url p-name p-category' href=/{at}>x</a>"));
        format!("<div class=h-entry>{all}</div><div class=h-entry>{all}</div>")
    }),
    ("entries of one feed", |n| {
        let entries = many(n, |at| format!("<p class=h-entry><a class=u-url href=/{at}>{at}</a>"));
        format!("<div class=h-feed>{entries}</div>")
    }),
    ("categories within categories", |n| within(n, "h-entry", "div class=p-category")),
    ("authors within authors", |n| within(n, "h-entry", "div class=p-author")),
    ("dates within dates", |n| within(n, "h-entry", "div class=dt-published")),
    ("tags within tags", |n| within(n, "hentry", "table><td><a rel=tag href=/x")),
    ("titles within items", |n| within(n, "post", "div class=title")),
    ("summaries within items", |n| within(n, "post", "div class=summary")),
    ("headings within items", |n| within(n, "post", "h2")),
    ("times within items", |n| within(n, "post", "time")),
    ("times of items", |n| {
        flood(n, &format!("<li>{}{}", "<time>".repeat(180), "words 2024 ".repeat(50)))
    }),
    ("links of items", |n| {
        let links: String = (0..590).map(|at| format!("<a href=/{at}>")).collect();
        flood(n, &format!("<li>{links}"))
    }),
    ("pictures of items", |n| {
        flood(n, &format!("<li><a href=/a>a</a>{}", "<img src=a>".repeat(590)))
    }),
    ("days", |n| many(n, |at| format!("<p>1 May 20{at} 2 June 1 2024-1 <a href=/{at}>x</a>"))),
    ("items within items", |n| flood(n, "<div itemscope itemprop='a b'>")),
    ("properties", |n| many(n, |at| format!("<div itemscope><p itemprop=a{at}>x"))),
    ("products in microdata", |n| {
        many(n, |at| {
            format!(
                "<div itemscope itemtype='https://schema.org/Product'><a itemprop=url href=/{at}>\
                 <b itemprop=name>x</b></a></div>"
            )
        })
    }),
    ("item references", |n| {
        many(n, |at| format!("<div id=i{at} itemscope itemref='i1 i2 i{at}'></div>"))
    }),
    ("meta", |n| many(n, |at| format!("<meta property='og:image' content='/{at}.jpg'>"))),
    ("a long base", |n| {
        let base = flood(n / 2, "abcdefgh");
        format!("<base href='/{base}/'>") + &many(n / 2, |at| format!("<li><a href={at}>name</a>"))
    }),
    ("a base that is kept", |n| {
        let base = "a".repeat(16_000);
        format!("<base href='/{base}/'>")
            + &many(n - 16_000, |at| {
                format!("<div class=post><h2><a href={at}>A name {at}</a></h2><img src={at}></div>")
            })
    }),
    ("a long language", |n| {
        let language = "en-".repeat(5_000);
        format!("<html lang='{language}'>")
            + &many(n - 15_000, |at| format!("<h2><a href={at}>name</a></h2>"))
    }),
    ("sets of pictures", |n| {
        let set = "a.jpg 1w, ".repeat(1_500);
        many(n, |at| {
            format!("<div class=post><h2><a href=/{at}>A</a></h2><img srcset='{set}'></div>")
        })
    }),
    ("brackets", |n| script(&"[".repeat(n))),
    ("values", |n| script(&format!("[{}0]", flood(n, "0,")))),
    ("values of blocks", |n| many(n, |_| script("{\"@type\":\"Product\",\"name\":\"x\"}"))),
    ("products", |n| {
        let all = many(n, |at| {
            format!("{{\"@type\":\"Product\",\"sku\":\"{at}\",\"name\":\"x\",\"url\":\"/{at}\"}},")
        });
        script(&format!("[{all}0]"))
    }),
    ("a list of products", |n| {
        let all = many(n, |at| format!("{{\"@type\":\"ListItem\",\"url\":\"/{at}\"}},"));
        script(&format!("{{\"@type\":\"ItemList\",\"itemListElement\":[{all}0]}}"))
    }),
    ("offers of a product", |n| {
        let all = many(n, |at| format!("{{\"@type\":\"Offer\",\"price\":{at}}},"));
        script(&format!("{{\"@type\":\"Product\",\"name\":\"x\",\"offers\":[{all}0]}}"))
    }),
    ("variants of a group", |n| {
        let all = many(n, |at| format!("{{\"@type\":\"Product\",\"sku\":\"{at}\"}},"));
        script(&format!("{{\"@type\":\"ProductGroup\",\"name\":\"x\",\"hasVariant\":[{all}0]}}"))
    }),
    ("a broken string", |n| script(&format!("{{\"a\": \"{}", flood(n, "\\'\n")))),
    ("comments in a script", |n| script(&format!("{}-->", flood(n, "<!--{")))),
    ("wrappers in a script", |n| script(&flood(n, "<![CDATA["))),
    ("blocks of comments", |n| script(&flood(n, "/*x*/"))),
    ("commas in a script", |n| script(&(flood(n / 2, "[,]") + &flood(n / 2, ", ")))),
    ("references in a circle", |n| {
        let offers = flood(n / 2, r##"{"@id":"#p"},"##);
        let offers = offers.trim_end_matches(',');
        script(&format!(
            r##"{{"@graph":[{{"@type":"Product","@id":"#p","name":"x","hasVariant":[{offers}],"offers":[{offers}]}}]}}"##
        ))
    }),
    ("references to one fullest", |n| {
        let all = many(n, |at| format!(r##"{{"@id":"#p","a":{at}}},"##));
        script(&format!(r##"{{"@graph":[{all}{{"@id":"#p","@type":"Product","name":"x"}}]}}"##))
    }),
    ("paragraphs", |n| {
        many(n, |at| format!("<p>Words, and more words, of number {at}, that nobody reads."))
    }),
    ("pictures", |n| many(n, |at| format!("<img src='/{at}.jpg' alt='{at}'>"))),
    ("frames", |n| flood(n, "<iframe></iframe>")),
    ("drawings", |n| "<svg>".to_owned() + &flood(n, "<g/><path/>")),
    ("quotes", |n| flood(n, "<blockquote><q>x")),
    ("a page of a challenge", |n| {
        format!("<title>Just a moment...</title>{}", flood(n, "<div id=cf-chl>x</div>"))
    }),
];

/// Items of 64 KiB of words within 190 elements.
fn within(length: usize, class: &str, tag: &str) -> String {
    let words = "some words, ".repeat((64 << 10) / 12);
    many(length, |at| {
        let tags = format!("<{tag}>").repeat(if tag.contains("table") { 60 } else { 190 });
        format!("<div class={class}><a class=u-url href=/{at}>{at}</a>{tags}{words}</table></div>")
            + &"</div>".repeat(190)
    })
}

fn script(json: &str) -> String {
    format!("<script type='application/ld+json'>{json}</script>")
}

pub fn all() -> Vec<Document> {
    let of = |(name, page): &'static Page| Document {
        name: format!("page: {name}").leak(),
        kind: Kind::Page,
        make: Box::new(move |length| page(length).into_bytes()),
    };
    PAGES.iter().map(of).collect()
}
