//! What the pages themselves say, in the languages that they speak.

use crate::invite::language::Wording;

/// One language's words.
#[derive(Debug)]
pub(super) struct Words {
    /// BCP 47, lower case.
    pub language: &'static str,
    /// The title of a page that has none.
    pub title: &'static str,
    /// What stands below it.
    pub text: &'static str,
    /// On the button, before and after the service's name.
    pub subscribe: (&'static str, &'static str),
    pub topics: &'static str,
    /// Above the codes.
    pub scan: &'static str,
    /// What a code is, before the service's name.
    pub code: &'static str,
    pub newest: &'static str,
    pub privacy: &'static str,
    /// For whoever writes none of their own.
    pub privacy_text: &'static str,
    /// On the link to theirs.
    pub privacy_link: &'static str,
    /// Below the title of what was sent.
    pub sent: &'static str,
    pub nothing_yet: &'static str,
    pub older: &'static str,
    /// On the button to a topic's page, before and after its title.
    pub subscribe_to: (&'static str, &'static str),
    /// Below the buttons of a form.
    pub consent: &'static str,
    /// What closes a form.
    pub close: &'static str,
    pub missing: &'static str,
    /// There is no way in just now.
    pub later: &'static str,
}

/// The words of a language, of its main language, or English ones.
pub(super) fn words(language: &str) -> &'static Words {
    let main = language.split('-').next().unwrap_or(language);
    ALL.iter().find(|words| words.language == main).unwrap_or(&ALL[0])
}

/// Whether the pages speak it.
pub(super) fn has(language: &str) -> bool {
    words(language).language == language.split('-').next().unwrap_or(language)
}

/// The first of the languages that somebody wants in which there are words, ours or the editor's;
/// else English.
pub(super) fn first_spoken(wanted: &[String], own: &Wording) -> String {
    let spoken = |language: &String| {
        let main = language.split('-').next().unwrap_or(language);
        let is_own = |tag: &str| own.languages.contains_key(tag);
        match () {
            () if is_own(language) => Some(language.clone()),
            () if has(language) || is_own(main) => Some(main.to_owned()),
            () => None,
        }
    };
    wanted.iter().find_map(spoken).unwrap_or_else(|| "en".to_owned())
}

/// The languages that the pages speak.
pub(super) fn languages() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|words| words.language)
}

static ALL: [Words; 6] = [
    Words {
        language: "en",
        title: "Get the news",
        text: "Choose your messenger: what is new comes to you there.",
        subscribe: ("Subscribe on ", ""),
        topics: "What you get",
        scan: "On a computer? Scan a code with your phone.",
        code: "QR code: ",
        newest: "Newest",
        privacy: "Privacy",
        privacy_text: "You subscribe by a message of your own, and leave at any time by writing \
                       “stop”. We keep what it takes to write to you: your address in the \
                       messenger, your first name and language, and your topics. This page sets no \
                       cookies and asks nobody else for anything.",
        privacy_link: "How we treat your data",
        consent: "You subscribe by a message of your own there, and leave at any time by \
                  writing “stop”.",
        close: "Close",
        sent: "What was sent up to now.",
        nothing_yet: "Nothing was sent yet.",
        older: "Older",
        subscribe_to: ("Subscribe to ", ""),
        missing: "There is no such page.",
        later: "Nobody can subscribe just now. Please try again in a minute.",
    },
    Words {
        language: "ro",
        title: "Primește noutățile",
        text: "Alege aplicația de mesagerie: noutățile vin acolo.",
        subscribe: ("Abonează-te pe ", ""),
        topics: "Ce primești",
        scan: "Ești la calculator? Scanează un cod cu telefonul.",
        code: "Cod QR: ",
        newest: "Cele mai noi",
        privacy: "Confidențialitate",
        privacy_text: "Te abonezi printr-un mesaj al tău și renunți oricând scriind „stop”. Păstrăm \
                       doar ce ne trebuie ca să-ți scriem: adresa ta din aplicație, prenumele, limba \
                       și temele alese. Această pagină nu folosește cookie-uri și nu cere nimic de \
                       la alții.",
        privacy_link: "Cum tratăm datele tale",
        consent: "Te abonezi printr-un mesaj al tău și renunți oricând scriind „stop”.",
        close: "Închide",
        sent: "Ce s-a trimis până acum.",
        nothing_yet: "Încă nu s-a trimis nimic.",
        older: "Mai vechi",
        subscribe_to: ("Abonează-te la ", ""),
        missing: "Această pagină nu există.",
        later: "Abonarea nu este posibilă acum. Încearcă din nou peste un minut.",
    },
    Words {
        language: "it",
        title: "Ricevi le novità",
        text: "Scegli la tua app di messaggistica: le novità arrivano lì.",
        subscribe: ("Iscriviti su ", ""),
        topics: "Che cosa ricevi",
        scan: "Sei al computer? Scansiona un codice con il telefono.",
        code: "Codice QR: ",
        newest: "Ultime novità",
        privacy: "Privacy",
        privacy_text: "Ti iscrivi con un tuo messaggio e ti cancelli quando vuoi scrivendo “stop”. \
                       Conserviamo solo ciò che serve per scriverti: il tuo indirizzo nell’app, il \
                       nome, la lingua e gli argomenti scelti. Questa pagina non usa cookie e non \
                       chiede nulla ad altri.",
        privacy_link: "Come trattiamo i tuoi dati",
        consent: "Ti iscrivi con un tuo messaggio e ti cancelli quando vuoi scrivendo “stop”.",
        close: "Chiudi",
        sent: "Quanto inviato finora.",
        nothing_yet: "Non è ancora stato inviato nulla.",
        older: "Precedenti",
        subscribe_to: ("Iscriviti a ", ""),
        missing: "Questa pagina non esiste.",
        later: "In questo momento non è possibile iscriversi. Riprova tra un minuto.",
    },
    Words {
        language: "de",
        title: "Erhalte die Neuigkeiten",
        text: "Wähle deinen Messenger: Neues kommt dorthin.",
        subscribe: ("Auf ", " abonnieren"),
        topics: "Das bekommst du",
        scan: "Am Computer? Scanne einen Code mit dem Telefon.",
        code: "QR-Code: ",
        newest: "Das Neueste",
        privacy: "Datenschutz",
        privacy_text: "Du abonnierst mit einer eigenen Nachricht und gehst jederzeit, indem du \
                       „stop“ schreibst. Wir behalten, was zum Schreiben nötig ist: deine Adresse im \
                       Messenger, Vornamen, Sprache und Themen. Diese Seite setzt keine Cookies und \
                       fragt niemand anderen.",
        privacy_link: "Wie wir mit deinen Daten umgehen",
        consent: "Du abonnierst mit einer eigenen Nachricht und gehst jederzeit, indem du \
                  „stop“ schreibst.",
        close: "Schließen",
        sent: "Was bisher verschickt wurde.",
        nothing_yet: "Es wurde noch nichts verschickt.",
        older: "Ältere",
        subscribe_to: ("", " abonnieren"),
        missing: "Diese Seite gibt es nicht.",
        later: "Abonnieren ist gerade nicht möglich. Bitte versuche es in einer Minute wieder.",
    },
    Words {
        language: "fr",
        title: "Recevez les nouveautés",
        text: "Choisissez votre messagerie : les nouveautés y arrivent.",
        subscribe: ("S’abonner sur ", ""),
        topics: "Ce que vous recevez",
        scan: "Sur un ordinateur ? Scannez un code avec votre téléphone.",
        code: "Code QR : ",
        newest: "Dernières nouveautés",
        privacy: "Confidentialité",
        privacy_text: "Vous vous abonnez par un message de votre part et partez à tout moment en \
                       écrivant « stop ». Nous gardons ce qu’il faut pour vous écrire : votre \
                       adresse dans la messagerie, votre prénom, votre langue et vos thèmes. Cette \
                       page n’utilise aucun cookie et ne demande rien à d’autres.",
        privacy_link: "Comment nous traitons vos données",
        consent: "Vous vous abonnez par un message de votre part et partez à tout moment en \
                  écrivant « stop ».",
        close: "Fermer",
        sent: "Ce qui a été envoyé jusqu’ici.",
        nothing_yet: "Rien n’a encore été envoyé.",
        older: "Plus anciens",
        subscribe_to: ("S’abonner à ", ""),
        missing: "Cette page n’existe pas.",
        later: "L’abonnement n’est pas possible pour le moment. Réessayez dans une minute.",
    },
    Words {
        language: "es",
        title: "Recibe las novedades",
        text: "Elige tu aplicación de mensajería: las novedades llegan allí.",
        subscribe: ("Suscribirse en ", ""),
        topics: "Qué recibes",
        scan: "¿En un ordenador? Escanea un código con tu teléfono.",
        code: "Código QR: ",
        newest: "Lo más reciente",
        privacy: "Privacidad",
        privacy_text: "Te suscribes con un mensaje tuyo y te vas cuando quieras escribiendo «stop». \
                       Guardamos lo necesario para escribirte: tu dirección en la aplicación, tu \
                       nombre, tu idioma y tus temas. Esta página no usa cookies y no pide nada a \
                       otros.",
        privacy_link: "Cómo tratamos tus datos",
        consent: "Te suscribes con un mensaje tuyo y te vas cuando quieras escribiendo «stop».",
        close: "Cerrar",
        sent: "Lo enviado hasta ahora.",
        nothing_yet: "Aún no se ha enviado nada.",
        older: "Anteriores",
        subscribe_to: ("Suscribirse a ", ""),
        missing: "Esta página no existe.",
        later: "Ahora no es posible suscribirse. Inténtalo de nuevo en un minuto.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_speak_their_main_language_and_strangers_english() {
        for (language, expected) in [("fr-ch", "fr"), ("ro", "ro"), ("uk", "en"), ("", "en")] {
            assert_eq!(words(language).language, expected);
        }
        assert!(has("de-at") && !has("uk"));
    }
}
