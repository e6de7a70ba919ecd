//! Rules of a page on the command line: `--select item=CSS`.

use crate::cli::Failure;
use crate::extract::page;
use crate::model::source::{PageField, PageRules};

/// Where the items of a page are; without any the list is found by itself.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Select {
    /// Of a page: `item`, `title`, `link`, `date`, `summary`, `image` or `author`, and where it is:
    /// `item=article.post`, `link=h2 a@href`. May be given once for each.
    #[arg(long, value_name = "FIELD=CSS")]
    select: Vec<String>,
}

impl Select {
    /// The rules, checked.
    pub(super) fn rules(&self) -> Result<PageRules, Failure> {
        let wrong = |why: String| Failure::new(2, why);
        let mut rules = PageRules::default();
        for rule in &self.select {
            let Some((key, css)) = rule.split_once('=') else {
                return Err(wrong(format!("`--select {rule}`: it must be `FIELD=CSS`")));
            };
            let field = Some(PageField::parse(css));
            match key.trim() {
                "item" => rules.item = Some(css.trim().to_owned()),
                "title" => rules.title = field,
                "link" => rules.link = field,
                "date" => rules.date = field,
                "summary" => rules.summary = field,
                "image" => rules.image = field,
                "author" => rules.author = field,
                other => return Err(wrong(format!("`--select`: there is no field `{other}`"))),
            }
        }
        match page::check(&rules).into_iter().next() {
            Some((key, problem)) => Err(wrong(format!("`--select {key}`: {problem}"))),
            None => Ok(rules),
        }
    }
}
