//! Layouts that are there without a file: those of the folder `layouts`.

use crate::render::files::Variant;

macro_rules! shipped {
    ($($file:literal)*) => {
        [$(($file, include_str!(concat!("../../layouts/", $file)))),*]
    };
}

/// Each by its file's name, with its text.
pub(super) const SHIPPED: [(&str, &str); 31] = shipped! {
    "_price.html" "_price.ro.html"
    "_wording.html" "_wording.de.html" "_wording.es.html" "_wording.fr.html" "_wording.it.html"
    "_wording.ro.html" "_wording.ru.html"
    "article.html" "article.ro.html"
    "article-short.html" "article-short.ro.html"
    "back-in-stock.html" "back-in-stock.ro.html"
    "digest.html" "digest.ro.html"
    "digest-carousel.html" "digest-carousel.ro.html"
    "event.html" "event.ro.html"
    "plain.html" "plain.ro.html"
    "podcast-episode.html" "podcast-episode.ro.html"
    "price-drop.html" "price-drop.ro.html"
    "product-card.html" "product-card.ro.html"
    "video.html" "video.ro.html"
};

/// The files of one layout that comes with us, each with its text: what an editor copies.
pub fn shipped(layout: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    SHIPPED.into_iter().filter(move |(file, _)| {
        *file == layout || Variant::parse(file).is_some_and(|variant| variant.stem == layout)
    })
}
