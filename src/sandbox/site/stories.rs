//! What the blog writes about: invented, short, and with all the markup that a reader should see.

use crate::model::time::Timestamp;
use crate::sandbox::site::Post;

/// A story to be told many times. `{n}` is the post's number, `{base}` the blog's address.
struct Story {
    title: &'static str,
    html: &'static str,
    language: &'static str,
    tags: &'static [&'static str],
    has_picture: bool,
}

/// The post of that number.
pub(super) fn tell(number: u64, at: Timestamp, base: &str) -> Post {
    let rounds = usize::try_from(number.saturating_sub(1)).unwrap_or(0);
    let story = &STORIES[rounds % STORIES.len()];
    let fill = |text: &str| text.replace("{n}", &number.to_string()).replace("{base}", base);
    Post {
        number,
        title: fill(story.title),
        html: fill(story.html),
        language: story.language,
        tags: story.tags,
        at,
        has_picture: story.has_picture,
    }
}

const STORIES: [Story; 14] = [
    Story {
        title: "Ferry {n} arrives early, blames the tailwind",
        html: "<p>The morning ferry tied up <b>eleven minutes</b> before its time. “We did \
               nothing,” said the captain, “the sea was simply in a hurry.” ⛴️</p>\
               <p>Passengers used the gift for <i>one more coffee</i>. The timetable stands \
               <a href=\"{base}/\">where it always stands</a>.</p>",
        language: "en",
        tags: &["harbour", "ferries"],
        has_picture: true,
    },
    Story {
        title: "Recipe {n}: soup for a grey Tuesday",
        html: "<p>You need <b>one pot</b> and patience:</p>\
               <ul><li>three potatoes, not shy</li><li>a leek that has seen things</li>\
               <li>cream, <i>to taste</i> 🥣</li></ul>\
               <p>Boil what is hard, whisper to what is soft, serve before the rain stops.</p>",
        language: "en",
        tags: &["kitchen"],
        has_picture: false,
    },
    Story {
        title: "Pisica portului și-a mutat biroul ({n})",
        html: "<p>După <b>șase ani</b> pe pervazul căpităniei, pisica Ancora lucrează acum de pe \
               un colac de frânghie. 🐈 „Lumina e mai bună”, spun colegii.</p>\
               <p>Programul a rămas același: <i>doarme până la prânz, apoi inspectează \
               peștele</i>. Vizitele se fac <a href=\"{base}/\">fără programare</a>.</p>",
        language: "ro",
        tags: &["port", "pisici"],
        has_picture: true,
    },
    Story {
        title: "Library amnesty {n}: a book comes home after 41 years",
        html: "<p>It was left on the returns shelf with a note: <q>Sorry. It was very long.</q></p>\
               <blockquote>We waive the fine. We only ask how it ended.</blockquote>\
               <p>The amnesty lasts until <b>Friday</b>. 📚</p>",
        language: "en",
        tags: &["library"],
        has_picture: false,
    },
    Story {
        title: "Night market {n} opens with lanterns and one very loud accordion",
        html: "<p>Forty stalls, <b>two hundred lanterns</b>, and an accordion that can be heard \
               from the lighthouse. 🏮</p><p>Three things not to miss:</p>\
               <ol><li>the plum dumplings,</li><li>the man who repairs clocks while you \
               wait,</li><li>the moment when the accordion stops.</li></ol>",
        language: "en",
        tags: &["market", "music"],
        has_picture: true,
    },
    Story {
        title: "Weather {n}: sunny, with a chance of gulls",
        html: "<p><b>Today:</b> 18 °C, light wind from the bakery.<br><b>Tonight:</b> stars, \
               mostly.<br><b>Tomorrow:</b> see <i>today</i>, but wetter.</p>\
               <p>Hold on to your sandwich. 🥪</p>",
        language: "en",
        tags: &["weather"],
        has_picture: false,
    },
    Story {
        title: "Tramvaiul {n} are din nou clopoțel",
        html: "<p>Atelierul a găsit <b>clopoțelul original</b> într-un sertar, sub bonuri din \
               1974. 🚋 De luni sună iar, la fiecare stație.</p>\
               <ul><li>dimineața: încet, să nu trezească pe nimeni</li><li>la prânz: cu \
               încredere</li><li>seara: <i>numai dacă plouă</i></li></ul>",
        language: "ro",
        tags: &["oraș", "tramvaie"],
        has_picture: true,
    },
    Story {
        title: "The lighthouse answers letter {n}",
        html: "<p>“Dear lighthouse, are you ever lonely?” asks a reader, aged seven.</p>\
               <p><i>Dear reader,</i> I turn around <b>8,640 times a day</b> and somebody always \
               waves. It is hard to be lonely that way. 💡</p>\
               <p>Write back: <a href=\"{base}/\">the box is at the door</a>.</p>",
        language: "en",
        tags: &["letters"],
        has_picture: true,
    },
    Story {
        title: "Chess in the park, round {n}: a draw, and rain",
        html: "<p>After <code>1. e4 e5 2. Nf3 Nc6</code> it began to drizzle; after the ninth \
               move it poured. Both players offered a draw and an umbrella. ♟️</p>\
               <p>Standings: <b>everybody is wet</b>.</p>",
        language: "en",
        tags: &["chess", "park"],
        has_picture: false,
    },
    Story {
        title: "A bench & its view: number {n} in our series",
        html: "<p>Third bench after the pier, the one with the carved <b>M + ?</b>. From here you \
               see <i>both</i> islands if you lean, and <u>none</u> if you talk.</p>\
               <p>Best at six in the evening; bring something warm. 🌅</p>",
        language: "en",
        tags: &["benches"],
        has_picture: true,
    },
    Story {
        title: "Brutăria anunță: tava {n} iese la șapte fix",
        html: "<p>Covrigi cu <b>susan</b>, cu <b>mac</b> și, pentru cei curajoși, \
               <s>simpli</s> cu de toate. 🥨</p><p>Cine ajunge după opt primește o poveste în \
               loc de covrig. <i>Poveștile nu se termină.</i></p>",
        language: "ro",
        tags: &["brutărie"],
        has_picture: false,
    },
    Story {
        title: "Lost and found, list {n}",
        html: "<p>Waiting at the counter:</p><ul><li>one glove, left, <b>feels like \
               Monday</b></li><li>a key labelled “not this one” 🗝️</li><li>an umbrella that opens \
               only indoors</li></ul><p>Claim by <i>describing the feeling of losing it</i>.</p>",
        language: "en",
        tags: &["town"],
        has_picture: false,
    },
    Story {
        title: "Orchestra rehearsal {n} moved to the fish hall “for the acoustics”",
        html: "<p>The conductor is delighted: <b>four seconds of echo</b> and a faint smell of \
               mackerel. 🎻</p><blockquote>The cellos have never sounded so \
               <i>deep</i>.</blockquote><p>Sunday, eleven o'clock, free, bring a chair.</p>",
        language: "en",
        tags: &["music"],
        has_picture: true,
    },
    Story {
        title: "How we count the boats, part {n}",
        html: "<p>We are often asked. It is simple:</p><pre>boats = masts - lamp_posts\n\
               if foggy: boats = yesterday</pre><p>The <b>margin of error</b> is one heron. 🪶 \
               Questions go <a href=\"{base}/\">to the harbour office</a>.</p>",
        language: "en",
        tags: &["harbour", "science"],
        has_picture: false,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_posts_have_the_same_title() {
        let at = Timestamp::from_millis(0);
        let mut titles: Vec<String> =
            (1..=60).map(|number| tell(number, at, "http://a.example").title).collect();
        titles.sort();
        titles.dedup();
        assert_eq!(titles.len(), 60);
    }
}
