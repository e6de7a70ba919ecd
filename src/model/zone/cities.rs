//! Larger cities, and countries of one clock, that no zone is named after, as people there and
//! their neighbours call them. The zones' own cities are known beside these.

/// Stands between two names.
const BETWEEN: &str = ", ";

/// Each zone with names: in small letters, without accents, with spaces between words.
const CITIES: [(&str, &str); 63] = [
    (
        "Europe/Bucharest",
        "bucuresti, bukarest, bucarest, бухарест, iasi, cluj, cluj napoca, timisoara, \
         constanta, brasov, craiova, galati, sibiu, oradea, ploiesti, romania, rumanien, \
         roumanie, rumania",
    ),
    ("Europe/Chisinau", "кишинев, chisinau, balti, tiraspol, moldova, moldavia, republica moldova"),
    (
        "Europe/Berlin",
        "munchen, muenchen, munich, monaco di baviera, hamburg, koln, koeln, cologne, \
         frankfurt, stuttgart, dusseldorf, duesseldorf, dresden, leipzig, nurnberg, \
         nuremberg, bremen, hannover, hanover, берлин, мюнхен, berlino, deutschland, germany, \
         germania, allemagne, alemania",
    ),
    (
        "Europe/Vienna",
        "wien, vienne, viena, вена, graz, salzburg, linz, innsbruck, osterreich, oesterreich, \
         austria",
    ),
    (
        "Europe/Zurich",
        "zuerich, zurigo, bern, berne, basel, geneve, genf, geneva, ginevra, lausanne, \
         lugano, schweiz, suisse, svizzera, switzerland",
    ),
    (
        "Europe/Rome",
        "roma, rom, рим, milano, milan, mailand, милан, napoli, naples, torino, turin, \
         firenze, florence, venezia, venice, bologna, genova, palermo, bari, catania, verona, \
         padova, cagliari, italia, italy, italien, italie",
    ),
    (
        "Europe/Paris",
        "parigi, париж, lyon, marseille, toulouse, nice, nantes, bordeaux, lille, strasbourg, \
         montpellier, rennes, france, francia, frankreich, franta",
    ),
    (
        "Europe/Madrid",
        "мадрид, barcelona, valencia, sevilla, seville, bilbao, malaga, zaragoza, alicante, \
         palma, espana, spain, spania, spanien, spagna, espagne",
    ),
    ("Atlantic/Canary", "las palmas, tenerife, canarias"),
    ("Europe/Lisbon", "lisboa, lisbonne, lissabon, porto, portugal, portogallo"),
    (
        "Europe/London",
        "londra, londres, лондон, manchester, birmingham, liverpool, leeds, glasgow, \
         edinburgh, bristol, cardiff, england, uk, united kingdom, great britain",
    ),
    ("Europe/Dublin", "cork, galway, ireland, irlanda"),
    (
        "Europe/Brussels",
        "bruxelles, brussel, antwerpen, antwerp, gent, ghent, liege, belgium, belgique, \
         belgia, belgio, belgien",
    ),
    (
        "Europe/Amsterdam",
        "rotterdam, utrecht, den haag, the hague, eindhoven, netherlands, nederland, holland, \
         olanda",
    ),
    ("Europe/Prague", "praha, prag, praga, прага, brno, ostrava, cesko"),
    ("Europe/Bratislava", "kosice, slovensko, slovakia"),
    (
        "Europe/Warsaw",
        "warszawa, warschau, varsovie, varsovia, варшава, krakow, cracow, lodz, wroclaw, \
         poznan, gdansk, polska, poland, polonia",
    ),
    ("Europe/Budapest", "budapesta, debrecen, szeged, magyarorszag, hungary, ungaria"),
    (
        "Europe/Athens",
        "atena, atene, athen, athina, αθηνα, афины, thessaloniki, θεσσαλονικη, greece, grecia",
    ),
    ("Europe/Sofia", "софия, plovdiv, пловдив, varna, варна, bulgaria"),
    ("Europe/Belgrade", "beograd, београд, novi sad, nis, serbia"),
    ("Europe/Zagreb", "split, rijeka, croatia, hrvatska"),
    ("Europe/Ljubljana", "maribor, slovenia, slovenija"),
    ("Europe/Copenhagen", "københavn, kobenhavn, kopenhagen, aarhus, denmark, danmark"),
    ("Europe/Stockholm", "goteborg, gothenburg, malmo, sweden, sverige"),
    ("Europe/Oslo", "bergen, trondheim, norway, norge"),
    ("Europe/Helsinki", "tampere, turku, espoo, helsingfors, finland, suomi"),
    ("Europe/Vilnius", "kaunas, lithuania"),
    ("Europe/Tallinn", "tartu, estonia"),
    (
        "Europe/Kyiv",
        "киев, киів, kiew, lviv, львов, львів, odesa, odessa, одесса, одеса, kharkiv, \
         харьков, харків, dnipro, днепр, дніпро, ukraine, ucraina, украина",
    ),
    ("Europe/Minsk", "минск"),
    (
        "Europe/Moscow",
        "москва, moskau, moscou, mosca, moscova, moscu, санкт петербург, петербург, спб, \
         saint petersburg, st petersburg, казань, нижнии новгород, ростов на дону, краснодар, \
         воронеж, сочи",
    ),
    ("Europe/Samara", "самара, ижевск"),
    ("Asia/Yekaterinburg", "екатеринбург, челябинск, уфа, пермь, тюмень"),
    ("Asia/Omsk", "омск"),
    ("Asia/Novosibirsk", "новосибирск"),
    ("Asia/Krasnoyarsk", "красноярск"),
    ("Asia/Irkutsk", "иркутск"),
    ("Asia/Vladivostok", "владивосток, хабаровск"),
    ("Asia/Almaty", "алматы, астана, astana"),
    ("Europe/Istanbul", "стамбул, estambul, ankara, izmir, turkiye, turkey, turcia"),
    ("Asia/Jerusalem", "tel aviv, haifa, israel"),
    ("Asia/Tbilisi", "тбилиси, batumi"),
    ("Asia/Dubai", "abu dhabi, дубаи"),
    (
        "America/New_York",
        "nyc, nueva york, нью иорк, boston, washington, washington dc, philadelphia, miami, \
         atlanta, orlando, charlotte, pittsburgh",
    ),
    (
        "America/Chicago",
        "houston, dallas, austin, san antonio, minneapolis, new orleans, nashville",
    ),
    ("America/Denver", "salt lake city, albuquerque"),
    (
        "America/Los_Angeles",
        "la, san francisco, san diego, san jose, seattle, portland, las vegas, sacramento",
    ),
    ("America/Toronto", "montreal, ottawa, quebec"),
    ("America/Edmonton", "calgary"),
    ("America/Mexico_City", "mexico, ciudad de mexico, cdmx, guadalajara, puebla"),
    ("America/Bogota", "medellin, cali, barranquilla, cartagena, colombia"),
    ("America/Lima", "arequipa, peru"),
    ("America/Santiago", "valparaiso, santiago de chile"),
    ("America/Argentina/Buenos_Aires", "rosario, la plata, caba, argentina"),
    ("America/Guayaquil", "quito"),
    ("America/Caracas", "maracaibo, venezuela"),
    ("America/Montevideo", "uruguay"),
    ("America/La_Paz", "santa cruz de la sierra, cochabamba, bolivia"),
    ("America/Sao_Paulo", "rio, rio de janeiro, brasilia, curitiba, belo horizonte, porto alegre"),
    ("Asia/Kolkata", "mumbai, delhi, new delhi, bangalore, bengaluru, chennai"),
    ("Asia/Shanghai", "beijing, peking, pekin, shenzhen, guangzhou"),
    ("Australia/Sydney", "canberra"),
];

/// The zone of a city or a country, by a name as these are written.
pub(super) fn zone_of(name: &str) -> Option<&'static str> {
    let is_among = |names: &str| names.split(BETWEEN).any(|own| own == name);
    CITIES.iter().find(|(_, names)| is_among(names)).map(|(zone, _)| *zone)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::zone::{Zone, plain};

    #[test]
    fn each_name_is_there_once_and_its_zone_is_one() {
        let mut seen = BTreeSet::new();
        for (zone, names) in CITIES {
            assert!(Zone::exactly(zone).is_some(), "{zone}");
            for name in names.split(BETWEEN) {
                assert_eq!(plain(name), name);
                assert!(seen.insert(name), "{name}");
            }
        }
    }
}
