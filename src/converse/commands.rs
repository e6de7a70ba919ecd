//! The commands of the chat, in one list: how each is called, the words for it in the languages of
//! the answers, and what a menu says of it.

mod said;

pub(super) use said::said;

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
    /// Words that mean the same; how they are written does not matter.
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
        words: &[
            "start",
            "start again",
            "subscribe",
            "subscribe me",
            "începe",
            "începe din nou",
            "abonare",
            "abonează-mă",
            "mă abonez",
            "inizia",
            "ricomincia",
            "iscrivimi",
            "anmelden",
            "wieder anmelden",
            "starten",
            "commencer",
            "recommencer",
            "abonnez-moi",
            "empezar",
            "empezar de nuevo",
            "suscribirme",
            "старт",
            "начать",
            "начать снова",
        ],
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
        words: &["language", "limba", "lingua", "sprache", "langue", "idioma", "язык"],
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
        words: &["watch", "urmărește", "avvisami", "beobachte", "surveille", "vigila", "следи"],
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
        words: &["watches", "my watches", "ce aștept"],
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
            "stop all",
            "stopall",
            "unsubscribe",
            "quit",
            "cancel",
            "no more",
            "no more messages",
            "oprește",
            "oprește-te",
            "dezabonare",
            "dezabonează-mă",
            "dezabonează",
            "mă dezabonez",
            "renunț",
            "nu mai vreau",
            "disiscriviti",
            "disiscrivimi",
            "annulla iscrizione",
            "basta",
            "ferma",
            "stopp",
            "abmelden",
            "abbestellen",
            "aufhören",
            "beenden",
            "arrêter",
            "arrête",
            "arrêtez",
            "arrêt",
            "désabonner",
            "se désabonner",
            "me désabonner",
            "désabonne-moi",
            "désabonnement",
            "désinscription",
            "parar",
            "para ya",
            "cancelar",
            "cancelar suscripción",
            "desuscribir",
            "desuscribirme",
            "darse de baja",
            "darme de baja",
            "baja",
            "стоп",
            "отписаться",
            "отписка",
            "отпишите меня",
            "хватит",
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
    said(text, &|_, _| false).is_some()
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

fn named(name: &str) -> Option<Command> {
    COMMANDS.iter().find(|row| row.name == name).map(|row| row.command)
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
