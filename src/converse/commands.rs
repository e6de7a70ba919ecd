//! The commands of the chat, in one list: how each is called, the words for it in the languages of
//! the answers, and what a menu says of it.

/// What can be asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Start,
    Stop,
    Timezone,
    Privacy,
    Watch,
    Watches,
    Topics,
    Latest,
    Search,
    Frequency,
    Quiet,
    Language,
    Profile,
    Settings,
    Help,
}

/// How a command is called.
pub struct Row {
    pub command: Command,
    /// Behind the slash.
    pub name: &'static str,
    /// Words that mean the same, in lower case.
    words: &'static [&'static str],
    /// Something may stand behind the words; behind the name it always may.
    takes_more: bool,
    /// By language, its line in a menu; the first serves everybody else.
    pub about: [(&'static str, &'static str); 7],
}

/// All that there are, in the order of menus.
pub const COMMANDS: [Row; 15] = [
    Row {
        command: Command::Start,
        name: "start",
        words: &["start"],
        takes_more: false,
        about: [
            ("en", "Subscribe"),
            ("ro", "Abonează-te"),
            ("it", "Iscriviti"),
            ("de", "Abonnieren"),
            ("fr", "S’abonner"),
            ("es", "Suscribirse"),
            ("ru", "Подписаться"),
        ],
    },
    Row {
        command: Command::Topics,
        name: "topics",
        words: &["topics", "subiecte", "argomenti", "themen", "thèmes", "temas", "темы"],
        takes_more: false,
        about: [
            ("en", "Your topics"),
            ("ro", "Subiectele tale"),
            ("it", "I tuoi argomenti"),
            ("de", "Deine Themen"),
            ("fr", "Vos thèmes"),
            ("es", "Tus temas"),
            ("ru", "Ваши темы"),
        ],
    },
    Row {
        command: Command::Latest,
        name: "latest",
        words: &[
            "latest",
            "newest",
            "noutăți",
            "noutati",
            "ultimele",
            "novità",
            "neuestes",
            "nouveautés",
            "novedades",
            "новое",
        ],
        takes_more: false,
        about: [
            ("en", "The newest"),
            ("ro", "Cele mai noi"),
            ("it", "Le ultime novità"),
            ("de", "Das Neueste"),
            ("fr", "Les plus récents"),
            ("es", "Lo más nuevo"),
            ("ru", "Самое новое"),
        ],
    },
    Row {
        command: Command::Search,
        name: "search",
        words: &[
            "search",
            "caută",
            "cauta",
            "cerca",
            "suche",
            "cherche",
            "chercher",
            "busca",
            "buscar",
            "найди",
        ],
        takes_more: true,
        about: [
            ("en", "Search the newest"),
            ("ro", "Caută printre cele noi"),
            ("it", "Cerca tra le novità"),
            ("de", "Im Neuesten suchen"),
            ("fr", "Chercher"),
            ("es", "Buscar en lo nuevo"),
            ("ru", "Поиск по новому"),
        ],
    },
    Row {
        command: Command::Frequency,
        name: "frequency",
        words: &[
            "frequency",
            "how often",
            "frecvență",
            "frecventa",
            "frequenza",
            "häufigkeit",
            "fréquence",
            "frecuencia",
            "частота",
        ],
        takes_more: false,
        about: [
            ("en", "How often"),
            ("ro", "Cât de des"),
            ("it", "Quanto spesso"),
            ("de", "Wie oft"),
            ("fr", "À quel rythme"),
            ("es", "Con qué frecuencia"),
            ("ru", "Как часто"),
        ],
    },
    Row {
        command: Command::Quiet,
        name: "quiet",
        words: &[
            "quiet hours",
            "quiet",
            "liniște",
            "silenzio",
            "ruhe",
            "ruhezeit",
            "silence",
            "silencio",
            "тишина",
        ],
        takes_more: false,
        about: [
            ("en", "Quiet hours"),
            ("ro", "Ore de liniște"),
            ("it", "Ore di silenzio"),
            ("de", "Ruhezeit"),
            ("fr", "Heures calmes"),
            ("es", "Horas de silencio"),
            ("ru", "Тихие часы"),
        ],
    },
    Row {
        command: Command::Language,
        name: "language",
        words: &["language", "limba", "limbă", "lingua", "sprache", "langue", "idioma", "язык"],
        takes_more: false,
        about: [
            ("en", "Language"),
            ("ro", "Limba"),
            ("it", "Lingua"),
            ("de", "Sprache"),
            ("fr", "Langue"),
            ("es", "Idioma"),
            ("ru", "Язык"),
        ],
    },
    Row {
        command: Command::Profile,
        name: "profile",
        words: &["profile", "profil", "profilo", "perfil", "профиль"],
        takes_more: false,
        about: [
            ("en", "About you"),
            ("ro", "Despre tine"),
            ("it", "Su di te"),
            ("de", "Über dich"),
            ("fr", "À propos de vous"),
            ("es", "Sobre ti"),
            ("ru", "О вас"),
        ],
    },
    Row {
        command: Command::Settings,
        name: "settings",
        words: &[
            "settings",
            "setări",
            "setari",
            "impostazioni",
            "einstellungen",
            "réglages",
            "ajustes",
            "настройки",
        ],
        takes_more: false,
        about: [
            ("en", "Settings"),
            ("ro", "Setări"),
            ("it", "Impostazioni"),
            ("de", "Einstellungen"),
            ("fr", "Réglages"),
            ("es", "Ajustes"),
            ("ru", "Настройки"),
        ],
    },
    Row {
        command: Command::Timezone,
        name: "timezone",
        words: &[
            "timezone",
            "time zone",
            "fus orar",
            "fusul orar",
            "zeitzone",
            "fuseau horaire",
            "zona horaria",
            "fuso orario",
            "часовой пояс",
        ],
        takes_more: true,
        about: [
            ("en", "Your time zone"),
            ("ro", "Fusul tău orar"),
            ("it", "Il tuo fuso orario"),
            ("de", "Deine Zeitzone"),
            ("fr", "Votre fuseau horaire"),
            ("es", "Tu zona horaria"),
            ("ru", "Ваш часовой пояс"),
        ],
    },
    Row {
        command: Command::Privacy,
        name: "privacy",
        words: &[
            "privacy",
            "confidențialitate",
            "confidentialitate",
            "datele mele",
            "i miei dati",
            "datenschutz",
            "meine daten",
            "confidentialité",
            "mes données",
            "privacidad",
            "mis datos",
            "приватность",
            "мои данные",
        ],
        takes_more: false,
        about: [
            ("en", "What we know about you"),
            ("ro", "Ce știm despre tine"),
            ("it", "Che cosa sappiamo di te"),
            ("de", "Was wir von dir wissen"),
            ("fr", "Ce que nous savons de vous"),
            ("es", "Lo que sabemos de ti"),
            ("ru", "Что мы о вас знаем"),
        ],
    },
    Row {
        command: Command::Watch,
        name: "watch",
        words: &["watch", "urmărește", "urmareste", "avvisami", "beobachte", "surveille", "vigila"],
        takes_more: true,
        about: [
            ("en", "Tell me when a product is in stock or cheaper"),
            ("ro", "Spune-mi când un produs e în stoc sau mai ieftin"),
            ("it", "Avvisami quando un prodotto c’è o costa meno"),
            ("de", "Sag, wenn ein Produkt da oder günstiger ist"),
            ("fr", "Prévenir quand un produit est là ou moins cher"),
            ("es", "Avísame cuando un producto esté o baje"),
            ("ru", "Сообщить о наличии или снижении цены"),
        ],
    },
    Row {
        command: Command::Watches,
        name: "watches",
        words: &["watches", "my watches"],
        takes_more: false,
        about: [
            ("en", "Products that you wait for"),
            ("ro", "Produsele pe care le aștepți"),
            ("it", "I prodotti che aspetti"),
            ("de", "Produkte, auf die du wartest"),
            ("fr", "Les produits que vous attendez"),
            ("es", "Los productos que esperas"),
            ("ru", "Товары, которых вы ждёте"),
        ],
    },
    Row {
        command: Command::Help,
        name: "help",
        words: &["help", "ajutor", "aiuto", "hilfe", "aide", "ayuda", "помощь"],
        takes_more: false,
        about: [
            ("en", "What you can write here"),
            ("ro", "Ce poți scrie aici"),
            ("it", "Che cosa puoi scrivere qui"),
            ("de", "Was du hier schreiben kannst"),
            ("fr", "Ce que vous pouvez écrire ici"),
            ("es", "Qué puedes escribir aquí"),
            ("ru", "Что здесь можно написать"),
        ],
    },
    Row {
        command: Command::Stop,
        name: "stop",
        words: &[
            "stop",
            "unsubscribe",
            "oprește",
            "opreste",
            "dezabonare",
            "disiscriviti",
            "stopp",
            "abmelden",
            "arrêter",
            "arrêt",
            "désabonner",
            "parar",
            "darse de baja",
            "стоп",
        ],
        takes_more: false,
        about: [
            ("en", "Nothing more from us"),
            ("ro", "Nu mai vreau mesaje"),
            ("it", "Non voglio più messaggi"),
            ("de", "Keine Nachrichten mehr"),
            ("fr", "Ne plus rien recevoir"),
            ("es", "No recibir nada más"),
            ("ru", "Больше ничего не присылать"),
        ],
    },
];

impl Row {
    /// Its line in a menu, in the language, its main language, or English.
    pub fn line(&self, language: &str) -> &'static str {
        let main = language.split('-').next().unwrap_or(language);
        let of = |wanted: &str| self.about.iter().find(|(own, _)| *own == wanted);
        of(language).or_else(|| of(main)).or(self.about.first()).map_or("", |(_, line)| line)
    }
}

/// What the button for a command says, by the command's name.
pub fn payload_of(name: &str) -> Option<String> {
    named(name).map(payload)
}

/// Whether a text is a command, by name or in words.
pub fn is_said(text: &str) -> bool {
    said(text).is_some()
}

/// What the button for a command says: the command's name, whatever becomes of this list.
pub fn payload(command: Command) -> String {
    let name = COMMANDS.iter().find(|row| row.command == command).map_or("", |row| row.name);
    format!("1:{TAPPED}{name}")
}

/// Begins what a command's button says, behind the version; something may stand behind the name
/// and another colon.
const TAPPED: &str = "cmd:";

/// The command that a payload without its version stands for, and what stands behind it.
pub(super) fn tapped(payload: &str) -> Option<(Command, &str)> {
    let (name, rest) = split(payload.strip_prefix(TAPPED)?, |c| c == ':');
    named(name).map(|command| (command, rest))
}

/// The command that a text begins with, by name or in words, and what stands behind it as it was
/// written. People write with capitals, dots and bangs.
pub(super) fn said(text: &str) -> Option<(Command, &str)> {
    let text = text.trim().trim_end_matches(['.', '!', '?']);
    if let Some(called) = text.strip_prefix('/') {
        let (name, rest) = split(called, char::is_whitespace);
        // In groups a command carries the bot's name: `/stop@news_bot`.
        let name = name.split('@').next().unwrap_or(name);
        return named(&name.to_lowercase()).map(|command| (command, rest));
    }
    COMMANDS.iter().find_map(|row| {
        let rest = row.words.iter().find_map(|words| behind(text, words))?;
        (row.takes_more || rest.is_empty()).then_some((row.command, rest))
    })
}

fn named(name: &str) -> Option<Command> {
    COMMANDS.iter().find(|row| row.name == name).map(|row| row.command)
}

/// What stands behind the words in a text that begins with them, in any case.
fn behind<'a>(text: &'a str, words: &str) -> Option<&'a str> {
    let mut rest = text;
    let mut is_closed = false;
    for word in words.split(' ') {
        let (first, others) = split(rest, char::is_whitespace);
        let (first, others) = match first.split_once(':') {
            Some((first, _)) => (first, rest.get(first.len()..)?),
            None => (first, others),
        };
        if is_closed || first.to_lowercase() != word {
            return None;
        }
        is_closed = others.starts_with(':');
        rest = others;
    }
    Some(rest.trim_matches(|c: char| c.is_whitespace() || c == ':'))
}

/// Up to the first separator, and what is behind it without the spaces around it.
fn split(text: &str, is_between: impl Fn(char) -> bool) -> (&str, &str) {
    match text.split_once(&is_between) {
        Some((first, rest)) => (first, rest.trim()),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_known_by_name_and_in_words() {
        for (text, expected) in [
            ("/timezone", Some((Command::Timezone, ""))),
            ("/timezone Europe/Bucharest", Some((Command::Timezone, "Europe/Bucharest"))),
            ("/timezone@news_bot  +2", Some((Command::Timezone, "+2"))),
            ("Timezone New York", Some((Command::Timezone, "New York"))),
            ("time zone: utc-05:30", Some((Command::Timezone, "utc-05:30"))),
            ("Time  Zone", Some((Command::Timezone, ""))),
            ("fus orar Bucharest", Some((Command::Timezone, "Bucharest"))),
            ("zeitzone", Some((Command::Timezone, ""))),
            ("fuseau horaire paris", Some((Command::Timezone, "paris"))),
            ("zona horaria madrid", Some((Command::Timezone, "madrid"))),
            ("fuso orario rome", Some((Command::Timezone, "rome"))),
            ("Часовой пояс +3", Some((Command::Timezone, "+3"))),
            ("timezones", None),
            ("time: zone", None),
            ("/timezones", None),
            ("my timezone", None),
            ("/time", None),
            ("/start newsANDshop", Some((Command::Start, "newsANDshop"))),
            ("/START Shop.", Some((Command::Start, "Shop"))),
            (" Start! ", Some((Command::Start, ""))),
            ("start the car", None),
            ("Quiet hours", Some((Command::Quiet, ""))),
            ("quiet please", None),
            ("caută pantofi", Some((Command::Search, "pantofi"))),
            ("Oprește!", Some((Command::Stop, ""))),
            ("/stop it now", Some((Command::Stop, "it now"))),
            ("stop it now", None),
            ("Darse de baja", Some((Command::Stop, ""))),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }

    #[test]
    fn a_button_says_its_command_by_name() {
        for row in &COMMANDS {
            let payload = payload(row.command);
            let bare = payload.strip_prefix("1:").unwrap();
            assert_eq!(tapped(bare), Some((row.command, "")), "{payload}");
        }
        assert_eq!(tapped("cmd:timezone:+2"), Some((Command::Timezone, "+2")));
        assert_eq!(tapped("cmd:gone"), None);
        assert_eq!(tapped("timezone"), None);
    }

    #[test]
    fn every_name_is_one_that_telegram_takes_and_is_there_once() {
        for (at, row) in COMMANDS.iter().enumerate() {
            assert!(row.name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_'), "{}", row.name);
            assert!((1..=32).contains(&row.name.len()));
            assert!(COMMANDS.iter().take(at).all(|other| other.name != row.name), "{}", row.name);
            assert!(row.about.iter().all(|(_, about)| (3..=256).contains(&about.len())));
        }
    }
}
