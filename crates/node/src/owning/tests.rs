use std::sync::Arc;

use base::{Output, Rng};
use question::{Rule, Rules};

use super::*;
use crate::composition::{Command, Setup};
use crate::plan::SignedPlan;
use crate::plan::tests::{NOW, community, member, plan_of};
use base::Protocol;

struct Bench {
    node: Node,
    questions: Vec<Digest>,
}

impl Bench {
    /// A node that has heard of so many questions, each open for an hour.
    fn new(questions: u8, consent: Rules, budget: Option<Budget>) -> Self {
        Self::with(questions, consent, budget, Vec::new())
    }

    fn with(
        questions: u8,
        consent: Rules,
        budget: Option<Budget>,
        journal: Vec<(Vec<u8>, Vec<u8>)>,
    ) -> Self {
        let (authority, community) = community(1);
        let mut rng = Rng::from_number(2);
        let asker = member(&authority, &community, true, &mut rng);
        let identity = Arc::new(member(&authority, &community, false, &mut rng));
        let setup = Setup {
            identity,
            community: Arc::clone(&community),
            addresses: Vec::new(),
            consent,
            budget,
            journal,
            rng,
        };
        let mut node = Node::new(NOW, setup).expect("a possible community");
        let heard = (0..questions).map(|number| {
            let mut plan = plan_of(asker.node(), &community);
            plan.nonce = [number; 32];
            plan.consent_until = NOW + Duration::from_secs(3600);
            let signed = SignedPlan::new(&asker, plan);
            node.hear(NOW, signed, &mut Outbox::new()).expect("valid")
        });
        let questions = heard.collect();
        Self { node, questions }
    }

    fn says(&mut self, command: Command) -> Vec<Event> {
        self.says_at(NOW, command)
    }

    fn says_at(&mut self, now: Instant, command: Command) -> Vec<Event> {
        let mut out = Outbox::new();
        self.node.handle(now, Input::Command(command), &mut out);
        let events = out.drain().filter_map(|output| match output {
            Output::Event(event) => Some(event),
            Output::Send { .. } | Output::Wake { .. } => None,
        });
        events.collect()
    }

    /// Everybody is called to contribute to this question.
    fn call(&mut self, question: Digest) -> Vec<Event> {
        let known = self.node.questions.get_mut(question).expect("heard");
        (known.lanes, known.reaches_helpers) = (Some(Vec::new()), true);
        let mut out = Outbox::new();
        self.node.contribute(NOW, question, &mut out);
        let events = out.drain().filter_map(|output| match output {
            Output::Event(event) => Some(event),
            Output::Send { .. } | Output::Wake { .. } => None,
        });
        events.collect()
    }

    fn measured(&mut self, question: Digest) -> Vec<Event> {
        let row = LocalRow::number(75);
        self.says(Command::Measured { question, row })
    }
}

fn spent(events: &[Event]) -> Option<usize> {
    events.iter().find_map(|event| match event {
        Event::Budget(spent) => Some(spent.len()),
        _ => None,
    })
}

#[test]
fn a_budget_counts_what_the_vault_is_still_asked_for() {
    let budget = Budget {
        questions: 2,
        period: Duration::from_secs(3600),
    };
    let mut bench = Bench::new(4, ConsentRule::Yes.into(), Some(budget));
    let [a, b, c, d] = bench.questions[..] else {
        panic!("four questions")
    };
    for question in [a, b] {
        let events = bench.call(question);
        assert!(matches!(events[..], [Event::Measure { .. }]), "{events:?}");
    }
    let is_declined =
        |events: &[Event]| matches!(events, [Event::BudgetSpent(_), Event::Store { .. }]);
    let events = bench.call(c);
    assert!(is_declined(&events), "{events:?}");
    assert_eq!(spent(&bench.measured(a)), Some(1));
    assert_eq!(spent(&bench.measured(b)), Some(2));
    // What is declined does not count, and what is measured counts once.
    assert_eq!(
        spent(&bench.says(Command::SetBudget(Some(budget)))),
        Some(2)
    );
    assert_eq!(spent(&bench.says(Command::SetBudget(None))), Some(0));
    let larger = Budget {
        questions: 3,
        ..budget
    };
    bench.says(Command::SetBudget(Some(larger)));
    let events = bench.call(d);
    assert!(matches!(events[..], [Event::Measure { .. }]), "{events:?}");
}

#[test]
fn new_rules_speak_only_where_they_change_something() {
    let mut bench = Bench::new(3, Rules::default(), None);
    let [a, b, _] = bench.questions[..] else {
        panic!("three questions")
    };
    bench.says(Command::Consent {
        question: a,
        yes: false,
    });
    let yes = || Command::SetConsent(ConsentRule::Yes.into());
    let events = bench.says(yes());
    let decided = events.iter().map(|event| match event {
        Event::ByRule { asked, yes, rule } => (asked.question, *yes, *rule),
        other => panic!("{other:?}"),
    });
    let decided: Vec<_> = decided.collect();
    assert_eq!(decided.len(), 2, "the owner has decided about the other");
    assert!(
        decided
            .iter()
            .all(|(question, yes, rule)| *question != a && *yes && rule.is_none())
    );
    assert!(bench.says(yes()).is_empty(), "nothing new");
    // The same word by a rule is told, once, and so is that the rule is gone.
    let mut rules: Rules = ConsentRule::Yes.into();
    let rule = Rule {
        asker: None,
        table: Some("sleep".into()),
        columns: None,
        sql: None,
        says: ConsentRule::Yes,
    };
    let number = rules.add(rule).expect("a rule");
    for (rules, by) in [(rules, Some(number)), (ConsentRule::Yes.into(), None)] {
        let set = || Command::SetConsent(rules.clone());
        let events = bench.says(set());
        let is_told =
            |event: &Event| matches!(event, Event::ByRule { yes: true, rule, .. } if *rule == by);
        assert!(
            events.len() == 2 && events.iter().all(is_told),
            "{events:?}"
        );
        assert!(bench.says(set()).is_empty(), "nothing new");
    }
    // What has begun goes on.
    bench.call(b);
    let events = bench.says(Command::SetConsent(ConsentRule::No.into()));
    let [Event::ByRule { yes: false, .. }] = events[..] else {
        panic!("{events:?}")
    };
    let events = bench.says(Command::SetConsent(Rules::default()));
    assert!(matches!(events[..], [Event::AskOwner(_)]), "{events:?}");
}

#[test]
fn new_rules_do_not_bring_back_what_is_over() {
    let mut bench = Bench::new(1, Rules::default(), None);
    let yes = || Command::SetConsent(ConsentRule::Yes.into());
    let closed = NOW + Duration::from_secs(3600) + DRAWN_WITHIN;
    assert!(bench.says_at(closed, yes()).is_empty());
    // The draw may be under way.
    let before = Instant(closed.0 - 1);
    assert_eq!(bench.says_at(before, yes()).len(), 1);
}

#[test]
fn a_restored_node_gives_nothing_to_what_was_asked_before() {
    let restored = |at| vec![crate::entry_of_restore(at)];
    let always: Rules = ConsentRule::Yes.into();
    // Asked now, and restored a minute ago by a clock that may be a minute behind.
    let ago = NOW - Duration::from_secs(60);
    let mut bench = Bench::with(1, always.clone(), None, restored(ago));
    let question = bench.questions[0];
    assert!(bench.call(question).is_empty());
    // Nor does its owner's word change that, given for all or for this one.
    assert!(bench.says(Command::SetConsent(Rules::default())).is_empty());
    assert!(bench.says(Command::SetConsent(always.clone())).is_empty());
    let yes = Command::Consent {
        question,
        yes: true,
    };
    assert!(bench.says(yes).is_empty());
    assert!(bench.measured(question).is_empty());
    // What is asked later it knows all of.
    let long_ago = NOW - Duration::from_secs(121);
    let mut bench = Bench::with(1, always, None, restored(long_ago));
    let events = bench.call(bench.questions[0]);
    assert!(matches!(events[..], [Event::Measure { .. }]), "{events:?}");
}
