use base::Rng;
use vault::VaultKey;

use api::{HelpingRole, HelpingStep};

use super::*;

fn question(id: &str, asked_at: u64) -> Question {
    Question {
        id: id.into(),
        sql: "SELECT COUNT(*) FROM t".into(),
        title: String::new(),
        purpose: String::new(),
        asked_at,
        consent_until: asked_at,
        state: QuestionState::Announced,
        note: String::new(),
        answer: None,
        published: false,
    }
}

fn came(id: &str, asker: &str, sql: &str) -> InboxEntry {
    InboxEntry {
        id: id.into(),
        asker: asker.into(),
        asker_since: None,
        sql: sql.into(),
        about: None,
        smallest_crowd: None,
        purpose: String::new(),
        received_at: 100,
        until: 200,
        state: InboxState::Waiting,
        by_rule: false,
        rule: None,
        sent_at: None,
        contributed_at: None,
        note: String::new(),
    }
}

fn answer() -> Answer {
    Answer {
        summary: "7 people".into(),
        people: String::new(),
        details: serde_json::json!({}),
        complete: true,
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

fn decide(ledger: &mut Ledger, id: &str, yes: bool, now: u64) -> Result<InboxEntry, Fault> {
    let open = ledger.open(id, now)?;
    Ok(ledger.decide(open, yes, now))
}

#[test]
fn lists_survive_a_restart() {
    let mut bench = Bench::new();
    let mut ledger = bench.ledger(10);
    ledger.ask(question("aa", 1));
    ledger.ask(question("bb", 2));
    ledger.answered("aa", answer(), vec![1, 2]);
    ledger.receive(came("cc", "x", "q"));
    decide(&mut ledger, "cc", false, 150).expect("in time");
    bench.write(&mut ledger);
    let mut again = bench.ledger(10);
    // A node that was killed as it got the answer goes on with the question.
    again.further("aa", QuestionState::Collecting, String::new());
    let states: Vec<_> = again.asked().into_iter().map(|q| (q.id, q.state)).collect();
    assert_eq!(
        states,
        [
            ("bb".into(), QuestionState::Stopped),
            ("aa".into(), QuestionState::Answered)
        ]
    );
    assert_eq!(again.inbox(150), ledger.inbox(150));
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
    let aa = || came("aa", "x", "q");
    assert_eq!(ledger.receive(aa()), Received::New);
    assert_eq!(ledger.receive(aa()), Received::Known);
    for (yes, state) in [(true, InboxState::Yes), (false, InboxState::No)] {
        let decided = decide(&mut ledger, "aa", yes, 150).expect("in time");
        assert_eq!(decided.state, state);
    }
    assert_eq!(ledger.open("aa", 200).expect_err("late").kind, Kind::Late);
    assert_eq!(ledger.inbox(150)[0].state, InboxState::No);
    ledger.receive(came("cc", "x", "q"));
    ledger.call_off("cc");
    let called_off = ledger.open("cc", 150);
    assert_eq!(called_off.expect_err("called off").kind, Kind::Late);
    ledger.receive(came("bb", "x", "q"));
    assert_eq!(ledger.counts(260).waiting, 1);
    assert_eq!(ledger.counts(261).waiting, 0);
    assert_eq!(ledger.open("bb", 261).expect_err("late").kind, Kind::Late);
}

#[test]
fn a_yes_after_the_time_says_that_it_may_not_count() {
    let bench = Bench::new();
    let mut ledger = bench.ledger(10);
    let mut say_yes_at = |id: &str, now| {
        ledger.receive(came(id, "x", "q"));
        decide(&mut ledger, id, true, now).expect("it waits").note
    };
    assert_eq!(say_yes_at("aa", 199), "");
    assert!(say_yes_at("bb", 200).contains("the time for a word is over"));
    // It did.
    ledger.sent("bb", 201);
    assert_eq!(ledger.received("bb").expect("there").note, "");
}

#[test]
fn rules_speak_again_but_not_against_the_owner() {
    let bench = Bench::new();
    let mut ledger = bench.ledger(10);
    let ruled = |id: &str, state, rule| InboxEntry {
        state,
        by_rule: state != InboxState::Waiting,
        rule,
        ..came(id, "x", "q")
    };
    let seen = |ledger: &Ledger, id: &str| {
        let entry = ledger.open(id, 150).expect("open");
        (entry.state, entry.by_rule, entry.rule)
    };
    ledger.receive(came("aa", "x", "q"));
    let yes = || ruled("aa", InboxState::Yes, Some(3));
    assert_eq!(ledger.receive(yes()), Received::Changed);
    assert_eq!(ledger.receive(yes()), Received::Known);
    assert_eq!(seen(&ledger, "aa"), (InboxState::Yes, true, Some(3)));
    ledger.receive(ruled("aa", InboxState::No, None));
    assert_eq!(seen(&ledger, "aa"), (InboxState::No, true, None));
    ledger.receive(came("aa", "x", "q"));
    assert_eq!(seen(&ledger, "aa"), (InboxState::Waiting, false, None));
    ledger.receive(yes());
    decide(&mut ledger, "aa", false, 150).expect("open");
    assert_eq!(ledger.receive(yes()), Received::Known);
    assert_eq!(seen(&ledger, "aa"), (InboxState::No, false, None));
    // Nothing brings back what is over.
    ledger.receive(came("late", "x", "q"));
    let late = InboxEntry {
        received_at: 261,
        ..ruled("late", InboxState::Yes, Some(3))
    };
    assert_eq!(ledger.receive(late), Received::Known);
    for id in ["bb", "cc"] {
        ledger.receive(ruled(id, InboxState::Yes, None));
    }
    ledger.call_off("bb");
    ledger.over_budget("cc", "refused: your budget of 5 a day is spent".into());
    for id in ["bb", "cc"] {
        let no = ledger.receive(ruled(id, InboxState::No, Some(4)));
        assert_eq!(no, Received::Known, "{id}");
    }
    let late = ledger.open("cc", 150).expect_err("over");
    assert!(late.error.contains("5 a day"), "{}", late.error);
}

#[test]
fn askers_are_found_by_how_their_names_begin() {
    let bench = Bench::new();
    let mut ledger = bench.ledger(10);
    for (id, asker) in [("aa", "f00d"), ("bb", "f00d"), ("cc", "f1"), ("dd", "")] {
        ledger.receive(came(id, asker, "q"));
    }
    assert_eq!(ledger.askers("F00"), ["f00d"].into());
    assert_eq!(ledger.askers("f"), ["f00d", "f1"].into());
    assert!(ledger.askers("e").is_empty());
}

#[test]
fn lists_leave_out_what_an_answer_has_many_of() {
    let bench = Bench::new();
    let mut ledger = bench.ledger(2);
    let groups: Vec<_> = (0..5000)
        .map(|cell| serde_json::json!({ "people": cell }))
        .collect();
    let large = |figures: usize| Answer {
        details: serde_json::json!({
            "count": 7, "groups": groups, "figures": vec![serde_json::json!({ "name": "mean" }); figures],
        }),
        ..answer()
    };
    ledger.ask(question("aa", 1));
    ledger.answered("aa", large(2), vec![1]);
    ledger.published(
        Published {
            id: "bb".into(),
            asker: "x".into(),
            sql: "q".into(),
            purpose: String::new(),
            asked_at: 1,
            received_at: 1,
            answer: large(200),
        },
        vec![1],
    );
    let whole = ledger.question("aa").expect("asked").answer.clone();
    assert_eq!(whole, Some(large(2)));
    let listed = ledger.asked().remove(0).answer.expect("answered");
    assert!(!listed.complete);
    let few = serde_json::json!({ "count": 7, "groups": [], "figures": [{ "name": "mean" }, { "name": "mean" }] });
    assert_eq!(listed.details, few);
    let published = ledger.all_published().remove(0).answer;
    let figures = published.details["figures"].as_array().map(Vec::len);
    assert_eq!((figures, published.complete), (Some(16), false));
    assert_eq!(answer().in_list(), answer(), "a short one is whole");
}

#[test]
fn published_answers_are_kept_with_their_proofs() {
    let mut bench = Bench::new();
    let mut ledger = bench.ledger(2);
    let published = |id: &str, received_at| Published {
        id: id.into(),
        asker: "x".into(),
        sql: "q".into(),
        purpose: String::new(),
        asked_at: 1,
        received_at,
        answer: answer(),
    };
    ledger.ask(question("aa", 1));
    ledger.answered("aa", answer(), vec![1]);
    assert!(ledger.published(published("aa", 10), vec![1]));
    assert!(!ledger.published(published("aa", 11), vec![9]));
    assert!(ledger.question("aa").expect("asked").published);
    assert!(ledger.published(published("bb", 12), vec![2]));
    bench.write(&mut ledger);
    let mut ledger = bench.ledger(2);
    let ids = |ledger: &Ledger| -> Vec<_> {
        let all = ledger.all_published().into_iter();
        all.map(|published| published.id).collect()
    };
    assert_eq!(ids(&ledger), ["bb", "aa"]);
    assert_eq!(ledger.proved("b"), Ok("bb"));
    assert_eq!(ledger.proved("aa"), Ok("aa"));
    assert!(ledger.proved("cc").is_err());
    // The oldest make room, and their proofs go with them unless another list has them.
    assert!(ledger.published(published("cc", 13), vec![3]));
    assert!(ledger.published(published("dd", 14), vec![4]));
    bench.write(&mut ledger);
    assert_eq!(ids(&ledger), ["dd", "cc"]);
    let proof = |id: &str| bench.vault.recall(&Ledger::proof_key(id));
    assert_eq!((proof("aa"), proof("bb")), (Ok(Some(vec![1])), Ok(None)));
}

#[test]
fn the_inbox_says_once_that_a_contribution_was_taken() {
    let mut bench = Bench::new();
    let mut ledger = bench.ledger(10);
    let yes = |id: &str, state| InboxEntry {
        state,
        ..came(id, "aa", "SELECT COUNT(*) FROM t")
    };
    ledger.receive(yes("11", InboxState::Yes));
    ledger.receive(yes("22", InboxState::No));
    assert!(ledger.contributed("11", 7));
    // A word that this node stays out is taken as well; nothing is given twice.
    assert!(!ledger.contributed("22", 7) && !ledger.contributed("11", 8));
    assert!(!ledger.contributed("33", 7));
    bench.write(&mut ledger);
    let read = bench.ledger(10);
    let taken: Vec<_> = read
        .inbox(9)
        .into_iter()
        .map(|e| e.contributed_at)
        .collect();
    assert!(
        taken.contains(&Some(7)) && taken.contains(&None),
        "{taken:?}"
    );
}

#[test]
fn what_the_node_does_for_others_is_listed_as_far_as_it_is() {
    let mut ledger = Bench::new().ledger(2);
    let helps = |id: &str, role, step| Helping {
        id: id.into(),
        asker: "aa".into(),
        role,
        lane: None,
        step,
        at: 1,
    };
    ledger.help(helps("11", HelpingRole::Setter, HelpingStep::Begun));
    ledger.help(helps("11", HelpingRole::Replica, HelpingStep::Begun));
    ledger.help(helps("11", HelpingRole::Setter, HelpingStep::Done));
    let last = helps("11", HelpingRole::Replica, HelpingStep::Begun);
    let first = helps("11", HelpingRole::Setter, HelpingStep::Done);
    assert_eq!(ledger.helping(), [last.clone(), first]);
    // The oldest makes room.
    ledger.help(helps("22", HelpingRole::Witness, HelpingStep::Done));
    assert_eq!(ledger.helping()[1], last);
    assert_eq!(ledger.helping().len(), 2);
}

#[test]
fn what_has_left_cannot_be_taken_back() {
    let bench = Bench::new();
    let mut ledger = bench.ledger(10);
    let by_rule = |id: &str, rule| InboxEntry {
        state: InboxState::Yes,
        by_rule: true,
        rule,
        ..came(id, "x", "q")
    };
    ledger.receive(by_rule("aa", Some(3)));
    ledger.receive(by_rule("bb", None));
    ledger.receive(came("cc", "x", "q"));
    assert_eq!(ledger.said_yes(), ["aa", "bb"]);
    assert_eq!(ledger.decided_by(&[3], false), ["aa"]);
    assert_eq!(ledger.decided_by(&[4], true), ["bb"]);
    // The owner's no and the contribution cross.
    decide(&mut ledger, "aa", false, 150).expect("in time");
    assert_eq!(ledger.too_late("aa"), None);
    ledger.sent("aa", 151);
    let entry = ledger.received("aa").expect("there").clone();
    assert_eq!(entry.state, InboxState::Yes);
    assert!(entry.note.contains("too late"), "{entry:?}");
    let refused = decide(&mut ledger, "aa", false, 152).expect_err("it has left");
    assert_eq!(refused.kind, Kind::Late);
    assert!(matches!(
        ledger.receive(InboxEntry {
            state: InboxState::No,
            ..by_rule("aa", Some(4))
        }),
        Received::Known
    ));
    assert!(ledger.contributed("aa", 160));
    let late = ledger.too_late("aa").expect("it is");
    assert_eq!((late.sent_at, late.contributed_at), (151, Some(160)));
    // What did not leave after all can.
    ledger.sent("bb", 151);
    ledger.unsent("bb");
    assert_eq!(ledger.too_late("bb"), None);
    assert_eq!(ledger.too_late("zz"), None);
}
