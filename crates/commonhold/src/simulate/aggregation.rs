//! `commonhold simulate aggregation`: totals by helpers who crash and lie.

use std::process::ExitCode;

use serde_json::{Value, json};
use sim::aggregating::{Choice, Liar, Setting, Statistic, Summary, Tally};

use crate::cli::{ANSWERED, FAILED, USAGE, fail};
use crate::counted::counted;
use crate::output::tell;
use crate::simulate::bar;
use crate::simulate::options::AggregationOptions;

/// Most runs that failed which are listed.
const LISTED_MAX: usize = 10;

/// Runs the command.
pub fn main(options: &AggregationOptions) -> ExitCode {
    let setting = match setting(options) {
        Ok(setting) => setting,
        Err(why) => {
            return fail(options.json, &why, USAGE);
        }
    };
    let runs = options.campaign.unwrap_or(1);
    let bar = bar("computing", runs);
    let summary = setting.campaign(options.seed..options.seed.saturating_add(runs), || {
        bar.inc(1)
    });
    bar.finish_and_clear();
    if options.json {
        tell(format_args!("{:#}", as_json(options, &setting, &summary)));
    } else {
        tell(as_lines(options, &setting, &summary).join("\n"));
    }
    ExitCode::from(if summary.broken.is_empty() {
        ANSWERED
    } else {
        FAILED
    })
}

fn setting(options: &AggregationOptions) -> Result<Setting, String> {
    let permille = (options.offline * 10.0).round() as u32;
    let setting = Setting::new(
        options.contributors,
        options.colluders,
        permille,
        options.statistic,
    );
    let mut setting = setting.map_err(|why| why.to_string())?;
    if !options.without_proofs {
        setting = setting.with_proofs();
    }
    setting.faults = options.faults;
    if let Some(Choice::This(liar)) = options.adversary {
        setting.allows(liar).map_err(|why| why.to_string())?;
    }
    if let Some(liar) = options.adversary {
        let assumed = usize::try_from(options.colluders).unwrap_or(usize::MAX);
        setting.liars = Some((liar, options.liars.unwrap_or(assumed)));
    }
    Ok(setting)
}

fn adversary(setting: &Setting) -> String {
    let of = |(liar, count): (Choice<Liar>, usize)| match liar {
        Choice::This(liar) if !liar.contributes() => format!("{count} of the helpers: {liar}"),
        Choice::This(liar) => format!("{count} of the contributors: {liar}"),
        Choice::Any => format!("{count}, of any kind"),
    };
    setting.liars.map_or("none".into(), of)
}

fn as_json(options: &AggregationOptions, setting: &Setting, summary: &Summary) -> Value {
    let sizes = setting.terms().sizes;
    let runs = summary.runs.max(1);
    let listed = |all: &[(u64, String)]| -> Vec<Value> {
        let all = all.iter();
        all.map(|(seed, what)| json!({ "seed": seed, "what": what }))
            .collect()
    };
    json!({
        "contributors": options.contributors,
        "colluders": options.colluders,
        "offline_percent": options.offline,
        "statistic": options.statistic_name(),
        "lanes": sizes.lanes,
        "replicas": sizes.replicas,
        "signers": sizes.signers,
        "committees": setting.committees().len(),
        "proofs": setting.committees()[0].terms.proof.is_some(),
        "faults": options.faults.to_string(),
        "adversary": adversary(setting),
        "seed": options.seed,
        "runs": summary.runs,
        "exact": summary.exact,
        "without_answer": listed(&summary.without),
        "broken": listed(&summary.broken),
        "seconds_median": summary.median().as_micros() as f64 / 1e6,
        "seconds_since_contributed_median": summary.median_since_contributed().as_micros() as f64 / 1e6,
        "busiest": {
            "bytes_sent": summary.busiest.sent,
            "bytes_received": summary.busiest.received,
            "signatures_made": summary.busiest.work.signed,
            "signatures_checked": summary.busiest.work.checked,
            "sealed": summary.busiest.work.sealed,
            "opened": summary.busiest.work.opened,
        },
        "included": summary.included as f64 / runs as f64,
        "messages": summary.messages as f64 / runs as f64,
        "bytes": summary.bytes as f64 / runs as f64,
        "liars_named": summary.named,
        "by_adversary": by_liar(summary),
    })
}

fn by_liar(summary: &Summary) -> Value {
    let of = |(liar, tally): (&Option<Liar>, &Tally)| {
        let name = liar.map_or("none".into(), |liar| liar.to_string());
        let tally = json!({ "runs": tally.runs, "exact": tally.exact, "named": tally.named });
        (name, tally)
    };
    summary.by_liar.iter().map(of).collect()
}

fn as_lines(options: &AggregationOptions, setting: &Setting, summary: &Summary) -> Vec<String> {
    let sizes = setting.terms().sizes;
    let runs = summary.runs.max(1);
    let each = |total: u64| total as f64 / runs as f64;
    let mut lines = vec![
        format!(
            "{:<12} {} of {}, of whom {} must sign, for {}, sized for {} and {} % away",
            match setting.committees().len() {
                1 => "committee".to_owned(),
                several => format!("{several} of them"),
            },
            counted(sizes.lanes, "lane", "lanes"),
            counted(sizes.replicas, "replica", "replicas"),
            sizes.signers,
            counted(options.contributors, "contributor", "contributors"),
            counted(options.colluders, "colluder", "colluders"),
            options.offline
        ),
        format!(
            "proofs       {}",
            match setting.committees()[0].terms.proof {
                Some(_) => "each contribution proves that it is in range",
                None => "none",
            }
        ),
        format!("statistic    {}", options.statistic_name()),
        format!(
            "faults       {}; adversary: {}",
            options.faults,
            adversary(setting)
        ),
        format!(
            "outcome      {} of {} exact over the signed set, {} without an answer; {:.1} people in it",
            summary.exact,
            summary.runs,
            summary.without.len(),
            each(summary.included)
        ),
        format!(
            "time         {:.2} s simulated (median) from the first contribution to the answer, {:.2} s from the first message",
            summary.median_since_contributed().as_micros() as f64 / 1e6,
            summary.median().as_micros() as f64 / 1e6
        ),
        format!(
            "traffic      {:.0} messages, {:.1} MB",
            each(summary.messages),
            each(summary.bytes) / 1e6
        ),
        format!(
            "busiest      sent {:.2} MB, received {:.2} MB; {} signatures made and checked, {} sealed and opened",
            summary.busiest.sent as f64 / 1e6,
            summary.busiest.received as f64 / 1e6,
            summary.busiest.work.signed + summary.busiest.work.checked,
            summary.busiest.work.sealed + summary.busiest.work.opened,
        ),
        format!(
            "named        {}, nobody honest",
            counted(summary.named, "liar", "liars")
        ),
    ];
    if summary.by_liar.len() > 1 {
        for (liar, Tally { runs, exact, named }) in &summary.by_liar {
            let name = liar.map_or("none".into(), |liar| liar.to_string());
            lines.push(format!(
                "  {name:<14} {exact} of {runs} exact, {named} named"
            ));
        }
    }
    if summary.broken.is_empty() {
        lines.push("invariants   hold, looked at after every event".into());
    }
    let failed = summary.broken.iter().map(|one| ("BROKEN", one));
    let failed = failed.chain(summary.without.iter().map(|one| ("no answer", one)));
    for (kind, (seed, what)) in failed.take(LISTED_MAX) {
        lines.push(format!("{kind}: {what}"));
        lines.push(format!("  rerun: {}", rerun(options, *seed)));
    }
    lines
}

/// What to type to see one run again.
fn rerun(options: &AggregationOptions, seed: u64) -> String {
    let mut line = format!(
        "commonhold simulate aggregation --contributors {} --colluders {} --offline {} --statistic {} --faults {} --seed {seed}",
        options.contributors,
        options.colluders,
        options.offline,
        options.statistic_name(),
        options.faults,
    );
    if let Some(liar) = options.adversary {
        line += &format!(" --adversary {liar}");
    }
    if let Some(liars) = options.liars {
        line += &format!(" --liars {liars}");
    }
    line
}

/// As it is typed.
pub fn statistic(text: &str) -> Result<Statistic, String> {
    let (name, parts) = match text.split_once(':') {
        Some((name, parts)) => (name, parts.parse().ok()),
        None => (text, None),
    };
    match (name, parts) {
        ("count", None) if !text.contains(':') => Ok(Statistic::Count),
        ("sum", None) if !text.contains(':') => Ok(Statistic::Sum),
        ("histogram", Some(buckets)) => Ok(Statistic::Histogram(buckets)),
        ("groups", Some(groups)) => Ok(Statistic::Groups(groups)),
        _ => Err("give count, sum, histogram:BUCKETS or groups:GROUPS".into()),
    }
}

impl AggregationOptions {
    fn statistic_name(&self) -> String {
        match self.statistic {
            Statistic::Count => "count".into(),
            Statistic::Sum => "sum".into(),
            Statistic::Histogram(buckets) => format!("histogram:{buckets}"),
            Statistic::Groups(groups) => format!("groups:{groups}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Command, Program};
    use crate::simulate::options::SimulateCommand;

    fn options(typed: &str) -> AggregationOptions {
        let plain = ["commonhold", "simulate", "aggregation"];
        let all = plain.into_iter().chain(typed.split_whitespace());
        match Program::try_parse_from(all).unwrap().command {
            Command::Simulate {
                command: SimulateCommand::Aggregation(options),
            } => options,
            _ => unreachable!("it was typed"),
        }
    }

    #[test]
    fn says_what_came_of_it() {
        let options =
            options("--contributors 30 --statistic groups:3 --campaign 2 --faults vanish:10");
        let setting = setting(&options).unwrap();
        let summary = setting.campaign(1..3, || ());
        let json = as_json(&options, &setting, &summary);
        assert_eq!((&json["runs"], &json["broken"]), (&json!(2), &json!([])));
        assert_eq!(json["statistic"], "groups:3");
        assert!(as_lines(&options, &setting, &summary).len() >= 8);
        // A rerun line can be typed.
        let again = rerun(&options, 7);
        let typed = again.split_whitespace();
        assert!(Program::try_parse_from(typed).is_ok(), "{again}");
    }

    #[test]
    fn everything_can_go_wrong_at_once() {
        let typed = "--contributors 30 --offline 0 --faults all --adversary any --campaign 2";
        let options = options(typed);
        let setting = setting(&options).unwrap();
        let summary = setting.campaign(1..3, || ());
        let json = as_json(&options, &setting, &summary);
        assert_eq!(
            (&json["faults"], &json["broken"]),
            (&json!("all"), &json!([]))
        );
        let by_adversary = json["by_adversary"].as_object().unwrap().values();
        let runs: u64 = by_adversary.filter_map(|one| one["runs"].as_u64()).sum();
        assert_eq!(runs, 2);
        let again = rerun(&options, 7);
        assert!(again.contains("--faults all") && again.contains("--adversary any"));
        assert!(Program::try_parse_from(again.split_whitespace()).is_ok());
    }

    #[test]
    fn nonsense_says_what_to_change() {
        for typed in [
            "--statistic mean",
            "--statistic sum:3",
            "--statistic histogram",
            "--statistic histogram:x",
            "--faults rain:3",
            "--faults crash-at:lunch",
            "--adversary saint",
            "--offline 101",
            "--campaign 0",
        ] {
            let plain = ["commonhold", "simulate", "aggregation"];
            let all = plain.into_iter().chain(typed.split_whitespace());
            assert!(Program::try_parse_from(all).is_err(), "{typed}");
        }
        for (typed, flag) in [
            ("--contributors 3", "--contributors"),
            ("--contributors 1000000", "--contributors"),
            ("--contributors 20 --colluders 15", "--colluders"),
            ("--statistic histogram:0", "buckets"),
        ] {
            let why = setting(&options(typed)).err().unwrap_or_default();
            assert!(why.contains(flag) && !why.contains('\n'), "{typed}: {why}");
        }
    }
}
