//! Benchmarks: `cargo run --release -p bench -- NAME [--json]`, or all of them without a name.
//!
//! Each prints the median of several runs, beside its goal. Runs that are compared with each other
//! take turns, so that a machine that grows slow in the middle slows both.

mod bare;
mod committee;
mod contribution;
mod counting;
mod draw;
mod drawing;
mod events;
mod executions;
mod report;
mod scale;
mod timing;
mod units;
mod validity;
mod verify_list;

use std::process::ExitCode;

use report::Row;

/// Name, and what measures.
type Benchmark = (&'static str, fn() -> Vec<Row>);

const ALL: [Benchmark; 9] = [
    ("counting", counting::run),
    ("verify-list", verify_list::run),
    ("draw", draw::run),
    ("events", events::run),
    ("executions", executions::run),
    ("validity", validity::run),
    ("contribution", contribution::run),
    ("units", units::run),
    ("scale", scale::run),
];

fn main() -> ExitCode {
    let (options, names): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|a| a.starts_with("--"));
    let known = |name: &String| ALL.iter().any(|(known, _)| known == name);
    if options.iter().any(|option| option != "--json") || !names.iter().all(known) {
        let known: Vec<_> = ALL.iter().map(|(name, _)| *name).collect();
        eprintln!(
            "usage: bench [--json] [NAME]...    names: {}",
            known.join(", ")
        );
        return ExitCode::from(2);
    }
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    let rows: Vec<_> = ALL
        .into_iter()
        .filter(|(name, _)| wanted(name))
        .flat_map(|(_, measure)| measure())
        .collect();
    if options.is_empty() {
        report::print_table(&rows);
    } else {
        report::print_json(&rows);
    }
    ExitCode::SUCCESS
}
