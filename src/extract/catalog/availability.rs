//! Words for whether a thing can be had, of every format.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::model::offer::Availability;

/// Longest text that is looked at, in bytes after trimming.
const WORDS_BYTES_MAX: usize = 120;

/// What the words say; [`Availability::Unknown`] when they are none of those that are known.
///
/// Any case; `_`, `-` and white space make no difference. Of an address such as
/// `https://schema.org/InStock` only the part after the last `/` counts. A number is how many
/// there are.
pub fn parse(text: &str) -> Availability {
    let text = text.trim();
    if text.is_empty() || text.len() > WORDS_BYTES_MAX {
        return Availability::Unknown;
    }
    // What nearly all rows of nearly all documents say.
    match text {
        "in stock" | "in_stock" | "InStock" => return Availability::InStock,
        "out of stock" | "out_of_stock" | "OutOfStock" => return Availability::OutOfStock,
        _ => {}
    }
    let is_address = text.contains("://") || text.contains("schema.org");
    let tail = text.trim_end_matches('/').rsplit(['/', '#']).next().filter(|_| is_address);
    let tail = tail.unwrap_or(text);
    let tail = tail
        .get(..7)
        .filter(|head| head.eq_ignore_ascii_case("schema:"))
        .map_or(tail, |_| tail.get(7..).unwrap_or_default());
    if !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_digit()) {
        let none = tail.bytes().all(|b| b == b'0');
        return if none { Availability::OutOfStock } else { Availability::InStock };
    }
    let word: String = tail
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'ş' => 'ș',
            'ţ' => 'ț',
            c => c,
        })
        .collect();
    KNOWN.get(word.as_str()).copied().unwrap_or_default()
}

/// Each word and what it says.
static KNOWN: LazyLock<HashMap<&str, Availability>> = LazyLock::new(|| {
    let all = WORDS
        .iter()
        .flat_map(|(availability, words)| words.split(' ').map(|word| (word, *availability)));
    // Of a word that stands twice the first counts.
    all.rev().collect()
});

/// Letters and digits of the words, in small letters.
const WORDS: [(Availability, &str); 5] = [
    (
        Availability::InStock,
        "instock instockonline available availablefororder limitedavailability limitedstock \
         lowstock limited instoreonly onlineonly true yes y active onstock availablenow \
         вналичии есть наявності внаявності даєнаявності єнаявності давналичии готовкотправке \
         înstoc instoc disponibil stoclimitat peostoc auflager lieferbar verfügbar sofortlieferbar \
         vorrätig enstock disponible enexistencias disponibile disponível emestoque emstock \
         nastanie dostępny dostępne skladem skladom nasklade raktáron pålager ilager \
         varastossa opvoorraad voorradig stokta stoktavar наличен внасклад متوفر متوفرفيالمخزون \
         有货 現貨 在庫あり",
    ),
    (
        Availability::OutOfStock,
        "outofstock outstock oos soldout notavailable unavailable notinstock nostock false no n \
         reserved pending temporarilyoutofstock currentlyunavailable \
         нетвналичии нет отсутствует немавнаявності відсутній відсутня stocepuizat indisponibil \
         epuizat nudisponibil ausverkauft nichtverfügbar nichtlieferbar nichtauflager épuisé \
         ruptureenstock rupturedestock horsstock indisponible agotado sinexistencias nodisponible \
         esaurito nondisponibile esgotado indisponível niedostępny brak vyprodáno vypredané \
         nenískladem elfogyott nincsraktáron udsolgt slutsåld ikkepålager utsolgt uitverkocht \
         tükendi изчерпан غيرمتوفر نفذ 缺货 在庫なし",
    ),
    (
        Availability::Preorder,
        "preorder presale preordered availablesoon comingsoon предзаказ \
         precomandă precomanda vorbestellung vorbestellbar précommande",
    ),
    (
        Availability::Backorder,
        "backorder backordered onbackorder availableonbackorder availableonorder madetoorder \
         onorder onrequest toorder specialorder подзаказ підзамовлення lacomandă lacomanda \
         nazamówienie naobjednávku aufbestellung surcommande",
    ),
    (
        Availability::Discontinued,
        "discontinued markassold markedassold archived endoflife снятспроизводства знятозвиробництва",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_every_format_are_known() {
        for (text, expected) in [
            ("in_stock", Availability::InStock),
            ("in stock", Availability::InStock),
            (" In Stock ", Availability::InStock),
            ("available for order", Availability::InStock),
            ("limited availability", Availability::InStock),
            ("true", Availability::InStock),
            ("7", Availability::InStock),
            ("https://schema.org/InStock", Availability::InStock),
            ("http://schema.org/LimitedAvailability/", Availability::InStock),
            ("schema.org/InStoreOnly", Availability::InStock),
            ("schema:OnlineOnly", Availability::InStock),
            ("În stoc", Availability::InStock),
            ("в наличии", Availability::InStock),
            ("out of stock", Availability::OutOfStock),
            ("out-of-stock", Availability::OutOfStock),
            ("out stock", Availability::OutOfStock),
            ("false", Availability::OutOfStock),
            ("0", Availability::OutOfStock),
            ("oos", Availability::OutOfStock),
            ("https://schema.org/SoldOut", Availability::OutOfStock),
            ("Reserved", Availability::OutOfStock),
            ("Stoc epuizat", Availability::OutOfStock),
            ("preorder", Availability::Preorder),
            ("http://schema.org/PreOrder", Availability::Preorder),
            ("PreSale", Availability::Preorder),
            ("backorder", Availability::Backorder),
            ("onbackorder", Availability::Backorder),
            ("MadeToOrder", Availability::Backorder),
            ("под заказ", Availability::Backorder),
            ("discontinued", Availability::Discontinued),
            ("mark_as_sold", Availability::Discontinued),
            ("", Availability::Unknown),
            ("ships in 3 days", Availability::Unknown),
            ("https://schema.org/", Availability::Unknown),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,130}") {
            let _ = parse(&text);
        }
    }
}
