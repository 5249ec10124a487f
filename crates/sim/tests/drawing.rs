//! Draws in large communities, and what colluders gain: the hardened protocol beside the paper's and the other strategies.

use std::sync::Arc;

use base::{Digest, Location, NodeId, Rng};
use community::{Terms, draw_keys, enrol};
use crypto::{CertificateRequest, Rights, SigningKey, VrfSecretKey};
use overlay::Form;
use selection::strategy::{Setup, Strategy, StrategyNode};
use selection::{Misbehaviour, Selection};
use sim::START;
use sim::drawing::forge::{arcs, forge_hardened, forge_paper, random_for};
use sim::drawing::{Adversary, Campaign, Crowd, Members, Size, Summary, forge};

const SEATS: u32 = 16;
const PATIENCE: u32 = 16;

fn campaign(adversary: Adversary) -> Campaign {
    Campaign {
        seats: SEATS,
        adversary,
        patience: PATIENCE,
        away_per_million: 0,
        seed: 5,
    }
}

/// A fifth colludes, so that everything that can happen does.
fn crowd(form: Form) -> Arc<Crowd> {
    let size = Size {
        draws_per_period: PATIENCE,
        ..Size::new(400, 80, 1e-2)
    };
    Arc::new(Crowd::of(7, &size, form).expect("there is such a community"))
}

struct Played {
    crowd: Arc<Crowd>,
    summary: Summary,
}

impl Played {
    /// How many times as many colluders are seated as by chance.
    fn gain(&self) -> f64 {
        1.0 / self
            .summary
            .effectiveness(&self.crowd)
            .expect("some are seated")
    }

    /// The same, where a colluder sets up.
    fn gain_as_setter(&self) -> f64 {
        let gain = self.summary.gain_as_setter(&self.crowd);
        gain.expect("some setters collude")
    }
}

fn hardened(adversary: Adversary, runs: u64) -> Played {
    let crowd = crowd(Form::Sound);
    let summary = campaign(adversary).run::<Selection>(&crowd, &(), 0..runs, || ());
    Played { crowd, summary }
}

fn compared(strategy: Strategy, adversary: Adversary, runs: u64) -> Played {
    let crowd = crowd(Form::Paper);
    let setup = Setup {
        strategy,
        region_size: crowd.share(),
    };
    let summary = campaign(adversary).run::<StrategyNode>(&crowd, &setup, 0..runs, || ());
    Played { crowd, summary }
}

#[test]
fn whoever_does_as_told_draws_by_chance() {
    let played = hardened(Adversary::None, 12);
    assert_eq!((played.summary.drawn, played.summary.breaches), (12, 0));
    assert_eq!(played.summary.attempts, 12);
    assert!((0.7..1.4).contains(&played.gain()), "{}", played.gain());
    for strategy in [Strategy::Paper, Strategy::EsNav, Strategy::EsAv] {
        let played = compared(strategy, Adversary::None, 12);
        assert_eq!((played.summary.drawn, played.summary.breaches), (12, 0));
        assert!(
            (0.7..1.4).contains(&played.gain()),
            "{strategy} {}",
            played.gain()
        );
    }
}

/// Whoever may choose chooses friends: a fifth would be chance, and all of them is five times as many.
#[test]
fn who_chooses_picks_friends() {
    let picked = compared(Strategy::CostOptimal, Adversary::Friends, 3);
    assert_eq!(picked.summary.corrupted, picked.summary.actors);
    for strategy in [Strategy::EsNav, Strategy::EsAv] {
        let played = compared(strategy, Adversary::Friends, 25);
        assert!(played.gain_as_setter() > 4.9, "{strategy}");
        assert_eq!(played.summary.refused, 0);
    }
    for played in [
        compared(Strategy::Paper, Adversary::Friends, 25),
        hardened(Adversary::Friends, 8),
    ] {
        assert!((0.6..1.4).contains(&played.gain()), "{}", played.gain());
    }
}

#[test]
fn friends_sit_near_the_points_of_multiple_hashes() {
    let honest = compared(Strategy::MHash, Adversary::None, 15);
    assert!((0.6..1.4).contains(&honest.gain()), "{}", honest.gain());
    let played = compared(Strategy::MHash, Adversary::Near, 15);
    assert!(played.gain() > 2.0, "{}", played.gain());
}

/// A setter that begins again with its builders: in the paper's form they answer as often as it likes, here each round
/// happens once.
#[test]
fn rounds_cannot_be_had_again() {
    let paper = compared(Strategy::Paper, Adversary::Reroll, 50);
    let ours = hardened(Adversary::Reroll, 20);
    assert!(paper.gain_as_setter() > 1.7, "{}", paper.gain_as_setter());
    assert!(paper.summary.spoilt > 40);
    // It spoils a draw once, and its own part in it with that.
    assert!(ours.summary.spoilt > 0);
    assert!(ours.gain() < 1.5, "{}", ours.gain());
    assert!(ours.gain_as_setter() < 1.5, "{}", ours.gain_as_setter());
}

/// Silence at the end costs a round, an attempt or a setter, and gives the next value to everyone.
#[test]
fn silence_gains_little() {
    for adversary in [Adversary::Abort, Adversary::Withhold] {
        let ours = hardened(adversary, 16);
        assert!(ours.summary.spoilt > 0, "{adversary}");
        assert!(ours.gain() < 1.5, "{adversary} {}", ours.gain());
        assert_eq!(ours.summary.refused, 0);
    }
}

/// A trigger draws as often as its witnesses let it: what it gains is the luck of so many tries, in both forms, and none
/// when it has one.
#[test]
fn tries_are_counted() {
    let (paper, ours) = (
        compared(Strategy::Paper, Adversary::Restart, 10),
        hardened(Adversary::Restart, 4),
    );
    for played in [&paper, &ours] {
        assert!(played.gain() > 1.4, "{}", played.gain());
        assert!(played.summary.spoilt <= u64::from(PATIENCE) * played.summary.runs);
    }
    let size = Size {
        draws_per_period: 1,
        ..Size::new(400, 80, 1e-2)
    };
    let crowd = Arc::new(Crowd::of(7, &size, Form::Sound).unwrap());
    let summary = campaign(Adversary::Restart).run::<Selection>(&crowd, &(), 0..12, || ());
    let once = Played { crowd, summary };
    assert!((0.6..1.4).contains(&once.gain()), "{}", once.gain());
}

#[test]
fn hiding_honest_nodes_hides_nobody() {
    for played in [
        compared(Strategy::Paper, Adversary::Hide, 12),
        hardened(Adversary::Hide, 8),
    ] {
        let summary = &played.summary;
        assert_eq!((summary.drawn, summary.breaches), (summary.runs, 0));
        assert!((0.6..1.4).contains(&played.gain()), "{}", played.gain());
    }
}

#[test]
fn a_tenth_that_is_away_delays_and_no_more() {
    let crowd = crowd(Form::Sound);
    let away = Campaign {
        away_per_million: 100_000,
        ..campaign(Adversary::None)
    };
    let summary = away.run::<Selection>(&crowd, &(), 0..10, || ());
    assert!(summary.drawn >= 9, "{summary:?}");
    assert_eq!((summary.refused, summary.breaches), (0, 0));
}

/// Ten thousand colluders of a million, as the community's assumption has it. Nobody else needs to exist: forgers ask no
/// one.
fn forgers(form: Form) -> Crowd {
    let size = Size::new(1_000_000, 10_000, 1e-6);
    let members = Members::make(3, &size, 0..10_000);
    Crowd::new(3, &size, form, members).expect("there is such a community")
}

#[test]
fn forgers_find_an_arc_in_the_papers_table_and_none_in_the_sound_one() {
    let (paper, sound) = (forgers(Form::Paper), forgers(Form::Sound));
    let plan = Digest::of("the forgers' plan", &[]);
    let friends: Vec<NodeId> = paper
        .colluders()
        .take(32)
        .map(|place| paper.contact(place).node())
        .collect();

    // Some fourteen pairs of so many are as close as two of them "never" are.
    let found = arcs(&paper);
    assert!((5..40).contains(&found.len()), "{}", found.len());
    let closest = found
        .iter()
        .max_by(|a, b| a.chance().total_cmp(&b.chance()));
    let closest = closest.unwrap();
    let random = random_for(&paper, closest).expect("ten million tries are seconds");
    let arc = (closest, random);

    let forged = forge_paper(&paper, arc, plan, friends.clone());
    let verified = forged.verify(paper.rules(), START, plan);
    let checks = 2 * closest.places.len();
    assert_eq!(verified.map(|verified| verified.checks), Ok(checks));
    // The same signers convince nobody who has the sound table, whatever the form of the list.
    assert!(forged.verify(sound.rules(), START, plan).is_err());
    let list = forge_hardened(&paper, arc, plan, friends).unwrap();
    assert_eq!(list.verify(paper.rules(), START, plan), Ok(()));
    let refused = Err(Misbehaviour::NotLegitimate);
    assert_eq!(list.verify(sound.rules(), START, plan), refused);

    // Of a million such communities one would have such an arc.
    assert_eq!(arcs(&sound), []);
}

/// Whoever tries keys until their hash is near a point sits wherever the issuer's nonce then puts him. In the paper the
/// hash of the key is the location, and the best of a hundred keys is a hundred times as near.
#[test]
fn locations_cannot_be_ground() {
    let mut rng = Rng::from_number(8);
    let authority = SigningKey::generate(&mut rng);
    let crowd = crowd(Form::Sound);
    let mut descriptor = crowd.rules().community().descriptor().clone();
    descriptor.authority = authority.node();
    let target = Location(1 << 63);
    let by_key = |(key, ..): &(SigningKey, VrfSecretKey, CertificateRequest)| {
        let place = Digest::of("location by key", &[key.node().as_bytes()]);
        target.distance(Location::of(&place))
    };
    let (mut ground, mut certified) = (0.0, 0.0);
    for _ in 0..40 {
        let keys = (0..100).map(|_| draw_keys(&descriptor.community, &mut rng));
        let best = keys.min_by_key(by_key).expect("a hundred keys");
        ground += by_key(&best) as f64;
        let terms = Terms {
            rights: Rights::default(),
            valid_from: START,
            valid_until: START,
        };
        let certificate = enrol(&authority, &descriptor, &best.2, terms, &mut rng);
        let place = certificate.expect("the request holds").location();
        certified += target.distance(place) as f64;
    }
    // A quarter of the ring is the mean distance of chance.
    let of_chance = |sum: f64| sum / 40.0 / 2f64.powi(62);
    assert!(of_chance(ground) < 0.03, "{}", of_chance(ground));
    let certified = of_chance(certified);
    assert!((0.75..1.25).contains(&certified), "{certified}");
}

/// Under a descriptor with fewer colluders, two of them may sign a list for any point. It convinces nobody who has the
/// true one.
#[test]
fn a_false_number_of_colluders_convinces_nobody() {
    let of = |colluders| {
        let size = Size::new(200, colluders, 1e-6);
        let members = Members::make(9, &size, 0..200);
        Crowd::new(9, &size, Form::Sound, members).expect("there is such a community")
    };
    let (lie, truth) = (of(1), of(20));
    let places: Vec<_> = truth.colluders().take(2).collect();
    let arc = forge::Arc {
        places: places.clone(),
        span: 0.0,
        region_size: lie.rules().table().rows()[0].region_size,
    };
    assert_eq!(lie.rules().table().rows()[0].k, 2);
    let plan = Digest::of("plan", &[]);
    let random = random_for(&lie, &arc).expect("any point will do");
    let list = lie_to(&lie, &truth, &places, random, plan);
    assert_eq!(list.verify(lie.rules(), START, plan), Ok(()));
    let refused = list.verify(truth.rules(), START, plan);
    assert_eq!(refused, Err(Misbehaviour::OtherDescriptor));
    // Said to be made under the true one, it has too few signers or the wrong ones.
    let mut renamed = list;
    renamed.body.descriptor = truth.rules().community().digest();
    assert!(renamed.verify(truth.rules(), START, plan).is_err());
}

/// A list that these two sign under the false descriptor.
fn lie_to(
    lie: &Crowd,
    truth: &Crowd,
    places: &[usize],
    random: Digest,
    plan: Digest,
) -> selection::ActorList {
    let node = |place: usize| truth.contact(place).node();
    let others: Vec<_> = truth.colluders().map(node).skip(2).collect();
    let body = selection::ListBody {
        descriptor: lie.rules().community().digest(),
        draw: selection::Draw {
            trigger: others[0],
            digest: plan,
            attempt: 0,
        },
        random,
        setter: others[1],
        at: START,
        actors: others[2..].to_vec(),
        site: selection::Site::FIRST,
    };
    let bytes = body.signed_bytes();
    let point = body.site.point(&random);
    let mut places = places.to_vec();
    places.sort_by_key(|place| point.rank(node(*place), truth.contact(*place).location()));
    let builder = |place: &usize| selection::Builder {
        certificate: truth.identity(*place).certificate.clone(),
        signature: truth
            .identity(*place)
            .key
            .sign(selection::ListBody::DOMAIN, &bytes),
    };
    selection::ActorList {
        builders: places.iter().map(builder).collect(),
        body,
    }
}
