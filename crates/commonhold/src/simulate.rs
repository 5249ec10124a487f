//! `commonhold simulate`: communities on this machine alone.

pub mod aggregation;
pub mod options;
pub mod questions;

use std::ops::Range;
use std::process::ExitCode;
use std::sync::Arc;

use base::Digest;
use indicatif::{ProgressBar, ProgressStyle};
use overlay::{Form, KTable, Parameters};
use selection::Selection;
use selection::strategy::{Setup, Strategy, StrategyNode};
use serde_json::{Value, json};
use sim::drawing::forge::{arcs, forge_hardened, forge_paper, random_for};
use sim::drawing::{Adversary, Campaign, Colluding, Crowd, Members, Size, Summary};
use sim::{START, parallel};

use crate::cli::{ANSWERED, FormOption, USAGE, fail};
use crate::counted::counted;
use crate::output::tell;
use crate::simulate::options::SelectionOptions;

/// Most nodes that fit into the memory of a small machine: about 3 KB each.
const NODES_MAX: u64 = 2_000_000;
/// Where everybody knows everybody, each node that wakes up knows all.
const MESH_MAX: u64 = 20_000;

/// Runs `commonhold simulate selection`.
pub fn selection(options: &SelectionOptions) -> ExitCode {
    match simulate(options) {
        Ok((json, _)) if options.json => {
            tell(format_args!("{json:#}"));
            ExitCode::from(ANSWERED)
        }
        Ok((_, lines)) => {
            tell(lines.join("\n"));
            ExitCode::from(ANSWERED)
        }
        Err(why) => fail(options.json, &why, USAGE),
    }
}

/// `None` is the hardened protocol.
fn strategy(options: &SelectionOptions) -> Result<Option<Strategy>, String> {
    if options.strategy == "hardened" {
        return Ok(None);
    }
    let unknown = |_| "give a --strategy of hardened, paper, es.nav, es.av, m.hash, cost-optimal, security-optimal";
    Ok(Some(options.strategy.parse().map_err(unknown)?))
}

fn form(options: &SelectionOptions, strategy: Option<Strategy>) -> Form {
    match (options.form, strategy) {
        (Some(FormOption::Paper), _) | (None, Some(_)) => Form::Paper,
        (Some(FormOption::Sound), _) | (None, None) => Form::Sound,
    }
}

/// Says what is wrong before anything is made.
fn check(options: &SelectionOptions, form: Form, mesh: bool) -> Result<(), String> {
    let SelectionOptions {
        nodes, colluders, ..
    } = *options;
    let most = if mesh { MESH_MAX } else { NODES_MAX };
    // Forgers need nobody else.
    let alive = match options.adversary {
        Adversary::Forge => colluders,
        _ => nodes,
    };
    if nodes == 0 {
        return Err("a community without nodes cannot draw; give --nodes 2 or more".into());
    }
    if colluders == 0 || colluders >= nodes {
        return Err(format!(
            "{} among {}; give --colluders from 1 to below --nodes",
            counted(colluders, "colluder", "colluders"),
            counted(nodes, "node", "nodes")
        ));
    }
    if alive > most {
        return Err(format!(
            "{alive} nodes do not fit here; give at most --nodes {most}"
        ));
    }
    let parameters = Parameters {
        form,
        ..Parameters::new(nodes, colluders, options.alpha)
    };
    KTable::new(parameters).map_err(|why| format!("{why}; give fewer --colluders"))?;
    if options.actors == 0 {
        return Err("a list has an actor at least; give --actors 1 or more".into());
    }
    Ok(())
}

fn check_actors(options: &SelectionOptions, crowd: &Crowd, mesh: bool) -> Result<(), String> {
    let region = if mesh {
        options.nodes as f64 - 1.0
    } else {
        (crowd.rules().candidates_expected(1)).min(options.nodes as f64 - 1.0)
    };
    if f64::from(options.actors) > region {
        return Err(format!(
            "about {region:.0} nodes are near a point, fewer than {} actors; give fewer --actors or a larger --cache",
            options.actors
        ));
    }
    Ok(())
}

fn simulate(options: &SelectionOptions) -> Result<(Value, Vec<String>), String> {
    let strategy = strategy(options)?;
    let form = form(options, strategy);
    let mesh = matches!(
        strategy,
        Some(Strategy::SecurityOptimal | Strategy::CostOptimal)
    );
    check(options, form, mesh)?;
    let size = Size {
        cache_size: options.cache,
        draws_per_period: options.patience,
        ..Size::new(options.nodes, options.colluders, options.alpha)
    };
    let members = match options.adversary {
        Adversary::Forge => options.colluders,
        _ => options.nodes,
    };
    let members = make(options.seed, &size, members);
    let crowd = Crowd::new(options.seed, &size, form, members).map_err(|why| why.to_string())?;
    let crowd = Arc::new(crowd);
    check_actors(options, &crowd, mesh)?;
    if options.adversary == Adversary::Forge {
        return forge(options, &crowd, strategy);
    }
    let summary = match strategy {
        None => play::<Selection>(options, &crowd, &()),
        Some(strategy) => {
            let region_size = if mesh { 1.0 } else { crowd.share() };
            let setup = Setup {
                strategy,
                region_size,
            };
            play::<StrategyNode>(options, &crowd, &setup)
        }
    };
    Ok((
        as_json(options, form, &crowd, &summary),
        as_lines(options, form, &crowd, &summary),
    ))
}

/// Of something that takes long.
pub fn bar(what: &'static str, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos} of {len}, {eta} left");
    let style = style.expect("the template is constant");
    ProgressBar::new(length)
        .with_style(style)
        .with_message(what)
}

fn make(seed: u64, size: &Size, count: u64) -> Members {
    /// Members made between two looks at the progress.
    const STEP: u64 = 500;
    let bar = bar("making members", count);
    let part = |range: Range<u64>| {
        let mut made = Members::make(seed, size, 0..0);
        for from in range.clone().step_by(STEP as usize) {
            let until = range.end.min(from + STEP);
            made = made.and(Members::make(seed, size, from..until));
            bar.inc(until - from);
        }
        made
    };
    let made = parallel::map(count, part).into_iter().reduce(Members::and);
    bar.finish_and_clear();
    made.unwrap_or_else(|| Members::make(seed, size, 0..0))
}

fn play<P: Colluding>(options: &SelectionOptions, crowd: &Arc<Crowd>, setup: &P::Setup) -> Summary
where
    P::Setup: Sync,
{
    let campaign = Campaign {
        seats: options.actors,
        adversary: options.adversary,
        patience: options.patience,
        away_per_million: (options.faults * 1e6) as u64,
        seed: options.seed,
    };
    let bar = bar("drawing", options.runs);
    let part = |range| campaign.run::<P>(crowd, setup, range, || bar.inc(1));
    let played = parallel::map(options.runs, part).into_iter();
    let summary = played.fold(Summary::default(), |all, one| all.and(&one));
    bar.finish_and_clear();
    summary
}

fn per_run(total: u64, runs: u64) -> f64 {
    total as f64 / runs.max(1) as f64
}

fn form_name(form: Form) -> &'static str {
    match form {
        Form::Paper => "paper",
        Form::Sound => "sound",
    }
}

fn as_json(options: &SelectionOptions, form: Form, crowd: &Crowd, summary: &Summary) -> Value {
    let runs = summary.runs;
    json!({
        "nodes": options.nodes,
        "colluders": options.colluders,
        "alpha": options.alpha,
        "actors": options.actors,
        "cache": options.cache,
        "strategy": options.strategy,
        "form": form_name(form),
        "adversary": options.adversary.to_string(),
        "faults": options.faults,
        "patience": options.patience,
        "seed": options.seed,
        "runs": runs,
        "drawn": summary.drawn,
        "refused_by_verifiers": summary.refused,
        "effectiveness": summary.effectiveness(crowd),
        "gain_as_setter": summary.gain_as_setter(crowd),
        "verification_cost": per_run(summary.checks, summary.drawn),
        "latency_seconds_median": summary.median_seconds(),
        "latency_operations": per_run(summary.latency.operations, runs),
        "latency_messages": per_run(summary.latency.messages, runs),
        "work": per_run(summary.work, runs),
        "messages": per_run(summary.messages, runs),
        "bytes": per_run(summary.bytes, runs),
        "attempts": per_run(summary.attempts, summary.drawn),
        "relocations": per_run(summary.relocations, summary.drawn),
        "restarts": per_run(summary.attempts.saturating_sub(summary.drawn), summary.drawn),
        "outcomes_spoilt": summary.spoilt,
        "breaches_noticed": summary.breaches,
    })
}

fn as_lines(
    options: &SelectionOptions,
    form: Form,
    crowd: &Crowd,
    summary: &Summary,
) -> Vec<String> {
    let line = |name: &str, text: String| format!("{name:<14} {text}");
    let runs = summary.runs;
    let effectiveness = match summary.effectiveness(crowd) {
        Some(effectiveness) => format!("{effectiveness:.3}"),
        None => "beyond measure".to_owned(),
    };
    let gain = match summary.gain_as_setter(crowd) {
        Some(gain) => format!(
            "{gain:.3} times as many colluders as by chance where one of them is the setter"
        ),
        None => "no draw was set up by a colluder".to_owned(),
    };
    vec![
        line(
            "community",
            format!(
                "N = {}, C = {}, α = {:e}, {} k-table, caches of {:.0}, seed {}",
                options.nodes,
                options.colluders,
                options.alpha,
                form_name(form),
                crowd.share() * options.nodes as f64,
                options.seed
            ),
        ),
        line(
            "draws",
            format!(
                "{} of {} by {}; adversary: {}; {:.1} % of the nodes away",
                runs,
                counted(options.actors, "actor", "actors"),
                options.strategy,
                options.adversary,
                options.faults * 100.0
            ),
        ),
        line(
            "outcome",
            format!(
                "{} drawn, {} without actors, {} refused by verifiers",
                summary.drawn,
                runs - summary.drawn - summary.refused,
                summary.refused
            ),
        ),
        line(
            "effectiveness",
            format!(
                "{effectiveness} ({} among {}; 1 is ideal)",
                counted(summary.corrupted, "colluder", "colluders"),
                counted(summary.actors, "actor", "actors")
            ),
        ),
        line(
            "gain",
            format!(
                "{gain}; {} spoilt",
                counted(summary.spoilt, "outcome", "outcomes")
            ),
        ),
        line(
            "verification",
            format!(
                "{:.1} signature checks by each verifier",
                per_run(summary.checks, summary.drawn)
            ),
        ),
        line(
            "set-up",
            format!(
                "{:.2} s (median, simulated); one after the other {:.0} asymmetric operations, {:.0} messages; in all {:.0}, {:.0}, {:.0} kB",
                summary.median_seconds(),
                per_run(summary.latency.operations, runs),
                per_run(summary.latency.messages, runs),
                per_run(summary.work, runs),
                per_run(summary.messages, runs),
                per_run(summary.bytes, runs) / 1000.0
            ),
        ),
        line(
            "course",
            format!(
                "{:.2} attempts, {:.2} of them restarts, {:.2} relocations a draw; {} noticed",
                per_run(summary.attempts, summary.drawn),
                per_run(
                    summary.attempts.saturating_sub(summary.drawn),
                    summary.drawn
                ),
                per_run(summary.relocations, summary.drawn),
                counted(summary.breaches, "breach", "breaches")
            ),
        ),
    ]
}

/// Colluders alone: where do they sit close enough, and does a list of theirs convince a verifier?
fn forge(
    options: &SelectionOptions,
    crowd: &Crowd,
    strategy: Option<Strategy>,
) -> Result<(Value, Vec<String>), String> {
    if !matches!(strategy, None | Some(Strategy::Paper)) {
        return Err(
            "only lists that k nodes sign are forged; give --strategy paper or hardened".into(),
        );
    }
    let found = arcs(crowd);
    let widest = found
        .iter()
        .max_by(|a, b| a.chance().total_cmp(&b.chance()));
    let plan = Digest::of("forged plan", &[]);
    let friends = crowd.colluders().take(options.actors as usize);
    let friends: Vec<_> = friends.map(|place| crowd.contact(place).node()).collect();
    let spinner = ProgressBar::new_spinner().with_message("making up randoms");
    spinner.enable_steady_tick(std::time::Duration::from_millis(100));
    let arc = widest.and_then(|arc| Some((arc, random_for(crowd, arc)?)));
    spinner.finish_and_clear();
    let believed = match (arc, strategy) {
        (None, _) => false,
        (Some(arc), None) => forge_hardened(crowd, arc, plan, friends)
            .is_some_and(|list| list.verify(crowd.rules(), START, plan).is_ok()),
        (Some(arc), Some(_)) => {
            let list = forge_paper(crowd, arc, plan, friends);
            list.verify(crowd.rules(), START, plan).is_ok()
        }
    };
    let k = widest.map(|arc| arc.places.len());
    let json = json!({
        "nodes": options.nodes,
        "colluders": options.colluders,
        "alpha": options.alpha,
        "strategy": options.strategy,
        "adversary": "forge",
        "seed": options.seed,
        "arcs": found.len(),
        "k": k,
        "forged_list_believed": believed,
    });
    let verdict = match (k, believed) {
        (None, _) => {
            "no colluders sit close enough together to sign a list of their own".to_owned()
        }
        (Some(k), true) => {
            format!("{k} of them have signed a list of colluders alone, and a verifier believes it")
        }
        (Some(_), false) => "no random was found that names a point between them".to_owned(),
    };
    let lines = vec![
        format!(
            "community      N = {}, C = {}, α = {:e}, seed {}",
            options.nodes, options.colluders, options.alpha, options.seed
        ),
        format!(
            "arcs           {} where colluders alone are legitimate",
            found.len()
        ),
        format!("forgery        {verdict}"),
    ];
    Ok((json, lines))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Command, Program};
    use crate::simulate::options::SimulateCommand;

    fn options(more: &str) -> SelectionOptions {
        let plain = [
            "commonhold",
            "simulate",
            "selection",
            "--nodes",
            "60",
            "--colluders",
            "6",
        ];
        let typed = plain.into_iter().chain(more.split_whitespace());
        match Program::try_parse_from(typed).unwrap().command {
            Command::Simulate {
                command: SimulateCommand::Selection(options),
            } => options,
            _ => unreachable!("it was typed"),
        }
    }

    #[test]
    fn says_what_was_asked_for() {
        let options = options("--actors 8 --runs 3 --seed 4");
        let (json, lines) = simulate(&options).unwrap();
        assert_eq!((&json["drawn"], &json["runs"]), (&json!(3), &json!(3)));
        let checks = json["verification_cost"].as_f64().unwrap();
        assert!((8.0..20.0).contains(&checks), "{checks}");
        for name in [
            "effectiveness",
            "latency_seconds_median",
            "work",
            "attempts",
            "relocations",
            "restarts",
        ] {
            assert!(json[name].is_number(), "{name} in {json}");
        }
        assert!(lines.len() <= 12);
        // The same seed, the same draws, however many cores there are.
        assert_eq!(simulate(&options).unwrap().0, json);
    }

    #[test]
    fn every_strategy_can_be_simulated() {
        for strategy in [
            "paper",
            "es.nav",
            "es.av",
            "m.hash",
            "cost-optimal",
            "security-optimal",
        ] {
            let (json, _) = simulate(&options(&format!(
                "--strategy {strategy} --actors 4 --runs 2"
            )))
            .unwrap();
            assert_eq!(json["strategy"], strategy);
            assert_eq!(json["runs"], 2);
        }
    }

    #[test]
    fn wrong_numbers_say_what_to_change() {
        for (typed, flag) in [
            ("--actors 0", "--actors"),
            ("--actors 60", "--actors"),
            ("--strategy best", "--strategy"),
            ("--strategy es.nav --adversary forge", "--strategy"),
        ] {
            let why = simulate(&options(typed)).unwrap_err();
            assert!(why.contains(flag) && !why.contains('\n'), "{why}");
        }
        let with = |nodes, colluders| {
            simulate(&SelectionOptions {
                nodes,
                colluders,
                ..options("")
            })
        };
        for (nodes, colluders, flag) in [
            (0, 0, "--nodes"),
            (10, 10, "--colluders"),
            (10, 0, "--colluders"),
            (1_000_000_000, 10, "--nodes"),
        ] {
            let why = with(nodes, colluders).unwrap_err();
            assert!(why.contains(flag), "{why}");
        }
        for typed in [
            "--adversary saint",
            "--faults 1",
            "--faults -0.1",
            "--alpha 0",
            "--runs 0",
        ] {
            let plain = ["commonhold", "simulate", "selection"];
            let typed = plain.into_iter().chain(typed.split_whitespace());
            assert!(Program::try_parse_from(typed).is_err());
        }
    }
}
