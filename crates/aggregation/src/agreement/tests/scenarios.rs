//! The named ways in which a round goes wrong, one each.

use super::*;

fn committee() -> World {
    World::new(4, 3, &[], 1)
}

#[test]
fn an_honest_run_decides_the_first_leaders_value_in_one_view() {
    let mut world = committee();
    world.run_for(SECOND / 2);
    world.assert_decided("good 0", &[0, 1, 2, 3]);
    // The proposal to three others, and two votes of each to each.
    assert_eq!((world.highest_view(), world.sent), (0, 27));
    assert_eq!(world.faults, []);
}

#[test]
fn a_committee_of_one_agrees_with_itself() {
    let mut world = World::new(1, 1, &[], 1);
    world.run_for(SECOND);
    world.assert_decided("good 0", &[0]);
}

#[test]
fn the_next_leader_takes_over_from_one_that_never_spoke() {
    let mut world = committee();
    world.crash(0);
    world.run_for(2 * SECOND);
    world.assert_decided("good 1", &[1, 2, 3]);
    assert_eq!(world.highest_view(), 1);
}

#[test]
fn a_leader_that_dies_after_the_prevotes_leaves_the_choice_free() {
    let mut world = committee();
    // Only one seat's prevotes arrive anywhere, so that nobody locks.
    world.loses = Box::new(|from, _, message| match message {
        Message::Prevote(vote) => from != 3 && vote.view == 0,
        message => from == 0 && !matches!(message, Message::Proposal { .. }),
    });
    world.run_for(SECOND / 2);
    world.crash(0);
    world.run_for(2 * SECOND);
    world.assert_decided("good 1", &[1, 2, 3]);
}

#[test]
fn a_value_that_one_replica_committed_to_is_carried_on() {
    for locked in 1..4 {
        let mut world = committee();
        world.loses = Box::new(move |from, to, message| match message {
            Message::Prevote(vote) => vote.view == 0 && to != locked,
            Message::Commit(vote) => vote.view == 0,
            // The only other three must then be the ones to move on.
            Message::NewView { .. } => from == 0 || to == 0,
            _ => false,
        });
        world.run_for(10 * SECOND);
        world.assert_decided("good 0", &[1, 2, 3]);
        world.loses = Box::new(|_, _, _| false);
        world.run_for(3 * SECOND);
        world.assert_decided("good 0", &[0, 1, 2, 3]);
        assert!(world.highest_view() > 0);
    }
}

#[test]
fn a_decision_that_one_replica_knows_stays_the_decision() {
    for lucky in 1..4 {
        let mut world = committee();
        world.loses = Box::new(move |_, to, message| {
            to != 0 && to != lucky && matches!(message, Message::Commit(_))
        });
        world.run_for(SECOND / 2);
        assert_eq!(
            world.decisions().into_values().collect::<Vec<_>>(),
            [vec![0, lucky]]
        );
        world.crash(0);
        world.run_for(3 * SECOND);
        world.assert_decided("good 0", &[0, 1, 2, 3]);
    }
}

#[test]
fn a_decision_that_only_a_dead_leader_knew_is_found_again() {
    let mut world = committee();
    world.loses = Box::new(|_, to, message| {
        to != 0 && matches!(message, Message::Commit(vote) if vote.view == 0)
    });
    world.run_for(SECOND / 2);
    world.crash(0);
    world.run_for(3 * SECOND);
    world.assert_decided("good 0", &[0, 1, 2, 3]);
    let views = [0, 1].map(|seat| {
        world.hosts[&(seat, 0)]
            .decision
            .as_ref()
            .unwrap()
            .certificate
            .view
    });
    assert_eq!(views, [0, 1], "two certificates for one value");
}

/// Whoever a late replica asks, few answer: a decision is long.
#[test]
fn the_late_are_told_by_few() {
    let mut world = World::new(40, 21, &[], 1);
    world.loses = Box::new(|_, to, message| {
        to == 7 && matches!(message, Message::Commit(_) | Message::Proposal { .. })
    });
    world.run_for(SECOND / 2);
    let before = world.sent;
    world.run_for(SECOND);
    assert_eq!(world.decisions().into_values().next().unwrap().len(), 40);
    assert!(
        world.sent - before <= 39 + TELLERS,
        "{}",
        world.sent - before
    );
}

#[test]
fn two_values_from_one_leader_are_not_two_decisions() {
    let mut world = World::new(4, 3, &[0], 1);
    // Both faces of seat 0 are mute: only what follows comes from it.
    world.weather.mischief = 1000;
    world.loses = Box::new(|_, to, _| to == 0);
    for (to, value) in [(1, "good a"), (2, "good b"), (3, "good b")] {
        let value = value.as_bytes().to_vec();
        world.loses = Box::new(|_, _, _| false);
        world.send(
            0,
            to,
            Message::Proposal {
                view: 0,
                value,
                justification: None,
            },
        );
        world.loses = Box::new(|_, to, _| to == 0);
    }
    world.run_for(3 * SECOND);
    world.assert_decided("good 1", &[1, 2, 3]);
}

#[test]
fn a_value_that_nobody_honest_finds_valid_is_left_at_once() {
    let mut world = World::new(4, 3, &[0], 1);
    world.weather.mischief = 1000;
    for to in 1..4 {
        let value = b"bad".to_vec();
        world.send(
            0,
            to,
            Message::Proposal {
                view: 0,
                value,
                justification: None,
            },
        );
    }
    world.loses = Box::new(|from, _, _| from == 0);
    world.run_for(SECOND / 2);
    world.assert_decided("good 1", &[1, 2, 3]);
}

#[test]
fn no_quorum_no_answer_and_it_ends_when_the_partition_does() {
    let mut world = World::new(6, 4, &[], 3);
    world.loses = Box::new(|from, to, _| (from < 3) != (to < 3));
    world.run_for(100 * SECOND);
    assert_eq!(world.decisions(), BTreeMap::new());
    assert!(world.highest_view() <= 1, "nobody runs ahead of a quorum");
    world.loses = Box::new(|_, _, _| false);
    world.run_for(4 * SECOND);
    assert_eq!(world.decisions().len(), 1);
    assert_eq!(
        world.decisions().into_values().next(),
        Some((0..6).collect())
    );
}

#[test]
fn a_replica_that_slept_through_many_views_catches_up() {
    let mut world = World::new(4, 3, &[], 5);
    // Nobody ever hears a proposal, and replica 3 hears nothing at all.
    world.loses = Box::new(|_, to, message| to == 3 || matches!(message, Message::Proposal { .. }));
    world.run_for(40 * SECOND);
    assert!(world.highest_view() > 5);
    world.crash(2);
    world.loses = Box::new(|_, _, _| false);
    world.run_for(3 * world.config.longest_timeout);
    assert_eq!(
        world.decisions().into_values().collect::<Vec<_>>(),
        [vec![0, 1, 3]]
    );
}

#[test]
fn a_late_candidate_is_proposed_when_it_comes() {
    let mut world = committee();
    for host in world.hosts.values_mut() {
        // One byte too long: not proposed by anybody.
        host.candidate = vec![b'g'; 101];
    }
    world.queue.clear();
    for seat in 0..4 {
        world.start((seat, 0));
    }
    world.run_for(SECOND / 4);
    assert_eq!(world.sent, 0);
    let life = world.hosts[&(0, 0)].life;
    let command = Command::Propose(b"good late".to_vec());
    world.push(
        Duration::ZERO,
        Delivery::Command {
            to: (0, 0),
            life,
            command,
        },
    );
    world.run_for(SECOND / 4);
    world.assert_decided("good late", &[0, 1, 2, 3]);
}

#[test]
fn everybody_restarts_between_any_two_steps() {
    for ms in 0..60 {
        let mut world = committee();
        world.run_for(Duration::from_millis(ms));
        for seat in 0..4 {
            world.crash(seat);
            world.start((seat, 0));
        }
        world.run_for(10 * SECOND);
        assert_eq!(
            world.decisions().into_values().collect::<Vec<_>>(),
            [vec![0, 1, 2, 3]]
        );
    }
}

#[test]
fn a_decision_is_told_again_after_a_restart() {
    let mut world = committee();
    world.run_for(SECOND);
    world.hosts.get_mut(&(2, 0)).unwrap().decision = None;
    world.crash(2);
    world.start((2, 0));
    world.run_for(Duration::from_millis(1));
    world.assert_decided("good 0", &[0, 1, 2, 3]);
}
