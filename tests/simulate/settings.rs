//! The settings of one world, as files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;
use tidings::sandbox::{messenger, telegram};

use crate::extras::{COST, Extras};
use crate::rules::Rule;
use crate::site::Site;

pub struct Settings<'a> {
    pub folder: &'a TempDir,
    pub rates: (u64, u64),
    pub in_flight: u64,
    pub apis: [String; 2],
    pub extras: &'a Extras,
}

impl Settings<'_> {
    fn secret(&self, name: &str, value: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, value).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        format!("{{ file = \"{}\" }}", path.display())
    }

    fn bot_keys(&self) -> String {
        let Some(stars) = self.extras.stars else { return String::new() };
        let per = if stars.is_per_day { "day" } else { "post" };
        let (max, rate) = (stars.max, stars.rate);
        format!("paid_broadcast = {{ stars_max = {max}, per = \"{per}\", rate = {rate} }}")
    }

    fn page_keys(&self, messenger: &messenger::Server) -> String {
        let Some(lanes) = &self.extras.lanes else { return String::new() };
        let mut keys = format!("held_for = \"{}\"\n", lanes.held_for);
        if let Some(spend_max) = lanes.spend_max {
            let money = |hundredths: u64| format!("{}.{:02}", hundredths / 100, hundredths % 100);
            keys.push_str(&format!(
                "marketing = {{ ad_account = \"act_55\", campaign = \"{}\", cost_max = \"{}\", \
                 spend_max = \"{}\", ask = \"Our offers\" }}\n",
                messenger.warm_campaign(),
                money(COST),
                money(spend_max),
            ));
        }
        keys
    }

    fn top_keys(&self) -> String {
        let Some(cap) = &self.extras.cap else { return String::new() };
        let (max, zone, carry_at) = (cap.max, cap.zone, &cap.carry_at);
        format!("daily_max = {max}\ncarry_at = \"{carry_at}\"\ntimezone = \"{zone}\"")
    }

    pub fn write(
        &self,
        telegram: &telegram::Server,
        messenger: &messenger::Server,
        site: &Site,
        rules: &[Rule],
    ) -> PathBuf {
        let folder = self.folder.path();
        fs::create_dir(folder.join("layouts")).unwrap();
        let mut campaigns = String::new();
        for rule in rules {
            let (file, text) = rule.layout();
            fs::write(folder.join("layouts").join(file), text).unwrap();
            campaigns.push_str(&rule.toml());
        }
        let text = format!(
            r#"
data_dir = "{folder}/data"
layouts = "layouts"
{top_keys}
[listen]
public = "127.0.0.1:0"
admin = "unix:{folder}/admin.sock"
[fetch]
allow_networks = ["127.0.0.0/8"]
floor = "1s"
host_pause = "0s"
[channels.bot]
kind = "telegram"
api = "{telegram}"
token = {token}
rate = {bot_rate}
in_flight = {in_flight}
{bot_keys}
[channels.page]
kind = "messenger"
api = "{messenger}"
page_id = "{page_id}"
page_token = {page_token}
app_secret = {app_secret}
verify_token = {verify_token}
rate = {page_rate}
in_flight = {in_flight}
{page_keys}
[topics.news]
title = "News"
[messages]
welcome = "WELCOME"
goodbye = "GOODBYE"
default_reply = "DEFAULT"
[sources.a]
url = "{a}"
every = "3s"
flood = {{ items = 1000 }}
[sources.b]
url = "{b}"
every = "7s"
flood = {{ items = 1000 }}
{campaigns}
"#,
            folder = folder.display(),
            top_keys = self.top_keys(),
            telegram = self.apis[0],
            token = self.secret("token", telegram.token()),
            bot_keys = self.bot_keys(),
            messenger = self.apis[1],
            page_id = messenger.page_id(),
            page_token = self.secret("page-token", messenger.page_token()),
            app_secret = self.secret("app-secret", messenger.app_secret()),
            verify_token = self.secret("verify-token", "verify-me-please"),
            page_keys = self.page_keys(messenger),
            bot_rate = self.rates.0,
            page_rate = self.rates.1,
            in_flight = self.in_flight,
            a = site.url("/a.xml"),
            b = site.url("/b.xml"),
        );
        let path = folder.join("tidings.toml");
        fs::write(&path, text).unwrap();
        path
    }
}
