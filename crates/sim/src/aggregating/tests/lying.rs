//! Liars of each kind: what they can do, what they cannot, and what they could if there were more of them.

use super::*;

#[test]
fn liars_change_nothing() {
    let mut setting = small(18, 4);
    for liar in Liar::ALL {
        setting.liars = Some((liar.into(), 1));
        let summary = setting.campaign(0..3, || ());
        assert_eq!(summary.broken, [], "{liar}");
        assert_eq!(liar.to_string().parse(), Ok(liar));
        // Whoever contradicts their lane prevents an answer, and can do no more; a crowd that is padded may be too small.
        let may_prevent = matches!(
            liar,
            Liar::WrongSum | Liar::WrongCount | Liar::TwoCounts | Liar::Pads
        );
        assert!(
            may_prevent || summary.exact == 3,
            "{liar} {:?}",
            summary.without
        );
    }
}

/// The liar leads first, with one set for each half: neither half alone is a quorum. With so many friends that they are a quorum
/// nearly alone, there is a set that nobody honest knows.
#[test]
fn two_sets_need_more_liars_than_are_borne() {
    let mut setting = small(18, 4);
    assert_eq!(setting.terms().more_than_liars(), 2);
    setting.liars = Some((Liar::TwoSets.into(), 1));
    let summary = setting.campaign(0..8, || ());
    assert_eq!((summary.broken.len(), summary.exact), (0, 8), "{summary:?}");
    setting.liars = Some((Liar::TwoSets.into(), 8));
    let summary = setting.campaign(0..8, || ());
    let another_set = |(_, what): &(u64, String)| what.contains("set");
    assert!(summary.broken.iter().any(another_set), "{summary:?}");
}

/// Who leads chooses among the statements, but has to use so many that honest ones decide.
#[test]
fn a_leader_cannot_leave_anybody_out() {
    let mut setting = small(18, 4);
    setting.liars = Some((Liar::LeavesOut.into(), 1));
    let runs: Vec<_> = (0..6).map(|seed| setting.run(seed)).collect();
    assert!(
        runs.iter()
            .all(|run| matches!(run.ended, Ended::Exact(_)) && run.broken.is_empty())
    );
    assert!(runs.iter().all(|run| run.included == 18), "{runs:?}");
}

/// Colluders who match to lift the crowd over the threshold: while there are as many as allowed for, what is told is told of
/// the minimum crowd of honest people at least; with more of them it would not be.
#[test]
fn colluders_who_pad_a_crowd_are_allowed_for() {
    let mut setting = small(18, 4);
    assert_eq!(setting.terms().threshold, CROWD_MIN + 1);
    setting.liars = Some((Liar::Pads.into(), 1));
    let summary = setting.campaign(0..20, || ());
    assert_eq!(summary.broken, []);
    // Both happen: told, and refused.
    assert!(
        summary.exact >= 3 && summary.without.len() >= 3,
        "{summary:?}"
    );
    setting.liars = Some((Liar::Pads.into(), 4));
    let summary = setting.campaign(0..20, || ());
    let few = |(_, what): &(u64, String)| what.contains("fewer honest people");
    assert!(summary.broken.iter().any(few), "{summary:?}");
}

/// Who breaks a share on its way is out, whoever it hands it to, and is named; the others are not held up for ever.
#[test]
fn contributors_who_break_their_shares_are_out() {
    let mut setting = small(18, 4);
    for liar in [Liar::BrokenShare, Liar::Garbage, Liar::HalfSent] {
        setting.liars = Some((liar.into(), 2));
        let run = setting.run(1);
        assert_eq!((run.included, run.broken.len()), (16, 0), "{liar} {run:?}");
        assert!(matches!(run.ended, Ended::Exact(_)), "{liar}");
    }
}

/// In a small community everybody has a seat: lies are told there too, by contributors and about somebody.
#[test]
fn liars_lie_where_everybody_has_a_seat() {
    let mut setting = small(12, 4);
    assert_eq!(setting.seatless(), []);
    for liar in [Liar::BrokenShare, Liar::Garbage, Liar::HalfSent] {
        setting.liars = Some((liar.into(), 1));
        let run = setting.run(1);
        assert_eq!((run.included, run.broken.len()), (11, 0), "{liar} {run:?}");
        assert!(matches!(run.ended, Ended::Exact(_)), "{liar}");
    }
    setting.liars = Some((Liar::TwoBundles.into(), 1));
    let summary = setting.campaign(0..4, || ());
    assert_eq!((summary.broken.len(), summary.exact), (0, 4));
    // What can be told of nothing is not told.
    assert!(setting.allows(Liar::WrongPart).is_err() && setting.allows(Liar::OutOfRange).is_err());
    let rng = &mut base::Rng::from_number(1);
    assert!((0..200).all(|_| setting.allows(setting.any_liar(rng)).is_ok()));
}

/// One of two contributions counts, or none; never both.
#[test]
fn who_contributes_twice_counts_once() {
    let mut setting = small(18, 4);
    for liar in [Liar::TwoBundles, Liar::Again] {
        setting.liars = Some((liar.into(), 3));
        let summary = setting.campaign(0..8, || ());
        assert_eq!((summary.broken.len(), summary.exact), (0, 8), "{liar}");
    }
}
