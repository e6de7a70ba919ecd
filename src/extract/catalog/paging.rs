//! Where a catalog begins and how it goes on, platform by platform.

use url::Url;

use crate::extract::catalog::json::rows::{self, member};
use crate::extract::catalog::json::shopify;
use crate::extract::link;
use crate::model::source::CatalogFormat;

/// Most products that Shopify puts into one answer, and how many it does without being asked.
const SHOPIFY_LIMIT: u64 = 250;
const SHOPIFY_LIMIT_DEFAULT: u64 = 30;
/// Page times limit may not be larger: the shop would answer 400.
const SHOPIFY_REACH: u64 = 25_000;
/// Most products or posts that WordPress puts into one answer, and how many without being asked.
const WORDPRESS_LIMIT: u64 = 100;
const WORDPRESS_LIMIT_DEFAULT: u64 = 10;

/// Where the products begin, for an address as people write it: a shop's home, one of its
/// collections, or the document itself. Any other address stays as it is.
pub(crate) fn first(format: CatalogFormat, url: &Url) -> Url {
    let mut first = url.clone();
    let path = url.path().trim_end_matches('/').to_owned();
    let is_home = path.is_empty() && url.query().is_none();
    match format {
        CatalogFormat::Shopify => {
            let is_collection = path.rsplit('/').nth(1) == Some("collections");
            if is_home || is_market(&path) || is_collection {
                first.set_path(&format!("{path}/products.json"));
            } else if path.rsplit('/').nth(1) == Some("products") && !path.contains('.') {
                first.set_path(&format!("{path}.js"));
            }
            if first.path().ends_with("/products.json") && number(&first, "limit").is_none() {
                set(&mut first, "limit", &SHOPIFY_LIMIT.to_string());
            }
        }
        CatalogFormat::Woocommerce => {
            if is_home {
                first.set_path("/wp-json/wc/store/v1/products");
            }
            if is_woocommerce(&first) && number(&first, "per_page").is_none() {
                set(&mut first, "per_page", &WORDPRESS_LIMIT.to_string());
            }
        }
        CatalogFormat::Wordpress => {
            if is_home {
                first.set_path("/wp-json/wp/v2/posts");
            }
            if is_wordpress(&first) && number(&first, "per_page").is_none() {
                set(&mut first, "per_page", &WORDPRESS_LIMIT.to_string());
                set(&mut first, "_embed", "1");
            }
        }
        CatalogFormat::Squarespace if value(&first, "format").is_none() => {
            set(&mut first, "format", "json");
        }
        CatalogFormat::Prestashop if !path.starts_with("/api") => {
            if is_home {
                // The home lists nothing itself.
                first.set_path("/index.php");
                set(&mut first, "controller", "new-products");
            }
            if !path.ends_with(".json") && value(&first, "ajax").is_none() {
                set(&mut first, "ajax", "1");
            }
        }
        _ => {}
    }
    first
}

/// The page behind one of `rows` rows at `url`; `None` behind the last, and for an address that is
/// none of the platform's own.
pub(crate) fn next(format: CatalogFormat, url: &Url, text: &str, rows: u64) -> Option<Url> {
    match format {
        CatalogFormat::Shopify => {
            let (page, limit) = shopify_page(url)?;
            let is_within = (page + 1).saturating_mul(limit) <= SHOPIFY_REACH;
            (rows >= limit && is_within).then(|| with(url, "page", &(page + 1).to_string()))
        }
        CatalogFormat::Woocommerce | CatalogFormat::Wordpress => {
            if !(is_woocommerce(url) || is_wordpress(url)) {
                return None;
            }
            let limit = number(url, "per_page").unwrap_or(WORDPRESS_LIMIT_DEFAULT);
            let page = number(url, "page").unwrap_or(1).max(1);
            (limit > 0 && rows >= limit).then(|| with(url, "page", &(page + 1).to_string()))
        }
        CatalogFormat::Squarespace => {
            let pagination = member(text, "pagination")?;
            let href = string(member(pagination, "nextPageUrl")?)?;
            let (_, next) = link::resolve(&href, &[Some(url)])?;
            let next = with(&next, "format", "json");
            (is_same_host(&next, url) && next != *url).then_some(next)
        }
        CatalogFormat::Prestashop => prestashop_next(url, text),
        _ => None,
    }
}

/// Whether products are left that the platform does not show.
pub(crate) fn is_at_limit(format: CatalogFormat, url: &Url, rows: u64) -> bool {
    let page = (format == CatalogFormat::Shopify).then(|| shopify_page(url)).flatten();
    page.is_some_and(|(page, limit)| {
        rows >= limit && (page + 1).saturating_mul(limit) > SHOPIFY_REACH
    })
}

/// The document that tells a shop's currency.
pub(crate) fn currency(format: CatalogFormat, url: &Url) -> Option<Url> {
    if format != CatalogFormat::Shopify {
        return None;
    }
    let mut page = url.clone();
    page.set_path(&format!("{}/meta.json", shopify::root(url.path())));
    page.set_query(None);
    page.set_fragment(None);
    Some(page)
}

fn shopify_page(url: &Url) -> Option<(u64, u64)> {
    let limit = number(url, "limit").unwrap_or(SHOPIFY_LIMIT_DEFAULT).clamp(1, SHOPIFY_LIMIT);
    let page = number(url, "page").unwrap_or(1).max(1);
    url.path().ends_with("/products.json").then_some((page, limit))
}

/// Of its links to pages the one that says `next`, else the number behind the current one.
fn prestashop_next(url: &Url, text: &str) -> Option<Url> {
    let pagination = rows::parse(member(text, "pagination")?)?;
    let links = pagination["pages"].as_array().into_iter().flatten();
    let next = links
        .filter(|link| link["type"] == "next" && link["clickable"] != false)
        .find_map(|link| link["url"].as_str());
    let current = pagination["current_page"].as_u64();
    let next = match (next, current, pagination["pages_count"].as_u64()) {
        (Some(href), ..) => link::resolve(href, &[Some(url)])?.1,
        (None, Some(current), Some(count)) if current < count => {
            with(url, "page", &(current + 1).to_string())
        }
        _ => return None,
    };
    let next = match value(url, "ajax") {
        Some(ajax) => with(&next, "ajax", &ajax),
        None => next,
    };
    (is_same_host(&next, url) && next != *url).then_some(next)
}

/// A path such as `/en` or `/en-gb`: the shop in another language or market.
fn is_market(path: &str) -> bool {
    let name = path.strip_prefix('/').unwrap_or_default();
    let (language, country) = name.split_once('-').unwrap_or((name, "xx"));
    let is_code = |code: &str| code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphabetic());
    is_code(language) && is_code(country)
}

fn is_woocommerce(url: &Url) -> bool {
    let route = value(url, "rest_route");
    let is_own = |path: &str| path.contains("/wc/store/") && path.contains("/products");
    is_own(url.path()) || route.is_some_and(|route| is_own(&route))
}

fn is_wordpress(url: &Url) -> bool {
    let route = value(url, "rest_route");
    url.path().contains("/wp/v2/") || route.is_some_and(|route| route.contains("/wp/v2/"))
}

fn is_same_host(one: &Url, other: &Url) -> bool {
    one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

fn value(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

fn number(url: &Url, name: &str) -> Option<u64> {
    value(url, name)?.parse().ok()
}

fn with(url: &Url, name: &str, value: &str) -> Url {
    let mut with = url.clone();
    set(&mut with, name, value);
    with
}

/// Puts a parameter where it stands already, or at the end; the others stay as they are written.
fn set(url: &mut Url, name: &str, value: &str) {
    let written = format!("{name}={value}");
    let mut parts: Vec<String> = Vec::new();
    let mut is_set = false;
    for part in url.query().unwrap_or_default().split('&').filter(|part| !part.is_empty()) {
        let is_it = part.split('=').next() == Some(name);
        if is_it && is_set {
            continue;
        }
        is_set |= is_it;
        parts.push(if is_it { written.clone() } else { part.to_owned() });
    }
    if !is_set {
        parts.push(written);
    }
    url.set_query(Some(&parts.join("&")));
}

fn string(written: &str) -> Option<String> {
    serde_json::from_str(written).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::model::source::CatalogFormat::{
        Prestashop, Shopify, Squarespace, Woocommerce, Wordpress,
    };

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_home_becomes_the_first_page_of_its_products() {
        for (format, home, expected) in [
            (Shopify, "https://e.com", "https://e.com/products.json?limit=250"),
            (Shopify, "https://e.com/en-gb/", "https://e.com/en-gb/products.json?limit=250"),
            (
                Shopify,
                "https://e.com/collections/tea?sort=new",
                "https://e.com/collections/tea/products.json?sort=new&limit=250",
            ),
            (Shopify, "https://e.com/products/tea", "https://e.com/products/tea.js"),
            (
                Shopify,
                "https://e.com/products.json?limit=50",
                "https://e.com/products.json?limit=50",
            ),
            (Shopify, "https://e.com/products/tea.json", "https://e.com/products/tea.json"),
            (
                Woocommerce,
                "https://e.com/",
                "https://e.com/wp-json/wc/store/v1/products?per_page=100",
            ),
            (
                Woocommerce,
                "https://e.com/?rest_route=/wc/store/v1/products",
                "https://e.com/?rest_route=/wc/store/v1/products&per_page=100",
            ),
            (Wordpress, "https://e.com", "https://e.com/wp-json/wp/v2/posts?per_page=100&_embed=1"),
            (Squarespace, "https://e.com/blog", "https://e.com/blog?format=json"),
            (
                Squarespace,
                "https://e.com/blog?format=json-pretty",
                "https://e.com/blog?format=json-pretty",
            ),
            (
                Prestashop,
                "https://e.com/3-clothes?order=x",
                "https://e.com/3-clothes?order=x&ajax=1",
            ),
            (Prestashop, "https://e.com/api/products", "https://e.com/api/products"),
            (CatalogFormat::Merchant, "https://e.com/", "https://e.com/"),
        ] {
            assert_eq!(first(format, &url(home)).as_str(), expected);
        }
    }

    #[test]
    fn pages_follow_while_they_are_full() {
        for (format, at, text, rows, expected) in [
            (
                Shopify,
                "https://e.com/products.json?limit=250",
                "",
                250,
                Some("https://e.com/products.json?limit=250&page=2"),
            ),
            (Shopify, "https://e.com/products.json?limit=250&page=2", "", 249, None),
            (Shopify, "https://e.com/products.json?limit=250&page=100", "", 250, None),
            (
                Shopify,
                "https://e.com/products.json",
                "",
                30,
                Some("https://e.com/products.json?page=2"),
            ),
            (Shopify, "https://e.com/export", "", 5_000, None),
            (
                Woocommerce,
                "https://e.com/wp-json/wc/store/v1/products?page=2&per_page=100",
                "",
                100,
                Some("https://e.com/wp-json/wc/store/v1/products?page=3&per_page=100"),
            ),
            (Wordpress, "https://e.com/wp-json/wp/v2/posts", "", 9, None),
            (Wordpress, "https://e.com/posts.json", "", 10, None),
            (
                Squarespace,
                "https://e.com/blog?format=json",
                r#"{"items":[],"pagination":{"nextPage":true,"nextPageUrl":"/blog?offset=1700"}}"#,
                20,
                Some("https://e.com/blog?offset=1700&format=json"),
            ),
            (
                Squarespace,
                "https://e.com/blog?format=json",
                r#"{"pagination":{"nextPageUrl":"https://other.e.com/blog"}}"#,
                20,
                None,
            ),
            (
                Prestashop,
                "https://e.com/3-x?ajax=1",
                r#"{"pagination":{"pages":[{"type":"page","url":"a"},{"type":"next","clickable":true,"url":"https://e.com/3-x?page=2"}]}}"#,
                12,
                Some("https://e.com/3-x?page=2&ajax=1"),
            ),
            (
                Prestashop,
                "https://e.com/3-x?page=2&ajax=1",
                r#"{"pagination":{"current_page":2,"pages_count":2,"pages":[]}}"#,
                12,
                None,
            ),
        ] {
            let found = next(format, &url(at), text, rows);
            assert_eq!(found.as_ref().map(Url::as_str), expected, "{at}");
        }
        let last = url("https://e.com/products.json?limit=250&page=100");
        assert!(is_at_limit(Shopify, &last, 250) && !is_at_limit(Shopify, &last, 249));
    }

    #[test]
    fn a_shop_s_currency_stands_beside_its_products() {
        for (at, expected) in [
            ("https://e.com/products.json?limit=250", Some("https://e.com/meta.json")),
            (
                "https://e.com/en-gb/collections/a/products.json",
                Some("https://e.com/en-gb/meta.json"),
            ),
        ] {
            assert_eq!(currency(Shopify, &url(at)).as_ref().map(Url::as_str), expected);
        }
        assert_eq!(currency(Woocommerce, &url("https://e.com/")), None);
    }
}
