//! Everything around one daemon: both services with a person each, the blog, the page with the
//! phones, and the settings that point a daemon at them.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::sandbox::phones::{self, Phones};
use crate::sandbox::site::{self, Site};
use crate::sandbox::{messenger, telegram};

/// The person on Telegram.
const TELEGRAM_PERSON: i64 = 4_242_424_242;
/// What the person on Telegram is called.
const TELEGRAM_NAME: &str = "Ana";
/// What the person on Messenger is called.
const MESSENGER_NAME: &str = "Mihai";
/// The person on Messenger.
const MESSENGER_PERSON: &str = "7000000000000001";
/// What the page's webhook proves itself by.
const VERIFY_TOKEN: &str = "sandbox-verify-token";

/// Posts that the blog begins with; the daemon takes them as known.
const FIRST_POSTS: usize = 3;

const ARTICLE: &str = include_str!("assets/article.html");

/// What can be chosen about a world.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Where the page with the phones listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The blog gains a post this often; `None`: only when told to.
    pub interval: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { listen, interval: Some(Duration::from_secs(6)) }
    }
}

/// The running world; it ends, and its folder goes, when this is dropped.
#[derive(Debug)]
pub struct World {
    pub telegram: telegram::Server,
    pub messenger: messenger::Server,
    pub telegram_person: telegram::Person,
    pub messenger_person: messenger::Person,
    pub site: Site,
    phones: Phones,
    public: SocketAddr,
    editor: SocketAddr,
    folder: Folder,
}

impl World {
    /// Starts everything outside the daemon and writes the daemon's settings, secrets and layout
    /// into a new temporary folder.
    ///
    /// # Errors
    /// When an address can't be bound or the folder not be written.
    pub async fn start(options: Options) -> io::Result<Self> {
        // The daemon binds it in a moment; until then nobody is likely to take it.
        let public = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let editor = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let public = public.local_addr()?;
        let telegram_rules =
            telegram::Rules { fetches_pictures: true, kept_max: 10_000, ..Default::default() };
        let telegram = telegram::Server::start(telegram_rules.with_documented_limits()).await?;
        let messenger_rules = messenger::Rules {
            webhook: Some(format!("http://{public}/messenger/page")),
            fetches_media: true,
            echoes: true,
            receipts: true,
            kept_max: 10_000,
            ..Default::default()
        };
        let messenger = messenger::Server::start(messenger_rules.with_documented_limits()).await?;
        let site_options =
            site::Options { interval: options.interval, posts: FIRST_POSTS, ..Default::default() };
        let site = Site::start(site_options).await?;
        let telegram_person = telegram.person(TELEGRAM_PERSON, "en");
        let messenger_person = messenger.person(MESSENGER_PERSON);
        telegram_person.is_called(TELEGRAM_NAME);
        messenger_person.is_called(MESSENGER_NAME);
        let shown = phones::World {
            telegram: telegram.clone(),
            telegram_person: telegram_person.clone(),
            messenger: messenger.clone(),
            messenger_person: messenger_person.clone(),
            site: site.clone(),
        };
        let phones = Phones::start(options.listen, shown).await?;
        let folder = Folder::create()?;
        let world = Self {
            telegram,
            messenger,
            telegram_person,
            messenger_person,
            site,
            phones,
            public,
            editor,
            folder,
        };
        world.write()?;
        Ok(world)
    }

    /// The page with the phones: what to open in a browser.
    pub fn url(&self) -> String {
        self.phones.url()
    }

    /// The page that people subscribe on, once the daemon runs.
    pub fn page_url(&self) -> String {
        format!("http://{}/s/gazette", self.public)
    }

    /// The page on which forms are made, once the daemon runs.
    pub fn editor_url(&self) -> String {
        format!("http://{}", self.editor)
    }

    /// The folder of settings, secrets, layout and store.
    pub fn folder(&self) -> &Path {
        &self.folder.0
    }

    /// The settings file.
    pub fn settings_path(&self) -> PathBuf {
        self.folder().join("tidings.toml")
    }

    /// The settings: a daemon that runs with them talks to this world alone.
    pub fn settings(&self) -> String {
        let folder = self.folder().display();
        format!(
            r#"# The sandbox's settings: as real as any, but for their addresses.
layouts = "layouts"
data_dir = "{folder}/data"

[listen]
public = "{public}"
admin = "unix:{folder}/admin.sock"
editor = "{editor}"

[fetch]
allow_networks = ["127.0.0.0/8"]
floor = "1s"
host_pause = "0s"

[channels.newsbot]
kind = "telegram"
api = "{telegram}"
token = {{ file = "{folder}/token" }}

[channels.page]
kind = "messenger"
api = "{messenger}"
page_id = "{page_id}"
page_token = {{ file = "{folder}/page-token" }}
app_secret = {{ file = "{folder}/app-secret" }}
verify_token = {{ file = "{folder}/verify-token" }}

[sources.gazette]
url = "{feed}"
every = "2s"

[sources.shop]
kind = "catalog"
url = "{shop}"
every = "2s"

[topics.shop]
title = {{ en = "The harbour shop", ro = "Magazinul portului" }}

[campaigns.shop]
sources = ["shop"]
on = ["out-of-stock", "price-drop"]
topics = ["shop"]
channels = ["newsbot", "page"]
watch = true

[topics.gazette]
title = {{ en = "The Harbour Gazette", ro = "Gazeta portului" }}

[pages.gazette]
topics = ["gazette"]
title = {{ en = "News from the harbour", ro = "Știri din port" }}
text = {{ en = "Every new post of The Harbour Gazette, in your messenger.", ro = "Tot ce e nou în Gazeta portului, direct în chat." }}

[forms.gazette]
topics = ["gazette"]
title = {{ en = "News from the harbour", ro = "Știri din port" }}

[campaigns.gazette]
sources = ["gazette"]
layout = "article"
topics = ["gazette"]
channels = ["newsbot", "page"]

[messages.greeting]
en = "Every new post of The Harbour Gazette, in your chat. Start to get them; write stop to leave."
ro = "Tot ce e nou în Gazeta portului, direct în chat. Începe ca să primești; scrie stop ca să pleci."

[messages.welcome]
en = "Welcome aboard! ⚓ Every new post of The Harbour Gazette comes here. Write stop to leave."
ro = "Bun venit la bord! ⚓ Primești aici tot ce e nou în Gazeta portului. Scrie stop ca să pleci."

[messages.goodbye]
en = "Goodbye, and fair winds. Write start to come back."
ro = "La revedere și vânt bun. Scrie start ca să revii."

[messages.default_reply]
en = "I only carry the news. Write start to get it, stop to leave it."
ro = "Eu aduc doar noutățile. Scrie start ca să le primești, stop ca să renunți."
"#,
            public = self.public,
            editor = self.editor,
            telegram = self.telegram.url(),
            messenger = self.messenger.url(),
            page_id = self.messenger.page_id(),
            feed = self.site.feed_url(),
            shop = self.site.shop_url(),
        )
    }

    fn write(&self) -> io::Result<()> {
        let folder = self.folder();
        fs::write(self.settings_path(), self.settings())?;
        fs::create_dir(folder.join("layouts"))?;
        fs::write(folder.join("layouts/article.html"), ARTICLE)?;
        fs::create_dir(folder.join("data"))?;
        for (name, secret) in [
            ("token", self.telegram.token()),
            ("page-token", self.messenger.page_token()),
            ("app-secret", self.messenger.app_secret()),
            ("verify-token", VERIFY_TOKEN),
        ] {
            let mut options = fs::OpenOptions::new();
            let mut file =
                options.write(true).create_new(true).mode(0o600).open(folder.join(name))?;
            io::Write::write_all(&mut file, secret.as_bytes())?;
        }
        Ok(())
    }
}

/// A temporary folder that only we can look into; it goes with all that is in it.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn create() -> io::Result<Self> {
        let name = format!("tidings-sandbox-{:08x}", rand::random::<u32>());
        let path = std::env::temp_dir().join(name);
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed is the machine's to clean up: it lies in its temporary folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn a_world_leaves_nothing_behind_and_keeps_its_secrets_to_itself() {
        let world = World::start(Options::default()).await.unwrap();
        let folder = world.folder().to_owned();
        let mode = |name: &str| fs::metadata(folder.join(name)).unwrap().permissions().mode();
        assert_eq!(mode("") & 0o777, 0o700);
        assert_eq!(mode("token") & 0o777, 0o600);
        let settings = fs::read_to_string(world.settings_path()).unwrap();
        for secret in [world.telegram.token(), world.messenger.page_token(), VERIFY_TOKEN] {
            assert!(!settings.contains(secret));
        }
        drop(world);
        assert!(!folder.exists());
    }
}
