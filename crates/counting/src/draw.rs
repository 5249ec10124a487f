//! One draw, counted: what its state machines would do, step by step, with nothing signed and nothing sent.
//!
//! Each function follows one role of [`selection::strategy`]; comments name what is counted. Nobody is away and nobody
//! lies, except where a colluder may say something false without a message that shows it.

use base::Location;
use selection::WITNESSES_MAX;
use selection::strategy::{ATTEMPTS_MAX, RELOCATIONS_MAX, Strategy};

use super::around::{Around, Seen};
use super::cost::Cost;
use super::degree::smallest_row;
use super::lots::Lots;
use super::overlay::Overlay;
use super::population::Population;
use super::setting::Setting;
use super::values::Values;
use crate::Latency;

/// What one draw cost, and who was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Whether it ended with actors.
    pub drawn: bool,
    /// k of T's witnesses, in the last attempt.
    pub witnesses: usize,
    /// k of S's list builders, at the last point.
    pub builders: usize,
    /// Total work.
    pub work: Cost,
    /// Latency, until T has its actors.
    pub latency: Latency,
    /// Signature checks of one verifier.
    pub checks: u64,
    /// New randoms after a failed try.
    pub restarts: u32,
    /// Moves to another point, in the last attempt.
    pub moves: u32,
    /// Actors that are not honest.
    pub corrupted: usize,
}

/// Counts draws by one strategy in one setting. Has room to work in: one for each thread.
pub struct Counter<'a> {
    population: &'a Population,
    overlay: Overlay<'a>,
    setting: &'a Setting,
    strategy: Strategy,
    /// Whether T colludes, and all colluders do what gains most.
    attacked: bool,
    legitimate: Vec<Seen>,
    lots: Lots,
    lookups: Vec<(usize, Location)>,
    hops: Vec<u32>,
}

/// Why an attempt ends without actors.
enum Failed {
    /// T tries again with a new random.
    Retry,
    /// T gives up.
    Over,
}

impl<'a> Counter<'a> {
    /// Counts draws in which everybody does as told.
    pub fn new(overlay: Overlay<'a>, setting: &'a Setting, strategy: Strategy) -> Self {
        Self {
            population: overlay.population(),
            overlay,
            setting,
            strategy,
            attacked: false,
            legitimate: Vec::new(),
            lots: Lots::default(),
            lookups: Vec::new(),
            hops: Vec::new(),
        }
    }

    /// Counts draws in which a colluding T, and the colluders near its points, choose the actors where the strategy lets
    /// them (§4.2).
    pub fn attacked(self) -> Self {
        Self {
            attacked: true,
            ..self
        }
    }

    /// Counts the draws of these triggers. Several at a time take less than one after the other.
    pub fn count<V: Values>(&mut self, draws: &[(usize, V)], mut each: impl FnMut(Counted)) {
        let mut first_hops = Vec::new();
        if self.strategy.has_setter() {
            let firsts = draws
                .iter()
                .map(|(trigger, values)| (*trigger, values.point(0, 0)));
            self.lookups.clear();
            self.lookups.extend(firsts);
            self.overlay.hops(&self.lookups, &mut first_hops);
        }
        for (number, (trigger, values)) in draws.iter().enumerate() {
            let hops = first_hops.get(number).copied().unwrap_or_default();
            each(self.count_one(*trigger, values, hops));
        }
    }

    fn count_one(&mut self, trigger: usize, values: &impl Values, first_hops: u32) -> Counted {
        let mut counted = Counted::default();
        match self.strategy {
            Strategy::CostOptimal => self.count_picked(&mut counted, (trigger, values)),
            Strategy::SecurityOptimal => self.count_ranked(&mut counted, values),
            _ => self.count_random(&mut counted, (trigger, values), first_hops),
        }
        counted
    }
}

/// What all strategies with k witnesses have in common.
impl Counter<'_> {
    fn count_random(
        &mut self,
        counted: &mut Counted,
        (trigger, values): (usize, &impl Values),
        first_hops: u32,
    ) {
        for attempt in 0..ATTEMPTS_MAX {
            counted.restarts = attempt;
            let here = self.population.location(trigger);
            let Some(k) = self.find_legitimate(here, trigger, here) else {
                return;
            };
            counted.witnesses = k;
            counted.ask_witnesses(k);
            let first_hops = (attempt == 0).then_some(first_hops);
            let draw = (trigger, attempt, values);
            let ended = match self.strategy {
                Strategy::Paper => self.count_lists(counted, draw, first_hops),
                Strategy::MHash => self.count_hashed(counted, draw),
                _ => self.count_chosen(counted, draw, first_hops),
            };
            match ended {
                Ok(()) => {
                    counted.drawn = true;
                    return;
                }
                Err(Failed::Over) => return,
                Err(Failed::Retry) => {}
            }
        }
    }

    /// The smallest k for which the table finds enough nodes near `centre`, of those that the node at `knower` knows, without
    /// `except`; they are left in `self.legitimate`, nearest first.
    fn find_legitimate(
        &mut self,
        centre: Location,
        except: usize,
        knower: Location,
    ) -> Option<usize> {
        let known = self.setting.known;
        let population = self.population;
        let widest = self.setting.rows.last()?.1;
        let mut known = Around::new(population, centre)
            .filter(|seen| {
                seen.place != except && knower.distance(population.location(seen.place)) <= known
            })
            .take_while(|seen| seen.distance <= widest);
        self.legitimate.clear();
        let (k, _) = smallest_row(&self.setting.rows, &mut self.legitimate, &mut known)?;
        self.legitimate.truncate(k);
        Some(k)
    }

    /// The nearest to `point` but those.
    fn nearest(&self, point: Location, except: &[usize]) -> Option<Seen> {
        Around::new(self.population, point).find(|seen| !except.contains(&seen.place))
    }

    /// Whether T's own cache tells for certain that nobody is nearer to `point` than the one found.
    fn knows(&self, trigger: usize, point: Location, found: Seen) -> bool {
        let away = self.population.location(trigger).distance(point);
        self.setting.is_mesh || away.saturating_add(found.distance) <= self.setting.candidates
    }

    /// S for a point; counts T's lookup, and its request.
    fn find_setter(
        &mut self,
        counted: &mut Counted,
        (trigger, point): (usize, Location),
        hops: Option<u32>,
    ) -> Result<usize, Failed> {
        let found = self.nearest(point, &[trigger]).ok_or(Failed::Over)?;
        if !self.knows(trigger, point, found) {
            let hops = hops.unwrap_or_else(|| self.hops_to(trigger, point));
            counted.say(2 * u64::from(hops), 2 * u64::from(hops));
        }
        counted.say(1, 1);
        Ok(found.place)
    }

    fn hops_to(&mut self, trigger: usize, point: Location) -> u32 {
        self.overlay.hops(&[(trigger, point)], &mut self.hops);
        self.hops[0]
    }
}

/// SEP2P's own protocol, in the form of the paper.
impl Counter<'_> {
    fn count_lists(
        &mut self,
        counted: &mut Counted,
        (trigger, attempt, values): (usize, u32, &impl Values),
        mut hops: Option<u32>,
    ) -> Result<(), Failed> {
        // What each builder checks of the request: cert_T, and two signatures for each witness.
        let mut request = 2 * counted.witnesses as u64 + 1;
        for moves in 0..=RELOCATIONS_MAX as u32 {
            counted.moves = moves;
            let point = values.point(attempt, moves);
            let setter = self.find_setter(counted, (trigger, point), hops.take())?;
            let knower = self.population.location(setter);
            let Some(k) = self.find_legitimate(point, setter, knower) else {
                counted.say(1, 1);
                return Err(Failed::Retry);
            };
            counted.builders = k;
            let lot = values.lot(attempt, moves);
            let (first, count) = self.candidates(point);
            let drawn = self
                .lots
                .draw(self.population, (first, count), lot, self.setting.seats);
            let most = if drawn { self.check_actors(counted) } else { 0 };
            counted.build_list(k as u64, request, most);
            if drawn {
                counted.checks = 2 * k as u64;
                counted.corrupted = self.corrupted();
                return Ok(());
            }
            // The next request shows that this point's region is too sparse.
            request += 2 * k as u64;
        }
        Err(Failed::Over)
    }

    /// CL: all that some builder knows of R3. Builders sit side by side, so it is one arc: its first place, and how many.
    fn candidates(&self, point: Location) -> (usize, usize) {
        let half = 1i128 << 63;
        let (known, r3) = (
            i128::from(self.setting.known),
            i128::from(self.setting.candidates),
        );
        let offsets = self
            .legitimate
            .iter()
            .map(|seen| self.offset(point, seen.place));
        let (mut begins, mut ends) = (half, -half);
        for offset in offsets {
            begins = begins.min(offset - known);
            ends = ends.max(offset + known);
        }
        let (begins, ends) = (begins.max(-r3), ends.min(r3));
        if ends - begins >= 2 * half - 1 {
            return (0, self.population.nodes());
        }
        let at = |offset: i128| Location(point.0.wrapping_add(offset as u64));
        self.population.arc(at(begins), at(ends))
    }

    /// Clockwise from `point`, from -2^63 to 2^63 - 1.
    fn offset(&self, point: Location, place: usize) -> i128 {
        i128::from(self.population.location(place).0.wrapping_sub(point.0) as i64)
    }

    /// Step 8f: each builder checks the certificates of actors outside of its own cache. The most that one checks.
    fn check_actors(&self, counted: &mut Counted) -> u64 {
        let known = self.setting.known;
        let mut most = 0;
        for builder in &self.legitimate {
            let here = self.population.location(builder.place);
            let unknown = |place: &&usize| here.distance(self.population.location(**place)) > known;
            let unknown = self.lots.drawn().iter().filter(unknown).count() as u64;
            counted.work.operations.checked += unknown;
            most = most.max(unknown);
        }
        most
    }

    fn corrupted(&self) -> usize {
        let drawn = self.lots.drawn().iter();
        drawn
            .filter(|place| self.population.colludes(**place))
            .count()
    }
}

/// ES.NAV and ES.AV: S chooses.
impl Counter<'_> {
    fn count_chosen(
        &mut self,
        counted: &mut Counted,
        (trigger, attempt, values): (usize, u32, &impl Values),
        hops: Option<u32>,
    ) -> Result<(), Failed> {
        let (seats, random) = (self.setting.seats, 2 * counted.witnesses as u64 + 1);
        let point = values.point(attempt, 0);
        counted.checks = random + 2;
        if self.strategy == Strategy::EsAv {
            counted.checks += seats as u64;
        }
        if self.attacked && self.near_colluders(point).next().is_some() {
            let genuine = self.setting.colluders.min(seats as u64) as usize;
            let made_up_too = self.strategy == Strategy::EsNav;
            counted.corrupted = if made_up_too { seats } else { genuine };
            return Ok(());
        }
        let setter = self.find_setter(counted, (trigger, point), hops)?;
        counted.check(random);
        let here = self.population.location(setter);
        let (first, count) = self.population.within(here, self.setting.known);
        let is_near = point.distance(here) <= self.setting.near;
        if !is_near || count < seats {
            counted.say(1, 1);
            return Err(Failed::Retry);
        }
        counted.sign();
        counted.say(1, 1);
        counted.check(1);
        let choice = |number| values.choice(attempt, number);
        self.lots
            .pick((first, count, self.population.nodes()), seats, choice);
        counted.corrupted = self.corrupted();
        Ok(())
    }

    /// Colluders whom a verifier takes for the nearest to `point`.
    fn near_colluders(&self, point: Location) -> impl Iterator<Item = usize> {
        let near = self.setting.near;
        let seen =
            Around::new(self.population, point).take_while(move |seen| seen.distance <= near);
        seen.map(|seen| seen.place)
            .filter(|place| self.population.colludes(*place))
    }
}

/// M.Hash: each actor is the node nearest to a point.
impl Counter<'_> {
    fn count_hashed(
        &mut self,
        counted: &mut Counted,
        (trigger, attempt, values): (usize, u32, &impl Values),
    ) -> Result<(), Failed> {
        let points: Vec<_> = (0..self.setting.seats as u32)
            .map(|seat| values.seat(attempt, seat))
            .collect();
        let mut seated = Vec::with_capacity(points.len());
        self.lookups.clear();
        for point in &points {
            let found = self.nearest(*point, &[trigger]).ok_or(Failed::Over)?;
            if !self.knows(trigger, *point, found) {
                self.lookups.push((trigger, *point));
            }
            seated.push(found.place);
        }
        // All of them side by side.
        self.overlay.hops(&self.lookups, &mut self.hops);
        let sum: u64 = self.hops.iter().map(|hops| u64::from(*hops)).sum();
        let most = self.hops.iter().copied().max().unwrap_or(0);
        counted.say(2 * sum, 2 * u64::from(most));
        while let Some(seat) =
            (1..seated.len()).find(|seat| seated[..*seat].contains(&seated[*seat]))
        {
            let except = [&[trigger], &seated[..]].concat();
            let found = self.nearest(points[seat], &except).ok_or(Failed::Over)?;
            if !self.knows(trigger, points[seat], found) {
                let hops = u64::from(self.hops_to(trigger, points[seat]));
                counted.say(2 * hops, 2 * hops);
            }
            seated[seat] = found.place;
        }
        counted.checks = 2 * counted.witnesses as u64 + 1 + seated.len() as u64;
        if self.attacked {
            self.seat_friends(&points, &mut seated);
        }
        let colluding = seated
            .iter()
            .filter(|place| self.population.colludes(**place));
        counted.corrupted = colluding.count();
        Ok(())
    }

    /// T replaces whom it can by a colluder that is near enough.
    fn seat_friends(&self, points: &[Location], seated: &mut [usize]) {
        for (seat, point) in points.iter().enumerate() {
            if self.population.colludes(seated[seat]) {
                continue;
            }
            let (first, count) = self.population.within(*point, self.setting.near);
            let inside = (first..first + count).map(|place| place % self.population.nodes());
            let mut friends = inside.filter(|place| self.population.colludes(*place));
            if let Some(friend) = friends.find(|place| !seated.contains(place)) {
                seated[seat] = friend;
            }
        }
    }
}

/// The two bounds of §3.1.
impl Counter<'_> {
    /// Cost-optimal: T picks from its cache, and nothing is sent.
    fn count_picked(&mut self, counted: &mut Counted, (trigger, values): (usize, &impl Values)) {
        let seats = self.setting.seats;
        let here = self.population.location(trigger);
        let (first, count) = self.population.within(here, self.setting.known);
        if count < seats {
            return;
        }
        counted.drawn = true;
        counted.checks = seats as u64;
        if self.attacked {
            counted.corrupted = self.setting.colluders.min(seats as u64) as usize;
            return;
        }
        let choice = |number| values.choice(0, number);
        self.lots
            .pick((first, count, self.population.nodes()), seats, choice);
        counted.corrupted = self.corrupted();
    }

    /// Security-optimal: C + 1 witnesses of a full mesh, and ranks.
    fn count_ranked(&mut self, counted: &mut Counted, values: &impl Values) {
        let (seats, nodes) = (self.setting.seats, self.population.nodes());
        let k = self.setting.colluders as usize + 1;
        // T is no witness of its own random.
        if k > WITNESSES_MAX || k >= nodes {
            return;
        }
        counted.witnesses = k;
        counted.ask_witnesses(k);
        if seats > nodes {
            return;
        }
        counted.drawn = true;
        counted.checks = 2 * k as u64 + seats as u64;
        self.lots
            .pick((0, nodes, nodes), seats, |number| values.choice(0, number));
        counted.corrupted = self.corrupted();
    }
}

/// Steps that several strategies share.
impl Counted {
    /// Messages in all, and those of them that wait for each other.
    fn say(&mut self, messages: u64, in_turn: u64) {
        self.work.messages += messages;
        self.latency = self.latency.then(0, in_turn);
    }

    /// One node checks signatures.
    fn check(&mut self, signatures: u64) {
        self.work.operations.checked += signatures;
        self.latency = self.latency.then(signatures, 0);
    }

    fn sign(&mut self) {
        self.work.operations.signed += 1;
        self.latency = self.latency.then(1, 0);
    }

    /// §3.4: k witnesses commit, open and sign, side by side; T checks each signature.
    fn ask_witnesses(&mut self, k: usize) {
        let k = k as u64;
        self.say(4 * k, 4);
        self.sign();
        self.work.operations.signed += k - 1;
        self.check(k);
    }

    /// §3.5 steps 3 to 9: k builders commit, open, check the request and `most` actors at most, and sign, side by side; S
    /// checks each signature, T each signature with its certificate.
    fn build_list(&mut self, k: u64, request: u64, most: u64) {
        self.say(6 * k, 6);
        self.check(request);
        self.work.operations.checked += (k - 1) * request;
        self.latency = self.latency.then(most, 0);
        self.sign();
        self.work.operations.signed += k - 1;
        self.check(k);
        self.say(1, 1);
        self.check(2 * k);
    }
}
