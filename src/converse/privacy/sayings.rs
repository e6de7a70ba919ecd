//! What is said of what is known.

use crate::converse::words::Texts;

pub(super) const ABOUT: Texts = [
    ("en", "This is what we know about you:"),
    ("ro", "Iată ce știm despre tine:"),
    ("it", "Ecco che cosa sappiamo di te:"),
    ("de", "Das wissen wir von dir:"),
    ("fr", "Voici ce que nous savons de vous :"),
    ("es", "Esto es lo que sabemos de ti:"),
    ("ru", "Вот что мы знаем о вас:"),
];

pub(super) const STRANGER: Texts = [
    ("en", "We know nothing about you: you have not subscribed."),
    ("ro", "Nu știm nimic despre tine: nu ești abonat."),
    ("it", "Non sappiamo nulla di te: non sei iscritto."),
    ("de", "Wir wissen nichts von dir: Du bist nicht angemeldet."),
    ("fr", "Nous ne savons rien de vous : vous n’êtes pas abonné."),
    ("es", "No sabemos nada de ti: no estás suscrito."),
    ("ru", "Мы ничего о вас не знаем: вы не подписаны."),
];

pub(super) const ADDRESS: Texts = [
    ("en", "your address here: {}"),
    ("ro", "adresa ta aici: {}"),
    ("it", "il tuo indirizzo qui: {}"),
    ("de", "deine Adresse hier: {}"),
    ("fr", "votre adresse ici : {}"),
    ("es", "tu dirección aquí: {}"),
    ("ru", "ваш адрес здесь: {}"),
];

pub(super) const NAME: Texts = [
    ("en", "your first name: {}"),
    ("ro", "prenumele tău: {}"),
    ("it", "il tuo nome: {}"),
    ("de", "dein Vorname: {}"),
    ("fr", "votre prénom : {}"),
    ("es", "tu nombre: {}"),
    ("ru", "ваше имя: {}"),
];

pub(super) const LANGUAGE: Texts = [
    ("en", "your language: {}"),
    ("ro", "limba ta: {}"),
    ("it", "la tua lingua: {}"),
    ("de", "deine Sprache: {}"),
    ("fr", "votre langue : {}"),
    ("es", "tu idioma: {}"),
    ("ru", "ваш язык: {}"),
];

pub(super) const ZONE: Texts = [
    ("en", "your time zone: {}"),
    ("ro", "fusul tău orar: {}"),
    ("it", "il tuo fuso orario: {}"),
    ("de", "deine Zeitzone: {}"),
    ("fr", "votre fuseau horaire : {}"),
    ("es", "tu zona horaria: {}"),
    ("ru", "ваш часовой пояс: {}"),
];

pub(super) const TOPICS: Texts = [
    ("en", "your topics: {}"),
    ("ro", "temele tale: {}"),
    ("it", "i tuoi argomenti: {}"),
    ("de", "deine Themen: {}"),
    ("fr", "vos thèmes : {}"),
    ("es", "tus temas: {}"),
    ("ru", "ваши темы: {}"),
];

pub(super) const SINCE: Texts = [
    ("en", "you first wrote on {}"),
    ("ro", "ne-ai scris prima dată la {}"),
    ("it", "ci hai scritto la prima volta il {}"),
    ("de", "zuerst geschrieben hast du am {}"),
    ("fr", "vous nous avez écrit la première fois le {}"),
    ("es", "nos escribiste por primera vez el {}"),
    ("ru", "впервые вы написали {}"),
];

pub(super) const AGREED: Texts = [
    ("en", "you agreed to get messages on {}"),
    ("ro", "ai acceptat mesajele la {}"),
    ("it", "hai accettato i messaggi il {}"),
    ("de", "Nachrichten zugestimmt hast du am {}"),
    ("fr", "vous avez accepté les messages le {}"),
    ("es", "aceptaste los mensajes el {}"),
    ("ru", "вы согласились получать сообщения {}"),
];

pub(super) const STOPPED: Texts = [
    ("en", "you get nothing from us: you stopped it"),
    ("ro", "nu primești nimic de la noi: ai oprit mesajele"),
    ("it", "non ricevi nulla da noi: hai fermato i messaggi"),
    ("de", "du bekommst nichts von uns: Du hast es beendet"),
    ("fr", "vous ne recevez rien de nous : vous avez tout arrêté"),
    ("es", "no recibes nada de nosotros: lo detuviste"),
    ("ru", "вы ничего от нас не получаете: вы это остановили"),
];

pub(super) const NOT_SUBSCRIBED: Texts = [
    ("en", "you have not subscribed"),
    ("ro", "nu ești abonat"),
    ("it", "non hai sottoscritto nulla"),
    ("de", "du hast nichts abonniert"),
    ("fr", "vous n’êtes pas abonné"),
    ("es", "no estás suscrito"),
    ("ru", "вы не подписаны"),
];

pub(super) const WATCHES: Texts = [
    ("en", "products that you wait for: {}"),
    ("ro", "produse pe care le aștepți: {}"),
    ("it", "prodotti che aspetti: {}"),
    ("de", "Produkte, auf die du wartest: {}"),
    ("fr", "produits que vous attendez : {}"),
    ("es", "productos que esperas: {}"),
    ("ru", "товары, которых вы ждёте: {}"),
];

pub(super) const KEPT: Texts = [
    ("en", "What you ask us for is kept for two days, what else you write not at all."),
    ("ro", "Ce ne ceri păstrăm două zile, iar restul nu păstrăm deloc."),
    ("it", "Ciò che ci chiedi resta due giorni; il resto non viene conservato."),
    ("de", "Worum du uns bittest, bleibt zwei Tage; alles andere wird nicht gespeichert."),
    ("fr", "Ce que vous nous demandez est gardé deux jours, le reste ne l’est pas."),
    ("es", "Lo que nos pides se guarda dos días; lo demás no se guarda."),
    ("ru", "То, о чём вы просите, хранится два дня, остальное мы не храним."),
];

pub(super) const AS_FILE: Texts = [
    ("en", "Get it as a file"),
    ("ro", "Vreau un fișier"),
    ("it", "Come file"),
    ("de", "Als Datei"),
    ("fr", "En fichier"),
    ("es", "Como archivo"),
    ("ru", "Получить файлом"),
];

pub(super) const ERASE: Texts = [
    ("en", "Erase everything"),
    ("ro", "Șterge tot"),
    ("it", "Cancella tutto"),
    ("de", "Alles löschen"),
    ("fr", "Tout effacer"),
    ("es", "Borrar todo"),
    ("ru", "Удалить всё"),
];

pub(super) const SURE: Texts = [
    (
        "en",
        "Everything we know about you will be erased, for good, and you will get nothing more from \
         us. Shall we?",
    ),
    (
        "ro",
        "Tot ce știm despre tine va fi șters definitiv și nu vei mai primi nimic de la noi. Ștergem?",
    ),
    (
        "it",
        "Tutto ciò che sappiamo di te sarà cancellato per sempre e non riceverai più nulla. Procediamo?",
    ),
    (
        "de",
        "Alles, was wir von dir wissen, wird endgültig gelöscht, und du bekommst nichts mehr von \
         uns. Sollen wir?",
    ),
    (
        "fr",
        "Tout ce que nous savons de vous sera effacé pour toujours et vous ne recevrez plus rien. On efface ?",
    ),
    (
        "es",
        "Todo lo que sabemos de ti se borrará para siempre y no recibirás nada más. ¿Lo borramos?",
    ),
    (
        "ru",
        "Всё, что мы о вас знаем, будет удалено навсегда, и вы больше ничего не получите. Удаляем?",
    ),
];

pub(super) const YES: Texts = [
    ("en", "Yes, erase"),
    ("ro", "Da, șterge"),
    ("it", "Sì, cancella"),
    ("de", "Ja, löschen"),
    ("fr", "Oui, effacer"),
    ("es", "Sí, borrar"),
    ("ru", "Да, удалить"),
];

pub(super) const GONE: Texts = [
    ("en", "Everything is erased. Goodbye! If you write again, we start anew."),
    ("ro", "Totul a fost șters. La revedere! Dacă ne scrii din nou, o luăm de la început."),
    ("it", "È tutto cancellato. Arrivederci! Se ci scrivi di nuovo, ricominciamo da capo."),
    ("de", "Alles ist gelöscht. Auf Wiedersehen! Schreibst du uns wieder, fangen wir neu an."),
    (
        "fr",
        "Tout est effacé. Au revoir ! Si vous nous écrivez à nouveau, nous repartirons de zéro.",
    ),
    ("es", "Todo está borrado. ¡Adiós! Si vuelves a escribirnos, empezamos de nuevo."),
    ("ru", "Всё удалено. До свидания! Если вы напишете снова, начнём сначала."),
];

pub(super) const FILE_WORDS: Texts = [
    ("en", "All that we know about you, as a file:"),
    ("ro", "Tot ce știm despre tine, într-un fișier:"),
    ("it", "Tutto ciò che sappiamo di te, in un file:"),
    ("de", "Alles, was wir von dir wissen, als Datei:"),
    ("fr", "Tout ce que nous savons de vous, en fichier :"),
    ("es", "Todo lo que sabemos de ti, en un archivo:"),
    ("ru", "Всё, что мы о вас знаем, файлом:"),
];
