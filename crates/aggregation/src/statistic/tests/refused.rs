//! Bad input: refused by name, before anything is sent.

use super::*;

fn x() -> Column {
    number("x", 0, 0, 9)
}

fn why(declaration: Declaration) -> DeclarationError {
    Statistic::new(declaration).expect_err("a bad declaration")
}

fn why_measure(measure: Measure) -> DeclarationError {
    let columns = vec![
        x(),
        number("y", 0, 0, 9),
        words("w", &["a", "b"]),
        number("z", 0, 0, 1),
    ];
    why(declare(columns, measure))
}

fn name(column: &str) -> String {
    column.into()
}

#[test]
fn bad_columns() {
    let of = |columns| why(declare(columns, Measure::Count));
    let found = COLUMNS_MAX + 1;
    assert_eq!(of(vec![x(); found]), DeclarationError::Columns { found });
    assert_eq!(of(vec![x(), x()]), DeclarationError::Name { index: 1 });
    assert_eq!(
        of(vec![number("", 0, 0, 1)]),
        DeclarationError::Name { index: 0 }
    );
    let long = "x".repeat(NAME_BYTES_MAX + 1);
    assert_eq!(
        of(vec![number(&long, 0, 0, 1)]),
        DeclarationError::Name { index: 0 }
    );
    let text = Column {
        name: name("t"),
        kind: Kind::Text,
    };
    assert_eq!(of(vec![text]), DeclarationError::Text { column: name("t") });
    for (low, high) in [(3, 3), (4, 3), (i64::MAX, i64::MIN)] {
        let column = name("x");
        let expected = DeclarationError::EmptyRange { column, low, high };
        assert_eq!(of(vec![number("x", 0, low, high)]), expected);
    }
    let decimals = DeclarationError::Decimals {
        column: name("x"),
        found: 10,
    };
    assert_eq!(of(vec![number("x", 10, 0, 1)]), decimals);
    let many: Vec<String> = (0..=CELLS_MAX).map(|word| word.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for list in [&[][..], &["a", "b", "a"], &many] {
        assert_eq!(
            of(vec![words("w", list)]),
            DeclarationError::Words { column: name("w") }
        );
    }
}

#[test]
fn bad_crowds() {
    for found in [0, CONTRIBUTORS_MAX + 1, u64::MAX] {
        let declaration = Declaration {
            contributors: found,
            ..declare(vec![], Measure::Count)
        };
        assert_eq!(why(declaration), DeclarationError::Contributors { found });
    }
    for found in [0, ROWS_MAX + 1] {
        let declaration = Declaration {
            rows: found,
            ..declare(vec![], Measure::Count)
        };
        assert_eq!(why(declaration), DeclarationError::Rows { found });
    }
}

#[test]
fn bad_groups() {
    let of = |group_by| {
        let columns = vec![
            number("x", 0, 0, 9999),
            words("w", &["a"]),
            number("v", 0, 0, 99),
        ];
        why(Declaration {
            group_by,
            ..declare(columns, Measure::Sum { column: 0 })
        })
    };
    let found = GROUPINGS_MAX + 1;
    assert_eq!(
        of(vec![Domain::Words(1); found]),
        DeclarationError::Groupings { found }
    );
    assert_eq!(
        of(vec![Domain::Words(9)]),
        DeclarationError::NoColumn { index: 9 }
    );
    assert_eq!(
        of(vec![Domain::Words(0)]),
        DeclarationError::NotWords { column: name("x") }
    );
    let buckets = |column, starts| Domain::Buckets(Buckets { column, starts });
    assert_eq!(
        of(vec![buckets(1, vec![])]),
        DeclarationError::NotNumbers { column: name("w") }
    );
    for starts in [
        vec![0],
        vec![10_000],
        vec![5, 5],
        vec![6, 5],
        (1..=4096).collect(),
    ] {
        let expected = DeclarationError::Buckets { column: name("x") };
        assert_eq!(of(vec![buckets(0, starts)]), expected);
    }
    let two = vec![
        buckets(0, (1..=64).collect()),
        buckets(2, (1..=63).collect()),
    ];
    assert_eq!(of(two), DeclarationError::Cells);
    let columns = vec![number("x", 0, 0, 9999), number("y", 0, 0, 9)];
    let histogram = Measure::Histogram {
        domain: buckets(0, (1..4096).collect()),
    };
    let group_by = vec![buckets(1, (1..=9).collect())];
    let cells_of_buckets = Declaration {
        group_by: group_by.clone(),
        ..declare(columns.clone(), histogram.clone())
    };
    assert!(Statistic::new(cells_of_buckets).is_ok());
    let twice = Declaration {
        group_by,
        rows: 2,
        ..declare(columns, histogram)
    };
    assert_eq!(why(twice), DeclarationError::TooLong);
}

#[test]
fn bad_measures() {
    assert_eq!(
        why_measure(Measure::Sum { column: 4 }),
        DeclarationError::NoColumn { index: 4 }
    );
    let not_numbers = DeclarationError::NotNumbers { column: name("w") };
    assert_eq!(why_measure(Measure::Mean { column: 2 }), not_numbers);
    for order in [0, 1, 5, 255] {
        let expected = DeclarationError::Order {
            column: name("x"),
            order,
        };
        assert_eq!(why_measure(Measure::Moments { column: 0, order }), expected);
    }
    let buckets = Buckets {
        column: 0,
        starts: vec![],
    };
    for levels in [vec![], vec![LEVEL_ONE + 1], vec![0; LEVELS_MAX + 1]] {
        let measure = Measure::Quantiles {
            buckets: buckets.clone(),
            levels,
        };
        assert_eq!(why_measure(measure), DeclarationError::Levels);
    }
    let top = Measure::Top {
        domain: Domain::Words(2),
        count: 0,
    };
    assert_eq!(why_measure(top), DeclarationError::EmptyTop);
    let extremes = Measure::Extremes {
        buckets: Buckets {
            column: 2,
            starts: vec![],
        },
    };
    assert_eq!(why_measure(extremes), not_numbers);
}

#[test]
fn bad_regressions() {
    let (least, most) = (2, PREDICTORS_MAX + 1);
    for columns in [vec![], vec![0], vec![0, 1, 0], (0..18).collect()] {
        let found = columns.len();
        let expected = DeclarationError::Number { found, least, most };
        assert_eq!(why_measure(Measure::Covariance { columns }), expected);
    }
    let linear = |predictors| {
        why_measure(Measure::Linear {
            response: 0,
            predictors,
        })
    };
    let none = DeclarationError::Number {
        found: 0,
        least: 1,
        most: PREDICTORS_MAX,
    };
    assert_eq!(linear(vec![]), none);
    assert_eq!(
        linear(vec![1, 0]),
        DeclarationError::Number {
            found: 3,
            least,
            most
        }
    );
    assert_eq!(
        linear(vec![2]),
        DeclarationError::NotNumbers { column: name("w") }
    );
}

#[test]
fn bad_logistic_steps() {
    let logistic = |response, weights, weight_decimals, decimals| Measure::Logistic {
        response,
        predictors: vec![0],
        weights,
        weight_decimals,
        decimals,
    };
    let not_binary = DeclarationError::NotBinary { column: name("y") };
    assert_eq!(why_measure(logistic(1, vec![0, 0], 0, 0)), not_binary);
    let weights = DeclarationError::Weights {
        found: 1,
        expected: 2,
    };
    assert_eq!(why_measure(logistic(3, vec![0], 0, 0)), weights);
    let digits = DeclarationError::StepDecimals { found: 10 };
    assert_eq!(why_measure(logistic(3, vec![0, 0], 10, 0)), digits);
    assert_eq!(why_measure(logistic(3, vec![0, 0], 0, 10)), digits);
    let wide = vec![number("x", 0, i64::MIN, i64::MAX), number("z", 0, 0, 1)];
    let too_fine = DeclarationError::TooFine {
        column: name("x"),
        limit_bits: 44,
    };
    assert_eq!(why(declare(wide, logistic(1, vec![0, 0], 0, 0))), too_fine);
}

#[test]
fn the_finest_step_is_the_last_that_is_not_refused() {
    for (decimals, max) in [
        (0, 1),
        (2, 5_000_000),
        (0, 30_000_000),
        (9, 7),
        (0, 1 << 30),
        (0, i64::MAX),
    ] {
        let sound = |step: &u8| {
            let columns = vec![number("x", decimals, 0, max), number("z", 0, 0, 1)];
            let measure = Measure::Logistic {
                response: 1,
                predictors: vec![0],
                weights: vec![0, 0],
                weight_decimals: 0,
                decimals: *step,
            };
            Statistic::new(declare(columns, measure)).is_ok()
        };
        let range = Range {
            decimals,
            min: 0,
            max,
        };
        let finest = finest_decimals(&[range], 6);
        assert_eq!(finest, (0..=6).rev().find(sound), "{max}");
    }
}

#[test]
fn bad_rows() {
    let columns = vec![number("x", 1, -50, 50), words("w", &["a", "b"])];
    let statistic = statistic(columns, Measure::Sum { column: 0 });
    let of = |rows: &[&[Value<'_>]]| statistic.encode(rows).expect_err("a bad row");
    let (low, high) = (
        Fixed {
            units: -50,
            decimals: 1,
        },
        Fixed {
            units: 50,
            decimals: 1,
        },
    );
    let a = Value::Word("a");
    let good = [Value::Number(50), a];
    assert_eq!(statistic.encode(&[good]), Ok(vec![1, 100]));
    assert_eq!(statistic.encode::<&[Value<'_>]>(&[]), Ok(vec![0, 0]));
    assert_eq!(
        of(&[&good, &good]),
        RowError::TooManyRows { found: 2, limit: 1 }
    );
    assert_eq!(
        of(&[&[]]),
        RowError::Length {
            found: 0,
            expected: 2
        }
    );
    assert_eq!(
        of(&[&good[..1]]),
        RowError::Length {
            found: 1,
            expected: 2
        }
    );
    assert_eq!(of(&[&[a, a]]), RowError::Kind { column: name("x") });
    assert_eq!(
        of(&[&[good[0], good[0]]]),
        RowError::Kind { column: name("w") }
    );
    for value in [-51, 51, i64::MIN, i64::MAX] {
        let expected = RowError::OutOfRange {
            column: name("x"),
            low,
            high,
        };
        assert_eq!(
            expected.to_string(),
            "column \"x\": a value outside of -5.0 to 5.0"
        );
        assert_eq!(of(&[&[Value::Number(value), a]]), expected);
    }
    let unknown = RowError::UnknownWord {
        column: name("w"),
        words: 2,
    };
    assert_eq!(of(&[&[good[0], Value::Word("c")]]), unknown);
    assert_eq!(format!("{good:?}"), "[Value(secret), Value(secret)]");
}

#[test]
fn bad_doubles() {
    let column = number("x", 1, -50, 50);
    for (value, units) in [(0.0, 0), (-5.04, -50), (4.96, 50), (0.06, 1), (-0.06, -1)] {
        assert_eq!(to_units(&column, value), Ok(units));
    }
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(
            to_units(&column, value),
            Err(RowError::NotFinite { column: name("x") })
        );
    }
    let (low, high) = (
        Fixed {
            units: -50,
            decimals: 1,
        },
        Fixed {
            units: 50,
            decimals: 1,
        },
    );
    for value in [5.06, -5.06, f64::MAX, 1e300] {
        let expected = RowError::OutOfRange {
            column: name("x"),
            low,
            high,
        };
        assert_eq!(to_units(&column, value), Err(expected));
    }
    let widest = number("x", 0, i64::MIN + 1, i64::MAX - 1);
    for value in [9.3e18, -9.3e18, 9_223_372_036_854_775_807.0] {
        assert!(to_units(&widest, value).is_err(), "{value}");
    }
    let w = words("w", &["a"]);
    assert_eq!(to_units(&w, 1.0), Err(RowError::Kind { column: name("w") }));
}
