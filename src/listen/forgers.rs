//! What is refused at the doors: anybody can send it, so it is counted and not logged, and who sends
//! it too often is told to wait.

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};

use crate::listen::callers::Caller;
use crate::listen::rates::{Gate, seconds};
use crate::model::name::Name;
use crate::runtime::meters::Meters;

/// Why a request at a door brought nothing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refusal {
    /// Without a good secret or signature.
    Forged,
    /// Too large or too slow, or it broke off.
    Unfit,
    /// Genuine, but not of the form that it must have.
    Unreadable,
    /// Genuine, and sent away because the store did not keep it in time.
    Unkept,
}

impl Refusal {
    fn word(self) -> &'static str {
        match self {
            Self::Forged => "forged",
            Self::Unfit => "unfit",
            Self::Unreadable => "unreadable",
            Self::Unkept => "unkept",
        }
    }
}

/// Who is refused, and how often; all doors share one.
pub(crate) struct Forgers {
    gate: Gate,
    meters: Meters,
}

impl Forgers {
    pub(super) fn new(gate: Gate, meters: Meters) -> Self {
        Self { gate, meters }
    }

    /// Counts what brought nothing; gives the status back.
    pub(super) fn count(&self, channel: &Name, why: Refusal, status: StatusCode) -> StatusCode {
        self.meters.count_refusal(channel, why.word());
        status
    }

    /// Says no to what is forged, and to who was told often enough, to wait.
    pub(super) fn refuse(&self, channel: &Name, caller: Caller, status: StatusCode) -> Response {
        let status = self.count(channel, Refusal::Forged, status);
        match self.gate.pass(caller) {
            Ok(()) => status.into_response(),
            Err(wait) => {
                // The connection stays: a new one would cost us more than another such answer.
                (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds(wait))]).into_response()
            }
        }
    }
}
