use ConsentRule::{Ask, No, Yes};
use proptest::prelude::*;

use super::*;
use crate::example::{PEOPLE, ask, vocabulary};

const GOOD: NodeId = NodeId([1; 32]);
const OTHER: NodeId = NodeId([2; 32]);

const QUESTIONS: [&str; 5] = [
    "SELECT AVG(age) FROM people",
    "SELECT AVG(age) FROM people WHERE balance > 0",
    "SELECT COUNT(*) FROM people",
    "SELECT SUM(balance) FROM people WHERE sleep_hours > 7",
    "SELECT COUNT(*) FROM left WHERE match = 1",
];

fn question(place: usize) -> Question {
    ask(QUESTIONS[place]).expect("valid")
}

fn columns(names: &[&str]) -> Option<BTreeSet<String>> {
    Some(names.iter().map(|name| name.to_string()).collect())
}

fn about(says: ConsentRule, table: Option<&str>, columns: Option<BTreeSet<String>>) -> Rule {
    Rule {
        table: table.map(Into::into),
        columns,
        ..Rule::about_all(says)
    }
}

fn says(rules: &Rules, asker: NodeId, place: usize) -> ConsentRule {
    rules.decide(asker, &question(place)).says
}

#[test]
fn who_says_nothing_is_asked() {
    assert_eq!(says(&Rules::default(), GOOD, 0), Ask);
    assert_eq!(says(&Rules::from(No), GOOD, 0), No);
}

#[test]
fn always_is_for_the_same_asker_and_this_very_question() {
    let mut rules = Rules::default();
    let number = rules.add(Rule::always(GOOD, &question(0))).expect("room");
    let verdict = rules.decide(
        GOOD,
        &ask("select avg ( Age ) from PEOPLE").expect("the same"),
    );
    assert_eq!((verdict.says, verdict.rule), (Yes, Some(number)));
    assert_eq!(says(&rules, OTHER, 0), Ask);
    assert_eq!(says(&rules, GOOD, 1), Ask);
    assert_eq!(says(&rules, GOOD, 2), Ask);
}

#[test]
fn never_is_for_whatever_an_asker_puts_until_it_is_taken_back() {
    let mut rules = Rules::from(Yes);
    rules.add(Rule::always(GOOD, &question(0))).expect("room");
    let never = rules.add(Rule::never(GOOD)).expect("room");
    for place in 0..QUESTIONS.len() {
        assert_eq!(says(&rules, GOOD, place), No);
        assert_eq!(says(&rules, OTHER, place), Yes);
    }
    assert_eq!(rules.remove(never), Some(Rule::never(GOOD)));
    assert_eq!(rules.remove(never), None);
    assert_eq!(says(&rules, GOOD, 0), Yes);
    let again = rules.add(Rule::never(GOOD)).expect("room");
    assert!(again > never, "a number is not given twice");
}

#[test]
fn columns_are_read_towards_staying_out() {
    let mut rules = Rules::default();
    rules
        .add(about(Yes, Some("people"), columns(&["age"])))
        .expect("room");
    assert_eq!(says(&rules, GOOD, 0), Yes);
    assert_eq!(says(&rules, GOOD, 1), Ask, "it reads the balance as well");
    assert_eq!(says(&rules, GOOD, 2), Yes, "it reads nothing else");
    assert_eq!(says(&rules, GOOD, 4), Ask, "another table");
    rules
        .add(about(No, None, columns(&["balance"])))
        .expect("room");
    assert_eq!(says(&rules, GOOD, 1), No, "it reads it among others");
    assert_eq!(says(&rules, GOOD, 3), No);
    assert_eq!(says(&rules, GOOD, 0), Yes);
}

#[test]
fn a_rule_replaces_one_about_the_same_questions() {
    let mut rules = Rules::default();
    rules.add(Rule::never(GOOD)).expect("room");
    rules
        .add(about(Yes, None, columns(&["age"])))
        .expect("room");
    // About other questions, although it names the same.
    rules.add(about(No, None, columns(&["age"]))).expect("room");
    let later = Rule {
        says: Ask,
        ..Rule::never(GOOD)
    };
    let number = rules.add(later.clone()).expect("room");
    assert_eq!(rules.iter().count(), 3);
    let first = rules.iter().next().expect("three");
    assert_eq!((first.number, &first.rule), (number, &later));
    assert_eq!(base::decode(&encode(&rules), RULES_BYTES_MAX), Ok(rules));
}

#[test]
fn names_are_those_of_the_vocabulary() {
    let checked = |rule: Rule| rule.checked(&vocabulary(), PEOPLE);
    let rule = about(No, Some("PEOPLE"), columns(&["Age"]));
    let rule = checked(rule).expect("known");
    assert_eq!(rule, about(No, Some("people"), columns(&["age"])));
    let very = Rule {
        sql: Some("select avg(AGE) from people".into()),
        ..Rule::about_all(No)
    };
    let very = checked(very).expect("known");
    assert_eq!(very.sql.as_deref(), Some(question(0).sql()));
    for rule in [
        Rule::about_all(Yes),
        about(No, None, columns(&[])),
        about(Yes, None, columns(&[])),
    ] {
        assert_eq!(checked(rule), Err(RuleError::Everything));
    }
    let slip = checked(about(No, Some("peopel"), None)).expect_err("no such table");
    assert!(
        slip.to_string().contains("did you mean \"people\""),
        "{slip}"
    );
    let slip = checked(about(No, None, columns(&["balanse"]))).expect_err("no such column");
    assert!(
        slip.to_string().contains("did you mean \"balance\""),
        "{slip}"
    );
    // A column of another table than the one named.
    let elsewhere = checked(about(No, Some("left"), columns(&["age"])));
    assert!(matches!(elsewhere, Err(RuleError::UnknownColumn { .. })));
    let wrong = Rule {
        sql: Some("SELECT age FROM people".into()),
        ..Rule::about_all(No)
    };
    assert!(matches!(checked(wrong), Err(RuleError::Question(_))));
}

#[test]
fn no_older_word_is_dropped_for_a_new_one() {
    let asker = |number: usize| NodeId(base::Digest::of("asker", &[&number.to_be_bytes()]).0);
    let mut rules = Rules::from(Yes);
    for number in 0..RULES_MAX {
        rules.add(Rule::never(asker(number))).expect("room");
    }
    let full = rules.clone();
    assert_eq!(rules.add(Rule::never(GOOD)), Err(RuleError::TooMany));
    assert_eq!(rules, full);
    // One about the same questions takes no room.
    assert!(rules.add(Rule::never(asker(7))).is_ok());
    let mut long = Rules::default();
    let wide = |number: usize| Rule {
        sql: Some("x".repeat(RULES_BYTES_MAX / 3)),
        ..Rule::never(asker(number))
    };
    assert!(long.add(wide(0)).is_ok() && long.add(wide(1)).is_ok());
    assert_eq!(long.add(wide(2)), Err(RuleError::TooMany));
    assert!(encode(&long).len() <= RULES_BYTES_MAX);
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let names = ["age", "balance", "sleep_hours", "match"];
    (
        prop::sample::select(vec![Yes, No, Ask]),
        prop::option::of(prop::sample::select(vec![GOOD, OTHER])),
        prop::option::of(prop::sample::select(vec!["people", "left"])),
        prop::option::of(prop::sample::subsequence(names.to_vec(), 0..=names.len())),
        prop::option::weighted(0.2, 0..QUESTIONS.len()),
    )
        .prop_map(|(says, asker, table, named, very)| Rule {
            says,
            asker,
            table: table.map(Into::into),
            columns: named.and_then(|named| columns(&named)),
            sql: very.map(|place| question(place).sql().to_owned()),
        })
}

fn all() -> impl Iterator<Item = (NodeId, Question)> {
    let askers = [GOOD, OTHER];
    askers
        .into_iter()
        .flat_map(|asker| (0..QUESTIONS.len()).map(move |place| (asker, question(place))))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_last_rule_that_fits_decides(given in prop::collection::vec(any_rule(), 0..8)) {
        let mut rules = Rules::from(Ask);
        for rule in &given {
            rules.add(rule.clone()).expect("room");
        }
        for (asker, question) in all() {
            let last = given.iter().rev().find(|rule| rule.fits(asker, &question));
            let verdict = rules.decide(asker, &question);
            prop_assert_eq!(verdict.says, last.map_or(Ask, |rule| rule.says));
            prop_assert_eq!(verdict.rule.is_some(), last.is_some());
        }
    }

    #[test]
    fn a_rule_changes_nothing_but_what_it_is_about_and_can_be_taken_back(
        given in prop::collection::vec(any_rule(), 0..6),
        new in any_rule(),
    ) {
        let mut rules = Rules::from(Ask);
        for rule in &given {
            rules.add(rule.clone()).expect("room");
        }
        let before = rules.clone();
        let number = rules.add(new.clone()).expect("room");
        for (asker, question) in all() {
            let verdict = rules.decide(asker, &question);
            if new.fits(asker, &question) {
                prop_assert_eq!((verdict.says, verdict.rule), (new.says, Some(number)));
            } else {
                prop_assert_eq!(verdict.says, before.decide(asker, &question).says);
            }
        }
        prop_assert_eq!(rules.remove(number), Some(new.clone()));
        if !before.iter().any(|other| other.rule.is_like(&new)) {
            for (asker, question) in all() {
                let restored = rules.decide(asker, &question);
                prop_assert_eq!(restored, before.decide(asker, &question));
            }
        }
    }
}
