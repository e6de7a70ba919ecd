//! Posts of WordPress's REST API, whole or as static exporters cut them down.

use serde_json::Value;

use crate::extract::catalog::json::loose::{first_text, some_text, text};
use crate::extract::catalog::json::product::Product;
use crate::extract::date;
use crate::extract::raw::{Form, RawText};
use crate::model::time::Timestamp;

/// `None` for a row that names no post.
///
/// The id is the post's number, which its site gives to nothing else; `guid` is an address that
/// exports leave out.
pub(crate) fn post(row: &Value) -> Option<Product> {
    let id = text(&row["id"]);
    let link = text(&row["link"]);
    if id.is_empty() && link.is_empty() {
        return None;
    }
    let mut post = Product::new(id, RawText::new(text(&row["title"]), Form::Html));
    post.link(link);
    post.summary(text(&row["excerpt"]));
    post.body(text(&row["content"]));
    post.raw.published = instant(row, "date_gmt", "date");
    post.raw.updated = instant(row, "modified_gmt", "modified");
    let embedded = &row["_embedded"];
    let authors = embedded["author"].as_array().into_iter().flatten();
    post.raw.authors = authors.filter_map(|author| some_text(&author["name"])).collect();
    let terms = embedded["wp:term"].as_array().into_iter().flatten();
    let terms = terms.flat_map(|list| list.as_array().into_iter().flatten());
    post.raw.tags = terms.filter_map(|term| some_text(&term["name"])).collect();
    let media = &embedded["wp:featuredmedia"][0];
    let picture = [
        first_text(media, &["source_url"]),
        first_text(
            row,
            &["jetpack_featured_media_url", "featured_image_url", "featured_image_src"],
        ),
        text(&row["yoast_head_json"]["og_image"][0]["url"]),
    ];
    post.pictures(picture.into_iter().find(|href| !href.is_empty()).into_iter());
    Some(post)
}

/// The instant in UTC, which has no zone written; else the local one, taken for UTC.
fn instant(row: &Value, utc: &str, local: &str) -> Option<Timestamp> {
    date::parse(&text(&row[utc])).or_else(|| date::parse(&text(&row[local])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::catalog::json::product::Around;
    use serde_json::json;
    use url::Url;

    fn row(value: &Value) -> crate::extract::catalog::Row {
        let base = Url::parse("https://e.com/wp-json/wp/v2/posts").unwrap();
        let around = Around { base: &base, currency: None, now: Timestamp::default() };
        post(value).unwrap().into_row(&around, 0)
    }

    #[test]
    fn a_whole_post_is_read() {
        let entry = row(&json!({
            "id": 256, "date": "2024-10-07T05:29:48", "date_gmt": "2024-10-07T03:29:48",
            "modified_gmt": "2024-10-07T04:45:44", "guid": {"rendered": "http://e.com/?p=256"},
            "link": "https://e.com/a/", "title": {"rendered": "A &#8211; B"},
            "content": {"rendered": "<p>text</p>"}, "excerpt": {"rendered": "<p>short</p>"},
            "_embedded": {
                "author": [{"name": "Ann"}],
                "wp:featuredmedia": [{"source_url": "https://e.com/a.jpg"}],
                "wp:term": [[{"name": "News &amp; more"}], [{"name": "x"}]],
            },
        }))
        .entry;
        assert_eq!((entry.guid.as_str(), entry.title.as_str()), ("256", "A – B"));
        assert_eq!(entry.published.unwrap().to_string(), "2024-10-07T03:29:48Z");
        assert_eq!(entry.image.as_deref(), Some("https://e.com/a.jpg"));
        assert_eq!(
            (entry.authors, entry.tags),
            (vec!["Ann".into()], vec!["News & more".into(), "x".into()])
        );
        assert_eq!(entry.body_html, "<p>text</p>");
        assert_eq!(entry.offer, None);
    }

    #[test]
    fn a_cut_down_post_is_read_as_far_as_it_goes() {
        let entry =
            row(&json!({"link": "https://e.com/a/", "title": "A", "date": "2026-07-29"})).entry;
        assert_eq!((entry.guid.as_str(), entry.title.as_str()), ("", "A"));
        assert!(entry.keys.link.is_some() && entry.published.is_some());
        assert!(post(&json!({"title": "A"})).is_none());
    }
}
