//! What is said of how often things come.

use crate::converse::words::Texts;
use crate::model::choice::Pace;

pub(super) const HEAD: Texts = [
    (
        "en",
        "How often do you want each topic? What does not come at once comes in one message: every \
         day at {hour}, or once a week on {day}. It is {time} on your clock.",
    ),
    (
        "ro",
        "Cât de des vrei fiecare subiect? Ce nu vine imediat vine într-un singur mesaj: în fiecare \
         zi la {hour} sau o dată pe săptămână, {day}. Pe ceasul tău este {time}.",
    ),
    (
        "de",
        "Wie oft möchtest du jedes Thema? Was nicht sofort kommt, kommt in einer Nachricht: jeden \
         Tag um {hour} oder einmal in der Woche, am {day}. Auf deiner Uhr ist es {time}.",
    ),
    (
        "fr",
        "À quel rythme voulez-vous chaque thème ? Ce qui ne vient pas aussitôt vient en un seul \
         message : chaque jour à {hour}, ou une fois par semaine, le {day}. Il est {time} à votre \
         heure.",
    ),
    (
        "es",
        "¿Con qué frecuencia quieres cada tema? Lo que no llega al momento llega en un solo \
         mensaje: cada día a las {hour} o una vez por semana, el {day}. En tu reloj son las {time}.",
    ),
    (
        "it",
        "Quanto spesso vuoi ogni argomento? Ciò che non arriva subito arriva in un solo messaggio: \
         ogni giorno alle {hour} o una volta a settimana, {day}. Sul tuo orologio sono le {time}.",
    ),
    (
        "ru",
        "Как часто присылать каждую тему? Что не приходит сразу, приходит одним сообщением: каждый \
         день в {hour} или раз в неделю ({day}). На ваших часах {time}.",
    ),
];

pub(super) const HEAD_ALL: Texts = [
    (
        "en",
        "How often do you want the news? What does not come at once comes in one message: every \
         day at {hour}, or once a week on {day}. It is {time} on your clock.",
    ),
    (
        "ro",
        "Cât de des vrei noutățile? Ce nu vine imediat vine într-un singur mesaj: în fiecare zi la \
         {hour} sau o dată pe săptămână, {day}. Pe ceasul tău este {time}.",
    ),
    (
        "de",
        "Wie oft möchtest du Neues? Was nicht sofort kommt, kommt in einer Nachricht: jeden Tag um \
         {hour} oder einmal in der Woche, am {day}. Auf deiner Uhr ist es {time}.",
    ),
    (
        "fr",
        "À quel rythme voulez-vous les nouvelles ? Ce qui ne vient pas aussitôt vient en un seul \
         message : chaque jour à {hour}, ou une fois par semaine, le {day}. Il est {time} à votre \
         heure.",
    ),
    (
        "es",
        "¿Con qué frecuencia quieres las novedades? Lo que no llega al momento llega en un solo \
         mensaje: cada día a las {hour} o una vez por semana, el {day}. En tu reloj son las {time}.",
    ),
    (
        "it",
        "Quanto spesso vuoi le novità? Ciò che non arriva subito arriva in un solo messaggio: ogni \
         giorno alle {hour} o una volta a settimana, {day}. Sul tuo orologio sono le {time}.",
    ),
    (
        "ru",
        "Как часто присылать новое? Что не приходит сразу, приходит одним сообщением: каждый день в \
         {hour} или раз в неделю ({day}). На ваших часах {time}.",
    ),
];

pub(super) const NO_TOPICS: Texts = [
    ("en", "You have no topics of which to choose how often they come."),
    ("ro", "Nu ai subiecte pentru care să alegi cât de des vin."),
    ("de", "Du hast keine Themen, für die du wählen kannst, wie oft sie kommen."),
    ("fr", "Vous n’avez pas de thème dont choisir le rythme."),
    ("es", "No tienes temas de los que elegir la frecuencia."),
    ("it", "Non hai argomenti di cui scegliere la frequenza."),
    ("ru", "У вас нет тем, для которых можно выбрать частоту."),
];

pub(super) const OF_TOPIC: Texts = [
    ("en", "How often do you want “{topic}”?"),
    ("ro", "Cât de des vrei „{topic}”?"),
    ("de", "Wie oft möchtest du „{topic}“?"),
    ("fr", "À quel rythme voulez-vous « {topic} » ?"),
    ("es", "¿Con qué frecuencia quieres «{topic}»?"),
    ("it", "Quanto spesso vuoi “{topic}”?"),
    ("ru", "Как часто присылать «{topic}»?"),
];

pub(super) const WHICH_HOUR: Texts = [
    ("en", "At which hour? Any other can be written: /frequency 19:30"),
    ("ro", "La ce oră? Poți scrie oricare alta: /frequency 19:30"),
    ("de", "Um wie viel Uhr? Jede andere kannst du schreiben: /frequency 19:30"),
    ("fr", "À quelle heure ? Toute autre peut s’écrire : /frequency 19:30"),
    ("es", "¿A qué hora? Puedes escribir cualquier otra: /frequency 19:30"),
    ("it", "A che ora? Puoi scriverne qualsiasi altra: /frequency 19:30"),
    ("ru", "В котором часу? Любой другой можно написать: /frequency 19:30"),
];

pub(super) const WHICH_DAY: Texts = [
    ("en", "On which day of the week?"),
    ("ro", "În ce zi a săptămânii?"),
    ("de", "An welchem Tag der Woche?"),
    ("fr", "Quel jour de la semaine ?"),
    ("es", "¿Qué día de la semana?"),
    ("it", "In quale giorno della settimana?"),
    ("ru", "В какой день недели?"),
];

pub(super) const WRONG: Texts = [
    ("en", "I do not understand that. You can write: /frequency weekly fri 18"),
    ("ro", "Nu înțeleg. Poți scrie: /frequency săptămânal vineri 18"),
    ("de", "Das verstehe ich nicht. Du kannst schreiben: /frequency wöchentlich Freitag 18"),
    ("fr", "Je ne comprends pas. Vous pouvez écrire : /frequency hebdomadaire vendredi 18"),
    ("es", "No lo entiendo. Puedes escribir: /frequency semanal viernes 18"),
    ("it", "Non capisco. Puoi scrivere: /frequency settimanale venerdì 18"),
    ("ru", "Не понимаю. Можно написать: /frequency еженедельно пятница 18"),
];

pub(super) const NOTED: Texts = [
    ("en", "Noted: {what}."),
    ("ro", "Am notat: {what}."),
    ("de", "Notiert: {what}."),
    ("fr", "C’est noté : {what}."),
    ("es", "Anotado: {what}."),
    ("it", "Ho preso nota: {what}."),
    ("ru", "Записано: {what}."),
];

pub(super) const PACES: [(Pace, Texts); 3] = [
    (
        Pace::Once,
        [
            ("en", "at once"),
            ("ro", "imediat"),
            ("de", "sofort"),
            ("fr", "aussitôt"),
            ("es", "al momento"),
            ("it", "subito"),
            ("ru", "сразу"),
        ],
    ),
    (
        Pace::Daily,
        [
            ("en", "once a day"),
            ("ro", "zilnic"),
            ("de", "täglich"),
            ("fr", "chaque jour"),
            ("es", "cada día"),
            ("it", "ogni giorno"),
            ("ru", "раз в день"),
        ],
    ),
    (
        Pace::Weekly,
        [
            ("en", "once a week"),
            ("ro", "săptămânal"),
            ("de", "wöchentlich"),
            ("fr", "chaque semaine"),
            ("es", "cada semana"),
            ("it", "ogni settimana"),
            ("ru", "раз в неделю"),
        ],
    ),
];

/// Monday first.
pub(super) const DAYS: [(&str, [&str; 7]); 7] = [
    ("en", ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]),
    ("ro", ["luni", "marți", "miercuri", "joi", "vineri", "sâmbătă", "duminică"]),
    ("de", ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"]),
    ("fr", ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"]),
    ("es", ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"]),
    ("it", ["lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"]),
    ("ru", ["понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье"]),
];
