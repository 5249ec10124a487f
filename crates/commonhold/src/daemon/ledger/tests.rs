use base::Rng;
use vault::VaultKey;

use super::*;

fn question(id: &str, asked_at: u64) -> Question {
    Question {
        id: id.into(),
        sql: "SELECT COUNT(*) FROM t".into(),
        purpose: String::new(),
        asked_at,
        consent_until: asked_at,
        state: QuestionState::Announced,
        note: String::new(),
        answer: None,
    }
}

fn came(id: &str, asker: &str, sql: &str) -> InboxEntry {
    InboxEntry {
        id: id.into(),
        asker: asker.into(),
        sql: sql.into(),
        purpose: String::new(),
        received_at: 100,
        until: 200,
        state: InboxState::Waiting,
        by_rule: false,
    }
}

fn answer() -> Answer {
    Answer {
        summary: "7 people".into(),
        people: String::new(),
        details: serde_json::json!({}),
    }
}

struct Bench {
    vault: Vault,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let key = VaultKey::generate(&mut Rng::from_number(1));
        let vault = Vault::create(&folder.path().join("vault.db"), &key).expect("created");
        Self {
            vault,
            _folder: folder,
        }
    }

    fn ledger(&self, kept_max: usize) -> Ledger {
        Ledger::read(&self.vault, kept_max).expect("read")
    }

    fn write(&mut self, ledger: &mut Ledger) {
        for (key, value) in ledger.take_writes() {
            match value {
                Some(value) => self.vault.remember(&key, &value).expect("stored"),
                None => self.vault.forget(&key).expect("forgotten"),
            }
        }
    }
}

#[test]
fn lists_survive_a_restart() {
    let mut bench = Bench::new();
    let mut ledger = bench.ledger(10);
    ledger.ask(question("aa", 1));
    ledger.ask(question("bb", 2));
    ledger.answered("aa", answer(), vec![1, 2]);
    ledger.receive(came("cc", "x", "q"));
    ledger.decide("cc", Word::Never, 150).expect("in time");
    bench.write(&mut ledger);
    let again = bench.ledger(10);
    let states: Vec<_> = again.asked().into_iter().map(|q| (q.id, q.state)).collect();
    assert_eq!(
        states,
        [
            ("bb".into(), QuestionState::Stopped),
            ("aa".into(), QuestionState::Answered)
        ]
    );
    assert_eq!(again.inbox(150), ledger.inbox(150));
    assert_eq!(again.standing(), ledger.standing());
    assert_eq!(
        bench.vault.recall(&Ledger::proof_key("aa")),
        Ok(Some(vec![1, 2]))
    );
}

#[test]
fn the_oldest_that_is_over_makes_room() {
    let mut bench = Bench::new();
    let mut ledger = bench.ledger(2);
    ledger.ask(question("aa", 1));
    ledger.ask(question("bb", 2));
    ledger.answered("bb", answer(), vec![7]);
    ledger.ask(question("cc", 3));
    bench.write(&mut ledger);
    let ids: Vec<_> = ledger.asked().into_iter().map(|q| q.id).collect();
    assert_eq!(ids, ["cc", "aa"]);
    assert_eq!(bench.vault.recall(&Ledger::proof_key("bb")), Ok(None));
    for id in ["a", "b", "c", "d"] {
        ledger.receive(came(id, "x", "q"));
    }
    assert_eq!(ledger.inbox(150).len(), 2);
}

#[test]
fn names_may_be_cut_short_but_not_shared() {
    let bench = Bench::new();
    let mut ledger = bench.ledger(10);
    ledger.ask(question("abc", 1));
    ledger.ask(question("abd", 1));
    assert_eq!(ledger.question("ABC").expect("found").id, "abc");
    for wrong in ["", "ab", "x", "abcd"] {
        assert_eq!(ledger.question(wrong).expect_err(wrong).kind, Kind::Unknown);
    }
}

#[test]
fn the_last_word_counts_and_only_in_time() {
    let bench = Bench::new();
    let mut ledger = bench.ledger(10);
    assert!(ledger.receive(came("aa", "x", "q")) && !ledger.receive(came("aa", "x", "q")));
    for (word, state) in [(Word::Yes, InboxState::Yes), (Word::No, InboxState::No)] {
        let decided = ledger.decide("aa", word, 150).expect("in time");
        assert_eq!(decided.state, state);
    }
    assert_eq!(
        ledger.decide("aa", Word::Yes, 200).expect_err("late").kind,
        Kind::Late
    );
    assert_eq!(ledger.inbox(150)[0].state, InboxState::No);
    ledger.receive(came("cc", "x", "q"));
    ledger.call_off("cc");
    let called_off = ledger.decide("cc", Word::Yes, 150);
    assert_eq!(called_off.expect_err("called off").kind, Kind::Late);
    ledger.receive(came("bb", "x", "q"));
    assert_eq!(ledger.counts(260).waiting, 1);
    assert_eq!(ledger.counts(261).waiting, 0);
    assert_eq!(
        ledger.decide("bb", Word::Yes, 261).expect_err("late").kind,
        Kind::Late
    );
}

#[test]
fn always_is_for_one_question_and_never_for_all_of_an_asker() {
    let bench = Bench::new();
    let mut ledger = bench.ledger(10);
    ledger.receive(came("aa", "x", "SELECT  1"));
    ledger.decide("aa", Word::Always, 150).expect("in time");
    assert_eq!(ledger.standing_word("x", "SELECT 1 "), Some(true));
    assert_eq!(ledger.standing_word("x", "SELECT 2"), None);
    assert_eq!(ledger.standing_word("y", "SELECT 1"), None);
    ledger.receive(came("bb", "x", "SELECT 3"));
    ledger.decide("bb", Word::Never, 150).expect("in time");
    assert_eq!(
        ledger.standing_word("x", "SELECT 1"),
        Some(false),
        "the last word counts"
    );
    ledger.forget_standing();
    assert_eq!(ledger.standing_word("x", "SELECT 1"), None);
}

#[test]
fn the_rule_goes_before_what_was_said_once_for_all() {
    use ConsentRule::{Ask, No, Yes};
    assert_eq!(state_of(Yes, Some(false)), (InboxState::Yes, true));
    assert_eq!(state_of(No, Some(true)), (InboxState::No, true));
    assert_eq!(state_of(Ask, Some(true)), (InboxState::Yes, true));
    assert_eq!(state_of(Ask, None), (InboxState::Waiting, false));
}
