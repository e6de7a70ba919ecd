//! People by their numbers, chats of the settings, late joiners, posts of files, reviews shown.

use tidings::model::audience::{LateJoiners, Whom};
use tidings::model::message::Message;
use tidings::model::one_off::{FilePost, FilesTaken, OneOff, Says};
use tidings::model::post::{Draft, DraftId, Hold};
use tidings::model::subscriber::CHATS_FROM;
use tidings::store::{LateCommit, LateLook, PostRole};

use super::*;

fn numbers(people: &[Subscriber]) -> Vec<u32> {
    people.iter().map(|person| person.number).collect()
}

pub async fn people_are_read_by_their_numbers_dense_or_sparse(home: &mut Home) {
    let store = home.store();
    let bot = name("bot");
    store.import_subscribers(&bot, people(100)).await.unwrap();
    for asked in [vec![], vec![0], vec![3, 4, 5, 7], vec![0, 99], (0..100).collect(), vec![5, 500]]
    {
        let read = store.load_people(&bot, asked.clone()).await.unwrap();
        let expected: Vec<u32> = asked.iter().copied().filter(|number| *number < 100).collect();
        assert_eq!(numbers(&read), expected, "{asked:?}");
    }
    assert_eq!(store.load_people(&name("other"), vec![1]).await.unwrap(), []);
}

pub async fn a_chat_of_the_settings_is_in_no_audience_and_no_count(home: &mut Home) {
    let store = home.store();
    let bot = name("bot");
    store.import_subscribers(&bot, people(3)).await.unwrap();
    let named = |chats: &[&str]| chats.iter().map(|chat| (*chat).to_owned()).collect::<Vec<_>>();
    let chats = store.commit_chats(&bot, named(&["@news", "-5", "1001"])).await.unwrap();
    assert_eq!(chats, [1, CHATS_FROM, CHATS_FROM + 1], "who subscribes is who they were");
    let again = store.commit_chats(&bot, named(&["-5", "-6"])).await.unwrap();
    assert_eq!(again, [CHATS_FROM + 1, CHATS_FROM + 2]);
    assert_eq!(store.load_audience(&bot, &[]).await.unwrap(), [0, 1, 2]);
    let status = store.load_status().await.unwrap();
    let active = status.channels[0].subscribers.iter().find(|one| one.0 == Standing::Active);
    assert_eq!(active.unwrap().1, 3);

    // It is claimed, is gone, is tried again by the next post, and followed to its new number.
    let audiences = vec![(bot.clone(), vec![0, CHATS_FROM + 1])];
    let commit = PostCommit { drafts: vec![], post: post("hello"), audiences };
    store.commit_post(commit).await.unwrap();
    let claims = advance(store, "bot", vec![], 10).await;
    assert_eq!(claims[1].recipient.address, "-5");
    let lost = Receipt {
        standing: Some(Standing::Blocked),
        ..done(&claims[1], Outcome::Failed(Reason::Blocked))
    };
    advance(store, "bot", vec![done(&claims[0], Outcome::Sent), lost], 0).await;
    let chat = || async { store.load_subscriber(&bot, "-5").await.unwrap().unwrap() };
    assert_eq!(chat().await.standing, Standing::Blocked);
    store.commit_chats(&bot, named(&["-5"])).await.unwrap();
    assert_eq!(chat().await.standing, Standing::Active);
    let audiences = vec![(bot.clone(), vec![CHATS_FROM + 1])];
    let commit = PostCommit { drafts: vec![], post: post("again"), audiences };
    store.commit_post(commit).await.unwrap();
    let claims = advance(store, "bot", vec![], 10).await;
    let moved = Receipt { moved_to: Some("-1005".into()), ..done(&claims[0], Outcome::Sent) };
    advance(store, "bot", vec![moved], 0).await;
    assert_eq!(chat().await.address, "-1005", "the old number names it still");
    let found = store.commit_chats(&bot, named(&["-5", "-1005"])).await.unwrap();
    assert_eq!(found, [CHATS_FROM + 1]);
    assert_eq!(
        store.load_status().await.unwrap().channels[0].subscribers,
        status.channels[0].subscribers
    );
}

fn whom(topics: &[&str]) -> Whom {
    Whom {
        topics: topics.iter().map(|topic| name(topic)).collect(),
        channels: vec![name("bot")],
        late_joiners: LateJoiners::Include,
        ..Whom::default()
    }
}

pub async fn late_joiners_are_noted_while_a_post_lets_them_in(home: &mut Home) {
    let store = home.store();
    let bot = name("bot");
    converse(store, "1", Some(person("1", &["news"])), vec![]).await;
    let look = store.lease_late(10).await.unwrap();
    assert!(look.people.is_empty(), "no post lets anybody in");

    let audiences = vec![(bot.clone(), vec![0])];
    let commit = PostCommit { drafts: vec![], post: post("hello"), audiences };
    let role = PostRole { late: Some(whom(&["news"])), ..PostRole::default() };
    let id = store.commit_post_as(commit, role).await.unwrap();
    converse(store, "2", Some(person("2", &["news"])), vec![]).await;
    converse(store, "2", Some(person("2", &["news"])), vec![]).await;
    let stopped = Subscriber { standing: Standing::Stopped, ..person("3", &["news"]) };
    converse(store, "3", Some(stopped), vec![]).await;
    let LateLook { people, rules, .. } = store.lease_late(10).await.unwrap();
    assert_eq!(people.iter().map(|(_, one)| one.number).collect::<Vec<_>>(), [1]);
    assert_eq!(rules, [(id, whom(&["news"]), None)]);

    // Let in once, whoever asks; who is in already is passed over.
    let joining = vec![(id, bot.clone(), vec![0, 1])];
    let commit = LateCommit { seen: vec![(bot.clone(), 1)], joining, swept: vec![] };
    assert_eq!(store.commit_late(commit.clone()).await.unwrap(), 1);
    assert_eq!(store.commit_late(commit).await.unwrap(), 0);
    assert!(store.lease_late(10).await.unwrap().people.is_empty());
    let kept = store.load_outcomes(id, &bot).await.unwrap();
    assert_eq!(kept, [(0, Outcome::Waiting), (1, Outcome::Waiting)]);
    home.reopen();
    let store = home.store();
    let claims = advance(store, "bot", vec![], 10).await;
    assert_eq!(claims.len(), 2);
    let receipts = claims.iter().map(|claim| done(claim, Outcome::Sent)).collect();
    advance(store, "bot", receipts, 0).await;
    let report = store.load_report(id, now()).await.unwrap().unwrap();
    assert_eq!(report.channels.len(), 1, "one line a channel");
    assert_eq!((report.ends.counts.planned, report.ends.counts.sent), (2, 2));
    let delivery = store.load_delivery(id, &bot, 1).await.unwrap().unwrap();
    assert_eq!(delivery.outcome, Outcome::Sent);

    // It is finished: nobody is noted or let in any more.
    converse(store, "4", Some(person("4", &["news"])), vec![]).await;
    assert!(store.lease_late(10).await.unwrap().people.is_empty());
    let joining = vec![(id, bot.clone(), vec![3])];
    let late = LateCommit { joining, ..LateCommit::default() };
    assert_eq!(store.commit_late(late).await.unwrap(), 0);
    assert!(store.load_post(id).await.unwrap().unwrap().counts.is_finished());
}

pub async fn who_came_while_the_audience_was_found_is_looked_for_until_it_is_done(home: &mut Home) {
    let store = home.store();
    let bot = name("bot");
    converse(store, "1", Some(person("1", &["news"])), vec![]).await;
    // Somebody comes between the finding of the audience and the post.
    converse(store, "2", Some(person("2", &["news"])), vec![]).await;
    let audiences = vec![(bot.clone(), vec![0])];
    let commit = PostCommit { drafts: vec![], post: post("hello"), audiences };
    let role = PostRole { late: Some(whom(&["news"])), ..PostRole::default() };
    let id = store.commit_post_as(commit, role).await.unwrap();
    home.reopen();
    let store = home.store();
    let unswept = || async { store.lease_late(10).await.unwrap().unswept };
    assert_eq!(unswept().await, [(id, whom(&["news"]), None)]);
    let joining = vec![(id, bot.clone(), vec![0, 1])];
    let commit = LateCommit { joining, swept: vec![id], ..LateCommit::default() };
    assert_eq!(store.commit_late(commit).await.unwrap(), 1);
    assert_eq!(unswept().await, []);

    // Of a post that nobody waits for any more nobody is looked for.
    let audiences = vec![(bot.clone(), vec![0])];
    let commit = PostCommit { drafts: vec![], post: post("again"), audiences };
    let role = PostRole { late: Some(whom(&["news"])), ..PostRole::default() };
    let id = store.commit_post_as(commit, role).await.unwrap();
    assert_eq!(unswept().await.len(), 1);
    store.stop_post(id, "w".into()).await.unwrap();
    assert_eq!(unswept().await, []);
}

pub async fn a_chat_that_subscribes_is_a_subscriber_under_its_number(home: &mut Home) {
    let store = home.store();
    let bot = name("bot");
    store.import_subscribers(&bot, people(1)).await.unwrap();
    let chats = store.commit_chats(&bot, vec!["7".into()]).await.unwrap();
    assert_eq!(chats, [CHATS_FROM]);
    let named = store.load_subscriber(&bot, "7").await.unwrap().unwrap();
    assert!(!named.has_joined());
    // A post that lets late joiners in has them already.
    let everybody = Whom { topics: vec![], ..whom(&[]) };
    let audiences = vec![(bot.clone(), vec![0, CHATS_FROM])];
    let commit = PostCommit { drafts: vec![], post: post("hello"), audiences };
    let role = PostRole { late: Some(everybody), ..PostRole::default() };
    let id = store.commit_post_as(commit, role).await.unwrap();

    let joined = Subscriber { joined_at: now(), changed_at: now(), ..named };
    converse(store, "7", Some(joined.clone()), vec![]).await;
    assert_eq!(store.load_audience(&bot, &[]).await.unwrap(), [0, CHATS_FROM]);
    let active = async || {
        let status = store.load_status().await.unwrap();
        let count = status.channels[0].subscribers.iter().find(|one| one.0 == Standing::Active);
        count.unwrap().1
    };
    assert_eq!(active().await, 2);
    let late = store.lease_late(10).await.unwrap().people;
    assert_eq!(numbers(&late.into_iter().map(|(_, one)| one).collect::<Vec<_>>()), [CHATS_FROM]);
    let joining = vec![(id, bot.clone(), vec![CHATS_FROM])];
    let commit = LateCommit { joining, ..LateCommit::default() };
    assert_eq!(store.commit_late(commit).await.unwrap(), 0, "nobody gets it twice");
    assert_eq!(store.commit_chats(&bot, vec!["7".into()]).await.unwrap(), [CHATS_FROM]);

    let stopped = Subscriber { standing: Standing::Stopped, ..joined };
    converse(store, "7", Some(stopped), vec![]).await;
    assert_eq!(store.load_audience(&bot, &[]).await.unwrap(), [0]);
    assert_eq!(active().await, 1);
}

pub async fn a_draft_that_was_moved_or_cancelled_meanwhile_makes_no_post(home: &mut Home) {
    let store = home.store();
    store.import_subscribers(&name("bot"), people(1)).await.unwrap();
    let id = store.commit_draft(draft(now(), &[1])).await.unwrap();
    let make = |due_at| {
        let audiences = vec![(name("bot"), vec![0])];
        let commit = PostCommit { drafts: vec![id], post: post("hello"), audiences };
        store
            .commit_post_as(commit, PostRole { unmoved: Some((id, due_at)), ..PostRole::default() })
    };
    let later = now() + seconds(60);
    let moved = Draft { id, ..draft(later, &[1]) };
    store.commit_drafts(vec![moved], "moved".into(), now()).await.unwrap();
    let refused = make(now()).await;
    assert!(matches!(refused, Err(StoreError::Missing { .. })), "{refused:?}");
    assert_eq!(store.next_draft_at().await.unwrap(), Some(later));
    make(later).await.unwrap();
    assert!(matches!(make(later).await, Err(StoreError::Missing { .. })));
    assert_eq!(store.load_posts(10).await.unwrap().len(), 1);
}

fn file(file: &str, at: Timestamp, digest: u64) -> FilePost {
    let post = OneOff {
        title: format!("{file} {digest}"),
        says: Says::Message(Message::from_plain(file)),
        whom: Whom::default(),
        priority: Default::default(),
        stages: None,
        file: Some(name(file)),
    };
    FilePost { name: name(file), at, post, digest }
}

pub async fn a_file_plans_its_post_once(home: &mut Home) {
    let later = now() + seconds(60);
    let (one, two) = (file("one", later, 1), file("two", later, 1));
    let store = home.store();
    let both = vec![one.clone(), two.clone()];
    let late = file("late", now() - seconds(1), 1);
    let taken = store.plan_files([both.clone(), vec![late]].concat(), now()).await.unwrap();
    assert_eq!((taken.planned, taken.late), (vec![name("one"), name("two")], vec![name("late")]));
    assert_eq!(store.plan_files(both, now()).await.unwrap(), FilesTaken::default());

    // Changed before its time, in its own place; removed.
    home.reopen();
    let store = home.store();
    let changed = file("one", later + seconds(5), 2);
    let taken = store.plan_files(vec![changed.clone()], now()).await.unwrap();
    assert_eq!((taken.changed, taken.cancelled), (vec![name("one")], vec![name("two")]));
    let drafts = store.lease_drafts(later + seconds(5), 10).await.unwrap();
    let [draft] = &drafts[..] else { panic!("{drafts:?}") };
    assert_eq!((draft.id, draft.due_at), (DraftId(1), later + seconds(5)));
    assert!(matches!(&draft.content, Content::OneOff(post) if post.title == "one 2"));

    // Once it was made nothing comes of the file any more.
    drop_draft(store, DraftId(1)).await.unwrap();
    let again = file("one", later + seconds(9), 3);
    let taken = store.plan_files(vec![again], now()).await.unwrap();
    assert_eq!(taken, FilesTaken { over: vec![name("one")], ..FilesTaken::default() });
    assert_eq!(store.next_draft_at().await.unwrap(), None);

    // A time that is past cancels; a file that comes back is a new one.
    assert_eq!(store.plan_files(vec![two.clone()], now()).await.unwrap().planned, [name("two")]);
    let past = FilePost { digest: 9, at: now() - seconds(1), ..two };
    assert_eq!(store.plan_files(vec![past], now()).await.unwrap().cancelled, [name("two")]);
    assert_eq!(store.next_draft_at().await.unwrap(), None);
}

pub async fn what_was_shown_to_reviewers_is_known_until_it_is_decided(home: &mut Home) {
    let store = home.store();
    let mut commit = poll("blog");
    commit.items = vec![item(1)];
    commit.drafts = vec![Draft { held: Some(Hold::Review), ..draft(now(), &[1]) }];
    store.commit_poll(commit).await.unwrap();
    store.import_subscribers(&name("bot"), people(1)).await.unwrap();
    let shows = |draft| {
        let audiences = vec![(name("bot"), vec![0])];
        let commit = PostCommit { drafts: vec![], post: post("look"), audiences };
        let role = PostRole { shows: Some(DraftId(draft)), ..PostRole::default() };
        store.commit_post_as(commit, role)
    };
    let post = shows(1).await.unwrap();
    assert_eq!(store.load_shown().await.unwrap(), [(DraftId(1), post)]);
    assert!(store.load_draft(DraftId(1)).await.unwrap().is_some(), "it goes on waiting");
    let of = tidings::store::Reviewed::Draft(DraftId(1));
    let word = tidings::store::ReviewWord::Release;
    assert_eq!(store.commit_review(of, word, now()).await.unwrap(), 1);
    assert_eq!(store.load_shown().await.unwrap(), []);
    let gone = shows(9).await;
    assert!(matches!(gone, Err(StoreError::Missing { .. })), "{gone:?}");
    assert_eq!(store.load_posts(10).await.unwrap().len(), 1, "nothing was written");
}
