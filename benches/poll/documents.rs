//! Feeds of 5 to 300 kB as blogs have them: a few dozen items, text with a little markup.

/// How many different documents there are; feeds share them.
pub const DOCUMENTS: usize = 250;

const SMALLEST: f64 = 5_000.0;

const LARGEST: f64 = 300_000.0;

const WORDS: [&str; 24] = [
    "the", "morning", "river", "carries", "news", "of", "a", "small", "town", "where", "every",
    "baker", "knows", "what", "the", "harbour", "brings", "and", "nobody", "asks", "how", "it",
    "came", "there",
];

/// A document; its sizes are spread evenly over their magnitudes. `version` adds that many items.
pub fn document(number: usize, version: usize) -> Vec<u8> {
    let share = number as f64 / (DOCUMENTS - 1) as f64;
    let size = SMALLEST * (LARGEST / SMALLEST).powf(share);
    let items = 8 + number % 33;
    // What an item costs beside its words.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is small")]
    let words = ((size / items as f64 - 420.0) / 5.6).max(10.0) as usize;
    let mut noise = Noise(number as u64 + 1);
    let is_atom = number % 5 == 4;
    let mut text = if is_atom { atom_head(number) } else { rss_head(number) };
    for item in (0..items + version).rev() {
        let title = noise.words(6);
        let body = noise.paragraphs(words);
        let at = item * 3_607 % 86_400;
        let (hour, minute, second) = (at / 3_600, at / 60 % 60, at % 60);
        let day = item % 28 + 1;
        let link = format!("https://blog{number}.example/posts/{item}");
        text.push_str(&if is_atom {
            format!(
                "<entry><id>{link}</id><title>{title}</title><link href=\"{link}\"/>\
                 <updated>2026-10-{day:02}T{hour:02}:{minute:02}:{second:02}Z</updated>\
                 <author><name>A. Writer</name></author><content type=\"html\">{body}</content>\
                 </entry>\n"
            )
        } else {
            format!(
                "<item><guid isPermaLink=\"true\">{link}</guid><title>{title}</title>\
                 <link>{link}</link><dc:creator>A. Writer</dc:creator><category>News</category>\
                 <pubDate>{day:02} Oct 2026 {hour:02}:{minute:02}:{second:02} +0000</pubDate>\
                 <description>{body}</description></item>\n"
            )
        });
    }
    text.push_str(if is_atom { "</feed>\n" } else { "</channel></rss>\n" });
    text.into_bytes()
}

fn rss_head(number: usize) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel><title>Blog {number}</title>\
         <link>https://blog{number}.example/</link><description>Words</description>\
         <ttl>30</ttl>\n"
    )
}

fn atom_head(number: usize) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\
         <id>https://blog{number}.example/</id><title>Blog {number}</title>\
         <link href=\"https://blog{number}.example/\"/><updated>2026-10-28T00:00:00Z</updated>\n"
    )
}

struct Noise(u64);

impl Noise {
    fn next(&mut self) -> usize {
        self.0 = (self.0 * 1_664_525 + 1_013_904_223) % (1 << 32);
        usize::try_from(self.0 >> 8).unwrap_or(0)
    }

    fn words(&mut self, count: usize) -> String {
        let words: Vec<&str> = (0..count).map(|_| WORDS[self.next() % WORDS.len()]).collect();
        words.join(" ")
    }

    /// Escaped markup, as feeds carry it.
    fn paragraphs(&mut self, words: usize) -> String {
        let mut text = String::new();
        let mut left = words;
        while left > 0 {
            let count = left.min(60);
            left -= count;
            text.push_str("&lt;p&gt;");
            text.push_str(&self.words(count));
            text.push_str(" &lt;em&gt;indeed&lt;/em&gt; &amp;amp; so on.&lt;/p&gt;");
        }
        text
    }
}
