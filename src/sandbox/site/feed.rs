//! The blog's feed: RSS 2.0 with whole bodies.

use std::time::{Duration, UNIX_EPOCH};

use crate::model::time::Timestamp;
use crate::sandbox::site::Post;

/// Writes the feed; `addresses` gives a post's page and picture.
pub(super) fn write<'a>(
    base: &str,
    posts: impl Iterator<Item = &'a Post>,
    addresses: impl Fn(&Post) -> (String, Option<String>),
) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
         xmlns:media=\"http://search.yahoo.com/mrss/\">\n<channel>\n\
         <title>The Harbour Gazette</title>\n<link>{base}/</link>\n\
         <description>Small news from a small harbour</description>\n\
         <language>en</language>\n"
    );
    for post in posts {
        let (link, picture) = addresses(post);
        let title = escape(&post.title);
        let date = http_date(post.at);
        let number = post.number;
        let body = post.html.replace("]]>", "]]]]><![CDATA[>");
        xml.push_str(&format!(
            "<item>\n<title>{title}</title>\n<link>{link}</link>\n\
             <guid isPermaLink=\"false\">gazette-{number}</guid>\n<pubDate>{date}</pubDate>\n\
             <dc:creator>The sandbox</dc:creator>\n<dc:language>{}</dc:language>\n\
             <description><![CDATA[{body}]]></description>\n\
             <content:encoded><![CDATA[{body}]]></content:encoded>\n",
            post.language
        ));
        for tag in post.tags {
            xml.push_str(&format!("<category>{}</category>\n", escape(tag)));
        }
        if let Some(picture) = picture {
            xml.push_str(&format!(
                "<media:content url=\"{picture}\" medium=\"image\" type=\"image/png\"/>\n"
            ));
        }
        xml.push_str("</item>\n");
    }
    xml.push_str("</channel>\n</rss>\n");
    xml
}

/// An instant as HTTP and RSS write it; before 1970 it is 1970.
pub(super) fn http_date(at: Timestamp) -> String {
    let millis = u64::try_from(at.as_millis()).unwrap_or(0);
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(millis))
}

/// A text as markup.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
