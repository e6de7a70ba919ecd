//! What was paid for and not charged goes back to its own day.

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
