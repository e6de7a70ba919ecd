//! What was paid for and not charged goes back to its own day.

use crate::channel::telegram::api::{Client, Settings};

use super::*;

#[tokio::test]
async fn what_was_not_charged_goes_back_to_the_day_it_was_paid_on() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> =
        Arc::new(crate::store::redb::open(&folder.path().join("store.redb")).unwrap());
    let bot = Name::parse("bot").unwrap();
    let budget = StarBudget { tenths_max: 1_000, per: StarsPer::Day };
    let options = Options { rate: 100.0, budget, days: Days::utc() };
    let mut paid = Paid::new(options, bot.clone(), Arc::clone(&store), Instant::now());
    let post = PostId(1);
    let mut fares = Vec::new();
    for day in [7, 8] {
        let asked = StarsAsked { post, day, tenths: 50, budget };
        let granted = store.take_stars(&bot, asked).await.unwrap();
        paid.hear(&News::Taken { asked, granted }, Instant::now());
        let fare = Fare { day, tenths: 10 };
        paid.pay(post, fare);
        fares.push(fare);
    }
    // The first request was under way over midnight; the second one is of today.
    let back = paid.refund(post, fares[0]).expect("to another day");
    back.await.unwrap();
    assert!(paid.refund(post, fares[1]).is_none());
    for back in paid.give_back() {
        back.await.unwrap();
    }
    let spent = async |day| store.load_stars(&bot, day).await.unwrap();
    assert_eq!((spent(7).await, spent(8).await), (40, 0));
}

#[tokio::test]
async fn nothing_is_paid_while_a_free_request_may_be_overtaken() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> =
        Arc::new(crate::store::redb::open(&folder.path().join("store.redb")).unwrap());
    let bot = Name::parse("bot").unwrap();
    let budget = StarBudget { tenths_max: 1_000, per: StarsPer::Day };
    let options = Options { rate: 100.0, budget, days: Days::utc() };
    let (post, now) = (PostId(1), Instant::now());
    let mut paid = Paid::new(options, bot, store, now);
    let wall = Timestamp::from_millis(7 * 86_400_000);
    let asked = StarsAsked { post, day: 7, tenths: 1_000, budget };
    paid.hear(&News::Taken { asked, granted: 1_000 }, now);
    paid.hear(&News::Balance(Balance::Stars(STARS_NEEDED)), now);
    let settings = Settings {
        api: "http://127.0.0.1:9/".parse().unwrap(),
        token: "1:t".into(),
        time_max: Duration::from_secs(1),
    };
    let service = Arc::new(Channel::Telegram(Client::new(settings).unwrap()));
    // The windows are taken for full at the start.
    let at = |seconds: u64| now + Duration::from_secs(10 + seconds);
    let lane = |paid: &mut Paid, at| paid.lane(post, 1, (at, wall), &service);
    let go = Lane::Now(Fare { day: 7, tenths: 1 });
    assert_eq!(lane(&mut paid, at(0)), go);
    paid.note(1, true, at(0));
    assert_eq!(lane(&mut paid, at(0)), go, "those who pay may overtake each other");
    paid.note(1, false, at(1));
    paid.note(1, false, at(2));
    paid.landed(true);
    paid.landed(false);
    assert_eq!(lane(&mut paid, at(3)), Lane::At(at(2) + STRAY_AFTER));
    assert_eq!(lane(&mut paid, at(2) + STRAY_AFTER), go, "what never arrives holds nobody up");
    paid.landed(false);
    assert_eq!(lane(&mut paid, at(3)), go);
}
