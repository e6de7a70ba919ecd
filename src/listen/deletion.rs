//! Meta at the public door: a person asks it that their data be deleted, or removes the app.
//!
//! | path | what |
//! | --- | --- |
//! | `POST /meta/<channel>/delete` | erases who is known by the id, answers `{url, confirmation_code}` |
//! | `POST /meta/<channel>/deauthorize` | told to the log, answers 200 |
//! | `GET /meta/status/<code>` | what came of a request, without anything of the person |
//!
//! Nothing is believed, nor even read, that is not signed under the app's secret. The id in the
//! request is the app's own for the person, and not the page's: it names somebody here only where
//! the two are the same. So the status page says, of an id under which nobody is known, how one
//! erases oneself in the chat. Source: Meta for Developers, "Data Deletion Request Callback".

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use url::{Url, form_urlencoded};

use crate::invite;
use crate::listen::callers::Caller;
use crate::listen::forgers::{Forgers, Refusal};
use crate::listen::invites::{document, languages, missing};
use crate::listen::server::Limits;
use crate::listen::webhooks::{Door, read_body};
use crate::model::base64;
use crate::model::name::Name;
use crate::model::secret::ExposeSecret;
use crate::model::time::Timestamp;
use crate::runtime::clock::Clock;
use crate::store::{Erasure, Store, StoreError};

/// Largest form that is read.
const FORM_BYTES_MAX: usize = 16 << 10;

/// A request that was signed longer ago is none: whoever has seen it could send it again.
const ISSUED_AGE_MAX: Duration = Duration::from_secs(48 * 3_600);

/// Letters of a code: 128 bits.
const CODE_LETTERS: usize = 26;

/// Of which codes are made.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// By language, what the status page says: of who was known, and of who was not. `{day}` is when.
const STATUS: [(&str, &str, &str); 7] = [
    (
        "en",
        "Everything that we kept under your account was erased on {day}.",
        "We were asked on {day} to erase your data, and keep nothing under the name that Facebook \
         gave us. Did you chat with our page in Messenger? Write “privacy” there: you see what we \
         know and can erase it at once.",
    ),
    (
        "ro",
        "Tot ce păstram despre contul tău a fost șters la {day}.",
        "La {day} ni s-a cerut să-ți ștergem datele; sub numele primit de la Facebook nu păstrăm \
         nimic. Ai vorbit cu pagina noastră pe Messenger? Scrie acolo „confidențialitate”: vezi ce \
         știm și poți șterge totul pe loc.",
    ),
    (
        "it",
        "Tutto ciò che conservavamo del tuo account è stato cancellato il {day}.",
        "Il {day} ci è stato chiesto di cancellare i tuoi dati; sotto il nome ricevuto da Facebook \
         non conserviamo nulla. Hai scritto alla nostra pagina su Messenger? Scrivi lì “privacy”: \
         vedi che cosa sappiamo e puoi cancellare tutto subito.",
    ),
    (
        "de",
        "Alles, was wir zu deinem Konto gespeichert hatten, wurde am {day} gelöscht.",
        "Am {day} wurden wir gebeten, deine Daten zu löschen; unter dem Namen, den Facebook uns \
         nannte, ist nichts gespeichert. Hast du unserer Seite im Messenger geschrieben? Schreib \
         dort „Datenschutz“: Du siehst, was wir wissen, und kannst es sofort löschen.",
    ),
    (
        "fr",
        "Tout ce que nous conservions sur votre compte a été effacé le {day}.",
        "Le {day}, on nous a demandé d’effacer vos données ; rien n’est conservé sous le nom reçu \
         de Facebook. Vous avez écrit à notre page sur Messenger ? Écrivez-y « confidentialité » : \
         vous verrez ce que nous savons et pourrez tout effacer aussitôt.",
    ),
    (
        "es",
        "Todo lo que guardábamos de tu cuenta se borró el {day}.",
        "El {day} se nos pidió borrar tus datos; bajo el nombre que nos dio Facebook no guardamos \
         nada. ¿Escribiste a nuestra página en Messenger? Escribe allí «privacidad»: verás lo que \
         sabemos y podrás borrarlo al momento.",
    ),
    (
        "ru",
        "Всё, что мы хранили о вашей учётной записи, удалено {day}.",
        "{day} нас попросили удалить ваши данные; под именем, которое сообщил Facebook, у нас \
         ничего нет. Вы писали нашей странице в Messenger? Напишите там «приватность»: вы увидите, \
         что мы знаем, и сможете сразу всё удалить.",
    ),
];

/// What the routes need beside the doors.
pub(crate) struct Options {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    pub(crate) public_url: Option<Url>,
    pub(crate) forgers: Arc<Forgers>,
}

/// The routes of all Messenger doors: what Meta calls, and what anybody may ask.
pub(crate) fn routes(options: Options, doors: &[Door]) -> (Router, Router) {
    let signers = doors.iter().filter_map(|door| match door {
        Door::Messenger { channel, app_secret, .. } if !app_secret.expose_secret().is_empty() => {
            let signer = Hmac::new_from_slice(app_secret.expose_secret().as_bytes()).ok()?;
            Some((channel.clone(), signer))
        }
        _ => None,
    });
    let Options { store, clock, limits, public_url, forgers } = options;
    let signers = signers.collect();
    let office = Arc::new(Office { signers, store, clock, limits, public_url, forgers });
    let calls = Router::new()
        .route("/meta/{channel}/delete", post(delete))
        .route("/meta/{channel}/deauthorize", post(deauthorize))
        .with_state(Arc::clone(&office));
    (calls, Router::new().route("/meta/status/{code}", get(status)).with_state(office))
}

struct Office {
    signers: HashMap<Name, Hmac<Sha256>>,
    store: Arc<dyn Store>,
    clock: Clock,
    limits: Limits,
    public_url: Option<Url>,
    forgers: Arc<Forgers>,
}

/// A request that Meta has signed.
struct Signed {
    channel: Name,
    user_id: String,
    /// What it comes to whenever it comes.
    code: String,
}

async fn delete(
    State(office): State<Arc<Office>>,
    Path(channel): Path<String>,
    request: Request,
) -> Response {
    let host = request.headers().get(HOST).and_then(|it| it.to_str().ok()).map(str::to_owned);
    let signed = match office.read(&channel, request).await {
        Ok(signed) => signed,
        Err(refused) => return *refused,
    };
    let kept = tokio::time::timeout(office.limits.store_time_max, office.erase(&signed)).await;
    match kept {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::error!(channel.id = %signed.channel, %error, "a deletion was not kept");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        // Meta, or the person, asks again; it comes to the same.
        Err(_) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
    let url = office.status_url(host.as_deref(), &signed.code);
    let answer = json!({ "url": url, "confirmation_code": signed.code }).to_string();
    ([(CONTENT_TYPE, "application/json")], answer).into_response()
}

/// Somebody has removed the app. Of a page's admin the token dies with it, which stops the page by
/// itself; of anybody else there is nothing to stop here.
async fn deauthorize(
    State(office): State<Arc<Office>>,
    Path(channel): Path<String>,
    request: Request,
) -> Response {
    match office.read(&channel, request).await {
        Ok(signed) => {
            tracing::warn!(
                channel.id = %signed.channel,
                "somebody has removed the app from their Facebook account: if it was an admin of \
                 the page, its token is of no use any more"
            );
            StatusCode::OK.into_response()
        }
        Err(refused) => *refused,
    }
}

async fn status(
    State(office): State<Arc<Office>>,
    Path(code): Path<String>,
    headers: HeaderMap,
) -> Response {
    let is_code = code.len() == CODE_LETTERS && code.bytes().all(|c| ALPHABET.contains(&c));
    if !is_code {
        return missing(&headers);
    }
    let look = office.store.load_deletion(&code);
    match tokio::time::timeout(office.limits.store_time_max, look).await {
        Ok(Ok(Some(deletion))) => {
            let language = languages(&headers).into_iter().find_map(|wanted| {
                let main = wanted.split('-').next().unwrap_or_default().to_lowercase();
                STATUS.iter().find(|(language, ..)| *language == main)
            });
            let (language, known, unknown) = language.unwrap_or(&STATUS[0]);
            let words = if deletion.was_known { known } else { unknown };
            let day = deletion.at.to_jiff().strftime("%Y-%m-%d").to_string();
            let shown = invite::notice(language, &words.replace("{day}", &day));
            let mut response = document(&shown, shown.html.clone().into(), false);
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Ok(Ok(None)) => missing(&headers),
        _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

impl Office {
    /// The request, if it is one of Meta's; else the answer to it.
    async fn read(&self, channel: &str, request: Request) -> Result<Signed, Box<Response>> {
        let Some((channel, signer)) = self.signers.get_key_value(channel) else {
            return Err(Box::new(StatusCode::NOT_FOUND.into_response()));
        };
        let caller = Caller::of(&request);
        let refuse =
            |why, status| Box::new(self.forgers.count(channel, why, status).into_response());
        let body = match read_body(request, FORM_BYTES_MAX, self.limits.body_time_max).await {
            Ok(body) => body,
            Err(status) => return Err(refuse(Refusal::Unfit, status)),
        };
        let mut fields = form_urlencoded::parse(&body);
        let signed = fields.find(|(name, _)| name == "signed_request");
        let payload = signed.as_ref().and_then(|(_, text)| genuine(signer, text));
        let Some(payload) = payload else {
            let no = self.forgers.refuse(channel, caller, StatusCode::UNAUTHORIZED);
            return Err(Box::new(no));
        };
        let Some(user_id) = user(payload, self.clock.now()) else {
            return Err(refuse(Refusal::Unreadable, StatusCode::BAD_REQUEST));
        };
        let code = code(signer, payload);
        Ok(Signed { channel: channel.clone(), user_id, code })
    }

    /// Erases who is known by the id, and remembers that it was asked for, in one commit.
    async fn erase(&self, signed: &Signed) -> Result<(), StoreError> {
        let Signed { channel, user_id, code } = signed;
        if self.store.load_deletion(code).await?.is_some() {
            return Ok(());
        }
        let erasure = Erasure {
            channel: channel.clone(),
            address: user_id.clone(),
            by: "meta",
            event: None,
            farewell: Vec::new(),
            code: Some(code.clone()),
            at: self.clock.now(),
        };
        if let Some(number) = self.store.forget_person(erasure).await? {
            tracing::info!(channel.id = %channel, person.number = number, "somebody was erased");
        }
        Ok(())
    }

    fn status_url(&self, host: Option<&str>, code: &str) -> String {
        match (&self.public_url, host) {
            (Some(base), _) => {
                format!("{}/meta/status/{code}", base.as_str().trim_end_matches('/'))
            }
            // Meta has found us there.
            (None, Some(host)) => format!("https://{host}/meta/status/{code}"),
            (None, None) => format!("/meta/status/{code}"),
        }
    }
}

/// The payload of a signed request, still encoded, if its signature is good.
fn genuine<'a>(signer: &Hmac<Sha256>, text: &'a str) -> Option<&'a str> {
    let (signature, payload) = text.split_once('.')?;
    let signature = base64::decode(signature)?;
    signer.clone().chain_update(payload).verify_slice(&signature).ok()?;
    Some(payload)
}

/// Whom a payload names.
fn user(payload: &str, now: Timestamp) -> Option<String> {
    let fields: Value = serde_json::from_slice(&base64::decode(payload)?).ok()?;
    let algorithm = fields["algorithm"].as_str()?;
    if !algorithm.eq_ignore_ascii_case("HMAC-SHA256") {
        return None;
    }
    if let Some(issued_at) = fields["issued_at"].as_i64() {
        let issued_at = Timestamp::from_millis(issued_at.saturating_mul(1_000));
        if now.since(issued_at) > ISSUED_AGE_MAX {
            return None;
        }
    }
    match &fields["user_id"] {
        Value::String(id) if !id.is_empty() => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// A code that nobody can make without the app's secret; the same for the same request.
fn code(signer: &Hmac<Sha256>, payload: &str) -> String {
    let mac = signer.clone().chain_update("tidings deletion\0").chain_update(payload);
    let bytes = mac.finalize().into_bytes();
    let bits = bytes.iter().take(16).fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    (0..CODE_LETTERS)
        .map(|at| {
            let place = (bits >> (5 * at)) & 31;
            char::from(ALPHABET[usize::try_from(place).unwrap_or(0)])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(secret: &str) -> Hmac<Sha256> {
        Hmac::new_from_slice(secret.as_bytes()).unwrap()
    }

    fn signed(secret: &str, fields: &Value) -> String {
        let payload = base64::encode(fields.to_string().as_bytes());
        let payload = payload.trim_end_matches('=').replace('+', "-").replace('/', "_");
        let signature = signer(secret).chain_update(&payload).finalize().into_bytes();
        let signature = base64::encode_url(&signature);
        format!("{}.{payload}", signature.trim_end_matches('='))
    }

    fn fields() -> Value {
        json!({ "algorithm": "HMAC-SHA256", "issued_at": 1_900_000_000, "user_id": "218471" })
    }

    #[test]
    fn sec_c08_only_what_is_signed_under_the_secret_is_read() {
        let good = signed("secret", &fields());
        let payload = genuine(&signer("secret"), &good).unwrap();
        assert_eq!(user(payload, Timestamp::from_millis(1_900_000_060_000)).unwrap(), "218471");
        assert_eq!(genuine(&signer("other"), &good), None);
        for bad in [
            "",
            ".",
            "a.b",
            payload,
            &good.replace('.', ""),
            &format!(".{payload}"),
            &format!("{good}x"),
        ] {
            assert_eq!(genuine(&signer("secret"), bad), None, "{bad}");
        }
    }

    #[test]
    fn a_payload_is_of_now_and_names_somebody() {
        let now = Timestamp::from_millis(1_900_000_060_000);
        let read = |fields: &Value| user(&base64::encode(fields.to_string().as_bytes()), now);
        assert_eq!(read(&fields()).as_deref(), Some("218471"));
        assert_eq!(
            read(&json!({ "algorithm": "hmac-sha256", "user_id": 7 })).as_deref(),
            Some("7")
        );
        let old = 1_900_000_000 - 3 * 86_400;
        for bad in [
            json!({ "algorithm": "none", "user_id": "7" }),
            json!({ "user_id": "7" }),
            json!({ "algorithm": "HMAC-SHA256" }),
            json!({ "algorithm": "HMAC-SHA256", "user_id": "" }),
            json!({ "algorithm": "HMAC-SHA256", "user_id": "7", "issued_at": old }),
        ] {
            assert_eq!(read(&bad), None, "{bad}");
        }
        assert_eq!(user("?", now), None);
    }

    #[test]
    fn a_code_is_the_same_for_the_same_request_and_tells_nothing() {
        let one = code(&signer("secret"), "payload");
        assert_eq!(one.len(), CODE_LETTERS);
        assert_eq!(one, code(&signer("secret"), "payload"));
        assert_ne!(one, code(&signer("secret"), "payloae"));
        assert_ne!(one, code(&signer("other"), "payload"));
    }
}
