//! `commonhold question ask` and the other commands about questions that need a running node.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use api::{Client, Events, NewQuestion, Question, QuestionState, Word};
use base::Duration;
use clap::{Args, Subcommand, ValueEnum};
use tokio::time::timeout;

use crate::cli::{ANSWERED, FAILED, REFUSED, TIMED_OUT};
use crate::daemon::owning::{self, BudgetOptions, RuleCommand};
use crate::daemon::{Failure, Where, converse, print, shown};
use crate::output::{doing, tell, warn};

/// How long nothing is heard of a question before it is looked at: a slow reader misses events.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// What can be done about questions with a running node.
#[derive(Debug, Subcommand)]
pub enum QuestionsCommand {
    /// Put a question to the community
    ///
    /// Exit code: 0 put (with --wait: answered), 3 no node is running, 4 refused, 5 no answer.
    Ask(AskOptions),
    /// The questions that this node put
    List(ListOptions),
    /// How far a question is, and its answer
    Show(OneOptions),
    /// Follow a question until it is over
    Watch(OneOptions),
    /// Take a question back
    Cancel(OneOptions),
    /// Write the proof of an answer, yours or a published one, to a file, for `question verify`
    Proof(ProofOptions),
    /// Show an answer, with its proof, to the whole community
    ///
    /// Everybody's node fetches it and checks the proof. It cannot be taken back.
    Publish(OneOptions),
    /// The answers that were published, each proof checked by your node
    Published(ListOptions),
    /// What this node does for others' questions: draws helpers, or helps itself
    Helping(ListOptions),
    /// The questions that came from others
    Inbox(ListOptions),
    /// Say whether you take part in a question of the inbox
    Answer(AnswerOptions),
    /// What is answered without asking you
    Rule {
        /// What about it.
        #[command(subcommand)]
        command: RuleCommand,
    },
    /// How many questions your data go into
    Budget(BudgetOptions),
}

/// Of `question ask`.
#[derive(Debug, Args)]
pub struct AskOptions {
    /// The question: SELECT a statistic FROM a table, with or without WHERE and GROUP BY
    ///
    /// Statistics: COUNT(*), COUNT(x), SUM(x), AVG(x), VAR_POP(x), VAR_SAMP(x), STDDEV_POP(x), STDDEV_SAMP(x), SKEWNESS(x),
    /// KURTOSIS(x), HISTOGRAM(x), MEDIAN(x), QUANTILE(x, 0.9), MIN(x), MAX(x), TOP(x, 3), COVAR_POP(x, y), COVAR_SAMP(x, y),
    /// CORR(x, y), REGR(y, x), LOGISTIC(y > 1, x). docs/questions.md has an example of each.
    pub sql: String,
    /// What the answer is for; everybody who is asked reads it
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub purpose: String,
    /// How long owners may take to decide: now, or a time such as 90s, 30m, 12h or 2d
    #[arg(long, value_name = "TIME", default_value = "now", value_parser = secs)]
    pub deadline: Secs,
    /// Longest time for contributions to arrive after that [default: the key collect_secs of config.toml]
    #[arg(long, value_name = "TIME", value_parser = secs)]
    pub collect: Option<Secs>,
    /// Wait for the answer
    #[arg(long)]
    pub wait: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
}

/// A time that was typed, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Secs(u64);

fn secs(text: &str) -> Result<Secs, String> {
    if text == "now" {
        return Ok(Secs(0));
    }
    let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
    let secs = units.iter().find_map(|(unit, secs)| {
        let number: u64 = text.strip_suffix(*unit)?.parse().ok()?;
        number.checked_mul(*secs)
    });
    let secs = secs.map(Secs);
    secs.ok_or_else(|| "give now, or a number with s, m, h or d, such as 30m or 2d".into())
}

/// Of `question list` and `question inbox`.
#[derive(Debug, Args)]
pub struct ListOptions {
    /// Print one JSON array
    #[arg(long)]
    pub json: bool,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
}

/// Of the commands about one question.
#[derive(Debug, Args)]
pub struct OneOptions {
    /// Its name, or how that begins
    #[arg(value_name = "ID")]
    pub id: String,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
}

/// Of `question proof`.
#[derive(Debug, Args)]
pub struct ProofOptions {
    /// The question's name, or how that begins
    #[arg(value_name = "ID")]
    pub id: String,
    /// Where to write it
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
}

/// Of `question answer`.
#[derive(Debug, Args)]
pub struct AnswerOptions {
    /// The question's name, or how that begins
    #[arg(value_name = "ID")]
    pub id: String,
    /// yes, no; always: each time this asker puts this question; never: whatever this asker puts
    #[arg(value_name = "WORD", value_enum)]
    pub word: WordOption,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
}

/// The owner's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WordOption {
    /// Take part this time.
    Yes,
    /// Stay out this time.
    No,
    /// Take part each time this asker puts this question.
    Always,
    /// Stay out whatever this asker puts.
    Never,
}

/// Runs one of them.
pub fn main(command: &QuestionsCommand) -> ExitCode {
    match command {
        QuestionsCommand::Ask(options) => converse(options.json, ask(options)),
        QuestionsCommand::List(options) => converse(options.json, async {
            let all = options.place.client()?.questions().await?;
            print(options.json, &all, || shown::questions(&all))
        }),
        QuestionsCommand::Show(options) => converse(options.json, async {
            let question = options.place.client()?.question(&options.id).await?;
            print(options.json, &question, || shown::question(&question))
        }),
        QuestionsCommand::Watch(options) => converse(options.json, async {
            let client = options.place.client()?;
            let events = client.events().await?;
            let question = client.question(&options.id).await?;
            if !question.state.is_over() {
                progress(&question, &question.note);
            }
            let question = follow(&client, events, question).await?;
            print(options.json, &question, || shown::question(&question))?;
            Ok(code(question.state))
        }),
        QuestionsCommand::Cancel(options) => converse(options.json, async {
            let question = options.place.client()?.cancel(&options.id).await?;
            print(options.json, &question, || shown::question(&question))
        }),
        QuestionsCommand::Proof(options) => converse(false, async {
            let proof = options.place.client()?.proof(&options.id).await?;
            let shown = options.file.display();
            let written = std::fs::File::create_new(&options.file)
                .and_then(|mut file| file.write_all(&proof));
            let failed = |why| {
                format!("cannot write {shown}: {why}; choose a new file in a folder of yours")
            };
            written.map_err(|why| Failure::new(failed(why), FAILED))?;
            let bytes = proof.len();
            tell(format!(
                "The proof is in {shown}, {bytes} bytes. Anybody can check it with the community's descriptor: commonhold question verify {shown}"
            ));
            Ok(ANSWERED)
        }),
        QuestionsCommand::Publish(options) => converse(options.json, async {
            let question = options.place.client()?.publish(&options.id).await?;
            print(options.json, &question, || shown::question(&question))
        }),
        QuestionsCommand::Published(options) => converse(options.json, async {
            let all = options.place.client()?.published().await?;
            print(options.json, &all, || shown::published(&all))
        }),
        QuestionsCommand::Helping(options) => converse(options.json, async {
            let all = options.place.client()?.helping().await?;
            print(options.json, &all, || shown::helping(&all))
        }),
        QuestionsCommand::Inbox(options) => converse(options.json, async {
            let all = options.place.client()?.inbox().await?;
            print(options.json, &all, || shown::inbox(&all))
        }),
        QuestionsCommand::Answer(options) => converse(options.json, async {
            let word = match options.word {
                WordOption::Yes => Word::Yes,
                WordOption::No => Word::No,
                WordOption::Always => Word::Always,
                WordOption::Never => Word::Never,
            };
            let entry = options.place.client()?.decide(&options.id, word).await?;
            print(options.json, &entry, || {
                shown::inbox(std::slice::from_ref(&entry))
            })
        }),
        QuestionsCommand::Rule { command } => owning::rule(command),
        QuestionsCommand::Budget(options) => owning::budget(options),
    }
}

async fn ask(options: &AskOptions) -> Result<u8, Failure> {
    let client = options.place.client()?;
    // Before the question is put, so that nothing is missed.
    let events = client.events().await?;
    let new = NewQuestion {
        sql: options.sql.clone(),
        purpose: options.purpose.clone(),
        consent_secs: options.deadline.0,
        collect_secs: options.collect.map(|secs| secs.0),
    };
    let mut question = client.ask(&new).await?;
    if !options.wait {
        return print(options.json, &question, || shown::question(&question));
    }
    question = follow(&client, events, question).await?;
    print(options.json, &question, || shown::question(&question))?;
    Ok(code(question.state))
}

/// Waits until a question is over, and says how it goes on.
async fn follow(
    client: &Client,
    mut events: Events,
    mut question: Question,
) -> Result<Question, Failure> {
    while !question.state.is_over() {
        match timeout(LOOK_AGAIN, events.next()).await {
            Ok(Some(event)) if event.question.as_deref() == Some(&*question.id) => {
                progress(&question, &event.text);
            }
            Ok(Some(_)) => continue,
            Ok(None) => {
                let why =
                    "the node stopped before there was an answer; start it again: commonhold up";
                return Err(Failure::new(why, TIMED_OUT));
            }
            Err(_) => {}
        }
        question = client.question(&question.id).await?;
    }
    Ok(question)
}

/// For people who look on, now or later in a file.
fn progress(question: &Question, text: &str) {
    let id = shown::short(&question.id);
    let text = shown::plain(text);
    warn(format_args!("question {id}: {text}"));
    doing(format!("waiting for question {id}: {text}"));
}

/// What a question that is over is worth.
fn code(state: QuestionState) -> u8 {
    match state {
        QuestionState::Answered => ANSWERED,
        QuestionState::Refused => REFUSED,
        _ => TIMED_OUT,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_help_names_every_statistic() {
        let mut program = crate::cli::Program::command();
        let ask = program
            .find_subcommand_mut("question")
            .and_then(|question| question.find_subcommand_mut("ask"));
        let help = ask.expect("a command").render_long_help().to_string();
        // One of each is in the document.
        let document = include_str!("../../../../docs/questions.md");
        let rows = document.lines().filter_map(|line| {
            let (name, _) = line.strip_prefix("| `SELECT ")?.split_once('(')?;
            Some(format!("{name}("))
        });
        let names: Vec<_> = rows.collect();
        assert!(names.len() > 19, "{names:?}");
        for name in names {
            assert!(help.contains(&name), "no {name} in {help}");
        }
    }

    #[test]
    fn times_are_read() {
        let read = |text| secs(text).map(|secs| secs.0).ok();
        assert_eq!(read("now"), Some(0));
        assert_eq!(
            (read("90s"), read("30m"), read("12h"), read("2d")),
            (Some(90), Some(1800), Some(43_200), Some(172_800))
        );
        for wrong in [
            "",
            "d",
            "2",
            "-1d",
            "1.5h",
            "2 d",
            "999999999999999999d",
            "5w",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
