//! One fetch: what is sent, what is refused, and what every answer becomes.

use std::io::Write;
use std::time::{Duration, Instant};

use tidings::poll::egress::{Guard, Refusal};
use tidings::poll::fault::{Fault, FetchError};
use tidings::poll::fetch::{Fetched, Fetcher, HEADERS_MAX, Limits, REDIRECTS_MAX, Request};
use tidings::runtime::clock::Clock;

use crate::site::{Answer, Site, feed, redirect, status};

fn guard(networks: &[&str]) -> Guard {
    let allow_networks = networks.iter().map(|text| text.parse().unwrap()).collect();
    Guard { allow_networks, ..Guard::default() }
}

fn fetcher_with(guard: Guard, limits: Limits) -> Fetcher {
    Fetcher::new(guard, limits, "tidings-test", Clock::system()).unwrap()
}

fn fetcher() -> Fetcher {
    fetcher_with(guard(&["127.0.0.0/8"]), Limits::default())
}

async fn fetch_with(fetcher: &Fetcher, url: &str) -> Result<Fetched, FetchError> {
    fetcher.fetch(Request::new(url::Url::parse(url).unwrap())).await
}

async fn fetch(url: &str) -> Result<Fetched, FetchError> {
    fetch_with(&fetcher(), url).await
}

async fn fault(url: &str) -> Fault {
    fetch(url).await.unwrap_err().fault
}

fn bytes(fetched: Fetched) -> Vec<u8> {
    fetched.document.unwrap().unpack().unwrap().bytes
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(plain).unwrap();
    packer.finish().unwrap()
}

#[tokio::test]
async fn a_document_comes_with_its_facts() {
    let site = Site::open("127.0.0.1").await;
    let headers = [
        ("ETag", "W/\"a-1\""),
        ("Last-Modified", "Mon, 23 Nov 2026 09:00:00 GMT"),
        ("Content-Type", "application/rss+xml; charset=utf-8"),
        ("Cache-Control", "max-age=600"),
    ];
    site.say("/feed", status(200, &headers, &feed(&["One"])));
    let fetched = fetch(&site.url("/feed#top")).await.unwrap();
    assert_eq!(fetched.etag.as_deref(), Some("W/\"a-1\""));
    assert_eq!(fetched.last_modified.as_deref(), Some("Mon, 23 Nov 2026 09:00:00 GMT"));
    assert_eq!(fetched.fresh_for, Some(Duration::from_secs(600)));
    assert_eq!(fetched.permanent_to, None);
    let document = fetched.document.as_ref().unwrap();
    assert_eq!(document.content_type.as_deref(), Some("application/rss+xml; charset=utf-8"));
    assert_eq!(bytes(fetched), feed(&["One"]));
}

#[tokio::test]
async fn validators_go_back_as_they_came_and_a_304_is_no_document() {
    let site = Site::open("127.0.0.1").await;
    site.say("/feed", status(304, &[], b""));
    let (etag, date) = ("W/\"a b\"", "yesterday, or so");
    let request = Request::new(url::Url::parse(&site.url("/feed")).unwrap())
        .unless(Some(etag.to_owned()), Some(date.to_owned()));
    let fetched = fetcher().fetch(request).await.unwrap();
    assert!(fetched.document.is_none());
    let heard = &site.heard("/feed")[0];
    assert_eq!(heard.header("If-None-Match"), Some(etag));
    assert_eq!(heard.header("If-Modified-Since"), Some(date));
}

#[tokio::test]
async fn a_304_that_was_not_asked_for_is_a_fault() {
    let site = Site::open("127.0.0.1").await;
    site.say("/feed", status(304, &[], b""));
    assert_eq!(fault(&site.url("/feed")).await, Fault::Status(304));
}

#[tokio::test]
async fn every_status_has_its_meaning() {
    let site = Site::open("127.0.0.1").await;
    let later = |status, seconds: Option<u64>| Fault::Later {
        status,
        after: seconds.map(Duration::from_secs),
    };
    for (code, headers, wanted) in [
        (204, vec![], Fault::Status(204)),
        (206, vec![], Fault::Status(206)),
        (300, vec![], Fault::Status(300)),
        (301, vec![], Fault::Misled(301)),
        (400, vec![], Fault::Status(400)),
        (401, vec![], Fault::Forbidden(401)),
        (403, vec![], Fault::Forbidden(403)),
        (404, vec![], Fault::NotFound),
        (410, vec![], Fault::Gone),
        (429, vec![], later(429, None)),
        (429, vec![("Retry-After", "120")], later(429, Some(120))),
        (429, vec![("Retry-After", "-1")], later(429, None)),
        (451, vec![], Fault::Forbidden(451)),
        (500, vec![("Retry-After", "120")], Fault::Status(500)),
        (503, vec![("Retry-After", "7")], later(503, Some(7))),
    ] {
        site.say("/feed", status(code, &headers, b""));
        assert_eq!(fault(&site.url("/feed")).await, wanted, "{code}");
    }
}

#[tokio::test]
async fn an_error_names_the_address_without_its_query() {
    let site = Site::open("127.0.0.1").await;
    let line = fetch(&site.url("/gone?key=hush")).await.unwrap_err().to_string();
    assert_eq!(line, format!("{}: the site has nothing there (404)", site.url("/gone")));
}

#[tokio::test]
async fn redirects_are_followed_and_permanent_ones_told() {
    let site = Site::open("127.0.0.1").await;
    site.say("/end", status(200, &[], b"end"));
    for (code, is_permanent) in [(301, true), (302, false), (303, false), (307, false), (308, true)]
    {
        site.say("/start", redirect(code, "end"));
        let fetched = fetch(&site.url("/start")).await.unwrap();
        assert_eq!(fetched.url.as_str(), site.url("/end"));
        let told = fetched.permanent_to.clone().map(String::from);
        assert_eq!(told, is_permanent.then(|| site.url("/end")), "{code}");
        assert_eq!(bytes(fetched), b"end");
    }
}

#[tokio::test]
async fn sec_f11_five_redirects_are_followed_and_no_sixth() {
    let site = Site::open("127.0.0.1").await;
    for at in 1..=REDIRECTS_MAX + 1 {
        site.say(&format!("/{at}"), redirect(302, &format!("/{}", at - 1)));
    }
    site.say("/0", status(200, &[], b"end"));
    let last = format!("/{REDIRECTS_MAX}");
    assert!(fetch(&site.url(&last)).await.is_ok());
    let beyond = format!("/{}", REDIRECTS_MAX + 1);
    assert_eq!(fault(&site.url(&beyond)).await, Fault::Redirects(REDIRECTS_MAX));
}

#[tokio::test]
async fn sec_f11_every_hop_is_judged() {
    let site = Site::open("127.0.0.1").await;
    let inner = Site::open("127.0.0.2").await;
    inner.say("/", status(200, &[], b"secret"));
    let fetcher = fetcher_with(guard(&["127.0.0.1/32"]), Limits::default());
    for target in [
        inner.url("/"),
        "http://10.0.0.1/".to_owned(),
        "http://169.254.169.254/latest/".to_owned(),
        "http://[::1]/".to_owned(),
        "http://2130706434/".to_owned(),
        "//127.0.0.2/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "http://user:word@127.0.0.1/".to_owned(),
        "http://9.9.9.9:22/".to_owned(),
        "http:\\\\127.0.0.2/".to_owned(),
    ] {
        site.say("/feed", redirect(302, &target));
        let fault = fetch_with(&fetcher, &site.url("/feed")).await.unwrap_err().fault;
        assert!(matches!(fault, Fault::Refused(_)), "{target}: {fault:?}");
    }
    assert!(inner.heard("/").is_empty());
}

#[tokio::test]
async fn sec_f04_an_address_by_number_is_refused_before_anything_is_sent() {
    let site = Site::open("127.0.0.1").await;
    let fetcher = fetcher_with(Guard::default(), Limits::default());
    let fault = fetch_with(&fetcher, &site.url("/feed")).await.unwrap_err().fault;
    let ip = site.address.ip();
    assert_eq!(fault, Fault::Refused(Refusal::Network(ip)));
    assert!(site.heard("/feed").is_empty());
}

#[tokio::test]
async fn sec_f03_a_name_is_refused_if_any_of_its_addresses_is() {
    let site = Site::open("127.0.0.1").await;
    let port = site.address.port();
    site.say("/feed", status(200, &[], b"here"));
    // `localhost` is 127.0.0.1 and on most machines ::1 too.
    let both = fetcher_with(guard(&["127.0.0.0/8", "::1/128"]), Limits::default());
    let fetched = fetch_with(&both, &format!("http://localhost:{port}/feed")).await.unwrap();
    assert_eq!(bytes(fetched), b"here");
    let v6_only = fetcher_with(guard(&["::1/128"]), Limits::default());
    let refused = fetch_with(&v6_only, &format!("http://localhost:{port}/feed")).await;
    assert!(matches!(refused.unwrap_err().fault, Fault::Refused(Refusal::Network(_))));
    assert_eq!(site.heard("/feed").len(), 1);
}

#[tokio::test]
async fn a_host_that_no_name_server_knows_is_not_found() {
    let fault = fault("http://tidings-test.invalid/").await;
    assert!(matches!(fault, Fault::Dns(_)), "{fault:?}");
}

#[tokio::test]
async fn nobody_listening_is_no_connection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let fault = fault(&format!("http://{address}/")).await;
    assert!(matches!(fault, Fault::Connect(_)), "{fault:?}");
}

#[tokio::test]
async fn sec_f12_nothing_about_us_goes_to_the_next_host() {
    let site = Site::open("127.0.0.1").await;
    let other = Site::open("127.0.0.2").await;
    let mut hop = redirect(302, &other.url("/feed"));
    let cookie = b"HTTP/1.1 302 X\r\nSet-Cookie: a=b\r\n";
    hop.splice(..b"HTTP/1.1 302 X\r\n".len(), cookie.iter().copied());
    site.say("/feed", hop);
    other.say("/feed", status(200, &[], b"x"));
    fetch(&site.url("/feed")).await.unwrap();
    fetch(&site.url("/feed")).await.unwrap();
    for heard in [site.heard("/feed"), other.heard("/feed")].concat() {
        for name in ["Referer", "Cookie", "Authorization", "Proxy-Authorization"] {
            assert_eq!(heard.header(name), None, "{}", heard.head);
        }
        assert_eq!(heard.header("User-Agent"), Some("tidings-test"));
        assert_eq!(heard.header("Accept-Encoding"), Some("gzip, br"));
    }
}

/// Runs itself once more in a process with proxies in its environment.
#[tokio::test]
async fn sec_f13_proxies_of_the_environment_are_ignored() {
    if std::env::var_os("http_proxy").is_none() {
        let name = "fetching::sec_f13_proxies_of_the_environment_are_ignored";
        let status = tokio::task::spawn_blocking(move || {
            std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", name])
                .envs([
                    ("http_proxy", "http://127.0.0.1:1/"),
                    ("HTTP_PROXY", "http://127.0.0.1:1/"),
                    ("ALL_PROXY", "http://127.0.0.1:1/"),
                    ("all_proxy", "http://127.0.0.1:1/"),
                    ("NO_PROXY", ""),
                    ("no_proxy", ""),
                ])
                .stdout(std::process::Stdio::null())
                .status()
                .unwrap()
        });
        assert!(status.await.unwrap().success());
        return;
    }
    let site = Site::open("127.0.0.1").await;
    site.say("/feed", status(200, &[], b"direct"));
    assert_eq!(bytes(fetch(&site.url("/feed")).await.unwrap()), b"direct");
}

#[tokio::test]
async fn sec_f14_what_is_not_tls_is_not_read_as_if_it_were() {
    let site = Site::open("127.0.0.1").await;
    site.say("/feed", status(200, &[], b"x"));
    let url = site.url("/feed").replace("http:", "https:");
    // The site waits for a request that never comes, or refuses the handshake.
    let limits = Limits { connect: Duration::from_millis(300), ..Limits::default() };
    let fetcher = fetcher_with(guard(&["127.0.0.0/8"]), limits);
    let fault = fetch_with(&fetcher, &url).await.unwrap_err().fault;
    assert!(matches!(fault, Fault::Tls(_) | Fault::Timeout(_) | Fault::Connect(_)), "{fault:?}");
}

#[tokio::test]
async fn sec_l02_a_body_of_the_wire_limit_is_read_and_one_byte_more_is_not() {
    let site = Site::open("127.0.0.1").await;
    let limit = Limits::default().wire_bytes;
    assert_eq!(limit, 8 << 20);
    site.say("/at", status(200, &[], &vec![b'a'; limit]));
    site.say("/over", status(200, &[], &vec![b'a'; limit + 1]));
    // Without a length nothing is known before it is counted.
    let mut unknown = b"HTTP/1.1 200 X\r\n\r\n".to_vec();
    unknown.resize(unknown.len() + limit + 1, b'a');
    site.on("/unknown", move |_| Answer::BytesThenClose(unknown.clone()));
    assert_eq!(bytes(fetch(&site.url("/at")).await.unwrap()).len(), limit);
    assert_eq!(fault(&site.url("/over")).await, Fault::TooLarge(8 << 20));
    assert_eq!(fault(&site.url("/unknown")).await, Fault::TooLarge(8 << 20));
}

#[tokio::test]
async fn sec_l02_a_packed_bomb_is_taken_for_one() {
    let site = Site::open("127.0.0.1").await;
    let bomb = gzip(&vec![0; 64 << 20]);
    site.say("/feed", status(200, &[("Content-Encoding", "gzip")], &bomb));
    let document = fetch(&site.url("/feed")).await.unwrap().document.unwrap();
    assert!(document.wire_bytes() < 100_000);
    assert!(matches!(document.unpack().unwrap_err(), Fault::Bomb(_)));
}

#[tokio::test]
async fn sec_l03_one_layer_of_gzip_is_unpacked_and_other_packing_refused() {
    let site = Site::open("127.0.0.1").await;
    site.say("/feed", status(200, &[("Content-Encoding", "gzip")], &gzip(b"<rss/>")));
    assert_eq!(bytes(fetch(&site.url("/feed")).await.unwrap()), b"<rss/>");
    for coding in ["zstd", "deflate", "gzip, gzip", "br, gzip"] {
        site.say("/feed", status(200, &[("Content-Encoding", coding)], b"x"));
        assert_eq!(fault(&site.url("/feed")).await, Fault::Coding(coding.to_owned()));
    }
    let twice = [("Content-Encoding", "gzip"), ("Content-Encoding", "gzip")];
    site.say("/feed", status(200, &twice, &gzip(&gzip(b"<rss/>"))));
    assert!(matches!(fault(&site.url("/feed")).await, Fault::Coding(_)));
}

#[tokio::test]
async fn sec_l04_a_hung_site_is_left_at_the_deadline() {
    let site = Site::open("127.0.0.1").await;
    site.on("/feed", |_| Answer::Hang);
    let limits = Limits { total: Duration::from_millis(200), ..Limits::default() };
    let fetcher = fetcher_with(guard(&["127.0.0.0/8"]), limits);
    let begun = Instant::now();
    let fault = fetch_with(&fetcher, &site.url("/feed")).await.unwrap_err().fault;
    assert_eq!(fault, Fault::Timeout(limits.total));
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn sec_l04_the_deadline_holds_over_all_redirects() {
    let site = Site::open("127.0.0.1").await;
    site.say("/start", redirect(302, "/feed"));
    site.on("/feed", |_| Answer::Hang);
    let limits = Limits { total: Duration::from_millis(200), ..Limits::default() };
    let fetcher = fetcher_with(guard(&["127.0.0.0/8"]), limits);
    let fault = fetch_with(&fetcher, &site.url("/start")).await.unwrap_err().fault;
    assert_eq!(fault, Fault::Timeout(limits.total));
}

#[tokio::test]
async fn sec_l04_a_dripping_body_is_too_slow() {
    let site = Site::open("127.0.0.1").await;
    site.on("/feed", |_| Answer::Drip(b"HTTP/1.1 200 X\r\nContent-Length: 99999\r\n\r\n".to_vec()));
    let limits = Limits { slow_after: Duration::from_millis(200), ..Limits::default() };
    let fetcher = fetcher_with(guard(&["127.0.0.0/8"]), limits);
    let fault = fetch_with(&fetcher, &site.url("/feed")).await.unwrap_err().fault;
    assert_eq!(fault, Fault::Slow(1024));
}

#[tokio::test]
async fn sec_l04_a_hundred_headers_are_read_and_one_more_is_not() {
    let site = Site::open("127.0.0.1").await;
    for (count, is_read) in [(HEADERS_MAX, true), (HEADERS_MAX + 1, false)] {
        // `Content-Length` is one of them.
        let headers = vec![("X-Fill", "a"); count - 1];
        site.say("/feed", status(200, &headers, b"x"));
        let fetched = fetch(&site.url("/feed")).await;
        assert_eq!(fetched.is_ok(), is_read, "{count}: {fetched:?}");
        if let Err(error) = fetched {
            assert!(matches!(error.fault, Fault::Headers(..)), "{error}");
        }
    }
}

#[tokio::test]
async fn sec_l04_headers_of_64_kib_are_read_and_a_byte_more_is_not() {
    let site = Site::open("127.0.0.1").await;
    for (more, is_read) in [(0, true), (1, false)] {
        // The answer has `content-length: 1` and four headers named `x-fill`.
        let left = 64 * 1024 - "content-length1".len() - 4 * "x-fill".len();
        let values: Vec<String> = (0..4)
            .map(|at| "a".repeat(left / 4 + if at == 0 { left % 4 + more } else { 0 }))
            .collect();
        let headers: Vec<_> = values.iter().map(|value| ("X-Fill", value.as_str())).collect();
        site.say("/feed", status(200, &headers, b"x"));
        let fetched = fetch(&site.url("/feed")).await;
        assert_eq!(fetched.is_ok(), is_read, "{more}: {fetched:?}");
    }
}

#[tokio::test]
async fn a_body_that_ends_early_is_no_document() {
    let site = Site::open("127.0.0.1").await;
    let mut cut = status(200, &[], &feed(&["One", "Two"]));
    cut.truncate(cut.len() - 20);
    site.on("/feed", move |_| Answer::BytesThenClose(cut.clone()));
    let fault = fault(&site.url("/feed")).await;
    assert!(matches!(fault, Fault::Broken(_)), "{fault:?}");
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_broken() {
    let site = Site::open("127.0.0.1").await;
    site.on("/feed", |_| Answer::BytesThenClose(b"220 ftp.example ready\r\n".to_vec()));
    let fault = fault(&site.url("/feed")).await;
    assert!(matches!(fault, Fault::Broken(_)), "{fault:?}");
}

#[tokio::test]
async fn a_kept_connection_that_the_site_closed_is_opened_again() {
    let site = Site::open("127.0.0.1").await;
    // Closes after each answer without having said so.
    site.on("/feed", |_| Answer::BytesThenClose(status(200, &[], b"x")));
    let fetcher = fetcher();
    for _ in 0..20 {
        fetch_with(&fetcher, &site.url("/feed")).await.unwrap();
    }
    assert_eq!(site.heard("/feed").len(), 20);
}
