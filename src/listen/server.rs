//! Connections: accepted, limited, timed, and ended in steps.
//!
//! Knows nothing of what is asked. Limits are on connections (all, and of one address), on the
//! time for a request's head, and on its size; what is read of a body is the handlers' matter.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{Id, JoinSet};

use crate::listen::callers::{Proxies, household};
use crate::listen::rates::{Rate, Rates};
use crate::runtime::shutdown::Stop;

/// Largest head of a request.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Pause after the system refused to accept, usually for want of file descriptors.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// What one server takes on. The defaults suit; tests make them small.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open at a time; more wait to be accepted.
    pub connections_max: usize,
    /// Open at a time from one IPv4 address or IPv6 /64, but not from this machine, where a
    /// reverse proxy stands for everybody; more are closed.
    pub connections_per_address_max: usize,
    /// For the head of a request, and between two requests.
    pub head_time_max: Duration,
    pub body_time_max: Duration,
    pub body_bytes_max: usize,
    /// For the store to keep what came. Messenger wants its answer within 5 seconds.
    pub store_time_max: Duration,
    /// For the requests under way after *begin*; longer than the store may take.
    pub drain_time_max: Duration,
    /// Whose word on where a request comes from counts.
    pub proxies: Proxies,
    /// Requests for pages; more are answered with 429.
    pub pages: Rates,
    /// Requests without a good secret or signature that are told so. More are told to wait; who can
    /// prove themselves never does.
    pub forged: Rates,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1024,
            connections_per_address_max: 128,
            head_time_max: Duration::from_secs(10),
            body_time_max: Duration::from_secs(15),
            body_bytes_max: 1 << 20,
            store_time_max: Duration::from_secs(4),
            drain_time_max: Duration::from_secs(5),
            proxies: Proxies::default(),
            pages: Rates {
                each: Rate { per_second: 20, burst: 200 },
                all: Rate { per_second: 5_000, burst: 10_000 },
            },
            forged: Rates {
                each: Rate { per_second: 5, burst: 50 },
                all: Rate { per_second: 500, burst: 1_000 },
            },
        }
    }
}

/// Serves until *begin*; then accepts no more and waits for the connections, until *force* or the
/// limit.
pub(crate) async fn serve(listener: TcpListener, router: Router, limits: &Limits, stop: &Stop) {
    let mut guests = Guests::default();
    loop {
        tokio::select! {
            biased;
            () = stop.begin.cancelled() => break,
            Some(ended) = guests.connections.join_next_with_id() => guests.forget(ended),
            accepted = listener.accept(), if guests.connections.len() < limits.connections_max => {
                match accepted {
                    Ok((stream, address)) if guests.has_room_for(address.ip(), limits) => {
                        let (router, limits) = (router.clone(), limits.clone());
                        guests.admit(address.ip(), attend(stream, address.ip(), router, limits, stop.clone()));
                    }
                    Ok(_) => {}
                    Err(error) if is_of_one_connection(&error) => {}
                    Err(error) => {
                        tracing::warn!(%error, "no connection could be accepted");
                        tokio::time::sleep(REFUSED_PAUSE).await;
                    }
                }
            }
        }
    }
    drop(listener);
    let drained = async { while guests.connections.join_next().await.is_some() {} };
    tokio::select! {
        () = drained => {}
        () = stop.force.cancelled() => {}
        () = tokio::time::sleep(limits.drain_time_max) => {}
    }
    // What is left ends with the set.
}

/// One connection from its first byte to its last.
async fn attend(stream: TcpStream, peer: IpAddr, router: Router, limits: Limits, stop: Stop) {
    stream.set_nodelay(true).ok();
    let router = TowerToHyperService::new(router);
    let service = Introduced { router, peer, proxies: limits.proxies };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time_max)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // How a connection ends is its peer's matter.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stop.begin.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// The routes, told with each request who sent it.
struct Introduced {
    router: TowerToHyperService<Router>,
    peer: IpAddr,
    proxies: Proxies,
}

impl Service<Request<Incoming>> for Introduced {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let caller = self.proxies.caller(self.peer, request.headers());
        request.extensions_mut().insert(caller);
        self.router.call(request)
    }
}

/// Who is connected.
#[derive(Default)]
struct Guests {
    connections: JoinSet<()>,
    addresses: HashMap<Id, IpAddr>,
    counts: HashMap<IpAddr, usize>,
}

impl Guests {
    fn has_room_for(&self, address: IpAddr, limits: &Limits) -> bool {
        let household = household(address);
        household.is_loopback()
            || limits.proxies.has(address)
            || self.counts.get(&household).is_none_or(|n| *n < limits.connections_per_address_max)
    }

    fn admit(&mut self, address: IpAddr, connection: impl Future<Output = ()> + Send + 'static) {
        let household = household(address);
        let id = self.connections.spawn(connection).id();
        self.addresses.insert(id, household);
        *self.counts.entry(household).or_default() += 1;
    }

    fn forget(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
        let Some(household) = self.addresses.remove(&id) else { return };
        if let Some(count) = self.counts.get_mut(&household) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&household);
            }
        }
    }
}

/// The error says that one connection came to nothing, not that the listener did.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sec_w10_one_address_has_its_share_of_connections_and_gets_it_back() {
        let limits = Limits { connections_per_address_max: 2, ..Limits::default() };
        let address: IpAddr = "192.0.2.7".parse().unwrap();
        let other: IpAddr = "192.0.2.8".parse().unwrap();
        let mut guests = Guests::default();
        for _ in 0..2 {
            assert!(guests.has_room_for(address, &limits));
            guests.admit(address, async {});
        }
        assert!(!guests.has_room_for(address, &limits));
        assert!(guests.has_room_for(other, &limits));
        let ended = guests.connections.join_next_with_id().await.unwrap();
        guests.forget(ended);
        assert!(guests.has_room_for(address, &limits));
        let ended = guests.connections.join_next_with_id().await.unwrap();
        guests.forget(ended);
        assert!(guests.counts.is_empty() && guests.addresses.is_empty());

        let proxy: IpAddr = "127.0.0.1".parse().unwrap();
        for _ in 0..5 {
            assert!(guests.has_room_for(proxy, &limits));
            guests.admit(proxy, async {});
        }
    }
}
