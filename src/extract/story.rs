//! Stories: what shows that items of two sources tell the same.

use crate::extract::keys::{hash, link_key};
use crate::extract::link;
use crate::model::item::Item;
use crate::model::post::Story;

/// Shorter titles, in bytes of their letters and digits, are too common to name a story.
const TITLE_BYTES_MIN: usize = 16;

/// Longest name of a site at the end of a title, in characters.
const SITE_CHARS_MAX: usize = 40;

/// What names the item's story to other sources: its canonical link, unless that is a site's home
/// page, and the letters and digits of its title without the name of the site at its end.
///
/// A product is named by its link alone: shops sell the same under the same title.
pub fn story(item: &Item) -> Story {
    let url = item.link.as_deref().and_then(link::absolute);
    let url = url.filter(|url| url.path() != "/" || url.query().is_some());
    let title = if item.offer.is_some() { None } else { title_key(&item.title) };
    Story {
        item: item.id,
        link: url.map_or(0, |url| link_key(&url, false)),
        title: title.unwrap_or(0),
    }
}

fn title_key(title: &str) -> Option<u64> {
    let whole = letters(title);
    let bare = letters(without_site(title));
    let letters = if bare.len() < TITLE_BYTES_MIN { whole } else { bare };
    (letters.len() >= TITLE_BYTES_MIN).then(|| hash(&letters))
}

/// Without a trailing ` - Site` or ` | Site`.
fn without_site(title: &str) -> &str {
    let cuts = [" - ", " – ", " — ", " | "];
    let cut = cuts.iter().filter_map(|cut| Some((title.rfind(cut)?, cut.len()))).max();
    match cut {
        Some((at, length))
            if title
                .get(at + length..)
                .is_some_and(|site| site.chars().count() <= SITE_CHARS_MAX) =>
        {
            &title[..at]
        }
        _ => title,
    }
}

fn letters(title: &str) -> String {
    // Romanian with comma or cedilla is the same.
    let one = |c: char| match c {
        'ş' | 'Ş' => 'ș',
        'ţ' | 'Ţ' => 'ț',
        c => c,
    };
    title.chars().map(one).flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_equal_titles_are_one_story() {
        let key = title_key("Guvernul a aprobat bugetul țării");
        assert!(key.is_some());
        for other in [
            "GUVERNUL a aprobat bugetul ţării!",
            "Guvernul a aprobat „bugetul” țării - Ziarul de Gardă",
            "Guvernul a aprobat bugetul țării | Site.md",
        ] {
            assert_eq!(title_key(other), key, "{other}");
        }
        assert_ne!(title_key("Guvernul a respins bugetul țării"), key);
        assert_ne!(
            title_key(
                "Guvernul a aprobat bugetul țării - și mai multe alte lucruri pe care le-a tot amânat"
            ),
            key
        );
    }

    #[test]
    fn short_titles_name_no_story() {
        for title in ["", "Bug fixes", "News - Site", "v1.2.3 | A"] {
            assert_eq!(title_key(title), None, "{title}");
        }
        // What is left would be too short: the whole counts.
        let whole = title_key("Morning news - Site A");
        assert!(whole.is_some() && whole != title_key("Morning news - Site B"));
    }
}
