//! Small committees, with everything that can go wrong.

use super::*;

/// Forty people, sized for this much going wrong.
fn setting(offline_permille: u32, statistic: Statistic) -> Setting {
    Setting::new(40, 1, offline_permille, statistic).unwrap()
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
    let mut setting = setting(100, Statistic::Sum);
    for faults in [
        "crash:10",
        "vanish:30",
        "loss:2",
        "pause:30",
        "partition:30",
        "crash:10,vanish:10,loss:1,pause:10",
    ] {
        setting.faults = faults.parse().unwrap();
        let summary = setting.campaign(0..6, || ());
        assert_eq!(summary.broken, [], "{faults}");
        assert_eq!(summary.runs, 6);
        assert!(summary.exact >= 4, "{faults} {:?}", summary.without);
    }
}

#[test]
fn liars_change_nothing() {
    let mut setting = setting(50, Statistic::Sum);
    for liar in Liar::ALL {
        setting.liars = Some((liar.into(), 1));
        let summary = setting.campaign(0..4, || ());
        assert_eq!(summary.broken, [], "{liar}");
        assert_eq!(liar.to_string().parse(), Ok(liar));
        // Whoever contradicts their lane prevents an answer, and can do no more.
        let may_prevent = matches!(liar, Liar::WrongSum | Liar::WrongCount | Liar::TwoCounts);
        assert!(
            may_prevent || summary.exact == 4,
            "{liar} {:?}",
            summary.without
        );
    }
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
    for faults in [faults, Faults::default()] {
        assert_eq!(faults.to_string().parse(), Ok(faults));
    }
    for wrong in ["crash", "crash:101", "crash:-1", "rain:3", "crash:x"] {
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
    assert!(why(5000, 1, Statistic::Sum).contains("--contributors"));
    assert!(why(40, 39, Statistic::Sum).contains("--colluders"));
    assert!(why(40, 1, Statistic::Histogram(0)).contains("buckets"));
}
