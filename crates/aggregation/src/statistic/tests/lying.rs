//! Totals that no population has: an error each, never a panic.

use proptest::prelude::*;

use super::*;

fn declarations() -> Vec<Declaration> {
    let columns = || {
        vec![
            words("colour", &["red", "green"]),
            number("x", 2, -300, 500),
            number("y", 0, -(1 << 30), 1 << 30),
            number("z", 0, 0, 1),
        ]
    };
    let buckets = || Buckets {
        column: 1,
        starts: vec![0, 100],
    };
    let measures = vec![
        Measure::Count,
        Measure::Sum { column: 2 },
        Measure::Mean { column: 1 },
        Measure::Moments {
            column: 1,
            order: 4,
        },
        Measure::Moments {
            column: 2,
            order: 3,
        },
        Measure::Histogram {
            domain: Domain::Words(0),
        },
        Measure::Quantiles {
            buckets: buckets(),
            levels: vec![0, 500_000, LEVEL_ONE],
        },
        Measure::Extremes { buckets: buckets() },
        Measure::Top {
            domain: Domain::Buckets(buckets()),
            count: 2,
        },
        Measure::Covariance {
            columns: vec![1, 2],
        },
        Measure::Linear {
            response: 2,
            predictors: vec![1, 3],
        },
        Measure::Logistic {
            response: 3,
            predictors: vec![1],
            weights: vec![0, 5],
            weight_decimals: 1,
            decimals: 2,
        },
    ];
    let mut all = Vec::new();
    for measure in measures {
        for rows in [1, 3] {
            for group_by in [vec![], vec![Domain::Words(0)]] {
                let one = declare(columns(), measure.clone());
                all.push(Declaration {
                    rows,
                    group_by,
                    ..one
                });
            }
        }
    }
    all
}

fn any_statistic() -> impl Strategy<Value = Statistic> {
    let all: Vec<_> = declarations()
        .into_iter()
        .map(|one| Statistic::new(one).unwrap())
        .collect();
    prop::sample::select(all)
}

/// Small numbers pass more checks than large ones.
fn any_element() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..4, 0u64..2000, any::<u64>()]
}

proptest! {
    #[test]
    fn any_totals(statistic in any_statistic(), seed in prop::collection::vec(any_element(), 80)) {
        let len = statistic.layout().len();
        let totals: Vec<u64> = seed.into_iter().cycle().take(len).collect();
        if let Ok(answer) = statistic.decode(&totals) {
            prop_assert!(answer.people <= 1000);
        }
    }

    /// Honest totals, one of them changed.
    #[test]
    fn one_total_changed(
        statistic in any_statistic(),
        values in prop::collection::vec((any::<bool>(), -300i64..=500, -(1i64 << 30)..=1 << 30, 0i64..=1), 1..6),
        at: prop::sample::Index,
        element in any_element(),
    ) {
        let people = values.iter().map(|&(red, x, y, z)| {
            let [x, y, z] = [x, y, z].map(Value::Number);
            [[Value::Word(if red { "red" } else { "green" }), x, y, z]]
        });
        let mut totals = totals(&statistic, people);
        prop_assert!(statistic.decode(&totals).is_ok());
        let index = at.index(totals.len());
        totals[index] = element;
        let changed = statistic.decode(&totals);
        if statistic.layout().counts().contains(&index) && element > 1000 {
            prop_assert!(changed.is_err());
        }
    }

    #[test]
    fn any_declaration(bytes in prop::collection::vec(any::<u8>(), 0..200), at: prop::sample::Index, which: prop::sample::Index) {
        let all = declarations();
        let mut honest = base::encode(&all[which.index(all.len())]);
        prop_assert_eq!(base::decode(&honest, DECLARATION_BYTES_MAX), Ok(all[which.index(all.len())].clone()));
        let index = at.index(honest.len());
        honest[index] = bytes.first().copied().unwrap_or(0);
        for bytes in [bytes, honest] {
            if let Ok(declaration) = base::decode::<Declaration>(&bytes, DECLARATION_BYTES_MAX) {
                // Refused or not, whatever it says.
                if let Ok(statistic) = Statistic::new(declaration) {
                    prop_assert!(statistic.layout().len() <= VECTOR_LEN_MAX);
                }
            }
        }
    }
}

fn refused(statistic: &Statistic, totals: &[u64]) -> TotalsError {
    statistic
        .decode(totals)
        .expect_err("no population has these totals")
}

#[test]
fn counts_that_cannot_be() {
    let x = || vec![number("x", 0, 0, 9), words("w", &["a", "b"])];
    let count = statistic(x(), Measure::Count);
    assert_eq!(
        refused(&count, &[]),
        TotalsError::Length {
            expected: 1,
            found: 0
        }
    );
    let people = TotalsError::People {
        found: 1001,
        contributors: 1000,
    };
    assert_eq!(refused(&count, &[1001]), people);

    let group_by = vec![Domain::Words(1)];
    let grouped = Statistic::new(Declaration {
        group_by,
        ..declare(x(), Measure::Count)
    })
    .unwrap();
    assert_eq!(grouped.decode(&[2, 3]).map(|answer| answer.people), Ok(5));
    let together = TotalsError::People {
        found: 1200,
        contributors: 1000,
    };
    assert_eq!(refused(&grouped, &[600, 600]), together);
    let whole = grouped.decode_whole(&[5]).unwrap();
    assert_eq!((whole.people, whole.labels.len()), (5, 0));

    // Of several rows, a person can be in both.
    let several = Statistic::new(Declaration {
        rows: 2,
        ..grouped.declaration().clone()
    })
    .unwrap();
    assert!(several.decode(&[5, 2, 3, 2, 3]).is_ok());
    assert!(several.decode(&[3, 2, 3, 2, 3]).is_ok());
    assert_eq!(refused(&several, &[6, 2, 3, 2, 3]), TotalsError::Parts);
    assert_eq!(refused(&several, &[2, 2, 3, 2, 3]), TotalsError::Parts);

    let histogram = statistic(
        x(),
        Measure::Histogram {
            domain: Domain::Words(1),
        },
    );
    assert!(histogram.decode(&[5, 2, 3]).is_ok());
    assert_eq!(refused(&histogram, &[5, 6, 0]), TotalsError::Parts);
    assert_eq!(
        refused(&histogram, &[0, u64::MAX, u64::MAX]),
        TotalsError::Parts
    );
}

#[test]
fn rows_that_cannot_be() {
    let several = |measure| {
        let columns = vec![number("x", 0, 0, 9), words("w", &["a", "b"])];
        Statistic::new(Declaration {
            rows: 3,
            ..declare(columns, measure)
        })
        .unwrap()
    };
    let sum = several(Measure::Sum { column: 0 });
    assert!(sum.decode(&[2, 6, 54]).is_ok());
    assert_eq!(
        refused(&sum, &[2, 7, 0]),
        TotalsError::TooLarge { index: 0 }
    );
    assert_eq!(refused(&sum, &[2, 1, 0]), TotalsError::Rows);
    assert_eq!(
        refused(&sum, &[2, 5, 46]),
        TotalsError::TooLarge { index: 1 }
    );
    let histogram = several(Measure::Histogram {
        domain: Domain::Words(1),
    });
    // People, people in each bucket, rows, rows in each bucket.
    assert!(histogram.decode(&[2, 1, 2, 4, 1, 3]).is_ok());
    assert_eq!(refused(&histogram, &[2, 1, 2, 4, 1, 2]), TotalsError::Parts);
    assert_eq!(refused(&histogram, &[2, 1, 2, 4, 0, 4]), TotalsError::Rows);
    assert_eq!(refused(&histogram, &[2, 1, 0, 4, 4, 0]), TotalsError::Parts);
    let count = Declaration {
        group_by: vec![Domain::Words(1)],
        ..several(Measure::Count).declaration().clone()
    };
    let grouped = Statistic::new(count).unwrap();
    // People, people of each cell, rows of each cell. A person may be in both cells, but in each once.
    assert!(grouped.decode(&[2, 2, 2, 2, 3]).is_ok());
    assert_eq!(refused(&grouped, &[2, 3, 0, 3, 0]), TotalsError::Parts);
}

#[test]
fn sums_that_cannot_be() {
    let x = || vec![number("x", 0, 0, 9), number("y", 0, 0, 9)];
    let impossible = |column: &str| TotalsError::Impossible {
        column: column.into(),
    };
    let sum = statistic(x(), Measure::Sum { column: 0 });
    assert_eq!(refused(&sum, &[2, 19]), TotalsError::TooLarge { index: 0 });
    assert_eq!(refused(&sum, &[0, 1]), TotalsError::TooLarge { index: 0 });

    let variance = statistic(
        x(),
        Measure::Moments {
            column: 0,
            order: 2,
        },
    );
    assert!(variance.decode(&[2, 10, 50]).is_ok());
    // A negative variance; squares below their roots; squares above nine times their roots.
    for totals in [[2, 10, 49], [10, 2, 1], [2, 2, 19]] {
        assert_eq!(refused(&variance, &totals), impossible("x"));
    }
    let third = statistic(
        x(),
        Measure::Moments {
            column: 0,
            order: 3,
        },
    );
    assert!(third.decode(&[2, 10, 50, 250]).is_ok());
    // No variance, but skewness.
    assert_eq!(refused(&third, &[2, 10, 50, 251]), impossible("x"));
    let fourth = statistic(
        x(),
        Measure::Moments {
            column: 0,
            order: 4,
        },
    );
    // 0 and 2; a kurtosis below 1.
    assert!(fourth.decode(&[2, 2, 4, 8, 16]).is_ok());
    assert_eq!(refused(&fourth, &[2, 2, 4, 8, 15]), impossible("x"));

    let covariance = statistic(
        x(),
        Measure::Covariance {
            columns: vec![0, 1],
        },
    );
    // (0, 0) and (2, 2): sums 2 and 2, products 4, 4 and 4.
    assert!(covariance.decode(&[2, 2, 2, 4, 4, 4]).is_ok());
    assert_eq!(
        refused(&covariance, &[2, 2, 2, 4, 5, 4]),
        impossible("x · y")
    );
    assert_eq!(
        refused(&covariance, &[2, 2, 2, 1, 1, 4]),
        impossible("x · x")
    );
}

/// Three columns of which each pair could be, but not all together.
#[test]
fn correlations_that_contradict_each_other() {
    let columns = ["x", "y", "z"].map(|name| number(name, 0, 0, 9)).to_vec();
    let measure = Measure::Linear {
        response: 2,
        predictors: vec![0, 1],
    };
    let linear = statistic(columns, measure);
    // Four rows, sums 4, own squares 8: all variances 1. x and y move together, z with x and against y, by 0.75 each.
    let totals = |xy, xz, yz| [4, 4, 4, 4, 8, xy, xz, 8, yz, 8];
    assert!(linear.decode(&totals(4, 4, 4)).is_ok());
    let column = String::from("z");
    assert_eq!(
        refused(&linear, &totals(7, 7, 1)),
        TotalsError::Impossible { column }
    );
}

#[test]
fn cells_one_by_one() {
    let columns = vec![words("w", &["a", "b"]), number("x", 0, 0, 9)];
    let group_by = vec![Domain::Words(0)];
    let statistic = Statistic::new(Declaration {
        group_by,
        ..declare(columns, Measure::Sum { column: 1 })
    })
    .unwrap();
    let layout = statistic.layout();
    assert_eq!(layout.counts(), 0..2);
    assert_eq!(layout.elements(1).collect::<Vec<_>>(), [1, 3]);
    let cell = statistic.decode_cell(1, &[3, 27]).unwrap();
    assert_eq!(cell.labels, [Label::Word("b".into())]);
    assert_eq!(
        cell.figures,
        Ok(Figures::Sum(Fixed {
            units: 27,
            decimals: 0
        }))
    );
    let too_large = Err(TotalsError::TooLarge { index: 0 });
    assert_eq!(statistic.decode_cell(1, &[3, 28]), too_large);
}

#[test]
fn collinear_columns_are_named() {
    let columns = ["y", "x", "twice"]
        .map(|name| number(name, 0, 0, 99))
        .to_vec();
    let measure = Measure::Linear {
        response: 0,
        predictors: vec![1, 2],
    };
    let collinear = |column: &str| {
        Err(Undefined::Collinear {
            column: column.into(),
        })
    };
    let linear = statistic(columns, measure);
    let rows: Vec<_> = (0..9).map(|x| vec![x * x, x, 2 * x + 1]).collect();
    assert_eq!(figures(&linear, &rows), collinear("twice"));
    assert_eq!(
        figures(&linear, &[vec![1, 5, 7], vec![2, 5, 9]]),
        collinear("x")
    );
    assert_eq!(figures(&linear, &[]), Err(Undefined::NoRows));

    let columns = vec![number("y", 0, 0, 1), number("x", 0, 0, 9)];
    let far = |weight| {
        let measure = Measure::Logistic {
            response: 0,
            predictors: vec![1],
            weights: vec![weight, 0],
            weight_decimals: 0,
            decimals: 3,
        };
        figures(
            &statistic(columns.clone(), measure),
            &[vec![1, 3], vec![0, 3]],
        )
    };
    assert_eq!(far(0), collinear("x"));
    // So far away that no row tells anything.
    assert_eq!(far(i64::MAX), collinear("intercept"));
}
