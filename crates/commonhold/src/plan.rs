//! `commonhold plan`: how many helpers a question needs, what can go wrong and what it costs, before anybody is asked.

use std::process::ExitCode;

use aggregation::sizes::{Cost, Costs, Load, Plan, Refusal, Terms, costs};
use serde_json::{Value, json};

use crate::cli::{ANSWERED, PlanOptions, PlannedStatistic, REFUSED, USAGE, fail};
use crate::counted::counted;
use crate::output::tell;

/// Bits that a sum's proof shows one by one.
const SUM_BITS: u64 = 32;

/// Runs the command.
pub fn main(options: &PlanOptions) -> ExitCode {
    match planned(options) {
        Ok(planned) if options.json => tell(format_args!("{:#}", planned.as_json(options))),
        Ok(planned) => tell(planned.as_lines().join("\n")),
        Err(failure) => {
            let (why, code) = failure.said();
            return fail(options.json, &why, code);
        }
    }
    ExitCode::from(ANSWERED)
}

/// Why nothing is printed.
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    Typed(&'static str),
    Refused(Refusal),
}

impl Failure {
    /// What is wrong and what to type instead, and the exit code.
    fn said(&self) -> (String, u8) {
        match self {
            Self::Typed(why) => ((*why).into(), USAGE),
            Self::Refused(why) => {
                let instead = match why {
                    Refusal::Candidates { .. } => "give --nodes 3 or more".into(),
                    Refusal::Privacy { most, .. } | Refusal::Wrong { most, .. } => {
                        format!("give --colluders {most} or fewer")
                    }
                    Refusal::Offline { most_permille, .. } => {
                        format!(
                            "give --offline {} or less",
                            f64::from(*most_permille) / 10.0
                        )
                    }
                };
                (format!("{why}; {instead}"), REFUSED)
            }
        }
    }
}

/// All that is printed.
struct Planned {
    plan: Plan,
    plain: Costs,
    /// With proofs that contributions are valid, where there are such.
    proven: Option<Costs>,
}

fn planned(options: &PlanOptions) -> Result<Planned, Failure> {
    let Some(candidates) = options.nodes.checked_sub(1) else {
        return Err(Failure::Typed("there are no nodes; give --nodes 1 or more"));
    };
    if options.colluders >= options.nodes {
        let why = "not all nodes can collude; give fewer --colluders than --nodes";
        return Err(Failure::Typed(why));
    }
    let contributors = options.contributors.unwrap_or(candidates);
    if contributors > candidates {
        let why = "the asker contributes nothing; give fewer --contributors than --nodes";
        return Err(Failure::Typed(why));
    }
    let plan = Plan::choose(Terms {
        candidates,
        contributors,
        colluders: options.colluders,
        offline_permille: options.offline,
    });
    let plan = plan.map_err(Failure::Refused)?;
    let (elements, bits) = lengths(options.statistic);
    let with = |proven| costs(&plan, Load { elements, proven });
    Ok(Planned {
        plain: with(None),
        proven: bits.map(|bits| with(Some(bits))),
        plan,
    })
}

/// Elements that are added up, and those in which it is proved that a contribution is valid, if it can be.
fn lengths(statistic: PlannedStatistic) -> (u64, Option<u64>) {
    match statistic {
        PlannedStatistic::Count => (1, Some(1)),
        PlannedStatistic::Sum | PlannedStatistic::Mean => (2, Some(1 + SUM_BITS)),
        PlannedStatistic::Histogram(buckets) => (1 + buckets, Some(1 + buckets)),
        PlannedStatistic::Vector(length) => (1 + length, None),
    }
}

impl Planned {
    fn as_lines(&self) -> Vec<String> {
        let Plan {
            tree,
            sizes,
            bounds,
            terms,
            ..
        } = &self.plan;
        let levels: Vec<_> = tree
            .committees_per_level()
            .iter()
            .map(u64::to_string)
            .collect();
        let people = terms.contributors.div_ceil(tree.leaves());
        let shape = match tree.depth() {
            1 => format!("1 for {}", counted(people, "person", "people")),
            _ => format!(
                "{} (leaves to root), each leaf for about {}, up to {} children",
                levels.join(" + "),
                counted(people, "person", "people"),
                tree.fan_in()
            ),
        };
        let lines = [
            format!("committees   {shape}"),
            format!(
                "each         m = {} of r = {}: {}",
                counted(sizes.lanes, "lane", "lanes"),
                counted(sizes.replicas, "replica", "replicas"),
                counted(sizes.seats(), "seat", "seats")
            ),
            format!(
                "a lane says  what t = {} of its replicas sign",
                sizes.signers
            ),
            format!(
                "quorum       q = {}, bears {}",
                self.plan.quorum,
                counted(self.plan.liars, "liar", "liars")
            ),
            String::new(),
            "What can go wrong, over all committees together".into(),
            format!(
                "  colluders learn more than the total   {}",
                chance(bounds.privacy)
            ),
            format!(
                "  colluders make the answer wrong       {}",
                chance(bounds.wrong)
            ),
            format!(
                "  helpers who go away lose the answer   {}",
                chance(bounds.loss)
            ),
        ];
        let mut lines: Vec<_> = lines.into();
        if tree.depth() > 1 {
            lines.push(format!(
                "  a person is missed on the way up      {}",
                chance(bounds.missed)
            ));
        }
        lines.push(String::new());
        lines.extend(table("Each node's part, without proofs", &self.plain));
        match &self.proven {
            Some(proven) => {
                lines.push(String::new());
                lines.extend(table("With proofs that contributions are valid", proven));
            }
            None => lines.push("There is no proof that such contributions are valid.".into()),
        }
        lines
    }

    fn as_json(&self, options: &PlanOptions) -> Value {
        let plan = &self.plan;
        json!({
            "nodes": options.nodes,
            "contributors": plan.terms.contributors,
            "colluders": plan.terms.colluders,
            "offline_permille": plan.terms.offline_permille,
            "lanes": plan.sizes.lanes,
            "replicas": plan.sizes.replicas,
            "signers": plan.sizes.signers,
            "seats": plan.sizes.seats(),
            "quorum": plan.quorum,
            "liars": plan.liars,
            "committees_per_level": plan.tree.committees_per_level(),
            "fan_in": plan.tree.fan_in(),
            "privacy": plan.bounds.privacy,
            "wrong": plan.bounds.wrong,
            "loss": plan.bounds.loss,
            "missed": plan.bounds.missed,
            "costs": costs_as_json(&self.plain),
            "costs_with_proof": self.proven.as_ref().map(costs_as_json),
        })
    }
}

fn costs_as_json(costs: &Costs) -> Value {
    let cost = |cost: &Cost| {
        json!({
            "sent_bytes": cost.sent.round(),
            "received_bytes": cost.received.round(),
            "cpu_micros": (cost.cpu_ns / 100.0).round() / 10.0,
        })
    };
    let of = roles(costs).map(|(_, key, of)| (key.to_string(), of.map_or(Value::Null, cost)));
    Value::Object(of.into_iter().collect())
}

/// In words, in JSON, and what each costs.
fn roles(costs: &Costs) -> [(&'static str, &'static str, Option<&Cost>); 5] {
    [
        ("contributor", "contributor", Some(&costs.contributor)),
        ("replica of a leaf", "replica", Some(&costs.replica)),
        ("replica of a parent", "parent", costs.parent.as_ref()),
        ("at the root, besides", "root", Some(&costs.root)),
        ("querier", "querier", Some(&costs.querier)),
    ]
}

fn table(title: &str, costs: &Costs) -> Vec<String> {
    let head = format!(
        "{title:<42} {:>10} {:>10} {:>10}",
        "sends", "receives", "CPU"
    );
    let row = |(role, _, cost): (&str, &str, Option<&Cost>)| {
        let cost = cost?;
        let (sent, received) = (bytes(cost.sent), bytes(cost.received));
        let cpu = time(cost.cpu_ns);
        Some(format!("  {role:<40} {sent:>10} {received:>10} {cpu:>10}"))
    };
    let rows = roles(costs).into_iter().filter_map(row);
    [head].into_iter().chain(rows).collect()
}

/// A chance in a million or rarer is said as a power of ten.
fn chance(chance: f64) -> String {
    match chance {
        0.0 => "impossible".into(),
        chance if chance < 1e-3 => format!("{chance:.1e}"),
        chance => format!("{:.1} %", chance * 100.0),
    }
}

fn bytes(bytes: f64) -> String {
    match bytes {
        bytes if bytes < 1e3 => format!("{bytes:.0} B"),
        bytes if bytes < 1e6 => format!("{:.1} kB", bytes / 1e3),
        bytes => format!("{:.1} MB", bytes / 1e6),
    }
}

fn time(ns: f64) -> String {
    match ns {
        ns if ns < 1e6 => format!("{:.0} µs", ns / 1e3),
        ns if ns < 1e9 => format!("{:.1} ms", ns / 1e6),
        ns => format!("{:.1} s", ns / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Command, Program};

    fn parse(typed: &str) -> Result<PlanOptions, clap::Error> {
        let typed = ["commonhold", "plan"]
            .into_iter()
            .chain(typed.split_whitespace());
        Program::try_parse_from(typed).map(|program| match program.command {
            Command::Plan(options) => options,
            _ => unreachable!("plan was typed"),
        })
    }

    fn options(typed: &str) -> PlanOptions {
        parse(typed).unwrap()
    }

    #[test]
    fn a_small_community_gets_one_committee() {
        let planned = planned(&options("--nodes 41 --colluders 3 --offline 5")).unwrap();
        let lines = planned.as_lines().join("\n");
        for part in [
            "committees   1 for 40 people",
            "m = 4 lanes of r = 10 replicas: 40 seats",
            "what t = 4 of its replicas sign",
            "q = 22, bears 3 liars",
            "learn more than the total   impossible",
            "make the answer wrong       impossible",
            "lose the answer   3.3e-7",
        ] {
            assert!(lines.contains(part), "{lines}");
        }
        assert!(
            !lines.contains("parent") && !lines.contains("missed"),
            "{lines}"
        );
    }

    #[test]
    fn five_nodes_get_a_committee_of_four() {
        let planned = planned(&options("--nodes 5 --colluders 1 --offline 5")).unwrap();
        let lines = planned.as_lines().join("\n");
        for part in [
            "m = 2 lanes of r = 2 replicas: 4 seats",
            "make the answer wrong       impossible",
            "lose the answer   18.5 %",
        ] {
            assert!(lines.contains(part), "{lines}");
        }
    }

    #[test]
    fn a_million_get_a_tree() {
        let options =
            options("--nodes 1000000 --colluders 1000 --offline 5% --statistic histogram:100");
        let planned = planned(&options).unwrap();
        let lines = planned.as_lines().join("\n");
        assert!(
            lines.contains("1954 + 151 + 12 + 1 (leaves to root)"),
            "{lines}"
        );
        assert!(lines.contains("replica of a parent"), "{lines}");
        assert!(
            lines.contains("missed on the way up      4.8e-7"),
            "{lines}"
        );
        assert!(lines.contains("With proofs"), "{lines}");
        let json = planned.as_json(&options);
        assert_eq!(json["committees_per_level"], json!([1954, 151, 12, 1]));
        assert_eq!(
            [&json["lanes"], &json["replicas"], &json["signers"]],
            [&json!(10), &json!(12), &json!(5)]
        );
        assert!(json["missed"].as_f64().unwrap() <= 1e-3);
        assert!(json["costs"]["parent"]["cpu_micros"].is_number());
        assert!(json["privacy"].as_f64().unwrap() <= 2f64.powi(-40));
    }

    #[test]
    fn vectors_have_no_proof() {
        let options = options("--nodes 200 --colluders 3 --offline 5 --statistic vector:1000");
        let planned = planned(&options).unwrap();
        assert!(
            planned.proven.is_none() && planned.as_json(&options)["costs_with_proof"].is_null()
        );
        assert!(planned.plain.contributor.sent > 8_000.0);
    }

    #[test]
    fn what_cannot_be_says_what_to_type() {
        for (typed, words, code) in [
            ("--nodes 0 --colluders 0 --offline 5", "--nodes 1", USAGE),
            (
                "--nodes 5 --colluders 5 --offline 5",
                "--colluders than",
                USAGE,
            ),
            (
                "--nodes 5 --colluders 1 --offline 5 --contributors 5",
                "--contributors",
                USAGE,
            ),
            ("--nodes 2 --colluders 1 --offline 5", "--nodes 3", REFUSED),
            (
                "--nodes 5 --colluders 2 --offline 5",
                "--colluders 1 or",
                REFUSED,
            ),
            (
                "--nodes 41 --colluders 40 --offline 5",
                "--colluders 9 or",
                REFUSED,
            ),
            (
                "--nodes 100001 --colluders 1000 --offline 50",
                "--offline 42.6",
                REFUSED,
            ),
        ] {
            let Err(failure) = planned(&options(typed)) else {
                panic!("{typed} has a plan");
            };
            let (why, exit) = failure.said();
            assert!(why.contains(words) && !why.contains('\n'), "{why}");
            assert_eq!(exit, code);
        }
    }

    #[test]
    fn only_sense_can_be_typed() {
        let plain = "--nodes 40 --colluders 3";
        for offline in ["0", "5", "5%", "0.5", "100"] {
            parse(&format!("{plain} --offline {offline}")).unwrap();
        }
        for offline in ["-1", "101", "0.05", "nan", "inf", "few", ""] {
            assert!(
                parse(&format!("{plain} --offline={offline}")).is_err(),
                "{offline}"
            );
        }
        for (typed, expected) in [
            ("count", (1, Some(1))),
            ("sum", (2, Some(33))),
            ("mean", (2, Some(33))),
            ("histogram:100", (101, Some(101))),
            ("vector:1048575", (1_048_576, None)),
        ] {
            let options = options(&format!("{plain} --offline 5 --statistic {typed}"));
            assert_eq!(lengths(options.statistic), expected);
        }
        for typed in [
            "median",
            "histogram",
            "histogram:0",
            "vector:1048576",
            "count:1",
            "vector:x",
        ] {
            let typed = format!("{plain} --offline 5 --statistic {typed}");
            assert!(parse(&typed).is_err(), "{typed}");
        }
    }
}
