//! A post as a channel sends it: its calls in every language.

use std::sync::Arc;

use crate::channel::{Call, Channel};
use crate::deliver::lane::BeyondCalls;
use crate::deliver::personal::Personal;
use crate::model::campaign::OnUncertain;
use crate::model::post::Post;

/// A post as this channel sends it.
pub(super) struct Lowered {
    pub policy: OnUncertain,
    pub bodies: Vec<(Option<String>, Arc<[Call]>)>,
    pub personal: Option<Personal>,
    pub content_refusals: u32,
    /// The service refused a call that others can go instead of.
    pub goes_round: bool,
    pub revision: u32,
    /// The messages are kept, to be corrected.
    pub keeps: bool,
    pub beyond: BeyondCalls,
}

/// What a post says on the channel, by language.
pub(in crate::deliver) fn lowered_bodies(
    channel: &Channel,
    post: &Post,
) -> Vec<(Option<String>, Arc<[Call]>)> {
    post.bodies
        .iter()
        .filter(|body| body.kind == channel.kind())
        .map(|body| (body.language.clone(), Arc::from(channel.lower(&body.message, None))))
        .collect()
}

/// The body of the person's language, of its main language, the one for all, or the first.
pub(in crate::deliver) fn body_for(
    bodies: &[(Option<String>, Arc<[Call]>)],
    language: Option<&str>,
) -> Option<Arc<[Call]>> {
    let of = |wanted: Option<&str>| {
        bodies.iter().find(|(language, _)| language.as_deref() == wanted).map(|(_, calls)| calls)
    };
    let main = language.and_then(|language| language.split('-').next());
    language
        .and_then(|exact| of(Some(exact)))
        .or_else(|| main.and_then(|main| of(Some(main))))
        .or_else(|| of(None))
        .or_else(|| bodies.first().map(|(_, calls)| calls))
        .cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(method: &'static str) -> Arc<[Call]> {
        Arc::from([Call { method, rest: "}".into(), is_acknowledgement: false, covers: 0 }])
    }

    #[test]
    fn the_language_falls_back_to_the_main_one_then_to_all() {
        let bodies = [
            (None, calls("all")),
            (Some("ro".to_owned()), calls("ro")),
            (Some("pt-br".to_owned()), calls("pt-br")),
        ];
        for (language, expected) in [
            (Some("ro"), "ro"),
            (Some("ro-md"), "ro"),
            (Some("pt-br"), "pt-br"),
            (Some("pt"), "all"),
            (None, "all"),
        ] {
            let found = body_for(&bodies, language).unwrap();
            assert_eq!(found[0].method, expected, "{language:?}");
        }
        assert!(body_for(&[], Some("ro")).is_none());
    }
}
