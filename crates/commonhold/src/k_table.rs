//! `commonhold k-table`: the table that says who may witness a draw, for people to look at and for programs.

use std::process::ExitCode;

use overlay::{KTable, KTableError, Parameters, Row};
use serde_json::{Value, json};

use crate::cli::{ANSWERED, FormOption, KTableOptions, SizeOption, USAGE, fail};
use crate::output::tell;

/// Runs the command.
pub fn main(options: &KTableOptions) -> ExitCode {
    let parameters = parameters(options);
    match KTable::new(parameters) {
        Ok(table) => {
            let size = |row: &Row| match options.size {
                SizeOption::Width => row.region_size,
                SizeOption::Radius => row.region_size / 2.0,
            };
            if options.json {
                tell(format_args!(
                    "{:#}",
                    as_json(options, &parameters, table.rows(), size)
                ));
            } else {
                tell(as_lines(options, table.rows(), size).join("\n"));
            }
            ExitCode::from(ANSWERED)
        }
        Err(why) => fail(options.json, &advice(&why), USAGE),
    }
}

fn parameters(options: &KTableOptions) -> Parameters {
    Parameters {
        form: options.form.into(),
        smallest_k: options.smallest_k,
        shortage: options.shortage.unwrap_or(options.alpha),
        centre_counts: options.centre_counts,
        ..Parameters::new(options.nodes, options.colluders, options.alpha)
    }
}

/// What is wrong, and what to type instead.
fn advice(why: &KTableError) -> String {
    let instead = match why {
        KTableError::NoNodes => "; give --nodes 1 or more",
        KTableError::Colluders { .. } => "; give fewer --colluders than --nodes",
        KTableError::Alpha(_) => "; give an --alpha such as 1e-6",
        KTableError::Shortage(_) => "; give a --shortage such as 1e-6",
        KTableError::SmallestK(_) => {
            "; give a --smallest-k of at least 2 (paper form: 1), up to 1024"
        }
        KTableError::Infeasible => "",
    };
    format!("{why}{instead}")
}

fn size_name(options: &KTableOptions) -> &'static str {
    match options.size {
        SizeOption::Width => "width",
        SizeOption::Radius => "radius",
    }
}

fn form_name(options: &KTableOptions) -> &'static str {
    match options.form {
        FormOption::Paper => "paper",
        FormOption::Sound => "sound",
    }
}

fn as_json(
    options: &KTableOptions,
    parameters: &Parameters,
    rows: &[Row],
    size: impl Fn(&Row) -> f64,
) -> Value {
    let row = |row: &Row| {
        json!({
            "k": row.k,
            "region_size": size(row),
            "holds_k_nodes": row.holds_k_nodes,
        })
    };
    json!({
        "nodes": parameters.nodes,
        "colluders": parameters.colluders,
        "alpha": parameters.alpha,
        "form": form_name(options),
        "smallest_k": parameters.smallest_k,
        "shortage": parameters.shortage,
        "centre_counts": parameters.centre_counts,
        "size": size_name(options),
        "rows": rows.iter().map(row).collect::<Vec<_>>(),
    })
}

fn as_lines(options: &KTableOptions, rows: &[Row], size: impl Fn(&Row) -> f64) -> Vec<String> {
    let head = format!(
        "{:>4}  {:<19}  chance that it holds k nodes",
        "k",
        format!("region ({})", size_name(options))
    );
    let row = |row: &Row| {
        // Twelve significant digits.
        format!(
            "{:>4}  {:<19.11e}  {:.9e}",
            row.k,
            size(row),
            row.holds_k_nodes
        )
    };
    [head].into_iter().chain(rows.iter().map(row)).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use overlay::Form;

    use super::*;
    use crate::cli::{Command, Program};

    fn options(more: &[&str]) -> KTableOptions {
        let plain = ["commonhold", "k-table", "--nodes", "40", "--colluders", "3"];
        match Program::try_parse_from(plain.iter().chain(more))
            .unwrap()
            .command
        {
            Command::KTable(options) => options,
            _ => unreachable!("k-table was typed"),
        }
    }

    #[test]
    fn prints_twelve_digits_of_each_row() {
        let options = options(&["--alpha", "1e-6", "--form", "paper"]);
        let table = KTable::new(parameters(&options)).unwrap();
        let lines = as_lines(&options, table.rows(), |row| row.region_size);
        assert_eq!(lines.len(), 4);
        assert_eq!(
            lines[1].split_whitespace().collect::<Vec<_>>(),
            ["2", "5.77461433792e-4", "2.563254396e-4"]
        );
    }

    #[test]
    fn powers_of_two_are_chances() {
        let alpha = |text| options(&["--alpha", text]).alpha;
        assert_eq!(alpha("2^-64"), 2f64.powi(-64));
        assert_eq!(alpha("1e-2"), 0.01);
        for bad in ["0", "1", "-1e-6", "2^3", "2^", "nan", "inf", "few"] {
            let plain = [
                "commonhold",
                "k-table",
                "--nodes",
                "40",
                "--colluders",
                "3",
                "--alpha",
            ];
            assert!(Program::try_parse_from(plain.iter().chain([&bad])).is_err());
        }
    }

    #[test]
    fn open_definitions_are_parameters() {
        let options = options(&[
            "--alpha",
            "1e-6",
            "--smallest-k",
            "3",
            "--shortage",
            "1e-3",
            "--centre-counts",
        ]);
        let parameters = parameters(&options);
        assert_eq!((parameters.smallest_k, parameters.shortage), (3, 1e-3));
        assert!(parameters.centre_counts && parameters.form == Form::Sound);
    }

    #[test]
    fn each_error_says_what_to_type() {
        for (why, flag) in [
            (KTableError::NoNodes, "--nodes"),
            (
                KTableError::Colluders {
                    colluders: 3,
                    nodes: 2,
                },
                "--colluders",
            ),
            (KTableError::SmallestK(0), "--smallest-k"),
        ] {
            assert!(advice(&why).contains(flag));
            assert!(!advice(&why).contains('\n'));
        }
    }
}
