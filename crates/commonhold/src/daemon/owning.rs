//! `commonhold question rule` and `question budget`: what the owner says once for all; and taking it back.

use std::process::ExitCode;

use api::{ConsentRule, InboxEntry, InboxState, Limit, NewRule, Revoke, Revoked, TooLate};
use clap::{Args, Subcommand, ValueEnum};

use crate::budget::Written;
use crate::cli::{ANSWERED, REFUSED, TIMED_OUT};
use crate::daemon::asking::ListOptions;
use crate::daemon::{Where, converse, print, shown};
use crate::verify::utc;

/// What about the rules.
#[derive(Debug, Subcommand)]
pub enum RuleCommand {
    /// Show them: of those that are about a question, the first on the list decides
    List(ListOptions),
    /// Give one, which goes before all others
    ///
    /// It also decides about questions that wait in the inbox, and about those that other rules have decided, as long as
    /// nothing was contributed to them. Say at least one of --asker, --table, --columns and --question.
    Add(AddOptions),
    /// Take one back
    Remove(RemoveOptions),
    /// Say what holds for all questions that no rule is about
    Default(DefaultOptions),
}

/// Of `question rule add`.
#[derive(Debug, Args)]
pub struct AddOptions {
    /// yes: take part; no: stay out; ask: ask you each time
    #[arg(value_enum)]
    pub says: RuleOption,
    /// Of this asker only: its name, or how that begins if it has asked before
    #[arg(long, value_name = "NODE")]
    pub asker: Option<String>,
    /// About this table only
    #[arg(long, value_name = "TABLE")]
    pub table: Option<String>,
    /// With yes: those that read no other columns than these; with no or ask: those that read any of these
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub columns: Option<Vec<String>>,
    /// This question only
    #[arg(long, value_name = "SQL")]
    pub question: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
}

/// Of `question rule remove`.
#[derive(Debug, Args)]
pub struct RemoveOptions {
    /// Its number on the list
    #[arg(value_name = "NUMBER")]
    pub number: u32,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
}

/// Of `question rule default`.
#[derive(Debug, Args)]
pub struct DefaultOptions {
    /// yes: take part; no: stay out; ask: ask you each time
    #[arg(value_enum)]
    pub says: RuleOption,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
}

/// What a rule can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RuleOption {
    /// Take part.
    Yes,
    /// Stay out.
    No,
    /// Ask each time.
    Ask,
}

impl From<RuleOption> for ConsentRule {
    fn from(option: RuleOption) -> Self {
        match option {
            RuleOption::Yes => Self::Yes,
            RuleOption::No => Self::No,
            RuleOption::Ask => Self::Ask,
        }
    }
}

/// Of `question budget`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BudgetOptions {
    /// What about it.
    #[command(subcommand)]
    pub command: Option<BudgetCommand>,
    /// Which node, and how it is printed.
    #[command(flatten)]
    pub show: ListOptions,
}

/// What about the budget.
#[derive(Debug, Subcommand)]
pub enum BudgetCommand {
    /// Show it, and what is spent of it
    Show(ListOptions),
    /// Take part in so many questions in any such period, and stay out of all others
    Set(SetBudgetOptions),
    /// Take part in any number of questions
    Off(ListOptions),
}

/// Of `question budget set`.
#[derive(Debug, Args)]
pub struct SetBudgetOptions {
    /// Such as 5/day, 20/2w or 1/12h; off for any number
    #[arg(value_name = "N/PERIOD")]
    pub budget: Written,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
}

/// Of `consent revoke`.
#[derive(Debug, Args)]
#[group(id = "what", required = true, multiple = false)]
pub struct RevokeOptions {
    /// The rule of this number, as question rule list shows it
    #[arg(long, value_name = "NUMBER", group = "what")]
    pub rule: Option<u32>,
    /// The yes to this question: its name, or how that begins
    #[arg(long, value_name = "ID", group = "what")]
    pub question: Option<String>,
    /// Every yes: all rules that say so, what holds where no rule does, and to every question
    #[arg(long, group = "what")]
    pub all: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
}

/// Takes consent back, and says what it was too late for.
pub fn revoke(options: &RevokeOptions) -> ExitCode {
    converse(options.json, async {
        let revoke = Revoke {
            rule: options.rule,
            question: options.question.clone(),
            all: options.all,
        };
        let client = options.place.client()?;
        // A rule alone leaves questions to what else holds.
        let by_it = match options.rule {
            Some(_) => takes_part(client.inbox().await?, |entry| entry.rule == options.rule),
            None => Vec::new(),
        };
        let revoked = client.revoke(&revoke).await?;
        let still = match by_it.is_empty() {
            true => Vec::new(),
            false => takes_part(client.inbox().await?, |entry| {
                by_it.iter().any(|known| known.id == entry.id)
            }),
        };
        print(options.json, &revoked, || told(&revoked, &still))?;
        let any = revoked.default || !revoked.rules.is_empty() || !revoked.questions.is_empty();
        Ok(match (any, revoked.too_late.is_empty()) {
            (_, true) => ANSWERED,
            (true, false) => TIMED_OUT,
            (false, false) => REFUSED,
        })
    })
}

/// Which of these questions wait for what the owner's rules give them.
fn takes_part(inbox: Vec<InboxEntry>, is_meant: impl Fn(&InboxEntry) -> bool) -> Vec<InboxEntry> {
    let takes = |entry: &InboxEntry| entry.state == InboxState::Yes && entry.sent_at.is_none();
    let all = inbox.into_iter();
    all.filter(|entry| takes(entry) && is_meant(entry))
        .collect()
}

fn told(revoked: &Revoked, still: &[InboxEntry]) -> Vec<String> {
    let mut lines = Vec::new();
    for rule in &revoked.rules {
        lines.push(format!("rule {rule} holds no longer"));
    }
    if revoked.default {
        lines.push("you are asked about questions that no rule is about".into());
    }
    for id in &revoked.questions {
        let id = shown::short(id);
        lines.push(format!(
            "question {id}: taken back in time; nothing of yours goes into its answer"
        ));
    }
    lines.extend(revoked.too_late.iter().map(late));
    lines.extend(still.iter().map(|entry| {
        let id = shown::short(&entry.id);
        let who = match entry.rule {
            Some(rule) => format!("your rule {rule}"),
            None => "what holds where no rule does".into(),
        };
        format!(
            "question {id}: still takes part, as {who} says yes; to take that back: commonhold consent revoke --question {id}"
        )
    }));
    if lines.is_empty() {
        lines.push(
            "there was nothing to take back: no rule says yes, and no question waits for your data"
                .into(),
        );
    }
    lines
}

fn late(late: &TooLate) -> String {
    let (id, sent) = (shown::short(&late.question), utc(late.sent_at));
    let taken = match late.contributed_at {
        Some(at) => format!(", and a helper took it {}", utc(at)),
        None => String::new(),
    };
    format!(
        "question {id}: TOO LATE. Your contribution left {sent}{taken}. It is in a total over the crowd, where nobody can find it; \
         that cannot be undone"
    )
}

/// Runs one of the commands about rules.
pub fn rule(command: &RuleCommand) -> ExitCode {
    match command {
        RuleCommand::List(options) => converse(options.json, async {
            let rules = options.place.client()?.rules().await?;
            print(options.json, &rules, || shown::rules(&rules))
        }),
        RuleCommand::Add(options) => converse(options.json, async {
            let new = NewRule {
                says: options.says.into(),
                asker: options.asker.clone(),
                table: options.table.clone(),
                columns: options.columns.clone(),
                question: options.question.clone(),
            };
            let rule = options.place.client()?.add_rule(&new).await?;
            print(options.json, &rule, || vec![shown::one_rule(&rule)])
        }),
        RuleCommand::Remove(options) => converse(options.json, async {
            let client = options.place.client()?;
            let rules = client.remove_rule(options.number).await?;
            print(options.json, &rules, || shown::rules(&rules))
        }),
        RuleCommand::Default(options) => converse(options.json, async {
            let client = options.place.client()?;
            let rules = client.set_default(options.says.into()).await?;
            print(options.json, &rules, || shown::rules(&rules))
        }),
    }
}

/// Runs one of the commands about the budget.
pub fn budget(options: &BudgetOptions) -> ExitCode {
    let set = |written: Written| {
        let budget = written.0.map(|budget| Limit {
            questions: u32::try_from(budget.questions).unwrap_or(u32::MAX),
            period_secs: budget.period.as_secs(),
        });
        Some(budget)
    };
    let (json, place, limit) = match &options.command {
        None => (options.show.json, &options.show.place, None),
        Some(BudgetCommand::Show(options)) => (options.json, &options.place, None),
        Some(BudgetCommand::Set(options)) => (options.json, &options.place, set(options.budget)),
        Some(BudgetCommand::Off(options)) => (options.json, &options.place, set(Written(None))),
    };
    converse(json, async {
        let client = place.client()?;
        let budget = match limit {
            None => client.budget().await?,
            Some(limit) => client.set_budget(limit).await?,
        };
        print(json, &budget, || vec![shown::budget(&budget)])
    })
}
