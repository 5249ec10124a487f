//! `commonhold simulate questions`: whole communities that are asked while their nodes die.

use std::process::ExitCode;

use aggregation::sizes::Sizes;
use serde_json::{Value, json};
use sim::asking::{Summary, Trial};
use sim::community::Settings;

use crate::cli::{ANSWERED, FAILED, USAGE, fail};
use crate::output::tell;
use crate::simulate::bar;
use crate::simulate::options::QuestionsOptions;

/// Most questions without an exact answer that are listed.
const LISTED_MAX: usize = 10;

/// Runs the command.
pub fn main(options: &QuestionsOptions) -> ExitCode {
    let trial = match trial(options) {
        Ok(trial) => trial,
        Err(why) => return fail(options.json, &why, USAGE),
    };
    let bar = bar("asking", options.asks);
    let seeds = options.seed..options.seed.saturating_add(options.asks);
    let summary = trial.campaign(seeds, || bar.inc(1));
    bar.finish_and_clear();
    if options.json {
        tell(format_args!("{:#}", as_json(options, &summary)));
    } else {
        tell(as_lines(options, &summary).join("\n"));
    }
    ExitCode::from(if summary.broken.is_empty() {
        ANSWERED
    } else {
        FAILED
    })
}

fn trial(options: &QuestionsOptions) -> Result<Trial, String> {
    let mut settings = Settings::of(usize::from(options.people));
    settings.colluders = options.colluders;
    settings.cache_size = options.cache;
    let permille = sim::community::OFFLINE_PERMILLE;
    if Sizes::choose(options.people.into(), options.colluders, permille).is_none() {
        return Err(format!(
            "among {} people of whom {} may collude there is no committee that keeps a secret; give more --people or fewer \
             --colluders",
            options.people, options.colluders
        ));
    }
    Ok(Trial {
        settings,
        victims: options.kill,
    })
}

fn as_json(options: &QuestionsOptions, summary: &Summary) -> Value {
    let listed = |all: &[(u64, String)]| -> Vec<Value> {
        let all = all.iter();
        all.map(|(seed, what)| json!({ "seed": seed, "what": what }))
            .collect()
    };
    json!({
        "people": options.people,
        "colluders": options.colluders,
        "cache": options.cache,
        "kill": options.kill.to_string(),
        "seed": options.seed,
        "asked": summary.asked,
        "exact": summary.exact,
        "included": summary.included as f64 / summary.exact.max(1) as f64,
        "without_answer": listed(&summary.without),
        "broken": listed(&summary.broken),
        "died": summary.died,
    })
}

fn as_lines(options: &QuestionsOptions, summary: &Summary) -> Vec<String> {
    let died: Vec<_> = summary
        .died
        .iter()
        .map(|(role, number)| format!("{number} {role}"))
        .collect();
    let died = match died.as_slice() {
        [] => "nobody".to_owned(),
        died => died.join(", "),
    };
    let mut lines = vec![
        format!(
            "community    {} people and one who asks, of whom {} may collude",
            options.people, options.colluders
        ),
        format!(
            "died         {died}, each within seconds of the question; half of them, and every asker, started again"
        ),
        format!(
            "outcome      {} of {} exact over the signed set, {} without an answer; {:.1} people in it",
            summary.exact,
            summary.asked,
            summary.without.len(),
            summary.included as f64 / summary.exact.max(1) as f64
        ),
    ];
    if summary.broken.is_empty() {
        lines.push(
            "invariants   hold: no wrong answer, no second one, no honest node accused".into(),
        );
    }
    let failed = summary.broken.iter().map(|one| ("BROKEN", one));
    let failed = failed.chain(summary.without.iter().map(|one| ("no answer", one)));
    for (kind, (seed, what)) in failed.take(LISTED_MAX) {
        lines.push(format!("{kind}: {what}"));
        lines.push(format!(
            "  rerun: commonhold simulate questions --people {} --colluders {} --cache {} --kill {} --asks 1 --seed {seed}",
            options.people, options.colluders, options.cache, options.kill
        ));
    }
    lines
}
