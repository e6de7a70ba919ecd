//! What a column or an element means.

/// The meanings that a catalog's columns and elements can have for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Id,
    /// The carrier's own id, for want of an [`Field::Id`].
    Guid,
    Group,
    Title,
    Summary,
    Body,
    Link,
    /// Another address of the same thing, for want of a link.
    OtherLink,
    Image,
    Images,
    Availability,
    Quantity,
    /// The price outside of any sale where there is a [`Field::Sale`]; the present one where there
    /// is a [`Field::Former`].
    Price,
    Sale,
    SaleDates,
    /// What it cost before.
    Former,
    Currency,
    Brand,
    Gtin,
    Sku,
    /// A path of categories in the shop's words.
    Kind,
    /// A path of categories in Google's words, or its number; for want of a [`Field::Kind`].
    Category,
    Tags,
    /// Whether it is shown at all.
    Status,
    Published,
    Updated,
    /// In files that are no products but changes to them for a country or a language.
    Override,
}

/// Longest name that means anything, in bytes.
const NAME_BYTES_MAX: usize = 48;

impl Field {
    /// The meaning of a name in Google's and Meta's vocabulary, with `_`, `-`, blanks or nothing
    /// between its words, in any case; a `g:` before it does not count.
    pub(super) fn of_merchant(name: &str) -> Option<Self> {
        let name = name.trim();
        if name.len() > NAME_BYTES_MAX {
            return None;
        }
        let name = name.strip_prefix("g:").or_else(|| name.strip_prefix("G:")).unwrap_or(name);
        let mut squeezed = [0; NAME_BYTES_MAX];
        let mut length = 0;
        for b in name.bytes().filter(|b| !matches!(b, b'_' | b'-' | b' ')) {
            if let Some(slot) = squeezed.get_mut(length) {
                *slot = b.to_ascii_lowercase();
                length += 1;
            }
        }
        let field = match squeezed.get(..length)? {
            b"id" | b"productid" | b"itemid" | b"offerid" => Self::Id,
            b"guid" => Self::Guid,
            b"itemgroupid" | b"groupid" => Self::Group,
            b"title" | b"name" | b"productname" => Self::Title,
            b"description" | b"summary" => Self::Summary,
            b"content" | b"encoded" => Self::Body,
            b"link" | b"url" | b"producturl" => Self::Link,
            b"canonicallink" | b"mobilelink" => Self::OtherLink,
            b"imagelink" | b"image" | b"imageurl" | b"image[0].url" => Self::Image,
            b"additionalimagelink"
            | b"additionalimagelinks"
            | b"additionalimageurl"
            | b"additionalimageurls" => Self::Images,
            b"availability" | b"instock" | b"stockstatus" => Self::Availability,
            b"quantity"
            | b"inventory"
            | b"sellongooglequantity"
            | b"quantitytosellonfacebook"
            | b"stockquantity"
            | b"stock" => Self::Quantity,
            b"price" => Self::Price,
            b"saleprice" | b"offerprice" => Self::Sale,
            b"salepriceeffectivedate" => Self::SaleDates,
            b"currency" | b"currencycode" => Self::Currency,
            b"brand" | b"manufacturer" => Self::Brand,
            b"gtin" | b"ean" | b"upc" | b"isbn" | b"barcode" => Self::Gtin,
            b"sku" => Self::Sku,
            b"producttype" => Self::Kind,
            b"googleproductcategory" | b"fbproductcategory" => Self::Category,
            b"producttags" | b"producttags[0]" | b"producttags[1]" | b"tags" => Self::Tags,
            b"status" | b"visibility" => Self::Status,
            b"pubdate" | b"published" | b"issued" => Self::Published,
            b"updated" | b"modified" => Self::Updated,
            b"override" => Self::Override,
            _ => return None,
        };
        Some(field)
    }

    /// The meaning of a key of the settings' mapping.
    pub(super) fn of_mapping(key: &str) -> Option<Self> {
        let field = match key {
            "id" => Self::Id,
            "title" => Self::Title,
            "link" => Self::Link,
            "summary" => Self::Summary,
            "image" => Self::Image,
            "published" => Self::Published,
            "tags" => Self::Tags,
            "group" => Self::Group,
            "sku" => Self::Sku,
            "gtin" => Self::Gtin,
            "brand" => Self::Brand,
            "availability" => Self::Availability,
            "quantity" => Self::Quantity,
            "price" => Self::Price,
            "list_price" => Self::Former,
            "currency" => Self::Currency,
            _ => return None,
        };
        Some(field)
    }

    /// The meaning of an element of a Yandex offer.
    pub(super) fn of_yml(name: &str) -> Option<Self> {
        let field = match name {
            "name" => Self::Title,
            "url" => Self::Link,
            "price" => Self::Price,
            "oldprice" | "old_price" | "price_old" => Self::Former,
            "currencyId" => Self::Currency,
            "picture" => Self::Image,
            "vendor" => Self::Brand,
            "vendorCode" => Self::Sku,
            "barcode" => Self::Gtin,
            "description" => Self::Summary,
            "available" => Self::Availability,
            "count" | "stock_quantity" | "quantity_in_stock" | "quantity" => Self::Quantity,
            "group_id" => Self::Group,
            _ => return None,
        };
        Some(field)
    }
}

/// Names that were met and what they mean; rows have them in the same order again and again.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: Vec<(String, Option<Field>)>,
    at: usize,
}

/// Most names that are remembered.
const NAMES_MAX: usize = 96;

impl Names {
    /// The meaning of `name`: what `of` makes of it when it comes for the first time.
    pub(super) fn meaning(
        &mut self,
        name: &str,
        of: impl FnOnce(&str) -> Option<Field>,
    ) -> Option<Field> {
        let is_it = |entry: &(String, Option<Field>)| entry.0 == name;
        let likely = self.known.get(self.at).filter(|entry| is_it(entry)).map(|_| self.at);
        let at = likely.or_else(|| self.known.iter().position(is_it));
        if let Some(at) = at {
            self.at = if at + 1 < self.known.len() { at + 1 } else { 0 };
            return self.known.get(at).and_then(|entry| entry.1);
        }
        let field = of(name);
        if self.known.len() < NAMES_MAX {
            // Beside the name that came before it.
            let at = self.at.min(self.known.len());
            self.known.push((name.to_owned(), field));
            self.at = at;
        }
        field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_however_its_words_are_joined() {
        for name in ["image_link", "image link", "Image-Link", "imageLink", "g:image_link"] {
            assert_eq!(Field::of_merchant(name), Some(Field::Image), "{name}");
        }
        assert_eq!(Field::of_merchant("ID "), Some(Field::Id));
        assert_eq!(Field::of_merchant("custom_label_0"), None);
        assert_eq!(Field::of_merchant(&"x".repeat(100)), None);
    }

    #[test]
    fn a_name_is_asked_for_once() {
        let mut names = Names::default();
        for _ in 0..2 {
            assert_eq!(names.meaning("a", |_| Some(Field::Id)), Some(Field::Id));
            assert_eq!(names.meaning("b", |_| None), None);
            assert_eq!(names.meaning("c", |_| Some(Field::Link)), Some(Field::Link));
        }
        assert_eq!(names.meaning("a", |_| None), Some(Field::Id));
        assert_eq!(names.known.len(), 3);
    }
}
