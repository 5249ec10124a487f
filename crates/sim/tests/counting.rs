//! What is counted without signing or sending anything, held against the state machines that do both.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use base::{Digest, Location, Rng};
use crypto::Operations;
use overlay::{Form, Parameters};
use selection::point_of;
use selection::strategy::{
    Evidence, Message, Selected, Setup, Strategy, StrategyNode, points, xor,
};
use sim::counting::{Cost, Counted, Counter, Overlay, Population, Setting, Values};
use sim::drawing::{
    Adversary, Contender, Crowd, Gang, Listener, Outcome, Played, Question, Scene, Size, play,
};

/// What chance decided in a draw that was played.
#[derive(Default)]
struct Recorded {
    points: BTreeMap<(u32, u32), Location>,
    lots: BTreeMap<(u32, u32), u64>,
    seats: Vec<Location>,
}

impl Values for Recorded {
    fn point(&self, attempt: u32, moves: u32) -> Location {
        match self.points.get(&(attempt, moves)) {
            Some(point) => *point,
            // T has no witnesses: the first point is never used.
            None if self.points.is_empty() => Location(0),
            None => panic!("nobody went to point {moves} of attempt {attempt}"),
        }
    }

    fn lot(&self, attempt: u32, moves: u32) -> u64 {
        // Where the region is too sparse, no lots are drawn.
        *self.lots.get(&(attempt, moves)).unwrap_or(&0)
    }

    fn seat(&self, _: u32, seat: u32) -> Location {
        self.seats[seat as usize]
    }

    /// Whom S picked is not counted here.
    fn choice(&self, _: u32, number: u32) -> u64 {
        u64::from(number)
    }
}

fn first_bits(digest: &Digest) -> u64 {
    Location::of(digest).0
}

impl Recorded {
    fn hear(&mut self, message: &Message) {
        match message {
            Message::Set(draw, request) => {
                let moves = request.relocations.len() as u32;
                self.points
                    .insert((draw.attempt, moves), point_of(&request.value()));
            }
            Message::Opens(draw, openings, _) => {
                let random = xor(openings.iter().map(|opening| &opening.random));
                let moves = self
                    .points
                    .keys()
                    .filter(|(attempt, _)| *attempt == draw.attempt);
                let moves = moves.count() as u32 - 1;
                self.lots.insert((draw.attempt, moves), first_bits(&random));
            }
            _ => {}
        }
    }

    fn see(&mut self, selected: &Selected) {
        match &selected.evidence {
            Evidence::Hashed(random, actors) => self.seats = points(&random.value(), actors.len()),
            // A colluder that claims to be S is not asked.
            Evidence::EsNav(choice) | Evidence::EsAv(choice, _) => {
                let attempt = selected.draw.attempt;
                self.points
                    .insert((attempt, 0), point_of(&choice.random.value()));
            }
            _ => {}
        }
    }
}

struct Case {
    size: Size,
    form: Form,
    /// Nodes in R3, on average.
    candidates: f64,
    seats: u32,
}

struct Exact {
    crowd: Arc<Crowd>,
    setup: Setup,
    population: Population,
    setting: Setting,
    seats: u32,
}

/// Where everybody knows everybody.
fn is_mesh(strategy: Strategy) -> bool {
    matches!(strategy, Strategy::CostOptimal | Strategy::SecurityOptimal)
}

impl Exact {
    fn new(case: &Case, strategy: Strategy) -> Self {
        let mut size = case.size;
        if is_mesh(strategy) {
            size.cache_size = size.nodes as u32;
        }
        let crowd = Crowd::of(3, &size, case.form).expect("there is such a community");
        Self::among(Arc::new(crowd), case, strategy)
    }

    fn among(crowd: Arc<Crowd>, case: &Case, strategy: Strategy) -> Self {
        let mesh = is_mesh(strategy);
        let region_size = if mesh {
            1.0
        } else {
            (case.candidates / case.size.nodes as f64).min(1.0)
        };
        let member = |place| {
            let contact = crowd.contact(place);
            let name =
                u64::from_be_bytes(*contact.node().as_bytes().first_chunk().expect("32 bytes"));
            (contact.location(), name, crowd.colludes(contact.node()))
        };
        let population = Population::of_members((0..crowd.len()).map(member));
        let parameters = Parameters {
            form: case.form,
            ..Parameters::new(case.size.nodes, case.size.colluders, case.size.alpha)
        };
        let shares = (crowd.share(), region_size);
        let setting = Setting::with_table(crowd.rules().table(), &parameters, shares, case.seats);
        Self {
            setup: Setup {
                strategy,
                region_size,
            },
            crowd,
            population,
            setting,
            seats: case.seats,
        }
    }

    fn play(&self, number: u64, adversary: Adversary) -> (usize, Recorded, Played<StrategyNode>) {
        let mut rng = Rng::from_number(number);
        let trigger = match adversary {
            Adversary::None => rng.below(self.crowd.len() as u64) as usize,
            _ => {
                let colluders: Vec<_> = self.crowd.colluders().collect();
                colluders[rng.below(colluders.len() as u64) as usize]
            }
        };
        let recorded = Rc::new(RefCell::new(Recorded::default()));
        let listening = Rc::clone(&recorded);
        let listener: Listener<StrategyNode> =
            Rc::new(move |message| listening.borrow_mut().hear(message));
        let gang = Gang::new(adversary, &self.crowd, self.seats as usize, 1);
        let scene = Scene::<StrategyNode> {
            crowd: Arc::clone(&self.crowd),
            setup: self.setup,
            gang: (adversary != Adversary::None).then(|| Rc::new(RefCell::new(gang))),
            away_per_million: 0,
            seed: number,
            listener: Some(listener),
        };
        let question = Question {
            digest: Digest::of("counted", &[&number.to_be_bytes()]),
            trigger: self.crowd.contact(trigger).node(),
            seats: self.seats,
        };
        let played = play(&scene, question);
        drop(scene);
        let recorded =
            Rc::try_unwrap(recorded).unwrap_or_else(|_| panic!("all have stopped listening"));
        let mut recorded = recorded.into_inner();
        if let Outcome::Drawn(selected) = &played.outcome {
            recorded.see(selected);
        }
        (trigger, recorded, played)
    }

    fn counter(&self) -> Counter<'_> {
        Counter::new(
            Overlay::Chord(&self.population),
            &self.setting,
            self.setup.strategy,
        )
    }

    fn corrupted(&self, selected: &Selected) -> usize {
        let actors = selected.actors().into_iter();
        actors.filter(|actor| self.crowd.is_corrupt(*actor)).count()
    }

    /// Everything that everybody did, counted and done.
    fn compare(&self, number: u64) -> Counted {
        let (trigger, recorded, played) = self.play(number, Adversary::None);
        let mut counted = None;
        self.counter()
            .count(&[(trigger, recorded)], |one| counted = Some(one));
        let counted = counted.expect("it was counted");
        let strategy = self.setup.strategy;
        let work = Cost {
            operations: played.work,
            messages: played.messages,
        };
        let what = format!("{strategy}, draw {number}: {counted:?}");
        assert_eq!(counted.work, work, "{what}");
        assert_eq!(counted.latency, played.latency, "{what}");
        let Outcome::Drawn(selected) = &played.outcome else {
            assert!(!counted.drawn, "{what}");
            return counted;
        };
        assert!(counted.drawn, "{what}");
        let (verified, verifying) =
            Operations::of(|| StrategyNode::verify(selected, &self.crowd, played.at));
        match verified {
            Ok(()) => assert_eq!(counted.checks, verifying.checked, "{what}"),
            // Nobody sits near enough to one of its points, and T does not look.
            Err(why) => assert_eq!(strategy, Strategy::MHash, "{what}: {why}"),
        }
        assert_eq!(counted.restarts, selected.draw.attempt, "{what}");
        if matches!(strategy, Strategy::Paper | Strategy::MHash) {
            assert_eq!(counted.corrupted, self.corrupted(selected), "{what}");
        }
        counted
    }

    /// How many friends are seated when they may.
    fn compare_attacked(&self, number: u64, adversary: Adversary) -> usize {
        let (trigger, recorded, played) = self.play(number, adversary);
        let Outcome::Drawn(selected) = &played.outcome else {
            panic!("nothing is drawn");
        };
        let mut corrupted = 0;
        let seen = self.corrupted(selected);
        let seated_by_friends = match &selected.evidence {
            Evidence::EsNav(choice) | Evidence::EsAv(choice, _) => {
                self.crowd.colludes(choice.setter.node())
            }
            _ => true,
        };
        let mut counter = self.counter().attacked();
        counter.count(&[(trigger, recorded)], |one| corrupted = one.corrupted);
        // An honest S picks by chance.
        if seated_by_friends {
            assert_eq!(corrupted, seen, "{} draw {number}", self.setup.strategy);
        }
        seen
    }
}

fn case(nodes: u64, colluders: u64, alpha: f64, cache: u32, seats: u32) -> Case {
    Case {
        size: Size {
            cache_size: cache,
            ..Size::new(nodes, colluders, alpha)
        },
        form: Form::Paper,
        candidates: f64::from(cache),
        seats,
    }
}

/// A community that is one cache; one with caches of a few; one whose regions are often too sparse; and a sound table.
fn cases() -> [Case; 4] {
    [
        case(60, 2, 1e-2, 512, 7),
        case(700, 14, 1e-2, 96, 16),
        case(700, 70, 1e-2, 20, 20),
        Case {
            form: Form::Sound,
            ..case(1500, 3, 1e-6, 200, 32)
        },
    ]
}

#[test]
fn counts_are_those_of_the_state_machines() {
    for strategy in Strategy::ALL {
        let (mut moved, mut failed) = (0, 0);
        for case in cases() {
            let exact = Exact::new(&case, strategy);
            for number in 0..40 {
                let counted = exact.compare(number);
                moved += u32::from(counted.moves > 0);
                failed += u32::from(!counted.drawn);
            }
        }
        if strategy == Strategy::Paper {
            assert!(moved > 3 && failed > 0, "{moved} moved, {failed} failed");
        }
    }
}

#[test]
fn friends_are_counted_where_they_take_seats() {
    for (strategy, adversary) in [
        (Strategy::EsNav, Adversary::Friends),
        (Strategy::EsAv, Adversary::Friends),
        (Strategy::MHash, Adversary::Near),
        (Strategy::CostOptimal, Adversary::Friends),
    ] {
        let mut seated = Vec::new();
        for case in [case(60, 2, 1e-2, 512, 7), case(700, 30, 1e-2, 96, 16)] {
            let exact = Exact::new(&case, strategy);
            seated.extend((0..15).map(|number| exact.compare_attacked(number, adversary)));
        }
        let most = seated.iter().max().copied();
        let expected = if strategy == Strategy::MHash { 5 } else { 16 };
        assert!(most >= Some(expected), "{strategy} {seated:?}");
    }
}

#[test]
fn counts_are_those_of_ten_thousand_state_machines() {
    let case = case(10_000, 100, 1e-6, 512, 32);
    let crowd = Crowd::of(1, &case.size, case.form).expect("there is such a community");
    let crowd = Arc::new(crowd);
    for strategy in [
        Strategy::Paper,
        Strategy::EsNav,
        Strategy::EsAv,
        Strategy::MHash,
    ] {
        let exact = Exact::among(Arc::clone(&crowd), &case, strategy);
        for number in 0..100 {
            assert!(exact.compare(number).drawn);
        }
    }
}
