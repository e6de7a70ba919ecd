//! The public door: what the services bring us, and where we look for it ourselves.
//!
//! Promises that an event is durable before its service is told that we have it, and that a
//! forged request costs little and changes nothing. Knows nothing of what an event means to a
//! subscriber: it is kept, and `converse` is woken.
//!
//! Five workers: [`run`] answers webhooks and shows the pages and forms that people subscribe by,
//! [`polling::run`] reads a bot's updates without a webhook, [`announce::run`] tells the services
//! where we are, [`profile::run`] what they show of us, and [`naming::run`] asks what a bot is
//! called.

pub mod webhooks;

pub mod server;

pub mod callers;

pub mod rates;

mod forgers;

mod answers;

pub mod leads;

pub mod invites;

pub mod forms;

mod archives;

mod deletion;

mod hub;

mod sha1;

pub mod polling;

pub mod announce;

mod health;

pub mod naming;

pub mod profile;

mod backoff;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::invite::Archive;
use crate::model::event::Event;
use crate::model::time::Timestamp;
use crate::runtime::clock::Clock;
use crate::runtime::meters::Meters;
use crate::runtime::pushes::Pushes;
use crate::runtime::shutdown::Stop;
use crate::runtime::wakes::Wakes;
use crate::store::Store;

use forgers::Forgers;
use forms::Embed;
use invites::Invite;
use rates::{Gate, PageGate, hold_back};
use webhooks::{Desk, Door};

/// How far in the future an event may say that it was; later is taken as this. Events are ordered
/// by their times, and one from far ahead would keep all that follow from counting.
const CLOCK_SKEW_MAX: Duration = Duration::from_secs(300);

/// What the public door needs.
pub struct Options {
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    pub wakes: Wakes,
    /// Bound by the caller, who may keep a clone over a reload.
    pub listener: TcpListener,
    pub doors: Vec<Door>,
    /// At which the world reaches the public door, if that is known.
    pub public_url: Option<Url>,
    /// Hubs may knock too.
    pub pushes: Option<Pushes>,
    /// The pages that people subscribe on.
    pub invites: Vec<Invite>,
    /// The topics of which everybody may read what was sent.
    pub archives: Vec<Archive>,
    /// The forms that stand on other sites.
    pub embeds: Vec<Embed>,
    pub meters: Meters,
    pub limits: server::Limits,
}

/// Answers requests until *begin*, then lets those under way end until *force*.
///
/// Ends by itself when the store has failed or the listener can't be used; either is logged.
pub async fn run(options: Options, stop: Stop) {
    // A failed store shuts the door from within; the answers under way still go out.
    let stop = Stop { begin: stop.begin.child_token(), force: stop.force };
    let limits = options.limits.clone();
    let listener = options
        .listener
        .set_nonblocking(true)
        .and_then(|()| tokio::net::TcpListener::from_std(options.listener));
    let listener = match listener {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "the public listener could not be used");
            return;
        }
    };
    let hubs =
        options.pushes.map(|pushes| hub::routes(pushes, options.clock.clone(), limits.clone()));
    let patience = limits.store_time_max;
    let (store, clock) = (Arc::clone(&options.store), options.clock.clone());
    let pages = invites::routes(store, clock, patience, options.invites);
    let forms = forms::routes(Arc::clone(&options.store), patience, options.embeds);
    let archives = archives::routes(Arc::clone(&options.store), patience, options.archives);
    let forgers = Arc::new(Forgers::new(Gate::new(limits.forged), options.meters.clone()));
    let (deletions, deleted) = deletion::routes(
        deletion::Options {
            store: Arc::clone(&options.store),
            clock: options.clock.clone(),
            limits: limits.clone(),
            public_url: options.public_url,
            forgers: Arc::clone(&forgers),
        },
        &options.doors,
    );
    // Whatever anybody may ask for stands behind this gate; who proves who they are does not.
    let gate = Arc::new(Gate::new(limits.pages));
    let gate = PageGate { gate, meters: options.meters.clone() };
    let pages = pages.merge(forms).merge(archives).merge(deleted);
    let pages = pages.layer(axum::middleware::from_fn_with_state(gate, hold_back));
    let desk = Desk {
        store: options.store,
        clock: options.clock,
        wakes: options.wakes,
        meters: options.meters,
        limits: limits.clone(),
        forgers,
        shut: stop.begin.clone(),
    };
    let mut routes = webhooks::routes(desk, options.doors).merge(pages).merge(deletions);
    if let Some(hubs) = hubs {
        routes = routes.merge(hubs);
    }
    server::serve(listener, routes, &limits, &stop).await;
}

/// No event lies further ahead than clocks differ.
fn believe_times(events: &mut [Event], now: Timestamp) {
    for event in events {
        event.at = event.at.min(now + CLOCK_SKEW_MAX);
    }
}
