//! To how many first: `--stages` and what belongs to it.

use std::time::Duration;

use crate::cli::Failure;
use crate::config::duration;
use crate::model::rollout::{STAGES_MAX, Stages, WAIT_MAX, percent};
use crate::model::schedule::Span;

/// The options; the same words as the keys of campaigns.
#[derive(Debug, clap::Args)]
pub(super) struct StageArgs {
    /// The shares of the audience that it goes to stage by stage, growing, such as `1%,10%,100%`.
    /// Nobody is left out: `1%` alone means `1%,100%`.
    #[arg(long, value_name = "SHARES", value_delimiter = ',', value_parser = share)]
    stages: Vec<u32>,
    /// How long each stage is looked at, once everybody of it has an end, before the next one
    /// begins.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = wait, requires = "stages")]
    stage_wait: Duration,
    /// The post is paused when more of those who were tried fail.
    #[arg(long, value_name = "SHARE", default_value = "10%", value_parser = share,
          requires = "stages")]
    stop_when_failed: u32,
    /// The post is paused when more of those who got it leave.
    #[arg(long, value_name = "SHARE", default_value = "2%", value_parser = share,
          requires = "stages")]
    stop_when_left: u32,
}

impl StageArgs {
    /// The stages; `None` when it goes to everybody at once.
    pub fn stages(&self) -> Result<Option<Stages>, Failure> {
        let shares = &self.stages;
        if shares.is_empty() {
            return Ok(None);
        }
        let written: Vec<String> = shares.iter().map(|share| percent(*share)).collect();
        let wrong = |why: &str| {
            let hint = "for example `--stages 1%,10%,100%`";
            Failure::new(2, format!("`--stages {}`: {why}\n  hint: {hint}", written.join(",")))
        };
        let grow = shares.first() > Some(&0) && shares.is_sorted_by(|one, next| one < next);
        if !grow {
            return Err(wrong("the shares must grow from stage to stage"));
        }
        if shares.len() > STAGES_MAX {
            return Err(wrong(&format!("there are at most {STAGES_MAX} stages")));
        }
        let (failed, left) = (self.stop_when_failed, self.stop_when_left);
        Ok(Stages::new(shares.clone(), self.stage_wait, failed, left))
    }
}

fn share(text: &str) -> Result<u32, String> {
    let wrong = "it is a share of at most 100%, for example `1%` or `0.5%`";
    crate::model::rollout::share(text).ok_or_else(|| wrong.to_owned())
}

fn wait(text: &str) -> Result<Duration, String> {
    let wait = duration::parse(text).ok_or("it is a duration such as `15m`, `1h` or `1d`")?;
    match wait <= WAIT_MAX {
        true => Ok(wait),
        false => Err(format!("it is at most {}", Span(WAIT_MAX))),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::model::rollout::{FAILED_MAX_DEFAULT, LEFT_MAX_DEFAULT, WAIT_DEFAULT, WHOLE};

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: StageArgs,
    }

    fn read(line: &[&str]) -> Result<Option<Stages>, String> {
        let all = std::iter::once("send").chain(line.iter().copied());
        let line = Line::try_parse_from(all).map_err(|error| error.to_string())?;
        line.args.stages().map_err(|failure| failure.words)
    }

    #[test]
    fn stages_are_written_as_those_of_campaigns_and_have_their_defaults() {
        assert_eq!(read(&[]).unwrap(), None);
        assert_eq!(read(&["--stages", "100%"]).unwrap(), None);
        let expected = Stages {
            shares: vec![50, 1_000, WHOLE],
            wait: WAIT_DEFAULT,
            failed_max: FAILED_MAX_DEFAULT,
            left_max: LEFT_MAX_DEFAULT,
        };
        assert_eq!(read(&["--stages", "0.5%,10%,100%"]).unwrap(), Some(expected.clone()));
        assert_eq!(read(&["--stages", "0.5%,10%"]).unwrap(), Some(expected));
        let line = ["--stages", "1%", "--stage-wait", "15m", "--stop-when-failed", "5%"];
        let stages = read(&line).unwrap().unwrap();
        assert_eq!((stages.wait, stages.failed_max), (Duration::from_secs(900), 500));
    }

    #[test]
    fn what_is_wrong_says_what_may_be_written() {
        for (line, told) in [
            (&["--stages", "10%,1%"][..], "`--stages 10%,1%`: the shares must grow"),
            (&["--stages", "0%,1%"], "must grow"),
            (&["--stages", "101%"], "a share of at most 100%"),
            (&["--stages", "ten"], "a share of at most 100%"),
            (&["--stages", "1%", "--stage-wait", "soon"], "a duration such as"),
            (&["--stages", "1%", "--stage-wait", "8d"], "at most 7d"),
            (&["--stop-when-left", "1%"], "--stages"),
        ] {
            let words = read(line).unwrap_err();
            assert!(words.contains(told), "{line:?}: {words}");
        }
    }
}
