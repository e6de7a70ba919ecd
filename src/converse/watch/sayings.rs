//! What is said of watches.

use crate::model::watch_news::Words;

pub(super) const STOCK_KEPT: Words = [
    ("en", "🔔 I’ll tell you when this is in stock: {title}. I’ll look until {day}."),
    ("ro", "🔔 Îți spun când e în stoc: {title}. Urmăresc până la {day}."),
    ("it", "🔔 Ti avviso quando è disponibile: {title}. Controllo fino al {day}."),
    ("de", "🔔 Ich sage Bescheid, wenn es da ist: {title}. Ich schaue bis {day}."),
    ("fr", "🔔 Je vous préviens dès que c’est en stock : {title}. Je surveille jusqu’au {day}."),
    ("es", "🔔 Te aviso cuando esté disponible: {title}. Miro hasta el {day}."),
    ("ru", "🔔 Сообщу, когда появится в наличии: {title}. Слежу до {day}."),
];

pub(super) const PRICE_KEPT: Words = [
    ("en", "🔔 {title}: I’ll tell you when it costs {limit} or less. I’ll look until {day}."),
    ("ro", "🔔 {title}: îți spun când costă {limit} sau mai puțin. Urmăresc până la {day}."),
    ("it", "🔔 {title}: ti avviso quando costa {limit} o meno. Controllo fino al {day}."),
    (
        "de",
        "🔔 {title}: Ich sage Bescheid, wenn es {limit} oder weniger kostet. Ich schaue bis {day}.",
    ),
    (
        "fr",
        "🔔 {title} : je vous préviens dès que le prix est de {limit} ou moins. Je surveille jusqu’au {day}.",
    ),
    ("es", "🔔 {title}: te aviso cuando cueste {limit} o menos. Miro hasta el {day}."),
    ("ru", "🔔 {title}: сообщу, когда цена будет {limit} или ниже. Слежу до {day}."),
];

pub(super) const COSTS: Words = [
    ("en", "It costs {price} now."),
    ("ro", "Acum costă {price}."),
    ("it", "Ora costa {price}."),
    ("de", "Jetzt kostet es {price}."),
    ("fr", "Il coûte {price} actuellement."),
    ("es", "Ahora cuesta {price}."),
    ("ru", "Сейчас стоит {price}."),
];

pub(super) const PRICELESS: Words = [
    ("en", "I don’t know what {title} costs, so I can’t tell when it is cheaper."),
    ("ro", "Nu știu cât costă {title}, așa că nu pot spune când se ieftinește."),
    ("it", "Non so quanto costa {title}, quindi non posso dire quando costa meno."),
    ("de", "Ich weiß nicht, was {title} kostet, also auch nicht, wann es günstiger ist."),
    ("fr", "Je ne connais pas le prix de {title} : je ne peux pas dire quand il baisse."),
    ("es", "No sé cuánto cuesta {title}, así que no puedo decir cuándo baja."),
    ("ru", "Я не знаю, сколько стоит {title}, и не смогу сказать, когда подешевеет."),
];

pub(super) const NO_PRICE: Words = [
    ("en", "That is no price. Tell me the most that {title} may cost, in a number."),
    ("ro", "Acesta nu este un preț. Spune-mi cât poate costa cel mult {title}, în cifre."),
    ("it", "Questo non è un prezzo. Dimmi quanto può costare al massimo {title}, in cifre."),
    ("de", "Das ist kein Preis. Sag mir als Zahl, was {title} höchstens kosten darf."),
    ("fr", "Ce n’est pas un prix. Dites-moi, en chiffres, le prix maximum de {title}."),
    ("es", "Eso no es un precio. Dime con un número cuánto puede costar como máximo {title}."),
    ("ru", "Это не цена. Напишите числом, сколько самое большее может стоить {title}."),
];

pub(super) const OTHER_CURRENCY: Words = [
    ("en", "{title} costs {price}. Tell me the most that it may cost in that currency."),
    ("ro", "{title} costă {price}. Spune-mi limita în această monedă."),
    ("it", "{title} costa {price}. Dimmi il limite in questa valuta."),
    ("de", "{title} kostet {price}. Sag mir die Grenze in dieser Währung."),
    ("fr", "{title} coûte {price}. Dites-moi la limite dans cette monnaie."),
    ("es", "{title} cuesta {price}. Dime el límite en esa moneda."),
    ("ru", "{title} стоит {price}. Назовите предел в этой валюте."),
];

pub(super) const COSTS_ALREADY: Words = [
    ("en", "{title}: it costs {price} already."),
    ("ro", "{title}: costă deja {price}."),
    ("it", "{title}: costa già {price}."),
    ("de", "{title}: Es kostet schon {price}."),
    ("fr", "{title} : le prix est déjà de {price}."),
    ("es", "{title}: ya cuesta {price}."),
    ("ru", "{title}: уже стоит {price}."),
];

pub(super) const UNKNOWN: Words = [
    ("en", "I don’t know this product (any more). You can send me its link: /watch https://…"),
    ("ro", "Nu (mai) cunosc acest produs. Poți să-mi trimiți linkul lui: /watch https://…"),
    ("it", "Non conosco (più) questo prodotto. Puoi mandarmi il suo link: /watch https://…"),
    ("de", "Dieses Produkt kenne ich nicht (mehr). Schick mir seinen Link: /watch https://…"),
    ("fr", "Je ne connais pas (ou plus) ce produit. Envoyez-moi son lien : /watch https://…"),
    ("es", "No conozco (ya) este producto. Puedes enviarme su enlace: /watch https://…"),
    ("ru", "Я не знаю такого товара (больше). Пришлите ссылку на него: /watch https://…"),
];

pub(super) const HELP: Words = [
    (
        "en",
        "I can watch a product and tell you when it is in stock or cheaper. Send me its link, or words of its name: /watch https://… or /watch red kettle. /watches shows what you wait for.",
    ),
    (
        "ro",
        "Pot urmări un produs și îți spun când e în stoc sau se ieftinește. Trimite-mi linkul sau cuvinte din nume: /watch https://… sau /watch ceainic roșu. /watches arată ce aștepți.",
    ),
    (
        "it",
        "Posso seguire un prodotto e dirti quando è disponibile o costa meno. Mandami il link o parole del nome: /watch https://… o /watch bollitore rosso. /watches mostra cosa aspetti.",
    ),
    (
        "de",
        "Ich kann ein Produkt beobachten und sagen, wenn es da oder günstiger ist. Schick mir den Link oder Wörter des Namens: /watch https://… oder /watch roter Kessel. /watches zeigt, worauf du wartest.",
    ),
    (
        "fr",
        "Je peux surveiller un produit et vous dire quand il est en stock ou moins cher. Envoyez-moi son lien ou des mots de son nom : /watch https://… ou /watch bouilloire rouge. /watches montre ce que vous attendez.",
    ),
    (
        "es",
        "Puedo vigilar un producto y avisarte cuando esté disponible o más barato. Envíame su enlace o palabras de su nombre: /watch https://… o /watch tetera roja. /watches muestra lo que esperas.",
    ),
    (
        "ru",
        "Я могу следить за товаром и сообщить, когда он появится или подешевеет. Пришлите ссылку или слова из названия: /watch https://… или /watch красный чайник. /watches покажет, чего вы ждёте.",
    ),
];

pub(super) const NOTHING_WATCHED: Words = [
    ("en", "Products can’t be watched here."),
    ("ro", "Aici nu se pot urmări produse."),
    ("it", "Qui non si possono seguire prodotti."),
    ("de", "Hier lassen sich keine Produkte beobachten."),
    ("fr", "On ne peut pas surveiller de produits ici."),
    ("es", "Aquí no se pueden vigilar productos."),
    ("ru", "Здесь нельзя следить за товарами."),
];

pub(super) const CHOOSE: Words = [
    ("en", "Which one do you mean?"),
    ("ro", "Pe care îl vrei?"),
    ("it", "Quale intendi?"),
    ("de", "Welches meinst du?"),
    ("fr", "Lequel voulez-vous ?"),
    ("es", "¿Cuál quieres?"),
    ("ru", "Какой из них?"),
];

pub(super) const FULL: Words = [
    (
        "en",
        "You wait for {count} things already, and more is too much for me. End one first: /watches",
    ),
    ("ro", "Aștepți deja {count} lucruri, mai multe nu pot ține. Renunță întâi la unul: /watches"),
    ("it", "Aspetti già {count} cose, di più non ne tengo. Togline prima una: /watches"),
    (
        "de",
        "Du wartest schon auf {count} Dinge, mehr kann ich nicht behalten. Beende erst eines: /watches",
    ),
    (
        "fr",
        "Vous attendez déjà {count} choses, je ne peux en garder plus. Retirez-en une d’abord : /watches",
    ),
    ("es", "Ya esperas {count} cosas y no puedo con más. Quita antes una: /watches"),
    ("ru", "Вы уже ждёте {count} товаров, больше не могу. Сначала уберите один: /watches"),
];

pub(super) const DROPPED: Words = [
    ("en", "All right, I’ll stop looking at {title}."),
    ("ro", "Bine, nu mai urmăresc {title}."),
    ("it", "Va bene, non seguo più {title}."),
    ("de", "Gut, {title} beobachte ich nicht mehr."),
    ("fr", "D’accord, je ne surveille plus {title}."),
    ("es", "Vale, ya no vigilo {title}."),
    ("ru", "Хорошо, больше не слежу: {title}."),
];

pub(super) const NOT_THERE: Words = [
    ("en", "I’m not looking at this any more."),
    ("ro", "Nu mai urmăresc acest produs."),
    ("it", "Non lo seguo più."),
    ("de", "Das beobachte ich nicht mehr."),
    ("fr", "Je ne le surveille plus."),
    ("es", "Ya no lo vigilo."),
    ("ru", "За этим я больше не слежу."),
];

pub(super) const NONE: Words = [
    ("en", "You wait for nothing. /watch tells how to."),
    ("ro", "Nu aștepți nimic. /watch îți spune cum."),
    ("it", "Non aspetti nulla. /watch spiega come."),
    ("de", "Du wartest auf nichts. /watch sagt, wie es geht."),
    ("fr", "Vous n’attendez rien. /watch explique comment faire."),
    ("es", "No esperas nada. /watch explica cómo."),
    ("ru", "Вы ничего не ждёте. /watch подскажет, как."),
];

pub(super) const LISTED: Words = [
    ("en", "What you wait for:"),
    ("ro", "Ce aștepți:"),
    ("it", "Cosa aspetti:"),
    ("de", "Darauf wartest du:"),
    ("fr", "Ce que vous attendez :"),
    ("es", "Lo que esperas:"),
    ("ru", "Чего вы ждёте:"),
];

pub(super) const WHEN_IN_STOCK: Words = [
    ("en", "in stock"),
    ("ro", "în stoc"),
    ("it", "disponibile"),
    ("de", "vorrätig"),
    ("fr", "en stock"),
    ("es", "disponible"),
    ("ru", "в наличии"),
];

pub(super) const UNTIL: Words = [
    ("en", "until"),
    ("ro", "până la"),
    ("it", "fino al"),
    ("de", "bis"),
    ("fr", "jusqu’au"),
    ("es", "hasta el"),
    ("ru", "до"),
];

pub(super) const NOT_LISTED: Words = [
    ("en", "not in the shop now"),
    ("ro", "acum nu e în magazin"),
    ("it", "ora non è nel negozio"),
    ("de", "zurzeit nicht im Shop"),
    ("fr", "absent de la boutique"),
    ("es", "ahora no está en la tienda"),
    ("ru", "сейчас нет в магазине"),
];

pub(super) const THIS_PRODUCT: Words = [
    ("en", "this product"),
    ("ro", "acest produs"),
    ("it", "questo prodotto"),
    ("de", "dieses Produkt"),
    ("fr", "ce produit"),
    ("es", "este producto"),
    ("ru", "этот товар"),
];

pub(super) const NO_THANKS: Words = [
    ("en", "No, thanks"),
    ("ro", "Nu, mulțumesc"),
    ("it", "No, grazie"),
    ("de", "Nein, danke"),
    ("fr", "Non, merci"),
    ("es", "No, gracias"),
    ("ru", "Не надо"),
];

pub(super) const MORE: Words = [
    ("en", "More"),
    ("ro", "Mai multe"),
    ("it", "Altri"),
    ("de", "Mehr"),
    ("fr", "Plus"),
    ("es", "Más"),
    ("ru", "Ещё"),
];
