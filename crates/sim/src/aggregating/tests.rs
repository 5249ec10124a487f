//! Small committees, with everything that can go wrong.

mod lying;
mod views;

use aggregation::sizes::Sizes;

use super::*;

/// Forty people, sized for this much going wrong.
fn setting(offline_permille: u32, statistic: Statistic) -> Setting {
    Setting::new(40, 1, offline_permille, statistic).unwrap()
}

/// So many people, of whom lanes of three hold the seats: sized for one liar, whatever the chances are.
fn small(people: usize, lanes: u16) -> Setting {
    let mut setting = setting(50, Statistic::Sum);
    let sizes = Sizes {
        lanes,
        replicas: 3,
        signers: 2,
    };
    setting.people.truncate(1 + people);
    let contributors: Vec<_> = setting.contributors().collect();
    let only = &mut setting.committees[0];
    only.terms.seats = contributors[..sizes.seats()].to_vec();
    (only.terms.sizes, only.terms.liars) = (sizes, 1);
    only.terms.outvotes = false;
    only.people = contributors;
    setting
}

#[test]
fn honest_nodes_are_exact_and_replay() {
    for statistic in [
        Statistic::Count,
        Statistic::Sum,
        Statistic::Histogram(20),
        Statistic::Groups(4),
    ] {
        let setting = setting(50, statistic);
        let run = setting.run(7);
        assert!(matches!(run.ended, Ended::Exact(_)), "{run:?}");
        assert_eq!((run.included, run.broken.len(), run.named), (40, 0, 0));
        assert_eq!(run, setting.run(7));
        assert_ne!(run.fingerprint(), setting.run(8).fingerprint());
    }
}

/// Helpers go, people vanish, messages are lost: exact over the signed set, or nothing.
#[test]
fn accidents_leave_an_exact_answer_or_none() {
    let mut setting = small(18, 4);
    for faults in [
        "crash:10",
        "vanish:30",
        "loss:2",
        "pause:30",
        "partition:30",
        "duplicate:50",
        "reorder:30",
        "slow:100",
        "cut:10",
        "crash:10,vanish:10,loss:1,pause:10",
    ] {
        setting.faults = Choice::This(faults.parse().unwrap());
        let summary = setting.campaign(0..4, || ());
        assert_eq!(summary.broken, [], "{faults}");
        assert_eq!(summary.runs, 4);
        assert!(summary.exact >= 3, "{faults} {:?}", summary.without);
    }
}

#[test]
fn a_quorum_that_is_cut_off_for_good_gives_nothing() {
    let mut setting = small(18, 4);
    setting.faults = Choice::This("cut:50".parse().unwrap());
    let summary = setting.campaign(0..4, || ());
    assert_eq!((summary.broken.len(), summary.runs), (0, 4));
    assert!(summary.without.len() >= 2, "{summary:?}");
}

/// Six have no seat, and all of them vanish: those who have got their message out are in, the others are not.
#[test]
fn who_vanishes_after_the_message_counts_and_who_does_before_does_not() {
    let mut setting = small(18, 4);
    setting.faults = Choice::This("vanish:100".parse().unwrap());
    let runs: Vec<_> = (0..4).map(|seed| setting.run(seed)).collect();
    for run in &runs {
        assert!(matches!(run.ended, Ended::Exact(_)) && run.broken.is_empty());
        assert!((12..18).contains(&run.included), "{run:?}");
    }
    assert!(runs.iter().any(|run| run.included > 12));
}

/// One helper dies in the middle of each step, a leader where leaders alone come to it.
#[test]
fn a_crash_in_any_step_leaves_an_exact_answer() {
    let mut setting = small(18, 4).with_proofs();
    // There is nothing above this committee.
    for step in Step::ALL.into_iter().filter(|step| *step != Step::Up) {
        setting.faults = Choice::This(format!("crash-at:{step}").parse().unwrap());
        let runs: Vec<_> = (3..8).map(|seed| setting.run(seed)).collect();
        for run in &runs {
            assert!(matches!(run.ended, Ended::Exact(_)), "{step} {run:?}");
            assert_eq!(run.broken.len(), 0, "{step} {run:?}");
        }
        // A short step may be over before.
        assert!(runs.iter().any(|run| run.fallen > 0), "{step}");
    }
}

/// Three leaves and a root, and what a crash or a liar can do to them.
#[test]
fn a_tree_is_exact_over_its_leaves() {
    let mut setting = Setting::new(1800, 1, 10, Statistic::Sum)
        .unwrap()
        .with_proofs();
    assert_eq!(setting.committees().len(), 4);
    let run = setting.run(1);
    assert!(matches!(run.ended, Ended::Exact(_)), "{run:?}");
    assert_eq!((run.included, run.broken.len()), (1800, 0), "{run:?}");
    setting.faults = Choice::This("crash-at:up".parse().unwrap());
    setting.liars = Some((Choice::This(Liar::WrongPart), 1));
    let run = setting.run(2);
    assert!(matches!(run.ended, Ended::Exact(_)), "{run:?}");
    assert_eq!((run.broken.len(), run.named), (0, 1), "{run:?}");
    setting.faults = Choice::This(Faults::default());
    setting.liars = Some((Choice::This(Liar::TwoLeaves), 2));
    let run = setting.run(3);
    assert_eq!((run.included, run.named), (1800, 2), "{run:?}");
}

/// Proofs in the middle of everything that can go wrong.
#[test]
fn what_is_proved_is_exact_or_nothing() {
    let mut setting = small(18, 4).with_proofs();
    for liar in [Liar::OutOfRange, Liar::FalseCry, Liar::TellsSeed] {
        setting.liars = Some((Choice::This(liar), 1));
        let summary = setting.campaign(0..3, || ());
        assert_eq!((summary.exact, summary.broken.len()), (3, 0), "{summary:?}");
        let included = if liar == Liar::OutOfRange { 17 } else { 18 };
        assert_eq!(summary.included, 3 * included, "{liar}");
        let named = if liar == Liar::FalseCry { 3 } else { 0 };
        assert_eq!(summary.named, named, "{liar}");
    }
    setting.faults = Choice::Any;
    setting.liars = Some((Choice::Any, 1));
    let summary = setting.campaign(0..10, || ());
    assert_eq!(summary.broken, []);
    assert!(summary.exact > 4, "{summary:?}");
}

#[test]
fn everything_at_once_breaks_nothing() {
    let mut setting = small(18, 4);
    setting.faults = Choice::Any;
    setting.liars = Some((Choice::Any, 1));
    let summary = setting.campaign(0..20, || ());
    assert_eq!(summary.broken, []);
    assert_eq!(
        summary.by_liar.values().map(|one| one.runs).sum::<u64>(),
        20
    );
    assert!(
        summary.by_liar.len() > 6 && summary.exact > 8,
        "{summary:?}"
    );
    // The same seed draws the same.
    assert_eq!(setting.run(5), setting.run(5));
}

#[test]
fn faults_are_read_as_they_are_typed() {
    let faults = Faults {
        crash: 30,
        loss: 1,
        ..Faults::default()
    };
    assert_eq!("crash:30,loss:1".parse(), Ok(faults));
    assert_eq!("".parse(), Ok(Faults::default()));
    let full = Faults {
        crash_at: Some(Step::Commit),
        vanish: 1,
        duplicate: 2,
        reorder: 3,
        pause: 4,
        slow: 5,
        partition: 6,
        cut: 7,
        ..faults
    };
    for faults in [faults, full, Faults::default()] {
        assert_eq!(faults.to_string().parse(), Ok(faults));
        assert_eq!(faults.to_string().parse(), Ok(Choice::This(faults)));
    }
    assert_eq!("all".parse(), Ok(Choice::<Faults>::Any));
    assert_eq!("any".parse(), Ok(Choice::<Liar>::Any));
    assert!(Choice::<Faults>::Any.to_string() == "all" && Choice::<Liar>::Any.to_string() == "any");
    for wrong in [
        "all:3",
        "crash-at:",
        "crash-at:lunch",
        "crash",
        "crash:101",
        "crash:-1",
        "rain:3",
        "crash:x",
    ] {
        assert_eq!(wrong.parse::<Faults>(), Err(UnknownFault), "{wrong}");
    }
}

#[test]
fn impossible_settings_say_what_to_change() {
    let why = |contributors, colluders, statistic| {
        let setting = Setting::new(contributors, colluders, 50, statistic);
        setting.err().map(|why| why.to_string()).unwrap_or_default()
    };
    assert!(why(4, 1, Statistic::Sum).contains("--contributors"));
    assert!(why(50_000, 1, Statistic::Sum).contains("--contributors"));
    assert!(why(40, 39, Statistic::Sum).contains("--colluders"));
    assert!(why(40, 1, Statistic::Histogram(0)).contains("buckets"));
}
