//! Figures against the clear ones: made up, and from people's own vaults.

use aggregation::committee::Totals;
use aggregation::suppression;
use base::Rng;
use community::Table;
use question::{Answer, Question};
use tempfile::{TempDir, tempdir};
use vault::{Vault, VaultKey, import_csv, propose};

use super::*;
use crate::demo::clear::figures;
use crate::report::shown;

fn figure(name: &str, value: &str) -> Figure {
    Figure {
        name: name.into(),
        value: Some(value.into()),
        exactness: String::new(),
    }
}

fn near(value: f64, off: f64) -> Near {
    Near {
        value: Some(value),
        off,
    }
}

#[test]
fn a_range_holds_its_value() {
    let exact = |value| near(value, 0.0);
    assert!(is(&figure("median", "6.5 to 6.9"), &exact(6.7)));
    assert!(!is(&figure("median", "6.5 to 6.9"), &exact(7.0)));
}

#[test]
fn small_differences_are_rounding_only_where_figures_are_rounded() {
    let exact = |value| near(value, 0.0);
    assert!(is(&figure("mean", "7.3608"), &exact(7.360_824_74)));
    assert!(!is(&figure("mean", "7.3608"), &exact(7.360_86)));
    assert!(is(&figure("slope", "1000000000"), &exact(1e9 + 0.5)));
    assert!(!is(&figure("slope", "1000000000"), &exact(1e9 + 2.0)));
    let mut total = figure("total", "7.3");
    assert!(is(&total, &exact(7.34)));
    total.exactness = "exact".into();
    assert!(is(&total, &exact(7.3)) && !is(&total, &exact(7.300_001)));
    assert!(is(&total, &near(7.31, 0.02)) && !is(&total, &near(7.33, 0.02)));
    total.value = None;
    assert!(is(&total, &Near::exact(None)) && !is(&total, &exact(7.3)));
}

#[test]
fn groups_are_found_by_word_and_bucket() {
    let row = |people, labels: [&str; 2]| Row {
        labels: labels.map(String::from).into(),
        people: Some(people),
        figures: Some(Vec::new()),
    };
    let group = |word: &str, figure| Group {
        labels: vec![word.into(), "10\u{1f}10".into()],
        figures: Said::Number(figure),
    };
    let clear = [group("a", 4.0), group("b", 5.0)];
    assert!(row_is(&row(5, ["b", "18 to 19"]), &clear));
    assert!(!row_is(&row(4, ["b", "18 to 19"]), &clear));
    assert!(!row_is(&row(5, ["b", "20 to 29"]), &clear));
}

#[test]
fn parts_have_their_values() {
    let values = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    let parts = [figure("0 to 1", "2"), figure("2 to 3", "1")];
    assert!(has(&parts, &values(&["0", "1", "2.5"])));
    assert!(!has(&parts, &values(&["0", "2", "2.5"])));
    let words = [figure("red", "1")];
    assert!(has(&words, &values(&["red", "blue"])));
}

#[test]
fn those_with_most_people_are_named() {
    let people = |all: &[(&str, usize)]| -> BTreeMap<String, usize> {
        let all = all.iter();
        all.map(|(part, count)| (part.to_string(), *count))
            .collect()
    };
    let all = people(&[("red", 5), ("blue", 3), ("green", 3)]);
    let [red, blue, tied] =
        [("red", "5"), ("blue", "3"), ("others", "1")].map(|(name, value)| figure(name, value));
    let two = [red.clone(), blue.clone()];
    assert!(names_most(&two, 2, &all));
    assert!(names_most(&[red.clone(), blue, tied.clone()], 2, &all));
    assert!(
        !names_most(&[red, tied], 1, &all),
        "nobody has as many as red"
    );
    assert!(names_most(&two[..1], 3, &all), "the others may be withheld");
    assert!(!names_most(&two[1..], 1, &all), "red has more");
    assert!(!names_most(&two, 1, &all), "one was asked for");
    assert!(!names_most(&[figure("red", "4")], 1, &all));
    assert!(!names_most(&[figure("black", "5")], 1, &all));
    assert!(!names_most(&[], 1, &all));
    let buckets = people(&[("10\u{1f}10", 2), ("0\u{1f}10", 1)]);
    assert!(names_most(&[figure("10 to 19", "2")], 1, &buckets));
    assert!(!names_most(&[figure("0 to 9", "1")], 1, &buckets));
}

#[test]
fn rounding_is_said() {
    let rounded = Clear::Whole(Said::Numbers(vec![near(1.0, 0.1)]));
    assert_eq!(how_near(&rounded), "equal, to the declared step");
    assert_eq!(how_near(&Clear::Whole(Said::Number(1.0))), "equal");
}

/// Smallest crowd of the tests.
const ENOUGH: u64 = 2;
const HEADER: &str = "id,age,hours,sex,passed\n";

/// People's records, and the vaults that hold them.
struct People {
    table: Table,
    files: Vec<String>,
    vaults: Vec<Vault>,
    _folder: TempDir,
}

impl People {
    /// Forty people with one or several records each, in which values are missing.
    fn forty(several: u64) -> Self {
        let mut rng = Rng::from_number(11);
        let mut record = |id: u64| {
            let age = 20 + rng.below(60);
            let hours = 40 + rng.below(60) + (80 - age) / 4;
            let cells = [
                age.to_string(),
                format!("{}.{}", hours / 10, hours % 10),
                ["m", "f", "x"][rng.below(3) as usize].to_owned(),
                u64::from(rng.below(100) < hours).to_string(),
            ];
            let cells = cells.map(|cell| {
                let is_missing = rng.below(8) == 0;
                if is_missing { String::new() } else { cell }
            });
            format!("{id},{}\n", cells.join(","))
        };
        let mut records = |id| (0..=id % several).map(|_| record(id)).collect::<String>();
        Self::of((0..40).map(|id| HEADER.to_owned() + &records(id)).collect())
    }

    fn of(files: Vec<String>) -> Self {
        let lines = files.iter().filter_map(|file| file.strip_prefix(HEADER));
        let all = HEADER.to_owned() + &lines.collect::<String>();
        let table = propose(all.as_bytes(), "t").expect("a table").table;
        let folder = tempdir().expect("a folder");
        let key = VaultKey::generate(&mut Rng::from_number(1));
        let vaults = files.iter().enumerate().map(|(place, file)| {
            let path = folder.path().join(place.to_string());
            let mut vault = Vault::create(&path, &key).expect("created");
            import_csv(&mut vault, file.as_bytes(), &table, None).expect("imported");
            vault
        });
        Self {
            vaults: vaults.collect(),
            table,
            files,
            _folder: folder,
        }
    }

    /// What the vaults answer, added up and opened as a committee does.
    fn answer(&self, question: &Question) -> Answer {
        let mut total = vec![0u64; question.vector_len()];
        for vault in &self.vaults {
            let row = vault.answer(question).expect("answered");
            for (sum, part) in total.iter_mut().zip(question.measure(&row).vector) {
                *sum += part;
            }
        }
        let layout = question.statistic().layout();
        let cells: Vec<Vec<u64>> = (0..question.cells())
            .map(|cell| layout.elements(cell).map(|index| total[index]).collect())
            .collect();
        let whole = (0..cells[0].len()).map(|index| cells.iter().map(|cell| cell[index]).sum());
        let whole = whole.collect();
        let counts: Vec<_> = cells.iter().map(|cell| cell[0]).collect();
        let open = suppression::open(&counts, ENOUGH).cells;
        let cells = if cells.len() == 1 {
            Vec::new()
        } else {
            let both = cells.into_iter().zip(open);
            both.map(|(cell, open)| open.then_some(cell)).collect()
        };
        let totals = Totals { whole, cells };
        question.decode(&totals).expect("honest totals")
    }

    /// Whether the answer is that of the clear records, and that of the records without the last quarter of the people.
    fn compared(&self, sql: &str) -> [Option<bool>; 2] {
        let question = Question::parse(sql, std::slice::from_ref(&self.table), 100).expect(sql);
        let answer = self.answer(&question);
        let files: Vec<_> = self.files.iter().map(String::as_bytes).collect();
        [files.len(), files.len() * 3 / 4].map(|count| {
            let clear = figures(&self.table, &question, &files[..count]).expect(sql);
            let (all, groups) = (shown::of_all(&answer), shown::of_groups(&answer));
            equal_figures(answer.people, &all, &groups, &clear)
        })
    }
}

#[test]
fn every_statistic_is_that_of_the_clear_records() {
    let people = People::forty(1);
    for call in [
        "COUNT(*)",
        "COUNT(hours)",
        "SUM(hours)",
        "AVG(hours - age / 8)",
        "VAR_POP(hours)",
        "STDDEV_SAMP(age)",
        "SKEWNESS(hours)",
        "KURTOSIS(hours)",
        "HISTOGRAM(age, 20)",
        "HISTOGRAM(sex)",
        "TOP(sex, 2)",
        "TOP(BUCKET(age, 20), 1)",
        "COVAR_SAMP(hours, age)",
        "CORR(hours, age)",
        "REGR(hours, age)",
        "REGR(hours, age, age * age)",
        "LOGISTIC(passed, hours)",
        "LOGISTIC(hours < 7, age)",
        "LOGISTIC(passed, hours, age, -2, 0.25, 0.01, 0.01)",
        "LOGISTIC(sex = 'f' OR hours > 9, age / 10, 0.5, -0.125, 0.000000001)",
    ] {
        for rest in [
            "",
            " WHERE age > 30 OR sex = 'm'",
            " GROUP BY sex",
            " GROUP BY BUCKET(age, 40)",
        ] {
            let sql = format!("SELECT {call} FROM t{rest}");
            assert_eq!(people.compared(&sql), [Some(true), Some(false)], "{sql}");
        }
    }
    // What other people say may lie in the same range.
    for call in [
        "MODE(sex)",
        "MEDIAN(hours, 1)",
        "QUANTILE(hours, 0.9, 1)",
        "MIN(age, 10)",
        "MAX(age, 10)",
    ] {
        for rest in ["", " GROUP BY sex"] {
            let sql = format!("SELECT {call} FROM t{rest}");
            assert_eq!(people.compared(&sql)[0], Some(true), "{sql}");
        }
    }
}

#[test]
fn what_a_persons_records_come_down_to_is_compared() {
    let people = People::forty(4);
    for (call, inner, rest) in [
        ("AVG(h)", "SUM(hours) AS h FROM t", ""),
        ("AVG(h)", "AVG(hours) AS h FROM t", ""),
        ("SUM(h)", "AVG(age - 50) AS h FROM t", ""),
        ("SUM(h)", "MIN(hours) AS h FROM t WHERE sex = 'm'", ""),
        ("SUM(n)", "COUNT(*) AS n FROM t HAVING COUNT(*) <= 3", ""),
        (
            "COUNT(*)",
            "COUNT(hours) AS n FROM t WHERE age > 30",
            " WHERE n > 1",
        ),
        (
            "AVG(h * n)",
            "MAX(hours) AS h, COUNT(age) AS n FROM t",
            " GROUP BY BUCKET(n, 2)",
        ),
        ("REGR(h, a)", "AVG(hours) AS h, AVG(age) AS a FROM t", ""),
        (
            "LOGISTIC(p > 0, h)",
            "SUM(passed) AS p, SUM(hours) AS h FROM t",
            "",
        ),
        (
            "HISTOGRAM(n, 2)",
            "COUNT(*) AS n FROM t HAVING COUNT(*) <= 10",
            "",
        ),
        ("TOP(BUCKET(n, 1), 2)", "COUNT(hours) AS n FROM t", ""),
    ] {
        let sql = format!("SELECT {call} FROM (SELECT {inner}){rest}");
        assert_eq!(people.compared(&sql), [Some(true), Some(false)], "{sql}");
    }
}

#[test]
fn what_is_not_told_is_not_compared() {
    let people = People::forty(1);
    for sql in [
        "SELECT TOP(BUCKET(hours, 0.1), 1) FROM t WHERE age < 25",
        "SELECT AVG(age) FROM t WHERE age < 25 GROUP BY BUCKET(hours, 0.1)",
    ] {
        assert_eq!(people.compared(sql), [None, None], "{sql}");
    }
}

#[test]
fn a_line_that_cannot_be_drawn_is_missing_on_both_sides() {
    // Of those who have both values, all are of one age.
    let mut files: Vec<_> = (0..9)
        .map(|id| format!("{HEADER}{id},40,{id}.5,m,1\n"))
        .collect();
    files.push(format!("{HEADER}9,50,,f,0\n"));
    let people = People::of(files);
    for call in ["REGR(hours, age)", "LOGISTIC(hours > 3, age)"] {
        let sql = format!("SELECT {call} FROM t");
        assert_eq!(people.compared(&sql)[0], Some(true), "{sql}");
    }
}
