//! How the languages that we ship layouts for write numbers, money and dates.
//!
//! Source: CLDR 46, in the short forms that people write: whole amounts without cents.

/// A language's ways.
pub(super) struct Locale {
    language: &'static str,
    pub decimal: char,
    pub group: &'static str,
    /// Digits that a number must have at least to be grouped.
    pub grouped_from: usize,
    /// `€44`; otherwise `44 €`.
    pub is_symbol_first: bool,
    /// Signs of currencies; all others are written by their code.
    pub symbols: &'static [(&'static str, &'static str)],
    pub months: [&'static str; 12],
    pub months_short: [&'static str; 12],
    /// From Monday.
    pub days: [&'static str; 7],
    pub days_short: [&'static str; 7],
}

/// No line ends within an amount.
const SPACE: &str = "\u{a0}";
/// The narrow one of French.
const NARROW: &str = "\u{202f}";

const SIGNS: &[(&str, &str)] = &[("EUR", "€"), ("USD", "$"), ("GBP", "£"), ("JPY", "¥")];

/// For a variant that serves every language: nothing that could be misread.
pub(super) const NEUTRAL: Locale = Locale {
    language: "",
    group: SPACE,
    grouped_from: 5,
    is_symbol_first: false,
    symbols: &[],
    ..ENGLISH
};

const ENGLISH: Locale = Locale {
    language: "en",
    decimal: '.',
    group: ",",
    grouped_from: 4,
    is_symbol_first: true,
    symbols: SIGNS,
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    months_short: [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ],
    days: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    days_short: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
};

/// What most of the languages of the Continent have in common; the words are still English.
const CONTINENTAL: Locale = Locale {
    decimal: ',',
    group: ".",
    grouped_from: 4,
    is_symbol_first: false,
    symbols: SIGNS,
    ..ENGLISH
};

const OTHERS: [Locale; 6] = [
    Locale {
        language: "ro",
        symbols: &[("RON", "lei")],
        months: [
            "ianuarie",
            "februarie",
            "martie",
            "aprilie",
            "mai",
            "iunie",
            "iulie",
            "august",
            "septembrie",
            "octombrie",
            "noiembrie",
            "decembrie",
        ],
        months_short: [
            "ian.", "feb.", "mar.", "apr.", "mai", "iun.", "iul.", "aug.", "sept.", "oct.", "nov.",
            "dec.",
        ],
        days: ["luni", "marți", "miercuri", "joi", "vineri", "sâmbătă", "duminică"],
        days_short: ["lun.", "mar.", "mie.", "joi", "vin.", "sâm.", "dum."],
        ..CONTINENTAL
    },
    Locale {
        language: "it",
        grouped_from: 5,
        months: [
            "gennaio",
            "febbraio",
            "marzo",
            "aprile",
            "maggio",
            "giugno",
            "luglio",
            "agosto",
            "settembre",
            "ottobre",
            "novembre",
            "dicembre",
        ],
        months_short: [
            "gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic",
        ],
        days: ["lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"],
        days_short: ["lun", "mar", "mer", "gio", "ven", "sab", "dom"],
        ..CONTINENTAL
    },
    Locale {
        language: "de",
        months: [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
        months_short: [
            "Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.",
            "Dez.",
        ],
        days: ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"],
        days_short: ["Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So."],
        ..CONTINENTAL
    },
    Locale {
        language: "fr",
        group: NARROW,
        months: [
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ],
        months_short: [
            "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.",
            "nov.", "déc.",
        ],
        days: ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
        days_short: ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."],
        ..CONTINENTAL
    },
    Locale {
        language: "es",
        grouped_from: 5,
        months: [
            "enero",
            "febrero",
            "marzo",
            "abril",
            "mayo",
            "junio",
            "julio",
            "agosto",
            "septiembre",
            "octubre",
            "noviembre",
            "diciembre",
        ],
        months_short: [
            "ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic",
        ],
        days: ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"],
        days_short: ["lun", "mar", "mié", "jue", "vie", "sáb", "dom"],
        ..CONTINENTAL
    },
    Locale {
        language: "ru",
        group: SPACE,
        symbols: &[("EUR", "€"), ("USD", "$"), ("GBP", "£"), ("JPY", "¥"), ("RUB", "₽")],
        months: [
            "января",
            "февраля",
            "марта",
            "апреля",
            "мая",
            "июня",
            "июля",
            "августа",
            "сентября",
            "октября",
            "ноября",
            "декабря",
        ],
        months_short: [
            "янв.",
            "февр.",
            "мар.",
            "апр.",
            "мая",
            "июн.",
            "июл.",
            "авг.",
            "сент.",
            "окт.",
            "нояб.",
            "дек.",
        ],
        days: ["понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье"],
        days_short: ["пн", "вт", "ср", "чт", "пт", "сб", "вс"],
        ..CONTINENTAL
    },
];

/// The ways of a language, by its main part; neutral ones for one that is not here.
pub(super) fn of(language: &str) -> &'static Locale {
    const ALL: &[Locale] = &OTHERS;
    static NEUTRAL_WAYS: Locale = NEUTRAL;
    static ENGLISH_WAYS: Locale = ENGLISH;
    let main = language.split('-').next().unwrap_or_default();
    if main == ENGLISH.language {
        return &ENGLISH_WAYS;
    }
    ALL.iter().find(|locale| locale.language == main).unwrap_or(&NEUTRAL_WAYS)
}
